"""Closed forms of the paper's case study: 15 stations on average, P(within 8 km) = 0.7007, 10.79 visible satellites."""

from __future__ import annotations

import math

import numpy as np

from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.multi_connectivity.places import ABSENT_M, place
from ntn_gym.envs.multi_connectivity.presets import load_preset
from ntn_gym.physics.orbits import WalkerShell
from ntn_gym.physics.stochastic.planar import planar_contact_distance_cdf
from ntn_gym.physics.stochastic.visibility import mean_visible, visible_angle_rad
from ntn_gym.world.constellation import walker_grid

EARTH_KM2 = 4 * math.pi * 6371.0**2


def test_closed_forms() -> None:
    scenario = load_preset("paper-case-study")
    assert scenario.stations is not None
    assert scenario.stations.count == round(6e-3 * 50 * 50) == 15
    density = 6e-3 * 1e-6
    # A disc large enough that its edge does not matter.
    within = planar_contact_distance_cdf(8e3, density * math.pi * 1e6**2, 1e6, law="poisson")
    assert round(float(within), 4) == 0.7007 == round(1 - math.exp(-density * math.pi * 8e3**2), 4)
    number = 5e-7 * 4 * math.pi * (6371.0 + 500.0) ** 2
    assert round(number, 1) == 296.6
    visible = mean_visible(number, visible_angle_rad(500e3))
    assert round(float(visible), 2) == 10.79


def test_worlds_have_the_stations_and_satellites_of_the_closed_forms() -> None:
    scenario = load_preset("paper-case-study")
    drawn = place(scenario, [WorldKey(seed) for seed in range(400)])
    there = drawn.station_m[..., 0] < ABSENT_M / 2
    count = there.sum(axis=1)
    assert abs(count.mean() - 15) < 4 * math.sqrt(15 / 400)
    assert abs(count.var() - 15) < 4 * 15 * math.sqrt(2 / 400)
    # Users at least 8 km from the edge see the process as if it had none.
    inside = ((drawn.unfolded_m > 8e3) & (drawn.unfolded_m < 42e3)).all(axis=-1)
    distance = np.linalg.norm(drawn.unfolded_m[:, :, None] - drawn.station_m[:, None], axis=-1).min(axis=-1)
    share = (distance <= 8e3)[inside].mean()
    assert abs(share - 0.7007) < 0.03  # users of one world share its stations: about 400 independent samples

    orbit = scenario.satellites[0].constellation
    grid = walker_grid(
        WalkerShell(
            orbit.satellites, orbit.planes, orbit.phasing, orbit.inclination_deg, orbit.altitude_m, orbit.pattern
        ),
        6 * 3600.0,
    )
    # Seen from everywhere on the sphere the mean is that of any homogeneous process (297 instead of 296.6).
    rng = np.random.default_rng(0)
    site = rng.standard_normal((2000, 3))
    site *= 6371e3 / np.linalg.norm(site, axis=1, keepdims=True)
    position = grid.position_m[:, ::40]
    up = np.einsum("sgx,ux->sgu", position, site) / 6371e3
    visible = (up >= 6371e3).sum(axis=0)
    # The Walker shell is 500 km above the equatorial radius, 7 km higher than above the mean sphere.
    assert abs(visible.mean() - 10.79) < 0.3
