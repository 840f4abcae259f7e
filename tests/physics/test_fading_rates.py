"""Outage and ergodic rate against closed forms and Monte Carlo."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import exp1, expn

from ntn_gym.physics import beam_pointing, fading, fading_samples, scintillation
from ntn_gym.physics.fading_rates import ergodic_rate_bit_s_hz, outage_probability

SNR = 10.0 ** (np.arange(-20, 41, 10) / 10.0)


def test_rayleigh_rate_is_the_closed_form():
    expected = np.exp(1 / SNR) * exp1(1 / SNR) / math.log(2)
    np.testing.assert_allclose(ergodic_rate_bit_s_hz(fading.rayleigh_power_cdf, SNR), expected, rtol=1e-9)


@pytest.mark.parametrize("m", [1, 2, 3, 7])
def test_nakagami_rate_is_the_closed_form_of_alouini_and_goldsmith(m):
    # M.-S. Alouini and A. J. Goldsmith, IEEE Trans. Veh. Technol. 48 (4), 1999: e^(m/g) sum_k E_k(m/g) / ln 2.
    expected = np.exp(m / SNR) * sum(expn(k, m / SNR) for k in range(1, m + 1)) / math.log(2)
    ours = ergodic_rate_bit_s_hz(lambda x: fading.nakagami_power_cdf(x, m), SNR)
    np.testing.assert_allclose(ours, expected, rtol=1e-8)


def test_rate_without_fading_and_at_high_snr():
    almost_steady = ergodic_rate_bit_s_hz(lambda x: fading.nakagami_power_cdf(x, 1e5), np.array([0.5, 100.0]))
    np.testing.assert_allclose(almost_steady, np.log2(1 + np.array([0.5, 100.0])), rtol=1e-5)
    # At high SNR Rayleigh fading costs the Euler constant over ln 2, 0.8327 bit/s/Hz.
    loss = math.log2(1e8) - float(ergodic_rate_bit_s_hz(fading.rayleigh_power_cdf, 1e8))
    assert loss == pytest.approx(0.5772156649 / math.log(2), abs=1e-5)


@pytest.mark.parametrize(
    ("cdf", "sample"),
    [
        (lambda x: fading.rician_power_cdf(x, 5.0), lambda g, n: fading_samples.sample_rician_power(g, (n,), 5.0)),
        (
            lambda x: fading.shadowed_rician_power_cdf(x, fading.shadowed_rician("average")),
            lambda g, n: fading_samples.sample_shadowed_rician_power(g, (n,), fading.shadowed_rician("average")),
        ),
        (
            lambda x: scintillation.gamma_gamma_cdf(x, 4.0, 1.9),
            lambda g, n: scintillation.sample_gamma_gamma(g, (n,), 4.0, 1.9),
        ),
        (
            lambda x: beam_pointing.pointing_fraction_cdf(x, beam_pointing.pointing_error(1.0, 0.2, 0.3)),
            lambda g, n: beam_pointing.sample_pointing_fraction(g, (n,), beam_pointing.pointing_error(1.0, 0.2, 0.3)),
        ),
    ],
    ids=["rician", "shadowed rician", "gamma-gamma", "pointing"],
)
def test_rates_and_outage_by_monte_carlo(cdf, sample):
    powers = np.asarray(sample(np.random.default_rng(12), 400_000), dtype=np.float64)
    for snr in (0.5, 30.0):
        rates = np.log2(1 + snr * powers)
        error = 4 * rates.std() / math.sqrt(rates.size)  # four standard errors
        assert float(ergodic_rate_bit_s_hz(cdf, snr)) == pytest.approx(rates.mean(), abs=error)
        threshold = snr * float(np.quantile(powers, 0.1))
        assert float(outage_probability(cdf, threshold, snr)) == pytest.approx(0.1, abs=4 * math.sqrt(0.09 / 4e5))


def test_outage_of_rayleigh_is_the_closed_form():
    threshold = np.array([0.0, 0.1, 3.0])
    np.testing.assert_allclose(
        outage_probability(fading.rayleigh_power_cdf, threshold, 5.0), stats.expon.cdf(threshold / 5.0), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ergodic_rate_bit_s_hz(fading.rayleigh_power_cdf, 0.0), "mean_snr.*not dB"),
        (lambda: ergodic_rate_bit_s_hz(lambda x: 0.5 * fading.rayleigh_power_cdf(x), 1.0), "power_cdf"),
        (lambda: outage_probability(fading.rayleigh_power_cdf, -1.0, 1.0), "threshold_snr"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
