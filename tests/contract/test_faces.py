"""All faces show the same worlds: a batch of n is n single environments, bit for bit, in every autoreset mode."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import DictInfoToList

from ntn_gym.interfaces.sb3 import NTNVecEnv

from .cases import Case, assert_same, central_actions, plain

SEEDS = [11, 4, 2_000_003]


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_batch_is_the_single_environments(case: Case, mode: AutoresetMode) -> None:
    """Beside Gymnasium's own SyncVectorEnv of single environments: same numbers, same infos, over several episodes."""
    native = case.vector(len(SEEDS), autoreset_mode=mode, max_episode_steps=6)
    single = SyncVectorEnv([lambda: case.env(max_episode_steps=6) for _ in SEEDS], autoreset_mode=mode)
    assert native.metadata["autoreset_mode"] is mode
    assert native.action_space == single.action_space and native.observation_space == single.observation_space
    one, other = DictInfoToList(native), DictInfoToList(single)
    rng = np.random.default_rng(0)
    assert_same(plain(one.reset(seed=SEEDS)), plain(other.reset(seed=SEEDS)))
    ended = np.zeros(len(SEEDS), dtype=bool)
    for step in range(20):
        partial = np.array([False, step == 3, step == 5])  # from here on the episodes end at different times
        if mode is AutoresetMode.DISABLED:
            partial |= ended
        if partial.any():
            reset = [env.reset(options={"reset_mask": partial.copy()}) for env in (one, other)]
            assert_same(plain(reset[0]), plain(reset[1]), f"reset at step {step}")
        actions = central_actions(rng, native.task, len(SEEDS))
        results = [env.step(actions) for env in (one, other)]
        assert_same(plain(list(results[0])), plain(list(results[1])), f"step {step}")
        ended = results[0][2] | results[0][3]


def test_batch_size_changes_nothing(case: Case) -> None:
    """World 2 of five is world 0 of one: observations, rewards, KPIs and masks, past the end of an episode."""
    many, alone = case.vector(5, max_episode_steps=9), case.vector(1, max_episode_steps=9)
    seeds = [31, 32, 77, 33, 34]
    assert np.array_equal(many.reset(seed=seeds)[0][2:3], alone.reset(seed=[77])[0])
    rng = np.random.default_rng(1)
    for step in range(22):
        actions = central_actions(rng, many.task, 5)
        batch, single = many.step(actions), alone.step(actions[2:3])
        for one, other in zip(batch[:4], single[:4], strict=True):
            assert np.array_equal(one[2:3], other), f"step {step}"
        assert_same(_world(batch[4], 2), _world(single[4], 0), f"step {step}")
        assert np.array_equal(many.action_masks()[2:3], alone.action_masks()) if _discrete(many) else True


def _discrete(env: Any) -> bool:
    return isinstance(env.task.agent_action_space, spaces.Discrete)


def _world(info: dict[str, Any], world: int) -> dict[str, Any]:
    return {k: _world(v, world) if isinstance(v, dict) else v[world].tolist() for k, v in info.items()}


@pytest.mark.parametrize("chunk_steps", [1, 7])
def test_chunk_length_changes_nothing(case: Case, chunk_steps: int) -> None:
    n = 3
    whole = case.vector(n, max_episode_steps=12, autoreset_mode=AutoresetMode.SAME_STEP)
    cut = case.vector(n, max_episode_steps=12, autoreset_mode=AutoresetMode.SAME_STEP, chunk_steps=chunk_steps)
    rng = np.random.default_rng(2)
    assert_same(whole.reset(seed=5), cut.reset(seed=5))
    for step in range(40):
        if step in (4, 9):
            mask = np.arange(n) == step % n
            options = [{"reset_mask": mask.copy()} for _ in range(2)]
            assert_same(whole.reset(options=options[0]), cut.reset(options=options[1]))
        actions = central_actions(rng, whole.task, n)
        assert_same(list(whole.step(actions)), list(cut.step(actions)), f"step {step}")


