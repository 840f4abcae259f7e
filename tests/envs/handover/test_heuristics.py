"""Every rule on hand-made observations whose right answer is known, and on worlds of the environment."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from ntn_gym.core.engine import Engine
from ntn_gym.core.policy import Policy
from ntn_gym.envs.handover.bound import bound
from ntn_gym.envs.handover.heuristics import HEURISTICS
from ntn_gym.envs.handover.heuristics.choice import arbitrary, look
from ntn_gym.envs.handover.heuristics.composite import shared_utility
from ntn_gym.envs.handover.heuristics.conditional import prepared_slots
from ntn_gym.envs.handover.heuristics.forecast import SnrCourse, efficiency, shifted_sinr
from ntn_gym.envs.handover.heuristics.planner import Planner, PlannerParameters
from ntn_gym.envs.handover.heuristics.predictive import LmsParameters, PredictedRss
from ntn_gym.envs.handover.observation import SLOT
from ntn_gym.envs.handover.presets import load_preset, with_overrides
from ntn_gym.envs.handover.rules import Sync
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.envs.handover.task import HandoverTask

from .synthetic import drive, make_observation, mask_of, small_task

BEGIN, GO_ON = np.array([True]), np.array([False])


def rule(name: str, scenario: Scenario | None = None, **params: Any) -> Policy:
    task = HandoverTask(scenario or Scenario(slots={"count": 3}))
    policy = HEURISTICS[name].factory(task, params)
    policy.reset(1)
    return policy


def decide(policy: Policy, scenario: Scenario | None = None, first: bool = True, **observation: Any) -> int:
    """Action of one user of one world; three valid slots and slot 0 serving unless said otherwise."""
    values = {"valid": [1, 1, 1], "serving": 0, **observation}
    seen = make_observation(scenario or Scenario(slots={"count": 3}), **values)
    action = policy.act(seen, mask_of(values["valid"], values["serving"]), BEGIN if first else GO_ON)
    assert action.shape == (1, 1)
    return int(action[0, 0])


# ---------------------------------------------------------------------------------- declarations


def test_all_rules_are_there_with_valid_grids() -> None:
    wanted = {
        "sticky", "strongest", "elevation", "longest_visibility", "serving_capacity", "a3", "a4", "a5",
        "cho_d1", "cho_t1", "cho_tte", "load_aware", "hybrid", "predicted_rss", "adaptive_threshold", "composite",
        "planner",
    }  # fmt: skip
    assert set(HEURISTICS) == wanted
    task = small_task(10, 3)
    for name, spec in HEURISTICS.items():
        for parameter, values in spec.grid.items():
            assert len(set(values)) == len(values), (name, parameter)
            for value in values:
                spec.factory(task, {parameter: value})


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("a3", {"hysteresis": 2.0}, "heuristic 'a3'.*hysteresis"),
        ("a3", {"hysteresis_db": -1.0}, "hysteresis_db = -1.0.*greater than or equal to 0"),
        ("composite", {"remaining_scale_s": 0.0}, "remaining_scale_s = 0.0.*greater than 0"),
        ("cho_t1", {"prepared": 2.5}, "prepared = 2.5"),
        ("planner", {"horizon_steps": 1000}, "horizon_steps = 1000.*less than or equal to 60"),
    ],
)
def test_wrong_parameters_are_refused(name: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"(?s){message}"):
        HEURISTICS[name].factory(small_task(10, 3), params)


# ---------------------------------------------------------------------------------- common behaviour


@pytest.mark.parametrize("name", [name for name in HEURISTICS if name != "sticky"])
def test_idle_users_take_the_slot_that_is_best_in_every_respect(name: str) -> None:
    action = decide(
        rule(name),
        serving=-1,
        valid=[1, 0, 1],
        sinr_db=[-3.0, 0.0, 9.0],
        slow_db=[-3.0, 0.0, 9.0],
        predicted_db=[2.0, 0.0, 12.0],
        elevation_deg=[20, 0, 80],
        remaining_s=[5.0, 0.0, 200.0],
        utility=[0.1, 0.0, 0.8],
        load=[0.8, 0.0, 0.1],
        age=0.125,
    )
    assert action == 2


@pytest.mark.parametrize("name", HEURISTICS)
def test_users_stay_with_the_slot_that_is_best_in_every_respect(name: str) -> None:
    action = decide(
        rule(name),
        sinr_db=[9.0, -3.0, 0.0],
        slow_db=[9.0, -3.0, 0.0],
        predicted_db=[12.0, 2.0, 3.0],
        elevation_deg=[80, 20, 30],
        remaining_s=[200.0, 5.0, 20.0],
        utility=[0.8, 0.1, 0.2],
        load=[0.1, 0.8, 0.7],
        age=0.125,
    )
    assert action == 0


@pytest.mark.parametrize("name", HEURISTICS)
def test_with_nothing_to_choose_the_action_is_legal(name: str) -> None:
    assert decide(rule(name), serving=-1, valid=[0, 0, 0]) in (0, 1, 2)
    # The serving pass (slot 1) has set: naming it is the only action that sends no command into the void.
    seen = make_observation(Scenario(slots={"count": 3}), valid=[1, 0, 0], serving=1, connected=True, sinr_db=5.0)
    assert rule(name).act(seen, mask_of([1, 0, 0], 1), BEGIN)[0, 0] == 1


@pytest.mark.parametrize("name", HEURISTICS)
def test_users_are_decided_apart(name: str) -> None:
    """Five users in one call and one by one give the same actions, over steps with changing servers and passes."""
    rng = np.random.default_rng(0)
    scenario = Scenario(slots={"count": 4})
    task = HandoverTask(scenario)
    together = HEURISTICS[name].factory(task, {})
    alone = [HEURISTICS[name].factory(task, {}) for _ in range(5)]
    together.reset(1)
    for policy in alone:
        policy.reset(1)
    serving = np.array([-1, 0, 1, 2, 3])
    for step in range(12):
        valid = rng.random((5, 4)) < 0.8
        seen = make_observation(
            scenario,
            valid=valid,
            serving=np.where(valid[np.arange(5), serving], serving, -1),
            sinr_db=rng.normal(3, 6, (5, 4)),
            slow_db=rng.normal(3, 6, (5, 4)),
            predicted_db=rng.normal(8, 3, (5, 4)),
            elevation_deg=rng.uniform(10, 90, (5, 4)),
            remaining_s=rng.uniform(1, 40, (5, 4)),
            utility=rng.uniform(0, 1, (5, 4)),
            load=rng.uniform(0, 1, (5, 4)),
            age=0.125,
        )
        restarted = np.array([step in (0, 7)])
        mask = valid | ~valid.any(axis=1, keepdims=True)
        actions = together.act(seen, mask[None], restarted)
        for u, policy in enumerate(alone):
            own = policy.act(seen[:, u : u + 1], mask[None, u : u + 1], restarted)
            assert own[0, 0] == actions[0, u], (step, u)
        serving = np.where(rng.random(5) < 0.5, actions[0], serving)


def test_arbitrary_choices_are_even_and_repeatable() -> None:
    rng = np.random.default_rng(1)
    scenario = Scenario(slots={"count": 4})
    n = 4000
    seen = make_observation(scenario, valid=np.ones((n, 4)), azimuth_sin=rng.uniform(-1, 1, (n, 4)))
    s = look(scenario, seen, None, BEGIN)
    draws = arbitrary(s)
    assert draws.shape == (1, n, 4) and (draws >= 0).all() and (draws < 1).all()
    np.testing.assert_array_equal(draws, arbitrary(s))
    # Mean 1/2 +- 4 standard errors, and each slot first equally often.
    assert abs(draws.mean() - 0.5) < 4 / math.sqrt(12 * 4 * n)
    firsts = np.bincount(draws.argmax(axis=-1).ravel(), minlength=4)
    assert (np.abs(firsts - n / 4) < 4 * math.sqrt(n * 3 / 16)).all()


# ---------------------------------------------------------------------------------- single criteria


def test_sticky_never_moves() -> None:
    assert decide(rule("sticky"), sinr_db=[-13.0, 20.0, 20.0], remaining_s=[1, 100, 100]) == 0
    assert decide(rule("sticky", connect="first"), serving=-1, valid=[0, 1, 1]) == 1
    assert decide(rule("sticky"), serving=-1, valid=[0, 0, 1]) == 2


def test_strongest_stays_on_a_tie() -> None:
    assert decide(rule("strongest"), serving=1, sinr_db=[4.0, 4.0, 4.0]) == 1
    assert decide(rule("strongest"), serving=1, sinr_db=[4.0, 4.0, 4.1]) == 2


def test_elevation_needs_its_hysteresis_or_a_setting_pass() -> None:
    policy = rule("elevation", hysteresis_deg=10.0)
    assert decide(policy, elevation_deg=[30, 39, 35], remaining_s=[100, 90, 80]) == 0
    assert decide(policy, elevation_deg=[30, 41, 45], remaining_s=[100, 90, 80]) == 2
    assert decide(policy, elevation_deg=[30, 20, 25], remaining_s=[1, 90, 80]) == 2
    assert decide(policy, elevation_deg=[30, 20, 25], remaining_s=[1, 1, 1]) == 0


def test_visibility_leaves_at_the_last_step_for_the_longest_good_pass() -> None:
    policy = rule("longest_visibility", candidate_sinr_db=0.0)
    sinr = [5.0, 1.0, -1.0]
    assert decide(policy, sinr_db=sinr, remaining_s=[2, 20, 200]) == 0
    assert decide(policy, sinr_db=sinr, remaining_s=[1, 20, 200]) == 1  # slot 2 is longer but too weak
    assert decide(policy, sinr_db=[5.0, -3.0, -1.0], remaining_s=[1, 20, 200]) == 2  # rescue: the strongest
    assert decide(policy, sinr_db=[-7.0, 1.0, -1.0], remaining_s=[100, 20, 200]) == 1  # too weak to be kept
    early = rule("longest_visibility", leave_remaining_s=5.0)
    assert decide(early, sinr_db=[5.0, 1.0, 1.0], remaining_s=[5, 20, 4]) == 1
    assert decide(early, sinr_db=[5.0, 1.0, 1.0], remaining_s=[5, 3, 4]) == 0  # the others set even earlier
    assert decide(policy, serving=-1, sinr_db=[5.0, 1.0, -1.0], remaining_s=[10, 20, 200]) == 1
    assert decide(policy, serving=-1, sinr_db=[5.0, 1.0, 1.0], remaining_s=[10.0, 20.0, 20.4]) == 2
    assert decide(policy, serving=-1, sinr_db=[-2.0, -3.0, -1.0], remaining_s=[10, 20, 5]) == 2


# ---------------------------------------------------------------------------------- events


def run_events(name: str, lead_db: list[float], scenario: Scenario | None = None, **params: Any) -> list[int]:
    """Actions while slot 1 leads slot 0 (6 dB, serving) by the given dB."""
    policy = rule(name, scenario, **params)
    return [
        decide(policy, first=t == 0, sinr_db=[6.0, 6.0 + lead, -13.0], slow_db=[6.0, 6.0 + lead, -13.0])
        for t, lead in enumerate(lead_db)
    ]


def test_a3_waits_for_the_time_to_trigger() -> None:
    params = {"hysteresis_db": 1.0, "offset_db": 1.0}
    assert run_events("a3", [2.0, 2.1], **params) == [0, 1]
    assert run_events("a3", [2.1] * 4, ttt_steps=2, **params) == [0, 0, 1, 1]
    # One step below the margin starts the time again.
    assert run_events("a3", [2.1, 2.1, 1.9, 2.1, 2.1, 2.1], ttt_steps=2, **params) == [0, 0, 0, 0, 0, 1]


def test_time_to_trigger_restarts_with_pass_server_and_episode() -> None:
    def act(policy: Policy, first: bool = False, **changes: Any) -> int:
        return decide(policy, first=first, **{"sinr_db": [6.0, 12.0, -13.0], **changes})

    params = {"hysteresis_db": 1.0, "ttt_steps": 2}
    policy = rule("a3", **params)
    assert [act(policy, True), act(policy), act(policy, valid=[1, 0, 1])] == [0, 0, 0]  # slot 1 is empty for a step
    assert [act(policy), act(policy), act(policy)] == [0, 0, 1]
    policy = rule("a3", **params)
    assert [act(policy, True), act(policy)] == [0, 0]
    assert [act(policy, serving=2), act(policy, serving=2), act(policy, serving=2)] == [2, 2, 1]
    policy = rule("a3", **params)
    assert [act(policy, True), act(policy), act(policy, True), act(policy), act(policy)] == [0, 0, 0, 0, 1]
    policy = rule("a3", **params)
    assert [act(policy, True), act(policy)] == [0, 0]
    policy.reset(1)
    assert act(policy) == 0


def test_a3_can_use_the_slow_filter() -> None:
    fast = rule("a3", hysteresis_db=1.0)
    slow = rule("a3", hysteresis_db=1.0, slow=True)
    assert decide(fast, sinr_db=[5, 9, 0], slow_db=[5, 5, 9]) == 1
    assert decide(slow, sinr_db=[5, 9, 0], slow_db=[5, 5, 9]) == 2


def test_a4_and_a5_look_at_thresholds() -> None:
    a4 = rule("a4", target_threshold_db=4.0, hysteresis_db=1.0)
    assert decide(a4, sinr_db=[3.0, 4.9, 0.0]) == 0
    assert decide(a4, sinr_db=[3.0, 5.1, 0.0]) == 1
    assert decide(a4, sinr_db=[9.0, 8.0, 7.0]) == 0  # reported, but weaker than the serving cell
    a5 = rule("a5", serving_threshold_db=2.0, target_threshold_db=4.0, hysteresis_db=1.0)
    assert decide(a5, sinr_db=[0.9, 5.1, 0.0]) == 1
    assert decide(a5, sinr_db=[1.1, 5.1, 0.0]) == 0
    assert decide(a5, sinr_db=[0.9, 4.9, 0.0]) == 0


# ---------------------------------------------------------------------------------- conditional handover


def test_prepared_candidates_are_the_longest_ones() -> None:
    scenario = Scenario(slots={"count": 6})
    seen = make_observation(scenario, valid=[1, 1, 1, 0, 1, 1], serving=1, remaining_s=[9, 99, 30, 50, 20, 10])
    s = look(scenario, seen, None, BEGIN)
    assert np.flatnonzero(prepared_slots(s, 2)[0, 0]).tolist() == [2, 4]
    assert np.flatnonzero(prepared_slots(s, 9)[0, 0]).tolist() == [0, 2, 4, 5]


def test_d1_needs_both_distances_and_a4() -> None:
    params = {"leave_snr_db": 8.0, "enter_snr_db": 9.0, "a4_db": 2.0}
    good = {"predicted_db": [7.9, 9.1, 12.0], "sinr_db": [5.0, 2.1, 1.9], "remaining_s": [50, 60, 40]}
    assert decide(rule("cho_d1", **params), **good) == 1
    assert decide(rule("cho_d1", **params), **{**good, "predicted_db": [8.1, 9.1, 12.0]}) == 0
    assert decide(rule("cho_d1", **params), **{**good, "predicted_db": [7.9, 8.9, 12.0]}) == 0
    assert decide(rule("cho_d1", **params), **{**good, "sinr_db": [5.0, 1.9, 1.9]}) == 0
    assert decide(rule("cho_d1", prepared=1, **params), **{**good, "remaining_s": [50, 60, 70]}) == 0
    waiting = rule("cho_d1", ttt_steps=1, **params)
    assert [decide(waiting, **good), decide(waiting, first=False, **good)] == [0, 1]


def test_strongest_or_longest_of_the_triggered() -> None:
    params = {"leave_snr_db": 8.0, "enter_snr_db": 6.0, "a4_db": 2.0}
    seen = {"predicted_db": [7.0, 9.0, 9.0], "sinr_db": [5.0, 4.0, 8.0], "remaining_s": [50, 60, 40]}
    assert decide(rule("cho_d1", **params), **seen) == 2
    assert decide(rule("cho_tte", **params), **seen) == 1
    assert decide(rule("cho_tte", **params), **{**seen, "remaining_s": [50, 60, 60]}) == 2  # a tie goes by signal


def test_t1_opens_before_the_set() -> None:
    policy = rule("cho_t1", window_s=5.0, a4_db=0.0, offset_db=-20.0)
    seen = {"sinr_db": [5.0, 3.0, 4.0]}
    assert decide(policy, remaining_s=[6, 60, 7], **seen) == 0
    assert decide(policy, remaining_s=[5, 60, 7], **seen) == 2
    assert decide(policy, remaining_s=[5, 60, 5], **seen) == 1  # slot 2 sets as early
    long = rule("cho_t1", window_s=5.0, offset_db=-20.0, candidate_remaining_s=10.0)
    assert decide(long, remaining_s=[5, 60, 7], **seen) == 1
    strong = rule("cho_t1", window_s=5.0, offset_db=1.0)
    assert decide(strong, remaining_s=[5, 60, 7], **seen) == 0
    assert decide(strong, remaining_s=[1, 60, 7], **seen) == 2  # rescue in the last step
    weak = rule("cho_t1", leave_sinr_db=0.0, a4_db=0.0)
    assert decide(weak, remaining_s=[100, 60, 7], sinr_db=[-1.0, 3.0, 4.0]) == 2


# ---------------------------------------------------------------------------------- load and weighted sums


def test_load_aware_weighs_utility() -> None:
    policy = rule("load_aware", hysteresis=0.1, candidate_remaining_s=5.0)
    assert decide(policy, utility=[0.4, 0.49, 0.2], remaining_s=[50, 60, 60]) == 0
    assert decide(policy, utility=[0.4, 0.51, 0.7], remaining_s=[50, 60, 5]) == 1  # slot 2 sets too soon
    assert decide(policy, utility=[0.4, 0.1, 0.2], remaining_s=[1, 60, 60], sinr_db=[5, 3, 2]) == 1  # rescue


def test_shared_utility_is_that_of_an_equal_share() -> None:
    """Rmax/R0 = 144/2 = 72: u = 1 for a whole cell becomes ln(1 + 72/n) / ln 73 for n users."""
    scenario = Scenario(slots={"count": 3}, users={"count": 4})
    seen = make_observation(
        scenario, valid=np.ones((4, 3)), serving=[0, 1, 1, 1], utility=[1.0, 1.0, -0.1], attached=[0.25, 0.75, 0.0]
    )
    s = look(scenario, seen, None, BEGIN)
    share = [math.log1p(72 / n) / math.log(73) for n in (1, 2, 3, 4)]
    # The first user is alone in slot 0 and would be the fourth in slot 1; the others are three and would be two.
    np.testing.assert_allclose(shared_utility(scenario, s)[0, 0], [share[0], share[3], -0.1], atol=1e-5)
    np.testing.assert_allclose(shared_utility(scenario, s)[0, 1], [share[1], share[2], -0.1], atol=1e-5)


def test_many_users_do_not_all_run_to_the_same_cell() -> None:
    """100 users see a better cell: without damping all move, by default about one in sqrt(100) = 10."""
    n = 100
    scenario = Scenario(slots={"count": 3}, users={"count": n})
    seen = make_observation(
        scenario,
        valid=np.ones((n, 3)),
        serving=0,
        utility=[0.5, 0.9, 0.1],
        attached=[1.0, 0.0, 0.0],
        sinr_db=np.random.default_rng(2).normal(5, 2, (n, 3)),
        remaining_s=60,
    )
    task = HandoverTask(scenario)
    mask = np.ones((1, n, 3), dtype=bool)
    for name in ("load_aware", "composite"):
        everybody = HEURISTICS[name].factory(task, {"move_probability": 1.0})
        damped = HEURISTICS[name].factory(task, {})
        assert (everybody.act(seen, mask, BEGIN) == 1).all()
        assert 1 <= (damped.act(seen, mask, BEGIN) == 1).sum() <= 25


def test_composite_adds_up() -> None:
    """Serving: 0.4 + 0.3 x 6/15 + 0.2 x 45/90 + 0.07 = 0.69. Target: u + 0.3 x 1 + 0.2 x 30/90 = u + 0.3667."""
    params = {
        "hysteresis": 0.07,
        "remaining_weight": 0.3,
        "remaining_scale_s": 15.0,
        "elevation_weight": 0.2,
    }
    seen = {"elevation_deg": [45, 30, 0], "remaining_s": [6, 20, 2]}
    assert decide(rule("composite", **params), utility=[0.4, 0.322, 0.0], **seen) == 0
    assert decide(rule("composite", **params), utility=[0.4, 0.325, 0.0], **seen) == 1


def test_street_term_prefers_what_stands_in_line() -> None:
    """cos 2a is 1 along the way and -1 across; in a street the observation already holds the doubled angle."""
    angle = np.radians([90.0, 0.0, 45.0])
    params = {"street_weight": 0.3, "remaining_weight": 0.0, "elevation_weight": 0.0, "hysteresis": 0.0}
    seen = {"utility": [0.5, 0.1, 0.3]}  # totals 0.2, 0.4 and 0.3
    assert decide(rule("composite", **params), azimuth_sin=np.sin(angle), azimuth_cos=np.cos(angle), **seen) == 1
    street = Scenario(slots={"count": 3}, blockage={"street_canyon": 0.9})
    doubled = {"azimuth_sin": np.sin(2 * angle), "azimuth_cos": np.cos(2 * angle)}
    assert decide(rule("composite", street, **params), street, **doubled, **seen) == 1


def test_hybrid_bonus_decays() -> None:
    """Lead of the target 1 x 3/20 = 0.15; bonus 0.3 / (1 + exp((t - 5)/1)) falls to it at t = 5 s."""
    policy = rule("hybrid", elevation_weight=0.0, load_weight=0.0, bonus=0.3, bonus_half_s=5.0, bonus_scale_s=1.0)
    actions = [decide(policy, first=t == 0, sinr_db=[5.0, 8.0001, 0.0]) for t in range(8)]
    assert actions == [0, 0, 0, 0, 0, 1, 1, 1]
    loaded = rule("hybrid", elevation_weight=0.5, load_weight=0.5, bonus=0.0)
    assert decide(loaded, sinr_db=5.0, load=[0.5, 0.2, 0.5], elevation_deg=[40, 40, 60]) == 1
    assert decide(loaded, sinr_db=5.0, load=[0.5, 0.45, 0.5], elevation_deg=[40, 40, 60]) == 2


# ---------------------------------------------------------------------------------- prediction


def test_nlms_against_a_plain_loop() -> None:
    """Leads of one slot by the formulas of the docstring, one number at a time."""
    rng = np.random.default_rng(4)
    serving_db = 6 + rng.normal(0, 1, 40)
    target_db = np.linspace(0, 12, 40) + rng.normal(0, 1, 40)
    scenario = Scenario(slots={"count": 2}, users={"motion": "vehicle"})
    policy = PredictedRss(scenario, LmsParameters(offset_db=2.0, ahead_steps=3, confidence=1.28))
    assert policy.period_steps == 1  # 2 m at 15 m/s take 0.13 s; not less than 0.2 s, not less than a step

    weights, variance, history, expected = np.eye(8)[7], 4.0, [], []
    for t in range(40):
        lead = target_db[t] - serving_db[t]
        if t == 0:
            history = [lead] * 8
        else:
            x = np.array(history)
            error = lead - weights @ x
            weights = weights + 0.5 * error / (1e-6 + x @ x) * x
            variance = 0.9 * variance + 0.1 * error**2
            history = [*history[1:], lead]
        window = list(history)
        for _ in range(3):
            window = [*window[1:], float(np.clip(weights @ np.array(window), -40, 40))]
        expected.append(window[-1] - 1.28 * math.sqrt(variance) > 2.0)
    actions = [
        decide(policy, scenario, first=t == 0, valid=[1, 1], sinr_db=[serving_db[t], target_db[t]]) for t in range(40)
    ]
    assert actions == [int(value) for value in expected]
    assert 0 < sum(actions) < 40


def test_nlms_looks_as_often_as_the_user_moves() -> None:
    for motion, steps in [("static", 2), ("pedestrian", 2), ("vehicle", 1)]:
        scenario = Scenario(slots={"count": 3}, users={"motion": motion})
        assert PredictedRss(scenario, LmsParameters()).period_steps == steps
    policy = rule("predicted_rss", confidence=0.0)  # on foot: every second step
    assert [decide(policy, first=t == 0, sinr_db=[0.0, 8.0, -5.0]) for t in range(4)] == [1, 0, 1, 0]


def test_nlms_anticipates_a_steady_trend() -> None:
    """A lead that grows by 0.5 dB per step is acted on before it exists; event A3 acts after."""
    lead = np.arange(-10, 10, 0.5)
    scenario = Scenario(slots={"count": 2}, users={"motion": "vehicle"})

    def first_move(name: str, **params: Any) -> int:
        policy = rule(name, scenario, **params)
        actions = [
            decide(policy, scenario, first=t == 0, valid=[1, 1], sinr_db=[6.0, 6.0 + x]) for t, x in enumerate(lead)
        ]
        return actions.index(1)

    early = first_move("predicted_rss", offset_db=2.0, ahead_steps=3, confidence=0.0)
    late = first_move("a3", offset_db=2.0, hysteresis_db=0.0)
    assert lead[late] == 2.5
    assert late - early >= 1


def test_a_new_pass_is_predicted_from_its_own_samples() -> None:
    """The slot's earlier pass was 20 dB weaker; the new one starts with persistence of its own signal."""
    scenario = Scenario(slots={"count": 2}, users={"motion": "vehicle"})
    policy = rule("predicted_rss", scenario, offset_db=2.0, confidence=0.0)
    for t in range(6):
        assert decide(policy, scenario, first=t == 0, valid=[1, 1], sinr_db=[6.0, -10.0 - t % 3]) == 0
    assert decide(policy, scenario, first=False, valid=[1, 0], sinr_db=[6.0, 0.0]) == 0
    assert decide(policy, scenario, first=False, valid=[1, 1], sinr_db=[6.0, 8.5]) == 1


