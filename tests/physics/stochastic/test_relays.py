"""Relay rules: bearings of the navigation formulas, plain loops, and rings where the right route is known."""

import math

import numpy as np
import pytest
import torch

from ntn_gym.physics import geometry
from ntn_gym.physics.stochastic import homogeneous, relays

RADIUS_M = 6_921e3
RULES = ["minimum_deflection", "long_hop", "short_hop"]


def at(lat_deg, lon_deg) -> np.ndarray:
    return geometry.spherical_to_ecef(np.radians(lat_deg), np.radians(lon_deg), RADIUS_M - 6_371e3)


def bearing(lat_a, lon_a, lat_b, lon_b):
    """Initial course of a great circle (Williams, Aviation Formulary)."""
    y = np.sin(lon_b - lon_a) * np.cos(lat_b)
    x = np.cos(lat_a) * np.sin(lat_b) - np.sin(lat_a) * np.cos(lat_b) * np.cos(lon_b - lon_a)
    return np.arctan2(y, x)


def test_deflection_is_the_difference_of_two_bearings() -> None:
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(-1.4, 1.4, (3, 60)), rng.uniform(-3, 3, (3, 60))
    node, candidate, receiver = (geometry.spherical_to_ecef(lat[i], lon[i], 5e5) for i in range(3))
    turn = bearing(lat[0], lon[0], lat[1], lon[1]) - bearing(lat[0], lon[0], lat[2], lon[2])
    expected = np.abs(np.arctan2(np.sin(turn), np.cos(turn)))
    ours = relays.deflection_angle_rad(node, candidate[:, None], receiver)[:, 0]
    np.testing.assert_allclose(ours, expected, atol=1e-9)


def test_sector_against_plain_loops() -> None:
    rng = np.random.default_rng(2)
    sky = homogeneous.sample_sphere(rng, 300.0, RADIUS_M, "poisson", shape=(4,))
    ends = homogeneous.sample_sphere(rng, 2, RADIUS_M, shape=(4,)).position_m
    ours = relays.within_sector(ends[:, 0], sky.position_m, ends[:, 1], 3_000e3, 0.6)
    deflection = relays.deflection_angle_rad(ends[:, 0], sky.position_m, ends[:, 1])
    assert ours.any() and not ours[~sky.present].any()
    for world in range(4):
        node, receiver = ends[world]
        for i in np.flatnonzero(sky.present[world]):
            candidate = sky.position_m[world, i]
            rest = math.acos(candidate @ receiver / RADIUS_M**2)
            near = np.linalg.norm(candidate - node) <= 3_000e3
            assert ours[world, i] == (
                near and rest < math.acos(node @ receiver / RADIUS_M**2) and deflection[world, i] <= 0.6
            )


def test_rules_choose_what_they_say() -> None:
    node, receiver = at(0, 0), at(0, 90)
    candidate = np.stack([at(1, 10), at(3, 20), at(-6, 5), at(10, 30), at(0, 0)])
    sector = relays.within_sector(node, candidate, receiver, 2.0 * RADIUS_M)
    assert sector.tolist() == [True, True, True, True, False]  # the node itself is no relay
    # Deflections: atan(tan(lat) / sin(lon)) = 5.7, 8.7, 50.3, 19.4 degrees.
    assert relays.minimum_deflection(node, candidate, receiver, sector) == 0
    assert relays.long_hop(candidate, receiver, sector) == 3
    assert relays.short_hop(node, candidate, sector) == 2
    none = np.zeros(5, dtype=bool)
    assert relays.minimum_deflection(node, candidate, receiver, none) == -1
    assert relays.long_hop(candidate, receiver, none) == relays.short_hop(node, candidate, none) == -1


