"""Scripted exploiters of the reward, and properties of what agents see and do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.core.engine import Engine
from ntn_gym.core.registry import make_task
from ntn_gym.envs.resource_allocation.heuristics import HEURISTICS
from ntn_gym.envs.resource_allocation.heuristics.model import StepModel
from ntn_gym.envs.resource_allocation.observation import View
from ntn_gym.envs.resource_allocation.transmitters import action_of_power, power_of_action

from .helpers import Player, hand_made, one_class, small_task


def _play(task: Any, choose: Any, seeds: list[int]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return per world and sums of the reward terms."""
    engine = Engine(task, len(seeds))
    engine.reset(seeds=seeds)
    total, terms = np.zeros(len(seeds)), np.zeros((len(seeds), len(task.reward_terms)))
    for step in range(task.episode_steps):
        result = engine.step(np.asarray(choose(engine, step)))
        total += result.reward.mean(axis=1)
        terms += result.outcome.reward_terms.mean(axis=1)
    return total, {term.name: terms[:, i] for i, term in enumerate(task.reward_terms)}


SEEDS = [21, 22, 23, 24]


def _rule(task: Any, name: str) -> Any:
    rule = HEURISTICS[name].factory(task, {})
    rule.reset(len(SEEDS))
    return lambda engine, step: rule.act(engine.observe(), None, np.full(len(SEEDS), step == 0))


def test_sleeping_for_ever_is_worse_than_serving() -> None:
    """Energy efficiency alone would reward silence; here silence drops nearly all and earns nearly nothing."""
    task = make_task("ResourceAllocation", "beams")
    asleep, terms = _play(task, lambda engine, step: np.zeros((4, 7), dtype=int), SEEDS)
    assert (terms["served"] == 0).all() and (asleep < -0.3 * task.episode_steps).all()
    assert (_play(task, _rule(task, "demand-proportional"), SEEDS)[0] > asleep + task.episode_steps).all()


def test_burning_everything_is_worse_than_thrift() -> None:
    task = make_task("ResourceAllocation", "beams")
    loud = _play(task, lambda engine, step: np.full((4, 7), 3), SEEDS)[0]
    assert (_play(task, _rule(task, "greedy"), SEEDS)[0] > loud).all()


def test_hoarding_until_the_end_does_not_pay() -> None:
    """Sleep in the last steps, to be paid for what is pending: worth less than going on."""
    task = make_task("ResourceAllocation", "light")
    rule = _rule(task, "demand-proportional")
    honest = _play(task, rule, SEEDS)[0]
    for last in (3, 9):
        rule = _rule(task, "demand-proportional")
        hoard = _play(
            task,
            lambda engine, step, rule=rule, last=last: rule(engine, step) * (step < task.episode_steps - last),
            SEEDS,
        )[0]
        assert hoard.mean() < honest.mean()


def test_emptying_the_battery_at_the_end_does_not_pay() -> None:
    """A full blast in the last two hours earns less service than the missing charge costs."""
    task = make_task("ResourceAllocation", "day")
    honest, kept = _play(task, _rule(task, "day-ahead"), SEEDS)
    rule = _rule(task, "day-ahead")
    blast, spent = _play(
        task,
        lambda engine, step: rule(engine, step) if step < task.episode_steps - 24 else np.full((4, 7), 3),
        SEEDS,
    )
    assert (spent["final_charge"] >= kept["final_charge"]).all() and blast.mean() < honest.mean()


