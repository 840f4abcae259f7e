"""Does it learn? Minutes of training, so only in the slow tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ntn_gym.core.registry import find_entry, make_task, resolve
from ntn_gym.core.seeding import VALIDATION_SEEDS
from ntn_gym.envs.handover.heuristics import HEURISTICS
from ntn_gym.evaluation.pool import WorldPool
from ntn_gym.evaluation.rollout import evaluate, evaluate_in
from ntn_gym.evaluation.uniform import UniformPolicy
from ntn_gym_agents.jobs import TrainJob
from ntn_gym_agents.networks import AGENT_SET_POLICIES
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


PPO: dict[str, Any] = {
    "n_envs": 32, "n_steps": 20, "batch_size": 320, "n_epochs": 8, "learning_rate": "lin_3e-3", "gamma": 0.8,
    "gae_lambda": 0.9,
}  # fmt: skip
SAC: dict[str, Any] = {
    "n_envs": 16, "buffer_size": 10_000, "learning_starts": 500, "batch_size": 128, "gradient_steps": 4,
    "learning_rate": 2e-3, "gamma": 0.8,
}  # fmt: skip
# Environment, its rule, algorithm, control, network, values, steps.
SEVERAL: dict[str, tuple[str, str, str, str, str, dict[str, Any], int]] = {
    "masked, central": (
        "Tracking", "follow", "maskable-ppo", "central", AGENT_SET_POLICIES["maskable-ppo"], PPO, 25_000,
    ),
    "box, shared, ppo": ("Steering", "straight", "ppo", "shared", "MlpPolicy", PPO, 25_000),
    "box, central, ppo": ("Steering", "straight", "ppo", "central", AGENT_SET_POLICIES["ppo"], PPO, 25_000),
    "box, central, sac": ("Steering", "straight", "sac", "central", AGENT_SET_POLICIES["sac"], SAC, 5_000),
}  # fmt: skip


@pytest.mark.usefixtures("throwaway")
@pytest.mark.parametrize("case", SEVERAL)
def test_several_agents_learn_together(case: str, tmp_path: Path) -> None:
    """Where the rule is nearly the best there is: a learner has to come close to it from nothing."""
    environment, teacher, algorithm, control, policy, values, steps = SEVERAL[case]
    network = {"net_arch": [32, 32]} | ({"log_std_init": -1.0} if "box" in case and algorithm == "ppo" else {})
    section = {"n_timesteps": steps, "policy": policy, "policy_kwargs": network, **values}
    file = tmp_path / "mine.yml"
    file.write_text(yaml.safe_dump({find_entry(environment).id: section, "control": control}))
    job = TrainJob(environment, out=str(tmp_path / "run"), preset="pair", algorithm=algorithm, config=str(file))
    train(job)
    task = make_task(environment, "pair")
    seeds = range(VALIDATION_SEEDS.start + 5000, VALIDATION_SEEDS.start + 5060)
    rule = resolve(find_entry(environment).heuristics)[teacher].factory(task, {})
    agent, best, random = (
        evaluate(task, player, seeds, purpose="validation").returns.mean()
        for player in (load_policy(job.out), rule, UniformPolicy(task))
    )
    assert (agent - random) / (best - random) > 0.93, (agent, best, random)
