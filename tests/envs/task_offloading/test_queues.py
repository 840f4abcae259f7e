"""Queues against a plain event simulation and against queueing theory."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.task import Now
from ntn_gym.envs.task_offloading.queues import line_up, serve_arrivals, serve_in_order
from ntn_gym.envs.task_offloading.state import N_ROWS, Row
from ntn_gym.envs.task_offloading.task import TaskOffloadingTask
from ntn_gym.physics.queueing import md1_waiting_time_s, mm1_waiting_time_s

from .synthetic import always, kpi, play, quiet_world, small_task


def one_after_the_other(work: np.ndarray, arrival: np.ndarray, rate: float, dt: float) -> tuple[list, list]:
    """Serve one queue piece by piece, as one would by hand."""
    clock, left, end = 0.0, [], []
    for amount, comes in zip(work, arrival, strict=True):
        begins = max(clock, comes)
        clock = max(clock, begins + amount / rate)
        left.append(min(amount, max(0.0, (begins + amount / rate - dt) * rate)))
        end.append(begins + amount / rate if begins + amount / rate <= dt else math.inf)
    return left, end


@pytest.mark.parametrize("trial", range(5))
def test_arrivals_are_served_as_by_hand(trial: int) -> None:
    rng = np.random.default_rng(trial)
    rows, n = 40, 7
    arrival = np.sort(rng.uniform(-1.0, 0.5, (rows, n)), axis=1)
    work, rate = rng.exponential(2.0, (rows, n)), rng.uniform(5.0, 40.0, rows)
    served = serve_arrivals(work, arrival, rate, 0.5)
    for row in range(rows):
        left, end = one_after_the_other(work[row], arrival[row], rate[row], 0.5)
        np.testing.assert_allclose(served.left[row], left, atol=1e-9)
        np.testing.assert_allclose(served.end_s[row], end, atol=1e-12)


def test_what_is_there_is_served_in_order() -> None:
    rng = np.random.default_rng(1)
    work, rate = rng.exponential(2.0, (50, 6)), rng.uniform(5.0, 40.0, 50)
    served = serve_in_order(work.cumsum(axis=1), work, rate[:, None], 0.5)
    for row in range(50):
        left, end = one_after_the_other(work[row], np.zeros(6), rate[row], 0.5)
        np.testing.assert_allclose(served.left[row], left, atol=1e-9)
        np.testing.assert_allclose(served.end_s[row], end, atol=1e-12)


def test_pieces_line_up_by_queue_and_key() -> None:
    line = line_up(np.array([2, 0, 2, 2, 0]), np.array([5.0, 1.0, 3.0, 5.0, 0.5]))
    assert line.order.tolist() == [4, 1, 2, 0, 3]
    assert line.queue.tolist() == [0, 0, 2, 2, 2]
    assert line.column.tolist() == [0, 1, 0, 1, 2]


N_WORLDS, STEP_S, N_STEPS, WARM_UP_S = 60, 5.0, 220, 100.0
"""1,000 s of arrivals in 60 worlds, in slots of 5 s: that they are much longer than a service must not matter."""


def server_under_poisson_load(rate_s: float, exponential: bool) -> tuple[np.ndarray, np.ndarray]:
    """Tasks reach a server (1 GHz, 1 s on average) at any time: mean wait [W] and mean age of information [W]."""
    task = small_task(
        ("haps",),
        steps=N_STEPS,
        dt_s=STEP_S,
        tasks={"rate_per_s": 0.01},
        haps={"uplink": {"gt_db_k": 0}, "server": {"cpu_hz": 1e9, "background_low": 0, "background_high": 0}},
    )
    raw = quiet_world(task, N_WORLDS)
    arrays = task.compile(None, raw)[1]
    rng = np.random.default_rng(int(1000 * rate_s) + exponential)
    n = int(1000 * rate_s)
    arrival = np.cumsum(rng.exponential(1.0 / rate_s, (N_WORLDS, n)), axis=1)
    service = rng.exponential(1.0, (N_WORLDS, n)) if exponential else np.ones((N_WORLDS, n))
    state = task.initial(Now(arrays, np.arange(N_WORLDS), np.zeros(N_WORLDS, dtype=np.intp)))
    # The table moves by one place per step, so what stands so far back is still there at the end.
    tasks = np.zeros((N_WORLDS, 1, N_STEPS + n, N_ROWS))
    waiting = tasks[:, 0, N_STEPS:]
    waiting[..., Row.DUE_S] = 1e9
    waiting[..., Row.BORN_S] = waiting[..., Row.ARRIVAL_S] = arrival
    waiting[..., Row.TARGET] = 1
    waiting[..., Row.WORK] = 1e9 * service
    waiting[..., Row.REMOTE_END_S] = np.inf
    state = type(state)(**{**vars(state), "tasks": tasks})
    ages = []
    for step in range(N_STEPS):
        now = Now(arrays, np.arange(N_WORLDS), np.full(N_WORLDS, step))
        state, _ = task.step(state, np.zeros((N_WORLDS, 1), dtype=int), now)
        if WARM_UP_S < (step + 1) * STEP_S < 0.9 * 1000.0:
            ages.append((step + 1) * STEP_S - state.newest_s[:, 0])
    end = state.tasks[:, 0, :n, Row.REMOTE_END_S]
    assert np.isfinite(end).mean() > 0.98
    counted = np.isfinite(end) & (arrival > WARM_UP_S)
    wait = np.where(counted, np.where(counted, end, 0.0) - arrival - service, 0.0)
    return wait.sum(axis=1) / counted.sum(axis=1), np.mean(ages, axis=0)


def assert_mean(values: np.ndarray, expected: float) -> None:
    """The expected value lies within the 95 % interval of the mean over worlds, which must be narrow."""
    half = 1.96 * values.std(ddof=1) / math.sqrt(len(values))
    assert half < 0.12 * expected
    assert abs(values.mean() - expected) < half, (values.mean(), expected, half)


@pytest.mark.parametrize("load", [0.3, 0.6])
def test_a_server_is_m_m_1(load: float) -> None:
    wait, age = server_under_poisson_load(load, exponential=True)
    assert_mean(wait, load / (1.0 - load))
    assert load / (1.0 - load) == pytest.approx(float(mm1_waiting_time_s(load, 1.0)))
    # S. Kaul, R. Yates and M. Gruteser, "Real-time status: how often should one update?", INFOCOM 2012, eq. (17).
    assert_mean(age, 1.0 + 1.0 / load + load**2 / (1.0 - load))


@pytest.mark.parametrize("load", [0.3, 0.6])
def test_a_server_is_m_d_1(load: float) -> None:
    wait, _ = server_under_poisson_load(load, exponential=False)
    assert_mean(wait, load / (2.0 * (1.0 - load)))
    assert load / (2.0 * (1.0 - load)) == pytest.approx(float(md1_waiting_time_s(load, 1.0)))


def processor_under_load(dt_s: float, n_worlds: int, exponential: bool) -> np.ndarray:
    """Mean delay of tasks of 0.5 s that arrive once a second and stay on the device, [W]."""
    cycles = {"cycles_distribution": "exponential", "cycles_min": 1.0, "cycles_max": 1e9}
    if not exponential:
        cycles = {"cycles_min": 0.5e9, "cycles_max": 0.5e9}
    task = small_task(
        ("haps",),
        steps=round(80 / dt_s),
        dt_s=dt_s,
        devices={"count": 10},
        tasks={"rate_per_s": 1.0, "burst_factor": 1.0, "deadline_min_s": 8.0, "deadline_max_s": 8.0, **cycles},
    )
    raw = drawn(task, n_worlds)
    _, outcomes = play(task, raw, always(0))
    dropped = kpi(task, outcomes, "dropped").sum() / kpi(task, outcomes, "tasks").sum()
    assert dropped < 1e-3
    # The queues begin empty: what ends in the first 15 s does not count.
    settled = outcomes[round(15 / dt_s) :]
    delay, completed = (kpi(task, settled, name).sum(axis=(0, 2)) for name in ("delay_s", "completed"))
    return delay / completed


def drawn(task: TaskOffloadingTask, n_worlds: int) -> dict[str, np.ndarray]:
    """Tasks of the environment's own world, nothing else of it."""
    world = task.make_world()
    raw = world.advance(world.begin([WorldKey(seed) for seed in range(n_worlds)]), task.episode_steps + 1)[1]
    return quiet_world(task, n_worlds) | {name: raw[name] for name in ("task_bit", "task_cycles", "task_deadline_s")}


