"""Entry of the TaskOffloading environment."""

from ntn_gym.core.registry import EnvEntry

ENTRY = EnvEntry(
    name="TaskOffloading",
    version=0,
    title="Decide where each task runs: device, base station, platform, satellite or cloud",
    task="ntn_gym.envs.task_offloading.task:TaskOffloadingTask",
    scenarios="ntn_gym.envs.task_offloading.presets",
    heuristics="ntn_gym.envs.task_offloading.heuristics:HEURISTICS",
    bound="ntn_gym.envs.task_offloading.bound:bound",
    renderer="ntn_gym.envs.task_offloading.render:render",
    default_preset="bursty",
    trivial_presets=("light", "tiny"),
    agents="device",
)
