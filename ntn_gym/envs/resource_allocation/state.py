"""What a ResourceAllocation task remembers between two steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class State:
    """State of B worlds with U users and A agents.

    Attributes:
        departed_mbit: Bits of each user that are gone, served or dropped, since the start, [B, U]. The queue is what
            has arrived less this; what must be served now or never is what has expired less this.
        rate_mbit: Running average of what each user got in a step, for the classical schedulers, [B, U].
        power_w: Power of each agent in the last step, [B, A].
        energy_j: Energy in the battery, [B] (0 without one).
        dead: Whether the payload is off because the battery was low, [B].
    """

    departed_mbit: NDArray[np.float64]
    rate_mbit: NDArray[np.float64]
    power_w: NDArray[np.float32]
    energy_j: NDArray[np.float64]
    dead: NDArray[np.bool_]
