"""The checkers of the libraries themselves, with every warning an error, and what they forget to check."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pettingzoo
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env, data_equivalence
from pettingzoo.test import api_test, parallel_api_test
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from .cases import Case, assert_same


@pytest.fixture(autouse=True)
def gymnasium_warnings_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(message: str, *arguments: object) -> None:
        raise AssertionError(message % arguments if arguments else message)

    monkeypatch.setattr(gym.logger, "warn", fail)


def test_gymnasium(case: Case) -> None:
    check_env(gym.make(case.entry.id, preset=case.preset).unwrapped, skip_render_check=True)


def test_stable_baselines3(case: Case) -> None:
    sb3_check_env(gym.make(case.entry.id, preset=case.preset).unwrapped)


def test_passes_through_make_and_reports_plain_numbers(case: Case) -> None:
    env = gym.make(case.entry.id, preset=case.preset)
    observation, info = env.reset(seed=5)
    assert observation.dtype == np.float32 and observation.shape == env.observation_space.shape
    assert env.action_space.contains(env.action_space.sample(mask=info.get("action_mask")))
    _, reward, terminated, truncated, info = env.step(env.action_space.sample(mask=info.get("action_mask")))
    assert type(reward) is float and type(terminated) is bool and type(truncated) is bool
    task = env.unwrapped.task
    for kpi in task.kpis:
        assert type(info[kpi.name]) is float, kpi.name
    assert type(info["dt_s"]) is float and info["dt_s"] == task.dt_s > 0
    assert list(info["reward_terms"]) == [term.name for term in task.reward_terms]
    assert all(type(value) is float for value in info["reward_terms"].values())
    weighted = sum(term.weight * info["reward_terms"][term.name] for term in task.reward_terms)
    assert reward == pytest.approx(weighted, abs=1e-9)
    if isinstance(task.agent_action_space, spaces.Discrete):
        masks = np.array(info["action_mask"])
        assert masks.dtype == np.int8 and env.action_space.contains(env.action_space.sample(info["action_mask"]))
        assert np.array_equal(env.unwrapped.action_masks(), masks.ravel().astype(bool))
    assert env.spec.to_json()
    env.close()
    env.close()


def test_whole_episode_stays_in_the_spaces(case: Case) -> None:
    """Finite, inside the declared limits, a legal action for everybody, and the length that the task says."""
    env = case.env()
    _, info = env.reset(seed=8)
    low, high = env.observation_space.low, env.observation_space.high
    assert np.isfinite(low).all() and np.isfinite(high).all()
    for step in range(env.task.episode_steps):
        action = env.action_space.sample(mask=info.get("action_mask"))
        observation, reward, terminated, truncated, info = env.step(action)
        outside = np.flatnonzero((observation < low) | (observation > high) | ~np.isfinite(observation))
        assert not len(outside), f"step {step}: entries {outside} = {observation[outside]}"
        assert np.isfinite(reward)
        assert np.isfinite([info[kpi.name] for kpi in env.task.kpis]).all()
        assert np.isfinite(list(info["reward_terms"].values())).all()
        if "action_mask" in info:
            assert np.array(info["action_mask"]).any(axis=-1).all(), f"step {step}: no legal action"
        if terminated or truncated:
            break
    assert terminated or step == env.task.episode_steps - 1
    with pytest.raises(gym.error.ResetNeeded):
        env.step(env.action_space.sample())


def test_two_environments_with_one_seed_are_one(case: Case) -> None:
    """Gymnasium's checker compares one step; this compares 50, exactly."""
    first, second = case.env(), case.env()
    assert data_equivalence(first.reset(seed=3), second.reset(seed=3), exact=True)
    first.action_space.seed(1)
    for step in range(50):
        action = first.action_space.sample()
        one, other = first.step(action), second.step(action)
        assert data_equivalence(one, other, exact=True), f"step {step}"
        if one[2] or one[3]:
            assert data_equivalence(first.reset(), second.reset(), exact=True)


