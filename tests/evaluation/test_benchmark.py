"""Benchmarks: what is played, what a killed or spoilt run costs, and that the same command completes it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ntn_gym.cli import main
from ntn_gym.evaluation import benchmark, work
from ntn_gym.evaluation.benchmark import plan, read_manifest, run_benchmark
from ntn_gym.evaluation.benchmark_config import BenchmarkConfig, load_benchmark
from ntn_gym.evaluation.problem import load_problem
from ntn_gym.evaluation.records import Record, read_record
from ntn_gym.evaluation.rollout import evaluate
from ntn_gym.evaluation.work import perform

from .test_records import full_disk, spoil

TRACKING = BenchmarkConfig(
    title="t", environment="Tracking", presets=("tiny", "pair"), seeds={"first": 2_000_000, "count": 12}
)
HANDOVER = """
title: Killed and completed
environment: Handover
presets: [tiny]
seeds: {first: 2000000, count: 100}
policies: [sticky, strongest, elevation]
"""


def records(out: Path) -> dict[str, Record]:
    return {path.name: read_record(path) for path in sorted((out / "records").glob("*.json"))}


def numbers(record: Record) -> dict[str, Any]:
    """What must be equal in two runs: all but clocks."""
    return record.model_dump(exclude={"wall_s", "finished", "commit", "machine", "versions"})


def test_everything_is_played_once(tracking: Path, tmp_path: Path) -> None:
    summary = run_benchmark(TRACKING, tmp_path)
    assert (summary.made, summary.found, summary.notes) == (6, 0, ())
    found = records(tmp_path)
    assert [(r.identity.preset, r.identity.policy) for r in found.values()] == [
        (preset, policy) for preset in ("pair", "tiny") for policy in ("bound", "follow", "random")
    ]
    manifest = read_manifest(tmp_path)
    assert manifest.finished
    assert set(manifest.files) == set(found)
    problem = load_problem("Tracking", "pair")
    policy = problem.heuristics["follow"].factory(problem.task, {})
    expected = evaluate(problem.task, policy, range(2_000_000, 2_000_012))
    stored = found["Tracking-v0__pair__follow__worlds2000000+12.json"]
    np.testing.assert_array_equal(stored.returns, expected.returns)
    np.testing.assert_array_equal(stored.kpis["distance_m"], expected.kpis["distance_m"])
    bound = found["Tracking-v0__pair__bound__worlds2000000+12.json"]
    assert (np.array(bound.returns) >= stored.returns).all()
    assert bound.time_line is not None
    assert bound.notes["replay_error"] < 1e-9


def test_the_same_call_plays_nothing_again(tracking: Path, tmp_path: Path) -> None:
    run_benchmark(TRACKING, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "records").iterdir()}
    summary = run_benchmark(TRACKING, tmp_path)
    assert (summary.made, summary.found) == (0, 6)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "records").iterdir()} == before


@pytest.mark.parametrize("how", ["truncated", "a world is missing"])
def test_a_spoilt_record_is_reported_and_made_again(tracking: Path, tmp_path: Path, how: str) -> None:
    run_benchmark(TRACKING, tmp_path)
    before = records(tmp_path)
    path = tmp_path / "records" / "Tracking-v0__tiny__random__worlds2000000+12.json"
    spoil(path, how)
    (tmp_path / "records" / ".left-behind.part").write_text("half a rec")
    summary = run_benchmark(TRACKING, tmp_path)
    assert (summary.made, summary.found) == (1, 5)
    assert "not a whole record" in summary.notes[0]
    assert path.name in summary.notes[0]
    assert {name: numbers(r) for name, r in records(tmp_path).items()} == {n: numbers(r) for n, r in before.items()}


def test_a_changed_preset_or_program_is_played_again(tracking: Path, tmp_path: Path) -> None:
    run_benchmark(TRACKING, tmp_path)
    (tracking / "presets" / "pair.yaml").write_text("trackers: 2\nsteps: 30\n")
    work.shared_worlds.cache_clear()
    work.provenance.code_digest.cache_clear()
    summary = run_benchmark(TRACKING, tmp_path)
    assert summary.made == 6  # a preset is part of the sources of the environment
    assert any("another scenario" in note for note in summary.notes)
    assert any("other code" in note for note in summary.notes)


def test_full_disk_ends_the_run_and_the_same_call_completes_it(
    tracking: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0

    def perform_until_full(*arguments: Any, **options: Any) -> Any:
        nonlocal made
        if made == 3:
            full_disk(monkeypatch, "fsync")
        made += 1
        return perform(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(benchmark, "perform", perform_until_full)
        with pytest.raises(OSError, match="No space left on device"):
            run_benchmark(TRACKING, tmp_path)
        monkeypatch.undo()
    assert len(records(tmp_path)) == 3  # all of them whole
    assert not read_manifest(tmp_path).finished
    summary = run_benchmark(TRACKING, tmp_path)
    assert (summary.made, summary.found) == (3, 3)


def command(file: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "ntn_gym.cli", "benchmark", str(file), "--out", str(out)]


def test_kill_9_loses_at_most_the_record_in_progress(tmp_path: Path) -> None:
    file = tmp_path / "killed.yaml"
    file.write_text(HANDOVER)
    out = tmp_path / "out"
    process = subprocess.Popen(command(file, out), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list((out / "records").glob("*.json"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()  # SIGKILL: nothing can be tidied up
    process.wait()
    survived = records(out)  # reading raises if one of them is not whole
    assert 2 <= len(survived) < 5
    again = subprocess.run(command(file, out), capture_output=True, text=True, check=True)
    assert f"{5 - len(survived)} results made, {len(survived)} found" in again.stderr
    whole = tmp_path / "whole"
    run_benchmark(load_benchmark(file), whole)
    assert {n: numbers(r) for n, r in records(out).items()} == {n: numbers(r) for n, r in records(whole).items()}
    kept = records(out)
    assert all(kept[name] == record for name, record in survived.items())  # not even their clocks have changed


def test_processes_change_no_number(tmp_path: Path) -> None:
    file = tmp_path / "jobs.yaml"
    file.write_text(HANDOVER.replace("count: 100", "count: 20"))
    config = load_benchmark(file)
    run_benchmark(config, tmp_path / "one")
    run_benchmark(config, tmp_path / "two", jobs=2)
    one, two = records(tmp_path / "one"), records(tmp_path / "two")
    assert {n: numbers(r) for n, r in one.items()} == {n: numbers(r) for n, r in two.items()}


AGENTS = """
agents:
  - {name: small PPO, algorithm: ppo, steps: 2048, seeds: [0, 1], eval_every: 1024, eval_worlds: 4,
     overrides: {n_envs: 16, n_steps: 16, batch_size: 256}}
