"""The world of HAPSPlacement: weather by seed, demand, forecasts that know nothing of the future, observations."""

from __future__ import annotations

import numpy as np
import pytest

from ntn_gym.core.engine import Engine
from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.haps_placement.observation import PROBES, View, probe_offsets_m
from ntn_gym.envs.haps_placement.presets import load_preset, preset_names
from ntn_gym.envs.haps_placement.task import HAPSPlacementTask
from ntn_gym.envs.haps_placement.world import PlacementWorld, mean_demand_mbit_s, wind_split

from .synthetic import Player, raw_trace, task_with


def draw(preset: str, seeds: list[int]) -> dict[str, np.ndarray]:
    world = PlacementWorld(load_preset(preset))
    scenario = load_preset(preset)
    return world.advance(world.begin([WorldKey(seed) for seed in seeds]), scenario.steps + 1)[1]


def test_reported_worlds_meet_weather_that_nobody_trained_on() -> None:
    assert [wind_split(seed) for seed in (0, 999_999, 1_000_000, 2_000_000, 2_999_999)] == [
        "train",
        "train",
        "validation",
        "report",
        "report",
    ]


def test_presets_are_the_nine() -> None:
    expected = {"airships", "night", "commuter", "layers", "aircraft", "cities", "disaster", "balloons", "tiny"}
    assert set(preset_names()) == expected


def test_mean_demand_is_the_load() -> None:
    """Towns ask for `load` times the capacity at the nadir in the mean over the day."""
    raw = draw("airships", list(range(12)))
    towns = raw["demand_mbit_s"][:, :144, :7].sum(axis=-1)
    assert towns.mean() == pytest.approx(mean_demand_mbit_s(load_preset("airships")), rel=0.08)
    assert raw["mean_mbit_s"][:, 0, :7].sum(axis=1) == pytest.approx(mean_demand_mbit_s(load_preset("airships")))


def test_surprises_are_not_announced() -> None:
    """Before a surprise its place is nowhere and its demand nothing, in the trace, the forecast and the observation."""
    task = HAPSPlacementTask(load_preset("disaster"))
    raw = draw("disaster", list(range(8)))
    packed = task.compile(None, raw)[1]
    groups = packed["groups"].reshape(8, 145, -1, 6)[:, :, -2:]
    quiet = raw["demand_mbit_s"][:, :, -2:] == 0
    assert 0.2 < quiet.mean() < 0.9
    assert (raw["group_m"][:, :, -2:][quiet] == 0).all()
    # The packed list lags by a step: where this step and the last are quiet nothing is known.
    still = quiet[:, 1:] & quiet[:, :-1]
    assert (groups[:, 1:][still] == 0).all()


def test_forecast_is_usual_demand_times_the_present_deviation() -> None:
    task = task_with("commuter")
    raw = draw("commuter", [3])
    asked = task.compile(None, raw)[1]["asked"][0]
    unit = 3.0 * mean_demand_mbit_s(task.scenario) / 7
    ratio = raw["demand_mbit_s"][0, 39] / raw["usual_mbit_s"][0, 39, 0]
    np.testing.assert_allclose(asked[40, :, 0] * unit, raw["demand_mbit_s"][0, 39], rtol=1e-4)
    for lead in (1, 2):
        expected = raw["usual_mbit_s"][0, 40, lead] * np.clip(ratio, 0.5, 2)
        np.testing.assert_allclose(asked[40, :, lead] * unit, np.minimum(expected, 4 * unit), rtol=1e-4)
    # Usual demand 1.5 h ahead is the usual demand nine steps later.
    np.testing.assert_allclose(raw["usual_mbit_s"][0, 40, 1], raw["usual_mbit_s"][0, 49, 0], rtol=1e-4)


def test_probe_gains_by_hand() -> None:
    """One town 40 km north: the probe there sees all of it, and only what no other platform serves better."""
    task = task_with("tiny", fleet={"count": 2})
    group_m = np.array([[0.0, 40e3], [0.0, 0.0], [0.0, 0.0]])
    start = np.array([[0.0, 0.0], [90e3, -90e3]])
    raw = raw_trace(task, demand_mbit_s=np.array([50.0, 0.0, 0.0]), group_m=group_m, start_m=start)
    view = View(task.scenario, Player(task, raw).observe())
    north = int(np.flatnonzero((probe_offsets_m() == [0.0, 40e3]).all(axis=1))[0])
    town = 50.0 / (mean_demand_mbit_s(task.scenario) / 3)
    best = float(task._server.maps.quality.max())
    assert view.probe.shape == (1, 2, PROBES, 3)
    assert view.probe[0, 0, north].tolist() == pytest.approx([town * best] * 3, rel=0.02)
    assert view.probe[0, 0].argmax(axis=0).tolist() == [north] * 3
    raw["start_m"][0, :, 1] = (0.0, 40e3)
    crowded = View(task.scenario, Player(task, raw).observe())
    assert crowded.probe[0, 0, north, 0] == 0, "the other one is there already"


def test_the_view_reads_back_what_the_state_holds() -> None:
    task = HAPSPlacementTask(load_preset("layers"))
    engine = Engine(task, 2, keep_raw=True)
    engine.reset(seeds=[4, 5])
    for _ in range(7):
        engine.step(np.full((2, 4, 3), 0.4, np.float32))
    view, state = View(task.scenario, engine.observe()), engine.state
    np.testing.assert_allclose(view.place_m, state.place_m, atol=0.1)
    np.testing.assert_allclose(view.charge, state.energy_j / task.scenario.fleet.vehicle.battery_j, rtol=1e-5)
    np.testing.assert_allclose(view.level, state.level, atol=1e-5)
    np.testing.assert_allclose(view.wind_m_s, state.wind_m_s, atol=1e-4)
    hour = engine.buffer.raw["hour"][:2, 7]
    np.testing.assert_allclose(view.hour, hour, atol=1e-3)
    np.testing.assert_allclose(view.group_m, engine.buffer.raw["group_m"][:2, 6], atol=0.1)


def test_cities_are_real() -> None:
    """Every world of `cities` is a region of the Earth; its towns are the largest of the list there."""
    raw = draw("cities", list(range(6)))
    assert len({float(x) for x in raw["latitude_deg"][:, 0]}) > 3
    assert (np.abs(raw["latitude_deg"]) < 55).all() and (raw["mean_mbit_s"][:, 0, :4] > 0).all()


def test_a_day_longer_than_the_wind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"recorded winds last 48 h"):
        task_with("airships", steps=300)
    with pytest.raises(ValueError, match="two levels_pa or more"):
        task_with("balloons", fleet={"levels_pa": (6000.0,)})
    with pytest.raises(ValueError, match="falling pressure"):
        task_with("layers", fleet={"levels_pa": (5000.0, 6000.0)})
    with pytest.raises(ValueError, match=r"failure\.platforms"):
        task_with("airships", failure={"platforms": 4})
