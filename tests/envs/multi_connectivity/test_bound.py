"""The bound and the exact program: hand-solved instances, enumeration, and nobody beats them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment, minimize

from ntn_gym.core.engine import Engine
from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.multi_connectivity.bound import bound
from ntn_gym.envs.multi_connectivity.heuristics import HEURISTICS
from ntn_gym.envs.multi_connectivity.heuristics.assignment import dual_prices, equal_share_cost
from ntn_gym.envs.multi_connectivity.market import Market, Offer
from ntn_gym.envs.multi_connectivity.plan import best_course, subset_table
from ntn_gym.envs.multi_connectivity.presets import load_preset, with_overrides
from ntn_gym.envs.multi_connectivity.snapshot import best_snapshot, snapshot_bound
from ntn_gym.envs.multi_connectivity.task import MultiConnectivityTask

from .synthetic import play, slices, small_task

# One link each, log utility, equal shares: rates of four users at two nodes, and the answers by enumeration.
RATES = np.array([[8.0, 1.0], [8.0, 2.0], [4.0, 3.0], [2.0, 4.0]])
BEST, BEST_VALUE = (0, 0, 1, 1), 3.87120
MOST_RATE, MOST_RATE_VALUE = (0, 0, 0, 1), 3.63563


def _log_value(association: tuple[int, ...]) -> float:
    users = np.bincount(association, minlength=2)
    return sum(math.log(RATES[u, s] / users[s]) for u, s in enumerate(association))


def test_hand_solved_association() -> None:
    values = {a: _log_value(a) for a in itertools.product(range(2), repeat=4)}
    assert max(values, key=values.__getitem__) == BEST
    assert values[BEST] == pytest.approx(BEST_VALUE, abs=5e-6)
    assert values[MOST_RATE] == pytest.approx(MOST_RATE_VALUE, abs=5e-6)
    assert tuple(RATES.argmax(axis=1)) == MOST_RATE

    # The exact program with single links and log utility.
    task = small_task(4, n_sky=2, n_stations=0, architecture={"kind": "ms", "max_links": 1})
    value, chosen = best_snapshot(
        RATES,
        np.tile([0, 1], (4, 1)),
        np.ones((4, task.sets.n_sets), dtype=bool),
        np.array([9, 9]),
        task.sets,
        lambda rate: math.log(rate) if rate > 0 else -math.inf,
        np.zeros(task.sets.n_sets),
    )
    assert value == pytest.approx(BEST_VALUE, abs=5e-6)
    assert tuple(int(np.flatnonzero(task.sets.members[s])[0]) for s in chosen) == BEST

    # The linear assignment whose port costs make it exact.
    cost = equal_share_cost(np.arange(1, 5))
    row, column = linear_sum_assignment(np.repeat(np.log(RATES), 4, axis=1) - np.tile(cost, 2), maximize=True)
    assert tuple(column[np.argsort(row)] // 4) == BEST

    # Prices: a bound 3.9125 after 400 steps, gap 0.041.
    _, association, dual = dual_prices(np.log(RATES)[None], np.array([9, 9]), np.zeros((1, 2)), 400)
    assert tuple(association[0]) == BEST
    assert BEST_VALUE <= dual[0] == pytest.approx(3.9125, abs=2e-3)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_exact_program_is_the_enumeration(seed: int) -> None:
    """Three users, one satellite and two stations, up to two links, tight limits: all 7^3 joint choices."""
    rng = np.random.default_rng(seed)
    task = small_task(3, station={"node_limit": 2}, tier={"node_limit": 1})
    sets = task.sets
    rate = rng.uniform(0.2, 12.0, (3, 3)) * (rng.random((3, 3)) < 0.85)
    resource = np.tile(np.arange(3), (3, 1))
    limit = np.array([1, 2, 2])
    price = 0.02 * sets.size

    def value(joint: tuple[int, ...]) -> float:
        linked = sets.members[list(joint)]
        users = linked.sum(axis=0)
        if (users > limit).any():
            return -math.inf
        rates = (np.where(linked, rate, 0.0) / np.maximum(users, 1)).sum(axis=1)
        return float(np.log1p(rates).sum() - price[list(joint)].sum())

    values = {joint: value(joint) for joint in itertools.product(range(sets.n_sets), repeat=3)}
    found, chosen = best_snapshot(
        rate, resource, np.ones((3, sets.n_sets), dtype=bool), limit, sets, lambda r: math.log1p(r), price
    )
    assert found == pytest.approx(max(values.values()), abs=1e-7)
    assert values[tuple(int(s) for s in chosen)] == pytest.approx(found, abs=1e-7)


def _joint_optimum(task: MultiConnectivityTask, arrays: dict[str, np.ndarray], n_steps: int) -> float:
    """Best return of one world by trying every joint sequence of actions with the task's own step."""
    weights = np.array([term.weight for term in task.reward_terms])
    best = -math.inf
    choices = list(itertools.product(range(task.n_sets), repeat=task.n_agents))
    for sequence in itertools.product(choices, repeat=n_steps):
        history = play(task, arrays, [list(joint) for joint in sequence])
        total = sum(float((outcome.reward_terms @ weights).mean()) for _, outcome in history)
        best = max(best, total)
    return best


