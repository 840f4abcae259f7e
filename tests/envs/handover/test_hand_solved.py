"""Problems whose answer is known without running the code: enumerated, proved, or in closed form."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.core.engine import Engine
from ntn_gym.envs.handover.bound import bound
from ntn_gym.envs.handover.heuristics import HEURISTICS
from ntn_gym.envs.handover.presets import load_preset, with_overrides
from ntn_gym.envs.handover.rules import Rules, Sync
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.envs.handover.task import HandoverTask

from .synthetic import drive, episode_return, packed_link, remaining_steps, small_task

# Three satellites, eight steps; rate 0: not visible. A switching step yields no rate and costs 1.
RATES = np.array([[2, 3, 4, 4, 3, 1, 0, 0], [0, 1, 2, 3, 4, 4, 3, 2], [0, 0, 0, 5, 6, 5, 1, 0]], dtype=float).T
# One handover to the second satellite, one or two steps before the first one fades; the best satellite is skipped.
OPTIMAL = {(0, 0, 0, 1, 1, 1, 1, 1), (0, 0, 0, 0, 1, 1, 1, 1)}


def three_satellites() -> tuple[HandoverTask, np.ndarray]:
    """The instance as a link table: the first connection is free, later ones take the whole step."""
    task = small_task(8, 3, hard=False, handover=1.0, failure=1.0, reestablishment=1)
    sync = np.where(RATES > 0, Sync.IN, Sync.EMPTY)[None, :, None]
    interruption = np.where(np.arange(8) > 0, 1.0, 0.0)[:, None, None]
    return task, packed_link(sync, RATES[None, :, None], interruption)


def value_of(path: tuple[int, ...]) -> float:
    """Value of a path in the words of the problem, without any protocol."""
    total = RATES[0, path[0]]
    for t in range(1, 8):
        total += RATES[t, path[t]] if path[t] == path[t - 1] else -1.0
    return float(total)


def test_three_satellites_by_enumeration() -> None:
    paths = list(itertools.product(range(3), repeat=8))
    assert max(value_of(path) for path in paths) == 21
    # Two more paths of value 21 switch to a satellite that has not risen yet, which no user can do.
    visible = [path for path in paths if all(RATES[t, path[t]] > 0 for t in range(8))]
    assert {path for path in visible if value_of(path) == 21} == OPTIMAL
    assert value_of((0, 0, 0, 2, 2, 2, 1, 1)) == 20
    assert value_of((0, 0, 0, 0, 0, 0, 1, 1)) == 18


def test_three_satellites_by_the_bound() -> None:
    task, link = three_satellites()
    result = bound(task, {"link": link})
    assert result.value[0] == pytest.approx(21, abs=1e-12)
    assert result.actions is not None
    assert tuple(result.actions[0, :, 0].tolist()) in OPTIMAL


def test_three_satellites_under_the_protocol() -> None:
    """The best of all 3^8 action sequences under the rules of the environment is the same 21."""
    task, link = three_satellites()
    returns = [
        episode_return(task, link[0], np.reshape(path, (8, 1))) for path in itertools.product(range(3), repeat=8)
    ]
    assert max(returns) == pytest.approx(21, abs=1e-12)
    for path, value in [((0, 0, 0, 2, 2, 2, 1, 1), 20), ((0, 0, 0, 0, 0, 0, 1, 1), 18)]:
        assert episode_return(task, link[0], np.reshape(path, (8, 1))) == pytest.approx(value, abs=1e-12)


def test_three_satellites_by_rules() -> None:
    """The strongest signal gives 20; staying until the last visible step, then the longest pass, gives 20 as well."""
    task, link = three_satellites()
    visible = RATES > 0
    slots = {"sinr_db": RATES, "remaining_s": remaining_steps(visible)}
    sync = np.where(visible, Sync.IN, Sync.EMPTY)
    scenario = task.scenario
    expected = {"strongest": [0, 0, 0, 2, 2, 2, 1, 1], "longest_visibility": [0, 0, 0, 0, 0, 1, 1, 1]}
    for name, path in expected.items():
        rule = HEURISTICS[name].factory(task, {})
        actions, _, _ = drive(rule, scenario, task.rules, sync, **slots)
        assert actions == path, name
        assert episode_return(task, link[0], np.reshape(actions, (8, 1))) == pytest.approx(20, abs=1e-12), name


# ---------------------------------------------------------------------------------- interval covering


@st.composite
def coverings(draw: st.DrawFn) -> np.ndarray:
    """Visibility [T, K] of random passes; every step is covered, and so is every step together with the next one."""
    n_slots = draw(st.integers(2, 5))
    n_steps = draw(st.integers(5, 24))
    valid = np.zeros((n_steps, n_slots), dtype=bool)
    for k in range(n_slots):
        t = draw(st.integers(0, 4))
        while t < n_steps:
            length = draw(st.integers(1, 9))
            valid[t : t + length, k] = True
            t += length + draw(st.integers(1, 4))
    # Extend slots where nothing overlaps with the following step.
    for t in range(n_steps - 1):
        if not (valid[t] & valid[t + 1]).any():
            k = draw(st.integers(0, n_slots - 1))
            valid[t : t + 2, k] = True
    if not valid[-1].any():
        valid[-1, 0] = True
    return valid


@given(coverings())
@settings(max_examples=150, deadline=None)
def test_longest_visibility_makes_the_fewest_handovers(valid: np.ndarray) -> None:
    """Coverage on or off, handover the only cost: the exact bound is service in every step less that many handovers."""
    n_steps, n_slots = valid.shape
    price = 0.4 / n_steps  # all handovers together cost less than one step without service
    task = small_task(n_steps, n_slots, handover=price, failure=1.0)
    sync = np.where(valid, Sync.IN, Sync.EMPTY)
    link = packed_link(sync[None, :, None], valid[None, :, None].astype(float), 0.0)
    result = bound(task, {"link": link})
    rule = HEURISTICS["longest_visibility"].factory(task, {})
    slots: dict[str, Any] = {"sinr_db": np.full(valid.shape, 10.0), "remaining_s": remaining_steps(valid)}
    actions, carriers, handovers = drive(rule, task.scenario, task.rules, sync, **slots)
    assert min(carriers) >= 0, "covered worlds are served in every step"
    assert episode_return(task, link[0], np.reshape(actions, (-1, 1))) == pytest.approx(result.value[0], abs=1e-9)
    assert round((n_steps - result.value[0]) / price) == handovers


# ---------------------------------------------------------------------------------- limits of A3


@pytest.mark.parametrize("preset", ["tiny", "beams"])
def test_a3_without_margins_is_the_strongest_signal(preset: str) -> None:
    task = HandoverTask(with_overrides(load_preset(preset), {"steps": 100}))
    engine = Engine(task, 8)
    engine.reset(seeds=range(1_000_000, 1_000_008))
    strongest = HEURISTICS["strongest"].factory(task, {})
    a3 = HEURISTICS["a3"].factory(task, {"offset_db": 0.0, "hysteresis_db": 0.0, "ttt_steps": 0})
    for rule in (strongest, a3):
        rule.reset(8)
    restarted = np.ones(8, dtype=bool)
    moves = 0
    for _ in range(task.episode_steps):
        observation, mask = engine.observe(), engine.action_mask()
        actions = strongest.act(observation, mask, restarted)
        np.testing.assert_array_equal(a3.act(observation, mask, restarted), actions)
        result = engine.step(actions)
        moves += int(result.outcome.reward_terms[..., 1].sum())
        restarted[:] = False
    assert moves > 0


# ---------------------------------------------------------------------------------- a swinging HAPS


def swing(
    amplitude_m: float, period_s: float, slope_db_m: float, n_periods: int
) -> tuple[Scenario, np.ndarray, dict[str, np.ndarray]]:
    """A user at the edge of two cells that swing by x(t) = A sin(2 pi t / P): one signal rises as the other falls."""
    n_steps = round(n_periods * period_s)
    # Samples between the crossings, so that no sample falls on one.
    displacement_m = amplitude_m * np.sin(2 * np.pi * (np.arange(n_steps) + 0.5) / period_s)
    sinr_db = 8.0 + slope_db_m * np.stack([displacement_m, -displacement_m], axis=1)
    scenario = Scenario(steps=max(n_steps, 2), slots={"count": 2})
    slots = {"sinr_db": sinr_db, "remaining_s": np.full(sinr_db.shape, 300.0)}
    return scenario, np.full(sinr_db.shape, Sync.IN), slots


def handovers_of(name: str, params: dict[str, Any], world: tuple[Scenario, np.ndarray, dict[str, Any]]) -> int:
    scenario, sync, slots = world
    task = HandoverTask(scenario)
    rule = HEURISTICS[name].factory(task, params)
    return drive(rule, scenario, Rules(2, 3, True), sync, **slots)[2]


@pytest.mark.parametrize("period_s", [10.0, 20.0, 40.0])
def test_a_swing_over_a_cell_edge_makes_two_handovers_per_period(period_s: float) -> None:
    """A3 without hysteresis follows every crossing: 2/P handovers per second, the first half-wave being served."""
    n_periods = 12
    world = swing(amplitude_m=200.0, period_s=period_s, slope_db_m=0.01, n_periods=n_periods)
    # The user connects in the first half-wave; every later half-wave begins with a handover.
    assert handovers_of("a3", {"hysteresis_db": 0.0}, world) == 2 * n_periods - 1


def test_an_offset_above_the_swing_stops_the_handovers() -> None:
    """The signals differ by at most 2 slope A = 2 x 0.01 dB/m x 200 m = 4 dB."""
    world = swing(amplitude_m=200.0, period_s=20.0, slope_db_m=0.01, n_periods=12)
    assert handovers_of("a3", {"hysteresis_db": 0.0, "offset_db": 4.0}, world) == 0
    assert handovers_of("a3", {"hysteresis_db": 0.0, "offset_db": 3.8}, world) == 2 * 12 - 1


def test_the_adaptive_threshold_sits_out_a_swing() -> None:
    """Off0 is the peak difference of 4 dB, so no lead passes it at the peak, where the rate is zero.

    Elsewhere the rate widens the offset, because its sign has alternated within the swing period. Before the first turn
    the motion looks real and may cause one handover.
    """
    world = swing(amplitude_m=200.0, period_s=20.0, slope_db_m=0.01, n_periods=12)
    params = {"swing_gain_s": 1.0, "motion_gain_s": 5.0, "swing_period_s": 15.0}
    calm = handovers_of("adaptive_threshold", {**params, "offset_db": 4.0}, world)
    assert calm <= 1
    assert handovers_of("adaptive_threshold", {**params, "offset_db": 0.0}, world) == 2 * 12 - 1
