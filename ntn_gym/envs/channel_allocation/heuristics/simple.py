"""Rules that look at one thing: the plan, the order of channels, or how often a channel is used already."""

from __future__ import annotations

import numpy as np

from ntn_gym.envs.channel_allocation.heuristics.choice import (
    NOTHING,
    Floats,
    NoParameters,
    Scores,
    arbitrary,
    channel_numbers,
    specify,
)
from ntn_gym.envs.channel_allocation.observation import View

# Reuse counts are shares of 18 cells, so that a difference of one cell outweighs all that comes after it.
_FIRST = 1e3
_NOMINAL = 1e6


def fixed(view: View, parameters: NoParameters) -> Scores:
    """Take the cell's lowest free channel by plan, else refuse."""
    return Scores(np.where(view.slot("nominal") > 0, -channel_numbers(view), NOTHING))


def random_channel(view: View, parameters: NoParameters) -> Scores:
    """Take any free channel."""
    return Scores(arbitrary(view))


def first_free(view: View, parameters: NoParameters) -> Scores:
    """Take the free channel with the lowest number."""
    return Scores(np.broadcast_to(-channel_numbers(view), view.slot("valid").shape))


def reuse_score(view: View) -> Floats:
    """Cells at the reuse distance that use a channel, ties by those one step further out."""
    return np.asarray(view.slot("reuse") * _FIRST + view.slot("reuse_far"), dtype=np.float64)


def most_reused(view: View, parameters: NoParameters) -> Scores:
    """Take the free channel that most cells at the reuse distance use."""
    return Scores(reuse_score(view))


def nominal_first(view: View, parameters: NoParameters) -> Scores:
    """Take a free channel of the cell's own, else the most reused one."""
    return Scores(reuse_score(view) + _NOMINAL * (view.slot("nominal") > 0))


def maxavail(view: View, parameters: NoParameters) -> Scores:
    """Take the channel that leaves the most channels free in the cells around."""
    return Scores(view.slot("available"))


def maxavail_r(view: View, parameters: NoParameters) -> Scores:
    """The same, and move the call whose channel sets the most others free."""
    return Scores(view.slot("available"), _clearly(view.slot("available")))


def _clearly(gain: Floats) -> Floats:
    """Gains; those that are rounding errors are none."""
    return np.where(gain > 1e-6, gain, 0.0)


SPECS = {
    **specify(
        "fixed",
        fixed,
        NoParameters,
        {},
        "single",
        "fixed assignment: the lowest free channel of the cell's own share, else refuse",
        "V. H. Mac Donald, Bell System Technical Journal 58(1), 1979",
    ),
    **specify(
        "random-channel",
        random_channel,
        NoParameters,
        {},
        "single",
        "any free channel; refuses only where none is free",
        "D. Cox, D. Reudink, IEEE Transactions on Communications 20(2), 1972",
    ),
    **specify(
        "first-free",
        first_free,
        NoParameters,
        {},
        "single",
        "the free channel with the lowest number",
        "D. Cox, D. Reudink, IEEE Transactions on Communications 20(2), 1972 (first available)",
    ),
    **specify(
        "most-reused",
        most_reused,
        NoParameters,
        {},
        "single",
        "the free channel that most cells at the reuse distance use, ties by those one step further out",
        "D. Cox, D. Reudink, IEEE Transactions on Communications 20(2), 1972 (ring strategies)",
    ),
    **specify(
        "nominal-first",
        nominal_first,
        NoParameters,
        {},
        "single",
        "a free channel of the cell's own share, else the most reused one",
        "S. Tekinay, B. Jabbari, IEEE Communications Magazine 29(11), 1991 (hybrid assignment)",
    ),
    **specify(
        "maxavail",
        maxavail,
        NoParameters,
        {},
        "single",
        "the channel that leaves the most (cell, channel) pairs available; no moves",
        "K. Sivarajan, R. McEliece, J. Ketchum, IEEE Vehicular Technology Conference 1990",
    ),
    **specify(
        "maxavail-r",
        maxavail_r,
        NoParameters,
        {},
        "single",
        "MAXAVAIL, and on a departure the move that makes the most pairs available",
        "K. Sivarajan, R. McEliece, J. Ketchum, IEEE Vehicular Technology Conference 1990, with one move per departure",
    ),
}