def test_adaptive_threshold_by_hand() -> None:
    """Off0 3 dB, k1 1 s, k2 0.5 s. Steady rise of 2 dB/s: 3 - 1 = 2 dB. After a turn: 3 + 2 = 5 dB."""
    params = {"offset_db": 3.0, "swing_gain_s": 1.0, "motion_gain_s": 0.5, "swing_period_s": 4.0}

    def last(targets: list[float]) -> int:
        policy = rule("adaptive_threshold", **params)
        return [decide(policy, first=t == 0, sinr_db=[6.0, x, -13.0]) for t, x in enumerate(targets)][-1]

    assert last([4.1, 6.1, 8.1]) == 1  # lead 2.1 dB, offset 2 dB
    assert last([3.9, 5.9, 7.9]) == 0  # lead 1.9 dB
    assert last([8.9, 6.9, 8.9]) == 0  # it has turned: lead 2.9 dB, offset 5 dB
    assert last([11.1, 9.1, 11.1]) == 1  # lead 5.1 dB
    # More than 4 s after the last turn the motion is real again.
    assert last([6.5, 4.5, *(4.5 + 0.5 * n for n in range(1, 6))]) == 0  # turned 4 s ago: offset 3.5 dB
    assert last([4.8, 2.8, *(2.8 + n for n in range(1, 7))]) == 1  # 5 s ago: lead 2.8 dB, offset 2.5 dB


