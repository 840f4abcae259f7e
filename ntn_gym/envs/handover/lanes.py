"""What a time line of Handover shows: the serving slot, and the pass in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.handover.packing import LINK
from ntn_gym.envs.handover.state import State
from ntn_gym.envs.handover.task import HandoverTask


def lanes(task: HandoverTask, state: State, now: Now) -> dict[str, NDArray[Any]]:
    """Return slot and pass that serve each user when it decides, [B, U]; -1 without one, or if the pass has set."""
    serving = state.serving
    column = now["link"][..., LINK["pass"]]
    pass_id = np.take_along_axis(column, np.maximum(serving, 0)[..., None], axis=-1)[..., 0]
    served = (serving >= 0) & (pass_id >= 0)
    return {
        "slot": np.where(served, serving, -1),
        "pass": np.where(served, pass_id, -1).astype(np.int64),
    }