def test_the_score_does_not_depend_on_how_the_reward_is_shared() -> None:
    rng = np.random.default_rng(0)
    actions = rng.integers(0, 4, (200, 2, 7))
    totals = []
    for share in (0.0, 0.5, 1.0):
        task = make_task("ResourceAllocation", "beams", {"reward": {"local_share": share}})
        engine = Engine(task, 2)
        engine.reset(seeds=[1, 2])
        rewards = np.array([engine.step(actions[i]).reward for i in range(60)])
        totals.append(rewards.mean(axis=2))
        assert (np.ptp(rewards, axis=2).max() > 0.01) == (share > 0)
    np.testing.assert_allclose(totals[1], totals[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(totals[2], totals[0], rtol=1e-9, atol=1e-12)


# ---------------------------------------------------------------------- what agents see


def test_the_observation_tells_queues_gains_and_couplings() -> None:
    """Decoded numbers are those of the hand-made world."""
    classes = [one_class(2, 3.0, name="late", share=0.5, value=2.0), one_class(1, 1.0, name="due", share=0.5)]
    task = small_task(traffic={"load": 0.3, "classes": classes})
    gain = np.array([[1.0, 0.5, 0.0], [0.0, 0.1, 0.0], [1.0, 0.5, 0.0]])
    player = Player(task, hand_made(task, gain, [[10.0, 4.0, 6.0]]))
    seen = player.observe()
    view = View(seen)
    # Users 0 and 2 hear beam 1 half as loud: SINR 10/(1 + 5), 0.65 log2(2.67) = 0.92: group 1 of four.
    assert view.expiring_bit_hz[0, 0, 1] == pytest.approx(6.0 / 20.0, rel=1e-5)
    assert view.waiting_bit_hz[0, 0, 1] == pytest.approx(10.0 / 20.0, rel=1e-5)
    assert view.group("expiring_value")[0, 0, 1] == pytest.approx(1.0)
    assert view.group("waiting_value")[0, 0, 1] == pytest.approx(2.0)
    assert view.gain_per_w[0, 0, 1] == pytest.approx(1.0, rel=1e-4)
    assert view.coupling[0, 0, 1, 1] == pytest.approx(0.5, rel=1e-4) and view.coupling[0, 0, 1, 0] == 0
    # User 1 hears its own beam only: SNR 1, 0.65 bit/s/Hz: group 0.
    assert view.waiting_bit_hz[0, 1, 0] == pytest.approx(4.0 / 20.0, rel=1e-5)
    assert view.gain_per_w[0, 1, 0] == pytest.approx(0.1, rel=1e-4)
    assert view.waiting_bit_hz[0, 2].sum() == 0
    assert view.price[0] == pytest.approx(1.0)
    # Beam 1 disturbs the users of beam 0 with a coupling of root 0.5, nobody else disturbs anybody.
    half = 0.5 * np.sqrt(0.5)
    np.testing.assert_allclose(seen[0, 0, 29:33], half * np.array([*seen[0, 1, 4:6], seen[0, 1, 2], 1.0]), rtol=1e-4)
    np.testing.assert_allclose(seen[0, 1, 33:37], half * np.array([*seen[0, 0, 4:6], seen[0, 0, 2], 1.0]), rtol=1e-4)
    assert (seen[0, 1, 29:33] == 0).all() and (seen[0, 0, 33:37] == 0).all() and (seen[0, 2, 29:37] == 0).all()
    assert seen[0, 0, 5] == pytest.approx(np.log1p(4 * 10 / 20 / (0.65 * np.log2(1 + 10 / 6))), rel=1e-4)
    np.testing.assert_allclose(seen[0, :, 27], seen[0, :, 5].mean(), rtol=1e-5)


def test_the_model_of_a_step_is_exact_for_one_user_in_each_group() -> None:
    """Where a group is a single user the model of the rules serves what the task serves and draws what it draws."""
    rng = np.random.default_rng(3)
    task = small_task(users=3)
    for _ in range(10):
        gain = np.diag(rng.uniform(0.2, 2, 3)) + rng.uniform(0, 0.15, (3, 3)) * (1 - np.eye(3))
        player = Player(task, hand_made(task, gain, rng.uniform(1, 80, (1, 3))))
        action = rng.integers(0, 3, 3)
        model = StepModel(task, View(player.observe()))
        power = task.constants.levels_w[np.arange(3), action].astype(float)
        estimate = model.estimate(power[None, None])
        result = player.step(action)
        assert (estimate.urgent + estimate.other)[0, 0] == pytest.approx(result["served"][0], rel=1e-3, abs=1e-6)
        assert estimate.payload_w[0, 0] == pytest.approx(result["power_w"][0], rel=1e-3)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_bits_are_neither_made_nor_lost(seed: int) -> None:
    """Arrived = served + dropped + waiting, per world, under any action; queues are never negative."""
    task = make_task("ResourceAllocation", "uav-relays", {"steps": 30})
    engine = Engine(task, 2)
    engine.reset(seeds=[seed % 1000, 5])
    rng = np.random.default_rng(seed)
    gone = np.zeros(2)
    for _ in range(30):
        before = engine.state.departed_mbit
        outcome = engine.step(rng.integers(0, 4, (2, task.n_agents))).outcome
        departed = engine.state.departed_mbit
        assert (departed >= before - 1e-9).all()
        served = outcome.kpis[:, 0, 0] * task.dt_s
        dropped = sum(
            outcome.kpis[:, 0, 1 + i] * one.share * task.offered_mbit
            for i, one in enumerate(task.scenario.traffic.classes)
        )
        gone += served + dropped
        np.testing.assert_allclose(departed.sum(axis=1), gone, rtol=1e-9)
    arrived = engine.buffer.arrays["cumulative"][engine.rows, 29, 0]
    assert (engine.state.departed_mbit <= arrived + 1e-6).all()


@pytest.mark.parametrize("preset", ["beams", "uav-relays", "feeder-under-cloud"])
def test_actions_and_powers_invert_each_other(preset: str) -> None:
    constants = make_task("ResourceAllocation", preset).constants
    levels = constants.levels_w.astype(np.float64)
    for level in range(constants.n_levels):
        assert (action_of_power(constants, "levels", levels[:, level]) == level).all()
        box = action_of_power(constants, "box", levels[:, level])
        np.testing.assert_allclose(power_of_action(constants, box[..., 0]), levels[:, level], rtol=5e-3)
    assert (action_of_power(constants, "levels", np.full(len(levels), 1e6)) == constants.n_levels - 1).all()


@pytest.mark.parametrize("name", ["demand-proportional", "greedy", "load-target"])
def test_rules_play_the_continuous_variant(name: str) -> None:
    """The same rule on levels and on the Box: close to each other, and better than chance."""
    scores = {}
    for kind in ("levels", "box"):
        task = make_task("ResourceAllocation", "beams", {"action": {"kind": kind}, "steps": 60})
        scores[kind] = _play(task, _rule(task, name), SEEDS)[0].mean() / 60
    assert scores["box"] == pytest.approx(scores["levels"], abs=0.06) and scores["box"] > 0.9


def test_scenarios_that_cannot_work_are_refused_by_name() -> None:
    for changes, words in (
        ({"traffic": {"classes": [one_class(2, 2.5)]}}, "deadline_s = 2.5 s must be a multiple of dt_s"),
        ({"relays": {"count": 5}}, "relays.count = 5 exceeds users.hotspots"),
        ({"platform": {"amplifier": {"levels_w": [1.0, 2.0]}}}, "needed are 0 W and then"),
        ({"traffic": {"daily": True}}, "the hour belongs to the day family"),
        ({"steps": 5000, "dt_s": 1.0}, "users on a straight course"),
        ({"users": {"city": "Atlantis"}}, "not in cities_top600"),
    ):
        with pytest.raises(ValueError, match=words):
            make_task("ResourceAllocation", "tiny", changes).make_world()


def test_a_later_deadline_never_hurts() -> None:
    """The same traffic, powers and channel: with twice the time fewer bits are dropped."""
    dropped = []
    for deadline in (2.0, 4.0, 8.0):
        task = small_task(users=2, steps=40, traffic={"load": 0.3, "classes": [one_class(2, deadline)]})
        rng = np.random.default_rng(0)
        arrivals = rng.exponential(14.0, (40, 2))
        player = Player(task, hand_made(task, [[0.3, 0, 0], [0.05, 0, 0]], arrivals))
        dropped.append(sum(player.step([2, 0, 0])["dropped"][0] for _ in range(40)))
    assert dropped[0] > dropped[1] > dropped[2]
