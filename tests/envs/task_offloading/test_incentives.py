"""What the reward pays for: no trick beats honest rules, and it ranks policies as operators would."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from ntn_gym.core.policy import Policy
from ntn_gym.envs.task_offloading.heuristics import HEURISTICS, View
from ntn_gym.envs.task_offloading.presets import load_preset
from ntn_gym.envs.task_offloading.task import TaskOffloadingTask
from ntn_gym.evaluation.rollout import EpisodeResults, evaluate
from ntn_gym.evaluation.uniform import UniformPolicy

SEEDS = range(16)
HONEST = ("min_delay", "join_shortest", "drift_plus_penalty", "composite")


class Exploiter:
    """Plays by a score of the options: the highest legal one."""

    def __init__(self, score: Callable[[View], np.ndarray]) -> None:
        self._score = score

    def reset(self, n_worlds: int) -> None:
        """Nothing to remember."""

    def act(self, observation: np.ndarray, mask: np.ndarray | None, restarted: np.ndarray) -> np.ndarray:
        assert mask is not None
        return np.where(mask, self._score(View(observation)), -np.inf).argmax(axis=-1)


EXPLOITERS: dict[str, Callable[[View], np.ndarray]] = {
    # Let everything expire: a drop costs no delay and hardly any energy.
    "drops everything": lambda view: view["delay"],
    # Keep hard tasks from being finished, finish the easy ones: the mean over completed tasks would look splendid.
    "drops what is hard": lambda view: np.where(
        view["delay"].min(axis=-1, keepdims=True) > 0.4, view["delay"], -view["delay"]
    ),
    # Never spend own energy: everything goes away, wherever it is slowest.
    "spends nothing": lambda view: -view["energy"],
    # Hoard: send to where the most work waits already.
    "hoards": lambda view: view["server_wait"] + view["own_wait"] - 1e-3 * view["delay"],
    # Ask nobody.
    "always local": lambda view: -np.arange(view["usable"].shape[-1]) * np.ones_like(view["usable"]),
}


@cache
def honest(preset: str) -> dict[str, EpisodeResults]:
    task = TaskOffloadingTask(load_preset(preset))
    return {n: evaluate(task, HEURISTICS[n].factory(task, {}), SEEDS, purpose="training") for n in HONEST}


@pytest.mark.parametrize("preset", ["bursty", pytest.param("overload", marks=pytest.mark.slow)])
@pytest.mark.parametrize("trick", EXPLOITERS)
def test_tricks_do_not_pay(preset: str, trick: str) -> None:
    task = TaskOffloadingTask(load_preset(preset))
    found = evaluate(task, Exploiter(EXPLOITERS[trick]), SEEDS, purpose="training").returns
    best = max(honest(preset).values(), key=lambda result: float(result.returns.mean())).returns
    # In every world, not just on average.
    assert (found < best).all()


def test_a_drop_costs_more_than_the_worst_completion() -> None:
    """Even where dropping saves all energy that a completion takes."""
    for preset in ("bursty", "overload", "tight-deadlines", "disaster", "urban-overload"):
        scenario = load_preset(preset)
        prices, devices = scenario.reward, scenario.devices
        energy_j = devices.capacitance * devices.cpu_max_hz**2 * scenario.tasks.cycles_max
        server_j = max(
            scenario.node(n).server.capacitance * scenario.node(n).server.cpu_hz ** 2 * scenario.tasks.cycles_max
            for n in scenario.nodes
        )
        assert prices.drop_cost > 1.0 + max(
            prices.device_energy_per_j * energy_j, prices.server_energy_per_j * server_j
        ), preset


def test_the_reward_ranks_policies_as_operators_would() -> None:
    task = TaskOffloadingTask(load_preset("bursty"))
    results = [evaluate(task, HEURISTICS[n].factory(task, {}), SEEDS, purpose="training") for n in HEURISTICS]
    policy: Policy = UniformPolicy(task)
    results.append(evaluate(task, policy, SEEDS, purpose="training"))
    returns = [float(r.returns.mean()) for r in results]

    def agreement(name: str) -> float:
        found: Any = spearmanr(returns, [-float(r.kpis[name].mean()) for r in results])
        return float(found.statistic)

    assert agreement("dropped") > 0.8
    assert agreement("delay_s") > 0.6
    assert agreement("age_s") > 0.5


def test_with_stale_information_devices_herd() -> None:
    """In bursts many decide at once on the same broadcast: a coin that spreads them beats the shortest delay."""
    results = honest("bursty")
    better = results["join_shortest"].returns - results["min_delay"].returns
    assert better.mean() > 1.96 * better.std(ddof=1) / len(better) ** 0.5
    assert results["join_shortest"].kpis["dropped"].mean() < results["min_delay"].kpis["dropped"].mean()


def test_one_after_the_other_would_not_herd() -> None:
    """The same rule for a single device at a time loses less: with one device there is nobody to herd with."""
    from ntn_gym.envs.task_offloading.presets import with_overrides

    task = TaskOffloadingTask(with_overrides(load_preset("bursty"), {"devices": {"count": 1}}))
    greedy = evaluate(task, HEURISTICS["min_delay"].factory(task, {}), range(48), purpose="training")
    blurred = evaluate(task, HEURISTICS["join_shortest"].factory(task, {}), range(48), purpose="training")
    assert greedy.returns.mean() >= blurred.returns.mean() - 0.05
    assert greedy.kpis["dropped"].mean() < 0.5 * honest("bursty")["min_delay"].kpis["dropped"].mean()
