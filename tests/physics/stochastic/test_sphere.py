"""Angles and distances against haversines, exact triangles and the inverse functions."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ntn_gym.physics import geometry
from ntn_gym.physics.stochastic import sphere

angles = st.floats(0.0, math.pi)
radii = st.floats(1e6, 5e7)


def test_angle_between_is_the_great_circle_distance() -> None:
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(-1.5, 1.5, (2, 40)), rng.uniform(-3, 3, (2, 40))
    positions = geometry.spherical_to_ecef(lat, lon, rng.uniform(0, 1e6, (2, 40)))
    expected = geometry.great_circle_distance_m(lat[0], lon[0], lat[1], lon[1], 1.0)
    np.testing.assert_allclose(sphere.angle_between_rad(*positions), expected, rtol=1e-9)


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-6, math.pi - 1e-12, math.pi])
def test_angle_between_keeps_tiny_angles(angle) -> None:
    a, b = np.array([1.0, 0.0, 0.0]), np.array([math.cos(angle), math.sin(angle), 0.0])
    assert sphere.angle_between_rad(a, 3.0 * b) == pytest.approx(angle, rel=1e-12, abs=1e-15)


def test_chord_is_the_cosine_rule() -> None:
    assert sphere.chord_m(math.pi / 2, 3.0, 4.0) == pytest.approx(5.0)
    assert sphere.chord_m(0.0, 6_871e3, 6_371e3) == 500e3
    assert sphere.chord_m(math.pi, 6_871e3, 6_371e3) == pytest.approx(13_242e3)


@given(angles, radii, radii)
def test_chord_and_central_angle_are_inverse(angle, a, b) -> None:
    distance = sphere.chord_m(angle, a, b)
    assert abs(a - b) * (1 - 1e-12) <= distance <= (a + b) * (1 + 1e-12)
    again = sphere.central_angle_of_chord_rad(distance, a, b)
    assert float(sphere.chord_m(again, a, b)) == pytest.approx(float(distance), rel=1e-9)


def test_offset_direction_is_the_destination_of_a_great_circle() -> None:
    rng = np.random.default_rng(2)
    lat, lon, course, angle = rng.uniform(-1.5, 1.5, 50), *rng.uniform(-3, 3, (2, 50)), rng.uniform(0, 3, 50)
    centre = geometry.spherical_to_ecef(lat, lon, 2e6)
    expected = geometry.spherical_to_ecef(*geometry.great_circle_destination(lat, lon, course, angle, 1.0), 0.0, 1.0)
    np.testing.assert_allclose(sphere.offset_direction(centre, angle, course), expected, atol=1e-12)


@pytest.mark.parametrize("pole", [1.0, -1.0])
def test_offset_from_a_pole(pole) -> None:
    direction = sphere.offset_direction(np.array([0.0, 0.0, pole]), 0.3, np.linspace(0, 6, 7))
    np.testing.assert_allclose(direction[:, 2], pole * math.cos(0.3))
    np.testing.assert_allclose(np.linalg.norm(direction, axis=-1), 1.0)


def test_along_arc_at_its_ends_and_on_one_point() -> None:
    start, end = np.array([0.0, 2.0, 0.0]), np.array([0.0, 0.0, 5.0])
    ends = sphere.along_arc(start, end, np.array([0.0, 0.5, 1.0]))
    np.testing.assert_allclose(ends, [[0, 1, 0], [0, math.sqrt(0.5), math.sqrt(0.5)], [0, 0, 1]], atol=1e-15)
    np.testing.assert_allclose(sphere.along_arc(start, start, 0.7), [0.0, 1.0, 0.0])


def test_torch_agrees() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((2, 30, 3))
    single = [torch.tensor(x, dtype=torch.float32) for x in (a, b)]
    np.testing.assert_allclose(sphere.angle_between_rad(*single).numpy(), sphere.angle_between_rad(a, b), rtol=1e-5)
    angle = torch.linspace(0, math.pi, 20)
    np.testing.assert_allclose(sphere.chord_m(angle, 7e6, 6e6), sphere.chord_m(angle.numpy(), 7e6, 6e6), rtol=1e-5)


def test_errors_name_the_argument() -> None:
    with pytest.raises(ValueError, match=r"central_rad: got 4; must be from 0 to 3\.14159 rad"):
        sphere.chord_m(np.array([1.0, 4.0]), 1.0, 1.0)
    with pytest.raises(ValueError, match="distance_m: got -1; must be at least 0 m"):
        sphere.central_angle_of_chord_rad(-1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="radius_a_m: got 0; must be above 0 m"):
        sphere.chord_m(torch.tensor(1.0), torch.tensor([0.0, 1.0]), 1.0)
