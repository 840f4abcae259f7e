"""Contacts against hand-solved geometry and dense sampling by another formula."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntn_gym.physics import contacts, orbits, pass_prediction
from ntn_gym.world.constellation import named_walker, walker_grid

EARTH_M = 6_378_137.0


def test_line_of_sight_height_by_hand() -> None:
    radius_m = 7e6
    half = np.radians([0.0, 10.0, 40.0, 90.0])
    first = radius_m * np.stack((np.cos(half), np.sin(half), 0 * half), axis=-1)
    second = first * [1.0, -1.0, 1.0]
    # A chord's middle is at r cos(half angle).
    np.testing.assert_allclose(
        contacts.line_of_sight_height_m(first, second), radius_m * np.cos(half) - EARTH_M, atol=1e-6
    )
    # Radial links: the lower node is the nearest point, whatever the other's height.
    low = np.array([6.5e6, 0.0, 0.0])
    assert contacts.line_of_sight_height_m(low, 6.0 * low) == pytest.approx(6.5e6 - EARTH_M)


positions = st.tuples(*(st.floats(-4e7, 4e7) for _ in range(3))).map(np.array)


@given(positions, positions)
def test_line_of_sight_height_is_reciprocal_and_that_of_points_on_the_line(first, second) -> None:
    height_m = float(contacts.line_of_sight_height_m(first, second))
    assert height_m == pytest.approx(float(contacts.line_of_sight_height_m(second, first)), abs=1e-5)
    share = np.linspace(0.0, 1.0, 401)[:, None]
    points_m = np.linalg.norm(first + share * (second - first), axis=-1)
    # Between two of the points the distance falls by no more than half their spacing.
    assert -1e-6 <= points_m.min() - (height_m + EARTH_M) <= np.linalg.norm(second - first) / 800 + 1e-6


@pytest.fixture(scope="module")
def grid():
    return walker_grid(named_walker("iridium"), 7200.0)


def test_neighbours_of_one_plane_are_always_in_contact(grid) -> None:
    plan = contacts.satellite_contacts(grid.interpolate, np.array([[0, 1], [0, 5]]), 0.0, 6000.0)
    # Satellites 360/11 deg apart see each other: r cos(16.4 deg) = 6867 km; 5 slots apart they do not.
    assert (plan.first.tolist(), plan.second.tolist()) == ([0], [1])
    assert (plan.start_s[0], plan.end_s[0]) == (0.0, 6000.0)
    distance_m = 2.0 * 7_158_137.0 * math.sin(math.pi / 11)
    np.testing.assert_allclose([plan.start_range_m[0], plan.end_range_m[0]], distance_m, atol=1.0)


@pytest.mark.parametrize(("height_m", "range_m"), [(80e3, np.inf), (0.0, 3.0e6), (100e3, 4.5e6)])
def test_contacts_of_crossing_planes_against_dense_sampling(grid, height_m, range_m) -> None:
    pairs = np.array([[0, 11], [3, 30], [0, 60], [20, 45]])
    plan = contacts.satellite_contacts(grid.interpolate, pairs, 0.0, 7200.0, height_m, range_m)
    time_s = np.arange(0.25, 7200.0, 3.7)
    for index, (first, second) in enumerate(pairs):
        a, b = (grid.interpolate(np.full(len(time_s), s), time_s)[0] for s in (first, second))
        # Height of the triangle by its area, where the foot is inside the segment: another formula.
        line = np.linalg.norm(b - a, axis=-1)
        foot = np.linalg.norm(np.cross(a, b), axis=-1) / line
        inside = (np.einsum("ij,ij->i", a, a - b) > 0) & (np.einsum("ij,ij->i", b, b - a) > 0)
        nearest = np.where(inside, foot, np.minimum(np.linalg.norm(a, axis=-1), np.linalg.norm(b, axis=-1)))
        expected = (nearest > EARTH_M + height_m) & (line < range_m)
        mine = plan.first == first
        mine &= plan.second == second
        open_ = ((plan.start_s[mine][:, None] <= time_s) & (time_s <= plan.end_s[mine][:, None])).any(axis=0)
        np.testing.assert_array_equal(open_, expected, err_msg=f"pair {index}")


def test_one_contact_of_two_orbits_by_hand() -> None:
    # Two satellites in one plane of a world that stands still, one going the other way: they separate at twice the
    # rate and lose sight when the half angle reaches acos((R + h) / r).
    radius_m = EARTH_M + 1000e3
    rate = float(orbits.mean_motion_rad_s(radius_m))

    def states(satellite, time_s):
        angle = np.where(satellite == 0, 1.0, -1.0) * rate * (time_s - 2000.0)
        turn = np.where(satellite == 0, 1.0, -1.0) * rate * radius_m
        zero = 0.0 * angle
        position = radius_m * np.stack((np.cos(angle), np.sin(angle), zero), axis=-1)
        return position, turn[..., None] * np.stack((-np.sin(angle), np.cos(angle), zero), axis=-1)

    plan = contacts.satellite_contacts(states, np.array([[0, 1]]), 600.0, 3200.0, min_height_m=80e3)
    half_s = math.acos((EARTH_M + 80e3) / radius_m) / rate
    assert plan.start_s[0] == pytest.approx(2000.0 - half_s, abs=1e-3)
    assert plan.end_s[0] == pytest.approx(2000.0 + half_s, abs=1e-3)
    assert plan.active(2000.0).tolist() == [True]
    assert plan.active(700.0).tolist() == [False]


def test_station_contacts_are_the_passes(grid) -> None:
    places = pass_prediction.stations(np.radians([53.0, -20.0]), np.radians([8.8, 30.0]))
    mask = math.radians(8.2)
    plan = contacts.station_contacts(grid.interpolate, grid.n_satellites, places, 0.0, 7200.0, mask)
    passes = pass_prediction.predict_passes(grid.interpolate, grid.n_satellites, places, 0.0, 7200.0, mask)
    np.testing.assert_array_equal(plan.start_s, passes.rise_s)
    # At the mask the law of sines gives the slant range; the ellipsoid shifts it by less than 2 %.
    central = math.acos(6371e3 * math.cos(mask) / 7158e3) - mask
    expected_m = 7158e3 * math.sin(central) / math.cos(mask)
    np.testing.assert_allclose(plan.start_range_m[passes.rise_seen], expected_m, rtol=0.02)
    np.testing.assert_allclose(plan.end_range_m[passes.set_seen], expected_m, rtol=0.02)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (np.array([[2, 2]]), "satellite 2 is paired with itself"),
        (np.array([0, 1]), r"pairs: got shape \(2,\)"),
        (np.array([[0.0, 1.0]]), "must be integers"),
    ],
)
def test_wrong_pairs_are_refused(grid, pairs, message) -> None:
    with pytest.raises(ValueError, match=message):
        contacts.satellite_contacts(grid.interpolate, pairs, 0.0, 100.0)
    with pytest.raises(ValueError, match=r"max_range_m=0\.0"):
        contacts.satellite_contacts(grid.interpolate, np.array([[0, 1]]), 0.0, 100.0, max_range_m=0.0)
