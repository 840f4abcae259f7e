"""What a HAPSPlacement task remembers between two steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class State:
    """State of B worlds with M platforms.

    Attributes:
        place_m: Places east and north of the centre, [B, M, 2].
        level: Level, a fraction between two levels, [B, M].
        energy_j: Energy in the battery, [B, M].
        down: Whether the battery ran empty and is not yet recharged, [B, M].
        failed: Whether the radio had failed in the last step, [B, M].
        reached: Whether the platform reached a gateway in the last step, [B, M].
        load: Asked of the platform over its capacity in the last step, [B, M].
        wind_m_s: Wind met in the last step at every level, float32 [B, M, L, 2].
    """

    place_m: NDArray[np.float64]
    level: NDArray[np.float64]
    energy_j: NDArray[np.float64]
    down: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    reached: NDArray[np.bool_]
    load: NDArray[np.float32]
    wind_m_s: NDArray[np.float32]
