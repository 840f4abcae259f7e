"""The bound is valid, exact where it can be, and the cheapest energy of a bit is what a search finds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ntn_gym.envs.resource_allocation.bound import bound, cheapest_in_window, cheapest_joule_per_mbit
from ntn_gym.envs.resource_allocation.heuristics import HEURISTICS

from .helpers import Player, hand_made, one_class, small_task


def test_cheapest_energy_of_a_bit() -> None:
    """Never above, and within 5 % below, the best of a fine search over powers."""
    task = small_task(users=1)
    constants = task.constants
    gain = np.exp(np.random.default_rng(0).normal(-1, 2, 200))
    serving = np.zeros(200, dtype=np.int64)
    ours = cheapest_joule_per_mbit(task, gain, serving)
    power = np.geomspace(constants.lowest_w[0], constants.highest_w[0], 20_001)
    snr = gain[:, None] * power
    efficiency = np.minimum(0.65 * np.log2(1 + snr), 4.8) * (snr >= 0.1)
    with np.errstate(divide="ignore"):
        exact = ((20.0 - 5.0 + 3.0 * power) / (efficiency * 20.0)).min(axis=1)
    reachable = np.isfinite(exact)
    assert (ours[reachable] <= exact[reachable]).all() and (ours[reachable] >= 0.95 * exact[reachable]).all()
    assert reachable.sum() > 100 and (~reachable).any()


def test_windows() -> None:
    cost = np.array([5.0, 3.0, 4.0, 1.0, 6.0])[None, :, None].repeat(3, 2)
    result = cheapest_in_window(cost, np.array([1, 2, 9]))
    np.testing.assert_array_equal(result[0, :, 0], [5, 3, 4, 1, 6])
    np.testing.assert_array_equal(result[0, :, 1], [3, 3, 1, 1, 6])
    np.testing.assert_array_equal(result[0, :, 2], [1, 1, 1, 1, 6])


def _best_of_all(task: object, raw: dict[str, np.ndarray]) -> float:
    """Highest return over all action sequences: every one is played."""
    best = -np.inf
    choices = list(itertools.product(range(task.constants.n_levels), repeat=task.n_agents))  # type: ignore[attr-defined]
    for plan in itertools.product(choices, repeat=task.episode_steps):  # type: ignore[attr-defined]
        player = Player(task, raw)  # type: ignore[arg-type]
        best = max(best, sum(player.step(action)["reward"][0] for action in plan))
    return best


def test_no_sequence_of_actions_beats_the_bound() -> None:
    """Two steps, three beams, all 729 plans: the bound is above, and not far when bits fill whole bands."""
    task = small_task(users=3, steps=2, traffic={"load": 0.3, "classes": [one_class(3, 2.0)]})
    gain = np.diag([0.6, 1.0, 0.3])
    raw = hand_made(task, gain, [[30.0, 40.0, 0.0], [0.0, 0.0, 25.0]])
    best = _best_of_all(task, raw)
    value = float(bound(task, task.compile(None, raw)[1]).value[0])
    assert best <= value + 1e-12
    assert value - best < 0.15 * abs(best)


def test_the_bound_is_attained_when_a_bit_costs_what_the_bound_says() -> None:
    """One user without interference whose bits fill the band exactly at the cheapest level: equality up to a cell."""
    task = small_task(users=1, steps=2, traffic={"load": 0.3, "classes": [one_class(1, 1.0)]})
    full = 0.65 * np.log2(1 + 0.5 * 10.0) * 20.0
    raw = hand_made(task, [[0.5, 0.0, 0.0]], [[full], [full]])
    value = float(bound(task, task.compile(None, raw)[1]).value[0])
    player = Player(task, raw)
    got = sum(player.step([2, 0, 0])["reward"][0] for _ in range(2))
    assert got <= value and value - got < 0.02 * got


def test_rules_stay_below_with_a_battery_whatever_they_burn() -> None:
    """A battery that is nearly empty at dusk: full power, sleep and the planner all stay below the priced bound."""
    from ntn_gym.core.engine import Engine
    from ntn_gym.core.registry import make_task

    task = make_task("ResourceAllocation", "day", {"energy": {"battery": {"capacity_kwh": 9.0}}})
    engine = Engine(task, 3)
    engine.reset(seeds=[11, 12, 13])
    packed = {name: array[:3] for name, array in engine.buffer.arrays.items()}
    value = bound(task, packed).value
    for policy in ("all", "none", "greedy-planned"):
        engine.reset(seeds=[11, 12, 13])
        rule = HEURISTICS["greedy-planned"].factory(task, {})
        total = np.zeros(3)
        for _ in range(task.episode_steps):
            if policy == "greedy-planned":
                action = np.asarray(rule.act(engine.observe(), None, np.zeros(3, dtype=bool)))
            else:
                action = np.full((3, task.n_agents), 3 if policy == "all" else 0)
            total += engine.step(action).reward.mean(axis=1)
        assert (total <= value).all(), policy


def test_a_part_of_an_episode_is_refused() -> None:
    task = small_task(users=1)
    packed = task.compile(None, hand_made(task, [[0.5, 0, 0]], [[1.0]]))[1]
    with pytest.raises(ValueError, match="whole episodes of 7"):
        bound(task, {name: array[:, :-1] for name, array in packed.items()})
