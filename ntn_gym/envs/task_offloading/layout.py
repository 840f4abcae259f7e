"""The layout of the observation: names, meanings, units and ranges of its numbers.

An observation is `OPTION_SIZE` numbers for each option, option after option, then `DEVICE_SIZE` numbers of the device
and its task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[Any]
TIME_SCALE_S = 4.0
AGE_SCALE_S = 10.0
TIME_HIGH, RATIO_HIGH = 2.0, 3.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of the observation: name, meaning, unit of the scaled value and its range."""

    name: str
    meaning: str
    unit: str
    low: float
    high: float


OPTION_ENTRIES = (
    Entry("usable", "the target can be reached", "0/1", 0, 1),
    Entry("last", "the device's last task went to this target", "0/1", 0, 1),
    Entry("ratio", "share of the task that is offloaded", "share", 0, 1),
    Entry("own_wait", "time that the device's own queue before it takes", "4 s", 0, TIME_HIGH),
    Entry("transmission", "predicted transmission time", "4 s", 0, TIME_HIGH),
    Entry("server_wait", "work waiting at the server as last broadcast, as time", "4 s", 0, TIME_HIGH),
    Entry("computing", "predicted time of computing", "4 s", 0, TIME_HIGH),
    Entry("delay", "predicted delay over deadline", "1", 0, RATIO_HIGH),
    Entry("energy", "predicted energy of the device", "1 J", 0, RATIO_HIGH),
    Entry("background", "share of the server that others take, as last broadcast", "share", 0, 1),
    Entry("sharing", "devices that transmitted to the node in the last slot", "share", 0, 1),
    Entry("remaining", "predicted time until the satellite sets", "60 s", 0, 1),
)
DEVICE_ENTRIES = (
    Entry("has_task", "a task waits for a decision", "0/1", 0, 1),
    Entry("size", "its size", "largest", 0, RATIO_HIGH),
    Entry("cycles", "its cycles", "largest", 0, RATIO_HIGH),
    Entry("deadline", "its deadline", "longest", 0, 1),
    Entry("on_their_way", "tasks of the device on their way", "8", 0, 1),
    Entry("age", "age of the newest task with a result", "10 s", 0, 1),
)
OPTION = {entry.name: index for index, entry in enumerate(OPTION_ENTRIES)}
DEVICE = {entry.name: index for index, entry in enumerate(DEVICE_ENTRIES)}
OPTION_SIZE, DEVICE_SIZE = len(OPTION_ENTRIES), len(DEVICE_ENTRIES)


def bounds(n_options: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lowest and highest value of every number of an observation with so many options."""
    low = [entry.low for entry in OPTION_ENTRIES] * n_options + [entry.low for entry in DEVICE_ENTRIES]
    high = [entry.high for entry in OPTION_ENTRIES] * n_options + [entry.high for entry in DEVICE_ENTRIES]
    return np.array(low, dtype=np.float32), np.array(high, dtype=np.float32)


def template(
    options: Mapping[str, FloatArray], device: Mapping[str, FloatArray], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Write what does not depend on decisions into observations; the other numbers are 0.

    Args:
        options: Numbers of options by name, each of a shape that broadcasts to `shape`.
        device: Numbers of devices by name, `shape` without its last axis.
        shape: [..., U, K].
    """
    n_options = shape[-1]
    written = np.zeros((*shape[:-1], n_options * OPTION_SIZE + DEVICE_SIZE), dtype=np.float32)
    by_option = written[..., : n_options * OPTION_SIZE].reshape(*shape, OPTION_SIZE)
    for name, values in options.items():
        by_option[..., OPTION[name]] = values
    for name, values in device.items():
        written[..., n_options * OPTION_SIZE + DEVICE[name]] = values
    return written
