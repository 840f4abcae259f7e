"""Eclipses against skyfield's line-and-sphere test, rays from the Sun's disc, and the closed form of a circle."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skyfield.geometry import intersect_line_and_sphere

from ntn_gym.physics import eclipse, orbits

EARTH_M = 6_378_137.0
AU_M = 149_597_870_700.0
SUN_M = 695_700_000.0


def directions(rng: np.random.Generator, n: int) -> np.ndarray:
    vectors = rng.normal(size=(n, 3))
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def rays_share(position_m: np.ndarray, sun_direction: np.ndarray, n: int = 20_000) -> float:
    """Share of rays from a position to points of the Sun's disc, spread evenly over it, that miss the Earth."""
    k = np.arange(n) + 0.5
    radius, angle = SUN_M * np.sqrt(k / n), k * math.pi * (3.0 - math.sqrt(5.0))
    axis = sun_direction * AU_M - position_m
    axis = axis / np.linalg.norm(axis)
    one = np.cross(axis, [0.3, 0.5, 0.8])
    one = one / np.linalg.norm(one)
    two = np.cross(axis, one)
    points_m = sun_direction * AU_M + radius[:, None] * (np.cos(angle)[:, None] * one + np.sin(angle)[:, None] * two)
    ray = points_m - position_m
    nearest = np.clip(-(ray @ position_m) / (ray * ray).sum(axis=-1), 0.0, 1.0)
    return float((np.linalg.norm(position_m + nearest[:, None] * ray, axis=-1) > EARTH_M).mean())


def test_cylindrical_shadow_is_that_of_a_line_to_the_sun() -> None:
    rng = np.random.default_rng(0)
    position_m = directions(rng, 4000) * rng.uniform(6.5e6, 5e7, (4000, 1))
    sun = directions(rng, 4000)
    expected = [
        # skyfield: distances along the ray to the entry into and exit from a sphere, NaN without one.
        bool(intersect_line_and_sphere(1e12 * s, -p, EARTH_M)[0] > 0.0) if p @ s < 0 else False
        for p, s in zip(position_m, sun, strict=True)
    ]
    got = eclipse.in_cylindrical_shadow(position_m, sun)
    assert 50 < sum(expected) < 3950
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("radius_m", [6.571e6, 7.0e6, 26.56e6, 42.164e6])
def test_sunlit_share_is_that_of_rays_to_the_disc(radius_m: float) -> None:
    # Around the edge of the shadow, from full sun to full shadow.
    edge_rad = math.pi - math.asin(EARTH_M / radius_m)
    sun = np.array([0.6, 0.0, 0.8])
    across = np.array([0.0, 1.0, 0.0])
    for offset_rad in np.linspace(-0.006, 0.006, 13):
        angle = edge_rad + offset_rad
        position_m = radius_m * (math.cos(angle) * sun + math.sin(angle) * across)
        share = float(eclipse.sunlit_share(position_m, sun))
        assert share == pytest.approx(rays_share(position_m, sun), abs=0.005)
    assert float(eclipse.sunlit_share(-radius_m * sun, sun)) == 0.0
    assert float(eclipse.sunlit_share(radius_m * sun, sun)) == 1.0


def test_annular_eclipse_far_behind_the_earth() -> None:
    # Beyond the tip of the umbra, at R AU / (R_sun - R) = 1.38e9 m, the Earth covers (b / a)^2 of the disc.
    sun = np.array([0.0, 1.0, 0.0])
    position_m = -2e9 * sun
    a, b = math.asin(SUN_M / (AU_M + 2e9)), math.asin(EARTH_M / 2e9)
    assert float(eclipse.sunlit_share(position_m, sun)) == pytest.approx(1.0 - (b / a) ** 2, rel=1e-9)
    assert float(eclipse.sunlit_share(position_m, sun)) == pytest.approx(rays_share(position_m, sun), abs=1e-3)


@pytest.mark.parametrize("inclination_deg", [0.0, 53.0, 97.8])
@pytest.mark.parametrize("raan_deg", [0.0, 90.0, 200.0])
def test_eclipse_share_of_a_propagated_orbit(inclination_deg: float, raan_deg: float) -> None:
    radius_m = EARTH_M + 550e3
    sun = np.array([math.cos(0.4), math.sin(0.4) * math.cos(0.409), math.sin(0.4) * math.sin(0.409)])
    n = 20_000
    time_s = (np.arange(n) + 0.5) * float(orbits.period_s(radius_m)) / n
    raan, inclination = math.radians(raan_deg), math.radians(inclination_deg)
    position_m, velocity_m_s = orbits.propagate_circular(raan, 0.0, inclination, radius_m, time_s, node_drift=False)
    counted = eclipse.in_cylindrical_shadow(position_m[0], sun).mean()
    beta = eclipse.beta_angle_rad(raan, inclination, sun)
    normal = np.cross(position_m[0, 0], velocity_m_s[0, 0])
    assert math.sin(beta) == pytest.approx(normal @ sun / np.linalg.norm(normal), abs=1e-12)
    assert float(eclipse.eclipse_share_of_orbit(beta, radius_m)) == pytest.approx(counted, abs=2.0 / n)


def test_largest_eclipse_of_a_low_orbit_is_known() -> None:
    # 35.7 min of 95.7 min at 550 km with the Sun in the plane: asin(R / r) / pi, by hand.
    radius_m = EARTH_M + 550e3
    assert float(eclipse.eclipse_share_of_orbit(0.0, radius_m)) == pytest.approx(
        math.asin(EARTH_M / radius_m) / math.pi
    )
    # In sunlight all the time from beta = asin(R / r) on.
    assert float(eclipse.eclipse_share_of_orbit(math.asin(EARTH_M / radius_m) + 1e-6, radius_m)) == 0.0


@given(st.floats(6.4e6, 1e8), st.floats(0.0, math.pi), st.floats(0.0, 2 * math.pi))
def test_share_is_a_share_and_agrees_with_the_cylinder(radius_m: float, angle: float, roll: float) -> None:
    sun = np.array([0.0, 0.0, 1.0])
    position_m = radius_m * np.array(
        [math.sin(angle) * math.cos(roll), math.sin(angle) * math.sin(roll), math.cos(angle)]
    )
    share = float(eclipse.sunlit_share(position_m, sun))
    assert 0.0 <= share <= 1.0
    # More than a solar diameter from the edge of the shadow the two models agree.
    if abs(angle - (math.pi - math.asin(EARTH_M / radius_m))) > 0.01:
        assert share == (0.0 if eclipse.in_cylindrical_shadow(position_m, sun) else 1.0)


def test_torch_and_shapes() -> None:
    rng = np.random.default_rng(2)
    position_m, sun = directions(rng, 50).reshape(5, 10, 3) * 7e6, directions(rng, 5)[:, None]
    share = eclipse.sunlit_share(position_m, sun)
    assert share.shape == (5, 10)
    tensor = eclipse.sunlit_share(torch.from_numpy(position_m), torch.from_numpy(sun))
    np.testing.assert_allclose(tensor.numpy(), share, atol=1e-9)
    shadow = eclipse.in_cylindrical_shadow(torch.from_numpy(position_m), torch.from_numpy(sun))
    np.testing.assert_array_equal(shadow.numpy(), eclipse.in_cylindrical_shadow(position_m, sun))
