"""What a device knows: the layout of the observation, its scaling, and what it predicts for each option.

An observation is `OPTION_SIZE` numbers for each option, option after option, then `DEVICE_SIZE` numbers of the device
and its task. Heuristics read the same vector as a network, so that nobody knows more than anybody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.task_offloading.packing import Plant, uplink_rate_bit_s
from ntn_gym.envs.task_offloading.scenario import Scenario
from ntn_gym.envs.task_offloading.state import N_ROWS, Row, State

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


class Observer:
    """Writes the observations of a scenario."""

    def __init__(self, scenario: Scenario, layout: Plant) -> None:
        """Keep the constants."""
        self._scenario = scenario
        self._layout = layout
        self._nodes = np.arange(len(scenario.nodes))
        tasks = scenario.tasks
        self._largest = np.array([tasks.size_max_bit, tasks.cycles_max, tasks.deadline_max_s])
        self._is_cloud = layout.option_target == len(scenario.nodes) + 1
        self._is_device = layout.option_target == 0
        self._node = np.maximum(layout.option_node, 0)
        self.low, self.high = bounds(len(layout.option_target))

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """Return observations [B, U, OPTION_SIZE * K + DEVICE_SIZE]."""
        layout, scenario = self._layout, self._scenario
        task = now["task"]
        n_worlds, _, n_devices = task.shape
        n_options = len(layout.option_target)
        bit, cycles, deadline_s = (task[:, i, :, None] for i in range(3))
        frequency = now["cpu_hz"][..., None]
        node = self._node

        to_node, own_cycles, alive = self._own(state.tasks)
        others = np.maximum(state.sharing[:, None] - (to_node > 0.0), 0.0)
        rate = uplink_rate_bit_s(now["measured_hz"], others + 1.0, layout)
        per_bit_s = (1.0 / rate)[..., node]
        # Where a node is out of reach its rate is nearly nothing; the clipping below keeps the numbers finite.
        ratio = layout.option_ratio
        transmission_s = ratio * bit * per_bit_s
        queue_s = to_node[..., node] * per_bit_s

        resource = now["resource"]
        wait = state.backlog / now["known_rate"]  # [B, R]
        worlds = np.arange(n_worlds)[:, None]
        server = np.where(self._is_cloud, layout.feeder, resource[:, node])
        server_wait_s = wait[worlds, server][:, None]
        server_rate = now["known_rate"][worlds, server][:, None]
        work = ratio * np.where(self._is_cloud, bit, cycles)
        computing_s = work / server_rate
        delay_s = now["delay_s"][:, node][:, None]
        after_s = delay_s + scenario.tasks.result_share * ratio * bit / layout.result_rate_bit_s[node]
        if scenario.cloud is not None:
            beyond = 2.0 * (delay_s + scenario.cloud.network_delay_s) + ratio * cycles / scenario.cloud.cpu_hz
            after_s = after_s + np.where(self._is_cloud, beyond, 0.0)

        local_s = (own_cycles + (1.0 - ratio) * cycles) / frequency
        remote_s = np.maximum(queue_s + transmission_s + delay_s, server_wait_s) + computing_s + after_s
        predicted_s = np.where(self._is_device, local_s, np.maximum(np.where(ratio < 1.0, local_s, 0.0), remote_s))
        energy_j = scenario.devices.capacitance * frequency**2 * (1.0 - ratio) * cycles
        energy_j = energy_j + scenario.devices.transmit_power_w * np.where(self._is_device, 0.0, transmission_s)
        sharing = state.sharing[:, node] / n_devices

        observation = np.empty((n_worlds, n_devices, n_options * OPTION_SIZE + DEVICE_SIZE), dtype=np.float32)
        option = observation[..., : n_options * OPTION_SIZE].reshape(n_worlds, n_devices, n_options, OPTION_SIZE)
        device = self._is_device
        option[..., OPTION["usable"]] = now["usable"][:, None]
        option[..., OPTION["last"]] = state.last_target[..., None] == layout.option_target
        option[..., OPTION["ratio"]] = ratio
        option[..., OPTION["own_wait"]] = np.where(device, own_cycles / frequency, queue_s) / TIME_SCALE_S
        option[..., OPTION["transmission"]] = np.where(device, 0.0, transmission_s) / TIME_SCALE_S
        option[..., OPTION["server_wait"]] = np.where(device, 0.0, server_wait_s) / TIME_SCALE_S
        option[..., OPTION["computing"]] = np.where(device, cycles / frequency, computing_s) / TIME_SCALE_S
        option[..., OPTION["delay"]] = predicted_s / np.maximum(deadline_s, 1e-3)
        option[..., OPTION["energy"]] = energy_j
        option[..., OPTION["background"]] = np.where(device, 0.0, now["known_background"][:, node][:, None])
        option[..., OPTION["sharing"]] = np.where(device, 0.0, sharing[:, None])
        option[..., OPTION["remaining"]] = now["remaining"][:, None]
        # Without a task its delay would be nothing over nothing.
        option[..., OPTION["delay"]] *= bit > 0.0
        tail = observation[..., n_options * OPTION_SIZE :]
        tail[..., 0] = task[:, 0] > 0.0
        tail[..., 1:4] = task.swapaxes(1, 2) / self._largest
        tail[..., 4] = alive / 8.0
        tail[..., 5] = (now["time_s"][:, None] - state.newest_s) / AGE_SCALE_S
        return np.clip(observation, self.low, self.high, out=observation)

    def _own(self, tasks: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Bits that wait for each node [B, U, A], cycles that wait for the processor [B, U, 1], tasks [B, U]."""
        n_worlds, n_devices, n_kept, _ = tasks.shape
        places = tasks.reshape(-1, N_ROWS)
        living = np.flatnonzero(places[:, Row.ALIVE])
        device, n_all, n_nodes = living // n_kept, n_worlds * n_devices, len(self._nodes)
        chosen = places[living]
        queue = device * n_nodes + np.maximum(chosen[:, Row.NODE], 0.0).astype(np.intp)
        to_node = np.bincount(queue, chosen[:, Row.BITS], n_all * n_nodes).reshape(n_worlds, n_devices, n_nodes)
        cycles = np.bincount(device, chosen[:, Row.CYCLES], n_all).reshape(n_worlds, n_devices, 1)
        return to_node, cycles, np.bincount(device, minlength=n_all).reshape(n_worlds, n_devices)
