"""The commands, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ntn_gym.cli import main

BENCHMARK = "title: t\nenvironment: Tracking\npresets: [tiny]\nseeds: {first: 2000000, count: 4}\n"


def test_evaluate_prints_policy_random_and_bound(tracking: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "Tracking", "--policy", "follow", "--worlds", "4"]) == 0
    text = capsys.readouterr().out
    for word in ("follow", "random", "bound", "distance_m", "on_target", "4 worlds from seed 2000000", "not tuned"):
        assert word in text


def test_evaluate_takes_parameters(tracking: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", "Tracking", "--policy", "follow", "--worlds", "4", "--params"]
    assert main([*arguments, '{"threshold_m": 9.0}']) == 0
    assert "9.0" in capsys.readouterr().out
    assert main([*arguments, "{threshold"]) == 1
    assert "is not JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--policy", "follow", "--seed", "7"], "seed 7 is for training"),
        (["--policy", "best"], "unknown policy 'best' of NTN/Tracking-v0; known are random, follow"),
        (["--policy", "follow", "--worlds", "1"], "worlds = 1: an interval needs 2 or more"),
        (["--policy", "follow", "--preset", "nowhere"], "unknown preset 'nowhere'"),
        (["--policy", "random", "--params", "{}"], "params are for rules"),
    ],
)
def test_evaluate_refuses_what_is_wrong(
    tracking: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["evaluate", "Tracking", *arguments]) == 1
    assert message in capsys.readouterr().err


def test_benchmark_then_report(tracking: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(BENCHMARK)
    out = tmp_path / "out"
    assert main(["benchmark", str(file), "--out", str(out)]) == 0
    assert "3 results made, 0 found" in capsys.readouterr().err
    assert main(["report", str(out)]) == 0
    assert str(out / "report.html") in capsys.readouterr().out
    assert f"ntn-gym benchmark {file} --out {out} --jobs 1" in (out / "report.md").read_text()


def test_benchmark_on_a_file_in_the_way_ends_with_words(
    tracking: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(BENCHMARK)
    (tmp_path / "taken").write_text("")
    with pytest.raises(SystemExit) as error:
        main(["benchmark", str(file), "--out", str(tmp_path / "taken")])
    assert "could not be written" in str(error.value)


def test_tune_heuristics_writes_the_file(tracking: Path, tmp_path: Path) -> None:
    sizes = ["--draws", "2", "--worlds", "4", "--finalists", "1", "--final-worlds", "4"]
    assert main(["tune-heuristics", "Tracking", "--presets", "tiny", *sizes, "--out", str(tmp_path)]) == 0
    stored = json.loads((tmp_path / "tuned" / "tiny.json").read_text())
    assert stored["heuristics"]["follow"]["episodes"] == 2 * 4 + 1 * 4
    assert not (tracking / "tuned").exists()
