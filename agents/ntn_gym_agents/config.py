"""Hyperparameters: ``configs/train/<environment>/<algorithm>.yml`` in the format of rl-zoo3.

The top-level key is the id of the environment (``NTN/Handover-v0``); below it stand ``n_timesteps``,
``policy``, ``n_envs``, ``normalize``, ``env_kwargs``, ``policy_kwargs`` and the arguments of the algorithm,
as rl-zoo3 reads them. Two further kinds of top-level keys are read here and not by rl-zoo3:
``NTN/Handover-v0/tiny`` replaces single values for one preset, and ``pretrain`` names a heuristic to imitate
first. A file is named after its algorithm, with a suffix for a variant: ``ppo.yml``, ``ppo-mlp.yml``,
``maskable-ppo.yml``.

Nothing in a file is evaluated: policies and activation functions are names in a table, a linear schedule is
written ``lin_1e-3``, and every number is checked before anything runs.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ntn_gym.core.registry import EnvEntry, find_entry
from ntn_gym.core.scenario import parse

SLOT_POLICIES = {
    "ppo": "ntn_gym_agents.slot_scorer.SlotScorerPolicy",
    "maskable-ppo": "ntn_gym_agents.slot_scorer.MaskableSlotScorerPolicy",
    "dqn": "ntn_gym_agents.slot_scorer.SlotQPolicy",
}
"""The slot scorer of every algorithm, by the class path that rl-zoo3 imports."""


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


Count = Annotated[int, Field(ge=1)]
Steps = Annotated[int, BeforeValidator(_whole), Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Scheduled = Annotated[float | str, BeforeValidator(_schedule)]


class _Part(BaseModel):
    # Strict: a number in quotes, or 1e6 without a dot (text in YAML 1.1), is an error here as it is in
    # rl-zoo3.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Layers(_Part):
    """Hidden layers of actor and critic."""

    pi: list[Count]
    vf: list[Count]


class PolicyKwargs(_Part):
    """Plain arguments of a policy."""

    net_arch: list[Count] | Layers | None = None
    activation_fn: Literal["tanh", "relu", "elu", "silu"] | None = None
    ortho_init: bool | None = None
    layout: str | dict[str, int] | None = None
    context: bool | None = None


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
    learning_rate: Scheduled | None = None
    gamma: Share | None = None
    batch_size: Count | None = None
    max_grad_norm: Positive | None = None
    stats_window_size: Count | None = None

    def hyperparameters(self) -> dict[str, Any]:
        """Arguments of the algorithm that are set, as plain values."""
        return self.model_dump(exclude=_GENERAL, exclude_none=True)


# What is not handed to the algorithm as it is.
_GENERAL = {"n_timesteps", "policy", "n_envs", "normalize", "env_kwargs", "policy_kwargs", "pretrain"}


class PpoConfig(TrainConfig):
    """PPO and MaskablePPO."""

    n_steps: Count | None = None
    n_epochs: Count | None = None
    gae_lambda: Share | None = None
    clip_range: Scheduled | None = None
    clip_range_vf: Scheduled | None = None
    normalize_advantage: bool | None = None
    ent_coef: NotNegative | None = None
    vf_coef: NotNegative | None = None
    target_kl: Positive | None = None


class DqnConfig(TrainConfig):
    """DQN."""

    buffer_size: Steps | None = None
    learning_starts: Annotated[int, BeforeValidator(_whole), Field(ge=0)] | None = None
    tau: Annotated[float, Field(gt=0, le=1)] | None = None
    train_freq: Count | None = None
    gradient_steps: Annotated[int, Field(ge=-1)] | None = None
    n_steps: Count | None = None
    target_update_interval: Steps | None = None
    exploration_fraction: Share | None = None
    exploration_initial_eps: Share | None = None
    exploration_final_eps: Share | None = None


MODELS: dict[str, type[TrainConfig]] = {"ppo": PpoConfig, "maskable-ppo": PpoConfig, "dqn": DqnConfig}


def algorithm_of(name: str) -> str:
    """Algorithm that a configuration is for: ``ppo-mlp`` is a variant of ``ppo``.

    Raises:
        ValueError: If the name does not begin with an algorithm.
    """
    for algorithm in sorted(MODELS, key=len, reverse=True):
        if name == algorithm or name.startswith(f"{algorithm}-"):
            return algorithm
    raise ValueError(
        f"{name!r} names no algorithm; known are {', '.join(MODELS)}, each with an optional suffix as in ppo-mlp"
    )


def config_folder() -> Path:
    """Folder of the shipped training configurations: inside the wheel, or ``configs/train`` of a source tree.

    Raises:
        FileNotFoundError: If it is in neither place.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "configs" / "train", here.parents[1] / "configs" / "train"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the folder configs/train is missing; install the package again or name a file")


