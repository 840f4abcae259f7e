"""Densities by latitude against the arcsine law of scipy, quadrature and Kolmogorov-Smirnov at n = 200,000."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from ntn_gym.physics.stochastic import latitude

N = 200_000
KS_LIMIT = 1.63 / math.sqrt(N)
SHELL_RAD = math.radians(53.0)
EDGE = math.pi / 2
PROFILE = latitude.LatitudeProfile((-1.2, -0.3, 0.0, 0.4, 1.5), (2e-12, 8e-12, 0.0, 5e-12, 5e-12))


@pytest.mark.parametrize("inclination_deg", [53.0, 90.0, 97.6])
def test_latitudes_of_a_shell_follow_the_arcsine_law(inclination_deg) -> None:
    inclination = math.radians(inclination_deg)
    points = latitude.sample_shell(np.random.default_rng(1), N, 2.0, inclination)
    sine = points.position_m[:, 2] / 2.0
    law = stats.arcsine(-math.sin(inclination), 2 * math.sin(inclination))  # of sin u, u uniform
    assert stats.kstest(sine, law.cdf).statistic < KS_LIMIT
    lon = np.arctan2(points.position_m[:, 1], points.position_m[:, 0])
    assert stats.kstest(lon / (2 * math.pi) + 0.5, "uniform").statistic < KS_LIMIT
    grid = np.linspace(-EDGE, EDGE, 401)
    np.testing.assert_allclose(latitude.shell_latitude_cdf(grid, inclination), law.cdf(np.sin(grid)), atol=1e-12)


def test_a_polar_shell_has_a_uniform_latitude() -> None:
    grid = np.linspace(-EDGE, EDGE, 11)
    np.testing.assert_allclose(latitude.shell_latitude_cdf(grid, math.pi / 2), np.linspace(0, 1, 11), atol=1e-15)


def test_fraction_of_a_53_degree_shell_above_40_degrees() -> None:
    """0.4045: Walker pattern of 25 orbits of 20 satellites, counted over one period by another implementation."""
    beyond = 2 * (1 - latitude.shell_latitude_cdf(math.radians(40.0), SHELL_RAD))
    assert beyond == pytest.approx(0.4045, abs=5e-4)


@pytest.mark.parametrize("inclination", [0.3, SHELL_RAD, math.pi / 2, 2.4])
def test_density_is_the_derivative_of_the_distribution(inclination) -> None:
    top = min(inclination, math.pi - inclination)
    lat = np.linspace(-0.99, 0.99, 41) * top
    step = 1e-6
    slope = np.subtract(*(latitude.shell_latitude_cdf(lat + sign * step, inclination) for sign in (1, -1))) / (2 * step)
    np.testing.assert_allclose(latitude.shell_relative_density(lat, inclination) * np.cos(lat) / 2, slope, rtol=1e-6)
    if top < 1.5:
        assert latitude.shell_relative_density(top + 0.01, inclination) == 0.0


@given(st.floats(-EDGE, EDGE), st.floats(-EDGE, EDGE), st.floats(0.01, math.pi - 0.01))
def test_shell_distribution_is_monotone(a, b, inclination) -> None:
    low, high = (float(latitude.shell_latitude_cdf(x, inclination)) for x in sorted((a, b)))
    assert 0.0 <= low <= high <= 1.0
    assert float(latitude.shell_relative_density(a, inclination)) >= 0.0


def test_profile_samples_follow_the_density() -> None:
    points = latitude.sample_profile(np.random.default_rng(2), PROFILE, 7e6, n=N)
    lat = np.arcsin(points.position_m[:, 2] / 7e6)
    # The integral of the piecewise density times cos(lat), by scipy's quadrature, node by node.
    grid = np.unique(np.concatenate((np.linspace(-1.2, 1.5, 101), PROFILE.lat_rad)))
    sines = np.sin(PROFILE.lat_rad)

    def area(x):
        return np.interp(np.sin(x), sines, PROFILE.density_per_m2) * np.cos(x) * 1e12

    pieces = [integrate.quad(area, a, b)[0] for a, b in pairwise(grid)]
    cdf = np.concatenate(([0.0], np.cumsum(pieces))) / sum(pieces)
    np.testing.assert_allclose(PROFILE.latitude_cdf(grid), cdf, atol=1e-9)
    assert stats.kstest(lat, lambda x: PROFILE.latitude_cdf(x)).statistic < KS_LIMIT
    observed = np.searchsorted(np.sort(lat), grid) / N
    assert np.abs(observed - cdf).max() < KS_LIMIT
    assert PROFILE.mean_number(7e6) == pytest.approx(2 * math.pi * 49.0 * sum(pieces))


def test_profile_poisson_number_and_constant_profile() -> None:
    everywhere = latitude.LatitudeProfile((-EDGE, EDGE), (1e-12, 1e-12))
    assert everywhere.mean_number(1e6) == pytest.approx(4 * math.pi)
    grid = np.linspace(-EDGE, EDGE, 21)
    np.testing.assert_allclose(everywhere.latitude_cdf(grid), (1 + np.sin(grid)) / 2, atol=1e-15)
    points = latitude.sample_profile(np.random.default_rng(3), everywhere, 1e6, shape=(20_000,))
    assert points.count.mean() == pytest.approx(4 * math.pi, abs=4 * math.sqrt(4 * math.pi / 20_000))
    assert points.count.var() == pytest.approx(4 * math.pi, rel=0.05)


@given(st.floats(0.0, 1.0))
def test_quantile_inverts_the_profile(probability) -> None:
    assert PROFILE.latitude_cdf(PROFILE.latitude_quantile(probability)) == pytest.approx(probability, abs=1e-9)


def test_torch_agrees() -> None:
    lat = np.linspace(-1.5, 1.5, 31)
    for function in (latitude.shell_latitude_cdf, latitude.shell_relative_density):
        single = function(torch.tensor(lat, dtype=torch.float32), SHELL_RAD)
        assert single.dtype == torch.float32
        np.testing.assert_allclose(single.numpy(), function(lat, SHELL_RAD), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("lat_rad", "density", "message"),
    [
        ((0.0,), (1.0,), "at least 2"),
        ((0.0, 1.0), (1.0,), "equally many"),
        ((0.0, 2.0), (1.0, 1.0), "lat_rad: got 2"),
        ((0.5, 0.5), (1.0, 1.0), "must increase"),
        ((0.0, 1.0), (-1.0, 1.0), "density_per_m2: got -1"),
        ((0.0, 1.0), (0.0, 0.0), "zero at every node"),
    ],
)
def test_profile_errors(lat_rad, density, message) -> None:
    with pytest.raises(ValueError, match=message):
        latitude.LatitudeProfile(lat_rad, density)


def test_shell_errors() -> None:
    with pytest.raises(ValueError, match=r"inclination_rad: got 0; .*line process"):
        latitude.sample_shell(np.random.default_rng(0), 3, 1.0, 0.0)
    with pytest.raises(ValueError, match="lat_rad: got 2"):
        latitude.shell_latitude_cdf(2.0, SHELL_RAD)
    with pytest.raises(ValueError, match=r"probability: got 1\.1"):
        PROFILE.latitude_quantile(1.1)
