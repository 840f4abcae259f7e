"""Uniform points of a sphere and of a cap: marginals by Kolmogorov-Smirnov at n = 200,000, moments of the counts."""

import math

import numpy as np
import pytest
from scipy import stats

from ntn_gym.physics.stochastic import homogeneous
from ntn_gym.physics.stochastic.points import Points, draw_present, join, place

N = 200_000
KS_LIMIT = 1.63 / math.sqrt(N)  # 1 % critical value
RADIUS_M = 6_871e3
TILTED = np.array([0.3, -0.5, 0.81])


def ks(sample, cdf="uniform") -> float:
    assert sample.size == N
    return stats.kstest(sample, cdf).statistic


def azimuth_share(position) -> np.ndarray:
    return np.mod(np.arctan2(position[..., 1], position[..., 0]), 2 * math.pi) / (2 * math.pi)


@pytest.mark.parametrize("law", ["binomial", "poisson"])
def test_directions_are_isotropic(law) -> None:
    points = homogeneous.sample_sphere(np.random.default_rng(1), 500.0, RADIUS_M, law, shape=(410,))
    position = points.position_m[points.present][:N]
    np.testing.assert_allclose(np.linalg.norm(position, axis=-1), RADIUS_M, rtol=1e-14)
    assert ks((1 + position[:, 2] / RADIUS_M) / 2) < KS_LIMIT
    assert ks(azimuth_share(position)) < KS_LIMIT
    # No axis is special: the cosine of the angle to any direction is uniform.
    towards = position @ (TILTED / np.linalg.norm(TILTED)) / RADIUS_M
    assert ks((1 + towards) / 2) < KS_LIMIT


def test_poisson_numbers_have_a_poisson_distribution() -> None:
    points = homogeneous.sample_sphere(np.random.default_rng(2), 6.0, RADIUS_M, "poisson", shape=(200, 100))
    assert points.position_m.shape == (200, 100, points.present.shape[-1], 3)
    observed = np.bincount(points.count.ravel(), minlength=15)[:15]
    expected = 20_000 * stats.poisson.pmf(np.arange(15), 6.0)
    assert np.sum((observed - expected) ** 2 / expected) < stats.chi2.ppf(0.999, 15)
    assert np.isnan(points.position_m[~points.present]).all() and np.isfinite(points.position_m[points.present]).all()


@pytest.mark.parametrize("centre", [TILTED, np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.0, -2e6])], ids=str)
def test_points_of_a_cap_are_uniform_in_area(centre) -> None:
    half_angle = 0.4
    points = homogeneous.sample_cap(np.random.default_rng(3), N, RADIUS_M, centre, half_angle)
    axis = centre / np.linalg.norm(centre)
    cosine = points.position_m @ axis / RADIUS_M
    assert ks((1 - cosine) / (1 - math.cos(half_angle))) < KS_LIMIT
    across = points.position_m - RADIUS_M * cosine[:, None] * axis
    first = np.cross(axis, [1.0, 0.0, 0.0])
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    assert ks(azimuth_share(np.stack((across @ first, across @ second), axis=-1))) < KS_LIMIT


def test_a_cap_of_half_a_turn_is_the_sphere_and_caps_may_differ_by_world() -> None:
    whole = homogeneous.sample_cap(np.random.default_rng(4), N, 1.0, TILTED, math.pi)
    assert ks((1 + whole.position_m[:, 2]) / 2) < KS_LIMIT
    centres = np.eye(3)
    points = homogeneous.sample_cap(np.random.default_rng(5), 50.0, 1.0, centres, 0.1, "poisson", shape=(3,))
    cosine = np.einsum("wnc,wc->wn", points.position_m, centres)
    assert (cosine[points.present] >= math.cos(0.1) - 1e-12).all()


def test_the_same_seed_gives_the_same_points() -> None:
    first, second = (homogeneous.sample_sphere(np.random.default_rng(6), 5, 1.0, shape=(2,)) for _ in range(2))
    np.testing.assert_array_equal(first.position_m, second.position_m)
    assert not np.array_equal(first.position_m[0], first.position_m[1])


def test_mean_number() -> None:
    area_m2 = 4 * math.pi * RADIUS_M**2
    assert homogeneous.mean_number_on_sphere(720 / area_m2, RADIUS_M) == pytest.approx(720)


def test_no_points_is_a_process_too() -> None:
    for law in ("binomial", "poisson"):
        assert homogeneous.sample_sphere(np.random.default_rng(7), 0, 1.0, law, shape=(4,)).position_m.shape == (
            4,
            0,
            3,
        )
    assert draw_present(np.random.default_rng(7), 3.0, "poisson", (0,)).shape == (0, 0)


def test_tiers_are_joined_with_their_numbers() -> None:
    rng = np.random.default_rng(8)
    low = homogeneous.sample_sphere(rng, 4, 1.0, shape=(2,))
    high = homogeneous.sample_sphere(rng, 3.0, 2.0, "poisson", shape=(2,))
    points, tier = join(low, high)
    width = high.present.shape[-1]
    np.testing.assert_array_equal(tier, [0] * 4 + [1] * width)
    np.testing.assert_array_equal(points.count, low.count + high.count)
    np.testing.assert_allclose(np.linalg.norm(points.position_m[:, tier == 0], axis=-1), 1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mean_n": 2.5}, "mean_n: got 2.5; must be a whole number under the binomial law"),
        ({"mean_n": -1}, "mean_n: got -1; must be from 0"),
        ({"mean_n": math.nan, "law": "poisson"}, "mean_n: got nan"),
        ({"law": "cox"}, "law: got 'cox'; must be one of binomial, poisson"),
        ({"radius_m": 0.0}, "radius_m: got 0; must be above 0 m"),
    ],
)
def test_errors_name_the_argument(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        homogeneous.sample_sphere(np.random.default_rng(0), **{"mean_n": 3, "radius_m": 1.0, **arguments})


def test_errors_of_caps_and_points() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"half_angle_rad: got 4; must be from 0 to 3\.14159 rad"):
        homogeneous.sample_cap(rng, 3, 1.0, TILTED, 4.0)
    with pytest.raises(ValueError, match="density_per_m2"):
        homogeneous.mean_number_on_sphere(-1.0, 1.0)
    with pytest.raises(ValueError, match="position_m: shape"):
        Points(np.zeros((4, 3)), np.ones(3, dtype=bool))
    assert np.isnan(place(np.zeros((2, 3)), np.array([True, False])).position_m[1]).all()
