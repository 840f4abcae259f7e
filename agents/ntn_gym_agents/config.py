"""Hyperparameters: ``configs/train/<environment>/<algorithm>.yml`` in the format of rl-zoo3.

The top-level key is the id of the environment (``NTN/Handover-v0``); below it stand ``n_timesteps``,
``policy``, ``n_envs``, ``normalize``, ``env_kwargs``, ``policy_kwargs`` and the arguments of the algorithm,
as rl-zoo3 reads them. Further top-level keys are read here and not by rl-zoo3: ``NTN/Handover-v0/tiny``
replaces single values for one preset, ``pretrain`` names a heuristic to imitate first, and ``control`` says who
decides where a world has several agents: ``shared`` (the default) trains one policy that each agent uses with its
own observation, and ``n_envs`` and ``n_timesteps`` count agents; ``central`` trains one policy that sees all agents
and decides for all, and they count worlds (rl-zoo3, which makes environments with ``gym.make``, always does that).
``team`` (0 to 1, for shared control) is the share of the mean reward of all agents of a world in the reward that
each learns from: with 0 agents are selfish and may crowd what they share, with 1 they pull together.
A file is named after its algorithm, with a suffix for a variant: ``ppo.yml``, ``ppo-mlp.yml``, ``maskable-ppo.yml``.

Nothing in a file is evaluated: policies and activation functions are names in a table, a linear schedule is
written ``lin_1e-3``, and every number is checked before anything runs.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ntn_gym.core.registry import EnvEntry, find_entry
from ntn_gym.core.scenario import parse
from ntn_gym_agents.hyperparameters import MODELS, Layers, TrainConfig
from ntn_gym_agents.networks import NETWORKS

TOP_LEVEL = ("pretrain", "control", "team")
"""Keys that stand beside the environment in a file, where rl-zoo3 does not look."""


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
    for key in TOP_LEVEL:
        if key in values:
            raise ValueError(f"{path}: {key} stands at the top level of a file, where rl-zoo3 does not look")
        if key in sections:
            values[key] = sections[key]
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
    networks = NETWORKS[algorithm]
    if config.policy not in networks:
        raise ValueError(f"{title}: policy = {config.policy!r}; allowed for {algorithm} are {', '.join(networks)}")
    allowed = networks[config.policy].arguments
    for key in config.policy_kwargs.model_dump(exclude_none=True):
        if key in allowed:
            continue
        takers = [name for name, other in networks.items() if key in other.arguments]
        belongs = f"belongs to {', '.join(takers)}, not" if takers else "does not belong"
        raise ValueError(
            f"{title}: policy_kwargs.{key} {belongs} to {config.policy} of {algorithm}, which takes "
            + ", ".join(allowed)
        )
    if algorithm in ("dqn", "sac"):
        if config.pretrain is not None:
            raise ValueError(
                f"{title}: pretrain: {algorithm} learns action values, which a heuristic does not show; use ppo or "
                "maskable-ppo"
            )
        if isinstance(config.policy_kwargs.net_arch, Layers):
            raise ValueError(f"{title}: policy_kwargs.net_arch of {algorithm} is one list, e.g. [64, 64]")
    if algorithm == "recurrent-ppo" and config.pretrain is not None:
        raise ValueError(f"{title}: pretrain: there is no imitation for policies with memory; use ppo or maskable-ppo")
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
