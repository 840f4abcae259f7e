"""Entry of the throw-away environment with continuous actions."""

from ntn_gym.core.registry import EnvEntry

ENTRY = EnvEntry(
    name="Steering",
    version=0,
    title="Steer into wandering targets on a plane",
    task="ntn_gym.envs.steering.task:SteeringTask",
    scenarios="ntn_gym.envs.steering.scenario",
    heuristics="ntn_gym.envs.steering.heuristics:HEURISTICS",
    bound="ntn_gym.envs.steering.heuristics:bound",
    renderer=None,
    default_preset="pair",
    agents="boat",
)
