"""Coverage: Monte Carlo with another sampler, nested quadrature in other variables, closed forms and limits."""

import dataclasses
import functools
import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate

from ntn_gym.physics import fading
from ntn_gym.physics.stochastic import coverage, visibility

EARTH_M = 6_371e3
LIGHT_M_S = 299_792_458.0
THRESHOLDS_DB = np.arange(-10.0, 26.0, 5.0)
RUNS = 20_000

LEO = coverage.Downlink(
    mean_n=720, alt_m=500e3, freq_hz=2e9, eirp_dbw=10.0 + 30.0, noise_dbw=-128.0, interferer_eirp_dbw=10.0 + 10.0
)
VARIANTS = {
    "720 satellites": LEO,
    "poisson": dataclasses.replace(LEO, law="poisson"),
    "200 satellites": dataclasses.replace(LEO, mean_n=200),
    "1200 km": dataclasses.replace(LEO, alt_m=1200e3),
    "no side-lobe advantage": dataclasses.replace(LEO, interferer_eirp_dbw=40.0),
    "above 10 degrees, exponent 2.5": dataclasses.replace(
        LEO, min_elev_rad=math.radians(10.0), exponent=2.5, eirp_dbw=70.0, interferer_eirp_dbw=55.0, rx_gain_dbi=3.0
    ),
}


@functools.cache
def visible_sky(mean_n, law, alt_m, min_elev_rad):
    """Distances of the visible satellites of each run, sorted, inf where there is none: normalised Gaussian vectors."""
    rng = np.random.default_rng(1)
    radius_m = EARTH_M + alt_m
    skies = []
    for _ in range(10):
        runs = RUNS // 10
        number = np.full(runs, mean_n) if law == "binomial" else rng.poisson(mean_n, runs)
        vectors = rng.standard_normal((runs, int(number.max()), 3), dtype=np.float32)
        up = vectors[..., 2] / np.sqrt(np.einsum("rnc,rnc->rn", vectors, vectors))
        up[np.arange(int(number.max())) >= number[:, None]] = -1.0
        up = -np.sort(-up, axis=-1)[:, : max(100, int(0.3 * mean_n))].astype(float)
        distance = np.sqrt(radius_m**2 + EARTH_M**2 - 2 * radius_m * EARTH_M * up)
        elevation = np.arcsin((radius_m * up - EARTH_M) / distance)
        skies.append(np.where(elevation >= min_elev_rad, distance, np.inf))
    width = min(sky.shape[1] for sky in skies)
    assert all(np.isinf(sky[:, width - 1]).all() for sky in skies)  # nobody visible was cut off
    return np.concatenate([sky[:, :width] for sky in skies])


def power_w(link, eirp_dbw, distance_m):
    level = 10 ** ((eirp_dbw + link.rx_gain_dbi - link.extra_loss_db) / 10)
    return level * (LIGHT_M_S / (4 * math.pi * link.freq_hz)) ** 2 * distance_m**-link.exponent


def simulate(link, served, seed, draw=None):
    """Share of runs with an SINR above each threshold; `served` is the index of the serving satellite in each run."""
    rng = np.random.default_rng(seed)
    distance = visible_sky(link.mean_n, link.law, link.alt_m, link.min_elev_rad)
    faded = rng.exponential(size=distance.shape) if draw is None else draw(rng, distance.shape)
    index = served(rng, distance)[:, None]
    interference = power_w(link, link.interferer_eirp_dbw, distance) * faded
    np.put_along_axis(interference, index, 0.0, axis=-1)
    own = np.take_along_axis(power_w(link, link.eirp_dbw, distance) * faded, index, axis=-1)[:, 0]
    sinr = own / (10 ** (link.noise_dbw / 10) + interference.sum(axis=-1))
    return np.mean(sinr[:, None] > 10 ** (THRESHOLDS_DB / 10), axis=0)


def nearest(_, distance):
    return np.zeros(len(distance), dtype=int)


def random_visible(rng, distance):
    return np.floor(rng.random(len(distance)) * np.isfinite(distance).sum(axis=-1)).astype(int)


@pytest.mark.parametrize("name", VARIANTS)
def test_nearest_association_by_simulation(name) -> None:
    counted = simulate(VARIANTS[name], nearest, 2)
    ours = coverage.nearest_rayleigh_coverage(VARIANTS[name], THRESHOLDS_DB)
    assert np.abs(counted - ours).max() < 0.012  # 3.4 standard errors at a half


@pytest.mark.parametrize("name", ["720 satellites", "poisson", "200 satellites", "no side-lobe advantage"])
def test_random_association_by_simulation(name) -> None:
    counted = simulate(VARIANTS[name], random_visible, 3)
    ours = coverage.random_rayleigh_coverage(VARIANTS[name], THRESHOLDS_DB)
    assert np.abs(counted - ours).max() < 0.012