# ---------------------------------------------------------------------------------- forecast


def test_course_continues_a_parabola() -> None:
    """s(t) = 5 + 1.5 t - 0.08 t^2 is known after three steps; before, a constant and a line."""
    scenario = Scenario(slots={"count": 2})

    def curve(t: float | np.ndarray) -> np.ndarray:
        return np.asarray(5 + 1.5 * t - 0.08 * t**2)

    course, leads = SnrCourse(), np.array([0.0, 1.0, 5.0])
    for t in range(5):
        seen = make_observation(scenario, valid=[1, t != 3], predicted_db=curve(t))
        change = course.change_db(look(scenario, seen, None, BEGIN if t == 0 else GO_ON), leads)[0, 0]
        exact = curve(t + leads) - curve(t)
        line = (curve(t) - curve(t - 1)) * leads
        np.testing.assert_allclose(change[0], [0 * leads, line, exact, exact, exact][t], atol=2e-5)
        if t != 3:
            # The second slot's pass is another one from t = 4 on.
            np.testing.assert_allclose(change[1], [0 * leads, line, exact, None, 0 * leads][t], atol=2e-5)


def test_shifted_sinr_keeps_the_own_interference() -> None:
    """SNR 10 dB, own interference -15 dB: 1/SINR = 0.1 + 0.0316. With 3 dB more: 1/SINR = 0.1/1.995 + 0.0316."""
    scenario = Scenario(slots={"count": 2})
    own = 10**-1.5
    before_db = -10 * math.log10(0.1 + own)
    after = shifted_sinr(scenario, np.array([before_db]), np.array([3.0]))
    assert after[0] == pytest.approx(1 / (0.1 * 10**-0.3 + own), rel=1e-6)
    # 0.65 log2(1 + 10) = 2.2487 bit/s/Hz; capped at 4.8; nothing below -6 dB.
    np.testing.assert_allclose(efficiency(scenario, np.array([10.0, 1e6, 0.25])), [2.24866, 4.8, 0.0], atol=1e-4)