def delay_geo_m_1(dt_s: float) -> float:
    """GI/M/1 with a geometric time between arrivals, mean 1 s; service 0.5 s: 1 / (mu (1 - sigma)), Kleinrock 6.3."""
    p, mu = dt_s, 2.0

    def excess(sigma: float) -> float:
        z = math.exp(-mu * dt_s * (1.0 - sigma))
        return p * z / (1.0 - (1.0 - p) * z) - sigma

    return 1.0 / (mu * (1.0 - brentq(excess, 0.0, 0.9)))


def test_a_processor_is_geo_m_1() -> None:
    """At most one task per slot makes time between arrivals geometric; with small slots that is M/M/1."""
    assert delay_geo_m_1(1e-4) == pytest.approx(1.0, rel=1e-3)  # M/M/1: 1 / (2 - 1)
    assert_mean(processor_under_load(0.25, 40, exponential=True), delay_geo_m_1(0.25))


def test_a_processor_is_geo_d_1() -> None:
    """Wait p d (d - 1) / (2 (1 - p d)) slots with service of d slots; with small slots that is M/D/1, 0.25 s."""

    def wait_s(dt_s: float) -> float:
        p, d = dt_s, 0.5 / dt_s
        return dt_s * p * d * (d - 1.0) / (2.0 * (1.0 - p * d))

    assert wait_s(1e-4) == pytest.approx(float(md1_waiting_time_s(1.0, 0.5)), rel=1e-3)
    assert_mean(processor_under_load(0.25, 40, exponential=False), 0.5 + wait_s(0.25))


@pytest.mark.slow
@pytest.mark.parametrize("exponential", [True, False])
def test_a_processor_in_small_slots_is_that_of_the_theory(exponential: bool) -> None:
    dt_s = 0.05
    delay = processor_under_load(dt_s, 12, exponential)
    theory = 0.5 + float(mm1_waiting_time_s(1.0, 2.0) if exponential else md1_waiting_time_s(1.0, 0.5))
    # The time between arrivals varies less than an exponential one by the factor 1 - p: so does the wait, nearly.
    assert abs(delay.mean() - theory) < 1.96 * delay.std() / math.sqrt(12) + dt_s * theory