@pytest.mark.slow
def test_batch_and_chunks_through_whole_episodes(any_case: Case) -> None:
    """Every preset, past the end of a whole episode: worlds in a batch, cut into chunks, against worlds alone."""
    chunk_steps = min(37, any_case.task().episode_steps)
    batch = any_case.vector(3, autoreset_mode=AutoresetMode.SAME_STEP, chunk_steps=chunk_steps)
    single = SyncVectorEnv([lambda: any_case.env()] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
    one, other = DictInfoToList(batch), DictInfoToList(single)
    assert_same(plain(one.reset(seed=SEEDS)), plain(other.reset(seed=SEEDS)))
    rng = np.random.default_rng(9)
    for step in range(batch.task.episode_steps + 20):
        actions = central_actions(rng, batch.task, 3)
        assert_same(plain(list(one.step(actions))), plain(list(other.step(actions))), f"step {step}")


def test_make_vec_in_its_three_ways(small_case: Case) -> None:
    native = gym.make_vec(small_case.entry.id, 2, preset=small_case.preset)
    sync = gym.make_vec(small_case.entry.id, 2, vectorization_mode="sync", preset=small_case.preset)
    assert_same(plain(native.reset(seed=9)[0]), plain(sync.reset(seed=9)[0]))
    for mode in AutoresetMode:
        env = gym.make_vec(small_case.entry.id, 2, preset=small_case.preset, autoreset_mode=mode)
        assert env.metadata["autoreset_mode"] is mode
        env.reset(seed=1)
        env.step(env.action_space.sample())
    recorded = gym.wrappers.vector.RecordEpisodeStatistics(native)
    recorded.reset(seed=1)
    recorded.step(recorded.action_space.sample())
    normalised = gym.wrappers.vector.NormalizeObservation(native)
    normalised.reset(seed=1)
    native.close()


def test_vector_rewards_are_float64_and_vector_rewards_float32(small_case: Case) -> None:
    env = small_case.vector(3)
    terms = small_case.vector(3, vector_reward=True)
    env.reset(seed=1)
    terms.reset(seed=1)
    actions = env.action_space.sample()
    scalar, vector = env.step(actions)[1], terms.step(actions)[1]
    assert scalar.dtype == np.float64 and vector.dtype == np.float32 and vector.shape == (3, terms.reward_dim)
    np.testing.assert_allclose(vector @ terms.reward_weights, scalar, rtol=1e-5, atol=1e-5)


def test_disabled_mode_insists_on_a_reset(small_case: Case) -> None:
    env = small_case.vector(2, autoreset_mode=AutoresetMode.DISABLED, max_episode_steps=2)
    with pytest.raises(gym.error.ResetNeeded):
        env.step(env.action_space.sample())
    env.reset(seed=1)
    env.step(env.action_space.sample())
    env.step(env.action_space.sample())
    with pytest.raises(gym.error.ResetNeeded, match="reset_mask"):
        env.step(env.action_space.sample())
    with pytest.raises(TypeError, match="boolean"):
        env.reset(options={"reset_mask": [True, True]})
    with pytest.raises(ValueError, match="at least one True"):
        env.reset(options={"reset_mask": np.zeros(2, dtype=bool)})
    with pytest.raises(ValueError, match="3 seeds for 2 worlds"):
        env.reset(seed=[1, 2, 3])


def test_returned_arrays_belong_to_the_caller(case: Case) -> None:
    """Overwriting everything a step returned changes nothing that follows."""
    spoiled, clean = case.vector(2, max_episode_steps=5), case.vector(2, max_episode_steps=5)
    rng = np.random.default_rng(3)
    results = [spoiled.reset(seed=1), clean.reset(seed=1)]
    for step in range(12):
        assert_same(list(results[0]), list(results[1]), f"step {step}")
        actions = central_actions(rng, clean.task, 2)
        _spoil(list(results[0]))
        results = [spoiled.step(actions.copy()), clean.step(actions)]


def _spoil(data: Any) -> None:
    if isinstance(data, np.ndarray):
        data[...] = True if data.dtype == bool else 1
    elif isinstance(data, dict):
        for value in data.values():
            _spoil(value)
    elif isinstance(data, list):
        for value in data:
            _spoil(value)


def test_agents_apart_are_the_agents_together(case: Case) -> None:
    """The parallel environment: same observations side by side, rewards whose mean is the central one."""
    apart, together = case.parallel(), case.env()
    observations, infos = apart.reset(seed=6)
    observation, _ = together.reset(seed=6)
    rng = np.random.default_rng(4)
    for step in range(min(25, together.task.episode_steps)):
        assert np.array_equal(np.concatenate(list(observations.values())), observation), f"step {step}"
        assert np.array_equal(apart.state(), observation)
        if _discrete(together):
            masks = np.concatenate([info["action_mask"] for info in infos.values()]).astype(bool)
            assert np.array_equal(masks, together.action_masks())
        action = central_actions(rng, together.task, 1)[0]
        split = np.reshape(action, (together.task.n_agents, -1))
        each = dict(zip(apart.agents, split[:, 0] if _discrete(together) else split, strict=True))
        observations, rewards, terminations, _, infos = apart.step(each)
        observation, reward, terminated, _, info = together.step(action)
        assert all(type(value) is float for value in rewards.values())
        assert np.mean(list(rewards.values())) == pytest.approx(reward, rel=1e-12, abs=1e-12)
        for kpi in together.task.kpis:
            mean = np.mean([agent[kpi.name] for agent in infos.values()])
            assert mean == pytest.approx(info[kpi.name], rel=1e-12, abs=1e-12)
        if terminated:
            assert all(terminations.values())
            break


@pytest.mark.parametrize("agents_as_envs", [False, True])
def test_stable_baselines3_sees_the_same(case: Case, agents_as_envs: bool) -> None:
    """Beside the Gymnasium batch in SAME_STEP mode, which is what that library expects."""
    n = 3
    env = NTNVecEnv(case.name, n, preset=case.preset, agents_as_envs=agents_as_envs, max_episode_steps=6)
    batch = case.vector(n, autoreset_mode=AutoresetMode.SAME_STEP, max_episode_steps=6)
    per_world = batch.task.n_agents if agents_as_envs else 1
    assert env.num_envs == n * per_world
    env.seed(21)
    observation = env.reset()
    expected, _ = batch.reset(seed=21)
    rng = np.random.default_rng(5)
    for step in range(15):
        assert observation.dtype == np.float32
        assert np.array_equal(observation.reshape(n, -1), expected), f"step {step}"
        if _discrete(batch):
            assert env.has_attr("action_masks")
            masks = np.stack(env.env_method("action_masks"))
            assert masks.dtype == bool and masks.shape[0] == env.num_envs
            assert np.array_equal(masks.reshape(n, -1), batch.action_masks())
        actions = central_actions(rng, batch.task, n)
        shape = (env.num_envs, *(env.action_space.shape or ()))
        observation, reward, done, infos = env.step(actions.reshape(shape))
        expected, mean, terminated, truncated, info = batch.step(actions)
        assert reward.dtype == np.float32
        np.testing.assert_allclose(reward.reshape(n, -1).mean(axis=1), mean, rtol=1e-5, atol=1e-6)
        assert np.array_equal(done, np.repeat(terminated | truncated, per_world))
        for i, one in enumerate(infos):
            world = i // per_world
            assert one["TimeLimit.truncated"] == bool(truncated[world] and not terminated[world])
            assert ("terminal_observation" in one) == bool(done[i])
            if done[i]:
                final = info["final_obs"][world].reshape(per_world, -1)
                assert np.array_equal(one["terminal_observation"], final[i % per_world])
        for kpi in batch.task.kpis:
            source = info["final_info"] if (terminated | truncated).any() else info
            means = np.reshape([one[kpi.name] for one in infos], (n, -1)).mean(axis=1)
            shown = source[f"_{kpi.name}"]
            np.testing.assert_allclose(means[shown], source[kpi.name][shown], rtol=1e-12, atol=1e-12)
    env.close()


def test_pool_of_worlds_repeats_them(small_case: Case) -> None:
    env = small_case.vector(4, n_worlds=2, max_episode_steps=3, autoreset_mode=AutoresetMode.SAME_STEP)
    starts = {row.tobytes() for row in env.reset(seed=0)[0]}
    for _ in range(30):
        observation, *_, info = env.step(env.action_space.sample())
        starts |= {row.tobytes() for row in observation[info.get("_final_obs", np.zeros(4, bool))]}
    fresh = small_case.vector(2)
    assert starts == {row.tobytes() for row in fresh.reset(seed=0)[0]}, "two worlds, those of seeds 0 and 1"
