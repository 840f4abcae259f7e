"""Scenario files and changes to them, and how their mistakes are told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from ntn_gym.core.scenario import load_yaml_preset, merged, parse, yaml_preset_names


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Walker(Part):
    kind: Literal["walker"] = "walker"
    planes: int = Field(6, ge=1)


class Tle(Part):
    kind: Literal["tle"] = "tle"
    file: str = "a.txt"


class Scenario(Part):
    name: str = "custom"
    steps: int = Field(10, ge=1, le=100)
    sky: Annotated[Walker | Tle, Field(discriminator="kind")] = Walker()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text("steps: 5\nsky: {kind: walker, planes: 2}\n")
    (tmp_path / "broken.yaml").write_text("steps: 500\ncolour: red\n")
    (tmp_path / "notes.txt").write_text("")
    return tmp_path


def test_presets(folder: Path) -> None:
    assert yaml_preset_names(folder) == ["broken", "small"]
    scenario = load_yaml_preset(folder, "small", Scenario)
    assert scenario == Scenario(name="small", steps=5, sky=Walker(planes=2))
    with pytest.raises(ValueError, match="unknown preset 'large'; known are broken, small"):
        load_yaml_preset(folder, "large", Scenario)
    with pytest.raises(ValueError, match="preset 'broken' is not valid") as error:
        load_yaml_preset(folder, "broken", Scenario)
    assert "steps = 500: Input should be less than or equal to 100" in str(error.value)
    assert "colour = 'red': Extra inputs are not permitted" in str(error.value)


def test_changes() -> None:
    base = Scenario(sky=Walker(planes=4))
    assert merged(base, {"steps": 7}) == Scenario(steps=7, sky=Walker(planes=4))
    assert merged(base, {"sky": {"planes": 9}}).sky == Walker(planes=9)
    assert merged(base, {"sky": {"kind": "tle", "file": "b"}}).sky == Tle(file="b"), "another kind replaces"
    with pytest.raises(ValueError, match=r"sky.walker.planes = 0"):
        merged(base, {"sky": {"planes": 0}})
    with pytest.raises(ValueError, match="scenario 'custom' with your changes is not valid"):
        merged(base, {"step": 3})


def test_parse_names_every_wrong_field() -> None:
    with pytest.raises(ValueError, match="my file is not valid") as error:
        parse(Scenario, {"steps": 0, "sky": {"kind": "moon"}}, "my file")
    assert "steps = 0" in str(error.value) and "sky" in str(error.value)
