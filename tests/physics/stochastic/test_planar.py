"""Points of a disc: marginals by Kolmogorov-Smirnov at n = 200,000; contact distance by another sampler."""

import math

import numpy as np
import pytest
from scipy import stats

from ntn_gym.physics.stochastic import contact, planar

N = 200_000
KS_LIMIT = 1.63 / math.sqrt(N)


def test_points_of_a_disc_are_uniform_in_area() -> None:
    points = planar.sample_disc(np.random.default_rng(1), N, 4e3, alt_m=20e3)
    east, north, up = points.position_m.T
    assert stats.kstest((east**2 + north**2) / 4e3**2, "uniform").statistic < KS_LIMIT
    assert stats.kstest(np.arctan2(east, north) / (2 * math.pi) + 0.5, "uniform").statistic < KS_LIMIT
    assert (up == 20e3).all()


def test_clusters_lie_on_discs_about_their_parents() -> None:
    rng = np.random.default_rng(2)
    parents = planar.sample_disc(rng, 40.0, 1e4, law="poisson", shape=(3,))
    points = planar.sample_disc_clusters(rng, parents, 6, 500.0, law="binomial")
    assert points.present.shape == (3, parents.present.shape[-1] * 6)
    np.testing.assert_array_equal(points.count, 6 * parents.count)
    offset = points.position_m.reshape(3, -1, 6, 3) - parents.position_m[..., None, :]
    distance = np.linalg.norm(offset[parents.present], axis=-1)
    assert distance.max() <= 500.0


def test_clusters_are_uniform_and_their_number_is_compound_poisson() -> None:
    rng = np.random.default_rng(3)
    one = planar.sample_disc(rng, 1, 1.0)
    points = planar.sample_disc_clusters(rng, one, N, 500.0, law="binomial")
    squared = np.sum((points.position_m - one.position_m) ** 2, axis=-1) / 500.0**2
    assert stats.kstest(squared, "uniform").statistic < KS_LIMIT
    parents = planar.sample_disc(rng, 5.0, 1e4, law="poisson", shape=(8000,))
    counts = planar.sample_disc_clusters(rng, parents, 3.0, 10.0).count
    assert counts.mean() == pytest.approx(15.0, abs=4 * math.sqrt(60 / 8000))
    assert counts.var() == pytest.approx(5 * (3 + 9), rel=0.08)


@pytest.mark.parametrize("law", ["binomial", "poisson"])
def test_contact_distance_by_simulation(law) -> None:
    rng = np.random.default_rng(4)
    runs, mean_n, disc_m, alt_m = 100_000, 12, 3e3, 1e3
    number = np.full(runs, mean_n) if law == "binomial" else rng.poisson(mean_n, runs)
    # Rejection from the square: another way to a uniform disc than the inverse of the radius.
    nearest = np.full(runs, np.inf)
    for rank in range(number.max()):
        xy = rng.uniform(-disc_m, disc_m, (runs, 2))
        outside = np.hypot(*xy.T) > disc_m
        while outside.any():
            xy[outside] = rng.uniform(-disc_m, disc_m, (outside.sum(), 2))
            outside = np.hypot(*xy.T) > disc_m
        nearest = np.where(rank < number, np.minimum(nearest, np.hypot(np.hypot(*xy.T), alt_m)), nearest)
    distance = np.sort(nearest[np.isfinite(nearest)])
    ours = planar.planar_contact_distance_cdf(distance, mean_n, disc_m, alt_m, law)
    assert np.abs(ours - np.arange(1, distance.size + 1) / runs).max() < 1.63 / math.sqrt(runs)


def test_a_small_dense_cap_is_a_plane() -> None:
    """A layer of platforms at 20 km against the plane with the same density."""
    alt_m, radius_m, mean_n = 20e3, 6_391e3, 2e5
    distance = np.linspace(alt_m, 60e3, 50)
    sphere = contact.contact_distance_cdf(distance, alt_m, mean_n, "poisson")
    disc_m = 200e3
    in_disc = mean_n * disc_m**2 / (4 * radius_m**2)
    plane = planar.planar_contact_distance_cdf(distance, in_disc, disc_m, alt_m, "poisson")
    # d^2 - h^2 = 4 r R sin^2(theta / 2) exactly, so that only the ratio R / r of the spheres is neglected.
    assert np.abs(sphere - plane).max() < 20e3 / 6_371e3
    assert np.abs(sphere - plane).max() > 1e-5


def test_errors() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="disc_radius_m: got 0"):
        planar.sample_disc(rng, 3, 0.0)
    with pytest.raises(ValueError, match="cluster_radius_m: got -1"):
        planar.sample_disc_clusters(rng, planar.sample_disc(rng, 3, 1.0), 3, -1.0)
    with pytest.raises(ValueError, match="distance_m: got -1"):
        planar.planar_contact_distance_cdf(-1.0, 3, 1e3)
