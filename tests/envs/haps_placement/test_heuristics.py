"""Rules on cases with known answers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ntn_gym.core.engine import Engine
from ntn_gym.envs.haps_placement.heuristics import HEURISTICS
from ntn_gym.envs.haps_placement.heuristics.pilot import Pilot
from ntn_gym.envs.haps_placement.heuristics.planning import assign, cover_greedily, covered, expected_demand
from ntn_gym.envs.haps_placement.heuristics.static import hexagonal_patterns
from ntn_gym.envs.haps_placement.observation import View
from ntn_gym.envs.haps_placement.presets import load_preset
from ntn_gym.envs.haps_placement.radio import radio_maps
from ntn_gym.envs.haps_placement.task import HAPSPlacementTask

from .synthetic import Player, raw_trace, task_with


@pytest.mark.parametrize(("count", "best"), [(1, 6), (2, 11), (3, 16)])
def test_greedy_coverage_on_a_line(count: int, best: float) -> None:
    """Points 0 1 2 5 6 9 10 10.5, weights 3 1 2 4 1 2 2 1, radius 1: the optimum is 6, 11, 16; greedy attains it."""
    points = np.array([0, 1, 2, 5, 6, 9, 10, 10.5])
    weights = np.array([3.0, 1, 2, 4, 1, 2, 2, 1])
    sites = np.arange(0, 10.6, 0.5)
    offered = (np.abs(sites[:, None] - points) <= 1.0).astype(np.float32)[None]
    chosen = cover_greedily(offered, weights[None], count)
    value = covered(offered[:, chosen[0]], weights[None])[0]
    exact = max(
        (offered[0, list(those)].max(axis=0) * weights).sum()
        for those in itertools.combinations(range(len(sites)), count)
    )
    assert value == exact == best


def test_greedy_keeps_within_reach_of_a_gateway() -> None:
    """The best site has no way to a gateway until a relay is chosen."""
    offered = np.array([[[1.0, 0.0], [0.0, 0.2], [0.0, 0.1]]], dtype=np.float32)
    allowed = np.array([[False, True, True]])
    linked = np.array([[True, True, False], [True, True, False], [False, False, True]])
    demand = np.ones((1, 2))
    assert cover_greedily(offered, demand, 2).tolist() == [[0, 1]]
    assert cover_greedily(offered, demand, 2, allowed, linked).tolist() == [[1, 0]]


def test_assignment_is_the_best_of_all() -> None:
    rng = np.random.default_rng(3)
    place, site = rng.random((5, 4, 2)), rng.random((5, 4, 2))
    chosen = assign(place, site)
    cost = ((chosen - place) ** 2).sum(axis=(1, 2))
    least = [
        min(((site[w, list(order)] - place[w]) ** 2).sum() for order in itertools.permutations(range(4)))
        for w in range(5)
    ]
    np.testing.assert_allclose(cost, least)
    # A platform without a radio gets the site that is wanted least.
    works = np.array([[True, False, True, True]] * 5)
    assert np.array_equal(assign(place, site, works)[:, 1], site[:, 3])


@pytest.mark.parametrize("name", [name for name in HEURISTICS if name not in ("stay",)])
def test_one_town_one_platform_everybody_goes_there(name: str) -> None:
    """A single town 40 km away, no wind: after three hours every rule but `stay` carries nearly all of it."""
    task = task_with()
    raw = raw_trace(task, demand_mbit_s=np.array([60.0, 0.0, 0.0]), group_m=np.array([[40e3, 0.0], [0, 0], [0, 0]]))
    raw["sun_w_m2"][...] = 1300.0
    player, policy = Player(task, raw), HEURISTICS[name].factory(task, {})
    policy.reset(1)
    for step in range(18):
        action = policy.act(player.observe(), None, np.array([step == 0]))
        result = player.step(action)
    assert result["served_share"][0] > (0.4 if name == "hexagonal" else 0.8)


def test_symmetric_towns_are_shared_out() -> None:
    """Two equal towns, two platforms in the middle: the mean of both towns is worthless, one each is right."""
    task = task_with("tiny", fleet={"count": 2})
    group_m = np.array([[60e3, 0.0], [-60e3, 0.0], [0.0, 0.0]])
    raw = raw_trace(task, demand_mbit_s=np.array([80.0, 80.0, 0.0]), group_m=group_m, sun_w_m2=1300.0)
    raw["start_m"][0, :, 0], raw["start_m"][0, :, 1] = (1e3, 0.0), (-1e3, 0.0)
    for name in ("greedy", "lloyd", "swarm"):
        player, policy = Player(task, raw), HEURISTICS[name].factory(task, {})
        policy.reset(1)
        for step in range(18):
            player.step(policy.act(player.observe(), None, np.array([step == 0])))
        east = np.sort(player.state.place_m[0, :, 0])
        assert east[0] < -45e3 and east[1] > 45e3, f"{name}: {east}"


def test_the_budget_spreads_the_battery_over_the_night() -> None:
    """After `budget` 1 the airspeed is the cube root of (energy / time - payload - hotel) / a, by hand."""
    task = task_with()
    raw = raw_trace(task, demand_mbit_s=1.0)
    raw["night_h"][...] = 10.0
    view = View(task.scenario, Player(task, raw).observe())
    action = Pilot(task.scenario, 1.0).action(view, view.place_m + np.array([80e3, 0.0]))
    power_w = (0.9 - 0.02) * 120e3 * 0.97 / 10.0 - 3500.0
    speed = (power_w / 3.785) ** (1 / 3)
    assert action[0, 0, 0] * 16.0 == pytest.approx(speed, rel=2e-3)
    assert Pilot(task.scenario, 0.0).action(view, view.place_m + np.array([80e3, 0.0]))[0, 0, 0] == pytest.approx(1.0)


def test_a_budget_saves_batteries() -> None:
    """In strong wind the budget keeps more platforms alive through the night."""
    task = HAPSPlacementTask(load_preset("night"))
    depleted = {}
    column = [kpi.name for kpi in task.kpis].index("depleted")
    for budget in (0.0, 1.0):
        policy = HEURISTICS["greedy"].factory(task, {"budget": budget})
        engine = Engine(task, 12)
        engine.reset(seeds=list(range(1_000_000, 1_000_012)))
        policy.reset(12)
        restarted, total = np.ones(12, dtype=bool), 0.0
        for _ in range(144):
            total += engine.step(policy.act(engine.observe(), None, restarted)).outcome.kpis[..., column].mean()
            restarted = np.zeros(12, dtype=bool)
        depleted[budget] = total / 144
    assert depleted[1.0] < 0.5 * depleted[0.0]


def test_forecasts_are_interpolated() -> None:
    task = task_with("commuter")
    engine = Engine(task, 2)
    engine.reset(seeds=[1, 2])
    view = View(task.scenario, engine.observe())
    now, soon, later = (view.demand[..., k] for k in range(3))
    np.testing.assert_allclose(expected_demand(view, 0.0, False), now)
    np.testing.assert_allclose(expected_demand(view, 0.75, False), (now + soon) / 2)
    np.testing.assert_allclose(expected_demand(view, 3.0, False), later)
    np.testing.assert_allclose(expected_demand(view, 3.0, True), (now / 2 + soon + later / 2) / 2, rtol=0.01)


def test_hexagonal_patterns_are_hexagonal() -> None:
    """Every pattern has one distance between nearest neighbours, and stays inside the fence."""
    scenario = load_preset("airships")
    patterns = hexagonal_patterns(scenario)
    assert len(patterns) > 20 and np.abs(patterns).max() <= 150e3
    gap = patterns[:, :, None] - patterns[:, None]
    away = np.sqrt((gap * gap).sum(-1)) + 1e9 * np.eye(4)
    ratio = away.min(axis=2) / (np.sqrt(3) * radio_maps(scenario).edge_m[0])
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1], ratio.shape), rtol=1e-9)
    assert set(np.round(ratio[:, 0], 6)) <= {0.8, 1.0, 1.25, 1.6, 2.0}


def test_wrong_parameters_are_refused_by_name() -> None:
    task = task_with()
    with pytest.raises(ValueError, match="hysteresis"):
        HEURISTICS["greedy"].factory(task, {"hysteresis": -1.0})
    with pytest.raises(ValueError, match="no_such"):
        HEURISTICS["stay"].factory(task, {"no_such": 1})
