"""What a time line of ResourceAllocation shows: how many radios are on, and the level of each agent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.resource_allocation.state import State
from ntn_gym.envs.resource_allocation.task import ResourceAllocationTask


def lanes(task: ResourceAllocationTask, state: State, now: Now) -> dict[str, NDArray[Any]]:
    """Return the number of radios that were on in the last step, [B, A] (alike for all); -1 where all slept."""
    active = np.count_nonzero(state.power_w[:, : task.n_radios], axis=1)
    shown = np.where(active > 0, active, -1).astype(np.int64)
    return {"radios on": np.repeat(shown[:, None], task.n_agents, axis=1)}
