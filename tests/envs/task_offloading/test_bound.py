"""The bound against every sequence of decisions of tiny cases, and against anybody who plays."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from ntn_gym.core.engine import Engine
from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.task_offloading.bound import bound, contention_free
from ntn_gym.envs.task_offloading.heuristics import HEURISTICS
from ntn_gym.envs.task_offloading.presets import load_preset, with_overrides
from ntn_gym.envs.task_offloading.task import TaskOffloadingTask
from ntn_gym.evaluation.rollout import evaluate

from .synthetic import add, always, play, quiet_world, returns, small_task

WORLDS = range(6)


@pytest.mark.parametrize("trial", range(8))
def test_no_sequence_of_decisions_beats_it(trial: int) -> None:
    """Two devices, four tasks at once or soon after each other, every joint choice of targets."""
    rng = np.random.default_rng(trial)
    cloud = "haps" if trial % 2 else None
    ratios = (0.5, 1.0) if trial % 4 >= 2 else (1.0,)
    task = small_task(("haps",), cloud, steps=16, devices={"count": 2}, ratios=ratios)
    decisions = list(itertools.product(range(task.n_options), repeat=4))
    raw = quiet_world(task, len(decisions))
    raw["background"][:] = rng.uniform(0.0, 0.9, (1, task.episode_steps + 1, 1))
    for step in (0, 1):
        for device in range(2):
            add(raw, step, rng.uniform(1e6, 8e6), rng.uniform(0.3e9, 2e9), rng.uniform(0.8, 3.0), device)
    table = np.array(decisions).reshape(-1, 2, 2)
    _, outcomes = play(task, raw, lambda step, *_: table[:, min(step, 1)] if step < 2 else 0)
    best = returns(task, outcomes).max()
    arrays = {name: values[:1] for name, values in task.compile(None, raw)[1].items()}
    value = bound(task, arrays).value[0]
    assert best <= value < 0.0
    # Whole tasks: what is relaxed (order on the band, bins, preemption) is worth less than this here.
    if ratios == (1.0,):
        assert value < 0.45 * best


def test_a_task_alone_reaches_the_bound_without_contention() -> None:
    task = small_task(cloud="leo")
    raw = quiet_world(task)
    add(raw, 0, 2e6, 0.8e9)
    best = max(returns(task, play(task, raw, always(option))[1])[0] for option in range(task.n_options))
    arrays = task.compile(None, raw)[1]
    assert contention_free(task, arrays)[0] == pytest.approx(best, abs=1e-9)
    assert bound(task, arrays).value[0] >= best - 1e-9


def test_nobody_to_serve_costs_nothing() -> None:
    task = small_task()
    assert bound(task, task.compile(None, quiet_world(task, 2))[1]).value.tolist() == [0.0, 0.0]


def test_traces_that_are_no_whole_episodes_are_refused() -> None:
    task = small_task()
    arrays = task.compile(None, quiet_world(task))[1]
    with pytest.raises(ValueError, match=r"task has shape \[1, 20, 3, 1\], expected \[worlds, 41, 3, 1\]"):
        bound(task, {name: values[:, :20] for name, values in arrays.items()})


def bound_of(task: TaskOffloadingTask) -> np.ndarray:
    """The bound of `WORLDS`."""
    world = task.make_world()
    raw = world.advance(world.begin([WorldKey(seed) for seed in WORLDS]), task.episode_steps + 1)[1]
    return bound(task, task.compile(None, raw)[1]).value


VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "tiny": ("tiny", {}),
    "bursty": ("bursty", {}),
    "box": ("tiny", {"action": "box"}),
    "split": ("tiny", {"ratios": (0.3, 0.6, 1.0)}),
    "urban": ("urban-overload", {"steps": 40}),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_nobody_beats_it(variant: str) -> None:
    preset, changes = VARIANTS[variant]
    task = TaskOffloadingTask(with_overrides(load_preset(preset), changes))
    value = bound_of(task)
    for name in ("min_delay", "join_shortest", "composite", "min_cost"):
        result = evaluate(task, HEURISTICS[name].factory(task, {}), WORLDS, purpose="training")
        assert (result.returns <= value).all(), name
    rng = np.random.default_rng(0)
    weights = [term.weight for term in task.reward_terms]
    engine = Engine(task, len(WORLDS))
    engine.reset(seeds=list(WORLDS))
    total = np.zeros(len(WORLDS))
    for _ in range(task.episode_steps):
        mask = engine.action_mask()
        if mask is None:
            action: Any = rng.uniform(-1, 1, (len(WORLDS), task.n_agents, task.n_servers + 1)).astype(np.float32)
        else:
            action = (rng.random(mask.shape) * mask).argmax(axis=-1)
        total += (engine.step(action).outcome.reward_terms @ weights).mean(axis=-1)
    assert (total <= value).all()