def test_seeds_and_episodes_are_different_worlds(case: Case) -> None:
    env = case.env()

    def start(seed: int | None) -> tuple[bytes, ...]:
        observations = [env.reset(seed=seed)[0]]
        env.action_space.seed(0)
        for _ in range(min(8, env.task.episode_steps - 1)):
            observations.append(env.step(env.action_space.sample())[0])
        return tuple(observation.tobytes() for observation in observations)

    worlds = [start(1), start(None), start(None), start(2)]
    assert len(set(worlds)) == 4
    assert worlds[:3] == [start(1), start(None), start(None)]


def test_unseeded_environments_are_random_and_repeatable(case: Case) -> None:
    first, second = case.env(), case.env()
    observation, _ = first.reset()
    second.reset()
    assert first.np_random_seed != second.np_random_seed
    assert np.array_equal(second.reset(seed=first.np_random_seed)[0], observation)


def test_truncates_where_asked(small_case: Case) -> None:
    """Gymnasium's TimeLimit, the batch's own counter and PettingZoo's max_cycles mean the same."""
    limited = gym.make(small_case.entry.id, preset=small_case.preset, max_episode_steps=4)
    batch = gym.make_vec(small_case.entry.id, 2, preset=small_case.preset, max_episode_steps=4)
    parallel = pettingzoo.make("parallel", small_case.entry.id, preset=small_case.preset, max_cycles=4)
    limited.reset(seed=0)
    batch.reset(seed=0)
    parallel.reset(seed=0)
    for step in range(4):
        assert parallel.agents
        assert limited.step(limited.action_space.sample())[3] is (step == 3)
        assert batch.step(batch.action_space.sample())[3].tolist() == [step == 3] * 2
        parallel.step({agent: parallel.action_space(agent).sample() for agent in parallel.agents})
    assert not parallel.agents


def test_pettingzoo(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    env = pettingzoo.make("parallel", case.entry.id, preset=case.preset)
    parallel_api_test(env, num_cycles=env.task.episode_steps + 10)
    api_test(pettingzoo.make("aec", case.entry.id, preset=case.preset), num_cycles=20)


def test_pettingzoo_seeds(case: Case) -> None:
    """The library's own seed test stops after one step."""
    first, second = case.parallel(), case.parallel()
    assert_same(first.reset(seed=42), second.reset(seed=42))
    for i, agent in enumerate(first.possible_agents):
        first.action_space(agent).seed(42 + i)
    for _ in range(min(50, first.task.episode_steps)):
        actions = {agent: first.action_space(agent).sample() for agent in first.agents}
        assert_same(first.step(actions), second.step(actions))
        assert np.array_equal(first.state(), second.state())
        assert first.state() in first.state_space


def test_agents_live_until_the_end(small_case: Case) -> None:
    env = small_case.parallel()
    env.reset(seed=1)
    expected = [f"{env.task.agent_name}_{i}" for i in range(env.task.n_agents)]
    for _ in range(env.task.episode_steps):
        assert env.agents == env.possible_agents == expected
        actions = {agent: env.action_space(agent).sample() for agent in env.agents}
        *_, terminations, truncations, infos = env.step(actions)
        assert set(infos) == set(expected)
        if any(terminations.values()):
            break
    assert all(terminations.values()) or all(truncations.values())
    assert not env.agents


def test_vector_reward(small_case: Case) -> None:
    scalar = gym.make(small_case.entry.id, preset=small_case.preset)
    vector = gym.make(small_case.entry.vector_reward_id, preset=small_case.preset)
    scalar.reset(seed=2)
    vector.reset(seed=2)
    space = vector.unwrapped.reward_space
    assert space.shape == (vector.unwrapped.reward_dim,) and space.dtype == np.float32
    for _ in range(5):
        action = scalar.action_space.sample()
        reward, terms = scalar.step(action)[1], vector.step(action)[1]
        assert terms in space
        assert float(terms @ vector.unwrapped.reward_weights) == pytest.approx(reward, rel=1e-5, abs=1e-5)
