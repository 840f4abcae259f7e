"""Telephone calls in cells, as a list of events: they begin, move from cell to cell, and end.

Whether a call is carried is not known here: these are the *offered* calls, and the list is the same whatever is done
with them. Arrivals are Poisson in each cell, and the time a call stays in a cell is exponential, so that the number of
calls in each cell is a Markov chain. Its next event is drawn by inverting the integrated rate: one exponential number
per event, however the rates change in between (they are constant within an interval). All calls of a cell are alike,
hence one of them is named by its rank 0, 1, ... in the cell; when one leaves, the last takes its rank.

Source: L. Kleinrock, Queueing Systems, volume 1, Wiley 1975, section 2.4 (birth-death processes); D. Gillespie, Journal
of Physical Chemistry 81(25), 1977 (which event is next, and when).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import accumulate
from typing import NamedTuple

DRAWS_PER_EVENT = 4
"""Uniform numbers that an event takes."""


class Kind(IntEnum):
    """What happens in a cell."""

    NEW = 0
    """A call begins."""
    HANDOVER = 1
    """The call that left its cell in the event before arrives from there."""
    ENTRY = 2
    """An ongoing call arrives from outside the covered area."""
    END = 3
    """A call ends, or leaves the covered area."""
    LEAVE = 4
    """A call leaves for a neighbouring cell; its arrival is the next event, at the same time."""


class Rates(NamedTuple):
    """Rates within one interval, in 1/s.

    Attributes:
        arrivals: Of new calls in each cell.
        entries: Of calls from outside in each cell; empty for none.
        crossings: Of each ongoing call, into each of the six directions; empty for none.
    """

    arrivals: Sequence[float]
    entries: Sequence[float] = ()
    crossings: Sequence[float] = ()


Event = tuple[float, int, int, int, int]
"""One event: time since the start in s, interval, `Kind`, cell, and the rank of the call in its cell."""

# Plain numbers: a loop over thousands of events feels the cost of an enumeration.
_NEW, _HANDOVER, _ENTRY, _END, _LEAVE = (int(kind) for kind in Kind)


@dataclass
class CellCalls:
    """One world between two events.

    Attributes:
        offered: Calls in each cell.
        where: The cell of each call, in no order.
        time_s: Time of the last event.
        interval: Interval of the last event.
        target: Cell that a call on its way arrives in next; -1 if there is none.
    """

    offered: list[int]
    where: list[int] = field(default_factory=list)
    time_s: float = 0.0
    interval: int = 0
    target: int = -1

    def __post_init__(self) -> None:
        """List the calls of each cell, if that was not done."""
        if not self.where:
            self.where = [cell for cell, count in enumerate(self.offered) for _ in range(count)]

    def copy(self) -> CellCalls:
        """Return a copy that can go on by itself."""
        return CellCalls(list(self.offered), list(self.where), self.time_s, self.interval, self.target)


@dataclass(frozen=True)
class Movement:
    """How long calls stay in a cell and where they go.

    Attributes:
        stay_s: Mean time after which a call ends or hands over by its user's own movement.
        handover_share: Probability that it then moves to a neighbouring cell, each with equal probability.
        adjacent: Neighbour of each cell in each of the six directions, -1 beyond the edge.
        interval_s: Time for which rates are constant.
    """

    stay_s: float
    handover_share: float
    adjacent: Sequence[Sequence[int]]
    interval_s: float


def draw_events(
    calls: CellCalls,
    uniforms: Sequence[Sequence[float]],
    movement: Movement,
    rates_of: Callable[[int], Rates],
) -> list[Event]:
    """Draw the next events and move the world on (``calls`` changes).

    Args:
        calls: The world; see `CellCalls`.
        uniforms: Four uniform numbers in [0, 1) for each event. An arrival from the cell next door uses none, but
            still takes its four, so that the events do not depend on how many are drawn at once.
        movement: How calls move.
        rates_of: Rates within an interval, by its number.

    Returns:
        One event per row of ``uniforms``.
    """
    offered, where = calls.offered, calls.where
    time_s, interval, target = calls.time_s, calls.interval, calls.target
    leave_rate, share = 1.0 / movement.stay_s, movement.handover_share
    neighbours = [[j for j in row if j >= 0] for row in movement.adjacent] if share else []
    events: list[Event] = []
    arrivals, entries, crossings = _cumulated(rates_of(interval))
    end_s = (interval + 1) * movement.interval_s
    for wait, which, how, who in uniforms:
        if target >= 0:
            events.append((time_s, interval, _HANDOVER, target, offered[target]))
            offered[target] += 1
            where.append(target)
            target = -1
            continue
        need = -math.log1p(-wait)
        while True:
            from_inside = arrivals[-1] + entries[-1]
            call_rate = leave_rate + crossings[-1]
            rate = from_inside + call_rate * len(where)
            if rate * (end_s - time_s) > need:
                time_s += need / rate
                break
            need -= rate * (end_s - time_s)
            time_s, interval = end_s, interval + 1
            end_s = (interval + 1) * movement.interval_s
            arrivals, entries, crossings = _cumulated(rates_of(interval))
        x = which * rate
        if x < from_inside or not where:
            if x < arrivals[-1] or entries[-1] == 0.0:
                kind, table = _NEW, arrivals
            else:
                kind, table, x = _ENTRY, entries, x - arrivals[-1]
            cell = min(bisect_right(table, x), len(table) - 1)
            events.append((time_s, interval, kind, cell, offered[cell]))
            offered[cell] += 1
            where.append(cell)
            continue
        token = min(int((x - from_inside) / call_rate), len(where) - 1)
        cell = where[token]
        where[token] = where[-1]
        where.pop()
        rank = int(who * offered[cell])
        offered[cell] -= 1
        x = how * call_rate
        if x < leave_rate:
            x /= leave_rate
            if x < share and neighbours[cell]:
                target = neighbours[cell][min(int(x / share * len(neighbours[cell])), len(neighbours[cell]) - 1)]
        else:
            direction = min(bisect_right(crossings, x - leave_rate), len(crossings) - 1)
            target = movement.adjacent[cell][direction]
        events.append((time_s, interval, _LEAVE if target >= 0 else _END, cell, rank))
    calls.time_s, calls.interval, calls.target = time_s, interval, target
    return events


def _cumulated(rates: Rates) -> tuple[list[float], list[float], list[float]]:
    return (
        list(accumulate(rates.arrivals)),
        list(accumulate(rates.entries)) or [0.0],
        list(accumulate(rates.crossings)) or [0.0],
    )