def test_serving_capacity_weighs_what_a_pass_will_carry() -> None:
    policy = rule("serving_capacity", with_load=False, leave_sinr_db=-3.0)
    seen = {"predicted_db": 9.0, "age": 0.125}
    assert decide(policy, sinr_db=[0.0, 9.0, 9.0], remaining_s=[30, 60, 60], **seen) == 0  # not forced
    # About to set: 9 dB for 2 s loses the interruption and price (0.32 s) of 2 s, 8 dB for 60 s of 60 s.
    assert decide(policy, sinr_db=[5.0, 9.0, 8.0], remaining_s=[1, 2, 60], **seen) == 2
    assert decide(policy, sinr_db=[5.0, 9.0, 8.0], remaining_s=[1, 60, 60], **seen) == 1
    loaded = rule("serving_capacity", with_load=True)
    assert decide(loaded, sinr_db=[5.0, 9.0, 8.0], remaining_s=[1, 60, 60], load=[0, 0.8, 0.1], **seen) == 2


def test_serving_capacity_follows_the_course_of_the_pass() -> None:
    """Slot 1 is stronger now but sinks by 1 dB/s, slot 2 rises by as much."""
    policy = rule("serving_capacity", with_load=False, leave_remaining_s=0.0, horizon_s=20.0)
    for t in range(4):
        action = decide(
            policy,
            first=t == 0,
            sinr_db=[5.0, 8.0 - t, 1.0 + t],
            predicted_db=[8.0, 10.0 - t, 4.0 + t],
            remaining_s=[4 - t, 60, 60],
            age=0.125,
        )
    assert action == 2


