"""Fluid queues within one epoch, exact: nothing exogenous changes there, so every flow is constant in pieces.

Times in ms, data in bit, rates in bit/ms. Integrals are in bit ms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def sent_integral(sent: NDArray[Any], start: NDArray[Any], length: NDArray[Any], end: NDArray[Any]) -> Floats:
    """Return the integral over [0, end] of what has been sent, at a constant rate from start to start + length.

    int = sent (end - start - length / 2).
    """
    result: Floats = sent * (end - start - 0.5 * length)
    return result


def split(sent: Integers, waiting: Integers, routine_first: NDArray[np.bool_] | None) -> Integers:
    """Divide what is sent among the classes, in the order of drain.

    Args:
        sent: Bits sent, at most the sum of the waiting ones, [...].
        waiting: Bits that wait in each class, [..., P].
        routine_first: Whether class 1 goes first; None where there is one class.

    Returns:
        Bits sent of each class, [..., P].
    """
    if routine_first is None:
        return sent[..., None]
    urgent_first = np.minimum(sent, waiting[..., 0])
    urgent_last = np.maximum(sent - waiting[..., 1], 0)
    urgent = np.where(routine_first, urgent_last, urgent_first)
    return np.stack((urgent, sent - urgent), axis=-1)


def drain(
    level: NDArray[Any], begin: NDArray[Any], length: NDArray[Any], inflow: NDArray[Any], out: NDArray[Any], end: Any
) -> tuple[Floats, Floats]:
    """Follow the level of a store that fills from begin to begin + length and empties at a rate.

    Three pieces, each with a constant net outflow n: dL/dt = -n while L > 0 or n < 0. A piece of length t ends at
    max(0, L - n t); its integral is L u - n u^2 / 2 with u = min(t, L / n) where the level falls and u = t elsewhere.

    Args:
        level: Level at time 0 in bit, [...].
        begin: When the inflow begins, [...].
        length: How long it lasts, [...].
        inflow: Its rate, [...].
        out: Rate at which the store empties, [...].
        end: End of the epoch, [...].

    Returns:
        Level at the end and the integral of the level over the epoch, [...].
    """
    shape = np.shape(level)
    t, n, first = np.empty((3, *shape)), np.empty((3, *shape)), np.empty((3, *shape))
    t[0], t[1] = begin, length
    t[2] = end
    t[2] -= t[0]
    t[2] -= length
    n[:] = out
    n[1] -= inflow
    used = n * t
    first[0] = level
    np.maximum(first[0] - used[0], 0.0, out=first[1])
    np.maximum(first[1] - used[1], 0.0, out=first[2])
    last = np.maximum(first[2] - used[2], 0.0)
    # Where the level would fall below zero it stays there: n t > L says so, and then the piece counts for L / n.
    short = used > first
    lasting = np.where(short, first / np.where(short, n, 1.0), t)
    pieces = lasting * (first - 0.5 * n * lasting)
    return last, pieces[0] + pieces[1] + pieces[2]
