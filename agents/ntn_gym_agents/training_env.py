"""The environment as a training loop wants it: numbers in arrays, and a clock."""

from __future__ import annotations

from time import perf_counter
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from ntn_gym.core.engine import StepResult
from ntn_gym.core.task import Outcome
from ntn_gym.interfaces.build import CommonArguments
from ntn_gym.interfaces.sb3 import NTNVecEnv


class TrainingVecEnv(NTNVecEnv):
    """`NTNVecEnv` whose infos hold what algorithms read and nothing else.

    One dictionary of KPIs, reward terms and mask per environment and step costs more than the step itself.
    Here they stay in the arrays of ``outcome``.

    Attributes:
        outcome: KPIs and reward terms of the last step, arrays [B, A, n].
        seconds: Time that steps have taken so far.
    """

    def __init__(
        self,
        environment: str,
        n_envs: int = 1,
        *,
        agents_as_envs: bool = False,
        random_start: bool = True,
        **arguments: Unpack[CommonArguments],
    ) -> None:
        """Build the environment; see `NTNVecEnv`."""
        super().__init__(environment, n_envs, agents_as_envs=agents_as_envs, random_start=random_start, **arguments)
        self.outcome: Outcome | None = None
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

    def _step_infos(self, result: StepResult) -> list[dict[str, Any]]:
        self.outcome = result.outcome
        timed_out = np.repeat(result.truncated & ~result.terminated, self._per_world)
        return [{"TimeLimit.truncated": flag} for flag in timed_out.tolist()]
