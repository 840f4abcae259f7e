"""The environment as a training loop wants it: no infos that nobody reads, and a clock."""

from __future__ import annotations

from time import perf_counter
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from ntn_gym.interfaces.build import CommonArguments
from ntn_gym.interfaces.sb3 import NTNVecEnv


class TrainingVecEnv(NTNVecEnv):
    """`NTNVecEnv` that begins at random steps, leaves infos lean and measures itself.

    Attributes:
        seconds: Time that steps have taken so far.
    """

    def __init__(
        self,
        environment: str,
        n_envs: int = 1,
        *,
        agents_as_envs: bool = False,
        team: float = 0.0,
        **arguments: Unpack[CommonArguments],
    ) -> None:
        """Build the environment; see `NTNVecEnv`.

        Args:
            environment: Name or id.
            n_envs: Number of worlds.
            agents_as_envs: Show every agent as an environment.
            team: Share of the mean reward of all agents of the world in the reward of each (with ``agents_as_envs``).
            **arguments: See `CommonArguments`.
        """
        super().__init__(
            environment, n_envs, agents_as_envs=agents_as_envs, random_start=True, full_infos=False, **arguments
        )
        self._team = np.float32(team)
        self.seconds = 0.0

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions of the next step."""
        begun = perf_counter()
        super().step_async(actions)
        self.seconds += perf_counter() - begun

    def step_wait(self) -> VecEnvStepReturn:
        """Step all worlds."""
        begun = perf_counter()
        observation, reward, done, infos = super().step_wait()
        if self._team and self._per_world > 1:
            own = reward.reshape(-1, self._per_world)
            reward = (own + self._team * (own.mean(axis=1, keepdims=True) - own)).reshape(-1)
        self.seconds += perf_counter() - begun
        return observation, reward, done, infos
