"""Probability of a point near a user: Monte Carlo of independent samplers, quadrature in other variables, limits."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.spatial.transform import Rotation

from ntn_gym.physics.stochastic import caps, latitude

HORIZON_RAD = math.acos(6_371 / 6_871)  # of a shell at 500 km
SHELL_RAD = math.radians(53.0)
EDGE = math.pi / 2
angles = st.floats(0.0, math.pi)
latitudes = st.floats(-EDGE, EDGE)


def test_homogeneous_cap_is_its_share_of_the_area() -> None:
    angle = np.linspace(0, math.pi, 13)
    np.testing.assert_allclose(caps.cap_probability(angle), (1 - np.cos(angle)) / 2, atol=1e-15)
    np.testing.assert_allclose(
        caps.cap_probability(angle, 1.0), np.minimum((1 - np.cos(angle)) / (1 - math.cos(1.0)), 1.0), atol=1e-15
    )
    assert caps.cap_probability(1e-9) == pytest.approx(2.5e-19, rel=1e-12)


@pytest.mark.parametrize("lat_deg", [0.0, 30.0, 52.0, 75.0, -41.3])
def test_geostationary_belt_by_simulation(lat_deg) -> None:
    """Contact angle 1 - exp(-N q) of 391 satellites, 20,000 draws of another sampler."""
    rng = np.random.default_rng(1)
    lat = math.radians(lat_deg)
    number = rng.poisson(391, 20_000)
    # Only the nearest longitude counts: of n uniform ones |lon| / pi has the minimum of n uniform numbers.
    lon = math.pi * rng.beta(1, number)
    angle = np.sort(np.arccos(np.cos(lon) * math.cos(lat)))
    ours = -np.expm1(-391 * caps.orbit_cap_probability(angle, lat))
    assert np.abs(ours - np.arange(1, 20_001) / 20_000).max() < 1.63 / math.sqrt(20_000)


@given(angles, latitudes)
def test_orbit_share_is_the_printed_formula(angle, lat) -> None:
    ratio = math.cos(angle) / math.cos(lat)
    expected = math.acos(min(max(ratio, -1.0), 1.0)) / math.pi
    assert float(caps.orbit_cap_probability(angle, lat)) == pytest.approx(expected, abs=1e-7)


def test_shell_by_simulation() -> None:
    """Satellites as rotated circles; one million points, 4 standard errors."""
    rng = np.random.default_rng(2)
    n = 1_000_000
    circle = rng.uniform(0, 2 * math.pi, n)
    flat = np.stack((np.cos(circle), np.sin(circle), np.zeros(n)), axis=-1)
    points = Rotation.from_euler("X", SHELL_RAD).apply(flat)
    points = Rotation.from_euler("Z", rng.uniform(0, 2 * math.pi, (n, 1))).apply(points)
    for lat in (0.0, 0.7, SHELL_RAD, -1.0, EDGE):
        for angle in (HORIZON_RAD, 1.2, 2.0):
            ours = float(caps.shell_cap_probability(angle, lat, SHELL_RAD))
            cosine = points[:, 0] * math.cos(lat) + points[:, 2] * math.sin(lat)
            counted = np.mean(cosine >= math.cos(angle))
            assert counted == pytest.approx(ours, abs=4 * math.sqrt(ours * (1 - ours) / n) + 1e-12)


@pytest.mark.parametrize("inclination", [0.5, SHELL_RAD, EDGE, 1.9])
@pytest.mark.parametrize("angle", [0.1, HORIZON_RAD, 1.3, 2.5])
def test_shell_averaged_over_users_is_the_homogeneous_cap(inclination, angle) -> None:
    """Averaged over all places of the Earth every density of satellites gives the share of the area."""
    breaks = sorted(
        {x for x in (inclination - angle, angle - inclination, EDGE - angle, angle - EDGE) if abs(x) < EDGE}
    )

    def integrand(lat):
        return float(caps.shell_cap_probability(angle, lat, inclination)) * math.cos(lat) / 2

    mean = integrate.quad(integrand, -EDGE, EDGE, points=breaks, limit=100, epsabs=1e-9)[0]
    assert mean == pytest.approx((1 - math.cos(angle)) / 2, abs=1e-7)


@pytest.mark.parametrize(
    ("lat", "angle", "inclination"),
    [(0.0, HORIZON_RAD, SHELL_RAD), (0.9, 0.3, SHELL_RAD), (1.4, 0.6, EDGE), (-0.2, 2.2, 1.0), (1.2, 0.38, EDGE)],
)
def test_shell_against_quadrature_over_the_cap(lat, angle, inclination) -> None:
    """The density integrated over the cap in polar coordinates about the user, by nested adaptive quadrature."""

    nodes, weights = np.polynomial.legendre.leggauss(80)

    def density(distance, azimuth):
        sine = math.sin(lat) * math.cos(distance) + math.cos(lat) * math.sin(distance) * np.cos(azimuth)
        inside = math.sin(inclination) ** 2 - sine**2
        return np.where(inside > 0, 1.0, 0.0) / (2 * math.pi**2 * np.sqrt(np.maximum(inside, 1e-30)))

    def ring(distance):
        # The density is infinite where the ring crosses the latitude of the inclination; x = m + h sin t smooths that.
        at_edge = []
        for edge in (math.sin(inclination), -math.sin(inclination)):
            cosine = (edge - math.sin(lat) * math.cos(distance)) / (math.cos(lat) * math.sin(distance))
            at_edge += [math.acos(cosine)] if abs(cosine) < 1 else []
        total = 0.0
        for low, high in pairwise(sorted([0.0, *at_edge, math.pi])):
            middle, half = (low + high) / 2, (high - low) / 2
            azimuth = middle + half * np.sin(EDGE * nodes)
            total += half * EDGE * np.sum(weights * np.cos(EDGE * nodes) * density(distance, azimuth))
        return 2 * math.sin(distance) * total

    splits = [abs(s * inclination - lat) for s in (1, -1)]
    grid = sorted([0.0, *[x for x in splits if 0 < x < angle], angle])
    expected = sum(integrate.quad(ring, a, b, epsabs=1e-6, limit=60)[0] for a, b in pairwise(grid))
    assert float(caps.shell_cap_probability(angle, lat, inclination)) == pytest.approx(expected, abs=2e-5)


def test_visible_satellites_of_a_polar_constellation() -> None:
    """500 satellites at 500 km with uniform polar angle: 61.1 above the pole, 11.8 above the equator."""
    visible = 500 * caps.shell_cap_probability(HORIZON_RAD, np.array([EDGE, -EDGE, 0.0]), EDGE)
    np.testing.assert_allclose(visible[:2], 500 * HORIZON_RAD / math.pi, rtol=1e-9)  # theta / pi exactly at the pole
    assert visible[0] == pytest.approx(61.1, abs=0.05)
    assert visible[2] == pytest.approx(11.8, abs=0.05)


@given(latitudes, st.floats(0.01, math.pi - 0.01))
def test_shell_limits(lat, inclination) -> None:
    none, all_, opposite, near = caps.shell_cap_probability(
        np.array([0.0, math.pi, math.pi - 0.7, 0.7]), [lat, lat, -lat, lat], inclination
    )
    assert none == pytest.approx(0.0, abs=1e-12) and all_ == pytest.approx(1.0, abs=1e-9)
    assert opposite + near == pytest.approx(1.0, abs=1e-6)  # the two caps share the sphere


@given(angles, angles, latitudes, st.floats(0.05, math.pi - 0.05))
def test_shell_is_monotone_in_the_angle(a, b, lat, inclination) -> None:
    low, high = caps.shell_cap_probability(np.sort([a, b]), lat, inclination)
    assert 0.0 <= low <= high + 1e-6 <= 1.0 + 1e-6


@given(angles, latitudes)
def test_an_even_profile_is_the_homogeneous_cap(angle, lat) -> None:
    even = latitude.LatitudeProfile((-EDGE, -0.2, 0.9, EDGE), (3e-12,) * 4)
    assert float(caps.profile_cap_probability(angle, lat, even)) == pytest.approx(math.sin(angle / 2) ** 2, abs=1e-7)


def test_profile_by_simulation() -> None:
    profile = latitude.LatitudeProfile((-1.0, 0.1, 0.6, 1.3), (1e-12, 4e-12, 0.0, 6e-12))
    rng = np.random.default_rng(3)
    # Rejection from the uniform sphere instead of the inverse of the distribution.
    direction = rng.standard_normal((1_500_000, 3))
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    density = np.interp(direction[:, 2], np.sin(profile.lat_rad), profile.density_per_m2, left=0.0, right=0.0)
    points = direction[rng.random(len(direction)) * 6e-12 < density]
    for lat in (-0.8, 0.3, 1.5):
        for angle in (0.4, 1.1, 2.6):
            ours = float(caps.profile_cap_probability(angle, lat, profile))
            counted = np.mean(points @ [math.cos(lat), 0.0, math.sin(lat)] >= math.cos(angle))
            assert counted == pytest.approx(ours, abs=4 * math.sqrt(ours * (1 - ours) / len(points)) + 1e-12)


def test_batches_and_torch() -> None:
    angle, lat = np.linspace(0.1, 3, 4)[:, None], np.linspace(-1.5, 1.5, 5)
    batch = caps.shell_cap_probability(angle, lat, SHELL_RAD)
    assert batch.shape == (4, 5)
    assert batch[2, 3] == pytest.approx(float(caps.shell_cap_probability(angle[2, 0], lat[3], SHELL_RAD)), abs=1e-15)
    single = torch.tensor(np.linspace(0.05, 3, 30), dtype=torch.float32)
    np.testing.assert_allclose(caps.cap_probability(single), caps.cap_probability(single.double()), rtol=1e-5)
    belt = caps.orbit_cap_probability(single, 0.5)
    np.testing.assert_allclose(belt, caps.orbit_cap_probability(single.double(), 0.5), rtol=1e-5, atol=1e-5)
    assert belt.dtype == torch.float32


def test_small_caps_are_flat() -> None:
    """theta^2 / 4 of the plane, with the relative error theta^2 / 12 of the next term."""
    angle = np.array([1e-4, 1e-3, 1e-2])
    np.testing.assert_allclose(caps.cap_probability(angle) / (angle**2 / 4), 1 - angle**2 / 12, rtol=1e-8)


def test_uniform_directions_by_kolmogorov_smirnov() -> None:
    direction = np.random.default_rng(4).standard_normal((200_000, 3))
    angle = np.arctan2(np.hypot(direction[:, 0], direction[:, 1]), direction[:, 2])
    assert stats.kstest(angle, caps.cap_probability).statistic < 1.63 / math.sqrt(200_000)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: caps.cap_probability(-0.1), r"angle_rad: got -0\.1; must be from 0 to 3\.14159 rad"),
        (lambda: caps.cap_probability(0.1, 0.0), "deployed_half_angle_rad: got 0"),
        (lambda: caps.orbit_cap_probability(0.1, 2.0), "plane_offset_rad: got 2"),
        (lambda: caps.shell_cap_probability(0.1, 0.0, 3.2), r"inclination_rad: got 3\.2"),
        (lambda: caps.shell_cap_probability(0.1, 2.0, 1.0), "user_lat_rad: got 2"),
        (
            lambda: caps.profile_cap_probability(0.1, 2.0, latitude.LatitudeProfile((0, 1), (1, 1))),
            "user_lat_rad: got 2",
        ),
    ],
)
def test_errors_name_the_argument(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
