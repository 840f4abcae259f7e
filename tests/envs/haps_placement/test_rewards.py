"""Rewards: what they are made of, and that the usual tricks do not pay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.core.engine import Engine
from ntn_gym.envs.haps_placement.presets import load_preset
from ntn_gym.envs.haps_placement.task import HAPSPlacementTask

from .synthetic import Player, raw_trace, task_with


def test_full_service_for_a_day_counts_24_hours() -> None:
    """A small town below one platform: the share of users in sight, times its demand over the mean, times 24 h."""
    task = task_with()
    demand = np.array([30.0, 0.0, 0.0])
    player = Player(task, raw_trace(task, demand_mbit_s=demand, sun_w_m2=1300.0))
    total = sum(player.step(0.0)["reward"][0] for _ in range(144))
    assert total == pytest.approx(24.0 * 30.0 * 0.992 * task.per_demand, rel=1e-4)


def test_agents_share_the_traffic_of_all() -> None:
    """The mean over platforms is the traffic of all; who carries it gets more of it."""
    task = task_with("airships", wind={"source": "none"})
    group_m = np.zeros((10, 2))
    demand = np.array([50.0] + [0.0] * 9)
    start = np.array([[0.0, 0.0], [140e3, 140e3], [-140e3, 140e3], [140e3, -140e3]])
    result = Player(task, raw_trace(task, demand_mbit_s=demand, group_m=group_m, start_m=start, sun_w_m2=1300.0)).step(
        0.0
    )
    share = 50.0 * 0.992 * task.per_demand
    assert result["service_term"].tolist() == pytest.approx([2.5 * share, *[0.5 * share] * 3], rel=1e-5)
    assert result["service_term"].mean() == pytest.approx(share, rel=1e-5)


def test_emptying_the_battery_at_the_end_does_not_pay() -> None:
    """An exploiter flies in circles at full speed through the last night hours; its missing charge is charged."""
    task = task_with(region={"start_hour": 20.0}, steps=36)
    demand = np.array([30.0, 0.0, 0.0])
    returns = []
    for action in ([0.0, 0.0], [1.0, 0.0]):
        player = Player(task, raw_trace(task, demand_mbit_s=demand, wind_m_s=(0.0, 0.0)))
        total = 0.0
        for step in range(36):
            sign = 1.0 if step % 2 else -1.0
            result = player.step([sign * action[0], 0.0])
            total += result["reward"][0]
        missing = max(0.0, 0.9 - float(result["charge"][0]))
        assert result["shortfall_term"][0] == pytest.approx(missing, rel=1e-6)
        returns.append(total)
    assert returns[0] > returns[1] + 0.5


def test_a_dead_platform_is_worth_nothing() -> None:
    """An exploiter that spends everything at once loses the service of the night: not serving is never free."""
    task = task_with()
    demand = np.array([200.0, 0.0, 0.0])
    hour = (14 + np.arange(145) / 6) % 24
    sun = np.where((hour > 6) & (hour < 18), 800.0, 0.0)
    calm = Player(task, raw_trace(task, demand_mbit_s=demand, sun_w_m2=sun))
    wild = Player(task, raw_trace(task, demand_mbit_s=demand, sun_w_m2=sun))
    held = sum(calm.step(0.0)["reward"][0] for _ in range(144))
    spent = sum(wild.step([0.99 if k % 2 else -0.99, 0.0])["reward"][0] for k in range(144))
    assert spent < 0.8 * held


def test_crowding_does_not_pay() -> None:
    """Four platforms above one town carry what one of them carries, and disturb each other."""
    task = task_with("airships", wind={"source": "none"})
    demand = np.array([60.0, 60.0] + [0.0] * 8)
    group_m = np.zeros((10, 2))
    group_m[1] = [100e3, 0.0]
    crowd = np.zeros((4, 2))
    spread = np.array([[0.0, 0.0], [100e3, 0.0], [0.0, 140e3], [100e3, -140e3]])
    rewards = [
        Player(task, raw_trace(task, demand_mbit_s=demand, group_m=group_m, start_m=start, sun_w_m2=1300.0))
        .step(0.0)["service_term"]
        .mean()
        for start in (crowd, spread)
    ]
    assert rewards[1] > 1.9 * rewards[0]


@given(st.integers(0, 1000), st.floats(-1, 1), st.floats(-1, 1))
@settings(max_examples=12, deadline=None)
def test_whatever_is_done_the_battery_keeps_its_limits(seed: int, east: float, north: float) -> None:
    task = HAPSPlacementTask(load_preset("night"))
    engine = Engine(task, 1)
    engine.reset(seeds=[seed])
    action = np.tile(np.float32([east, north]), (1, 4, 1))
    full = task.scenario.fleet.vehicle.battery_j
    names = [kpi.name for kpi in task.kpis]
    for _ in range(100):
        before = engine.state
        kpis = engine.step(action).outcome.kpis[0]
        assert (engine.state.energy_j >= 0).all() and (engine.state.energy_j <= full).all()
        speed = kpis[:, names.index("airspeed_m_s")]
        assert (speed <= 16.0 * (1 + 1e-9)).all()
        way = engine.state.place_m - before.place_m
        assert (np.abs(way).max() <= 600 * (16.0 + 60.0)).all()
        assert (kpis[:, names.index("carried_mbit_s")][before.down[0]] == 0).all(), "an empty platform serves nobody"
    assert np.isfinite(engine.observe()).all()


def test_failed_radios_serve_nobody_and_come_back() -> None:
    task = task_with("disaster")
    engine = Engine(task, 1, keep_raw=True)
    engine.reset(seeds=[5])
    failed = engine.buffer.raw["failed"][0]
    assert failed[:, -1].sum() == 48 and not failed[:, :-1].any(), "8 h of 10 min, the last platform"
    column = [kpi.name for kpi in task.kpis].index("carried_mbit_s")
    for step in range(144):
        kpis = engine.step(np.zeros((1, 5, 2), np.float32)).outcome.kpis[0]
        if failed[step, -1]:
            assert kpis[-1, column] == 0