def plan_value(
    path: tuple[int, ...], remaining: np.ndarray, utility: np.ndarray, blocked: np.ndarray, planner: Planner
) -> float:
    """Value of serving from path[t] in step t; a pass that is gone when it should serve costs a failure.

    The passes stand at 45 deg: with a weight of 0.2 that is 0.1 per step to come.
    """
    total = float(utility[path[0], 0])
    for t in range(1, len(path)):
        if remaining[path[t - 1]] <= t:  # the serving pass has set: the link is lost
            return total - planner._failure
        if path[t] != path[t - 1]:
            total -= planner._handover
        if remaining[path[t]] <= t:
            return -math.inf  # no target
        total += float(utility[path[t], t] - 0.5 * planner._failure * blocked[path[t], t]) + 0.1
    beyond = min(max(remaining[path[-1]] - len(path), 0.0), 5.0)
    return total + 1.5 * beyond / 5.0


def test_plan_is_the_best_of_all_plans() -> None:
    """Values of the dynamic programme against every sequence of slots over the horizon, by the same forecast."""
    rng = np.random.default_rng(6)
    scenario = Scenario(slots={"count": 3})
    for _ in range(10):
        p = PlannerParameters(
            horizon_steps=4, remaining_weight_s=1.5, remaining_scale_s=5.0, risk_factor=0.5, elevation_weight=0.2
        )
        planner = Planner(scenario, p)
        remaining = rng.choice([1.0, 2.0, 3.0, 20.0], 3)
        seen = make_observation(
            scenario,
            valid=[1, 1, 1],
            serving=0,
            sinr_db=rng.normal(0, 6, 3),
            remaining_s=remaining,
            age=0.125,
            elevation_deg=45.0,
        )
        s = look(scenario, seen, None, BEGIN)
        stay, _ = planner._values(s)
        utility, blocked = (array[0, 0] for array in planner._forecast(s))
        for first in range(3):
            paths = itertools.product([first], range(3), range(3), range(3))
            best = max(plan_value(path, remaining, utility, blocked, planner) for path in paths)
            assert stay[0, 0, first] == pytest.approx(best, abs=1e-5)


