"""What a time line of TaskOffloading shows: where the last task of each device went."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.task_offloading.state import State
from ntn_gym.envs.task_offloading.task import TaskOffloadingTask


def lanes(task: TaskOffloadingTask, state: State, now: Now) -> dict[str, NDArray[Any]]:
    """Return the target of the last task of each device, [B, U]; 0 is the device itself."""
    return {"target": state.last_target}