@pytest.mark.parametrize("seed", [0, 1])
def test_bound_is_above_the_best_of_all_joint_plans(seed: int) -> None:
    """Two users, one satellite, one station, three steps, 4^6 plans; the second case loses a node on the way."""
    task = small_task(2, n_stations=1, steps=3, architecture={"kind": "ss-sbs"})
    rng = np.random.default_rng(seed)
    rate = np.tile(rng.uniform(1.0, 12.0, (1, 2, 2)), (4, 1, 1)) * rng.uniform(0.7, 1.3, (4, 2, 2))
    arrays = slices(task, rate)
    if seed:
        arrays["same"][0, 2, :, 0] = False
    best = _joint_optimum(task, arrays, 3)
    value = float(bound(task, arrays).value[0])
    assert best <= value + 1e-9
    assert value < best + 0.35, f"a bound of {value} for {best} says little"


def test_bound_is_exact_for_one_user() -> None:
    """Alone there is nothing to share: dynamic programming is exact."""
    task = small_task(1, n_stations=1, steps=4, architecture={"kind": "ss-sbs"})
    rate = np.array([[[6.0, 2.0]], [[6.0, 2.0]], [[0.5, 2.0]], [[0.5, 9.0]], [[1.0, 1.0]]])
    arrays = slices(task, rate)
    assert float(bound(task, arrays).value[0]) == pytest.approx(_joint_optimum(task, arrays, 4), abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_best_course_is_the_enumeration(seed: int) -> None:
    """Random values, costs and breaks: all 7^4 courses of one user."""
    rng = np.random.default_rng(seed)
    task = small_task(1)
    sets, n_steps = task.sets, 4
    # More never hurts: the value of a set is at least that of its subsets, as it is in the market.
    base = rng.uniform(0, 1, (1, n_steps, 3))
    stage = base @ sets.members.T.astype(float)
    standing = -rng.uniform(0, 0.6, sets.n_sets)
    fresh = rng.uniform(0, 0.5, (1, n_steps, 3))
    same = rng.random((1, n_steps, 3)) < 0.8
    course = best_course(stage, standing, fresh, same, sets, subset_table(sets))

    def value(plan: tuple[int, ...]) -> float:
        total, before = 0.0, np.zeros(3, dtype=bool)
        for t, chosen in enumerate(plan):
            members = sets.members[chosen]
            serving = members & before & same[0, t]
            total += stage[0, t, int(sets.index(serving))] + standing[chosen] - fresh[0, t][members & ~serving].sum()
            before = members
        return total

    best = max(value(plan) for plan in itertools.product(range(sets.n_sets), repeat=n_steps))
    assert course.value[0] == pytest.approx(best, abs=1e-9)
    assert value(tuple(course.chosen[0])) == pytest.approx(best, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), rule=st.sampled_from(["split", "duplication"]))
def test_market_buys_the_best_shares(seed: int, rule: str) -> None:
    """The closed form against a numerical maximisation over the shares of two nodes."""
    rng = np.random.default_rng(seed)
    task = small_task(1, n_stations=1, architecture={"kind": "ss-sbs"}, combining={"rule": rule})
    least = np.array([0.1, 0.125])
    market = Market(task.scenario, task.sets, least)
    rate, price = rng.uniform(0.1, 40, 2), rng.uniform(0, 1.0, 2)
    chance = np.ones(task.n_sets)
    value, _ = market.values(Offer(rate, None, chance), price)
    both = int(task.sets.index(np.array([True, True])))
    combine = np.sum if rule == "split" else np.max

    def cost(share: np.ndarray) -> float:
        return float(price @ share - market.utility(np.array(combine(rate * share))))

    starts = itertools.product(np.linspace(0.13, 1.0, 4), repeat=2)
    bounds = list(zip(least, [1.0, 1.0], strict=True))
    found = -min(minimize(cost, start, bounds=bounds, method="L-BFGS-B").fun for start in starts)
    assert value[both] >= found - 1e-6, "the market must not miss a better purchase"
    assert value[both] == pytest.approx(found, abs=2e-4)


def test_nobody_beats_the_exact_snapshots_of_a_tiny_world() -> None:
    """Changes are free and links are there at once: still nobody gets more than the best snapshot of every step."""
    task = MultiConnectivityTask(with_overrides(load_preset("tiny"), {"steps": 25}))
    seeds = [2_000_000, 2_000_001]
    world = task.make_world()
    raw = world.advance(world.begin([WorldKey(seed) for seed in seeds]), 26)[1]
    arrays = task.compile(None, raw)[1]
    exact = np.array([snapshot_bound(task, arrays, k) for k in range(2)])
    relaxed = bound(task, arrays).value
    for name in ("best_response", "central_hungarian", "central_greedy", "all_links"):
        policy = HEURISTICS[name].factory(task, {})
        engine = Engine(task, 2)
        engine.reset(seeds=seeds)
        policy.reset(2)
        total, first = np.zeros(2), np.ones(2, dtype=bool)
        for _ in range(25):
            total += engine.step(policy.act(engine.observe(), engine.action_mask(), first)).reward.mean(axis=1)
            first[:] = False
        assert (total <= exact + 1e-9).all() and (total <= relaxed + 1e-9).all(), name