def test_planner_leaves_before_the_pass_sets() -> None:
    seen = {"sinr_db": [9.0, 8.0, 3.0], "predicted_db": 12.0, "age": 0.125}
    policy = rule("planner")
    assert decide(policy, remaining_s=[100, 100, 100], **seen) == 0
    assert decide(policy, remaining_s=[1, 100, 100], **seen) == 1


# ---------------------------------------------------------------------------------- in the environment


@pytest.mark.parametrize(
    ("preset", "changes"),
    [
        ("tiny", {}),
        ("beams", {"steps": 150}),
        ("beams", {"steps": 100, "users": {"count": 5}}),
        ("street", {"steps": 150}),
        ("haps-swing", {"steps": 150}),
        ("tiny", {"protocol": {"needs_serving_link": False}}),
    ],
)
def test_nobody_beats_the_bound(preset: str, changes: dict[str, Any]) -> None:
    task = HandoverTask(with_overrides(load_preset(preset), changes))
    seeds = range(1_000_000, 1_000_012)
    engine = Engine(task, len(seeds))
    engine.reset(seeds=seeds)
    arrays = {name: array[engine.rows].copy() for name, array in engine.buffer.arrays.items()}
    ceiling = bound(task, arrays).value
    start = engine.get_state()
    for name, spec in HEURISTICS.items():
        engine.set_state(start)
        policy = spec.factory(task, {})
        policy.reset(len(seeds))
        total, restarted = np.zeros(len(seeds)), np.ones(len(seeds), dtype=bool)
        for _ in range(task.episode_steps):
            actions = policy.act(engine.observe(), engine.action_mask(), restarted)
            total += engine.step(actions).reward.mean(axis=1)
            restarted[:] = False
        assert (total <= ceiling + 1e-9 * (1 if task.n_agents == 1 else 1e3)).all(), name
        assert total.mean() > 0, name


