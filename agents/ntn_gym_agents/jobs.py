"""What a training is asked to do and what it gave, as plain values that can be stored and sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ntn_gym.core.seeding import TRAINING_SEEDS, seed_purpose


@dataclass(frozen=True)
class TrainJob:
    """One training. Equal jobs with equal configurations give equal agents on the same machine.

    Attributes:
        environment: Name or id, ``Handover`` or ``NTN/Handover-v0``.
        out: Folder of the run; the same job given again resumes there, or returns what it finished.
        preset: None takes the configuration's or else the environment's default one.
        scenario: Values that replace those of the preset.
        algorithm: Name of a configuration: ``ppo``, ``ppo-mlp``, ``maskable-ppo``, ``recurrent-ppo``, ``dqn``, ``sac``.
        config: Path of a configuration file of your own; the shipped one by default.
        overrides: Values that replace single ones of the configuration.
        seed: A training seed, 0 to 999,999: initial weights, exploration and worlds follow from it.
        steps: Decisions of the policy: steps of all worlds together, times their agents if these share it; None
            takes ``n_timesteps`` of the configuration.
        n_worlds: Train on this many fixed worlds; None takes the configuration's, by default an endless
            stream.
        eval_every: Steps between two evaluations on validation worlds; 0 never evaluates.
        eval_worlds: Number of those worlds.
        checkpoint_every: Steps between two checkpoints.
        device: Device of torch.
        progress: Show a progress bar.
    """

    environment: str
    out: str
    preset: str | None = None
    scenario: Mapping[str, Any] = field(default_factory=dict)
    algorithm: str = "ppo"
    config: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    steps: int | None = None
    n_worlds: int | None = None
    eval_every: int = 50_000
    eval_worlds: int = 32
    checkpoint_every: int = 50_000
    device: str = "cpu"
    progress: bool = False

    def __post_init__(self) -> None:
        if seed_purpose(self.seed) != "training":
            raise ValueError(
                f"seed = {self.seed} is for {seed_purpose(self.seed)}; train with seeds {TRAINING_SEEDS.start} to "
                f"{TRAINING_SEEDS.stop - 1}, so that nobody is evaluated on worlds it has trained on"
            )
        for name, low in (
            ("steps", 1),
            ("n_worlds", 1),
            ("eval_every", 0),
            ("eval_worlds", 1),
            ("checkpoint_every", 1),
        ):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < low):
                raise ValueError(f"{name} = {value!r}: allowed are whole numbers from {low}")

    def identity(self) -> dict[str, Any]:
        """Everything that decides the result, as plain values: not the folder, nor how it is shown."""
        return {key: value for key, value in asdict(self).items() if key not in ("out", "progress", "config")}


@dataclass(frozen=True)
class TrainResult:
    """What a training gave.

    Attributes:
        out: Folder of the run.
        policy: Path of the exported policy; `ntn_gym_agents.zoo.load_policy` reads it.
        steps: Steps made, all sittings together.
        policy_steps: Steps after which the exported policy was saved: the best on validation, or the last.
        validation_return: Mean return of it on the validation worlds; None without evaluation.
        resumed_from: Steps that earlier sittings had made; None if this sitting began the training.
        seconds: Duration of this sitting.
        steps_per_second: Of this sitting, evaluations and checkpoints included.
        env_share: Share of the time of this sitting that stepping the environments took.
        finished: Always true; a training that did not finish raises.
    """

    out: str
    policy: str
    steps: int
    policy_steps: int
    validation_return: float | None
    resumed_from: int | None
    seconds: float
    steps_per_second: float
    env_share: float
    finished: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainResult:
        """Read what `as_dict` gave."""
        return cls(**{name: values[name] for name in (f.name for f in fields(cls))})
