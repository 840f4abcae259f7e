"""What holds in every world and under every sequence of actions."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.task import Arrays
from ntn_gym.envs.data_relay.bound import bound
from ntn_gym.envs.data_relay.presets import load_preset, with_overrides
from ntn_gym.envs.data_relay.task import DataRelayTask

from .synthetic import UNIT, bits_everywhere, drive, hand_raw, hand_scenario, now_at

SHORT = {"horizon_h": 6.0, "traffic": {"files": 12, "quiet_h": 1.0}}
# Short episodes of every kind of rule: one class and two, neighbours, link budget, tiny buffers.
KINDS = {
    "tiny": {},
    "deadlines": {**SHORT, "cutoffs": {"period_h": 2.0}, "stations": {"buffer_bytes": 60e9}},
    "isl": SHORT,
    "optics": SHORT,
}


@cache
def problem(kind: str) -> tuple[DataRelayTask, Arrays]:
    task = DataRelayTask(with_overrides(load_preset(kind), KINDS[kind]))
    world = task.make_world()
    raw = world.advance(world.begin([WorldKey(11)]), task.episode_steps + 1)[1]
    return task, task.compile(None, raw)[1]


def actions_of(task: DataRelayTask, arrays: Arrays, seed: int, eager: float) -> np.ndarray:
    """Random actions, illegal ones among them; ``eager``: share of choices that name a receiver in view."""
    rng = np.random.default_rng(seed)
    n_steps = int(np.count_nonzero(arrays["duration_ms"][0]))
    actions = rng.integers(task.n_slots + 1, size=(n_steps, task.n_agents))
    held = arrays["receiver"][0, :n_steps] >= 0
    n_targets = held.shape[-1]
    best = np.argmax(held * rng.random(held.shape), axis=-1) + n_targets * rng.integers(
        task.scenario.n_classes, size=held.shape[:2]
    )
    return np.where((rng.random(actions.shape) < eager) & held.any(axis=-1), best, actions)


@settings(max_examples=16, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 10**6), st.sampled_from([0.0, 0.5, 0.9, 1.0]))
def test_every_bit_is_somewhere(kind: str, seed: int, eager: float) -> None:
    """Generated = on board + in buffers + on the ground, to the bit, by class, after every epoch."""
    task, arrays = problem(kind)
    actions = actions_of(task, arrays, seed, eager)
    _, states, outcomes = drive(task, arrays, actions)
    generated = np.cumsum(arrays["arrival_bits"][0].sum(axis=1), axis=0)
    capacity = task.scenario.stations.buffer_bytes * 8
    before = states[0]
    for step, state in enumerate(states[1:]):
        by_class = state.onboard[0].sum(axis=0) + state.hags[0].sum(axis=0) + state.delivered[0]
        assert by_class.tolist() == generated[step].tolist(), f"epoch {step}"
        assert min(state.onboard.min(), state.hags.min(initial=0), state.delivered.min()) >= 0
        assert state.hags.sum(axis=2).max(initial=0) <= capacity
        assert (state.delivered >= before.delivered).all()
        before = state
    assert bits_everywhere(states[-1]) == task.scenario.total_bits
    on_ground = sum(float(outcome.kpis[0, :, 0].sum()) for outcome in outcomes)
    assert on_ground == pytest.approx(states[-1].delivered.sum() / task.scenario.total_bits, abs=1e-9)
    assert sum(outcome.kpis[0, 0, 10] for outcome in outcomes) == pytest.approx(task.scenario.horizon_h * 3600)
    assert [bool(outcome.terminated[0]) for outcome in outcomes] == [False] * (len(outcomes) - 1) + [True]


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 10**6), st.sampled_from([0.5, 1.0]))
def test_nobody_beats_the_bound(kind: str, seed: int, eager: float) -> None:
    task, arrays = problem(kind)
    total, _, _ = drive(task, arrays, actions_of(task, arrays, seed, eager))
    assert total <= bound_of(kind)


@cache
def bound_of(kind: str) -> float:
    task, arrays = problem(kind)
    return float(bound(task, arrays).value[0])


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(["tiny", "deadlines"]), st.integers(0, 10**6), st.integers(2, 4))
def test_the_return_does_not_depend_on_how_time_is_cut(kind: str, seed: int, pieces: int) -> None:
    """Every epoch is cut into pieces in which the same actions are repeated: bits and return stay the same.

    An epoch with an illegal choice or a refusal is the same in each piece, too, because who is served keeps its turn.
    """
    task, arrays = problem(kind)
    actions = actions_of(task, arrays, seed, 0.9)
    n_steps = len(actions)
    cut: dict[str, np.ndarray] = {name: np.repeat(array[:, :n_steps], pieces, axis=1) for name, array in arrays.items()}
    length = arrays["duration_ms"][0, :n_steps]
    first = length // pieces
    lengths = np.repeat(first, pieces).reshape(n_steps, pieces)
    lengths[:, -1] = length - first * (pieces - 1)
    cut["duration_ms"] = lengths.reshape(1, -1)
    later = np.arange(n_steps * pieces) % pieces > 0
    cut["arrival_bits"][:, later] = 0
    cut["cutoff"][:, later] = False
    cut["ends"][:, np.arange(n_steps * pieces) % pieces < pieces - 1] = False
    whole, states, _ = drive(task, arrays, actions)
    parts, cut_states, _ = drive(task, cut, np.repeat(actions, pieces, axis=0))
    assert parts == pytest.approx(whole, rel=1e-9, abs=1e-9)
    # A level is rounded to whole bits at the end of each epoch.
    np.testing.assert_allclose(cut_states[-1].delivered, states[-1].delivered, atol=n_steps * pieces)


def test_the_mean_of_the_agents_is_the_fleet() -> None:
    """Rewards of the satellites, with buffers shared by who filled them, add up to the integral over all bits."""
    task, arrays = problem("optics")
    actions = actions_of(task, arrays, 3, 1.0)
    _, states, outcomes = drive(task, arrays, actions)
    arrivals, total = arrays["arrival_bits"][0].sum(axis=(1, 2)), task.scenario.total_bits
    edges_h = np.concatenate(([0], np.cumsum(arrays["duration_ms"][0]))) / 3.6e6
    # Bits times the time from their appearance to the end, less the time saved by what is on the ground at the ends
    # of epochs: the truth lies between landing at the start and at the end of each epoch.
    upper = float((arrivals * (task.scenario.horizon_h - edges_h[:-1])).sum())
    gained = np.diff([float(state.delivered.sum()) for state in states])
    early = upper - float((gained * (task.scenario.horizon_h - edges_h[: len(gained)])).sum())
    late = upper - float((gained * (task.scenario.horizon_h - edges_h[1 : len(gained) + 1])).sum())
    waited = sum(float(outcome.reward_terms[0, :, 0].mean()) for outcome in outcomes) * total
    assert early <= waited * (1 + 1e-9) and waited <= late * (1 + 1e-9)


def test_late_delivery_is_worse_than_early_delivery() -> None:
    """Who hoards and delivers at the last second loses what the others gained."""
    task = DataRelayTask(hand_scenario(n_stations=1, hags=()))
    contacts = [(0, 0, 0, 60), (0, 0, 3540, 3600)]
    arrays = task.compile(None, hand_raw(task.scenario, [0, 60, 3540, 3600], contacts, [(0, 0, 3600)]))[1]
    early, _, _ = drive(task, arrays, [[0], [1], [1]])
    late, states, _ = drive(task, arrays, [[1], [1], [0]])
    assert states[-1].delivered.sum() == 40 * UNIT
    assert early - late == pytest.approx(3540 / 3600)


def test_storing_at_the_end_is_worth_nothing() -> None:
    """A buffer above clouds at the end of the episode is as far from the ground as the satellite."""
    task = DataRelayTask(hand_scenario())
    arrays = task.compile(None, hand_raw(task.scenario, [0, 3000, 3600], [(0, 0, 3000, 3600)], []))[1]
    assert drive(task, arrays, [[2], [0]])[0] == pytest.approx(drive(task, arrays, [[2], [2]])[0])


def test_steps_after_the_end_change_nothing() -> None:
    task, arrays = problem("tiny")
    n_steps = int(np.count_nonzero(arrays["duration_ms"][0]))
    state = drive(task, arrays, actions_of(task, arrays, 1, 1.0))[1][-1]
    after, outcome = task.step(state, np.zeros((1, 1), int), now_at(arrays, n_steps + 3))
    assert bits_everywhere(after) == bits_everywhere(state) and not outcome.reward_terms.any()
    assert outcome.terminated[0]
