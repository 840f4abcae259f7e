"""The world: antennas, channel, traffic, feeder, sun and wind against hand calculations and other formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ntn_gym.core.registry import make_task
from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.resource_allocation.antenna import (
    beam_centres_m,
    beam_colours,
    gain_table,
    in_platform_axes,
    look_up,
)
from ntn_gym.envs.resource_allocation.channel import Channel
from ntn_gym.envs.resource_allocation.feeder import capacity_mbit_s, feeder_link, scintillation_margin_db
from ntn_gym.envs.resource_allocation.planner import Planner, mean_propulsion_w
from ntn_gym.envs.resource_allocation.scenario import CellLayout, HibsLayout
from ntn_gym.envs.resource_allocation.scenario_energy import Sun, Wind
from ntn_gym.envs.resource_allocation.surroundings import propulsion_power_w, solar_power_w
from ntn_gym.physics.hibs import hibs_layout, sector_gain_dbi
from ntn_gym.physics.pathloss import los_probability
from ntn_gym.world.platform import rotate


def _directions(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    nadir, azimuth = np.radians(rng.uniform(0, 77, n)), rng.uniform(-np.pi, np.pi, n)
    return np.stack([np.sin(nadir) * np.sin(azimuth), np.sin(nadir) * np.cos(azimuth), -np.cos(nadir)], axis=-1)


def test_the_table_is_the_pattern() -> None:
    """Within 0.1 dB of ITU-R M.2101 wherever a sector is within 15 dB of its peak."""
    direction = _directions(4000)
    exact = np.asarray(sector_gain_dbi(hibs_layout(7), direction))
    table = gain_table(HibsLayout(), 20e3, 2e9)
    read = 10 * np.log10(look_up(table, tuple(direction.T.astype(np.float32))))
    strong = exact > exact.max() - 15
    assert strong.sum() > 4000 and np.abs(read - exact)[strong].max() < 0.1


def test_a_turned_platform_turns_its_beams() -> None:
    """The angle between a beam of a turned platform and a user is that between the beam at rest and the turned user."""
    rng = np.random.default_rng(1)
    motion = np.zeros((1, 5, 6))
    motion[..., 3:] = rng.normal(0, 0.1, (1, 5, 3))
    direction = _directions(8, 2)
    boresight = _directions(7, 3)
    users = tuple(np.broadcast_to(direction[None, None, :, i], (1, 5, 8)) for i in range(3))
    turned = np.stack(in_platform_axes(users, motion), axis=-1)
    beams = rotate(boresight, motion)
    np.testing.assert_allclose(turned @ boresight.T, direction @ beams.swapaxes(-1, -2), atol=1e-6)


def test_gain_below_the_platform_is_that_of_the_budget() -> None:
    """14 dBi (2 x 2 elements of 8 dBi), 124.5 dB at 20 km and 2 GHz, noise -124.0 dBW: 13.5 dB per watt."""
    channel = Channel(make_task("ResourceAllocation", "beams").scenario)
    zero = np.zeros((1, 1, 1), dtype=np.float32)
    gain, los = channel.gains(np.zeros((1, 1, 1, 2)), np.zeros((1, 0, 2)), zero - 9, zero, None, np.zeros(1))
    assert los.all()
    assert 10 * math.log10(gain[0, 0, 0, 0]) == pytest.approx(14.02 - 124.49 + 123.97, abs=0.05)
    assert gain[0, 0, 0].argmax() == 0


def test_line_of_sight_has_the_share_of_the_document() -> None:
    scenario = make_task("ResourceAllocation", "beams").scenario
    channel = Channel(scenario)
    rng = np.random.default_rng(4)
    for ground in (10e3, 60e3):
        place = np.zeros((1, 1, 20_000, 2))
        place[..., 0] = ground
        score = rng.standard_normal((1, 1, 20_000)).astype(np.float32)
        _, los = channel.gains(place, np.zeros((1, 0, 2)), score, score * 0, None, np.zeros(1))
        expected = float(los_probability(math.atan2(20e3, ground), "rural"))
        assert los.mean() == pytest.approx(expected, abs=0.01)


def test_neighbours_have_different_colours_with_reuse_three() -> None:
    for layout in (HibsLayout(), CellLayout(rings=2)):
        centres, colours = beam_centres_m(layout, 20e3), beam_colours(layout, 3)
        apart = np.linalg.norm(centres[:, None] - centres, axis=-1)
        nearest = apart[apart > 1].min()
        neighbours = (apart > 1) & (apart < 1.1 * nearest)
        assert neighbours.any() and (colours[:, None] != colours)[neighbours].all()


@pytest.mark.parametrize("preset", ["beams", "day"])
def test_offered_traffic_is_what_the_load_says(preset: str) -> None:
    """Mean arrivals of each class within the interval over worlds; load x beams x 20 MHz x 1.2 bit/s/Hz in all."""
    task = make_task("ResourceAllocation", preset)
    world = task.make_world()
    raw = world.advance(world.begin([WorldKey(seed) for seed in range(500, 540)]), task.episode_steps)[1]
    load = task.scenario.traffic.load
    assert task.offered_mbit == pytest.approx(load * 7 * 20 * 1.2 * task.dt_s)
    first = 0
    for one in task.scenario.traffic.classes:
        mine = raw["arrival_mbit"][:, :, first : first + one.users].astype(np.float64).sum(axis=2).mean(axis=1)
        first += one.users
        error = 2.6 * mine.std(ddof=1) / math.sqrt(len(mine))
        assert abs(mine.mean() - one.share * task.offered_mbit) < error
        assert error < 0.25 * one.share * task.offered_mbit


def test_feeder_budget_by_hand() -> None:
    """26.1 km, 300 urad: spot of 7.83 m, 2 a^2/w^2 = -46.9 dB, optics -6, haze -0.5, pointing -0.46 dB: 32 Gbit/s/W."""
    scenario = make_task("ResourceAllocation", "feeder-under-cloud").scenario
    feeder = scenario.feeder
    assert feeder is not None
    link = feeder_link(feeder, 20e3)
    geometric = 10 * math.log10(2 * 0.025**2 / (20e3 / math.sin(math.radians(50)) * 300e-6) ** 2)
    received_w = 10 ** (0.1 * (geometric - 6.0 - 0.502 - 0.457))
    rate = received_w / (1000 * 6.626e-34 * 2.998e8 / 1550e-9) * 1e-6
    assert link.rate_per_w_mbit_s == pytest.approx(rate, rel=0.01) and rate == pytest.approx(32_000, rel=0.02)
    capacity = capacity_mbit_s(
        feeder, link, np.array([0.0, 1.0, 1.0, 16.0]), np.array([0, 0, 1, 0]), np.array([20.0, 30.0, 0.0, 20.0])
    )
    np.testing.assert_allclose(capacity, [10.0, 10.0 + rate * 1e-3, 10.0, 210.0], rtol=0.01)


def test_scintillation_margin_is_a_quantile() -> None:
    """Log-normal irradiance of mean 1: a share of 1 % of draws lies below the margin."""
    rng = np.random.default_rng(5)
    for variance in (0.1, 0.6):
        irradiance = np.exp(rng.normal(-0.5 * variance, math.sqrt(variance), 200_000))
        margin = float(scintillation_margin_db(np.array(variance), 0.01))
        assert (irradiance < 10 ** (-0.1 * margin)).mean() == pytest.approx(0.01, abs=0.001)


def test_sun_at_the_equinox() -> None:
    """Noon at 35 deg: 1370 W/m^2 x cos 35 deg x 10.5 m^2 x 0.25 x 0.95 = 2.8 kW, cold cells 9 % better; 12 h of day."""
    power = solar_power_w(Sun(), 20e3, np.arange(288) * 300.0)
    assert power[0] == pytest.approx(1370 * math.cos(math.radians(35)) * 10.5 * 0.25 * 0.95 * 1.09, rel=0.03)
    # The sun is on horizontal panels while it is above the horizontal.
    assert (power > 0).sum() * 300 / 3600 == pytest.approx(12.1, abs=0.3)
    assert power[72:216][power[72:216] > 0].size < 8, "it is dark from 18:00 to 06:00"


def test_engines_against_the_mean_wind() -> None:
    """0.5 x 0.0889 x 81 x 5000^(2/3) x 0.025 = 26.3 N; times 9 m/s over 0.6: 395 W."""
    wind = Wind()
    drag = 0.5 * 0.0889 * 81 * 5000 ** (2 / 3) * 0.025
    assert float(propulsion_power_w(wind, 20e3, np.zeros(2))) == pytest.approx(drag * 9 / 0.6, rel=0.01)
    deviation = np.random.default_rng(6).standard_normal((200_000, 2))
    sampled = propulsion_power_w(wind, 20e3, deviation).mean()
    scenario = make_task("ResourceAllocation", "day").scenario
    assert mean_propulsion_w(scenario) == pytest.approx(sampled, rel=0.005)


def test_the_forecast_spends_the_battery_exactly() -> None:
    """Spending what the planner says, step by step, meets the tighter of its two limits exactly if the wind is mean.

    They are the lower limit at every step and the final target. Nothing is spilled here and nothing lost.
    """
    task = make_task("ResourceAllocation", "day", {"energy": {"battery": {"charge_efficiency": 1.0}}})
    scenario = task.scenario
    planner = Planner(scenario)
    battery = scenario.energy.battery
    assert battery is not None
    capacity_j = battery.capacity_kwh * 3.6e6
    solar = solar_power_w(scenario.energy.sun, 20e3, np.arange(288) * 300.0)
    engines = mean_propulsion_w(scenario)

    class Slice:
        def __init__(self, step: int) -> None:
            self.step = step

        def __getitem__(self, name: str) -> np.ndarray:
            return np.array([[0, 0, 0, 0, 0, 0, self.step]], dtype=float)

    start = 100  # after sunset: nothing is spilled before the morning
    energy, lowest = 0.9 * capacity_j, np.inf
    for step in range(start, 288):
        spend = float(planner.spend_kw(np.array([energy]), Slice(step))[0]) * 1e3
        energy += (solar[step] - battery.hotel_w - engines - spend) * 300.0
        lowest = min(lowest, energy)
        assert energy < capacity_j
    slack = (lowest - battery.low_share * capacity_j, energy - scenario.reward.final_share * capacity_j)
    assert min(slack) == pytest.approx(0.0, abs=1e-3 * capacity_j)
