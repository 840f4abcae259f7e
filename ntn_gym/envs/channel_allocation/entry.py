"""Entry of the ChannelAllocation environment."""

from ntn_gym.core.registry import EnvEntry

ENTRY = EnvEntry(
    name="ChannelAllocation",
    version=0,
    title="Give each call a channel that no cell nearby uses",
    task="ntn_gym.envs.channel_allocation.task:ChannelAllocationTask",
    scenarios="ntn_gym.envs.channel_allocation.presets",
    heuristics="ntn_gym.envs.channel_allocation.heuristics:HEURISTICS",
    bound="ntn_gym.envs.channel_allocation.bound:bound",
    renderer="ntn_gym.envs.channel_allocation.render:render",
    default_preset="hex-49",
    agents="platform",
)