def _folder_of(entry: EnvEntry) -> Path:
    # Named as the package of the environment: ntn_gym.envs.handover.task -> handover.
    return config_folder() / entry.task.partition(":")[0].split(".")[-2]


def config_names(environment: str) -> list[str]:
    """Names of the shipped configurations of an environment."""
    return sorted(path.stem for path in _folder_of(find_entry(environment)).glob("*.yml"))


def load_config(
    environment: str, name: str = "ppo", preset: str | None = None, file: str | Path | None = None
) -> TrainConfig:
    """Read the hyperparameters of one training.

    Args:
        environment: Name or id of the environment.
        name: Name of a shipped configuration; with ``file`` only the algorithm is taken from it.
        preset: Preset whose own section, if there is one, replaces single values.
        file: A YAML file of your own in the same format.

    Raises:
        ValueError: If a name is unknown, or a key or value of the file is not allowed.
        FileNotFoundError: If ``file`` does not exist.
    """
    entry = find_entry(environment)
    algorithm = algorithm_of(name)
    if file is None:
        names = config_names(environment)
        if name not in names:
            raise ValueError(f"{entry.id} has no configuration {name!r}; it has {', '.join(names) or 'none'}")
        path = _folder_of(entry) / f"{name}.yml"
    else:
        path = Path(file)
        if not path.is_file():
            raise FileNotFoundError(f"configuration {path} does not exist")
    sections = _read(path, entry)
    values = _merged(sections[entry.id], sections.get(f"{entry.id}/{preset or entry.default_preset}", {}))
    if "pretrain" in values:
        raise ValueError(f"{path}: pretrain stands at the top level of a file, where rl-zoo3 does not look")
    if "pretrain" in sections:
        values["pretrain"] = sections["pretrain"]
    return check_config(algorithm, values, f"{path.name}, section {entry.id}")


def check_config(algorithm: str, values: Mapping[str, Any], title: str) -> TrainConfig:
    """Turn plain values into a checked configuration.

    Raises:
        ValueError: Naming every key or value that is not allowed, and what is.
    """
    model = MODELS[algorithm]
    unknown = sorted(set(values) - set(model.model_fields))
    if unknown:
        raise ValueError(
            f"{title}: unknown key {', '.join(unknown)} for {algorithm}; allowed are {', '.join(model.model_fields)}"
        )
    config = parse(model, values, title)
    policies = ("MlpPolicy", SLOT_POLICIES[algorithm])
    if config.policy not in policies:
        raise ValueError(f"{title}: policy = {config.policy!r}; allowed for {algorithm} are {', '.join(policies)}")
    if config.policy == "MlpPolicy":
        for key in ("layout", "context"):
            if getattr(config.policy_kwargs, key) is not None:
                raise ValueError(f"{title}: policy_kwargs.{key} belongs to {policies[1]}, not to MlpPolicy")
    if algorithm == "dqn" and config.pretrain is not None:
        raise ValueError(
            f"{title}: pretrain: dqn learns action values, which a heuristic does not show; use ppo or maskable-ppo"
        )
    if algorithm == "dqn" and isinstance(config.policy_kwargs.net_arch, Layers):
        raise ValueError(f"{title}: policy_kwargs.net_arch of dqn is one list, e.g. [64, 64]")
    return config


def _read(path: Path, entry: EnvEntry) -> dict[str, dict[str, Any]]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not readable YAML: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get(entry.id), dict):
        raise ValueError(f"{path} needs the top-level key {entry.id} with the hyperparameters below it")
    presets = importlib.import_module(entry.scenarios).preset_names()
    for key, section in content.items():
        if not str(key).startswith(f"{entry.id}/"):
            continue  # rl-zoo3 keeps many environments in one file
        if not isinstance(section, dict):
            raise ValueError(f"{path}: section {key} must hold keys and values")
        preset = key.removeprefix(f"{entry.id}/")
        if preset not in presets:
            raise ValueError(f"{path}: section {key} is for no preset; known are {', '.join(presets)}")
    return content


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = {**result[key], **value} if both else value
    return result
