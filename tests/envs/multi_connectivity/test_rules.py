"""What a step does: shares, set-up, limits, what is illegal, what breaks a link. All numbers by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.core.engine import Engine
from ntn_gym.envs.multi_connectivity.packing import ROW
from ntn_gym.envs.multi_connectivity.presets import load_preset
from ntn_gym.envs.multi_connectivity.task import MultiConnectivityTask

from .synthetic import kpi, play, set_of, slices, small_task

LOG31 = np.log(31.0)


def utility(rate_mbit_s: float) -> float:
    return float(np.log(1.0 + rate_mbit_s) / LOG31)


def test_a_new_link_carries_nothing_but_takes_its_share() -> None:
    """Two users at one station of 12 Mbit/s; the second one comes a step later."""
    task = small_task(2)
    arrays = slices(task, np.full((4, 2, 3), 12.0))
    one = set_of(task, 1)
    history = play(task, arrays, [[one, 0], [one, one], [one, one], [one, 0]])
    rates = np.array([kpi(task, outcome, "rate_mbit_s") for _, outcome in history])
    np.testing.assert_allclose(rates, [[0, 0], [6, 0], [6, 6], [12, 0]], rtol=1e-6)
    added = [outcome.reward_terms[0, :, 2].tolist() for _, outcome in history]
    assert added == [[1, 0], [0, 1], [0, 0], [0, 0]]


def test_split_bearers_add_and_the_reward_is_what_the_page_says() -> None:
    task = small_task(1)
    rate = np.tile([8.0, 4.0, 2.0], (3, 1, 1))
    both = set_of(task, 0, 1)
    _, (_, outcome) = play(task, slices(task, rate), [[both], [both]])
    terms = outcome.reward_terms[0, 0]
    np.testing.assert_allclose(terms, [utility(12.0), 2, 0, 1], rtol=1e-6)  # mixed sets of MS-MBS need a controller
    weights = [term.weight for term in task.reward_terms]
    assert weights == pytest.approx([1.0, -0.02, -0.05, -0.01])


def test_who_is_refused() -> None:
    """Limit 2 with users 0 to 3: who is there stays, then the better measurement, then the lower number."""
    task = small_task(4, station={"node_limit": 2})
    arrays = slices(task, np.full((3, 4, 3), 12.0))
    arrays["reported"][0, :, :, ROW["sinr"], :, 1] = [0.1, 0.2, 0.5, 0.2]  # measured SINR of station slot 1
    one = set_of(task, 1)
    history = play(task, arrays, [[0, 0, 0, one], [one] * 4, [one] * 4])
    linked = np.array([state.linked[0, :, 1] for state, _ in history])
    assert linked[0].tolist() == [False, False, False, True]
    assert linked[1].tolist() == [False, False, True, True]  # 3 stays, 2 hears it best
    assert kpi(task, history[1][1], "refused_links").tolist() == [1, 1, 0, 0]
    assert (history[1][1].reward_terms[0, :, 1:] == [[0, 0, 0], [0, 0, 0], [1, 1, 0], [1, 0, 0]]).all()
    arrays["reported"][0, :, :, ROW["sinr"], :, 1] = 0.3
    history = play(task, arrays, [[one] * 4])
    assert history[0][0].linked[0, :, 1].tolist() == [True, True, False, False]


def test_an_illegal_set_keeps_the_present_links() -> None:
    task = small_task(1)
    rate = np.tile([8.0, 4.0, 0.0], (3, 1, 1))  # slot 2 is empty
    history = play(task, slices(task, rate), [[set_of(task, 0)], [set_of(task, 0, 2)], [set_of(task, 0)]])
    state, outcome = history[1]
    assert state.linked[0, 0].tolist() == [True, False, False]
    assert kpi(task, outcome, "illegal_actions").tolist() == [1]
    assert kpi(task, outcome, "rate_mbit_s")[0] == pytest.approx(8.0)


def test_another_node_in_the_slot_breaks_the_link() -> None:
    task = small_task(1)
    arrays = slices(task, np.full((3, 1, 3), 8.0))
    arrays["same"][0, 1, 0, 0] = False
    history = play(task, arrays, [[set_of(task, 0)]] * 3)
    assert [float(kpi(task, outcome, "rate_mbit_s")[0]) for _, outcome in history] == pytest.approx([0, 0, 8])
    assert [float(outcome.reward_terms[0, 0, 2]) for _, outcome in history] == [1, 1, 0]


def test_a_new_controller_stops_clusters_for_one_step() -> None:
    """Two satellites need the controller, one does not."""
    task = small_task(2, n_sky=2, n_stations=0, architecture={"kind": "ms", "max_links": 2})
    arrays = slices(task, np.full((4, 2, 2), 6.0))
    arrays["ordered"][0, 2] = False
    history = play(task, arrays, [[set_of(task, 0, 1), set_of(task, 0)]] * 4)
    rates = np.array([kpi(task, outcome, "rate_mbit_s") for _, outcome in history])
    np.testing.assert_allclose(rates, [[0, 0], [9, 3], [0, 3], [9, 3]], rtol=1e-6)
    assert [float(kpi(task, outcome, "interruptions")[0]) for _, outcome in history] == [0, 0, 1, 0]


def test_a_cluster_out_of_reach_carries_nothing() -> None:
    task = small_task(1, n_sky=2, n_stations=0, architecture={"kind": "ms", "max_links": 2})
    arrays = slices(task, np.full((4, 1, 2), 6.0))
    both = set_of(task, 0, 1)
    arrays["legal"][0, 2, 0, both] = False
    history = play(task, arrays, [[both]] * 4)
    assert [float(kpi(task, outcome, "rate_mbit_s")[0]) for _, outcome in history] == pytest.approx([0, 12, 0, 12])


def test_modes_of_the_architectures() -> None:
    """SS-SBS knows the four modes of the paper, MS satellites only, MS-MBS everything up to its number of links."""
    ss = small_task(1, n_sky=2, n_stations=2, architecture={"kind": "ss-sbs"}).sets
    assert ss.n_sets == 1 + 4 + 4 and set(zip(ss.n_sky.tolist(), (ss.size - ss.n_sky).tolist(), strict=True)) == {
        (0, 0),
        (1, 0),
        (0, 1),
        (1, 1),
    }
    assert not ss.controlled.any()
    ms = small_task(1, n_sky=4, n_stations=0, architecture={"kind": "ms", "max_links": 3}).sets
    assert ms.n_sets == 1 + 4 + 6 + 4 and (ms.controlled == (ms.size >= 2)).all()
    both = small_task(1, n_sky=2, n_stations=2, architecture={"kind": "ms-mbs", "max_links": 3}).sets
    assert both.n_sets == 1 + 4 + 6 + 4
    # Two stations alone need no satellite in control.
    assert (both.controlled == ((both.n_sky >= 2) | ((both.n_sky == 1) & (both.size >= 2)))).all()


def test_difference_reward_is_what_the_others_would_gain() -> None:
    """Three users at one station of 12 Mbit/s: without one of them the two others get 6 instead of 4 each."""
    task = small_task(3, reward={"difference_weight": 1.0})
    one = set_of(task, 1)
    _, (_, outcome) = play(task, slices(task, np.full((2, 3, 3), 12.0)), [[one] * 3, [one] * 3])
    np.testing.assert_allclose(outcome.reward_terms[0, :, 4], 2 * (utility(6.0) - utility(4.0)), rtol=1e-5)
    assert task.reward_terms[4].weight == -1.0
    assert len(small_task(3).reward_terms) == 4, "the score has no such term"


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), preset=st.sampled_from(["tiny", "ms-ocean", "shared-spectrum"]))
def test_nodes_never_serve_more_than_they_can(seed: int, preset: str) -> None:
    """Any actions: limits hold, shares of a node add up to one, what is refused was wanted at a full node."""
    task = TASKS[preset]
    engine = Engine(task, 2, episode_steps=12)
    engine.reset(seeds=[seed % 1000, seed % 1000 + 1])
    rng = np.random.default_rng(seed)
    for _ in range(6):
        result = engine.step(rng.integers(task.n_sets, size=(2, task.n_agents)))
        state = engine.state
        assert (state.count <= task.limits).all()
        assert not (state.linked & state.refused).any()
        assert state.count.sum() == state.linked.sum()
        rates = kpi(task, result.outcome, "rate_mbit_s")
        assert np.isfinite(rates).all() and (rates >= 0).all()
        if state.refused.any():
            assert (state.count == task.limits).any(axis=1)[state.refused.any(axis=(1, 2))].all()
        outcome = result.outcome
        links = outcome.reward_terms[..., 1]
        assert (links == state.linked.sum(axis=-1)).all() and (links <= task.scenario.architecture.max_links).all()


TASKS = {name: MultiConnectivityTask(load_preset(name)) for name in ("tiny", "ms-ocean", "shared-spectrum")}
