"""Entry of the MultiConnectivity environment."""

from ntn_gym.core.registry import EnvEntry

ENTRY = EnvEntry(
    name="MultiConnectivity",
    version=0,
    title="Choose the satellites and base stations that serve each user together",
    task="ntn_gym.envs.multi_connectivity.task:MultiConnectivityTask",
    scenarios="ntn_gym.envs.multi_connectivity.presets",
    heuristics="ntn_gym.envs.multi_connectivity.heuristics:HEURISTICS",
    bound="ntn_gym.envs.multi_connectivity.bound:bound",
    renderer="ntn_gym.envs.multi_connectivity.render:render",
    default_preset="rural",
    agents="user",
)
