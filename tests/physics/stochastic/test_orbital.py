"""Processes on orbits: geometry against scipy's rotations, marginals by Kolmogorov-Smirnov, moments of the counts."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial.transform import Rotation

from ntn_gym.physics.stochastic import orbital

N = 200_000
KS_LIMIT = 1.63 / math.sqrt(N)
RADIUS_M = 6_871e3
SHELL_RAD = math.radians(53.0)


def assert_uniform(sample) -> None:
    assert sample.size == N
    assert stats.kstest(sample, "uniform").statistic < KS_LIMIT


def azimuth_share(position) -> np.ndarray:
    return np.arctan2(position[..., 1], position[..., 0]) / (2 * math.pi) + 0.5


def test_position_is_that_of_two_rotations() -> None:
    rng = np.random.default_rng(1)
    inclination, node, argument = rng.uniform(-4, 4, (3, 20))
    flat = RADIUS_M * np.stack((np.cos(argument), np.sin(argument), np.zeros(20)), axis=-1)
    turned = Rotation.from_euler("ZX", np.stack((node, inclination), axis=-1)).apply(flat)
    ours = orbital.orbit_position_m(inclination, node, argument, RADIUS_M)
    np.testing.assert_allclose(ours, turned, atol=1e-6)
    single = orbital.orbit_position_m(
        *(torch.tensor(a, dtype=torch.float32) for a in (inclination, node, argument)), 1.0
    )
    np.testing.assert_allclose(single.numpy(), ours / RADIUS_M, atol=2e-6)


@pytest.mark.parametrize("spacing", ["random", "equal"])
def test_one_satellite_of_a_dual_stochastic_process_is_uniform_on_the_sphere(spacing) -> None:
    points = orbital.sample_dual_stochastic(np.random.default_rng(2), 4 * N, 4, 1.0, spacing)
    one_of_each = points.position_m[3::4]
    assert_uniform((1 + one_of_each[:, 2]) / 2)
    assert_uniform(azimuth_share(one_of_each))


def test_satellites_of_a_dual_stochastic_orbit_share_a_plane() -> None:
    points = orbital.sample_dual_stochastic(np.random.default_rng(3), 31, 4, RADIUS_M, shape=(5,))
    assert points.present.shape == (5, 31) and points.present.all()
    np.testing.assert_allclose(np.linalg.norm(points.position_m, axis=-1), RADIUS_M)
    orbits = points.position_m[:, :28].reshape(5, 7, 4, 3) / RADIUS_M
    assert np.abs(np.linalg.svd(orbits)[1][..., 2]).max() < 1e-12  # rank 2: all four in a plane through the centre
    normals = np.cross(orbits[:, :, 0], orbits[:, :, 1])
    assert np.linalg.matrix_rank(normals[0]) == 3


def test_equal_spacing_on_random_orbits() -> None:
    points = orbital.sample_dual_stochastic(np.random.default_rng(4), 40, 10, 1.0, "equal")
    circles = points.position_m.reshape(4, 10, 3)
    chord = np.linalg.norm(circles - np.roll(circles, 1, axis=1), axis=-1)
    np.testing.assert_allclose(chord, 2 * math.sin(math.pi / 10), rtol=1e-12)


def test_cox_numbers_and_directions() -> None:
    """25 orbits of 20 satellites: mean 500, variance 25 (20 + 400) = 10,500."""
    points = orbital.sample_cox(np.random.default_rng(5), 25.0, 20.0, 1.0, shape=(3000,))
    assert points.count.mean() == pytest.approx(500.0, abs=4 * math.sqrt(10_500 / 3000))
    assert points.count.var() == pytest.approx(10_500.0, rel=0.105)  # 4 standard errors


def test_cox_satellites_are_uniform_on_the_sphere() -> None:
    rng = np.random.default_rng(6)
    first = []
    for _ in range(10):  # one satellite of each realisation, so that the sample is of independent points
        points = orbital.sample_cox(rng, 2.0, 1.0, 1.0, shape=(28_500,))
        pick = np.argmax(points.present, axis=-1)[:, None, None]
        first.append(np.take_along_axis(points.position_m, pick, axis=-2)[points.count > 0, 0])
    sample = np.concatenate(first)[:N]
    assert_uniform((1 + sample[:, 2]) / 2)
    assert_uniform(azimuth_share(sample))


def test_orbit_geometry_keeps_its_inclination_and_spacing() -> None:
    points = orbital.sample_orbit_geometry(np.random.default_rng(7), 25, 20, SHELL_RAD, RADIUS_M, shape=(6,))
    orbits = points.position_m.reshape(6, 25, 20, 3) / RADIUS_M
    chord = np.linalg.norm(orbits - np.roll(orbits, 1, axis=-2), axis=-1)
    np.testing.assert_allclose(chord, 2 * math.sin(math.pi / 20), rtol=1e-12)
    normal = np.cross(orbits[:, :, 0], orbits[:, :, 1])
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    np.testing.assert_allclose(normal[..., 2], math.cos(SHELL_RAD), rtol=1e-12)
    node = np.arctan2(normal[..., 0], -normal[..., 1])
    np.testing.assert_allclose(np.mod(np.diff(node), 2 * math.pi), 2 * math.pi / 25, rtol=1e-9)
    assert np.abs(orbits[..., 2]).max() <= math.sin(SHELL_RAD) + 1e-12
    assert np.unique(np.round(node[:, 0], 6)).size == 6  # each world turns the pattern


@pytest.mark.parametrize(
    ("nodes", "satellites", "law"), [("equal", "equal", "binomial"), ("random", "random", "poisson")]
)
def test_latitudes_of_the_orbit_geometry_follow_the_arcsine_law(nodes, satellites, law) -> None:
    rng = np.random.default_rng(8)
    mean = 1 if law == "binomial" else 1.2
    points = orbital.sample_orbit_geometry(rng, 1, mean, SHELL_RAD, 1.0, nodes, satellites, law, shape=(int(1.5 * N),))
    one = points.position_m[points.count > 0, 0]
    sample = one[:N]
    arcsine = stats.arcsine(-math.sin(SHELL_RAD), 2 * math.sin(SHELL_RAD))
    assert stats.kstest(sample[:, 2], arcsine.cdf).statistic < KS_LIMIT
    assert_uniform(azimuth_share(sample))


def test_geostationary_belt() -> None:
    points = orbital.sample_orbit(np.random.default_rng(9), N, 42_164e3, law="binomial")
    assert np.abs(points.position_m[:, 2]).max() == 0.0
    assert_uniform(azimuth_share(points.position_m))
    counts = orbital.sample_orbit(np.random.default_rng(9), 391.0, 42_164e3, shape=(4000,)).count
    assert counts.mean() == pytest.approx(391.0, abs=4 * math.sqrt(391 / 4000))
    assert counts.var() == pytest.approx(391.0, rel=0.09)


def test_an_inclined_line_process_lies_in_its_plane() -> None:
    points = orbital.sample_orbit(np.random.default_rng(10), 500, 1.0, 0.9, 2.0, "binomial")
    normal = Rotation.from_euler("ZX", [2.0, 0.9]).apply([0.0, 0.0, 1.0])
    assert np.abs(points.position_m @ normal).max() < 1e-12


def test_route_is_the_shorter_arc_and_evenly_filled() -> None:
    start, end = np.array([1.0, 0.0, 0.2]), np.array([-0.3, 0.9, 0.5])
    points = orbital.sample_route(np.random.default_rng(11), N, start, end, 6_381e3, "binomial")
    np.testing.assert_allclose(np.linalg.norm(points.position_m, axis=-1), 6_381e3, rtol=1e-12)
    first, last = start / np.linalg.norm(start), end / np.linalg.norm(end)
    whole = math.acos(first @ last)
    done = np.arccos(np.clip(points.position_m @ first / 6_381e3, -1, 1))
    left = np.arccos(np.clip(points.position_m @ last / 6_381e3, -1, 1))
    np.testing.assert_allclose(done + left, whole, rtol=1e-6)
    assert_uniform(done / whole)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: orbital.sample_dual_stochastic(r, -1, 4, 1.0), "n_points: got -1; must be at least 0"),
        (lambda r: orbital.sample_dual_stochastic(r, 8, 0, 1.0), "n_per_orbit: got 0; must be at least 1"),
        (lambda r: orbital.sample_dual_stochastic(r, 8, 4, 1.0, "even"), "spacing: got 'even'; must be one of random"),
        (lambda r: orbital.sample_cox(r, -1.0, 4, 1.0), "mean_orbits: got -1"),
        (lambda r: orbital.sample_orbit_geometry(r, 5, 4, 4.0, 1.0), "inclination_rad: got 4"),
        (lambda r: orbital.sample_orbit_geometry(r, 5, 4, 1.0, 1.0, law="poisson"), "not equally spaced"),
        (lambda r: orbital.sample_orbit(r, 5, -1.0), "radius_m: got -1; must be above 0 m"),
        (lambda r: orbital.sample_route(r, 5, [0, 0, 1.0], [0, 0, -2.0], 1.0), "opposite points"),
    ],
)
def test_errors_name_the_argument(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0))
