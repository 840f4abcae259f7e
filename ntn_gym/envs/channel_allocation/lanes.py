"""What a time line of ChannelAllocation shows: the cell of the event and what is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.channel_allocation.rules import situation
from ntn_gym.envs.channel_allocation.state import State
from ntn_gym.envs.channel_allocation.task import ChannelAllocationTask


def lanes(task: ChannelAllocationTask, state: State, now: Now) -> dict[str, NDArray[Any]]:
    """Return the cell and the kind of each event with something to decide, [B, 1]; -1 where there is nothing."""
    s = situation(task.plan, state, now["event"])
    return {
        "cell": np.where(s.live, s.cell, -1).astype(np.int64)[:, None],
        "event": np.where(s.live, s.kind, -1).astype(np.int64)[:, None],
    }
