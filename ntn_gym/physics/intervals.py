"""Where a smooth function of time is positive: all intervals of many functions at once.

Passes and contacts are such intervals. The function comes with its time derivative, so that between two samples no
crossing is missed as long as there is at most one extremum between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

SlopedFunction: TypeAlias = Callable[[NDArray[Any], NDArray[Any]], tuple[Floats, Floats]]
"""f(row [...], time_s [...]) -> value and time derivative, each broadcast [...]."""

_BLOCK_SAMPLES = 500_000  # some 100 MB of temporary arrays of three components


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals in which functions are positive, sorted by row and start; arrays of one length [M].

    Attributes:
        row: Index of the function.
        start_s: Start in s; that of the window where the interval began before it.
        end_s: End in s; that of the window where the interval goes on after it.
        peak_s: Time of the largest value in s.
        peak: Largest value.
        starts_inside: Whether the function rises through zero at `start_s`.
        ends_inside: Whether it falls through zero at `end_s`.
    """

    row: Integers
    start_s: Floats
    end_s: Floats
    peak_s: Floats
    peak: Floats
    starts_inside: NDArray[np.bool_]
    ends_inside: NDArray[np.bool_]


def sample_times_s(first_s: float, last_s: float, step_s: float) -> Floats:
    """Return equally spaced times in s from first to last, both included, at most `step_s` apart.

    Source: equidistant samples that include both ends (numerical convention).

    Raises:
        ValueError: When the window is empty or the step is not positive.
    """
    if not (math.isfinite(first_s) and math.isfinite(last_s) and first_s < last_s):
        raise ValueError(f"first_s={first_s}, last_s={last_s}: the window must be finite and last_s > first_s (s)")
    if not step_s > 0.0:
        raise ValueError(f"step_s={step_s} must be positive (s)")
    return np.linspace(first_s, last_s, max(2, math.ceil((last_s - first_s) / step_s - 1e-9) + 1))


def positive_intervals(
    function: SlopedFunction,
    n_rows: int,
    first_s: float,
    last_s: float,
    step_s: float,
    tolerance_s: float = 1e-4,
) -> Intervals:
    """Return all intervals in which functions are positive.

    Three steps, each on whole arrays: sample; find the extrema, where the derivative changes its sign, by bisection;
    between neighbouring samples and extrema the function is monotone, so that a change of sign there is exactly one
    crossing, found by bisection.

    Source: bisection, e.g. W. H. Press et al., Numerical Recipes, 3rd ed., section 9.1.

    Args:
        function: The functions with their derivatives; called with rows [B, 1] and times [S], and with rows [K] and
            times [K].
        n_rows: Number of functions.
        first_s: Start of the window in s.
        last_s: End of the window in s.
        step_s: Largest time between samples in s: less than the time between two extrema of a function.
        tolerance_s: Largest error of the bisection in s.

    Returns:
        The intervals.

    Raises:
        ValueError: When the window is empty, or a step is not positive.
    """
    time_s = sample_times_s(first_s, last_s, step_s)
    if not tolerance_s > 0.0:
        raise ValueError(f"tolerance_s={tolerance_s} must be positive (s)")
    halvings = max(0, math.ceil(math.log2((time_s[1] - time_s[0]) / tolerance_s)))
    rows_at_once = max(1, _BLOCK_SAMPLES // len(time_s))
    blocks = [
        _block(function, np.arange(first, min(first + rows_at_once, n_rows)), time_s, halvings)
        for first in range(0, n_rows, rows_at_once)
    ]
    if not blocks:
        empty, none = np.zeros(0), np.zeros(0, np.bool_)
        return Intervals(np.zeros(0, np.int64), empty, empty, empty, empty, none, none)
    return Intervals(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def _bisect(
    function: SlopedFunction, which: int, row: Integers, low_s: Floats, high_s: Floats, halvings: int
) -> Floats:
    """Return where the value (which = 0) or the derivative (1) changes its sign between low and high."""
    sign = function(row, low_s)[which] > 0.0
    for _ in range(halvings):
        middle_s = 0.5 * (low_s + high_s)
        same = (function(row, middle_s)[which] > 0.0) == sign
        low_s, high_s = np.where(same, middle_s, low_s), np.where(same, high_s, middle_s)
    return 0.5 * (low_s + high_s)


def _block(
    function: SlopedFunction, rows: Integers, time_s: Floats, halvings: int
) -> tuple[Integers, Floats, Floats, Floats, Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    n_times = len(time_s)
    value, slope = function(rows[:, None], time_s)
    turns, before = np.nonzero((slope[:, :-1] > 0.0) != (slope[:, 1:] > 0.0))
    turn_s = _bisect(function, 1, rows[turns], time_s[before], time_s[before + 1], halvings)
    # Samples and extrema in one list, ordered by row and time; the function is monotone from each entry to the next.
    place = turns * n_times + before + 1
    at_row = np.insert(np.repeat(rows, n_times), place, rows[turns])
    at_s = np.insert(np.tile(time_s, len(rows)), place, turn_s)
    at_value = np.insert(value.reshape(-1), place, function(rows[turns], turn_s)[0])

    positive = at_value > 0.0
    same_row = at_row[1:] == at_row[:-1]
    crossing = np.flatnonzero((positive[1:] != positive[:-1]) & same_row)
    crossing_s = _bisect(function, 0, at_row[crossing], at_s[crossing], at_s[crossing + 1], halvings)
    rising = positive[crossing + 1]
    # The first positive entry of each interval, and its last one.
    opens = np.flatnonzero(positive & np.r_[True, ~(same_row & positive[:-1])])
    closes = np.flatnonzero(positive & np.r_[~(same_row & positive[1:]), True])
    start_s, end_s = at_s[opens], at_s[closes]
    # An interval that opens at the first entry of its row is already going on when the window begins.
    starts_inside = np.isin(opens, crossing[rising] + 1)
    ends_inside = np.isin(closes, crossing[~rising])
    start_s[starts_inside] = crossing_s[rising]
    end_s[ends_inside] = crossing_s[~rising]

    # Largest entry of each interval: order the positive entries by interval and value, take the last of each.
    entries = np.flatnonzero(positive)
    interval = np.repeat(np.arange(len(opens)), closes - opens + 1)
    order = np.lexsort((at_value[entries], interval))
    peak = entries[order[np.flatnonzero(np.diff(interval, append=len(opens)))]]
    return at_row[opens], start_s, end_s, at_s[peak], at_value[peak], starts_inside, ends_inside
