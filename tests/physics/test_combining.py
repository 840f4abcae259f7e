"""Combining, joint transmission, duplication, channel estimation and sharing: by hand, scipy and Monte Carlo."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from ntn_gym.physics import combining as cb
from ntn_gym.physics import estimation as es
from ntn_gym.physics import multiple_access as ma


def test_combining_by_hand():
    branches = np.array([[1.0, 2.0, 4.0], [0.5, 0.5, 0.0]])
    np.testing.assert_allclose(cb.mrc_sinr(branches), [7.0, 1.0])
    np.testing.assert_allclose(cb.selection_sinr(branches), [4.0, 0.5])
    np.testing.assert_allclose(cb.mrc_sinr(torch.from_numpy(branches)).numpy(), [7.0, 1.0])


@pytest.mark.parametrize("n_branches", [1, 2, 4])
def test_mrc_outage_in_rayleigh_fading(n_branches):
    # The sum of L exponentials is an Erlang variable; and the combiner itself, on 200,000 drawn channels.
    mean, threshold = 3.0, np.array([0.1, 1.0, 5.0])
    ours = cb.mrc_rayleigh_outage(threshold, mean, n_branches)
    np.testing.assert_allclose(ours, stats.gamma(n_branches, scale=mean).cdf(threshold), rtol=1e-10)
    rng = np.random.default_rng(41)
    channel = (rng.standard_normal((200_000, n_branches, 2)) / math.sqrt(2)).view(np.complex128)[..., 0]
    # Weights conj(h): output SINR = |sum |h|^2|^2 / sum |h|^2 times the mean.
    combined = mean * np.abs((channel.conj() * channel).sum(axis=-1)) ** 2 / (np.abs(channel) ** 2).sum(axis=-1)
    for x, p in zip(threshold, ours, strict=True):
        assert (combined < x).mean() == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 200_000) + 1e-6)


def test_joint_transmission_by_hand():
    received = np.array([4.0, 1.0, 2.0])
    serving = np.array([True, True, False])
    assert float(cb.joint_transmission_sinr(received, serving, 1.0)) == pytest.approx(5 / 3)
    assert float(cb.joint_transmission_sinr(received, serving, 1.0, coherent=True)) == pytest.approx(9 / 3)
    alone = cb.joint_transmission_sinr(received, np.array([True, False, False]), 1.0)
    assert float(alone) == pytest.approx(4 / 4)


def test_coherent_gain_is_what_aligned_phasors_give():
    rng = np.random.default_rng(42)
    amplitude = rng.uniform(0.5, 2.0, 3)
    phase = rng.uniform(0, 2 * math.pi, (200_000, 3))
    random_phases = np.abs((amplitude * np.exp(1j * phase)).sum(axis=-1)) ** 2
    serving = np.ones(3, bool)
    non_coherent = float(cb.joint_transmission_sinr(amplitude**2, serving, 1.0))
    # The mean over random phases is the sum of powers: 5 standard errors.
    assert random_phases.mean() == pytest.approx(non_coherent, abs=5 * random_phases.std() / math.sqrt(200_000))
    assert float(cb.joint_transmission_sinr(amplitude**2, serving, 1.0, True)) == pytest.approx(amplitude.sum() ** 2)


def test_duplication():
    assert float(cb.duplication_loss(np.array([0.1, 0.02]))) == pytest.approx(0.002)
    delay = np.array([[0.01, 0.03], [0.01, 0.03], [0.01, 0.03]])
    arrives = np.array([[True, True], [False, True], [False, False]])
    np.testing.assert_array_equal(cb.duplication_delay_s(delay, arrives), [0.01, 0.03, math.inf])
    rng = np.random.default_rng(43)
    lost = (rng.random((200_000, 2)) < np.array([0.1, 0.2])).all(axis=-1).mean()
    assert lost == pytest.approx(0.02, abs=4 * math.sqrt(0.02 * 0.98 / 200_000))


@given(st.lists(st.floats(0.0, 1e3), min_size=1, max_size=5), st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5))
@settings(deadline=None)
def test_more_links_never_hurt(branches, losses):
    sinr, loss = np.array(branches), np.array(losses)
    assert cb.mrc_sinr(sinr) >= cb.selection_sinr(sinr) >= sinr[0]
    assert 0 <= cb.duplication_loss(loss) <= loss.min() + 1e-15
    noise = 1.0
    assert cb.joint_transmission_sinr(sinr, np.ones(len(sinr), bool), noise, True) * (1 + 1e-12) >= cb.mrc_sinr(sinr)


def test_no_branches_are_refused():
    with pytest.raises(ValueError, match="n_branches"):
        cb.mrc_rayleigh_outage(1.0, 1.0, 0)


@pytest.mark.parametrize(("n_pilots", "snr"), [(1, 0.5), (4, 1.0), (12, 10.0)])
def test_estimation_errors_by_monte_carlo(n_pilots, snr):
    rng = np.random.default_rng(44)

    def normal(*shape):
        return (rng.standard_normal((*shape, 2)) / math.sqrt(2)).view(np.complex128)[..., 0]

    channel = normal(100_000)
    received = math.sqrt(snr) * channel[:, None] + normal(100_000, n_pilots)
    ls = received.mean(axis=-1) / math.sqrt(snr)
    mmse = math.sqrt(snr) * received.sum(axis=-1) / (1 + n_pilots * snr)
    for estimate, ours in (
        (ls, es.ls_error_variance(n_pilots, snr)),
        (mmse, es.mmse_error_variance(n_pilots, snr)),
    ):
        error = np.abs(estimate - channel) ** 2
        assert float(ours) == pytest.approx(error.mean(), abs=5 * error.std() / math.sqrt(100_000))


def test_imperfect_estimates_by_hand():
    # snr 10 dB, error 0.1: 0.9 x 10 / (1 + 1) = 4.5.
    assert float(es.snr_with_estimate(10.0, 0.1)) == pytest.approx(4.5)
    assert float(es.snr_with_estimate(10.0, 0.0)) == 10.0
    assert float(es.snr_with_estimate(10.0, 1.0)) == 0.0
    # One pilot in ten symbols: e = 1/11, effective (10/11) 10 / (1 + 10/11) = 100/21.
    expected = 0.9 * math.log2(1 + 100 / 21)
    assert float(es.trained_rate_bit_s_hz(10.0, 1, 10)) == pytest.approx(expected, rel=1e-12)
    assert float(es.trained_rate_bit_s_hz(10.0, 0, 10)) == 0.0
    assert float(es.trained_rate_bit_s_hz(10.0, 10, 10)) == 0.0


@given(st.floats(0.01, 1e4), st.integers(1, 50))
@settings(deadline=None)
def test_pilots_help_the_estimate(snr, n_pilots):
    assert 0 < es.mmse_error_variance(n_pilots, snr) < es.ls_error_variance(n_pilots, snr)
    assert es.mmse_error_variance(n_pilots + 1, snr) < es.mmse_error_variance(n_pilots, snr)
    assert 0 < es.snr_with_estimate(snr, es.mmse_error_variance(n_pilots, snr)) < snr
    assert 0 <= es.trained_rate_bit_s_hz(snr, n_pilots, 100) < math.log2(1 + snr)


def test_sharing_by_hand():
    # 1 MHz at 290 K: noise 4.0039e-15 W.
    noise = 1.380649e-23 * 290 * 1e6
    power = np.array([noise, 3 * noise])
    np.testing.assert_allclose(ma.tdma_rates_bit_s(power, np.array([0.5, 0.5]), 1e6), [0.5e6, 1e6], rtol=1e-12)
    expected = [0.5e6 * math.log2(3), 0.5e6 * math.log2(7)]
    np.testing.assert_allclose(ma.ofdma_rates_bit_s(power, np.array([0.5, 0.5]), 1e6), expected, rtol=1e-12)
    np.testing.assert_allclose(ma.ofdma_rates_bit_s(power, np.array([1.0, 0.0]), 1e6), [1e6, 0.0], rtol=1e-12)


def test_the_sum_rate_of_ofdma_is_largest_at_shares_proportional_to_power():
    # Cover and Thomas, section 15.3: there it meets the multiple-access capacity B log2(1 + sum P / N).
    noise = 1.380649e-23 * 290 * 1e6
    power = np.array([2.0, 5.0]) * noise
    best = optimize.minimize_scalar(
        lambda b: -ma.ofdma_rates_bit_s(power, np.array([b, 1 - b]), 1e6).sum(), bounds=(0.01, 0.99), method="bounded"
    )
    assert best.x == pytest.approx(2 / 7, abs=1e-4)
    assert -best.fun == pytest.approx(1e6 * math.log2(8), rel=1e-9)


@given(st.lists(st.floats(1e-18, 1e-12), min_size=2, max_size=6))
@settings(deadline=None)
def test_ofdma_is_never_below_tdma(powers):
    # Power concentrated on a narrower band meets less noise.
    power, share = np.array(powers), np.full(len(powers), 1 / len(powers))
    assert np.all(ma.ofdma_rates_bit_s(power, share, 1e6) >= ma.tdma_rates_bit_s(power, share, 1e6) * (1 - 1e-12))
    assert 1 / len(powers) - 1e-12 <= ma.jain_fairness(power) <= 1 + 1e-12


def test_fairness_by_hand():
    np.testing.assert_allclose(
        ma.jain_fairness(np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 2.0, 3.0]])), [1, 1 / 3, 36 / 42]
    )


@pytest.mark.parametrize(("share", "text"), [([0.7, 0.7], "add up to 1.4"), ([-0.1, 0.5], "share: got -0.1")])
def test_wrong_shares_are_refused(share, text):
    with pytest.raises(ValueError, match=text):
        ma.ofdma_rates_bit_s(np.array([1e-12, 1e-12]), np.array(share), 1e6)


def test_torch_gives_the_same_numbers():
    power, share = np.array([1e-14, 3e-14]), np.array([0.25, 0.5])
    for function in (ma.tdma_rates_bit_s, ma.ofdma_rates_bit_s):
        theirs = function(torch.from_numpy(power), torch.from_numpy(share), 2e6)
        np.testing.assert_allclose(theirs.numpy(), function(power, share, 2e6), rtol=1e-12)
