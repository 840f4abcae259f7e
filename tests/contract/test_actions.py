"""An illegal action has a defined effect and is counted; what is no action at all is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from ntn_gym.core.engine import Engine

from .cases import Case, assert_same, in_space


def test_illegal_actions_are_counted_and_harmless(case: Case) -> None:
    """Uniformly random actions: the counter rises exactly where the mask forbids the choice."""
    task = case.task()
    if not isinstance(task.agent_action_space, spaces.Discrete):
        pytest.skip("continuous actions are never illegal")
    names = [kpi.name for kpi in task.kpis if kpi.name.startswith("illegal")]
    engine = Engine(task, 4)
    engine.reset(seeds=[1, 2, 3, 4])
    rng = np.random.default_rng(0)
    forbidden = 0
    for step in range(task.episode_steps):
        mask = engine.action_mask()
        if mask is None:
            assert not names, "a task that counts illegal actions has a mask"
            return
        assert len(names) == 1, "one KPI counts the illegal actions"
        actions = in_space(rng, task.agent_action_space, (4, task.n_agents))
        chosen_legal = np.take_along_axis(mask, actions[..., None], axis=-1)[..., 0]
        outcome = engine.step(actions).outcome
        counted = outcome.kpis[..., [kpi.name for kpi in task.kpis].index(names[0])]
        # Where nothing at all is possible the mask allows everything, and a task may count that either way.
        choice = ~mask.all(axis=-1)
        assert np.array_equal((counted > 0)[choice], ~chosen_legal[choice]), f"step {step}"
        assert np.isfinite(outcome.reward_terms).all() and np.isfinite(outcome.kpis).all()
        forbidden += int((~chosen_legal).sum())
    assert forbidden, "the mask forbade nothing in whole episodes of four worlds"


def _wrong_actions(space: spaces.Space) -> list[Any]:
    if isinstance(space, spaces.Discrete):
        n = int(space.n)
        return [-1, n, np.int64(n), 0.5, 1.0, np.nan, "0", None, [0], [[0]], np.zeros(2, int)]
    if isinstance(space, spaces.MultiDiscrete):
        good = np.zeros(space.shape, dtype=np.int64)
        high, low = good.copy(), good.copy()
        high[-1], low[0] = space.nvec[-1], -1
        return [high, low, good.astype(float), good[:-1], good[None], 0, None, "no", [[0], [0, 0]]]
    good = np.zeros(space.shape, dtype=np.float32)
    nan, big = good.copy(), good.copy()
    nan[0], big[-1] = np.nan, 1.01
    return [nan, big, -big, good[:-1], good[None], 0.0, None, "no", good + np.inf, good.astype(bool)]


def test_what_is_no_action_is_refused(case: Case) -> None:
    env = case.env()
    env.reset(seed=2)
    before = env.get_state()
    for action in _wrong_actions(env.action_space):
        with pytest.raises(ValueError, match=r"not in the action space.*allowed are"):
            env.step(action)
    assert_same(env.get_state(), before, "a refused action changed something")
    vector, parallel = case.vector(3), case.parallel()
    vector.reset(seed=2)
    parallel.reset(seed=2)
    good = vector.action_space.sample()
    for actions in (good[:2], good[None], good.astype(complex), np.full_like(good, 99), None):
        with pytest.raises(ValueError, match="not in the action space"):
            vector.step(actions)
    agents = {agent: parallel.action_space(agent).sample() for agent in parallel.agents}
    with pytest.raises(ValueError, match="one for each"):
        parallel.step({**agents, "nobody_0": 0})
    with pytest.raises(ValueError, match="one for each"):
        parallel.step({})
    with pytest.raises(ValueError, match="not in the action space"):
        parallel.step({**agents, parallel.agents[-1]: -7})


def test_ways_to_write_the_same_action(case: Case) -> None:
    """Lists, other integer types and other float types mean the same; the caller's array stays the caller's."""
    env = case.env()
    env.reset(seed=3)
    action = env.action_space.sample()
    if isinstance(env.action_space, spaces.Discrete):
        ways = [int(action), np.int32(action), np.array(action), np.uint8(action)]
    else:
        other = np.int32 if isinstance(env.action_space, spaces.MultiDiscrete) else np.float64
        ways = [action, action.tolist(), action.astype(other)]
    snapshot = env.get_state()
    results = []
    for way in ways:
        env.set_state(snapshot)
        results.append(env.step(way))
        assert_same(results[-1], results[0])


def test_unknown_arguments_are_named(small_case: Case) -> None:
    with pytest.raises(TypeError, match=r"unknown arguments chunk;.*chunk_steps"):
        small_case.env(chunk=3)
    with pytest.raises(ValueError, match="unknown preset 'nowhere'"):
        type(small_case.env())(small_case.name, preset="nowhere")
    with pytest.raises(ValueError, match="max_episode_steps = 0: allowed are 1 to"):
        small_case.env(max_episode_steps=0)
    with pytest.raises(ValueError, match="chunk_steps = 0: allowed are 1 to"):
        small_case.env(chunk_steps=0)
    with pytest.raises(ValueError, match="n_worlds = 0"):
        small_case.env(n_worlds=0)
    with pytest.raises(ValueError, match="chunk_steps cuts them"):
        small_case.env(n_worlds=2, chunk_steps=3)
    with pytest.raises(ValueError, match="parallel worlds = 0"):
        small_case.vector(0)
    with pytest.raises(ValueError, match="mean the same"):
        small_case.parallel(max_cycles=3, max_episode_steps=3)
