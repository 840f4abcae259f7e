"""What a device knows when it decides, and what it predicts for each option.

Heuristics read the same vector as a network, so that nobody knows more than anybody else. Most of it does not depend on
decisions and is written when a world is packed (`packing`); here come queues and loads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.task_offloading.layout import (
    AGE_SCALE_S,
    DEVICE,
    OPTION,
    OPTION_SIZE,
    TIME_SCALE_S,
    bounds,
)
from ntn_gym.envs.task_offloading.packing import Plant, uplink_rate_bit_s
from ntn_gym.envs.task_offloading.scenario import Scenario
from ntn_gym.envs.task_offloading.state import State


class Observer:
    """Writes the observations of a scenario."""

    def __init__(self, scenario: Scenario, layout: Plant) -> None:
        """Keep the constants."""
        self._layout = layout
        self._n_resources = len(layout.resource_node)
        self._remote = (layout.option_target > 0).astype(np.float64)
        self._queue = layout.option_node + 1
        self._splits = bool(np.any((layout.option_ratio > 0.0) & (layout.option_ratio < 1.0)))
        self._power_w = scenario.devices.transmit_power_w
        self.low, self.high = bounds(len(layout.option_target))

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """Return observations [B, U, OPTION_SIZE * K + DEVICE_SIZE]."""
        layout, queue = self._layout, self._queue
        n_worlds, n_devices, _ = state.waiting.shape
        n_options = len(queue)
        to_node = state.waiting[..., 1:]
        # Who has something in the uplink's queue counted in what was broadcast.
        others = np.maximum(state.sharing[:, None] - (to_node > 0.0), 0.0)
        speed = np.empty(state.waiting.shape)
        speed[..., 0] = now["cpu_hz"]
        # Where a node is out of reach its rate is nearly nothing; the limits below keep the numbers finite.
        speed[..., 1:] = uplink_rate_bit_s(now["measured_hz"], others + 1.0, layout)
        own_wait_s = (state.waiting / speed).take(queue, axis=-1)
        offloaded_bit = now["task"][:, 0, :, None] * layout.option_ratio
        transmission_s = offloaded_bit / speed.take(queue, axis=-1)
        resource = now["option_resource"] + np.arange(n_worlds)[:, None] * self._n_resources
        server_wait_s = (state.backlog / now["known_rate"]).take(resource) * self._remote
        ready_s = own_wait_s + transmission_s + now["option_way_s"][:, None]
        predicted_s = np.maximum(ready_s, server_wait_s[:, None]) + now["fixed_s"]
        if self._splits:
            predicted_s = np.maximum(predicted_s, own_wait_s[..., :1] + now["local_s"])

        observation = now.copy("template")
        option = observation[..., : n_options * OPTION_SIZE].reshape(n_worlds, n_devices, n_options, OPTION_SIZE)
        option[..., OPTION["last"]] = state.last_target[..., None] == layout.option_target
        option[..., OPTION["own_wait"]] = own_wait_s / TIME_SCALE_S
        option[..., OPTION["transmission"]] = transmission_s / TIME_SCALE_S
        option[..., OPTION["server_wait"]] = (server_wait_s / TIME_SCALE_S)[:, None]
        option[..., OPTION["delay"]] = predicted_s * now["per_deadline"]
        option[..., OPTION["energy"]] += self._power_w * transmission_s
        sharing = state.sharing.take(np.maximum(layout.option_node, 0), axis=-1) * (self._remote / n_devices)
        option[..., OPTION["sharing"]] = sharing[:, None]
        observation[..., n_options * OPTION_SIZE + DEVICE["on_their_way"]] = state.on_way / 8.0
        age_s = now["time_s"][:, None] - state.newest_s
        observation[..., n_options * OPTION_SIZE + DEVICE["age"]] = age_s / AGE_SCALE_S
        # Nothing is negative.
        return np.minimum(observation, self.high, out=observation)
