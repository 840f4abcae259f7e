"""What can be set."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ntn_gym.core.scenario import load_yaml_preset, merged, yaml_preset_names


class Scenario(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = "custom"
    boats: int = Field(2, ge=1, le=20)
    steps: int = Field(20, ge=2, le=1000)


_FOLDER = files(__package__) / "presets"


def preset_names() -> list[str]:
    return yaml_preset_names(_FOLDER)


def load_preset(name: str) -> Scenario:
    return load_yaml_preset(_FOLDER, name, Scenario)


def with_overrides(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    return merged(scenario, values)
