"""The environment as a training loop wants it: no infos that nobody reads, and a clock."""

from __future__ import annotations

from time import perf_counter
from typing import Any, Unpack

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
        self, environment: str, n_envs: int = 1, *, agents_as_envs: bool = False, **arguments: Unpack[CommonArguments]
    ) -> None:
        """Build the environment; see `NTNVecEnv`."""
        super().__init__(
            environment, n_envs, agents_as_envs=agents_as_envs, random_start=True, full_infos=False, **arguments
        )
        self.seconds = 0.0

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions of the next step."""
        begun = perf_counter()
        super().step_async(actions)
        self.seconds += perf_counter() - begun

    def step_wait(self) -> VecEnvStepReturn:
        """Step all worlds."""
        begun = perf_counter()
        returned = super().step_wait()
        self.seconds += perf_counter() - begun
        return returned