"""


@pytest.mark.slow
def test_agents_are_trained_once_and_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("stable_baselines3")
    file = tmp_path / "agents.yaml"
    file.write_text(HANDOVER.replace("count: 100", "count: 10") + AGENTS)
    out = tmp_path / "out"
    config = load_benchmark(file)
    assert run_benchmark(config, out).made == 7
    first = {name: r for name, r in records(out).items() if r.identity.kind == "agent"}
    assert [r.identity.training_seed for r in first.values()] == [0, 1]
    for record in first.values():
        assert record.notes["training"]["steps"] == 2048
        assert record.notes["curve"]["steps"][-1] == 2048
        assert record.notes["curve"]["random"] < record.notes["curve"]["bound"]
        assert {"torch", "stable-baselines3"} <= set(record.versions)
    returns = [record.returns for record in first.values()]
    assert returns[0] != returns[1]
    assert run_benchmark(config, out).made == 0
    policy = next((out / "training").glob("*/policy.zip"))
    assert main(["evaluate", "Handover", "--preset", "tiny", "--policy", str(policy), "--worlds", "4"]) == 0
    assert "score" in capsys.readouterr().out
    # Without the record the finished training is used again and gives the same numbers.
    name = next(iter(first))
    (out / "records" / name).unlink()
    trained = {path: path.stat().st_mtime_ns for path in (out / "training").glob("*/policy.zip")}
    assert len(trained) == 2
    assert run_benchmark(config, out).made == 1
    assert {path: path.stat().st_mtime_ns for path in (out / "training").glob("*/policy.zip")} == trained
    assert numbers(records(out)[name]) == numbers(first[name])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("environment: Handower", "unknown environment 'Handower'"),
        ("presets: [tiny, nowhere]", "unknown presets nowhere of Handover; known are"),
        ("policies: [sticky, best]", "unknown policies best; known are random"),
        ("seeds: {first: 1000, count: 10}", "seed 1000 is for training"),
        ("seeds: {first: 2000000, count: 1}", "seeds.count = 1"),
        ("presets: [tiny, tiny]", "a preset occurs twice"),
        ("gap_over: strong", "gap_over = 'strong' is not played"),
        ("agents: [{name: random}]", "is the name of another policy"),
        ("agents: [{name: ppo, seeds: [1, 1]}]", "a training seed occurs twice"),
        ("agents: [{name: ppo, seeds: [2000000]}]", "training seed 2000000"),
        ("agents: [{name: ppo, presets: [beams]}]", "names presets that the benchmark lacks: beams"),
        ("worlds: 10", "worlds = 10: Extra inputs are not permitted"),
        ("bound: false", "bound = False"),
        ("title: [", "not readable YAML"),
    ],
)
def test_wrong_files_are_refused_before_anything_runs(tmp_path: Path, change: str, message: str) -> None:
    key = change.partition(":")[0]
    kept = [line for line in HANDOVER.strip().splitlines() if not line.startswith(f"{key}:")]
    file = tmp_path / "wrong.yaml"
    file.write_text("\n".join([*kept, change]))
    with pytest.raises(ValueError) as error:
        load_benchmark(file)
    assert message in str(error.value)


def test_a_missing_file_and_a_foreign_folder_are_named(tracking: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"configs/benchmark"):
        load_benchmark(tmp_path / "nothing.yaml")
    run_benchmark(TRACKING, tmp_path)
    values = json.loads((tmp_path / "benchmark.json").read_text())
    values["config"]["environment"] = "Handover"
    (tmp_path / "benchmark.json").write_text(json.dumps(values))
    with pytest.raises(ValueError, match="holds a benchmark of Handover, not of Tracking"):
        run_benchmark(TRACKING, tmp_path)


def test_shipped_benchmarks_are_valid() -> None:
    folder = Path(__file__).parents[2] / "configs" / "benchmark"
    files = sorted(folder.glob("*.yaml"))
    assert {"handover-more.yaml", "handover-beams.yaml", "quickstart.yaml"} <= {file.name for file in files}
    for file in files:
        assert plan(load_benchmark(file))
