"""Entry of the HAPSPlacement environment."""

from ntn_gym.core.registry import EnvEntry

ENTRY = EnvEntry(
    name="HAPSPlacement",
    version=0,
    title="Move platforms to where the demand is, against wind and night",
    task="ntn_gym.envs.haps_placement.task:HAPSPlacementTask",
    scenarios="ntn_gym.envs.haps_placement.presets",
    heuristics="ntn_gym.envs.haps_placement.heuristics:HEURISTICS",
    bound="ntn_gym.envs.haps_placement.bound:bound",
    renderer="ntn_gym.envs.haps_placement.render:render",
    default_preset="airships",
    agents="platform",
)
