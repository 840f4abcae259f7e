"""Action masks inside the observation, for libraries that look for them there.

========================  =====================  ===============================================
library                   ``observation_key``    wrapper
========================  =====================  ===============================================
PettingZoo, Tianshou,     ``"observation"``      `MaskObservation`, `ParallelMaskObservation`
AgileRL, TorchRL
RLlib                     ``"observations"``     the same
========================  =====================  ===============================================

The mask stays in ``info["action_mask"]``, too, and in ``env.action_masks()`` (MaskablePPO).
"""

from __future__ import annotations

from typing import Any, Literal

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo.utils.wrappers import BaseParallelWrapper

from ntn_gym.interfaces.env import NTNEnv
from ntn_gym.interfaces.parallel import NTNParallelEnv

ObservationKey = Literal["observation", "observations"]
MaskedObservation = dict[str, NDArray[Any]]


def _masked_space(observation: spaces.Space[Any], action: spaces.Space[Any], key: str) -> spaces.Dict:
    if isinstance(action, spaces.Discrete):
        shape: tuple[int, ...] = (int(action.n),)
    elif isinstance(action, spaces.MultiDiscrete):
        shape = (len(action.nvec), int(action.nvec[0]))
    else:
        raise ValueError(f"{action} is continuous: there are no masks")
    return spaces.Dict({key: observation, "action_mask": spaces.Box(0, 1, shape, np.int8)})


def _masked(observation: NDArray[np.float32], info: dict[str, Any], key: str) -> MaskedObservation:
    # Stacking copies: the mask of the info and that of the observation are two arrays.
    return {key: observation, "action_mask": np.array(info["action_mask"], dtype=np.int8)}


class MaskObservation(gym.Wrapper[MaskedObservation, Any, NDArray[np.float32], Any], gym.utils.RecordConstructorArgs):
    """Observation ``{observation_key: vector, "action_mask": int8 [n] or [A, n]}`` of an `NTNEnv`."""

    def __init__(self, env: gym.Env[Any, Any], observation_key: ObservationKey = "observation") -> None:
        """Wrap an environment with discrete actions.

        Raises:
            TypeError: If it is not one of this package.
            ValueError: If its actions are continuous.
        """
        if not isinstance(env.unwrapped, NTNEnv):
            raise TypeError(f"MaskObservation needs an environment of ntn_gym, got {env}")
        # Gymnasium makes a wrapped environment again from its spec by these.
        gym.utils.RecordConstructorArgs.__init__(self, observation_key=observation_key)
        gym.Wrapper.__init__(self, env)
        self._key = observation_key
        self.observation_space = _masked_space(env.observation_space, env.action_space, observation_key)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[MaskedObservation, dict[str, Any]]:
        """Start an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return _masked(observation, info, self._key), info

    def step(self, action: Any) -> tuple[MaskedObservation, Any, bool, bool, dict[str, Any]]:
        """Apply an action."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return _masked(observation, info, self._key), reward, terminated, truncated, info


class ParallelMaskObservation(BaseParallelWrapper[str, MaskedObservation, Any]):
    """The same for every agent of an `NTNParallelEnv`."""

    def __init__(self, env: NTNParallelEnv, observation_key: ObservationKey = "observation") -> None:
        """Wrap an environment with discrete actions.

        Raises:
            ValueError: If its actions are continuous.
        """
        super().__init__(env)
        self._key = observation_key
        self._spaces = {
            agent: _masked_space(env.observation_space(agent), env.action_space(agent), observation_key)
            for agent in env.possible_agents
        }

    def observation_space(self, agent: str) -> spaces.Dict:
        """Observation space of an agent: the same object each time."""
        return self._spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Start an episode."""
        observations, infos = self.env.reset(seed=seed, options=options)
        return {agent: _masked(o, infos[agent], self._key) for agent, o in observations.items()}, infos

    def step(self, actions: dict[str, Any]) -> Any:
        """Apply one action per agent."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        masked = {agent: _masked(o, infos[agent], self._key) for agent, o in observations.items()}
        return masked, rewards, terminated, truncated, infos
