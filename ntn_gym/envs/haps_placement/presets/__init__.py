"""Presets of the HAPSPlacement environment: YAML files beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

from ntn_gym.core.scenario import load_yaml_preset, merged, yaml_preset_names
from ntn_gym.envs.haps_placement.scenario import Scenario

_FOLDER = resources.files(__name__)


def preset_names() -> list[str]:
    """Names of all presets."""
    return yaml_preset_names(_FOLDER)


def load_preset(name: str) -> Scenario:
    """Return a preset.

    Raises:
        ValueError: If there is none of this name, listing those that exist.
    """
    return load_yaml_preset(_FOLDER, name, Scenario)


def with_overrides(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    """Return the scenario with nested values replaced, e.g. ``{"fleet": {"count": 6}}``.

    Raises:
        ValueError: If a field does not exist or a value is outside its range.
    """
    return merged(scenario, values)