def test_line_of_sight_by_walking_along_it() -> None:
    rng = np.random.default_rng(3)
    a, b = (RADIUS_M * v / np.linalg.norm(v, axis=-1, keepdims=True) for v in rng.standard_normal((2, 500, 3)))
    share = np.linspace(0, 1, 2001)[:, None, None]
    lowest = np.linalg.norm(a + share * (b - a), axis=-1).min(axis=0)
    sure = np.abs(lowest - 6_451e3) > 2e3
    np.testing.assert_array_equal(relays.line_of_sight(a, b, 6_451e3)[sure], (lowest >= 6_451e3)[sure])


@pytest.mark.parametrize("clear_m", [6_371e3, 6_451e3])
def test_longest_hop_just_clears_the_sphere(clear_m) -> None:
    longest = math.degrees(relays.longest_hop_rad(RADIUS_M, clear_radius_m=clear_m))
    assert relays.line_of_sight(at(0, 0), at(0, longest - 1e-6), clear_m)
    assert not relays.line_of_sight(at(0, 0), at(0, longest + 1e-6), clear_m)
    limited = relays.longest_hop_rad(RADIUS_M, 2_000e3)
    assert np.linalg.norm(at(0, math.degrees(limited)) - at(0, 0)) == pytest.approx(2_000e3)


def test_ideal_relays_make_equal_hops_on_the_great_circle() -> None:
    start, end = at(20, -40), at(-35, 100)
    path = np.concatenate((start[None], relays.ideal_relays(start, end, 7), end[None]))
    assert path.shape == (8, 3)
    hops = np.linalg.norm(np.diff(path, axis=0), axis=-1)
    np.testing.assert_allclose(hops, hops[0], rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(path, axis=-1), RADIUS_M, rtol=1e-12)
    normal = np.cross(start, end)
    assert np.abs(path @ normal / np.linalg.norm(normal)).max() < 1e-6
    assert relays.ideal_relays(start, end, 1).shape == (0, 3)


def test_closest_relays_against_plain_loops() -> None:
    rng = np.random.default_rng(4)
    sky = homogeneous.sample_sphere(rng, 60.0, RADIUS_M, "poisson", shape=(5,))
    ends = homogeneous.sample_sphere(rng, 2, RADIUS_M, shape=(5,)).position_m
    ideal = relays.ideal_relays(ends[:, 0], ends[:, 1], 5)
    index = relays.closest_to_ideal(ideal, sky.position_m, sky.present)
    assert index.shape == (5, 4)
    for world in range(5):
        for hop in range(4):
            gaps = np.linalg.norm(sky.position_m[world] - ideal[world, hop], axis=-1)
            assert index[world, hop] == np.nanargmin(gaps)
    empty = relays.closest_to_ideal(ideal, sky.position_m, np.zeros_like(sky.present))
    assert (empty == -1).all()


def test_routes_on_a_ring() -> None:
    """Satellites every 10 degrees of the equator; hops of up to 25 degrees; from 0 to 90 degrees."""
    candidate = at(np.zeros(36), np.arange(0, 360, 10))
    reach = 2 * RADIUS_M * math.sin(math.radians(12.5))
    expected = {"long_hop": [2, 4, 6, 8], "short_hop": [1, 2, 3, 4, 5, 6, 7], "minimum_deflection": None}
    for rule in RULES:
        path, reached = relays.follow(rule, at(0, 0), at(0, 90), candidate, reach, max_hops=12)
        assert reached and path.shape == (11,)
        used = path[path >= 0]
        assert (path[len(used) :] == -1).all()
        if expected[rule] is not None:
            assert used.tolist() == expected[rule]
        assert (np.diff(np.concatenate(([0], used, [9]))) <= 2).all()


