"""Fluid queues within an epoch, against small steps of time and hand calculations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.envs.data_relay.flow import drain, sent_integral, split


def test_drain_by_hand() -> None:
    """100 bit, out 2 per ms: empty at 50; then 10 to 40 ms at 1 in 2 out keeps it falling at 1."""
    last, integral = drain(
        np.array([100.0]), np.array([60.0]), np.array([20.0]), np.array([2.0]), np.array([2.0]), 100.0
    )
    assert last[0] == 0 and integral[0] == pytest.approx(100 * 50 / 2)
    last, integral = drain(np.array([0.0]), np.array([10.0]), np.array([20.0]), np.array([3.0]), np.array([0.0]), 50.0)
    # Rises from 10 to 30 ms to 60 bit and stays.
    assert last[0] == 60 and integral[0] == pytest.approx(60 * 20 / 2 + 60 * 20)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 500), st.floats(0, 50), st.floats(0, 50), st.floats(0, 9), st.floats(0, 9), st.floats(0, 40))
def test_drain_against_small_steps(
    level: float, begin: float, length: float, inflow: float, out: float, rest: float
) -> None:
    end = begin + length + rest
    last, integral = drain(
        np.array([level]), np.array([begin]), np.array([length]), np.array([inflow]), np.array([out]), end
    )
    n = 20_000
    dt = end / n
    now, total = level, 0.0
    for k in range(n):
        t = (k + 0.5) * dt
        rate = (inflow if begin <= t < begin + length else 0.0) - out
        later = max(now + rate * dt, 0.0)
        total += 0.5 * (now + later) * dt
        now = later
    assert last[0] == pytest.approx(now, abs=0.1)
    assert integral[0] == pytest.approx(total, abs=0.02 * max(end, 1.0) + 1e-3 * total)


def test_sent_integral_by_hand() -> None:
    """30 bit between 10 and 20 ms of an epoch of 50 ms: a triangle and a rectangle."""
    assert sent_integral(np.array(30.0), np.array(10.0), np.array(10.0), np.array(50.0)) == 30 * 10 / 2 + 30 * 30


def test_split_by_order_of_drain() -> None:
    waiting = np.array([[5, 7], [5, 7], [5, 7]])
    sent = np.array([6, 6, 9])
    parts = split(sent, waiting, np.array([False, True, True]))
    assert parts.tolist() == [[5, 1], [0, 6], [2, 7]]
    assert split(sent, waiting[:, :1], None).tolist() == [[6], [6], [9]]