@pytest.mark.parametrize("mean_n", [20, 720])
def test_noise_limited_coverage_with_shadowed_rician_fading_by_simulation(mean_n) -> None:
    link = dataclasses.replace(LEO, mean_n=mean_n, interferer_eirp_dbw=-math.inf)
    channel = fading.shadowed_rician("average")

    def draw(rng, shape):
        direct = np.sqrt(channel.omega * rng.gamma(channel.m, 1 / channel.m, shape))
        scatter = math.sqrt(channel.b) * rng.standard_normal((2, *shape))
        return (direct + scatter[0]) ** 2 + scatter[1] ** 2

    counted = simulate(link, nearest, 4, draw)
    ours = coverage.nearest_noise_limited_coverage(
        link, THRESHOLDS_DB, lambda w: fading.shadowed_rician_power_cdf(w, channel)
    )
    assert np.abs(counted - ours).max() < 0.012


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("threshold_db", [-5.0, 5.0, 15.0])
def test_nested_quadrature_over_angles(name, threshold_db) -> None:
    """The same probability with the contact angle and the interferers' angle as variables, by scipy's quad."""
    link = VARIANTS[name]
    gamma, radius_m = 10 ** (threshold_db / 10), EARTH_M + link.alt_m
    edge = math.acos(EARTH_M * math.cos(link.min_elev_rad) / radius_m) - link.min_elev_rad

    def distance(angle):
        return math.sqrt(radius_m**2 + EARTH_M**2 - 2 * radius_m * EARTH_M * math.cos(angle))

    def covered(first):
        s = gamma / power_w(link, link.eirp_dbw, distance(first))

        def lost(angle):
            faded = s * power_w(link, link.interferer_eirp_dbw, distance(angle))
            return math.sin(angle) / 2 * faded / (1 + faded)

        share = integrate.quad(lost, first, edge, epsabs=1e-12)[0]
        nearer = math.sin(first / 2) ** 2
        if link.law == "poisson":
            others, density = math.exp(-link.mean_n * share), link.mean_n * math.exp(-link.mean_n * nearer)
        else:
            others = (1 - share / (1 - nearer)) ** (link.mean_n - 1)
            density = link.mean_n * (1 - nearer) ** (link.mean_n - 1)
        return math.sin(first) / 2 * density * others * math.exp(-s * 10 ** (link.noise_dbw / 10))

    pieces = pairwise((0.0, 0.1, min(0.25, edge), edge))
    expected = sum(integrate.quad(covered, a, b, epsabs=1e-10)[0] for a, b in pieces)
    assert coverage.nearest_rayleigh_coverage(link, threshold_db) == pytest.approx(expected, abs=1e-8)


def test_without_interference_it_is_the_noise_limited_formula() -> None:
    link = dataclasses.replace(LEO, interferer_eirp_dbw=-math.inf)
    ours = coverage.nearest_rayleigh_coverage(link, THRESHOLDS_DB)
    by_fading = coverage.nearest_noise_limited_coverage(link, THRESHOLDS_DB, fading.rayleigh_power_cdf)
    np.testing.assert_allclose(ours, by_fading, atol=1e-8)


def test_a_single_satellite_is_the_same_for_every_rule() -> None:
    """Of one satellite, uniform on the sphere: the mean of exp(-gamma / snr) over the visible cap."""
    link = dataclasses.replace(LEO, mean_n=1)

    def integrand(angle):
        return math.sin(angle) / 2 * math.exp(-10 / float(link.mean_snr(angle)))

    expected = integrate.quad(integrand, 0, link.max_angle_rad)[0]
    assert coverage.nearest_rayleigh_coverage(link, 10.0) == pytest.approx(expected, abs=1e-8)
    assert coverage.random_rayleigh_coverage(link, 10.0) == pytest.approx(expected, abs=1e-8)


def test_a_low_threshold_leaves_the_availability() -> None:
    for name, link in VARIANTS.items():
        available = float(visibility.availability(link.mean_n, link.max_angle_rad, link.law))
        assert coverage.nearest_rayleigh_coverage(link, -100.0) == pytest.approx(available, abs=1e-5), name
        assert coverage.random_rayleigh_coverage(link, -100.0) == pytest.approx(available, abs=1e-5), name


def test_coverage_falls_with_the_threshold_and_with_interference() -> None:
    grid = np.linspace(-20, 30, 26)
    for rule in (coverage.nearest_rayleigh_coverage, coverage.random_rayleigh_coverage):
        values = [rule(dataclasses.replace(LEO, interferer_eirp_dbw=x), grid) for x in (-math.inf, 10.0, 20.0, 40.0)]
        for value in values:
            assert (np.diff(value) <= 1e-9).all() and value.min() >= 0.0 and value.max() <= 1.0
        assert all((more <= less + 1e-9).all() for less, more in pairwise(values))
    assert (coverage.random_rayleigh_coverage(LEO, grid) <= coverage.nearest_rayleigh_coverage(LEO, grid) + 1e-9).all()


def test_mean_snr_is_the_friis_equation() -> None:
    budget_db = 40.0 - 20 * math.log10(4 * math.pi * 500e3 * 2e9 / LIGHT_M_S) + 128.0
    assert 10 * np.log10(LEO.mean_snr(0.0)) == pytest.approx(budget_db, abs=1e-9)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("mean_n", 0, "mean_n: got 0; must be above 0"),
        ("mean_n", 2.5, "whole number"),
        ("alt_m", -1.0, "alt_m: got -1; must be above 0 m"),
        ("freq_hz", 0.0, "freq_hz: got 0"),
        ("exponent", 1.0, "exponent: got 1; must be from 2 to 6"),
        ("min_elev_rad", 1.6, r"min_elev_rad: got 1\.6"),
        ("noise_dbw", math.nan, "noise_dbw: got nan"),
        ("interferer_eirp_dbw", math.nan, "interferer_eirp_dbw: got nan"),
    ],
)
def test_errors_name_the_field(field, value, message) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(LEO, **{field: value})


def test_threshold_errors() -> None:
    for rule in (coverage.nearest_rayleigh_coverage, coverage.random_rayleigh_coverage):
        with pytest.raises(ValueError, match="threshold_db: got 200"):
            rule(LEO, 200.0)
