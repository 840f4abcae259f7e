"""Loo's channel, the line-of-sight mixture and the gamma approximation against scipy and simulation."""

import math

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.optimize import brentq

from ntn_gym.physics import fading, fading_samples, loo, shadowing_mixture
from ntn_gym.physics.shadowed_rician_gamma import gamma_approximation

SETS = ["infrequent_light", "average", "frequent_heavy"]
N = 200_000


@pytest.mark.parametrize("name", SETS)
def test_loo_against_adaptive_quadrature_of_the_definition(name):
    channel = loo.loo_parameters(name)

    def mean_over_shadowing(conditional) -> float:
        def integrand(score: float) -> float:
            amplitude = math.exp(channel.mu + channel.sqrt_d0 * score)
            return stats.norm.pdf(score) * conditional(amplitude**2 / channel.b0)

        return integrate.quad(integrand, -9, 9, epsabs=0, epsrel=1e-10, limit=400, points=(-3, 0, 3, 6))[0]

    for x in (0.01, 0.1, 0.8, 2.5):
        # Given the direct amplitude the power over b0 is non-central chi-square (Rice).
        expected = mean_over_shadowing(lambda direct, x=x: stats.ncx2.cdf(x / channel.b0, 2, direct))
        assert float(loo.loo_power_cdf(x, channel)) == pytest.approx(expected, rel=1e-7)
        expected = mean_over_shadowing(lambda direct, x=x: stats.ncx2.pdf(x / channel.b0, 2, direct) / channel.b0)
        assert float(loo.loo_power_pdf(x, channel)) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("name", SETS)
def test_loo_is_what_abdi_fitted(name):
    # Abdi et al. 2003 fitted the shadowed-Rician law to the same measurements: the two nearly coincide.
    ours, theirs = loo.loo_parameters(name), fading.shadowed_rician(name)
    assert ours.b0 == pytest.approx(theirs.b, rel=1e-6)
    assert ours.mean_power == pytest.approx(theirs.mean_power, rel=0.005)
    x = np.geomspace(1e-3, 10, 400)
    difference = np.abs(loo.loo_power_cdf(x, ours) - fading.shadowed_rician_power_cdf(x, theirs))
    assert difference.max() < 0.0016


def test_loo_limits():
    x = np.array([0.05, 0.5, 1.0, 2.0])
    steady = loo.Loo(0.1, 0.5 * math.log(0.8), 1e-5)  # no shadowing: Rician with K = 4
    np.testing.assert_allclose(loo.loo_power_cdf(x, steady), fading.rician_power_cdf(x, 4.0), rtol=1e-7)
    blocked = loo.Loo(0.5, -20.0, 0.5)
    np.testing.assert_allclose(loo.loo_power_cdf(x, blocked), -np.expm1(-x), rtol=1e-7)
    # Hardly any scattering: the log-normal law itself, however sharp the conditional law becomes.
    clear = loo.Loo(1e-6, -0.1, 0.3)
    lognormal = stats.lognorm(s=0.6, scale=math.exp(-0.2))
    np.testing.assert_allclose(loo.loo_power_cdf(x, clear), lognormal.cdf(x), atol=1e-5)


@pytest.mark.parametrize("name", SETS)
def test_loo_sampler(name):
    channel = loo.loo_parameters(name)
    powers = loo.sample_loo_power(np.random.default_rng(21), (N,), channel)
    grid = np.geomspace(1e-8, 100, 4000)  # interpolation between them is within 1e-5
    probability = loo.loo_power_cdf(grid, channel)
    assert stats.kstest(powers, lambda x: np.interp(x, grid, probability)).pvalue > 0.01
    assert powers.mean() == pytest.approx(channel.mean_power, rel=0.01)


@pytest.mark.parametrize("name", SETS)
def test_gamma_approximation_has_the_moments(name):
    channel = fading.shadowed_rician(name)
    shape, mean = gamma_approximation(channel)
    exact = [
        integrate.quad(lambda x, k=k: x**k * float(fading.shadowed_rician_power_pdf(x, channel)), 0, 60, limit=200)[0]
        for k in (1, 2)
    ]
    assert mean == pytest.approx(exact[0], rel=1e-6)
    assert mean**2 * (1 + 1 / shape) == pytest.approx(exact[1], rel=1e-6)


