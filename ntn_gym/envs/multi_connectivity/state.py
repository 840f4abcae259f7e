"""What a MultiConnectivity task remembers from step to step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class State:
    """State of B worlds with U users, P ports and R resources (a node in a band).

    Attributes:
        linked: Links after the last step, [B, U, P].
        refused: Links that the last step refused, [B, U, P].
        turned_away: Whether it refused any of a user, [B, U].
        average: Running average of the service utility, [B, U].
        since: Steps since the links of a user last changed, [B, U].
        count: Users linked to each resource in the last step, [B, R].
        broadcast: The same as last broadcast, with a spare one that is 0, [B, R + 1].
        busy: Resources that served somebody in the last step, [B, R].
        step: Steps since the episode (or the record of it) began, [B].
    """

    linked: NDArray[np.bool_]
    refused: NDArray[np.bool_]
    turned_away: NDArray[np.bool_]
    average: NDArray[np.float64]
    since: NDArray[np.int64]
    count: FloatArray
    broadcast: FloatArray
    busy: NDArray[np.bool_]
    step: NDArray[np.int64]
