"""``ntn-gym list``."""

import json

import pytest

from ntn_gym.cli import main
from ntn_gym.core.registry import entries, resolve
from ntn_gym.evaluation.problem import preset_names


def test_the_list_names_everything(capsys):
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    for entry in entries().values():
        assert entry.id in text
        assert entry.title in text
        for name in [*preset_names(entry.name), *resolve(entry.heuristics)]:
            assert f" {name} " in text
    assert text.count("trivial") == sum(len(entry.trivial_presets) for entry in entries().values())


def test_json_holds_what_the_registry_holds(capsys):
    assert main(["list", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert set(listed) == set(entries())
    for name, entry in entries().items():
        one = listed[name]
        assert one["id"] == entry.id
        assert set(one["presets"]) == set(preset_names(name))
        assert set(one["heuristics"]) == set(resolve(entry.heuristics))
        assert next(iter(one["presets"])) == entry.default_preset
        for preset, facts in one["presets"].items():
            assert facts["description"], f"{name} {preset} has no description"
            assert ("trivial" in " ".join(facts["remarks"])) == (preset in entry.trivial_presets)


def test_json_says_how_large_a_problem_is(capsys):
    main(["list", "Handover", "--json"])
    (one,) = json.loads(capsys.readouterr().out)
    crowd = one["presets"]["benchmark-30x13"]
    assert (crowd["agents"], crowd["actions"], crowd["observation"]) == (30, "Discrete(13)", 13 * 15 + 7)


@pytest.mark.parametrize("name", ["Handover", "NTN/Handover-v0", "ntn_gym:NTN/Handover-v0"])
def test_one_environment_by_any_of_its_names(name, capsys):
    assert main(["list", name]) == 0
    assert "NTN/Handover-v0" in capsys.readouterr().out


def test_an_unknown_environment_is_an_error_that_names_the_known_ones(capsys):
    assert main(["list", "Handoff"]) == 1
    captured = capsys.readouterr()
    assert "unknown environment 'Handoff'; known are" in captured.err
    assert "NTN/Handover-v0" in captured.err
    assert captured.out == ""
