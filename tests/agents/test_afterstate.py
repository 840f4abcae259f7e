"""The learned value of afterstates: its features are those of the state that follows, and it learns good rules."""

from __future__ import annotations

import numpy as np
import pytest

from ntn_gym.core.engine import Engine
from ntn_gym.core.registry import make_task
from ntn_gym.envs.channel_allocation.heuristics import HEURISTICS
from ntn_gym.envs.channel_allocation.plan import SCARCITY
from ntn_gym.envs.channel_allocation.task import ChannelAllocationTask
from ntn_gym.evaluation.rollout import evaluate
from ntn_gym_agents.afterstate import AfterstatePolicy, learn


def task_of(preset: str) -> ChannelAllocationTask:
    task = make_task("ChannelAllocation", preset)
    assert isinstance(task, ChannelAllocationTask)
    return task


@pytest.mark.parametrize("preset", ["tiny", "hand-off"])
def test_features_are_those_of_the_state_that_follows(preset: str) -> None:
    task = task_of(preset)
    policy = AfterstatePolicy.of(task, np.array([0.0, -1.0, -1.0, -1.0, -1.0]))
    engine = Engine(task, 4)
    engine.reset(seeds=range(4))
    price = -sum(term.weight for term in task.reward_terms if term.name == "dropped")
    for _ in range(150):
        action, reward, features = policy.decide(engine.observe())
        outcome = engine.step(action[:, None]).outcome
        free = engine.state.free[:, :-1].astype(float)
        expected = np.stack([(base**free).mean(axis=1) for base in SCARCITY], axis=1)
        assert features[:, 1:] == pytest.approx(expected, abs=1e-5)
        kpis = {kpi.name: outcome.kpis[:, 0, i] for i, kpi in enumerate(task.kpis)}
        assert reward == pytest.approx(-kpis["blocking"] - (1 + price) * kpis["dropping"])
        assert not kpis["illegal_actions"].any()


def test_it_refuses_what_costs_others_more() -> None:
    task = task_of("tiny")
    engine = Engine(task, 8)
    engine.reset(seeds=range(8))
    greedy, timid = (AfterstatePolicy.of(task, np.append(0.0, np.full(4, -worth))) for worth in (0.1, 1e4))
    observation = engine.observe()
    waits = (engine.action_mask()[:, 0, :-1].any(axis=1)) & (observation[:, 0, 14 * task.n_channels] > 0)
    assert waits.any()
    assert (greedy.decide(observation)[0][waits] < task.n_channels).all()
    assert (timid.decide(observation)[0][waits] == task.n_channels).all()


def test_it_learns_in_a_few_episodes() -> None:
    """On worlds it has not seen it is better than the rules without moves, and no worse than MAXAVAIL-R."""
    task = task_of("tiny")
    policy = learn(task, seeds=range(32), iterations=2)[-1]
    seeds = range(1_000_000, 1_000_024)
    learned = evaluate(task, policy, seeds, purpose="validation").returns
    for name, margin in (("maxavail", 0.5), ("maxavail-r", -0.3)):
        rule = HEURISTICS[name].factory(task, {})
        assert learned.mean() > evaluate(task, rule, seeds, purpose="validation").returns.mean() + margin, name


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="iterations = 0"):
        learn(task_of("tiny"), iterations=0)
    with pytest.raises(ValueError, match="discount = 1"):
        learn(task_of("tiny"), discount=1.0)
