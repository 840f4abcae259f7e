"""Does it learn? Minutes of training, so only in the slow tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ntn_gym.core.registry import make_task
from ntn_gym.core.seeding import VALIDATION_SEEDS
from ntn_gym.envs.handover.heuristics import HEURISTICS
from ntn_gym.evaluation.pool import WorldPool
from ntn_gym.evaluation.rollout import evaluate_in
from ntn_gym_agents.jobs import TrainJob
from ntn_gym_agents.training import train
from ntn_gym_agents.zoo import load_policy

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("configuration", ["ppo", "ppo-imitate", "maskable-ppo"])
def test_an_agent_beats_every_rule_that_looks_at_one_criterion(configuration: str, tmp_path: Path) -> None:
    """On the default preset, with a third of the usual steps, on validation worlds that selected nothing."""
    job = TrainJob("Handover", out=str(tmp_path / "run"), algorithm=configuration, steps=260_000, eval_every=0)
    result = train(job)
    assert result.steps_per_second > 1000
    task = make_task("Handover", "beams")
    first = VALIDATION_SEEDS.start + 5000
    pool = WorldPool(task, range(first, first + 100), purpose="validation")
    agent = evaluate_in(pool, load_policy(job.out)).returns
    for name, rule in HEURISTICS.items():
        if rule.family == "single":
            gain = agent - evaluate_in(pool, rule.factory(task, {})).returns
            low = gain.mean() - 1.96 * gain.std(ddof=1) / np.sqrt(len(gain))
            assert low > 0, f"{configuration} against {name}: {gain.mean():.2f}, 95 % interval from {low:.2f}"


def test_dqn_learns(tmp_path: Path) -> None:
    job = TrainJob("Handover", out=str(tmp_path / "run"), preset="beams", algorithm="dqn", steps=120_000, eval_every=0)
    train(job)
    task = make_task("Handover", "beams")
    first = VALIDATION_SEEDS.start + 5000
    pool = WorldPool(task, range(first, first + 60), purpose="validation")
    agent = evaluate_in(pool, load_policy(job.out)).returns
    strongest = evaluate_in(pool, HEURISTICS["strongest"].factory(task, {})).returns
    assert (agent - strongest).mean() > 0
