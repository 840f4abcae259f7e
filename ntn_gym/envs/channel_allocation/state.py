"""What a ChannelAllocation task remembers between two events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.channel_allocation.plan import Plan


@dataclass(frozen=True)
class State:
    """State of B worlds.

    Attributes:
        used: The set of cells that use each channel, [B, C].
        free: Channels that each cell may take, [B, N + 1]; the last entry is a pad.
        own_free: The same among the cell's nominal channels, [B, N + 1].
        channel: Channel of each offered call by its rank in its cell, -1 for a lost call or no call, [B, N, R].
        carried: Calls that go on, [B].
        moving: Whether a carried call has just left its cell and arrives next, [B].
    """

    used: NDArray[np.uint64]
    free: NDArray[np.int16]
    own_free: NDArray[np.int16]
    channel: NDArray[np.int8]
    carried: NDArray[np.int64]
    moving: NDArray[np.bool_]


def fixed_assignment(plan: Plan, offered: NDArray[np.integer], places: int) -> State:
    """Return the state in which each cell carries as many of its offered calls as it has nominal channels.

    Args:
        plan: Cells and channels.
        offered: Offered calls per cell, [B, N].
        places: Places for the calls of a cell, R.
    """
    n_worlds, n_cells = offered.shape
    own = plan.own_channels  # [N, most], -1 padded
    rank = np.arange(own.shape[1])
    taken = (rank < offered[..., None]) & (own >= 0)
    channel = np.full((n_worlds, n_cells, places), -1, dtype=np.int8)
    channel[:, :, : own.shape[1]] = np.where(taken, own, -1)[..., :places]
    uses = np.zeros((n_worlds, n_cells, plan.n_channels + 1), dtype=bool)
    np.put_along_axis(uses, np.where(taken, own, plan.n_channels), True, axis=2)
    bits = np.where(uses[..., :-1], plan.topology.own_bit[:, None], np.uint64(0))
    used = np.bitwise_or.reduce(bits, axis=1)
    return State(
        used=used,
        free=plan.count_free(used),
        own_free=plan.count_free(used, own=True),
        channel=channel,
        carried=taken.sum(axis=(1, 2)).astype(np.int64),
        moving=np.zeros(n_worlds, dtype=bool),
    )
