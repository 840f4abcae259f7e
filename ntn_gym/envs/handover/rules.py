"""The rules of handover, for one user and one step, and their tabulation.

`transition` is the whole protocol in plain Python: read it as the specification. Because a user's protocol status,
the state of two links and "stay or go" are small finite sets, the rules are evaluated once for every combination; a
step of thousands of users is then one table look-up.

Status of a user, with N = T310 in steps and M = re-establishment in steps:
    0 .. N-1       connected, that many out-of-sync steps counted
    N              idle: may connect
    N+1 .. N+M     re-establishing, status - N steps left

Source: the timers are those of 3GPP TS 38.331 (N310 = 1, T310, T311), evaluated once per step; see the documentation
of the environment for what is simplified.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Sync(IntEnum):
    """State of one link during one step."""

    EMPTY = 0
    OUT = 1  # SINR below Qout: nothing is carried
    BETWEEN = 2  # carries data, does not reset the out-of-sync counter
    IN = 3  # SINR at or above Qin


class Carrier(IntEnum):
    """Which link carries data in this step."""

    NONE = 0
    SERVING = 1
    TARGET = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """The three numbers on which the automaton depends."""

    t310_steps: int
    reestablishment_steps: int
    needs_serving_link: bool

    @property
    def idle(self) -> int:
        """Status of an idle user."""
        return self.t310_steps

    @property
    def failed(self) -> int:
        """Status right after a failure."""
        return self.t310_steps + self.reestablishment_steps

    @property
    def n_status(self) -> int:
        """Number of statuses."""
        return self.t310_steps + self.reestablishment_steps + 1


@dataclass(frozen=True, slots=True)
class Transition:
    """What one step does to one user."""

    status: int
    carrier: Carrier
    keeps_serving: bool = False
    takes_target: bool = False
    handover: bool = False
    connection: bool = False
    link_failure: bool = False
    failed_handover: bool = False
    lost_command: bool = False
    illegal: bool = False


def transition(rules: Rules, status: int, same: bool, serving: Sync, target: Sync) -> Transition:
    """Apply one decision to one user.

    Args:
        rules: Timer lengths and whether leaving needs a living link.
        status: Protocol status of the user, see the module's docstring.
        same: The chosen slot is the serving one.
        serving: State of the serving link in this step (ignored without one).
        target: State of the chosen slot's link in this step.

    Returns:
        The new status, which link carried data, and what happened.
    """
    illegal = target == Sync.EMPTY and not same
    if status > rules.idle:  # re-establishing: the choice has no effect
        return Transition(status - 1, Carrier.NONE, illegal=illegal)
    if status == rules.idle:
        if target in (Sync.BETWEEN, Sync.IN):
            return Transition(0, Carrier.TARGET, takes_target=True, connection=True)
        return Transition(rules.idle, Carrier.NONE, illegal=illegal)

    wants_to_leave = not same and target != Sync.EMPTY
    hears_command = serving in (Sync.BETWEEN, Sync.IN) or not rules.needs_serving_link
    if wants_to_leave and hears_command:
        if target == Sync.OUT:
            return Transition(rules.failed, Carrier.NONE, failed_handover=True)
        return Transition(0, Carrier.TARGET, takes_target=True, handover=True)

    # Staying: because it was chosen, because the choice was illegal, or because the command was lost.
    counted = {Sync.EMPTY: rules.t310_steps, Sync.OUT: status + 1, Sync.BETWEEN: status, Sync.IN: 0}[serving]
    if counted >= rules.t310_steps:
        return Transition(rules.failed, Carrier.NONE, link_failure=True, lost_command=wants_to_leave, illegal=illegal)
    carrier = Carrier.NONE if serving == Sync.OUT else Carrier.SERVING
    return Transition(counted, carrier, keeps_serving=True, lost_command=wants_to_leave, illegal=illegal)


EVENTS = ("handover", "connection", "link_failure", "failed_handover", "lost_command", "illegal")
TABLE_COLUMNS = ("status", "carrier", "keeps_serving", "takes_target", *EVENTS)
COLUMN = {name: index for index, name in enumerate(TABLE_COLUMNS)}
FIRST_EVENT = COLUMN[EVENTS[0]]


def table_index(status: Any, same: Any, serving: Any, target: Any) -> Any:
    """Row of the table for a combination; integers or integer arrays of one shape."""
    return ((status * 2 + same) * 4 + serving) * 4 + target


def tabulate(rules: Rules) -> NDArray[np.float64]:
    """Evaluate `transition` for every combination: [rows in the order of `table_index`, TABLE_COLUMNS]."""
    outcomes = [
        transition(rules, status, same, serving, target)
        for status in range(rules.n_status)
        for same in (False, True)
        for serving in Sync
        for target in Sync
    ]
    return np.array([[getattr(outcome, name) for name in TABLE_COLUMNS] for outcome in outcomes], dtype=np.float64)
