"""Work-conserving first-come-first-served queues over one slot, exact to the instant inside it.

- `serve_in_order`: all work is there when the slot begins (a device's processor, its uplinks);
- `serve_arrivals`: work comes at any time of the slot (the servers), Lindley's recursion in its max-plus form
  e_i = W_i + max over j <= i of (a_j - W_(j-1)), with W the running sum of service times.

Source: D. V. Lindley, "The theory of queues with a single server", Proc. Cambridge Phil. Soc. 48, 1952; the max-plus
form e.g. in Baccelli et al., Synchronization and Linearity, 1992, section 1.2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[Any]
IntArray = NDArray[np.intp]


class Line(NamedTuple):
    """Pieces of work as cells of rows, one row per queue.

    Attributes:
        order: Pieces in the order of queues and, within a queue, of service, [n].
        queue: Queue of each piece in this order, [n].
        column: Its place in the queue, [n].
    """

    order: IntArray
    queue: IntArray
    column: IntArray


def line_up(queue: IntArray, key: FloatArray) -> Line:
    """Sort pieces into queues.

    Args:
        queue: Number of the queue of each piece, [n].
        key: Within a queue the smallest comes first; equal ones stay in their order, [n].
    """
    order = np.lexsort((key, queue))
    line = queue[order]
    return Line(order, line, np.arange(len(order)) - line.searchsorted(line))


class Served(NamedTuple):
    """What a slot did to pieces of work.

    Attributes:
        left: What remains, in the unit of the work, [...].
        end_s: When each piece ended, from the beginning of the slot; infinite where it did not; without meaning where
            there is none, [...].
    """

    left: FloatArray
    end_s: FloatArray


def serve_in_order(until: FloatArray, work: FloatArray, rate: FloatArray, dt_s: float) -> Served:
    """Serve pieces of which all are there when the slot begins.

    Args:
        until: Work of the queue up to and with each piece, [n].
        work: What remains of the piece, positive, [n].
        rate: Work that its queue does per second, positive, [n].
        dt_s: Length of the slot.
    """
    over = until - rate * dt_s
    done = over <= 0.0
    return Served(np.where(done, 0.0, np.minimum(over, work)), np.where(done, until / rate, np.inf))


def serve_arrivals(work: FloatArray, arrival_s: FloatArray, rate: FloatArray, dt_s: float) -> Served:
    """Serve the pieces of each row in the order of their arrival.

    Args:
        work: What remains of each piece, 0 where there is none, [rows, N].
        arrival_s: When it arrives, from the beginning of the slot and in rising order along a row; not positive for
            those that wait already, [rows, N].
        rate: Work done per second, positive, [rows].
        dt_s: Length of the slot.
    """
    per_second = rate[:, None]
    service_s = work / per_second
    until = service_s.cumsum(axis=1)
    end = until + np.maximum.accumulate(np.maximum(arrival_s, 0.0) - (until - service_s), axis=1)
    over = end - dt_s
    done = over <= 0.0
    return Served(np.where(done, 0.0, np.minimum(over * per_second, work)), np.where(done, end, np.inf))
