"""Entry of the Handover environment."""

from ntn_gym.core.registry import EnvEntry

ENTRY = EnvEntry(
    name="Handover",
    version=0,
    title="Keep users served while satellites and their beams rush by",
    task="ntn_gym.envs.handover.task:HandoverTask",
    scenarios="ntn_gym.envs.handover.presets",
    heuristics="ntn_gym.envs.handover.heuristics:HEURISTICS",
    bound="ntn_gym.envs.handover.bound:bound",
    renderer="ntn_gym.envs.handover.render:render",
    default_preset="beams",
    agents="user",
    trivial_presets=("tiny",),
)
