"""The tasks that are on their way, as one array per world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[Any]


class Row:
    """Numbers of a task in `State.tasks`. Times are absolute, from the beginning of the episode."""

    DUE_S = 0  # when it expires; 0: there is no task, or it has ended
    BORN_S = 1  # when it arrived
    TARGET = 2  # where it goes, in the order of `Scenario.targets`
    RESOURCE = 3  # server (or feeder) that it has reached; no meaning before its upload ends
    CYCLES = 4  # left to compute on the device
    BITS = 5  # left to transmit
    LOCAL_END_S = 6  # when the local part is done; infinite before
    ARRIVAL_S = 7  # when the remote part reaches its server; infinite while it is being transmitted
    WORK = 8  # left at the server: cycles, or bits of the cloud's feeder
    REMOTE_END_S = 9  # when the result of the remote part is back; infinite before
    AFTER_S = 10  # what follows the server: computing in the cloud and the way back


N_ROWS = 11


@dataclass(frozen=True)
class State:
    """State of B worlds with U devices.

    The task that arrived with the last slot stands last in the table of its device, the others before it in order.

    Attributes:
        tasks: Numbers of each task as in `Row`, float64 [B, U, Q, N_ROWS].
        last_target: Target of the last task of each device, [B, U].
        newest_s: When the newest task with a result arrived (at first: the beginning of the episode), [B, U].
        waiting: Work in the queues of each device at the end of the last slot: cycles for its processor, then bits for
            each node, [B, U, 1 + A].
        on_way: Tasks of each device that have not ended, [B, U].
        backlog: Work that waited at each server at the end of the last slot, [B, R].
        sharing: Devices that transmitted to each node in the last slot, [B, A].
    """

    tasks: FloatArray
    last_target: NDArray[np.int64]
    newest_s: FloatArray
    waiting: FloatArray
    on_way: FloatArray
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
        waiting=np.zeros((n_worlds, n_devices, n_nodes + 1)),
        on_way=np.zeros((n_worlds, n_devices)),
        backlog=np.zeros((n_worlds, n_resources)),
        sharing=np.zeros((n_worlds, n_nodes)),
    )
