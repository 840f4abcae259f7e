"""Small trainings that tests share."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ntn_gym.envs
from ntn_gym.core.registry import entries
from ntn_gym.interfaces.registration import register_environments, unregister_environment
from ntn_gym_agents.jobs import TrainJob

HERE = Path(__file__).parent
THROWAWAY = {
    "tracking": HERE.parent / "contract" / "throwaway" / "tracking",  # several agents, discrete actions
    "steering": HERE / "throwaway" / "steering",  # several agents, continuous actions
}

# Three rollouts of 8 worlds for 16 steps; each checkpoint follows a rollout.
SMALL = {"n_envs": 8, "n_steps": 16, "batch_size": 64, "n_epochs": 1, "learning_rate": "lin_1e-3"}
SMALL_DQN = {"n_envs": 8, "buffer_size": 256, "learning_starts": 32, "batch_size": 16, "target_update_interval": 64}


@pytest.fixture(scope="session")
def small_job(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function that makes a job of a few hundred steps; keyword arguments replace its fields."""

    def make(out: Path | None = None, **changes: Any) -> TrainJob:
        values: dict[str, Any] = {
            "environment": "Handover",
            "preset": "tiny",
            "out": str(out or tmp_path_factory.mktemp("run") / "run"),
            "steps": 384,
            "n_worlds": 4,
            "eval_every": 256,
            "eval_worlds": 2,
            "checkpoint_every": 128,
            "overrides": SMALL,
        }
        return TrainJob(**{**values, **changes})

    return make


@pytest.fixture(scope="module")
def throwaway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make the environments Tracking and Steering discoverable while a module of tests runs; return their folder."""
    folder = tmp_path_factory.mktemp("envs")
    for name, source in THROWAWAY.items():
        shutil.copytree(source, folder / name)
    ntn_gym.envs.__path__.append(str(folder))
    importlib.invalidate_caches()
    entries.cache_clear()
    register_environments()
    yield folder
    ntn_gym.envs.__path__.remove(str(folder))
    for name in THROWAWAY:
        for module in [module for module in sys.modules if module.startswith(f"ntn_gym.envs.{name}")]:
            del sys.modules[module]
        if hasattr(ntn_gym.envs, name):
            delattr(ntn_gym.envs, name)
    entries.cache_clear()
    for name in THROWAWAY:
        for env_id in (f"NTN/{name.title()}-v0", f"NTN/{name.title()}-MO-v0"):
            unregister_environment(env_id)
