"""Small trainings that tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ntn_gym_agents.jobs import TrainJob

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
