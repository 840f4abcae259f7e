"""From a configuration to a policy that plays, for every kind of action, control and algorithm; also after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
import yaml
from stable_baselines3.common.base_class import BaseAlgorithm

from ntn_gym.cli import main
from ntn_gym.core.registry import find_entry, make_task
from ntn_gym.core.seeding import VALIDATION_SEEDS
from ntn_gym.evaluation.rollout import evaluate
from ntn_gym_agents import training
from ntn_gym_agents.checkpoints import newest_whole, read_manifest
from ntn_gym_agents.jobs import TrainJob
from ntn_gym_agents.networks import AGENT_SET_POLICIES
from ntn_gym_agents.planning import plan
from ntn_gym_agents.training import ALGORITHMS, train
from ntn_gym_agents.zoo import load_policy

MakeJob = Callable[..., TrainJob]
pytestmark = pytest.mark.usefixtures("throwaway")

ON_POLICY: dict[str, Any] = {"n_envs": 8, "n_steps": 16, "batch_size": 64, "n_epochs": 1}
REPLAY: dict[str, Any] = {
    "n_envs": 8, "buffer_size": 512, "learning_starts": 32, "batch_size": 16, "train_freq": 1, "gradient_steps": 1,
}  # fmt: skip
SMALL_NET: dict[str, Any] = {"net_arch": [8]}
LSTM = {"lstm_hidden_size": 4, **SMALL_NET}

# name: environment, algorithm, control, policy, values
CASES: dict[str, tuple[str, str, str, str, dict[str, Any]]] = {
    "discrete, shared, ppo": ("Tracking", "ppo", "shared", "MlpPolicy", ON_POLICY),
    "discrete, shared, dqn": ("Tracking", "dqn", "shared", "MlpPolicy", REPLAY),
    "discrete, shared, recurrent": ("Tracking", "recurrent-ppo", "shared", "MlpLstmPolicy", ON_POLICY),
    "discrete, central, ppo": ("Tracking", "ppo", "central", "MlpPolicy", ON_POLICY),
    "discrete, central, masked set": (
        "Tracking", "maskable-ppo", "central", AGENT_SET_POLICIES["maskable-ppo"], ON_POLICY,
    ),
    "box, shared, ppo": ("Steering", "ppo", "shared", "MlpPolicy", ON_POLICY),
    "box, shared, sac": ("Steering", "sac", "shared", "MlpPolicy", REPLAY | {"ent_coef": "auto_0.2", "n_steps": 3}),
    "box, central, ppo set": ("Steering", "ppo", "central", AGENT_SET_POLICIES["ppo"], ON_POLICY),
    "box, central, sac set": ("Steering", "sac", "central", AGENT_SET_POLICIES["sac"], REPLAY | {"ent_coef": 0.1}),
    "box, central, recurrent": ("Steering", "recurrent-ppo", "central", "MlpLstmPolicy", ON_POLICY),
}  # fmt: skip


@pytest.fixture
def make(small_job: MakeJob, tmp_path: Path) -> Callable[..., TrainJob]:
    """Return a function that writes a configuration and makes the job of a case."""

    def job(case: str, **changes: Any) -> TrainJob:
        environment, algorithm, control, policy, values = CASES[case]
        network = LSTM if policy == "MlpLstmPolicy" else SMALL_NET
        section = {"n_timesteps": 384, "policy": policy, "policy_kwargs": network, **values}
        file = tmp_path / "mine.yml"
        file.write_text(yaml.safe_dump({find_entry(environment).id: section, "control": control}))
        asked = {"environment": environment, "preset": "pair", "algorithm": algorithm, "config": str(file)}
        return small_job(**{**asked, "overrides": {}, **changes})

    return job


def stop_after_checkpoints(patch: pytest.MonkeyPatch, n: int) -> None:
    write = training.store.write_folder
    seen = []

    def counting(target: Path, *arguments: Any) -> None:
        write(target, *arguments)
        seen.append(target.name.startswith("step_"))
        if sum(seen) == n:
            raise InterruptedError

    patch.setattr(training.store, "write_folder", counting)


def state_of(model: BaseAlgorithm) -> dict[str, th.Tensor]:
    """Everything that is learned: networks, moments of the optimisers, SAC's temperature."""
    found = {f"policy.{name}": value for name, value in model.policy.state_dict().items()}
    names, variables = model._get_torch_save_params()
    for name in names:
        holder: Any = model
        for part in name.split("."):
            holder = getattr(holder, part)
        for i, moments in holder.state_dict().get("state", {}).items():
            found |= {f"{name}.{i}.{key}": value for key, value in moments.items()}
    return found | {name: getattr(model, name) for name in variables}


