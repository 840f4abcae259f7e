"""A training, its folder, and what happens when it is stopped, damaged or asked for nonsense."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch as th
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm

from ntn_gym.core.registry import make_task
from ntn_gym.core.seeding import VALIDATION_SEEDS
from ntn_gym.evaluation.rollout import evaluate
from ntn_gym_agents import training
from ntn_gym_agents.checkpoints import checkpoint_folder, newest_whole, read_manifest
from ntn_gym_agents.jobs import TrainJob, TrainResult
from ntn_gym_agents.layout import plain
from ntn_gym_agents.networks import AGENT_SET_POLICIES
from ntn_gym_agents.planning import plan
from ntn_gym_agents.training import train
from ntn_gym_agents.zoo import load_policy

MakeJob = Callable[..., TrainJob]
SMALL = {"n_envs": 8, "n_steps": 16, "batch_size": 64, "n_epochs": 1}
SMALL_DQN = {"n_envs": 8, "buffer_size": 256, "learning_starts": 32, "batch_size": 16, "target_update_interval": 64}
ALGORITHMS = [
    ("ppo", {}),
    ("ppo-mlp", {}),
    ("maskable-ppo", {}),
    ("dqn", {"overrides": SMALL_DQN}),
    ("ppo", {"overrides": {"n_envs": 8, "n_steps": 16, "normalize": {"norm_reward": True}}}),
]


class Stop(Exception):
    """Stands for a machine that goes down."""


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def stop_after(monkeypatch: pytest.MonkeyPatch, saves: int) -> None:
    """Let a training die right after it has written so many checkpoints."""
    write = training.store.write_folder
    count = 0

    def counting(target: Path, *arguments: Any) -> None:
        nonlocal count
        write(target, *arguments)
        count += target.name.startswith("step_")
        if count == saves:
            raise Stop

    monkeypatch.setattr(training.store, "write_folder", counting)


@pytest.fixture(scope="module")
def finished(small_job: MakeJob) -> tuple[TrainJob, TrainResult]:
    job = small_job()
    return job, train(job)


def test_a_finished_training_leaves_what_it_promises(finished: tuple[TrainJob, TrainResult]) -> None:
    job, result = finished
    out = Path(job.out)
    names = {path.name for path in out.iterdir()}
    promised = {
        "job.json",
        "progress.csv",
        "evaluations.csv",
        "tensorboard",
        "best",
        "last",
        "policy.zip",
        "manifest.json",
    }
    assert names == promised
    assert result.finished and result.steps == 384 and result.resumed_from is None
    assert 0 < result.env_share < 1 and result.steps_per_second > 0
    manifest = read_manifest(out)
    assert TrainResult.from_dict(manifest["result"]) == result
    assert manifest["environment"] == "NTN/Handover-v0" and manifest["preset"] == "tiny"
    assert list((out / "tensorboard").glob("events.out.tfevents.*"))
    curve = table(out / "evaluations.csv")
    assert [int(row["steps"]) for row in curve] == [0, 256, 384]
    best = max(curve, key=lambda row: float(row["return_mean"]))
    assert result.policy_steps == int(best["steps"])
    assert result.validation_return == float(best["return_mean"])
    progress = table(out / "progress.csv")
    assert [int(row["time/total_timesteps"]) for row in progress] == [128, 256, 384]
    rates = [float(row["train/learning_rate"]) for row in progress if row["train/learning_rate"]]
    # lin_1e-3: the value logged in row k was used after k rollouts, that is with 1 - k/3 of the training to go.
    np.testing.assert_allclose(rates, [1e-3 * 2 / 3, 1e-3 / 3], rtol=1e-12)


def test_the_same_command_again_returns_the_result_and_touches_nothing(finished: tuple[TrainJob, TrainResult]) -> None:
    job, result = finished
    before = {path: path.stat().st_mtime_ns for path in Path(job.out).rglob("*")}
    assert train(job) == result
    assert {path: path.stat().st_mtime_ns for path in Path(job.out).rglob("*")} == before


def test_the_exported_policy_reaches_what_its_manifest_says(finished: tuple[TrainJob, TrainResult]) -> None:
    job, result = finished
    task = make_task("Handover", "tiny")
    seeds = range(VALIDATION_SEEDS.start, VALIDATION_SEEDS.start + job.eval_worlds)
    played = evaluate(task, load_policy(job.out), seeds, purpose="validation")
    assert played.returns.mean() == pytest.approx(result.validation_return, rel=1e-6)


def test_stable_baselines_itself_can_load_the_exported_model(finished: tuple[TrainJob, TrainResult]) -> None:
    job, result = finished
    model = PPO.load(result.policy, device="cpu")
    task = make_task("Handover", "tiny")
    observation = np.stack([task.agent_observation_space.sample() for _ in range(20)])
    mine = load_policy(job.out).act(observation[:, None], None, np.zeros(20, dtype=bool))[:, 0]
    np.testing.assert_array_equal(model.predict(observation, deterministic=True)[0], mine)


@pytest.mark.parametrize(("algorithm", "changes"), ALGORITHMS, ids=["ppo", "mlp", "maskable", "dqn", "scaled"])
def test_a_training_that_dies_resumes_and_reaches_the_same_steps(
    small_job: MakeJob, monkeypatch: pytest.MonkeyPatch, algorithm: str, changes: dict[str, Any]
) -> None:
    job = small_job(algorithm=algorithm, **changes)
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(Stop):
            train(job)
    out = Path(job.out)
    checkpoint = newest_whole(out / "checkpoints", pytest.fail)
    assert checkpoint is not None and checkpoint.steps == 256
    told: list[str] = []
    result = train(job, told.append)
    assert result.steps == 384 and result.resumed_from == 256
    assert told == [f"resuming {out} at step 256 of 384"]
    assert not (out / "checkpoints").exists()
    steps = [int(row["steps"]) for row in table(out / "evaluations.csv")]
    assert steps == [0, 256, 384], "no point of the learning curve is lost or doubled"
    if algorithm != "dqn":
        progress = table(out / "progress.csv")
        assert [int(row["time/total_timesteps"]) for row in progress] == [128, 256, 384]
        last = [row["train/learning_rate"] for row in progress if row["train/learning_rate"]][-1]
        if "overrides" not in changes:
            assert float(last) < 1e-3 * 0.67, "the schedule goes on where it was"


def test_what_is_restored_is_what_was_saved(small_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights, optimiser, counters and the replay buffer, compared between the two sittings."""
    job = small_job(algorithm="dqn", overrides=SMALL_DQN)
    models: list[BaseAlgorithm] = []
    build = training._model

    def kept(*arguments: Any) -> BaseAlgorithm:
        models.append(build(*arguments))
        return models[-1]

    monkeypatch.setattr(training, "_model", kept)
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(Stop):
            train(job)

    def compare(*arguments: Any) -> float:
        raise Stop

    monkeypatch.setattr(training, "_learn", compare)
    with pytest.raises(Stop):
        train(job, lambda _: None)
    saved, restored = models
    assert restored.num_timesteps == saved.num_timesteps == 256
    assert restored._n_updates == saved._n_updates > 0
    assert restored._n_calls == saved._n_calls == 32
    assert restored.exploration_rate == saved.exploration_rate
    for mine, other in zip(restored.policy.parameters(), saved.policy.parameters(), strict=True):
        assert th.equal(mine, other)
    moments = [list(model.policy.optimizer.state_dict()["state"].values()) for model in models]
    assert len(moments[0]) > 0
    for mine, other in zip(*moments, strict=True):
        assert th.equal(mine["exp_avg_sq"], other["exp_avg_sq"])
    buffers = [model.replay_buffer for model in models]
    assert buffers[0].full and buffers[0].pos == buffers[1].pos and buffers[1].full
    for name in ("observations", "next_observations", "actions", "rewards", "dones"):
        np.testing.assert_array_equal(getattr(buffers[0], name), getattr(buffers[1], name))
    # The episodes that were running are marked as cut after their last step, since others follow in the buffer.
    cut = buffers[0].timeouts.copy()
    cut[buffers[0].pos - 1] = 1.0 - buffers[0].dones[buffers[0].pos - 1] * (1.0 - cut[buffers[0].pos - 1])
    np.testing.assert_array_equal(buffers[1].timeouts, cut)