def test_rules_remember_no_pass_that_is_gone() -> None:
    """A rule run on a world, then on another one flagged as restarted, decides there as if it were new."""
    task = HandoverTask(with_overrides(load_preset("beams"), {"steps": 40}))
    for name, spec in HEURISTICS.items():
        used, fresh = spec.factory(task, {}), spec.factory(task, {})
        used.reset(4)
        engine = Engine(task, 4)
        engine.reset(seeds=range(4))
        restarted = np.ones(4, dtype=bool)
        for _ in range(25):
            engine.step(used.act(engine.observe(), engine.action_mask(), restarted))
            restarted = np.zeros(4, dtype=bool)
        engine.reset(seeds=range(10, 14))
        fresh.reset(4)
        restarted[:] = True
        for _ in range(25):
            observation, mask = engine.observe(), engine.action_mask()
            actions = used.act(observation, mask, restarted)
            np.testing.assert_array_equal(actions, fresh.act(observation, mask, restarted), err_msg=name)
            engine.step(actions)
            restarted = np.zeros(4, dtype=bool)


def test_visibility_rule_serves_a_covered_world_without_failures() -> None:
    """Two passes that overlap in one step only: the handover happens in that step."""
    valid = np.array([[1, 0], [1, 0], [1, 1], [0, 1], [0, 1]], dtype=bool)
    task = small_task(5, 2)
    sync = np.where(valid, Sync.IN, Sync.EMPTY)
    slots = {"sinr_db": np.full(valid.shape, 8.0), "remaining_s": np.array([[3, 0], [2, 0], [1, 3], [0, 2], [0, 1]])}
    actions, carriers, handovers = drive(rule("longest_visibility"), task.scenario, task.rules, sync, **slots)
    assert (actions, carriers, handovers) == ([0, 0, 1, 1, 1], [0, 0, 1, 1, 1], 1)


def test_observation_helper_matches_the_layout() -> None:
    """Guards the tests above: values come back as they were written."""
    scenario = Scenario(slots={"count": 3})
    seen = make_observation(scenario, valid=[1, 0, 1], serving=2, sinr_db=[3.0, 9.0, -4.0], remaining_s=[12, 5, 250])
    s = look(scenario, seen, None, BEGIN)
    np.testing.assert_allclose(s.view.sinr_db[0, 0, [0, 2]], [3.0, -4.0], atol=1e-5)
    np.testing.assert_allclose(s.view.remaining_s[0, 0], [12, 0, 250], atol=1e-4)
    assert s.current.tolist() == [[2]] and s.legal[0, 0].tolist() == [True, False, True]
    assert SLOT["valid"] == 0 and s.others[0, 0].tolist() == [True, False, False]
