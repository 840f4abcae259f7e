"""Borrowing with channel ordering and directional locking (BDCL)."""

from __future__ import annotations

import numpy as np

from ntn_gym.envs.channel_allocation.heuristics.choice import (
    NOTHING,
    NoParameters,
    Scores,
    channel_numbers,
    specify,
)
from ntn_gym.envs.channel_allocation.observation import View


def bdcl(view: View, parameters: NoParameters) -> Scores:
    """Low channels serve a cell's own calls, high ones are lent; a returned channel is given back at once.

    Arrival: the lowest free channel of the cell's own share; else borrow, from the adjacent cell with the most of its
    own channels free, the highest one that is free here. A borrowed channel disturbs exactly those cells that the reuse
    distance says, which is what locking by direction aims at: so a channel that its owner cannot use at the moment may
    be borrowed, too.

    Departure from an own channel: the call on the lowest borrowed channel moves to it; without a borrowed one that on
    the highest own channel above it, so that own calls stay low. Departure from a borrowed channel: the call on the
    lowest other borrowed channel moves to it. One move per departure: a channel that is given back thereby does not
    start another move in the cell that lent it, as it does in the original scheme.
    """
    number = channel_numbers(view)
    n_channels = len(number)
    own, lent = view.slot("nominal"), view.slot("lender")
    borrow = np.where(lent > 0, lent * (2.0 * n_channels) + (number + 1) / n_channels, NOTHING)
    arrival = np.where(own > 0, 4.0 * n_channels - number, borrow)
    # On a departure the entry is nominal(freed) - nominal(channel).
    freed_own = view.of_cell("freed_nominal")[:, None] > 0
    freed = np.rint(view.of_cell("freed_channel")[:, None] * n_channels) - 1
    borrowed = np.where(freed_own, own > 0, own == 0)
    lowest = 2.0 * n_channels - number
    highest = np.where(freed_own & (own == 0) & (number > freed), number + 1.0, 0.0)
    return Scores(arrival, np.where(borrowed, lowest, highest))


SPECS = specify(
    "bdcl",
    bdcl,
    NoParameters,
    {},
    "single",
    "borrowing with channel ordering and directional locking, one move per departure",
    "M. Zhang, T.-S. P. Yum, IEEE Transactions on Vehicular Technology 38(4), 1989, as in Singh and Bertsekas 1996",
)
