"""Tuned parameters of heuristics and how they were found: ``envs/<name>/tuned/<preset>.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ntn_gym.evaluation.files import write_whole


class Tuned(BaseModel):
    """Best parameters of one rule in one preset, and what was spent to find them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    params: dict[str, Any]
    mean_return: float = Field(description="On the worlds of the second stage, which chose among the finalists.")
    first_stage_return: float = Field(description="On the worlds of the first stage, which chose the finalists.")
    draws: int = Field(description="Parameter sets tried.")
    grid_size: int = Field(description="Parameter sets in the grid.")
    finalists: int
    first_seed: int
    worlds: int = Field(description="Worlds of the first stage, from first_seed on; the second stage follows them.")
    final_worlds: int
    episodes: int = Field(description="Validation episodes spent, both stages.")
    search_seed: int
    scenario: str = Field(description="Hash of the scenario.")
    key: str = Field(description="Hash of everything that decides the search; the same key is not searched again.")
    commit: str
    finished: str


class TunedFile(BaseModel):
    """Content of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["ntn_gym-tuned-1"] = "ntn_gym-tuned-1"
    environment: str
    preset: str
    heuristics: dict[str, Tuned]


def tuned_path(folder: Path, preset: str) -> Path:
    """Where the tuned parameters of a preset are, in the folder of the environment."""
    return folder / "tuned" / f"{preset}.json"


def read_tuned(folder: Path, preset: str) -> dict[str, Tuned]:
    """Read the tuned parameters of a preset by rule; empty if it was never tuned.

    Raises:
        ValueError: If the file is damaged.
    """
    path = tuned_path(folder, preset)
    if not path.exists():
        return {}
    try:
        return TunedFile.model_validate_json(path.read_bytes()).heuristics
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "file"
        raise ValueError(
            f"{path}: {where}: {problem['msg']}; delete it and run `ntn-gym tune-heuristics` again"
        ) from None


def write_tuned(folder: Path, environment: str, preset: str, heuristics: dict[str, Tuned]) -> Path:
    """Write the tuned parameters of a preset atomically."""
    content = TunedFile(environment=environment, preset=preset, heuristics=dict(sorted(heuristics.items())))
    path = tuned_path(folder, preset)
    write_whole(path, json.dumps(content.model_dump(mode="json"), indent=1, allow_nan=False) + "\n")
    return path
