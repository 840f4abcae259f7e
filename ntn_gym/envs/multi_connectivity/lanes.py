"""What a time line of MultiConnectivity shows: the serving set, and how many links it has."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.multi_connectivity.state import State
from ntn_gym.envs.multi_connectivity.task import MultiConnectivityTask


def lanes(task: MultiConnectivityTask, state: State, now: Now) -> dict[str, NDArray[Any]]:
    """Return the set that serves each user when it decides, and its links, [B, U]; -1 without any."""
    linked = state.linked & now["same"]
    current = task.sets.index(linked)
    return {"set": np.where(current > 0, current, -1), "links": linked.sum(axis=-1)}
