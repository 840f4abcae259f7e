"""Rules on situations whose right answer is plain, and what pictures and time lines tell."""

from __future__ import annotations

import numpy as np
import pytest

from ntn_gym.core.frame import Frame
from ntn_gym.core.task import Arrays
from ntn_gym.envs.data_relay.heuristics import HEURISTICS
from ntn_gym.envs.data_relay.lanes import lanes
from ntn_gym.envs.data_relay.render import render
from ntn_gym.envs.data_relay.story import tell
from ntn_gym.envs.data_relay.task import DataRelayTask
from ntn_gym.rendering.ansi import plain

from .synthetic import UNIT, drive, hand_raw, hand_scenario, now_at

STORE, WAIT = 0, 2
FORECAST_FED = ("belief", "belief_assign", "rollout", "cgr_forecast")


def over_a_cloudy_hags(hags_wait_s: float, next_gap_s: float, chance: float) -> tuple[DataRelayTask, Arrays]:
    """A HAGS over clouds in view; the next pass is over the plain station."""
    task = DataRelayTask(hand_scenario(horizon_s=86_400.0, files=2))
    raw = hand_raw(task.scenario, [0, 300, 86_400], [(0, 0, 0, 300)], [])
    raw["site_wait_s"][0, 0, 0] = raw["site_plan_s"][0, 0, 0] = hags_wait_s
    decline_s = next_gap_s + (1 - chance) * 20_000.0
    raw["decline_wait_s"][0, 0], raw["decline_plan_s"][0, 0] = decline_s, decline_s
    raw["next_station"][0, 0, 0, 0] = 1
    raw["next_gap_s"][0, 0, 0] = [next_gap_s, 80_000.0, 80_000.0]
    raw["next_duration_s"][0, 0, 0, 0] = 600.0
    raw["next_clear"][0, 0, 0, 0] = chance
    return task, task.compile(None, raw)[1]


def decide(name: str, task: DataRelayTask, arrays: Arrays) -> int:
    now = now_at(arrays, 0)
    state = task.initial(now)
    rule = HEURISTICS[name].factory(task, {})
    rule.reset(1)
    return int(rule.act(task.observe(state, now), task.action_mask(state, now), np.ones(1, bool))[0, 0])


@pytest.mark.parametrize("name", FORECAST_FED)
def test_a_clear_pass_soon_is_worth_waiting_for(name: str) -> None:
    task, arrays = over_a_cloudy_hags(hags_wait_s=6 * 3600.0, next_gap_s=600.0, chance=1.0)
    assert decide(name, task, arrays) == WAIT


@pytest.mark.parametrize("name", FORECAST_FED)
def test_a_pass_far_away_under_clouds_is_not(name: str) -> None:
    task, arrays = over_a_cloudy_hags(hags_wait_s=600.0, next_gap_s=3 * 3600.0, chance=0.05)
    assert decide(name, task, arrays) == STORE


def test_rules_that_look_at_the_sky_only_do_not_see_the_difference() -> None:
    situations = [over_a_cloudy_hags(6 * 3600.0, 600.0, 1.0), over_a_cloudy_hags(600.0, 3 * 3600.0, 0.05)]
    for name, action in {"first_contact": STORE, "hags_first": STORE, "direct": WAIT, "cgr": STORE}.items():
        assert [decide(name, *situation) for situation in situations] == [action, action]


def test_assignment_spreads_satellites_over_receivers() -> None:
    """Both like the clear station best; the one with more data gets it, the other one the HAGS."""
    task = DataRelayTask(hand_scenario(n_satellites=2, files=4))
    contacts = [(s, g, 0.0, 200.0) for s in (0, 1) for g in (0, 1)]
    files = [(0.0, 0)] + [(0.0, 1)] * 7
    raw = hand_raw(task.scenario, [0, 200, 3600], contacts, [(1, 0, 3600)], files=files)
    raw["site_wait_s"][0, :, 0] = 600.0
    arrays = task.compile(None, raw)[1]
    now = now_at(arrays, 0)
    state = task.initial(now)
    actions = {}
    for name in ("belief", "belief_assign"):
        rule = HEURISTICS[name].factory(task, {})
        rule.reset(1)
        actions[name] = rule.act(task.observe(state, now), task.action_mask(state, now), np.ones(1, bool))[0].tolist()
    assert actions == {"belief": [1, 1], "belief_assign": [0, 1]}


def test_a_taken_receiver_is_left_alone() -> None:
    task = DataRelayTask(hand_scenario(n_satellites=2, n_stations=1, hags=(), files=4))
    raw = hand_raw(task.scenario, [0, 50, 3600], [(0, 0, 0, 90), (1, 0, 0, 90)], [(0, 0, 3600)])
    raw["receiver"][0, 1, :, 0] = 0
    arrays = task.compile(None, raw)[1]
    state = drive(task, arrays, [[0, 1]])[1][-1]
    now = now_at(arrays, 1)
    observation, mask = task.observe(state, now), task.action_mask(state, now)
    for name in ("first_contact", "max_residual", "belief", "rollout"):
        rule = HEURISTICS[name].factory(task, {})
        rule.reset(1)
        assert rule.act(observation, mask, np.zeros(1, bool))[0].tolist() == [0, 1], name


# ---------------------------------------------------------------- pictures


def told() -> tuple[DataRelayTask, Frame]:
    task = DataRelayTask(hand_scenario())
    raw = hand_raw(task.scenario, [0, 50, 100, 3600], [(0, 0, 0, 50)], [(0, 50, 100)])
    _, states, outcomes = drive(task, task.compile(None, raw)[1], [[0], [2]])
    now = {name: array[0, :3] for name, array in raw.items()}
    actions = (np.array([0]), np.array([2]))
    return task, Frame(2, 0, now, tuple(states), actions, tuple(outcomes), -0.1)


def test_the_story_is_what_happened() -> None:
    task, frame = told()
    story = tell(task, frame)
    np.testing.assert_allclose(story.onboard_tbit[:, 0], [40 * UNIT / 1e12, 0, 0])
    np.testing.assert_allclose(story.delivered_share, [0, 0, 1])
    assert story.pointed.tolist() == [[0], [-1]]
    assert story.hags_share[1, 0] == pytest.approx(40 * UNIT / 8e15)


def test_text_and_picture() -> None:
    task, frame = told()
    text = plain(str(render(task, frame, "ansi")))
    assert "on the ground 100.0%" in text and "Svalbard" in text and "satellite" in text
    picture = render(task, frame, "rgb_array")
    assert isinstance(picture, np.ndarray) and picture.shape == (600, 960, 3) and picture.std() > 0


def test_lanes_name_the_receiver() -> None:
    task = DataRelayTask(hand_scenario())
    raw = hand_raw(task.scenario, [0, 50, 100, 3600], [(0, 1, 0, 100)], [])
    arrays = task.compile(None, raw)[1]
    states = drive(task, arrays, [[1], [1]])[1]
    labels = [int(lanes(task, state, now_at(arrays, step))["receiver"][0, 0]) for step, state in enumerate(states)]
    assert labels == [-1, 1, -1]
