"""The tasks that are on their way, as one array per world."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[Any]


class Row(IntEnum):
    """Numbers of a task in `State.tasks`. Times are absolute, from the beginning of the episode."""

    ALIVE = 0  # 1 while neither completed nor dropped
    BORN_S = 1  # when it arrived
    DUE_S = 2  # when it expires
    CYCLES = 3  # left to compute on the device
    BITS = 4  # left to transmit
    WORK = 5  # left at the server: cycles, or bits of the cloud's feeder
    NODE = 6  # node of the uplink, -1: none
    RESOURCE = 7  # server (or feeder) that it goes to, -1: none
    ARRIVAL_S = 8  # when it reaches that server; infinite while it is being transmitted
    LOCAL_END_S = 9  # when the local part is done; infinite before
    REMOTE_END_S = 10  # when the result of the remote part is back; infinite before
    AFTER_S = 11  # what follows the server: computing in the cloud and the way back


N_ROWS = len(Row)


@dataclass(frozen=True)
class State:
    """State of B worlds with U devices.

    A task that arrives with slot n stands at place n mod Q of its device; Q slots later it has ended.

    Attributes:
        tasks: Numbers of each task as in `Row`, float64 [B, U, Q, N_ROWS].
        last_target: Target of the last task of each device, [B, U].
        newest_s: When the newest task with a result arrived (at first: the beginning of the episode), [B, U].
        backlog: Work that waited at each server at the end of the last slot, [B, R].
        sharing: Devices that transmitted to each node in the last slot, [B, A].
    """

    tasks: FloatArray
    last_target: NDArray[np.int64]
    newest_s: FloatArray
    backlog: FloatArray
    sharing: FloatArray


def nothing(time_s: FloatArray, n_devices: int, n_kept: int, n_resources: int, n_nodes: int) -> State:
    """No task is on its way at the beginning of a slot, [B]."""
    n_worlds = len(time_s)
    tasks = np.zeros((n_worlds, n_devices, n_kept, N_ROWS))
    return State(
        tasks=tasks,
        last_target=np.zeros((n_worlds, n_devices), dtype=np.int64),
        newest_s=np.repeat(time_s[:, None], n_devices, axis=1),
        backlog=np.zeros((n_worlds, n_resources)),
        sharing=np.zeros((n_worlds, n_nodes)),
    )
