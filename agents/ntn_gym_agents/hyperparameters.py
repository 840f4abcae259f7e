"""Values that a training configuration may hold, and what each may be."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _whole(value: Any) -> Any:
    # rl-zoo3 writes step counts as floats (1e6) and turns them into integers.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _schedule(value: Any) -> Any:
    """A positive number, or ``lin_<number>``: linearly from there to zero over the training."""
    number = value
    if isinstance(value, str):
        kind, _, text = value.partition("_")
        try:
            number = float(text)
        except ValueError:
            number = None
        if kind != "lin":
            number = None
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 < number < float("inf"):
        raise ValueError("needed is a number above 0 such as 1.0e-3, or lin_1e-3 for a linear decline to 0")
    return value


def _temperature(value: Any) -> Any:
    """``auto`` or ``auto_<number>``: learned, from that number on; or a number: kept."""
    number = value
    if isinstance(value, str):
        kind, _, text = value.partition("_")
        try:
            number = float(text) if text else 1.0
        except ValueError:
            number = None
        if kind != "auto" or number == 0:
            number = None
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number < float("inf"):
        raise ValueError("needed is auto, auto_0.1 (learned, beginning at 0.1) or a number from 0")
    return value


Count = Annotated[int, Field(ge=1)]
Steps = Annotated[int, BeforeValidator(_whole), Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Scheduled = Annotated[float | str, BeforeValidator(_schedule)]
Temperature = Annotated[float | str, BeforeValidator(_temperature)]


class _Part(BaseModel):
    # Strict: a number in quotes, or 1e6 without a dot (text in YAML 1.1), is an error here as it is in
    # rl-zoo3.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Layers(_Part):
    """Hidden layers of actor and critic of the on-policy algorithms."""

    pi: list[Count]
    vf: list[Count]


class PolicyKwargs(_Part):
    """Plain arguments of a policy; `ntn_gym_agents.networks` says which network takes which."""

    net_arch: list[Count] | Layers | None = None
    activation_fn: Literal["tanh", "relu", "elu", "silu"] | None = None
    ortho_init: bool | None = None
    log_std_init: float | None = Field(None, description="Natural logarithm of the exploration noise at the start.")
    n_critics: Count | None = None
    layout: str | dict[str, int | None] | None = Field(None, description="An environment, or a SlotLayout in numbers.")
    context: bool | None = Field(None, description="A slot is scored knowing the other slots, too.")
    agents: str | Count | None = Field(None, description="An environment, or the number of agents of a world.")
    attention: bool | None = Field(None, description="Agents attend to each other before they are pooled.")
    lstm_hidden_size: Count | None = None
    n_lstm_layers: Count | None = None
    shared_lstm: bool | None = None
    enable_critic_lstm: bool | None = None


class EnvKwargs(_Part):
    """Arguments of the environment; ``preset`` and ``n_worlds`` of the command line come first."""

    preset: str | None = None
    scenario: dict[str, Any] | None = None
    n_worlds: Count | None = None


class Pretrain(_Part):
    """What to imitate before the reinforcement learning begins."""

    heuristic: str
    steps: Steps = 60_000


class Normalize(_Part):
    """Running scaling of rewards (SB3's VecNormalize)."""

    norm_obs: Literal[False] = Field(
        False, description="Observations are scaled already, and statistics per entry would tell slots apart."
    )
    norm_reward: bool = True


class TrainConfig(_Part):
    """What all algorithms share. Values that are not given are those of Stable-Baselines3."""

    n_timesteps: Steps
    policy: str
    n_envs: Count = 1
    normalize: Literal[False] | Normalize = False
    env_kwargs: EnvKwargs = EnvKwargs()
    policy_kwargs: PolicyKwargs = PolicyKwargs()
    pretrain: Pretrain | None = None
    control: Literal["shared", "central"] | None = Field(
        None, description="Several agents: one policy used by each of them (default), or one that decides for all."
    )
    team: Share | None = Field(
        None,
        description="Several agents with one policy: share of the mean reward of all agents of the world in the reward "
        "that an agent learns from; 0 (default): each learns from its own alone. Evaluation is not touched.",
    )
    learning_rate: Scheduled | None = None
    gamma: Share | None = None
    batch_size: Count | None = None
    stats_window_size: Count | None = None

    def hyperparameters(self) -> dict[str, Any]:
        """Arguments of the algorithm that are set, as plain values."""
        return self.model_dump(exclude=_GENERAL, exclude_none=True)


# What is not handed to the algorithm as it is.
_GENERAL = {
    "n_timesteps",
    "policy",
    "n_envs",
    "normalize",
    "env_kwargs",
    "policy_kwargs",
    "pretrain",
    "control",
    "team",
}


class PpoConfig(TrainConfig):
    """PPO, MaskablePPO and RecurrentPPO."""

    n_steps: Count | None = None
    n_epochs: Count | None = None
    gae_lambda: Share | None = None
    clip_range: Scheduled | None = None
    clip_range_vf: Scheduled | None = None
    normalize_advantage: bool | None = None
    ent_coef: NotNegative | None = None
    vf_coef: NotNegative | None = None
    max_grad_norm: Positive | None = None
    target_kl: Positive | None = None


class _ReplayConfig(TrainConfig):
    """What learns from a replay buffer. A checkpoint holds the buffer, too."""

    buffer_size: Steps | None = None
    learning_starts: Annotated[int, BeforeValidator(_whole), Field(ge=0)] | None = None
    tau: Annotated[float, Field(gt=0, le=1)] | None = None
    train_freq: Count | None = None
    gradient_steps: Annotated[int, Field(ge=-1)] | None = None
    n_steps: Count | None = None
    target_update_interval: Steps | None = None


class DqnConfig(_ReplayConfig):
    """DQN."""

    max_grad_norm: Positive | None = None
    exploration_fraction: Share | None = None
    exploration_initial_eps: Share | None = None
    exploration_final_eps: Share | None = None


class SacConfig(_ReplayConfig):
    """SAC."""

    ent_coef: Temperature | None = None
    target_entropy: Literal["auto"] | float | None = None


MODELS: dict[str, type[TrainConfig]] = {
    "ppo": PpoConfig,
    "maskable-ppo": PpoConfig,
    "recurrent-ppo": PpoConfig,
    "dqn": DqnConfig,
    "sac": SacConfig,
}
