"""Who may serve and who serves: triangles, plain loops, and a chi-square test of the random rule."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from ntn_gym.physics import geometry
from ntn_gym.physics.stochastic import association, homogeneous, points

USER = np.array([0.0, 0.0, 6_371e3])


def ring(angles, alt_m=500e3) -> np.ndarray:
    """Platforms at central angles from the user."""
    return (6_371e3 + alt_m) * np.stack((np.sin(angles), np.zeros_like(angles), np.cos(angles)), axis=-1)


def random_sky(seed, law="poisson"):
    rng = np.random.default_rng(seed)
    sky = homogeneous.sample_sphere(rng, 12.0 if law == "poisson" else 12, 26_371e3, law, shape=(40,))
    users = homogeneous.sample_sphere(rng, 1, 6_371e3, shape=(40,)).position_m[:, 0]
    return rng, sky, users


@pytest.mark.parametrize("min_elev_deg", [-10.0, 0.0, 10.0, 45.0])
def test_horizon_is_that_of_the_geometry(min_elev_deg) -> None:
    angles = np.linspace(0.001, 3.1, 400)
    ours = association.above_horizon(USER, ring(angles), math.radians(min_elev_deg))
    elevation = geometry.elevation_from_central_angle_rad(angles, 500e3)
    np.testing.assert_array_equal(ours, elevation >= math.radians(min_elev_deg))


def test_horizon_and_look_angles_agree_anywhere() -> None:
    _, sky, users = random_sky(1)
    lat = np.arctan2(users[:, 2], np.hypot(users[:, 0], users[:, 1]))
    lon = np.arctan2(users[:, 1], users[:, 0])
    _, elevation, _ = geometry.look_angles(users[:, None], lat[:, None], lon[:, None], sky.position_m)
    ours = association.above_horizon(users, sky.position_m, 0.2)
    np.testing.assert_array_equal(ours, elevation >= 0.2)  # NaN, where there is no platform, compares as False
    assert not ours[~sky.present].any() and ours.any()


def test_nadir_beam_is_the_nadir_angle() -> None:
    elevation = np.linspace(0.0, math.pi / 2, 200)
    positions = ring(geometry.central_angle_rad(elevation, 500e3))
    nadir = geometry.nadir_angle_rad(elevation, 500e3)
    np.testing.assert_array_equal(association.within_beam(USER, positions, 0.7), nadir <= 0.7)


def test_a_steered_beam_holds_the_place_it_points_at() -> None:
    positions = ring(np.array([0.1, 0.2]))
    towards = USER - positions
    assert association.within_beam(USER, positions, 1e-6, towards).all()
    turned = towards + 0.02 * np.linalg.norm(towards, axis=-1, keepdims=True) * np.array([0.0, 1.0, 0.0])
    # By 0.02 across: 1.146 degrees.
    assert association.within_beam(USER, positions, math.radians(1.15), turned).all()
    assert not association.within_beam(USER, positions, math.radians(1.14), turned).any()


def test_reliable_distance() -> None:
    positions = USER + np.array([[3e3, 4e3, 0.0], [3e3, 4e3, 1.0], [np.nan] * 3])
    assert association.within_distance(USER, positions, 5e3).tolist() == [True, False, False]


def test_mean_power_is_the_friis_equation() -> None:
    distance = np.array([1e3, 1e6])
    ours = association.mean_received_power_dbw(distance, 10.0, 2e9, rx_gain_dbi=3.0, extra_loss_db=2.0)
    np.testing.assert_allclose(ours, 11.0 - 20 * np.log10(4 * math.pi * distance * 2e9 / 299_792_458), atol=1e-9)
    steeper = association.mean_received_power_dbw(distance, 10.0, 2e9, exponent=3.0)
    np.testing.assert_allclose(np.diff(steeper), -90.0)


@pytest.mark.parametrize("law", ["binomial", "poisson"])
def test_rules_against_plain_loops(law) -> None:
    rng, sky, users = random_sky(2, law)
    eligible = association.above_horizon(users, sky.position_m, 0.3)
    distance = np.linalg.norm(sky.position_m - users[:, None], axis=-1)
    power = rng.normal(size=distance.shape)
    by_distance = association.associate_nearest(distance, eligible)
    by_power = association.associate_strongest(power, eligible)
    uniform = rng.random(40)
    by_chance = association.associate_random(uniform, eligible)
    for world in range(40):
        allowed = [i for i in range(eligible.shape[1]) if eligible[world, i]]
        if not allowed:
            assert by_distance[world] == by_power[world] == by_chance[world] == association.NO_PLATFORM
            continue
        assert by_distance[world] == min(allowed, key=lambda i: distance[world, i])
        assert by_power[world] == max(allowed, key=lambda i: power[world, i])
        assert by_chance[world] == allowed[int(uniform[world] * len(allowed))]


def test_in_one_tier_the_strongest_is_the_nearest_and_across_tiers_it_need_not_be() -> None:
    rng = np.random.default_rng(3)
    near = homogeneous.sample_cap(rng, 5, 6_391e3, USER, 0.02, shape=(50,))
    far = homogeneous.sample_cap(rng, 5, 6_971e3, USER, 0.1, shape=(50,))
    sky, tier = points.join(near, far)
    eligible = association.above_horizon(USER, sky.position_m) & sky.present
    distance = np.linalg.norm(sky.position_m - USER, axis=-1)
    equal = association.mean_received_power_dbw(distance, 10.0, 2e9)
    first = association.associate_nearest(distance, eligible)
    np.testing.assert_array_equal(association.associate_strongest(equal, eligible), first)
    assert (tier[first] == 0).all()
    loud = association.mean_received_power_dbw(distance, np.where(tier == 1, 60.0, 10.0), 2e9)
    assert (tier[association.associate_strongest(loud, eligible)] == 1).all()


def test_the_random_rule_gives_everybody_the_same_chance() -> None:
    rng = np.random.default_rng(4)
    eligible = np.array([False, True, True, False, True, False, True])
    index = association.associate_random(rng.random(40_000), np.broadcast_to(eligible, (40_000, 7)))
    seen = np.bincount(index, minlength=7)
    assert (seen[~eligible] == 0).all()
    assert stats.chisquare(seen[eligible]).pvalue > 1e-3
    assert association.associate_random(np.array([0.0, 0.9999999999, 1.0]), np.stack([eligible] * 3)).tolist() == [
        1,
        6,
        6,
    ]


def test_torch_agrees() -> None:
    rng, sky, users = random_sky(5, "binomial")
    as_torch = torch.tensor
    position, user = as_torch(sky.position_m), as_torch(users)
    eligible = association.above_horizon(user, position, 0.3)
    np.testing.assert_array_equal(eligible, association.above_horizon(users, sky.position_m, 0.3))
    mask = eligible.numpy()
    distance, uniform = rng.random(mask.shape), rng.random(40)
    for rule, values in (
        (association.associate_nearest, distance),
        (association.associate_strongest, distance),
        (association.associate_random, uniform),
    ):
        np.testing.assert_array_equal(rule(as_torch(values), eligible), rule(values, mask))
    assert association.within_beam(user, position, 0.2).shape == mask.shape
    np.testing.assert_array_equal(
        association.within_distance(user, position, 2.2e7), association.within_distance(users, sky.position_m, 2.2e7)
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: association.above_horizon(USER, USER[None], 2.0), "min_elev_rad: got 2"),
        (lambda: association.within_beam(USER, 2 * USER[None], -0.1), r"half_angle_rad: got -0\.1"),
        (lambda: association.within_distance(USER, USER[None], 0.0), "max_distance_m: got 0; must be above 0 m"),
        (lambda: association.associate_random(1.5, np.array([True])), r"uniform: got 1\.5"),
    ],
)
def test_errors_name_the_argument(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
