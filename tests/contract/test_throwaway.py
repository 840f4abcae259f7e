"""Adding an environment edits nothing: a folder that appears is an environment everywhere."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import pettingzoo
import pytest
from gymnasium.envs.registration import EnvSpec
from pettingzoo.env_registry.registration import aec_registry, parallel_registry

import ntn_gym
from ntn_gym.core.registry import entries, find_entry
from ntn_gym.interfaces.registration import register_environments

PACKAGE = Path(ntn_gym.__file__).parent


def test_it_is_in_every_registry() -> None:
    assert "Tracking" in entries()
    assert find_entry("ntn_gym:NTN/Tracking-v0") is find_entry("Tracking") is find_entry("NTN/Tracking-MO-v0")
    for env_id in ("NTN/Tracking-v0", "NTN/Tracking-MO-v0"):
        assert env_id in gym.registry and env_id in parallel_registry and env_id in aec_registry
    before = dict(gym.registry)
    register_environments()
    assert dict(gym.registry) == before, "registering again changes nothing"


def test_it_is_made_by_its_id() -> None:
    env = gym.make("NTN/Tracking-v0", scenario={"trackers": 3})
    assert env.unwrapped.task.n_agents == 3
    assert gym.make(EnvSpec.from_json(env.spec.to_json())).unwrapped.task.n_agents == 3
    assert gym.make_vec("NTN/Tracking-v0", 4).num_envs == 4
    assert pettingzoo.make("parallel", "NTN/Tracking-v0").possible_agents == ["tracker_0", "tracker_1"]
    assert len(pettingzoo.make("aec", "NTN/Tracking-v0").possible_agents) == 2


def test_nothing_in_the_package_knows_it() -> None:
    sources = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".yaml", ".json")]
    assert len(sources) > 20
    assert not [path for path in sources if "Tracking-v0" in path.read_text(encoding="utf-8")]


def test_unknown_ids_list_what_exists() -> None:
    with pytest.raises(ValueError, match=r"unknown environment .Nothing.; known are .*NTN/Tracking-v0"):
        find_entry("Nothing")
