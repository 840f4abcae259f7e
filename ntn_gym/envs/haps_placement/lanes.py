"""What a time line of HAPSPlacement shows: where each platform is, and how full its battery is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.haps_placement.state import State
from ntn_gym.envs.haps_placement.task import HAPSPlacementTask


def lanes(task: HAPSPlacementTask, state: State, now: Now) -> dict[str, NDArray[Any]]:
    """Return the town that is nearest to each platform when it decides, and its charge in tenths, [B, M].

    The town is -1 where the platform does not serve (battery empty or radio failed).
    """
    towns = now["centre"][:, None, : task.scenario.demand.towns]
    gap = towns - state.place_m[:, :, None]
    nearest = (gap * gap).sum(axis=-1).argmin(axis=-1)
    tenths = np.minimum(state.energy_j * (10.0 / task.scenario.fleet.vehicle.battery_j), 9.999).astype(np.int64)
    return {"town": np.where(state.down | state.failed, -1, nearest).astype(np.int64), "charge": tenths}
