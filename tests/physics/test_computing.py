"""Edge computing and queues: the reference case, hand-solved tasks, Lindley's recursion and conservation."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from ntn_gym.physics import computing as cp
from ntn_gym.physics import queueing as qu

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "mec_params.json").read_text())
ORACLE = REFERENCE["oracle"]


def test_reference_case():
    cycles, clock, kappa = ORACLE["cycles"], ORACLE["f_GHz"] * 1e9, ORACLE["kappa"]
    assert float(cp.computing_time_s(cycles, clock)) == pytest.approx(ORACLE["t_s"])
    assert float(cp.computing_energy_j(cycles, clock, kappa)) == pytest.approx(ORACLE["E_J"])
    # Twice the clock: 0.5 s, 4 J, 8 W.
    time, energy = float(cp.computing_time_s(cycles, 2 * clock)), float(cp.computing_energy_j(cycles, 2 * clock, kappa))
    assert (time, energy, energy / time) == (pytest.approx(0.5), pytest.approx(4.0), pytest.approx(8.0))


def test_offloading_by_hand():
    # 300 KB at 20 Mbit/s: 0.12 s; 1000 Mcycles at 10 GHz: 0.1 s; 2 x 2.6 ms to a satellite.
    task_bit = 300e3 * 8
    assert float(cp.transmission_time_s(task_bit, 20e6)) == pytest.approx(0.12)
    assert float(cp.offloading_time_s(task_bit, 1e9, 20e6, 10e9, 2.6e-3)) == pytest.approx(0.2252)
    # 20 dBm for 0.12 s is 12 mJ; with an amplifier of 40 % 30 mJ.
    assert float(cp.transmission_energy_j(task_bit, 20e6, 0.1)) == pytest.approx(0.012)
    assert float(cp.transmission_energy_j(task_bit, 20e6, 0.1, 0.4)) == pytest.approx(0.03)
    assert float(cp.task_cycles(1e6, 1000.0)) == 1e9


def test_the_slowest_clock_in_time_costs_least():
    clock = float(cp.frequency_for_deadline_hz(1e9, 2.0))
    assert clock == 0.5e9
    clocks = np.linspace(0.5e9, 3e9, 50)
    assert np.argmin(cp.computing_energy_j(1e9, clocks)) == 0
    assert float(cp.computing_energy_j(1e9, clock)) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("local", "remote", "fixed"), [(2.0, 1.0, 0.1), (0.5, 4.0, 0.0), (0.05, 1.0, 0.3), (1.0, 0.0, 0.2)]
)
def test_best_split_against_a_search(local, remote, fixed):
    def end(a):
        return max((1 - a) * local, a * remote + fixed) if a > 0 else local

    share = float(cp.best_split(local, remote, fixed))
    found = min([optimize.minimize_scalar(end, bounds=(1e-9, 1), method="bounded").fun, end(0.0), end(1.0)])
    assert end(share) == pytest.approx(found, abs=1e-4)


def lindley(rng, arrival_rate, draw_service, n):
    """Mean wait and its standard error by batch means: W' = max(W + S - A, 0) without using any formula."""
    steps = draw_service(n) - rng.exponential(1 / arrival_rate, n)
    path = np.concatenate(([0.0], np.cumsum(steps)))
    wait = path - np.minimum.accumulate(path)
    batches = wait[n // 10 :][: 40 * (len(wait[n // 10 :]) // 40)].reshape(40, -1).mean(axis=-1)
    return batches.mean(), batches.std(ddof=1) / math.sqrt(40)


@pytest.mark.parametrize(
    ("name", "expected", "draw"),
    [
        ("M/M/1", lambda: qu.mm1_waiting_time_s(0.6, 1.0), lambda g: lambda n: g.exponential(1.0, n)),
        ("M/D/1", lambda: qu.md1_waiting_time_s(0.6, 1.0), lambda g: lambda n: np.ones(n)),
        ("M/G/1", lambda: qu.mg1_waiting_time_s(0.6, 1.0, 1 / 12), lambda g: lambda n: g.uniform(0.5, 1.5, n)),
    ],
)
def test_waiting_times_by_simulation(name, expected, draw):
    rng = np.random.default_rng(51)
    mean, error = lindley(rng, 0.6, draw(rng), 1_000_000)
    assert float(expected()) == pytest.approx(mean, abs=4 * error), name


def test_waiting_times_by_hand():
    assert float(qu.mm1_waiting_time_s(0.5, 1.0)) == pytest.approx(1.0)
    assert float(qu.md1_waiting_time_s(0.5, 1.0)) == pytest.approx(0.5)
    assert float(qu.mm1_waiting_time_s(0.0, 1.0)) == 0.0
    # Sojourn time 1 / (mu - lambda).
    assert float(qu.mm1_waiting_time_s(3.0, 5.0)) + 1 / 5 == pytest.approx(1 / 2)


@given(st.floats(0.0, 0.99), st.floats(0.01, 10.0), st.floats(0.0, 5.0))
@settings(deadline=None)
def test_variance_makes_waiting_longer(load, mean, spread):
    rate = load / mean
    steady = float(qu.md1_waiting_time_s(rate, mean))
    assert 0 <= steady <= float(qu.mg1_waiting_time_s(rate, mean, spread))
    assert float(qu.mm1_waiting_time_s(rate, 1 / mean)) == pytest.approx(2 * steady, rel=1e-6)


def test_overload_is_refused():
    with pytest.raises(ValueError, match="stable queue"):
        qu.mm1_waiting_time_s(1.0, 1.0)


@pytest.mark.parametrize(
    ("queue", "arrivals", "service", "capacity", "expected"),
    [
        (5.0, 2.0, 3.0, math.inf, (4.0, 3.0, 0.0)),
        (1.0, 2.0, 3.0, math.inf, (2.0, 1.0, 0.0)),  # arrivals wait for the next slot
        (5.0, 4.0, 1.0, 6.0, (6.0, 1.0, 2.0)),
        (7.0, 4.0, 0.0, 6.0, (7.0, 0.0, 4.0)),  # a limit below the backlog loses nothing that is in
    ],
)
def test_slots_by_hand(queue, arrivals, service, capacity, expected):
    assert tuple(float(v) for v in qu.queue_step(queue, arrivals, service, capacity)) == expected


@given(st.floats(0, 1e3), st.floats(0, 1e3), st.floats(0, 1e3), st.floats(0, 1e3))
@settings(deadline=None)
def test_nothing_gets_lost(queue, arrivals, service, capacity):
    step = qu.queue_step(queue, arrivals, service, capacity)
    assert float(sum(step)) == pytest.approx(queue + arrivals, rel=1e-12, abs=1e-9)
    assert min(float(v) for v in step) >= 0 and float(step.served) <= service


def test_torch_gives_the_same_numbers():
    queue = np.array([5.0, 1.0])
    theirs = qu.queue_step(torch.from_numpy(queue), 2.0, 3.0, 6.0)
    for a, b in zip(theirs, qu.queue_step(queue, 2.0, 3.0, 6.0), strict=True):
        np.testing.assert_allclose(a.numpy(), b)
    assert float(cp.best_split(torch.tensor(2.0), 1.0, 0.1)) == pytest.approx(1.9 / 3)
