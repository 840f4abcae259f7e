"""A running environment can be saved, pickled and continued, exactly."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from ntn_gym.interfaces.sb3 import NTNVecEnv

from .cases import Case, assert_differs, assert_same, central_actions

WAYS = {"endless": {}, "chunked": {"chunk_steps": 7}, "pool": {"n_worlds": 3}}


def _run(env: Any, actions: np.ndarray) -> list[Any]:
    """Steps of a single environment that goes on with its next episode."""
    results: list[Any] = []
    for action in actions:
        result = env.step(action)
        results.append(result)
        if result[2] or result[3]:
            results.append(env.reset())
    return results


@pytest.mark.parametrize("way", WAYS)
def test_single(case: Case, way: str) -> None:
    env = case.env(max_episode_steps=15, **WAYS[way])
    actions = central_actions(np.random.default_rng(0), env.task, 60)
    env.reset(seed=12)
    _run(env, actions[:20])
    snapshot = env.get_state()
    kept = copy.deepcopy(snapshot)
    expected = _run(env, actions[20:])
    assert_same(snapshot, kept, "the environment went on in its own snapshot")
    env.set_state(snapshot)
    assert_same(_run(env, actions[20:]), expected)
    env.reset(seed=99)
    env.set_state(snapshot)
    assert_same(_run(env, actions[20:]), expected)
    fresh = case.env(max_episode_steps=15, **WAYS[way])
    fresh.set_state(pickle.loads(pickle.dumps(snapshot)))
    assert_same(_run(fresh, actions[20:]), expected)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_batch(small_case: Case, mode: AutoresetMode, way: str) -> None:
    def build() -> Any:
        return small_case.vector(4, autoreset_mode=mode, max_episode_steps=9, **WAYS[way])

    env = build()
    rng = np.random.default_rng(1)
    actions = [central_actions(rng, env.task, 4) for _ in range(45)]
    env.reset(seed=3)
    env.reset(options={"reset_mask": np.array([True, False, False, False])})
    before = [env.step(action) for action in actions[:18]]  # some worlds wait for their reset here
    snapshot, pickled = env.get_state(), pickle.dumps(env)
    expected = [list(env.step(action)) for action in actions[18:]]
    env.set_state(snapshot)
    assert_same([list(env.step(action)) for action in actions[18:]], expected)
    fresh = build()
    fresh.set_state(snapshot)
    assert_same([list(fresh.step(action)) for action in actions[18:]], expected)
    loaded = pickle.loads(pickled)
    assert_same([list(loaded.step(action)) for action in actions[18:]], expected)
    assert_differs([list(result) for result in before], expected)


def test_parallel(small_case: Case) -> None:
    env = small_case.parallel()
    env.reset(seed=4)
    task, rng = env.task, np.random.default_rng(2)

    def step(one: Any, actions: np.ndarray) -> Any:
        return one.step(dict(zip(one.agents, actions, strict=True)))

    choices = [
        [env.action_space(agent).sample() for agent in env.possible_agents]
        for _ in range(min(16, task.episode_steps - 1))
    ]
    rng.shuffle(choices)
    for actions in choices[:5]:
        step(env, actions)
    snapshot, loaded = env.get_state(), pickle.loads(pickle.dumps(env))
    expected = [step(env, actions) for actions in choices[5:]]
    env.set_state(snapshot)
    assert_same([step(env, actions) for actions in choices[5:]], expected)
    assert loaded.agents == env.agents
    assert_same([step(loaded, actions) for actions in choices[5:]], expected)


def test_stable_baselines3(small_case: Case) -> None:
    env = NTNVecEnv(small_case.name, 3, preset=small_case.preset, random_start=True)
    env.seed(5)
    env.reset()
    rng = np.random.default_rng(3)
    actions = [central_actions(rng, env.task, 3) for _ in range(20)]
    for action in actions[:8]:
        env.step(action)
    loaded = pickle.loads(pickle.dumps(env))
    assert_same(
        [list(env.step(action)) for action in actions[8:]],
        [list(loaded.step(action)) for action in actions[8:]],
    )


def test_pickle_in_mid_episode(case: Case) -> None:
    """The environment, its sampling spaces and its generator go on as if nothing had happened."""
    env = case.env()
    env.reset(seed=6)
    env.action_space.seed(0)
    for _ in range(4):
        env.step(env.action_space.sample())
    loaded = pickle.loads(pickle.dumps(env))
    clone = copy.deepcopy(env)
    n_steps = min(30, env.task.episode_steps - 5)
    expected = [env.step(env.action_space.sample()) for _ in range(n_steps)]
    for other in (loaded, clone):
        assert_same([other.step(other.action_space.sample()) for _ in range(n_steps)], expected)
        assert other.np_random.bit_generator.state == env.np_random.bit_generator.state


def test_pickle_before_the_first_reset(small_case: Case) -> None:
    env = pickle.loads(pickle.dumps(small_case.env()))
    assert_same(env.reset(seed=1), small_case.env().reset(seed=1))
    with pytest.raises(ValueError, match="before reset"):
        env.set_state(small_case.env().get_state())


def test_a_snapshot_of_another_size_is_refused(small_case: Case) -> None:
    two, three = small_case.vector(2), small_case.vector(3)
    two.reset(seed=1)
    three.reset(seed=1)
    with pytest.raises(ValueError, match="holds 2 worlds, this engine 3"):
        three.set_state(two.get_state())
