"""Scenario files: read presets, replace values, and say what is wrong in the words of the field."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

ScenarioT = TypeVar("ScenarioT", bound=BaseModel)


def explain(error: ValidationError, title: str) -> str:
    """Turn pydantic's report into one line per field: path, value, what is allowed."""
    lines = []
    for problem in error.errors():
        path = ".".join(str(part) for part in problem["loc"]) or "(whole scenario)"
        value = "" if isinstance(problem.get("input"), (dict, BaseModel)) else f" = {problem['input']!r}"
        lines.append(f"  - {path}{value}: {problem['msg'].removeprefix('Value error, ')}")
    return f"{title} is not valid:\n" + "\n".join(lines)


def parse(model: type[ScenarioT], values: Mapping[str, Any], title: str) -> ScenarioT:
    """Build a scenario from plain values.

    Raises:
        ValueError: Naming every wrong field.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise ValueError(explain(error, title)) from None


def yaml_preset_names(folder: Traversable) -> list[str]:
    """Names of the ``.yaml`` files of a folder."""
    return sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))


def load_yaml_preset(folder: Traversable, name: str, model: type[ScenarioT]) -> ScenarioT:
    """Read one preset.

    Raises:
        ValueError: If there is none of this name, or it is not valid.
    """
    names = yaml_preset_names(folder)
    if name not in names:
        raise ValueError(f"unknown preset {name!r}; known are {', '.join(names)}")
    values = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    return parse(model, {"name": name, **values}, f"preset {name!r}")


def _deep_update(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), dict):
            # Another kind of part (a TLE sky in place of a Walker sky) replaces the part, it does not blend
            # with it.
            another_kind = "kind" in value and value["kind"] != result[key].get("kind")
            result[key] = dict(value) if another_kind else _deep_update(result[key], value)
        else:
            result[key] = value
    return result


def merged(scenario: ScenarioT, changes: Mapping[str, Any]) -> ScenarioT:
    """Return the scenario with nested values replaced.

    Raises:
        ValueError: If a field does not exist or a value is outside its range.
    """
    values = _deep_update(scenario.model_dump(), changes)
    return parse(type(scenario), values, f"scenario {values.get('name', '')!r} with your changes")
