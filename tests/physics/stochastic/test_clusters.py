"""Clusters on the sphere: the followers' angles from their leader, and the variance of the total number."""

import math

import numpy as np
import pytest
from scipy import stats

from ntn_gym.physics.stochastic import clusters, homogeneous

N = 200_000
KS_LIMIT = 1.63 / math.sqrt(N)
RADIUS_M = 6_871e3


def leaders(rng, n, law="binomial", shape=()):
    return homogeneous.sample_sphere(rng, n, RADIUS_M, law, shape)


def test_uniform_followers_fill_their_caps_evenly() -> None:
    rng = np.random.default_rng(1)
    heads = leaders(rng, N // 4)
    points = clusters.sample_uniform_clusters(rng, heads, 4, 0.05)
    cosine = np.einsum("lfc,lc->lf", points.position_m.reshape(-1, 4, 3), heads.position_m) / RADIUS_M**2
    assert stats.kstest((1 - cosine.ravel()) / (1 - math.cos(0.05)), "uniform").statistic < KS_LIMIT
    np.testing.assert_allclose(np.linalg.norm(points.position_m, axis=-1), RADIUS_M, rtol=1e-14)


def test_followers_of_isotropic_leaders_are_isotropic() -> None:
    rng = np.random.default_rng(2)
    for points in (
        clusters.sample_uniform_clusters(rng, leaders(rng, N), 1, 0.7),
        clusters.sample_circular_clusters(rng, leaders(rng, N), 1, 0.7),
    ):
        assert stats.kstest((1 + points.position_m[:, 2] / RADIUS_M) / 2, "uniform").statistic < KS_LIMIT


def test_circular_followers_are_equally_spaced_on_the_edge() -> None:
    rng = np.random.default_rng(3)
    heads = leaders(rng, 30.0, "poisson", shape=(2,))
    points = clusters.sample_circular_clusters(rng, heads, 5, 0.02)
    circles = points.position_m.reshape(2, -1, 5, 3)[heads.present]
    cosine = np.einsum("lfc,lc->lf", circles, heads.position_m[heads.present]) / RADIUS_M**2
    np.testing.assert_allclose(np.arccos(cosine), 0.02, rtol=1e-8)
    chord = np.linalg.norm(circles - np.roll(circles, 1, axis=-2), axis=-1)
    np.testing.assert_allclose(chord, 2 * RADIUS_M * math.sin(0.02) * math.sin(math.pi / 5), rtol=1e-9)
    np.testing.assert_array_equal(points.count, 5 * heads.count)


def test_number_of_a_poisson_cluster_process() -> None:
    """10 clusters of 4: mean 40, variance 10 (4 + 16) = 200."""
    rng = np.random.default_rng(4)
    counts = clusters.sample_uniform_clusters(rng, leaders(rng, 10.0, "poisson", (6000,)), 4.0, 0.1, "poisson").count
    assert counts.mean() == pytest.approx(40.0, abs=4 * math.sqrt(200 / 6000))
    assert counts.var() == pytest.approx(200.0, rel=0.08)  # 4 standard errors of a variance of 6000 runs


def test_errors() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"half_angle_rad: got -0\.1"):
        clusters.sample_uniform_clusters(rng, leaders(rng, 3), 3, -0.1)
    with pytest.raises(ValueError, match="n_followers: got 0; must be at least 1"):
        clusters.sample_circular_clusters(rng, leaders(rng, 3), 0, 0.1)
