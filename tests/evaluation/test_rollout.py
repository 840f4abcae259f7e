"""Episodes played by hand, and what must not change a number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ntn_gym.core.engine import Engine
from ntn_gym.core.registry import find_entry, make_task
from ntn_gym.core.task import KpiSpec
from ntn_gym.evaluation.pool import WorldPool, bound_values
from ntn_gym.evaluation.problem import find_candidate, load_problem
from ntn_gym.evaluation.rollout import ReplayPolicy, evaluate, evaluate_in, reduce_kpi
from ntn_gym.evaluation.uniform import UniformPolicy

SEEDS = range(2_000_000, 2_000_013)


class Always:
    """The same action for everybody; notes how it was called."""

    def __init__(self, action: int) -> None:
        self.action = action
        self.restarted: list[bool] = []

    def reset(self, n_worlds: int) -> None:
        self.restarted = []

    def act(self, observation: np.ndarray, mask: np.ndarray | None, restarted: np.ndarray) -> np.ndarray:
        self.restarted.append(bool(restarted.all()))
        return np.full(observation.shape[:2], self.action)


def test_return_terms_and_kpis_of_one_episode_by_hand(tracking: Path) -> None:
    task = make_task("Tracking", "pair")
    policy = Always(2)
    found = evaluate(task, policy, [2_000_004], record=2_000_004)
    engine = Engine(task, 1)
    engine.reset(seeds=[2_000_004])
    places = np.minimum(np.arange(1, 41), 5)  # always to the right, up to the end of the line
    targets = engine.buffer.arrays["target"][0, :40]
    distance = np.abs(places[:, None] - targets)
    moved = np.r_[np.ones(5), np.zeros(35)]
    assert found.terms["distance"][0] == pytest.approx(distance.sum(axis=0).mean())
    assert found.terms["moved"][0] == 5
    assert found.returns[0] == pytest.approx(-distance.sum(axis=0).mean() - 0.1 * 5)
    assert found.kpis["distance_m"][0] == pytest.approx(distance.mean())
    assert found.kpis["illegal"][0] == 2 * 35  # sum over steps and agents
    assert found.steps[0] == 40
    assert policy.restarted == [True] + [False] * 39
    assert found.recording is not None
    assert found.recording.lanes == {"action": [2] * 40}
    assert found.recording.reward == pytest.approx(-distance[:, 0] - 0.1 * moved)
    assert found.recording.kpis["distance_m"] == pytest.approx(distance[:, 0])


@pytest.mark.parametrize("name", ["random", "follow"])
def test_block_size_changes_no_number(tracking: Path, name: str) -> None:
    problem = load_problem("Tracking", "pair")

    def play(seeds: Any, block: int | None) -> Any:
        policy = find_candidate(problem, name).build()
        return evaluate(problem.task, policy, seeds, block_worlds=block)

    whole = play(SEEDS, None)
    for block in (1, 5, 13):
        part = play(SEEDS, block)
        np.testing.assert_array_equal(part.returns, whole.returns)
        for kpi in whole.kpis:
            np.testing.assert_array_equal(part.kpis[kpi], whole.kpis[kpi])
    np.testing.assert_array_equal(play(SEEDS[::-1], 4).returns, whole.returns[::-1])


def test_handover_block_size_changes_no_number() -> None:
    task = make_task("Handover", "tiny")
    whole = evaluate(task, UniformPolicy(task), SEEDS)
    part = evaluate(task, UniformPolicy(task), SEEDS, block_worlds=3)
    np.testing.assert_array_equal(part.returns, whole.returns)
    for kpi in whole.kpis:
        np.testing.assert_array_equal(part.kpis[kpi], whole.kpis[kpi])


def test_every_policy_meets_the_same_worlds_again(tracking: Path) -> None:
    task = make_task("Tracking", "pair")
    pool = WorldPool(task, SEEDS, block_worlds=4)
    first = evaluate_in(pool, Always(0)).returns
    evaluate_in(pool, UniformPolicy(task))
    np.testing.assert_array_equal(evaluate_in(pool, Always(0)).returns, first)
    # The same without memory for worlds: they are drawn again.
    poor = WorldPool(task, SEEDS, block_worlds=4, pool_bytes=0)
    evaluate_in(poor, UniformPolicy(task))
    np.testing.assert_array_equal(evaluate_in(poor, Always(0)).returns, first)


def test_bound_is_attained_by_its_actions_and_not_beaten(tracking: Path) -> None:
    entry, task = find_entry("Tracking"), make_task("Tracking", "pair")
    pool = WorldPool(task, SEEDS, block_worlds=5)
    values, actions = pool.bound(entry)
    assert actions is not None
    np.testing.assert_allclose(evaluate_in(pool, ReplayPolicy(actions, list(SEEDS))).returns, values, atol=1e-9)
    np.testing.assert_array_equal(bound_values(entry, task, SEEDS), values)
    assert (evaluate_in(pool, UniformPolicy(task)).returns < values).all()


@pytest.mark.parametrize(
    ("seeds", "purpose", "message"),
    [
        ([7], "reporting", "seed 7 is for training.*use seeds 2000000..2999999"),
        ([1_000_000], "reporting", "for validation"),
        ([2_000_000], "validation", "for reporting, but these results are for validation"),
        ([3_000_000], "reporting", "in no range"),
        ([2_000_000, 2_000_000], "reporting", "occurs twice"),
        ([], "reporting", "at least one world"),
    ],
)
def test_wrong_seeds_are_refused(tracking: Path, seeds: list[int], purpose: Any, message: str) -> None:
    task = make_task("Tracking", "tiny")
    with pytest.raises(ValueError, match=message):
        evaluate(task, UniformPolicy(task), seeds, purpose=purpose)


def test_training_seeds_are_played_when_that_is_what_is_asked(tracking: Path) -> None:
    task = make_task("Tracking", "tiny")
    assert evaluate(task, UniformPolicy(task), [7], purpose="training").returns.shape == (1,)


def test_reductions() -> None:
    values = np.array([[[0.0, 2.0], [4.0, 6.0], [np.nan, np.nan]]])  # 1 world, 2 of 3 steps, 2 agents
    expected = {
        "mean": 3.0,
        "sum": 12.0,
        "per_minute": 12 / 2 / 0.5,  # per agent, in half a minute
        "p5": np.percentile([0, 2, 4, 6], 5),
        "p95": np.percentile([0, 2, 4, 6], 95),
        "max": 6.0,
    }
    for reduction, value in expected.items():
        spec = KpiSpec("x", "1", reduction, "higher", "")  # type: ignore[arg-type]
        assert reduce_kpi(spec, values, np.array([30.0])) == pytest.approx([value])


def test_reductions_per_thing() -> None:
    """Delays of five tasks in two worlds: 1 and 3 s, none; 2 + 4 s in one step and 6 s; NaN after the end."""
    totals = np.array([[[1.0, 3.0], [0, 0]], [[6.0, 6.0], [np.nan, np.nan]], [[0.0, 0.0], [0.0, 0.0]]])
    counts = np.array([[[1.0, 1.0], [0, 0]], [[2.0, 1.0], [np.nan, np.nan]], [[0.0, 0.0], [0.0, 0.0]]])
    for reduction, expected in {
        "mean": [2, 4, 0],
        "max": [3, 6, 0],
        "p5": [1.1, 3.15, 0],
        "p95": [2.9, 5.85, 0],
    }.items():
        spec = KpiSpec("delay_s", "s", reduction, "lower", "", per="finished")  # type: ignore[arg-type]
        assert reduce_kpi(spec, totals, np.ones(3), counts) == pytest.approx(expected)
    with pytest.raises(ValueError, match="per = 'finished' makes no sense with reduction = 'sum'"):
        KpiSpec("delay_s", "s", "sum", "lower", "", per="finished")


class Ending:
    """Wraps a task so that worlds end early, each at its own step."""

    def __init__(self, task: Any) -> None:
        self._task = task
        self._step = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def step(self, state: Any, action: np.ndarray, now: Any) -> Any:
        self._step += 1
        state, outcome = self._task.step(state, action, now)
        return state, type(outcome)(outcome.reward_terms, outcome.kpis, np.arange(len(action)) < self._step)


def test_nothing_counts_after_the_end_of_an_episode(tracking: Path) -> None:
    task = make_task("Tracking", "pair")
    full = evaluate(task, Always(1), SEEDS[:3])
    early = evaluate(Ending(task), Always(1), SEEDS[:3])  # type: ignore[arg-type]
    assert early.steps.tolist() == [1, 2, 3]
    engine = Engine(task, 3)
    engine.reset(seeds=list(SEEDS[:3]))
    distance = np.abs(engine.buffer.arrays["target"][engine.rows])
    for world, steps in enumerate((1, 2, 3)):
        assert early.returns[world] == pytest.approx(-distance[world, :steps].sum(axis=0).mean())
        assert early.kpis["distance_m"][world] == pytest.approx(distance[world, :steps].mean())
    assert (early.returns > full.returns).all()


def test_uniform_policy_is_uniform_over_legal_actions(tracking: Path) -> None:
    policy = UniformPolicy(make_task("Tracking", "pair"))
    policy.reset_worlds(range(500))
    mask = np.broadcast_to(np.array([True, False, True]), (500, 2, 3))
    nothing = np.zeros((500, 2, 2), dtype=np.float32)
    chosen = np.stack([policy.act(nothing, mask, np.zeros(500, bool)) for _ in range(80)])
    assert set(np.unique(chosen)) == {0, 2}
    assert abs((chosen == 0).mean() - 0.5) < 4 * 0.5 / np.sqrt(chosen.size)
