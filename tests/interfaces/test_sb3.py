"""Stable-Baselines3 and sb3-contrib train on the adapter, and its statistics are right."""

from __future__ import annotations

import numpy as np
import pytest
from sb3_contrib import MaskablePPO
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

from ntn_gym.interfaces.env import NTNEnv
from ntn_gym.interfaces.sb3 import NTNVecEnv

THREE_USERS = {"preset": "tiny", "scenario": {"users": {"count": 3}}}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def test_ppo_trains_with_monitor_and_normalisation() -> None:
    env = VecMonitor(NTNVecEnv("Handover", 4, preset="tiny", max_episode_steps=20, random_start=True))
    model = PPO("MlpPolicy", VecNormalize(env), n_steps=16, batch_size=32, n_epochs=1, seed=0, device="cpu")
    model.learn(192)
    assert model.num_timesteps == 192
    lengths = {episode["l"] for episode in model.ep_info_buffer}
    assert lengths and max(lengths) == 20


def test_statistics_are_those_of_the_single_environment() -> None:
    env = VecMonitor(NTNVecEnv("Handover", 2, preset="tiny", max_episode_steps=15), info_keywords=("outage",))
    env.seed(40)
    env.reset()
    single = NTNEnv("Handover", preset="tiny", max_episode_steps=15)
    single.reset(seed=41)
    total = 0.0
    for _ in range(15):
        _, _, done, infos = env.step(np.array([0, 1]))
        _, reward, _, _, info = single.step(1)
        total += reward
    assert done.all()
    assert infos[1]["episode"]["l"] == 15
    assert infos[1]["episode"]["r"] == pytest.approx(total, abs=1e-4)
    assert infos[1]["episode"]["outage"] == info["outage"]


def test_evaluation_is_repeatable() -> None:
    env = VecMonitor(NTNVecEnv("Handover", 3, preset="tiny", max_episode_steps=12))
    model = PPO("MlpPolicy", env, n_steps=8, batch_size=24, seed=0, device="cpu")
    results = []
    for _ in range(2):
        env.seed(2_000_000)
        results.append(evaluate_policy(model, env, n_eval_episodes=6, return_episode_rewards=True))
    assert results[0] == results[1] and results[0][1] == [12] * 6


def test_maskable_ppo_takes_only_legal_actions() -> None:
    for arguments, agents_as_envs in ((THREE_USERS, False), (THREE_USERS, True), ({"preset": "tiny"}, False)):
        env = NTNVecEnv("Handover", 2, agents_as_envs=agents_as_envs, max_episode_steps=40, **arguments)
        illegal = []
        step_wait = env.step_wait

        def watched(step_wait=step_wait, env=env, illegal=illegal) -> tuple:
            forced = np.stack(env.env_method("action_masks")).all()
            result = step_wait()
            if not forced:
                illegal.extend(info["illegal_actions"] for info in result[3])
            return result

        env.step_wait = watched
        model = MaskablePPO("MlpPolicy", env, n_steps=16, batch_size=32, n_epochs=1, seed=0, device="cpu")
        model.learn(16 * env.num_envs * 2)
        assert len(illegal) >= 32 and not any(illegal)


def test_off_policy_learners_bootstrap_at_the_time_limit() -> None:
    env = NTNVecEnv("Handover", 2, preset="tiny", max_episode_steps=5)
    model = DQN("MlpPolicy", env, buffer_size=200, learning_starts=20, seed=0, device="cpu")
    model.learn(60)
    buffer = model.replay_buffer
    assert buffer.dones[:30].sum() == buffer.timeouts[:30].sum() == 2 * 6, "every end is a time limit"
    end = int(np.flatnonzero(buffer.dones[:, 0])[0])
    assert not np.array_equal(buffer.next_observations[end], buffer.observations[end + 1]), "last, not reset"


def test_agents_share_one_policy() -> None:
    env = NTNVecEnv("Handover", 2, agents_as_envs=True, **THREE_USERS)
    assert env.num_envs == 6 and env.observation_space == env.task.agent_observation_space
    PPO("MlpPolicy", env, n_steps=8, batch_size=24, n_epochs=1, seed=0, device="cpu").learn(96)


def test_attributes() -> None:
    env = NTNVecEnv("Handover", 3, preset="tiny", render_mode="rgb_array")
    assert env.get_attr("render_mode") == ["rgb_array"] * 3 and env.render_mode == "rgb_array"
    assert env.get_attr("episode_steps", indices=1) == [env.task.episode_steps]
    assert env.get_attr("spec")[0].id == "NTN/Handover-v0"
    assert env.has_attr("action_masks") and not env.has_attr("no_such_thing")
    env.seed(1)
    env.reset()
    assert [mask.tolist() for mask in env.env_method("action_masks", indices=[2])] == [
        env.get_attr("action_masks")[2]().tolist()
    ]
    with pytest.raises(AttributeError, match="no_such_thing"):
        env.get_attr("no_such_thing")
    with pytest.raises(AttributeError, match="no method 'fly'"):
        env.env_method("fly")
    with pytest.raises(AttributeError, match="share one task"):
        env.set_attr("dt_s", 3)
    assert env.env_is_wrapped(object) == [False] * 3
    tiled, single = env.render(), env.get_images()[0]
    assert tiled.shape == (2 * single.shape[0], 2 * single.shape[1], 3)


def test_seeds_give_the_worlds_of_the_single_environment() -> None:
    env = NTNVecEnv("Handover", 2, preset="tiny")
    env.seed(9)
    first = env.reset()
    single = NTNEnv("Handover", preset="tiny")
    assert np.array_equal(first[1], single.reset(seed=10)[0])
    assert np.array_equal(env.reset()[1], single.reset()[0]), "without a seed: the next episode"
    unseeded = [NTNVecEnv("Handover", 1, preset="tiny").reset() for _ in range(2)]
    assert not np.array_equal(*unseeded)


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="no vector rewards"):
        NTNVecEnv("Handover", 2, vector_reward=True)
    with pytest.raises(ValueError, match="use 'rgb_array'"):
        NTNVecEnv("Handover", 2, render_mode="human")
    with pytest.raises(TypeError, match="unknown arguments n_env"):
        NTNVecEnv("Handover", n_env=2)


def test_lean_infos_tell_the_same_at_the_end() -> None:
    full = NTNVecEnv("Handover", 3, max_episode_steps=4, **THREE_USERS)
    lean = NTNVecEnv("Handover", 3, max_episode_steps=4, full_infos=False, **THREE_USERS)
    for env in (full, lean):
        env.seed(3)
        env.reset()
    for step in range(8):
        actions = np.full((3, 3), step % 2)
        told, short = full.step(actions)[3], lean.step(actions)[3]
        assert np.array_equal(full.outcome.kpis, lean.outcome.kpis) and lean.outcome.kpis.shape[:2] == (3, 3)
        for one, other in zip(told, short, strict=True):
            if step % 4 == 3:
                assert one.keys() == other.keys()
                assert np.array_equal(one["terminal_observation"], other["terminal_observation"])
                assert np.array_equal(one["action_mask"], other["action_mask"])
                assert all(one[kpi.name] == other[kpi.name] for kpi in full.task.kpis)
            else:
                assert other == {"TimeLimit.truncated": False}
