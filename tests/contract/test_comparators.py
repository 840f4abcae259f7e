"""Rules are better than chance, and nobody beats the bound in any world."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ntn_gym.core.bound import BoundResult
from ntn_gym.core.engine import Engine
from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.policy import Policy
from ntn_gym.core.registry import resolve
from ntn_gym.core.task import Arrays
from ntn_gym.evaluation.uniform import SeededPolicy, UniformPolicy

from .cases import Case, play

WORLDS = list(range(2_000_000, 2_000_008))


def returns(task: Any, policy: Policy) -> np.ndarray:
    """Mean-over-agents return of whole episodes, per world."""
    engine = Engine(task, len(WORLDS))
    engine.reset(seeds=WORLDS)
    policy.reset(len(WORLDS))
    if isinstance(policy, SeededPolicy):
        policy.reset_worlds(WORLDS)
    total, alive = np.zeros(len(WORLDS)), np.ones(len(WORLDS), dtype=bool)
    restarted = alive.copy()
    for _ in range(task.episode_steps):
        actions = policy.act(engine.observe(), engine.action_mask(), restarted)
        result = engine.step(np.asarray(actions))
        total += np.where(alive, result.reward.mean(axis=1), 0.0)
        alive &= ~result.terminated
        restarted = np.zeros(len(WORLDS), dtype=bool)
    return total


def _heuristics(case: Case) -> dict[str, HeuristicSpec]:
    return dict(resolve(case.entry.heuristics))


def _packed(case: Case, task: Any) -> Arrays:
    return task.compile(None, case.draw(task, WORLDS))[1]


def test_declarations(small_case: Case) -> None:
    heuristics = _heuristics(small_case)
    assert heuristics, "an environment ships at least one rule"
    task = small_case.task()
    for name, spec in heuristics.items():
        assert isinstance(spec, HeuristicSpec), name
        assert spec.description and spec.source, name
        assert spec.family in ("single", "composite", "forecast"), name
        assert all(len(values) for values in spec.grid.values()), name
        chosen = {parameter: values[0] for parameter, values in spec.grid.items()}
        spec.factory(task, chosen).reset(2)


def test_rules_beat_chance_and_nobody_beats_the_bound(case: Case) -> None:
    _compare_rules_and_bound(case)


@pytest.mark.slow
def test_rules_beat_chance_and_nobody_beats_the_bound_in_any_preset(any_case: Case) -> None:
    _compare_rules_and_bound(any_case)


def _compare_rules_and_bound(case: Case) -> None:
    task = case.task()
    bound: BoundResult = resolve(case.entry.bound)(task, _packed(case, task))
    assert bound.value.shape == (len(WORLDS),) and np.isfinite(bound.value).all()
    chance = returns(task, UniformPolicy(task))
    slack = 1e-9 * np.maximum(1.0, np.abs(bound.value))
    assert (chance <= bound.value + slack).all()
    for name, spec in _heuristics(case).items():
        score = returns(task, spec.factory(task, {}))
        assert (score <= bound.value + slack).all(), f"{name} beats the bound: {score - bound.value}"
        better = score.mean() > chance.mean()
        assert better or spec.naive, f"{name}: {score.mean():.4g}, random play: {chance.mean():.4g}"


def test_actions_of_an_exact_bound_attain_it(case: Case) -> None:
    task = case.task()
    packed = _packed(case, task)
    bound: BoundResult = resolve(case.entry.bound)(task, packed)
    if bound.actions is None:
        pytest.skip("a relaxation: no actions need attain it")
    weights = np.array([term.weight for term in task.reward_terms])
    history = play(task, packed, bound.actions)
    terms = np.stack([outcome.reward_terms for outcome in history.outcomes], axis=1)
    np.testing.assert_allclose((terms @ weights).mean(axis=2).sum(axis=1), bound.value, rtol=1e-9, atol=1e-9)


def test_rules_decide_for_each_world_alone(case: Case) -> None:
    """World 3 of a batch gets the decisions that it gets alone, also after a restart in mid-run."""
    task = case.task()
    rng = np.random.default_rng(0)
    for name, spec in _heuristics(case).items():
        many, alone = spec.factory(task, {}), spec.factory(task, {})
        engine, single = Engine(task, 4, episode_steps=12), Engine(task, 1, episode_steps=12)
        engine.reset(seeds=[1, 2, 3, 4])
        single.reset(seeds=[4])
        many.reset(4)
        alone.reset(1)
        restarted = np.ones(4, dtype=bool)
        for step in range(20):
            actions = np.asarray(many.act(engine.observe(), engine.action_mask(), restarted))
            own = np.asarray(alone.act(single.observe(), single.action_mask(), restarted[3:]))
            assert np.array_equal(actions[3:], own), f"{name}, step {step}"
            mask = engine.action_mask()
            if mask is not None:
                legal = np.take_along_axis(mask, actions[..., None], axis=-1)
                assert legal.all(), f"{name} chose an illegal action in step {step}"
            engine.step(actions)
            single.step(own)
            restarted = np.zeros(4, dtype=bool)
            if step == 11:
                engine.reset()
                single.reset()
                restarted[:] = True
            elif step == 5:
                other = [int(rng.integers(3))]
                engine.reset(other)
                restarted[other] = True
