"""Decision epochs: instants at which something exogenous changes, at most so far apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Milliseconds = NDArray[np.int64]


def merge(events_ms: Sequence[NDArray[Any]], horizon_ms: int, longest_ms: int) -> Milliseconds:
    """Return the starts of the epochs of one world, [n], and its end.

    An epoch begins at 0, at every event within the horizon, and whenever the last one began ``longest_ms`` ago. That
    rule is causal: where an epoch begins tells nothing about what comes after it.

    Args:
        events_ms: Instants in ms, any order, repeated ones count once; those outside (0, horizon) are left out.
        horizon_ms: End of the last epoch.
        longest_ms: Longest epoch.

    Returns:
        Increasing instants from 0 to the horizon, [n + 1]; epoch k is [result[k], result[k + 1]].

    Raises:
        ValueError: If the horizon or the longest epoch is not positive.
    """
    if horizon_ms < 1 or longest_ms < 1:
        raise ValueError(f"horizon_ms = {horizon_ms} and longest_ms = {longest_ms} must be 1 ms or more")
    events = np.concatenate([np.asarray(part, dtype=np.int64).reshape(-1) for part in events_ms])
    events = np.unique(events[(events > 0) & (events < horizon_ms)])
    edges = np.concatenate(([0], events, [horizon_ms]))
    gaps = np.diff(edges)
    pieces = -(-gaps // longest_ms)
    first = np.repeat(edges[:-1], pieces)
    number = np.arange(len(first)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    return np.concatenate((first + number * longest_ms, [horizon_ms])).astype(np.int64)


def longest_list(n_events: int, horizon_ms: int, longest_ms: int) -> int:
    """Return how many epochs `merge` makes at most of so many events: each ends at an event or is a longest one."""
    return n_events + 1 + horizon_ms // longest_ms