@pytest.mark.parametrize("case", CASES)
def test_every_case_trains_dies_resumes_plays_and_says_what_it_is(
    make: Callable[..., TrainJob], monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    job = make(case)
    _, algorithm, control, _, _ = CASES[case]
    models: list[BaseAlgorithm] = []
    build, learn, saved = training._model, training._learn, {}

    def kept(*arguments: Any) -> BaseAlgorithm:
        models.append(build(*arguments))
        return models[-1]

    def compared(planned: Any, model: BaseAlgorithm, *arguments: Any) -> float:
        restored = state_of(model)
        assert restored.keys() == saved.keys() and any("exp_avg" in name for name in saved)
        for name, value in saved.items():
            assert th.equal(value, restored[name]), name
        return learn(planned, model, *arguments)

    monkeypatch.setattr(training, "_model", kept)
    with monkeypatch.context() as patch:
        stop_after_checkpoints(patch, 2)
        with pytest.raises(InterruptedError):
            train(job)
    saved |= {name: value.clone() for name, value in state_of(models[0]).items()}
    assert models[0].num_timesteps == 256 and models[0]._n_updates > 0
    monkeypatch.setattr(training, "_learn", compared)
    result = train(job, lambda _: None)
    assert isinstance(models[1], ALGORITHMS[algorithm])
    assert result.steps == 384 and result.resumed_from == 256
    manifest = read_manifest(Path(job.out))
    assert manifest["control"] == control and manifest["n_agents"] == 2
    # What was validated in training is what the stored policy does.
    task = plan(job).task
    seeds = range(VALIDATION_SEEDS.start, VALIDATION_SEEDS.start + job.eval_worlds)
    played = evaluate(task, load_policy(job.out), seeds, purpose="validation")
    assert played.returns.mean() == pytest.approx(result.validation_return, rel=1e-6)
    alone = evaluate(task, load_policy(job.out), seeds, purpose="validation", block_worlds=1)
    np.testing.assert_allclose(alone.returns, played.returns, rtol=1e-6)


def test_steps_and_environments_count_agents_when_they_share_and_worlds_when_they_do_not(
    make: Callable[..., TrainJob],
) -> None:
    assert plan(make("discrete, shared, ppo")).n_parallel == 4
    assert plan(make("discrete, central, ppo")).n_parallel == 8


def test_a_central_policy_needs_the_number_of_agents_it_was_trained_for(make: Callable[..., TrainJob]) -> None:
    folder = train(make("discrete, central, ppo", steps=128, eval_every=0)).out
    three = make_task("Tracking", "pair", {"trackers": 3})
    with pytest.raises(ValueError, match=r"observations of all agents of \(4,\) numbers, here they have 6.*of agents"):
        evaluate(three, load_policy(folder), [VALIDATION_SEEDS.start], purpose="validation")
    shared = train(make("discrete, shared, ppo", steps=128, eval_every=0)).out
    assert np.isfinite(evaluate(three, load_policy(shared), [VALIDATION_SEEDS.start], purpose="validation").returns)


def test_a_memory_ends_with_its_episode(make: Callable[..., TrainJob]) -> None:
    policy = load_policy(train(make("discrete, shared, recurrent", steps=128, eval_every=0)).out, deterministic=True)
    with th.no_grad():
        for parameter in policy._policy.parameters():
            parameter.copy_(th.randn(parameter.shape, generator=th.Generator().manual_seed(3)))
    seen = np.random.default_rng(0).uniform(-1, 1, (30, 5, 2, 2)).astype(np.float32)
    none, every = np.zeros(5, dtype=bool), np.ones(5, dtype=bool)

    def play(steps: range, restarted: list[np.ndarray]) -> list[np.ndarray]:
        return [policy.act(seen[t], None, mark) for t, mark in zip(steps, restarted, strict=True)]

    policy.reset(5)
    first = play(range(30), [every, *[none] * 29])
    mixed = np.array([True, False, True, False, False])
    second = play(range(30), [mixed, *[none] * 29])  # goes on in worlds 1, 3 and 4
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a[mixed], b[mixed])
    assert any((a[~mixed] != b[~mixed]).any() for a, b in zip(first, second, strict=True)), "it remembers something"
    policy.reset(5)
    np.testing.assert_array_equal(np.stack(play(range(30), [none] * 30)), np.stack(first))