@pytest.mark.parametrize("rule", RULES)
def test_routes_through_random_constellations(rule) -> None:
    rng = np.random.default_rng(5)
    sky = homogeneous.sample_sphere(rng, 600.0, RADIUS_M, "poisson", shape=(6, 3))
    start, end = at(50, 10), at(-30, 150)
    reach = 2_500e3
    path, reached = relays.follow(rule, start, end, sky.position_m, reach, half_angle_rad=1.0, max_hops=60)
    assert path.shape == (6, 3, 59) and reached.mean() > 0.8
    hops = (path >= 0).sum(axis=-1)
    for world in np.ndindex(6, 3):
        nodes = np.concatenate((start[None], sky.position_m[world][path[world][: hops[world]]]))
        assert np.isfinite(nodes).all()
        assert np.linalg.norm(np.diff(nodes, axis=0), axis=-1).max() <= reach
        rest = np.arccos(np.clip(nodes @ end / RADIUS_M**2, -1, 1))
        assert (np.diff(rest) < 0).all()  # each hop approaches the receiver
        assert reached[world] == (np.linalg.norm(nodes[-1] - end) <= reach)
    if rule == "long_hop":
        short = (relays.follow("short_hop", start, end, sky.position_m, reach, 1.0, 60)[0] >= 0).sum(axis=-1)
        assert (hops[reached] <= short[reached]).all()
        least = math.ceil(math.acos(start @ end / RADIUS_M**2) / relays.longest_hop_rad(RADIUS_M, reach))
        assert (hops[reached] + 1 >= least).all()


def test_a_neighbour_needs_no_relay_and_a_void_has_none() -> None:
    candidate = at(np.zeros(3), np.array([5.0, 6.0, 120.0]))
    path, reached = relays.follow("long_hop", at(0, 0), at(0, 10), candidate, 2_000e3, max_hops=4)
    assert reached and path.tolist() == [-1, -1, -1]
    path, reached = relays.follow("long_hop", at(0, 0), at(0, 90), candidate, 2_000e3, max_hops=4)
    assert not reached and path[0] == 1 and path[1:].tolist() == [-1, -1]
    path, reached = relays.follow("long_hop", at(0, 0), at(0, 90), candidate, 2_000e3, max_hops=1)
    assert not reached and path.shape == (0,)


def test_torch_agrees() -> None:
    rng = np.random.default_rng(6)
    sky = homogeneous.sample_sphere(rng, 400, RADIUS_M, shape=(3,)).position_m
    start, end = at(0, 0), at(20, 110)
    tensors = [torch.tensor(x) for x in (start, end, sky)]
    for rule in RULES:
        path, reached = relays.follow(rule, *tensors, 3_000e3, max_hops=20)
        expected, known = relays.follow(rule, start, end, sky, 3_000e3, max_hops=20)
        np.testing.assert_array_equal(path, expected)
        np.testing.assert_array_equal(reached, known)
    ideal = relays.ideal_relays(*tensors[:2], 4)
    np.testing.assert_allclose(ideal, relays.ideal_relays(start, end, 4), rtol=1e-12, atol=1e-6)
    everybody = np.ones(sky.shape[:-1], dtype=bool)
    np.testing.assert_array_equal(
        relays.closest_to_ideal(ideal, tensors[2], torch.tensor(everybody)),
        relays.closest_to_ideal(ideal.numpy(), sky, everybody),
    )
    np.testing.assert_array_equal(relays.line_of_sight(tensors[0], tensors[2]), relays.line_of_sight(start, sky))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: relays.follow("best", at(0, 0), at(0, 9), at(0, 5)[None], 1e6), "rule: got 'best'; must be one of"),
        (lambda: relays.follow("long_hop", at(0, 0), at(0, 9), at(0, 5)[None], 0.0), "max_distance_m: got 0"),
        (lambda: relays.within_sector(at(0, 0), at(0, 5)[None], at(0, 9), 1e6, 4.0), "half_angle_rad: got 4"),
        (lambda: relays.ideal_relays(at(0, 0), at(0, 9), 0), "n_hops: got 0; must be at least 1"),
        (lambda: relays.longest_hop_rad(6e6), "radius_m: got 6e"),
        (lambda: relays.line_of_sight(at(0, 0), at(0, 9), -1.0), "clear_radius_m: got -1"),
    ],
)
def test_errors_name_the_argument(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
