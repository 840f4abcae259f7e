"""``ntn-gym train`` as people use it."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ntn_gym.cli import main
from ntn_gym.cli import train as command

SMALL = {
    "n_timesteps": 128, "policy": "MlpPolicy", "n_envs": 8, "n_steps": 16, "batch_size": 64, "n_epochs": 1,
    "policy_kwargs": {"net_arch": [8]}, "env_kwargs": {"n_worlds": 2},
}  # fmt: skip


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yml"
    path.write_text(yaml.safe_dump({"NTN/Handover-v0": SMALL}))
    return path


def call(tmp_path: Path, small_file: Path, *more: str) -> int:
    out = ["--out", str(tmp_path / "run"), "--config", str(small_file), "--eval-worlds", "2"]
    return main(["train", "Handover", "--preset", "tiny", *out, *more])


def test_it_trains_and_says_where_everything_is(
    tmp_path: Path, small_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(tmp_path, small_file, "--seed", "3") == 0
    said = capsys.readouterr().out
    assert f"tensorboard --logdir {tmp_path / 'run' / 'tensorboard'}" in said
    assert "steps/s" in said and "of that time went into the environment" in said
    assert str(tmp_path / "run" / "policy.zip") in said
    assert (tmp_path / "run" / "manifest.json").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seed", "2000000"], "is for reporting"),
        (["--steps", "-1"], "steps = -1"),
        (["--algo", "sarsa"], "names no algorithm"),
        (["--n-worlds", "0"], "n_worlds = 0"),
        (["--config", "nowhere.yml"], "nowhere.yml does not exist"),
        (["--preset", "beems"], "unknown preset 'beems'"),
        (["--pretrain", "telepathy"], "unknown heuristic 'telepathy'"),
    ],
)
def test_wrong_input_is_one_line_and_creates_nothing(
    tmp_path: Path, small_file: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert call(tmp_path, small_file, *words) == 1
    captured = capsys.readouterr()
    assert message in captured.err and "Traceback" not in captured.err and captured.out == ""
    assert not (tmp_path / "run").exists()


def test_a_full_disk_is_one_line(tmp_path: Path, small_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(job: object) -> None:
        raise OSError(errno.ENOSPC, "x could not be written: make room, then give the same command again")

    monkeypatch.setattr(command, "_agents", lambda: (dict, lambda job: None, full))
    with pytest.raises(SystemExit, match=r"ntn-gym train: .*make room"):
        call(tmp_path, small_file)


def test_without_the_extra_it_says_how_to_install_it(
    tmp_path: Path, small_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "TRAIN_JOB", "a_package_that_is_not_installed.jobs:TrainJob")
    assert call(tmp_path, small_file) == 1
    assert "training needs the extra `agents`" in (said := capsys.readouterr().err)
    assert 'pip install "ntn-gym[agents]"' in said


def test_help_says_which_algorithm_for_which_actions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for words in ("Discrete actions: ppo", "Continuous actions: ppo, recurrent-ppo, sac", "shared (each decides by"):
        assert words in said


def test_the_command_explains_itself_without_torch() -> None:
    code = "import sys, ntn_gym.cli.train; sys.exit('torch' in sys.modules or 'ntn_gym_agents' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
