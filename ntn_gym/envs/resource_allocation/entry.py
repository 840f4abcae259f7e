"""Entry of the ResourceAllocation environment."""

from ntn_gym.core.registry import EnvEntry

ENTRY = EnvEntry(
    name="ResourceAllocation",
    version=0,
    title="Which beams of a near-space platform are on, how much power, how fast the battery may be spent",
    task="ntn_gym.envs.resource_allocation.task:ResourceAllocationTask",
    scenarios="ntn_gym.envs.resource_allocation.presets",
    heuristics="ntn_gym.envs.resource_allocation.heuristics:HEURISTICS",
    bound="ntn_gym.envs.resource_allocation.bound:bound",
    renderer="ntn_gym.envs.resource_allocation.render:render",
    default_preset="beams",
    agents="transmitter",
    trivial_presets=("tiny",),
)
