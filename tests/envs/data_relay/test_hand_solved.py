"""Problems whose answer is known without running the code."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ntn_gym.envs.data_relay.bound import bound
from ntn_gym.envs.data_relay.heuristics import HEURISTICS
from ntn_gym.envs.data_relay.task import DataRelayTask

from .synthetic import UNIT, bits_everywhere, drive, hand_raw, hand_scenario, now_at

WAIT = 2  # slots 0 and 1 are the two stations


def delay_s(outcomes: list) -> float:
    """Mean delay of a bit in s, from the KPI."""
    return 3600.0 * sum(float(outcome.kpis[0, :, 1].sum()) for outcome in outcomes)


# ---------------------------------------------------------------- CGR tutorial instance: over the HAGS, or direct
# Contacts satellite - HAGS [0, 50], satellite - ground [200, 260]; the HAGS talks to the ground in [100, 150] only. A
# file of 40 s arrives over the HAGS at 140 and directly at 240.
EDGES = [0, 50, 100, 150, 200, 260, 3600]


def tutorial(clear_until: float = 150.0) -> tuple[DataRelayTask, dict]:
    task = DataRelayTask(hand_scenario())
    edges = sorted({*EDGES, clear_until})
    raw = hand_raw(task.scenario, edges, [(0, 0, 0, 50), (0, 1, 200, 260)], [(0, 100, clear_until), (1, 200, 260)])
    return task, task.compile(None, raw)[1]


def test_over_the_hags_the_file_arrives_at_140() -> None:
    task, arrays = tutorial()
    _, states, outcomes = drive(task, arrays, [[0], [2], [2], [2], [2], [2]])
    assert states[3].delivered.sum() == 40 * UNIT and states[2].delivered.sum() == 0
    # Bits arrive evenly between 100 and 140 s.
    assert delay_s(outcomes) == pytest.approx(120.0)


def test_directly_it_arrives_at_240() -> None:
    task, arrays = tutorial()
    _, states, outcomes = drive(task, arrays, [[2], [2], [2], [2], [1], [2]])
    assert states[4].delivered.sum() == 0 and states[5].delivered.sum() == 40 * UNIT
    assert delay_s(outcomes) == pytest.approx(220.0)


def test_a_short_clearing_lets_30_through() -> None:
    """Clear in [100, 130]: 30 units arrive, 10 stay in the HAGS for ever; splitting the file would save them."""
    task, arrays = tutorial(130.0)
    _, states, _ = drive(task, arrays, [[0]] + [[2]] * 6)
    assert states[-1].delivered.sum() == 30 * UNIT and states[-1].hags.sum() == 10 * UNIT


def test_the_bound_of_the_tutorial() -> None:
    """Best is over the HAGS. The tangents of the landing time allow 18.75 s for the mean of 20 s from 100 s on."""
    task, arrays = tutorial()
    value = bound(task, arrays).value[0]
    best = max(drive(task, arrays, [[a], *[[2]] * 3, [b], [2]])[0] for a in (0, 2) for b in (1, 2))
    assert best == pytest.approx(1.0 - 120.0 / 3600.0)
    assert value == pytest.approx(1.0 - 118.75 / 3600.0, abs=2e-6)


def test_the_bound_splits_where_the_task_cannot() -> None:
    """With the clearing of 30 s the program sends 30 over the HAGS and 10 directly: all is delivered."""
    task, arrays = tutorial(130.0)
    value = bound(task, arrays).value[0]
    # 30 of 40 land in [100, 130], 10 in [200, 210]; the tangents allow at most what exact landing times do.
    exact = 1.0 - (0.75 * 115 + 0.25 * 205) / 3600
    assert exact <= value <= exact + 3.0 / 3600


# ---------------------------------------------------------------- closed forms


def test_always_clear_delivers_the_sum_of_contact_volumes() -> None:
    """One station, always clear, more data than contact time: bound and first contact deliver all volumes."""
    task = DataRelayTask(hand_scenario(n_stations=1, hags=(), files=10, file_s=100.0, delivered_h=50.0))
    contacts = [(0, 0, 100, 220), (0, 0, 1000, 1090), (0, 0, 3000, 3300)]
    raw = hand_raw(task.scenario, [0, 100, 220, 1000, 1090, 3000, 3300, 3600], contacts, [(0, 0, 3600)])
    arrays = task.compile(None, raw)[1]
    _, states, _ = drive(task, arrays, [[0]] * 7)
    assert states[-1].delivered.sum() == (120 + 90 + 300) * UNIT
    total, _, outcomes = drive(task, arrays, [[0]] * 7)
    assert bound(task, arrays).value[0] >= total
    assert sum(float(outcome.kpis[0, 0, 0]) for outcome in outcomes) == pytest.approx(510 / 1000)


def test_a_buffer_of_nothing_makes_the_hags_useless() -> None:
    task = DataRelayTask(hand_scenario(stations={"buffer_bytes": 0.0}))
    raw = hand_raw(task.scenario, EDGES, [(0, 0, 0, 50)], [(0, 100, 150)])
    arrays = task.compile(None, raw)[1]
    _, states, outcomes = drive(task, arrays, [[0]] + [[2]] * 5)
    assert states[-1].hags.sum() == 0 and states[-1].onboard.sum() == 40 * UNIT
    assert outcomes[0].kpis[0, 0, 6] == pytest.approx(1.0), "the refused bits are counted"


def test_a_full_buffer_pauses_the_transfer() -> None:
    task = DataRelayTask(hand_scenario(stations={"buffer_bytes": 25 * UNIT / 8}))
    raw = hand_raw(task.scenario, EDGES, [(0, 0, 0, 50)], [])
    arrays = task.compile(None, raw)[1]
    _, states, outcomes = drive(task, arrays, [[0]])
    assert states[-1].hags.sum() == 25 * UNIT and states[-1].onboard.sum() == 15 * UNIT
    assert outcomes[0].kpis[0, 0, 6] == pytest.approx(15 / 40)


def test_a_clear_hags_passes_through() -> None:
    """The buffered 40 leave at the rate at which 40 more come: 40 stay until the inflow ends."""
    task = DataRelayTask(hand_scenario(files=2))
    raw = hand_raw(
        task.scenario, [0, 40, 100, 200, 3600], [(0, 0, 0, 200)], [(0, 100, 3600)], files=[(0.0, 0), (100.0, 0)]
    )
    arrays = task.compile(None, raw)[1]
    _, states, outcomes = drive(task, arrays, [[0], [2], [0], [2]])
    assert states[2].hags.sum() == 40 * UNIT
    assert states[3].hags.sum() == 0 and states[3].delivered.sum() == 80 * UNIT
    # First file: 100 s, then the oldest 40 land over [100, 140] and the rest over [140, 180].
    waited = 100 * 40 + 40 * 20 + 40 * 60
    assert delay_s(outcomes) == pytest.approx(waited / 80)


def test_acquisition_costs_time_once() -> None:
    task = DataRelayTask(hand_scenario(n_stations=1, hags=()))
    raw = hand_raw(task.scenario, [0, 20, 50, 80, 3600], [(0, 0, 0, 80)], [(0, 0, 3600)], acquisition_s=30.0)
    arrays = task.compile(None, raw)[1]
    _, states, _ = drive(task, arrays, [[0], [0], [0], [1]])
    # 20 s and 10 s of acquisition, then 20 s and 20 s of the 40 s that the file takes.
    assert [int(state.delivered.sum()) // UNIT for state in states] == [0, 0, 20, 40, 40]
    _, states, outcomes = drive(task, arrays, [[0], [1], [0], [1]])
    assert states[-1].delivered.sum() == 0, "who waits loses the acquisition"
    assert sum(outcome.kpis[0, 0, 8] for outcome in outcomes) == 2


def test_terminals_are_contended() -> None:
    """Both name the station: the first by number gets it; next time the one that is served keeps it."""
    task = DataRelayTask(hand_scenario(n_satellites=2, n_stations=1, hags=(), files=2))
    contacts = [(0, 0, 0, 100), (1, 0, 0, 100)]
    raw = hand_raw(task.scenario, [0, 20, 40, 60, 3600], contacts, [(0, 0, 3600)])
    arrays = task.compile(None, raw)[1]
    _, states, outcomes = drive(task, arrays, [[0, 0], [1, 0], [0, 0], [0, 0]])
    assert states[1].onboard[0, :, 0].tolist() == [60 * UNIT, 80 * UNIT]
    assert states[2].onboard[0, :, 0].tolist() == [60 * UNIT, 60 * UNIT]
    assert states[3].onboard[0, :, 0].tolist() == [60 * UNIT, 40 * UNIT], "satellite 1 keeps the telescope"
    assert [outcome.kpis[0, :, 9].tolist() for outcome in outcomes[:3]] == [[0, 1], [0, 0], [1, 0]]
    assert states[3].refused[0].tolist() == [True, False]


def test_nobody_beats_the_bound_of_a_contended_problem() -> None:
    """All sequences of two satellites over a HAGS and a station that is clear later, by enumeration."""
    task = DataRelayTask(hand_scenario(n_satellites=2, files=2, file_s=30.0, horizon_s=1800.0))
    contacts = [(0, 0, 0, 120), (1, 0, 0, 60), (0, 1, 60, 120), (1, 1, 0, 120)]
    edges = [0, 60, 120, 600, 1800]
    raw = hand_raw(task.scenario, edges, contacts, [(0, 600, 1800), (1, 60, 120)])
    arrays = task.compile(None, raw)[1]
    value = bound(task, arrays).value[0]
    pairs = list(itertools.product(range(3), repeat=2))
    returns = [drive(task, arrays, [a, b, (2, 2), (2, 2)])[0] for a in pairs for b in pairs]
    assert max(returns) <= value
    # Best: one satellite fills the HAGS first, the other one takes the clear station next. 60 units land evenly over
    # [60, 120], 60 over [600, 660].
    assert max(returns) == pytest.approx(1.0 - 0.5 * (90 + 630) / 3600)
    assert value - max(returns) < 0.02


# ---------------------------------------------------------------- several classes, cut-offs, neighbours


def test_the_order_of_drain_decides_which_data_is_stored() -> None:
    """Room for one file above clouds: routine first leaves the urgent one on board."""
    scenario = hand_scenario(
        files=2, traffic={"urgent_share": 0.5, "urgent_weight": 3.0}, stations={"buffer_bytes": 40 * UNIT / 8}
    )
    task = DataRelayTask(scenario)
    raw = hand_raw(scenario, [0, 50, 100, 3600], [(0, 0, 0, 50)], [])
    raw["arrival_bits"][0, 0, 0] = [40 * UNIT, 40 * UNIT]
    arrays = task.compile(None, raw)[1]
    for action, left in ((0, [0, 40]), (2, [40, 0])):
        _, states, outcomes = drive(task, arrays, [[action]])
        assert (states[1].onboard[0, 0] // UNIT).tolist() == left
        assert (states[1].hags[0, 0] // UNIT).tolist() == left[::-1]
        # Nothing is on the ground: urgent bits wait three times as dearly, wherever they are.
        assert 3600 * outcomes[0].reward_terms[0, 0, 0] == pytest.approx(50 * (3 * 40 + 40) / 80)


def test_urgent_data_leaves_a_buffer_first() -> None:
    scenario = hand_scenario(files=2, traffic={"urgent_share": 0.5})
    task = DataRelayTask(scenario)
    raw = hand_raw(scenario, [0, 100, 130, 3600], [(0, 0, 0, 100)], [(0, 100, 130)])
    raw["arrival_bits"][0, 0, 0] = [40 * UNIT, 40 * UNIT]
    arrays = task.compile(None, raw)[1]
    _, states, _ = drive(task, arrays, [[2], [4]])
    assert (states[1].hags[0, 0] // UNIT).tolist() == [40, 40]
    assert (states[2].hags[0, 0] // UNIT).tolist() == [10, 40]
    assert (states[2].delivered[0] // UNIT).tolist() == [30, 0]


def test_a_cutoff_charges_what_is_not_on_the_ground() -> None:
    scenario = hand_scenario(cutoffs={"period_h": 0.5, "price_h": 6.0})
    task = DataRelayTask(scenario)
    raw = hand_raw(scenario, [0, 30, 1800, 3600], [(0, 1, 0, 30)], [(1, 0, 3600)], cutoffs_s=[1800.0])
    arrays = task.compile(None, raw)[1]
    total, _, outcomes = drive(task, arrays, [[1], [2], [2]])
    missed = [float(outcome.reward_terms[0, 0, 2]) for outcome in outcomes]
    assert missed == pytest.approx([0, 0, 0.25]), "10 of 40 are still on board at 1800 s"
    waiting = (10 * 3600 + 30 * 15) / 40 / 3600
    assert total == pytest.approx(-waiting + 0.75 - 6 * 0.25)
    assert bound(task, arrays).value[0] == pytest.approx(total, abs=0.01)


def test_passing_data_around_gains_nothing() -> None:
    """Two neighbours that throw their data at each other wait as long as two that do nothing."""
    scenario = hand_scenario(n_satellites=2, n_stations=1, hags=(), satellites={"same_plane": True})
    task = DataRelayTask(scenario)
    edges = np.linspace(0, 3600, 25)
    arrays = task.compile(None, hand_raw(scenario, edges, [], []))[1]
    ahead, behind, wait = 1, 2, 3
    thrown, states, _ = drive(task, arrays, [[behind, ahead]] * 24)
    idle, _, _ = drive(task, arrays, [[wait, wait]] * 24)
    assert thrown == pytest.approx(idle)
    assert {bits_everywhere(state) for state in states[1:]} == {80 * UNIT}


def test_a_neighbour_over_a_clear_station_shortens_the_way() -> None:
    scenario = hand_scenario(n_satellites=2, n_stations=1, hags=(), satellites={"same_plane": True}, files=1)
    task = DataRelayTask(scenario)
    raw = hand_raw(scenario, [0, 50, 100, 3600], [(1, 0, 50, 100)], [(0, 0, 3600)], files=[(0.0, 0)])
    arrays = task.compile(None, raw)[1]
    _, states, _ = drive(task, arrays, [[2, 3], [3, 0], [3, 3]])
    assert states[1].onboard[0, :, 0].tolist() == [0, 40 * UNIT]
    assert states[2].delivered.sum() == 40 * UNIT


def test_rules_on_a_hand_written_pass() -> None:
    """A cloudy HAGS and a clear station in view: who names what."""
    task = DataRelayTask(hand_scenario())
    raw = hand_raw(task.scenario, [0, 100, 3600], [(0, 0, 0, 100), (0, 1, 0, 100)], [(1, 0, 100)])
    raw["site_wait_s"][0, 0, 0] = 7200.0
    arrays = task.compile(None, raw)[1]
    now = now_at(arrays, 0)
    state = task.initial(now)
    observation, mask = task.observe(state, now), task.action_mask(state, now)
    expected = {"first_contact": 0, "hags_first": 0, "direct": 1, "max_residual": 1, "cgr": 0, "belief": 1}
    for name, action in expected.items():
        rule = HEURISTICS[name].factory(task, {})
        rule.reset(1)
        assert rule.act(observation, mask, np.ones(1, bool))[0, 0] == action, name
