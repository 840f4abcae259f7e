"""Imitation of a heuristic before reinforcement learning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ntn_gym.core.registry import find_entry, make_task, resolve
from ntn_gym.core.seeding import VALIDATION_SEEDS
from ntn_gym.envs.handover.heuristics import HEURISTICS
from ntn_gym.evaluation.rollout import evaluate
from ntn_gym.evaluation.uniform import UniformPolicy
from ntn_gym_agents import pretrain
from ntn_gym_agents.jobs import TrainJob
from ntn_gym_agents.lessons import watch
from ntn_gym_agents.networks import AGENT_SET_POLICIES
from ntn_gym_agents.planning import plan
from ntn_gym_agents.training import train
from ntn_gym_agents.zoo import load_policy

MakeJob = Callable[..., TrainJob]


def test_the_pupil_plays_nearly_as_well_as_its_teacher(small_job: MakeJob) -> None:
    # One rollout of learning with a negligible rate: what is measured is the imitation.
    overrides = {
        "n_envs": 8,
        "n_steps": 16,
        "learning_rate": 1e-9,
        "pretrain": {"heuristic": "composite", "steps": 30_000},
    }
    job = small_job(steps=128, eval_every=0, overrides=overrides)
    told: list[str] = []
    train(job, told.append)
    task = plan(job).task
    seeds = range(VALIDATION_SEEDS.start, VALIDATION_SEEDS.start + 24)
    pupil, teacher, random = (
        evaluate(task, policy, seeds, purpose="validation").returns.mean()
        for policy in (
            load_policy(job.out),
            HEURISTICS["composite"].factory(task, {}),
            UniformPolicy(task),
        )
    )
    assert "imitated 30,000 decisions of composite" in told[0]
    assert (pupil - random) / (teacher - random) > 0.9, (pupil, teacher, random)


def test_lessons_hold_the_teachers_decision_and_honest_returns(small_job: MakeJob) -> None:
    task = plan(small_job()).task
    teacher = HEURISTICS["composite"].factory(task, {})
    lessons = watch(task, teacher, 2 * task.episode_steps, 0.9, np.random.default_rng(0))
    assert len(lessons.decisions) == 2 * task.episode_steps
    again = watch(task, teacher, 2 * task.episode_steps, 0.0, np.random.default_rng(0))
    # With gamma = 0 a return is the reward of the step; the sums for 0.9 follow from these by hand.
    np.testing.assert_array_equal(again.observations, lessons.observations)
    rewards = again.returns.reshape(-1, 2)
    expected, tail = np.zeros_like(rewards), np.zeros(2)
    for step in reversed(range(len(rewards))):
        tail = rewards[step] + 0.9 * tail
        expected[step] = tail
    np.testing.assert_allclose(lessons.returns.reshape(-1, 2), expected, rtol=1e-5, atol=1e-5)
    # 0.9^29 is the first power below 5 percent.
    assert lessons.counted.reshape(-1, 2)[:, 0].tolist() == [True] * (len(rewards) - 29) + [False] * 29


def test_dqn_cannot_imitate(small_job: MakeJob) -> None:
    job = small_job(algorithm="dqn", overrides={"pretrain": {"heuristic": "composite"}})
    with pytest.raises(ValueError, match="dqn learns action values"):
        plan(job)


# Environment, its rule, control, network and its arguments.
OTHERS: dict[str, tuple[str, str, str, str, dict[str, Any]]] = {
    "discrete, shared": ("Tracking", "follow", "shared", "MlpPolicy", {}),
    "discrete, central": ("Tracking", "follow", "central", AGENT_SET_POLICIES["ppo"], {}),
    "discrete, central, masked": ("Tracking", "follow", "central", AGENT_SET_POLICIES["maskable-ppo"], {}),
    "box, shared": ("Steering", "straight", "shared", "MlpPolicy", {"log_std_init": -1.5}),
    "box, central": ("Steering", "straight", "central", AGENT_SET_POLICIES["ppo"], {"log_std_init": -1.5}),
}


@pytest.mark.usefixtures("throwaway")
@pytest.mark.parametrize("case", OTHERS)
def test_several_agents_and_continuous_actions_are_imitated(small_job: MakeJob, tmp_path: Path, case: str) -> None:
    environment, teacher, control, policy, network = OTHERS[case]
    section = {
        "n_timesteps": 128, "policy": policy, "policy_kwargs": {"net_arch": [32, 32], **network}, "n_envs": 8,
        "n_steps": 16, "batch_size": 64, "n_epochs": 1, "learning_rate": 1e-9,
    }  # fmt: skip
    file = tmp_path / "mine.yml"
    text = {
        find_entry(environment).id: section,
        "control": control,
        "pretrain": {"heuristic": teacher, "steps": 12_000},
    }
    file.write_text(yaml.safe_dump(text))
    algorithm = "maskable-ppo" if "masked" in case else "ppo"
    asked = {"environment": environment, "preset": "pair", "algorithm": algorithm, "config": str(file)}
    job = small_job(**asked, overrides={}, steps=128, eval_every=0)
    told: list[str] = []
    train(job, told.append)
    assert f"imitated 12,000 decisions of {teacher}" in told[0]
    assert ("apart (rms)" if "box" in case else "% alike") in told[0]
    task = make_task(environment, "pair")
    seeds = range(VALIDATION_SEEDS.start, VALIDATION_SEEDS.start + 24)
    rule = resolve(find_entry(environment).heuristics)[teacher].factory(task, {})
    pupil, best, random = (
        evaluate(task, player, seeds, purpose="validation").returns.mean()
        for player in (load_policy(job.out), rule, UniformPolicy(task))
    )
    assert (pupil - random) / (best - random) > 0.9, (pupil, best, random)


@pytest.mark.usefixtures("throwaway")
def test_lessons_for_all_agents_are_those_of_each_side_by_side() -> None:
    task = make_task("Tracking", "pair")
    rule = resolve(find_entry("Tracking").heuristics)["follow"].factory(task, {})
    shared = watch(task, rule, 3 * 80, 0.9, np.random.default_rng(5))
    central = watch(task, rule, 3 * 40, 0.9, np.random.default_rng(5), central=True)
    assert shared.observations.shape == (240, 2) and central.observations.shape == (120, 4)
    np.testing.assert_array_equal(central.observations.reshape(240, 2), shared.observations)
    np.testing.assert_array_equal(central.decisions.ravel(), shared.decisions)
    np.testing.assert_allclose(central.returns, shared.returns.reshape(120, 2).mean(axis=1), rtol=1e-5)


@pytest.mark.usefixtures("throwaway")
def test_continuous_noise_stays_in_the_space_and_is_no_lesson() -> None:
    task = make_task("Steering", "pair")
    rule = resolve(find_entry("Steering").heuristics)["straight"].factory(task, {})
    lessons = watch(task, rule, 4000, 0.9, np.random.default_rng(5))
    wanted = np.clip(4 * lessons.observations[:, 2:], -1, 1)
    np.testing.assert_array_equal(lessons.decisions, wanted)
    assert lessons.decisions.shape == (4000, 2)
    # The noise shows in what is seen: left alone, the teacher misses by the last move of the target, 0.2 m per axis.
    gaps_m = np.abs(lessons.observations.reshape(20, 200, 4)[15:, :, 2:]) * 4
    assert 0.01 < (gaps_m > 0.8).mean() < 0.1
    assert np.median(gaps_m) < 0.2


@pytest.mark.usefixtures("throwaway")
def test_the_reward_scale_is_learned_from_the_teacher(small_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """The critic is fitted in the units it will see; they are those that VecNormalize would have found by itself."""
    seen: dict[str, Any] = {}
    inner = pretrain._fit

    def spy(model: Any, lessons: Any, scale: float, rng: Any) -> float:
        seen.update(scale=scale, lessons=lessons)
        return inner(model, lessons, scale, rng)

    monkeypatch.setattr(pretrain, "_fit", spy)
    overrides = {
        "n_envs": 8, "n_steps": 16, "gamma": 0.9, "normalize": {"norm_reward": True},
        "pretrain": {"heuristic": "composite", "steps": 3000},
    }  # fmt: skip
    train(small_job(overrides=overrides, steps=128, eval_every=0), lambda _: None)
    # By hand: what VecNormalize keeps, the variance of sum gamma^k r_(t-k), from the returns of the same lessons.
    returns = seen["lessons"].returns.reshape(
        -1, seen["lessons"].returns.size // make_task("Handover", "tiny").episode_steps
    )
    rewards = returns - 0.9 * np.vstack((returns[1:], np.zeros_like(returns[:1])))
    running, total = [], np.zeros(rewards.shape[1])
    for reward in rewards:
        total = 0.9 * total + reward
        running.append(total)
    assert seen["scale"] == pytest.approx(np.std(running), rel=1e-3)