@pytest.mark.parametrize(
    ("name", "error", "deep"),
    [("infrequent_light", 0.021, 7.3), ("average", 0.024, 7.4), ("frequent_heavy", 3e-6, 1.001)],
)
def test_gamma_approximation_errs_as_stated(name, error, deep):
    channel = fading.shadowed_rician(name)
    shape, mean = gamma_approximation(channel)
    x = np.geomspace(1e-4, 20, 2000)
    gap = np.abs(fading.nakagami_power_cdf(x, shape, mean) - fading.shadowed_rician_power_cdf(x, channel))
    assert 0.5 * error < gap.max() < error
    # Samples of the channel itself, by its physics and not by its distribution function.
    powers = fading_samples.sample_shadowed_rician_power(np.random.default_rng(4), (N,), channel, np.float64)
    statistic = stats.kstest(powers, lambda x: fading.nakagami_power_cdf(x, shape, mean)).statistic
    assert statistic == pytest.approx(gap.max(), abs=0.004)
    low = brentq(lambda v: float(fading.nakagami_power_cdf(v, shape, mean)) - 1e-3, 1e-9, 1.0)
    assert float(fading.shadowed_rician_power_cdf(low, channel)) * 1e3 <= deep


MIXTURES = [
    shadowing_mixture.ShadowingMixture(0.7, 0.0, 4.0, 20.0, 6.0),
    shadowing_mixture.tr38811_shadowing_mixture(math.radians(30.0), "urban", "S"),
]


def test_mixture_of_tr_38811():
    # 30 deg, urban, S band: printed in Tables 6.6.1-1 and 6.6.2-2.
    mixture = shadowing_mixture.tr38811_shadowing_mixture(math.radians(30.0), "urban", "S")
    assert (mixture.los_probability, mixture.los_sigma_db) == pytest.approx((0.493, 4.0))
    assert (mixture.nlos_mean_db, mixture.nlos_sigma_db) == pytest.approx((29.0, 6.0))


@pytest.mark.parametrize("mixture", MIXTURES)
def test_mixture_against_scipy(mixture):
    p = mixture.los_probability
    clear = stats.norm(mixture.los_mean_db, mixture.los_sigma_db)
    blocked = stats.norm(mixture.nlos_mean_db, mixture.nlos_sigma_db)
    x = np.linspace(-15, 60, 31)
    expected = p * clear.cdf(x) + (1 - p) * blocked.cdf(x)
    np.testing.assert_allclose(shadowing_mixture.excess_loss_cdf(x, mixture), expected, rtol=1e-10)
    expected = p * clear.pdf(x) + (1 - p) * blocked.pdf(x)
    np.testing.assert_allclose(shadowing_mixture.excess_loss_pdf(x, mixture), expected, rtol=1e-10)
    gain, _ = integrate.quad(
        lambda loss: 10 ** (-loss / 10) * float(shadowing_mixture.excess_loss_pdf(loss, mixture)), -60, 120, limit=400
    )
    assert shadowing_mixture.mean_excess_gain(mixture) == pytest.approx(gain, rel=1e-7)


@pytest.mark.parametrize("mixture", MIXTURES)
def test_mixture_sampler(mixture):
    losses = shadowing_mixture.sample_excess_loss_db(np.random.default_rng(22), (N,), mixture)
    assert stats.kstest(losses, lambda x: shadowing_mixture.excess_loss_cdf(x, mixture)).pvalue > 0.01


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: loo.loo_parameters("heavy"), "frequent_heavy"),
        (lambda: loo.Loo(0.0, 0.0, 0.1), r"Loo\.b0"),
        (lambda: loo.Loo(0.1, math.nan, 0.1), r"Loo\.mu"),
        (lambda: loo.Loo(0.1, 0.0, -0.1), r"Loo\.sqrt_d0"),
        (lambda: shadowing_mixture.ShadowingMixture(1.2, 0.0, 4.0, 20.0, 6.0), r"los_probability.*0 to 1"),
        (lambda: shadowing_mixture.ShadowingMixture(0.2, 0.0, 0.0, 20.0, 6.0), r"los_sigma_db.*dB"),
    ],
)
def test_wrong_parameters_are_refused(call, field):
    with pytest.raises(ValueError, match=field):
        call()
