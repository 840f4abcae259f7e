"""What a time line of DataRelay shows: the receiver that the terminal points to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.data_relay.state import State
from ntn_gym.envs.data_relay.task import DataRelayTask


def lanes(task: DataRelayTask, state: State, now: Now) -> dict[str, NDArray[Any]]:
    """Return the receiver of each satellite when it decides, [B, S]; -1 without one, or if it has set."""
    in_view = (now["receiver"] == state.pointed[..., None]).any(axis=-1) & (state.pointed >= 0)
    return {"receiver": np.where(in_view, state.pointed, -1)}
