"""Masks inside the observation, in both spellings."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pettingzoo
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

from ntn_gym.interfaces.masks import MaskObservation, ParallelMaskObservation

ONE = {"preset": "tiny"}
SEVERAL = {"preset": "tiny", "scenario": {"users": {"count": 3}}}


@pytest.mark.parametrize("key", ["observation", "observations"])
@pytest.mark.parametrize("arguments", [ONE, SEVERAL])
def test_single_environment(key: str, arguments: dict) -> None:
    plain = gym.make("NTN/Handover-v0", **arguments)
    env = MaskObservation(gym.make("NTN/Handover-v0", **arguments), key)
    n_agents, n_actions = plain.unwrapped.task.n_agents, plain.unwrapped.task.n_slots
    shape = (n_actions,) if n_agents == 1 else (n_agents, n_actions)
    assert env.observation_space["action_mask"].shape == shape
    seen, info = env.reset(seed=1)
    expected, _ = plain.reset(seed=1)
    for _ in range(20):
        assert set(seen) == {key, "action_mask"} and seen in env.observation_space
        assert np.array_equal(seen[key], expected)
        assert np.array_equal(seen["action_mask"].ravel(), plain.unwrapped.action_masks())
        assert not np.shares_memory(seen["action_mask"], np.asarray(info["action_mask"]))
        action = plain.action_space.sample(mask=info["action_mask"])
        seen, _, _, _, info = env.step(action)
        expected, *_ = plain.step(action)


@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
def test_gymnasium_accepts_it() -> None:
    check_env(MaskObservation(gym.make("NTN/Handover-v0", **ONE)), skip_render_check=True)


@pytest.mark.parametrize("key", ["observation", "observations"])
def test_parallel_environment(key: str) -> None:
    env = ParallelMaskObservation(pettingzoo.make("parallel", "NTN/Handover-v0", **SEVERAL), key)
    observations, infos = env.reset(seed=1)
    for agent, observation in observations.items():
        assert observation in env.observation_space(agent)
        assert env.observation_space(agent) is env.observation_space(agent)
        assert np.array_equal(observation["action_mask"], infos[agent]["action_mask"])


def test_pettingzoo_plays_only_legal_actions_then() -> None:
    """Its test reads masks from observations; without them it would choose empty slots again and again."""
    steps, forbidden = 0, 0

    class Watched(ParallelMaskObservation):
        last: dict

        def reset(self, *arguments: object, **named: object) -> tuple:
            result = super().reset(*arguments, **named)
            self.last = result[0]
            return result

        def step(self, actions: dict) -> tuple:
            nonlocal steps, forbidden
            steps += 1
            forbidden += sum(not self.last[agent]["action_mask"][action] for agent, action in actions.items())
            result = super().step(actions)
            self.last = result[0]
            return result

    parallel_api_test(Watched(pettingzoo.make("parallel", "NTN/Handover-v0", **SEVERAL)), num_cycles=200)
    assert steps == 400 and forbidden == 0


def test_foreign_environments_are_refused() -> None:
    with pytest.raises(TypeError, match="needs an environment of ntn_gym"):
        MaskObservation(gym.make("CartPole-v1"))
