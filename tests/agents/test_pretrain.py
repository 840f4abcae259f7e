"""Imitation of a heuristic before reinforcement learning."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ntn_gym.core.seeding import VALIDATION_SEEDS
from ntn_gym.envs.handover.heuristics import HEURISTICS
from ntn_gym.evaluation.rollout import evaluate
from ntn_gym.evaluation.uniform import UniformPolicy
from ntn_gym_agents.jobs import TrainJob
from ntn_gym_agents.planning import plan
from ntn_gym_agents.pretrain import watch
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