@pytest.mark.parametrize("case", ["discrete, central, masked set", "box, shared, sac"])
def test_benchmark_and_evaluate_take_any_agent(
    make: Callable[..., TrainJob], tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    environment, algorithm, _, _, _ = CASES[case]
    asked = {
        "title": "small", "environment": environment, "presets": ["pair"], "policies": "all", "bound": True,
        "seeds": {"first": 2_000_000, "count": 3},
        "agents": [{
            "name": "mine", "algorithm": algorithm, "config": make(case).config, "steps": 128, "eval_every": 64,
            "eval_worlds": 2,
        }],
    }  # fmt: skip
    file, out = tmp_path / "benchmark.yaml", tmp_path / "results"
    file.write_text(yaml.safe_dump(asked))
    assert main(["benchmark", str(file), "--out", str(out)]) == 0
    assert "4 results made, 0 found" in capsys.readouterr().err, "random, a rule, the bound and the agent"
    assert main(["benchmark", str(file), "--out", str(out)]) == 0
    assert "0 results made, 4 found" in capsys.readouterr().err
    policy = next((out / "training").rglob("policy.zip"))
    assert main(["evaluate", environment, "--policy", str(policy), "--preset", "pair", "--worlds", "3"]) == 0
    assert "score" in capsys.readouterr().out
    if "box" in case:  # an action that is no label of a time line
        assert main(["report", str(out)]) == 0
        assert "mine" in (out / "report.html").read_text()


WORKER = """
import sys, json
import ntn_gym.envs
from ntn_gym.interfaces.registration import register_environments
ntn_gym.envs.__path__.append(sys.argv[2])
from ntn_gym.core.registry import entries
entries.cache_clear()
register_environments()
from ntn_gym_agents.jobs import TrainJob
from ntn_gym_agents.training import train
train(TrainJob(**json.loads(sys.argv[1])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_kill_minus_nine_then_the_same_command(make: Callable[..., TrainJob], throwaway: Path, case: str) -> None:
    job = make(case, steps=128 * 30, eval_every=0)
    values = {name: getattr(job, name) for name in job.__dataclass_fields__}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", WORKER, json.dumps(values), str(throwaway)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder = Path(job.out) / "checkpoints"
    try:
        deadline = time.monotonic() + 60
        while newest_whole(folder, lambda _: None) is None:
            assert process.poll() is None, "the training ended before it could be killed"
            assert time.monotonic() < deadline, "no checkpoint within a minute"
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    result = train(job, lambda _: None)
    assert result.steps == 128 * 30 and result.resumed_from
    load_policy(job.out)


@pytest.mark.parametrize(
    ("case", "changes", "message"),
    [
        ("box, shared, sac", {"environment": "Tracking"}, r"sac needs continuous actions, here they are Discrete\(3\)"),
        ("discrete, shared, dqn", {"environment": "Steering"}, "dqn chooses one of a few actions.*use ppo or sac"),
        ("discrete, central, masked set", {"environment": "Steering"}, "masks discrete actions.*use ppo or sac"),
        ("discrete, shared, dqn", {"overrides": {"control": "central"}}, "for 2 agents at once.*control: shared"),
        ("box, central, ppo set", {"overrides": {"control": "shared"}}, "needs the top-level key control: central"),
        ("box, central, ppo set", {"overrides": {"policy_kwargs": {"agents": 5}}}, "agents = 5, but the worlds have 2"),
        ("box, central, ppo set", {"overrides": {"policy_kwargs": {"layout": "Steering"}}}, "declares no slot_layout"),
        ("discrete, shared, ppo", {"overrides": {"control": "anarchy"}}, "control = 'anarchy'"),
        ("box, shared, sac", {"overrides": {"pretrain": {"heuristic": "straight"}}}, "sac learns action values"),
        ("box, shared, sac", {"overrides": {"n_epochs": 3}}, "unknown key n_epochs for sac"),
        ("box, shared, sac", {"overrides": {"ent_coef": "auto_0"}}, "ent_coef = 'auto_0'.*needed is auto"),
        ("box, shared, sac", {"overrides": {"policy_kwargs": {"ortho_init": True}}}, "ortho_init does not belong"),
        (
            "discrete, shared, recurrent",
            {"overrides": {"pretrain": {"heuristic": "follow"}}},
            "no imitation for policies with memory",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_created(
    make: Callable[..., TrainJob], tmp_path: Path, case: str, changes: dict[str, Any], message: str
) -> None:
    job = make(case, out=tmp_path / "run")
    fields = {name: getattr(job, name) for name in job.__dataclass_fields__} | changes
    if "environment" in changes:
        text = (
            Path(job.config).read_text().replace(find_entry(CASES[case][0]).id, find_entry(changes["environment"]).id)
        )
        Path(job.config).write_text(text)
    with pytest.raises(ValueError, match=message):
        train(TrainJob(**fields))
    assert not (tmp_path / "run").exists()


def test_the_spaces_of_a_central_policy_are_those_of_gym_make(make: Callable[..., TrainJob]) -> None:
    env = gym.make("NTN/Steering-v0", preset="pair")
    policy = load_policy(train(make("box, central, ppo set", steps=128, eval_every=0)).out)._policy
    assert policy.action_space == env.action_space and env.action_space.shape == (4,)
    assert policy.observation_space.shape == env.observation_space.shape == (8,)
