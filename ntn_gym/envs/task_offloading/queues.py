"""Work-conserving first-come-first-served queues over one slot, exact to the instant inside it.

Many queues are served at once: pieces of work are lined up as rows (`line_up`), one row per queue that holds anything.

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


class Lines(NamedTuple):
    """Pieces of work as rows, one per queue.

    Attributes:
        order: Pieces in the order of queues and, within a queue, of service, [n].
        row: Row of each piece in this order, [n].
        column: Its place in the row, [n].
        queue: Number of the queue of each row, [rows].
        shape: Rows and longest queue.
    """

    order: IntArray
    row: IntArray
    column: IntArray
    queue: IntArray
    shape: tuple[int, int]

    def spread(self, values: FloatArray, otherwise: float = 0.0) -> FloatArray:
        """Write one value per piece [n] into rows; the rest of a row is filled up."""
        dense = np.full(self.shape, otherwise)
        dense[self.row, self.column] = values[self.order]
        return dense

    def collect(self, rows: FloatArray) -> FloatArray:
        """Read rows back, one value per piece [n], in the original order."""
        values = np.empty(len(self.order))
        values[self.order] = rows[self.row, self.column]
        return values


def line_up(queue: IntArray, key: FloatArray) -> Lines:
    """Sort pieces into queues.

    Args:
        queue: Number of the queue of each piece, [n].
        key: Within a queue the smallest comes first; equal ones stay in their order, [n].
    """
    order = np.lexsort((key, queue))
    sorted_queue = queue[order]
    begins = np.empty(len(order), dtype=np.bool_)
    begins[:1] = True
    np.not_equal(sorted_queue[1:], sorted_queue[:-1], out=begins[1:])
    first = np.flatnonzero(begins)
    row = np.cumsum(begins) - 1
    column = np.arange(len(order)) - first[row]
    longest = int(column.max()) + 1 if len(order) else 0
    return Lines(order, row, column, sorted_queue[first], (len(first), longest))


class Served(NamedTuple):
    """What a slot did to rows of work.

    Attributes:
        left: What remains, in the unit of the work, [rows, N].
        end_s: When each piece ended, from the beginning of the slot; infinite where it did not, [rows, N].
    """

    left: FloatArray
    end_s: FloatArray


def serve_in_order(work: FloatArray, rate: FloatArray, dt_s: float) -> Served:
    """Serve the pieces of each row one after the other.

    Args:
        work: What remains of each piece, 0 where there is none, [rows, N].
        rate: Work done per second, positive, [rows].
        dt_s: Length of the slot.
    """
    until = np.cumsum(work, axis=1)
    done = until <= (rate * dt_s)[:, None]
    left = np.where(done, 0.0, np.minimum(until - (rate * dt_s)[:, None], work))
    return Served(left, np.where(done & (work > 0.0), until / rate[:, None], np.inf))


def serve_arrivals(work: FloatArray, arrival_s: FloatArray, rate: FloatArray, dt_s: float) -> Served:
    """Serve the pieces of each row in the order of their arrival.

    Args:
        work: What remains of each piece, 0 where there is none, [rows, N].
        arrival_s: When it arrives, from the beginning of the slot and in rising order along a row; not positive for
            those that wait already, [rows, N].
        rate: Work done per second, positive, [rows].
        dt_s: Length of the slot.
    """
    service_s = work / rate[:, None]
    until = np.cumsum(service_s, axis=1)
    end = until + np.maximum.accumulate(np.maximum(arrival_s, 0.0) - (until - service_s), axis=1)
    done = end <= dt_s
    left = np.where(done, 0.0, np.minimum((end - dt_s) * rate[:, None], work))
    return Served(left, np.where(done & (work > 0.0), end, np.inf))
