"""Entry of the DataRelay environment."""

from ntn_gym.core.registry import EnvEntry

ENTRY = EnvEntry(
    name="DataRelay",
    version=0,
    title="Bring the data of satellites to the ground, through clouds",
    task="ntn_gym.envs.data_relay.task:DataRelayTask",
    scenarios="ntn_gym.envs.data_relay.presets",
    heuristics="ntn_gym.envs.data_relay.heuristics:HEURISTICS",
    bound="ntn_gym.envs.data_relay.bound:bound",
    renderer="ntn_gym.envs.data_relay.render:render",
    default_preset="mixed",
    agents="satellite",
    trivial_presets=("polar",),
)