def test_a_truncated_checkpoint_is_reported_and_the_one_before_is_used(
    small_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = small_job()
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(Stop):
            train(job)
    model = checkpoint_folder(Path(job.out) / "checkpoints", 256) / "model.zip"
    model.write_bytes(model.read_bytes()[:-1000])
    told: list[str] = []
    result = train(job, told.append)
    assert result.resumed_from == 128 and result.steps == 384
    assert "checkpoint skipped" in told[0] and "cut short" in told[0]
    assert [int(row["steps"]) for row in table(Path(job.out) / "evaluations.csv")] == [0, 256, 384]


def test_a_full_disk_stops_with_advice_and_the_run_resumes_later(
    small_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = small_job()
    save = BaseAlgorithm.save
    saves = 0

    def full(self: BaseAlgorithm, path: Any, *arguments: Any, **more: Any) -> None:
        nonlocal saves
        saves += 1
        if saves > 3:
            Path(path).write_bytes(b"PK half a model")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(self, path, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(BaseAlgorithm, "save", full)
        with pytest.raises(OSError, match=r"No space left on device.*make room, then give the same command again"):
            train(job)
    assert newest_whole(Path(job.out) / "checkpoints", pytest.fail) is not None
    assert not list(Path(job.out).rglob(".part-*"))
    result = train(job, lambda _: None)
    assert result.steps == 384 and result.resumed_from


WORKER = """
import sys, json
from ntn_gym_agents.jobs import TrainJob
from ntn_gym_agents.training import train
print(json.dumps(train(TrainJob(**json.loads(sys.argv[1]))).as_dict()))
"""


def test_kill_minus_nine_then_the_same_command(small_job: MakeJob) -> None:
    job = small_job(steps=128 * 60, eval_every=0)
    values = {name: getattr(job, name) for name in job.__dataclass_fields__}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", WORKER, json.dumps(values)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder = Path(job.out) / "checkpoints"
    try:
        deadline = time.monotonic() + 60
        while newest_whole(folder, lambda _: None) is None:
            assert process.poll() is None, "the training ended before it could be killed"
            assert time.monotonic() < deadline, "no checkpoint within a minute"
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert not (Path(job.out) / "manifest.json").exists()
    result = train(job, lambda _: None)
    assert result.steps == 128 * 60 and result.resumed_from and result.resumed_from % 128 == 0
    logged = [int(row["time/total_timesteps"]) for row in table(Path(job.out) / "progress.csv")]
    assert logged == list(range(128, 128 * 61, 128)), "every rollout is logged once"


def test_equal_jobs_give_equal_agents_and_another_seed_another(small_job: MakeJob) -> None:
    jobs = [
        small_job(steps=256, eval_every=0),
        small_job(steps=256, eval_every=0),
        small_job(steps=256, eval_every=0, seed=1),
    ]
    weights = [load_policy(train(job).out)._policy.state_dict() for job in jobs]
    assert all(th.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert not all(th.equal(weights[0][key], weights[2][key]) for key in weights[0])


def test_many_users_share_one_policy(small_job: MakeJob) -> None:
    job = small_job(scenario={"users": {"count": 3}}, steps=128)
    planned = plan(job)
    assert planned.n_parallel == 2, "n_envs counts agents of all worlds"
    result = train(job)
    assert result.steps == 192, "two rollouts of 16 steps of 2 worlds of 3 users"
    played = evaluate(
        make_task("Handover", "tiny", {"users": {"count": 3}}),
        load_policy(job.out),
        [VALIDATION_SEEDS.start],
        purpose="validation",
    )
    assert np.isfinite(played.returns).all()


def test_one_controller_scores_the_slots_of_many_users(small_job: MakeJob) -> None:
    values = {
        **SMALL,
        "policy": AGENT_SET_POLICIES["ppo"],
        "policy_kwargs": {"layout": "NTN/Handover-v0", "net_arch": [8]},
        "control": "central",
        "pretrain": {"heuristic": "composite", "steps": 400},
    }
    users = {"users": {"count": 3}}
    told: list[str] = []
    result = train(small_job(scenario=users, steps=128, overrides=values), told.append)
    assert result.steps == 128 and "decisions of composite" in told[0]
    manifest = read_manifest(Path(result.out))
    assert manifest["policy_kwargs"]["agents"] == 3
    assert manifest["policy_kwargs"]["layout"] == plain(make_task("Handover", "tiny", users).slot_layout)
    assert manifest["action_space"] == {"kind": "multi_discrete", "nvec": [4, 4, 4]}
    load_policy(result.out)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"environment": "Handoff"}, "unknown environment 'Handoff'"),
        ({"preset": "beems"}, "unknown preset 'beems'; known are"),
        ({"scenario": {"link": {"bandwidth_hz": -1.0}}}, r"link.bandwidth_hz = -1.0"),
        ({"algorithm": "sarsa"}, "names no algorithm"),
        ({"overrides": {"gama": 0.9}}, "unknown key gama"),
        ({"overrides": {"gamma": 2.0}}, "gamma = 2.0"),
        ({"overrides": {"policy_kwargs": {"layout": {"n_slots": 4}}}}, "needed are exactly"),
        ({"overrides": {"policy_kwargs": {"layout": "NTN/Nowhere-v0"}}}, "unknown environment"),
        (
            {"scenario": {"users": {"count": 3}}, "overrides": {"control": "central"}},
            "chooses one slot for one agent.*would have to choose for 3: take control: shared, or .*AgentSetPolicy",
        ),
        ({"eval_worlds": 2_000_000}, "there are 1000000 validation seeds"),
        ({"overrides": {"pretrain": {"heuristic": "telepathy"}}}, "unknown heuristic 'telepathy'"),
    ],
)
def test_a_job_that_makes_no_sense_creates_nothing(
    small_job: MakeJob, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    job = small_job(out=tmp_path / "run", **changes)
    with pytest.raises(ValueError, match=message):
        train(job)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 2_000_000}, "seed = 2000000 is for reporting; train with seeds 0 to 999999"),
        ({"seed": 1_000_005}, "is for validation"),
        ({"seed": -1}, "seed -1 is in no range"),
        ({"steps": -5}, "steps = -5: allowed are whole numbers from 1"),
        ({"steps": 1e6}, "steps = 1000000.0"),
        ({"eval_worlds": 0}, "eval_worlds = 0"),
    ],
)
def test_a_job_with_an_impossible_value_cannot_be_made(
    small_job: MakeJob, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        small_job(**changes)


def test_a_folder_that_holds_something_else_is_left_alone(
    finished: tuple[TrainJob, TrainResult], small_job: MakeJob, tmp_path: Path
) -> None:
    job, _ = finished
    with pytest.raises(ValueError, match=r"holds another run \(seed: 0 there, 1 here\)"):
        train(small_job(out=Path(job.out), seed=1))
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(FileExistsError, match="is no training run; choose another folder"):
        train(small_job(out=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_damaged_result_is_exported_again(small_job: MakeJob) -> None:
    job = small_job(eval_every=0)
    first = train(job)
    (Path(job.out) / "policy.zip").write_bytes(b"")
    told: list[str] = []
    again = train(job, told.append)
    assert "cut short" in told[0]
    assert again.steps == first.steps
    load_policy(job.out)
