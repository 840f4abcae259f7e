"""Fading distributions against quadrature, Monte Carlo of another code, and closed forms; samplers against them."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, special, stats

from ntn_gym.physics import fading, fading_samples

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "fading_fso.json").read_text())
SHADOWED = ["infrequent_light", "frequent_heavy", "average"]


@pytest.mark.parametrize("row", REFERENCE["nakagami"], ids=str)
def test_nakagami_outage(row):
    ours = fading.nakagami_power_cdf(10 ** (row["threshold_over_mean_dB"] / 10), row["m"])
    assert ours == pytest.approx(row["outage"], rel=1e-8)


@pytest.mark.parametrize("row", REFERENCE["rician"], ids=str)
def test_rician_outage(row):
    ours = fading.rician_power_cdf(10 ** (row["threshold_over_mean_dB"] / 10), 10 ** (row["K_dB"] / 10))
    assert ours == pytest.approx(row["outage"], rel=1e-8)


@pytest.mark.parametrize("name", SHADOWED)
def test_shadowed_rician(name):
    expected = REFERENCE["shadowed_rician"][name]
    channel = fading.shadowed_rician(name)
    assert (channel.b, channel.m, channel.omega) == (expected["b0"], expected["m"], expected["Omega"])
    assert channel.mean_power == pytest.approx(expected["mean_power"])
    for row in expected["cdf"]:
        ours = fading.shadowed_rician_power_cdf(10 ** (row["power_threshold_dB"] / 10), channel)
        assert ours == pytest.approx(row["cdf"], rel=1e-6)
        assert ours == pytest.approx(row["mc_cdf"], rel=0.02)


@pytest.mark.parametrize("name", SHADOWED)
def test_shadowed_rician_density_is_abdis_formula(name):
    channel = fading.shadowed_rician(name)
    b, m, omega = channel.b, channel.m, channel.omega
    x = np.linspace(0, 6, 25)
    scale = 2 * b * m + omega
    formula = (
        (2 * b * m / scale) ** m * np.exp(-x / (2 * b)) / (2 * b) * special.hyp1f1(m, 1, omega * x / (2 * b * scale))
    )
    np.testing.assert_allclose(fading.shadowed_rician_power_pdf(x, channel), formula, rtol=1e-9, atol=1e-15)


def test_shadowed_rician_by_elevation():
    for row in REFERENCE["shadowed_rician_elevation"]["rows"]:
        channel = fading.shadowed_rician_at_elevation(math.radians(row["el_deg"]))
        assert channel.b == pytest.approx(row["b0"], abs=1e-5)
        assert channel.m == pytest.approx(row["m"], abs=1e-4)
        assert channel.omega == pytest.approx(row["Omega"], abs=1e-5)


def test_limits_of_the_families():
    x = np.array([0.01, 0.3, 1.0, 4.0])
    rayleigh = 1 - np.exp(-x)
    np.testing.assert_allclose(fading.rayleigh_power_cdf(x), rayleigh, rtol=1e-12)
    np.testing.assert_allclose(fading.rician_power_cdf(x, 0.0), rayleigh, rtol=1e-12)
    np.testing.assert_allclose(fading.nakagami_power_cdf(x, 1.0), rayleigh, rtol=1e-12)
    no_direct = fading.ShadowedRician(0.5, 2.0, 0.0)
    np.testing.assert_allclose(fading.shadowed_rician_power_cdf(x, no_direct), rayleigh, rtol=1e-12)
    unshadowed = fading.ShadowedRician(0.1, 1e6, 0.8)
    np.testing.assert_allclose(
        fading.shadowed_rician_power_cdf(x, unshadowed), fading.rician_power_cdf(x, 4.0), rtol=1e-4
    )


@pytest.mark.parametrize("k_factor", [0.0, 1.0, 10.0, 1000.0])
def test_rician_against_the_non_central_chi_square(k_factor):
    x = np.array([0.2, 0.9, 1.0, 1.1, 2.0])
    expected = stats.ncx2(2, 2 * k_factor).cdf(2 * (1 + k_factor) * x)
    np.testing.assert_allclose(fading.rician_power_cdf(x, k_factor), expected, rtol=1e-8, atol=1e-13)


@pytest.mark.parametrize(
    ("pdf", "cdf"),
    [
        (lambda x: fading.rayleigh_power_pdf(x, 2.0), lambda x: fading.rayleigh_power_cdf(x, 2.0)),
        (lambda x: fading.rician_power_pdf(x, 3.0, 2.0), lambda x: fading.rician_power_cdf(x, 3.0, 2.0)),
        (lambda x: fading.nakagami_power_pdf(x, 2.5, 2.0), lambda x: fading.nakagami_power_cdf(x, 2.5, 2.0)),
        (
            lambda x: fading.shadowed_rician_power_pdf(x, fading.shadowed_rician("average")),
            lambda x: fading.shadowed_rician_power_cdf(x, fading.shadowed_rician("average")),
        ),
    ],
    ids=["rayleigh", "rician", "nakagami", "shadowed rician"],
)
def test_densities_integrate_to_the_distribution(pdf, cdf):
    for upper in (0.3, 1.5, 5.0):
        integral, _ = integrate.quad(lambda x: float(pdf(x)), 0, upper)
        assert integral == pytest.approx(float(cdf(upper)), rel=1e-7)
    mean, _ = integrate.quad(lambda x: x * float(pdf(x)), 0, 80)
    expected = fading.shadowed_rician("average").mean_power if mean < 1.5 else 2.0
    assert mean == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    ("sample", "cdf"),
    [
        (fading_samples.sample_rayleigh_power, fading.rayleigh_power_cdf),
        (
            lambda g, s, dtype: fading_samples.sample_rician_power(g, s, 4.0, dtype),
            lambda x: fading.rician_power_cdf(x, 4.0),
        ),
        (
            lambda g, s, dtype: fading_samples.sample_nakagami_power(g, s, 0.7, dtype),
            lambda x: fading.nakagami_power_cdf(x, 0.7),
        ),
        (
            lambda g, s, dtype: fading_samples.sample_shadowed_rician_power(
                g, s, fading.shadowed_rician("average"), dtype
            ),
            lambda x: fading.shadowed_rician_power_cdf(x, fading.shadowed_rician("average")),
        ),
    ],
    ids=["rayleigh", "rician", "nakagami", "shadowed rician"],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samplers_follow_the_distribution(sample, cdf, dtype):
    powers = sample(np.random.default_rng(8), (1000, 200), dtype=dtype)
    assert powers.shape == (1000, 200)
    assert powers.dtype == dtype
    assert stats.kstest(powers.ravel(), lambda x: cdf(x)).pvalue > 0.01


def test_samplers_take_parameters_link_by_link():
    rng = np.random.default_rng(9)
    powers = fading_samples.sample_rician_power(rng, (20000, 2), np.array([0.0, 100.0]))
    np.testing.assert_allclose(powers.mean(axis=0), 1, atol=0.03)
    np.testing.assert_allclose(powers.var(axis=0), [1.0, (1 + 200) / 101**2], rtol=0.08)
    powers = fading_samples.sample_nakagami_power(rng, (20000, 2), np.array([0.5, 4.0]))
    np.testing.assert_allclose(powers.var(axis=0), [2.0, 0.25], rtol=0.1)


def test_samples_extend_with_time():
    for sample in (
        lambda g, n: fading_samples.sample_rician_power(g, (n, 3), 2.0),
        lambda g, n: fading_samples.sample_nakagami_power(g, (n, 3), 0.8),
    ):
        generator = np.random.default_rng(10)
        parts = np.concatenate([sample(generator, 4), sample(generator, 6)])
        assert np.array_equal(parts, sample(np.random.default_rng(10), 10))


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: fading.shadowed_rician("heavy"), "frequent_heavy"),
        (lambda: fading.shadowed_rician_at_elevation(math.radians(15)), "20 to 80 deg"),
        (lambda: fading.ShadowedRician(-0.1, 1.0, 1.0), r"ShadowedRician\.b"),
        (lambda: fading.ShadowedRician(0.1, 1.0, -1.0), r"ShadowedRician\.omega"),
        (lambda: fading.ShadowedRician(0.1, math.inf, 1.0), r"ShadowedRician\.m"),
    ],
)
def test_wrong_parameters_are_refused(call, field):
    with pytest.raises(ValueError, match=field):
        call()
