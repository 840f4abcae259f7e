"""Trained policies: how they are stored, and how they are loaded without unpickling anything.

A stored policy is ``policy.zip`` (a model of Stable-Baselines3, loadable there with ``PPO.load``) and
``manifest.json`` beside it, which says what the policy is and holds the SHA-256 of the file. `load_policy`
checks the hash, builds the network from the manifest and reads nothing but arrays of numbers
(``weights_only``) from the zip.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.save_util import load_from_zip_file

from ntn_gym.core.registry import resolve
from ntn_gym_agents.checkpoints import MANIFEST, read_manifest
from ntn_gym_agents.networks import network
from ntn_gym_agents.players import SharedPolicy, player
from ntn_gym_agents.slot_networks import ACTIVATIONS

POLICY_FILE = "policy.zip"


def policy_class(algorithm: str, policy: str) -> type[BasePolicy]:
    """The class behind the policy name of a configuration.

    Raises:
        KeyError: If there is none.
    """
    found: type[BasePolicy] = resolve(network(algorithm, policy).reference)
    return found


def resolved_policy_kwargs(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the name of an activation function by the function, from a table."""
    arguments = dict(plain)
    if "activation_fn" in arguments:
        arguments["activation_fn"] = ACTIVATIONS[arguments["activation_fn"]]
    return arguments


def describe_space(space: spaces.Space[Any]) -> dict[str, Any]:
    """Describe an action space as plain values.

    Raises:
        ValueError: If it is neither Discrete nor MultiDiscrete nor a Box.
    """
    if isinstance(space, spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"kind": "multi_discrete", "nvec": space.nvec.tolist()}
    if isinstance(space, spaces.Box):
        return {"kind": "box", "low": space.low.tolist(), "high": space.high.tolist()}
    raise ValueError(f"action space {space} is neither Discrete nor MultiDiscrete nor Box")


def _space(description: Mapping[str, Any]) -> spaces.Space[Any]:
    if description["kind"] == "discrete":
        return spaces.Discrete(description["n"])
    if description["kind"] == "multi_discrete":
        return spaces.MultiDiscrete(description["nvec"])
    return spaces.Box(np.array(description["low"], np.float32), np.array(description["high"], np.float32))


def load_policy(path: str | Path, *, deterministic: bool = True) -> SharedPolicy:
    """Load a trained policy.

    Args:
        path: The folder of a training or of a stored policy, or the ``policy.zip`` in it.
        deterministic: Take the best action and do not draw one.

    Returns:
        A policy for any number of worlds, and of agents if it was trained to decide for one.

    Raises:
        FileNotFoundError: If there is no policy.
        ValueError: If a file is damaged, or not one that this package wrote.
    """
    given = Path(path)
    folder = given.parent if given.suffix == ".zip" else given
    if not (folder / MANIFEST).is_file():
        hint = "the training has not finished; " if (folder / "job.json").is_file() else ""
        raise FileNotFoundError(f"no trained policy in {folder}: {hint}{MANIFEST} is missing")
    manifest = read_manifest(folder)
    name = given.name if given.suffix == ".zip" else POLICY_FILE
    if name not in manifest["files"]:
        raise ValueError(f"{folder}: the manifest does not list {name}")
    try:
        chosen = policy_class(manifest["algorithm"], manifest["policy"])
        observation_space = spaces.Box(-np.inf, np.inf, (int(manifest["observation_size"]),), np.float32)
        action_space = _space(manifest["action_space"])
        arguments = resolved_policy_kwargs(manifest["policy_kwargs"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder}: {MANIFEST} does not describe a policy of this version ({error!r})") from None
    policy = chosen(observation_space, action_space, _no_schedule, **arguments)
    try:
        _, parameters, _ = load_from_zip_file(folder / name, load_data=False, device="cpu")
    except (pickle.UnpicklingError, EOFError, RuntimeError, ValueError) as error:
        raise ValueError(f"{folder / name} does not hold plain arrays: {error}") from None
    try:
        policy.load_state_dict(parameters["policy"])
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"{folder / name} does not hold the network that {MANIFEST} describes: {error}") from None
    policy.set_training_mode(False)
    return player(policy, manifest.get("control", "shared"), deterministic=deterministic, manifest=manifest)


def _no_schedule(_: float) -> float:
    """Learning rate of a policy that is not trained any more."""
    return 0.0
