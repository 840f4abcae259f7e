"""Enter every discovered environment into the registries of Gymnasium and PettingZoo."""

from __future__ import annotations

import gymnasium as gym
from pettingzoo.env_registry import register as register_pettingzoo
from pettingzoo.env_registry.registration import aec_registry, parallel_registry

from ntn_gym.core.registry import entries


def register_environments() -> None:
    """Register all environments; calling it again changes nothing."""
    for entry in entries().values():
        for env_id, vector_reward in ((entry.id, False), (entry.vector_reward_id, True)):
            arguments = {"environment": entry.name, "vector_reward": vector_reward}
            if env_id not in gym.registry:
                gym.register(
                    id=env_id,
                    entry_point="ntn_gym.interfaces.env:NTNEnv",
                    vector_entry_point="ntn_gym.interfaces.vector:NTNVectorEnv",
                    # The passive checker insists on scalar rewards; the vector-reward variant has none.
                    disable_env_checker=vector_reward,
                    kwargs=arguments,
                )
            if env_id not in parallel_registry:
                entry_point = "ntn_gym.interfaces.parallel:NTNParallelEnv"
                register_pettingzoo("parallel", env_id, entry_point, kwargs=arguments)
            if env_id not in aec_registry:
                entry_point = "ntn_gym.interfaces.parallel:turn_based"
                register_pettingzoo("aec", env_id, entry_point, kwargs=arguments)


def unregister_environment(env_id: str) -> None:
    """Take one id out of all registries (for environments that come and go, as in tests)."""
    for registry in (gym.registry, parallel_registry, aec_registry):
        registry.pop(env_id, None)
