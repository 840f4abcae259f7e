"""A trained network as a policy of ntn_gym: for worlds and agents, with masks and memory where it has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from stable_baselines3.common.policies import BasePolicy


class SharedPolicy:
    """One network that decides for every agent from the agent's own observation.

    Attributes:
        manifest: What is known of the policy; empty for one in training.
    """

    _what = "observations"
    _which = "the number of slots"

    def __init__(
        self, policy: BasePolicy, *, deterministic: bool = True, manifest: Mapping[str, Any] | None = None
    ) -> None:
        """Wrap a policy of Stable-Baselines3.

        Args:
            policy: The network.
            deterministic: Take the best action and do not draw one.
            manifest: What is known of it.
        """
        self._policy = policy
        self._deterministic = deterministic
        self._takes_mask = isinstance(policy, MaskableActorCriticPolicy)
        self._remembers = isinstance(policy, RecurrentActorCriticPolicy)
        self._memory: Any = None
        self.manifest = dict(manifest or {})

    def reset(self, n_worlds: int) -> None:
        """Forget everything; B worlds start."""
        self._memory = None

    def act(
        self, observation: NDArray[np.float32], mask: NDArray[np.bool_] | None, restarted: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Choose actions [B, A] (or [B, A, n]) for observations [B, A, obs].

        Raises:
            ValueError: If the observation is not of the size that the network was trained for.
        """
        n_worlds, n_agents, _ = observation.shape
        rows = self._rows(observation)
        self._check(rows.shape[1])
        extra: dict[str, Any] = {}
        if self._takes_mask and mask is not None:
            extra["action_masks"] = mask.reshape(len(rows), -1)
        if self._remembers:
            extra["episode_start"] = np.repeat(restarted, len(rows) // n_worlds)
            extra["state"] = self._memory
        action, self._memory = self._policy.predict(rows, deterministic=self._deterministic, **extra)
        components = (-1,) if isinstance(self._policy.action_space, spaces.Box) else ()
        return action.reshape(n_worlds, n_agents, *components)

    def _rows(self, observation: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the network sees, one row per decision."""
        return observation.reshape(-1, observation.shape[2])

    def _check(self, size: int) -> None:
        expected = self._policy.observation_space.shape
        if expected != (size,):
            origin = f"{self.manifest.get('environment', 'unknown')}, preset {self.manifest.get('preset', 'unknown')}"
            raise ValueError(
                f"this policy was trained on {self._what} of {expected} numbers, here they have {size}: use it with "
                f"the environment and {self._which} of its training ({origin})"
            )


class CentralPolicy(SharedPolicy):
    """One network that sees all agents of a world and decides for all of them."""

    _what = "observations of all agents"
    _which = "the number of agents"

    def _rows(self, observation: NDArray[np.float32]) -> NDArray[np.float32]:
        return observation.reshape(len(observation), -1)


def player(policy: BasePolicy, control: str, **more: Any) -> SharedPolicy:
    """Wrap a network that was trained under ``shared`` or ``central`` control."""
    return CentralPolicy(policy, **more) if control == "central" else SharedPolicy(policy, **more)
