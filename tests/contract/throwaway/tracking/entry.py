"""Entry of the throw-away environment."""

from ntn_gym.core.registry import EnvEntry

ENTRY = EnvEntry(
    name="Tracking",
    version=0,
    title="Follow wandering targets on a line",
    task="ntn_gym.envs.tracking.task:TrackingTask",
    scenarios="ntn_gym.envs.tracking.scenario",
    heuristics="ntn_gym.envs.tracking.heuristics:HEURISTICS",
    bound="ntn_gym.envs.tracking.bound:bound",
    renderer="ntn_gym.envs.tracking.render:render",
    default_preset="pair",
    agents="tracker",
)
