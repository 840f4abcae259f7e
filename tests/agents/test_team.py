"""Agents that learn from what all of them get."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ntn_gym.core.registry import find_entry, make_task, resolve
from ntn_gym_agents.jobs import TrainJob
from ntn_gym_agents.lessons import watch
from ntn_gym_agents.planning import plan
from ntn_gym_agents.training_env import TrainingVecEnv

pytestmark = pytest.mark.usefixtures("throwaway")


def rewards(team: float) -> np.ndarray:
    """Rewards [steps, worlds, agents] of the same actions in the same worlds."""
    env = TrainingVecEnv("Tracking", 3, preset="pair", agents_as_envs=True, team=team)
    env.seed(5)
    env.reset()
    rng = np.random.default_rng(0)
    return np.array([env.step(rng.integers(3, size=env.num_envs))[1].reshape(3, 2) for _ in range(10)])


def test_the_reward_is_mixed_with_the_mean_of_the_world() -> None:
    own = rewards(0.0)
    assert np.ptp(own, axis=2).any(), "the agents of a world must differ for this to say anything"
    mean = own.mean(axis=2, keepdims=True)
    np.testing.assert_allclose(rewards(1.0), np.broadcast_to(mean, own.shape), rtol=1e-6)
    np.testing.assert_allclose(rewards(0.25), 0.75 * own + 0.25 * mean, rtol=1e-6)


def test_what_is_imitated_is_valued_likewise() -> None:
    task = make_task("Tracking", "pair")
    rule = resolve(find_entry("Tracking").heuristics)["follow"].factory(task, {})

    def returns(team: float) -> np.ndarray:
        lessons = watch(task, rule, 240, 0.0, np.random.default_rng(5), team=team)
        return lessons.returns.reshape(-1, 2)

    own = returns(0.0)
    assert np.ptp(own, axis=1).any()
    np.testing.assert_allclose(returns(0.25), 0.75 * own + 0.25 * own.mean(axis=1, keepdims=True), rtol=1e-5)


def test_a_preset_with_one_agent_is_no_error(small_job: Callable[..., TrainJob], tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    section = {"n_timesteps": 384, "policy": "MlpPolicy", "n_envs": 8}
    file.write_text(yaml.safe_dump({"NTN/Tracking-v0": section, "team": 0.5}))
    job = small_job(environment="Tracking", preset="tiny", algorithm="ppo", config=str(file), overrides={})
    assert plan(job).task.n_agents == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"team": 0.5, "control": "central"}, "team = 0.5: only several agents that share a policy"),
        ({"team": 1.5}, "team = 1.5"),
    ],
)
def test_nonsense_is_refused(
    small_job: Callable[..., TrainJob], tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    file = tmp_path / "mine.yml"
    section = {"n_timesteps": 384, "policy": "MlpPolicy", "n_envs": 8}
    file.write_text(yaml.safe_dump({"NTN/Tracking-v0": section, **values}))
    with pytest.raises(ValueError, match=message):
        plan(small_job(environment="Tracking", preset="pair", algorithm="ppo", config=str(file), overrides={}))
