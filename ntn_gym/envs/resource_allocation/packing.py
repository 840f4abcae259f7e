"""From a raw trace to what the task reads: gains by serving beam, cumulative arrivals and expiries, the context."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.resource_allocation.feeder import feeder_link
from ntn_gym.envs.resource_allocation.observation import (
    CONTEXT,
    GROUP_EDGES,
    GROUPS,
    HIGHEST_COUPLING,
    SNR_SCALE_DB,
)
from ntn_gym.envs.resource_allocation.offered import class_of_user
from ntn_gym.envs.resource_allocation.scenario import Scenario
from ntn_gym.envs.resource_allocation.transmitters import transmitters
from ntn_gym.world.packets import daily_profile

FloatArray = NDArray[Any]

SCALARS = ("price", "solar_w", "propulsion_w", "clear", "feeder_per_w", "last", "step")
SCALAR = {name: index for index, name in enumerate(SCALARS)}


@dataclass(frozen=True)
class Memory:
    """Memory of earlier chunks: steps seen, [B], and cumulative arrivals of the last steps, [B, H, U]."""

    step: NDArray[np.intp]
    arrived_mbit: NDArray[np.float64]


class Packer:
    """Compiles raw traces of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Precompute constants."""
        self._scenario = scenario
        self._constants = transmitters(scenario)
        # All users of a class share a deadline: the class gives a slice of users and a lag.
        deadline = scenario.deadline_steps()
        self._history = max(deadline) - 1
        of_class = class_of_user(scenario)
        self._lags = [(np.flatnonzero(of_class == index), lag) for index, lag in enumerate(deadline)]
        self._reference_w = self._constants.highest_w[: self._constants.n_radios].astype(np.float32)
        self._link = None
        if scenario.feeder is not None:
            self._link = feeder_link(scenario.feeder, scenario.platform.altitude_m)

    def compile(self, memory: Memory | None, raw: Arrays) -> tuple[Memory, Arrays]:
        """Pack the next steps of a raw trace.

        Args:
            memory: Memory after the previous chunk; None at the start of an episode.
            raw: Raw arrays [B, n, ...], see `world.trace_fields`.

        Returns:
            The memory after this chunk, and the packed arrays: ``gain`` [B, n, U, R] (co-channel transmitters only),
            ``own`` [B, n, U], ``static`` [B, n, 2 + R, U] (one over the efficiency with everybody at full power, own
            gain, couplings: what the observation needs of each user), ``serving`` and ``group`` [B, n, U],
            ``cumulative`` [B, n, 2, U] (arrived and expired bits), ``scalars`` and ``context``.
        """
        gain = raw["gain_per_w"]
        n_worlds, n_steps, n_users, n_radios = gain.shape
        if memory is None:
            memory = Memory(np.zeros(n_worlds, dtype=np.intp), np.zeros((n_worlds, self._history + 1, n_users)))
        received = gain * self._reference_w
        serving = np.argmax(received, axis=-1)
        flat = np.arange(serving.size).reshape(serving.shape) * n_radios + serving
        own = gain.ravel().take(flat)
        if self._constants.colour.any():
            same = self._constants.colour[serving][..., None] == self._constants.colour
            gain = gain * same
            received = received * same
        signal = received.ravel().take(flat)
        ratio = signal / (1.0 + (received.sum(axis=-1) - signal))
        efficiency = self._efficiency(ratio)
        coupling = np.minimum(gain / np.maximum(own, np.float32(1e-9))[..., None], np.float32(HIGHEST_COUPLING))
        coupling.ravel()[flat.ravel()] = 0.0
        static = np.empty((n_worlds, n_steps, 2 + n_radios, n_users), dtype=np.float32)
        static[:, :, 0] = 1.0 / np.maximum(efficiency, np.float32(0.1))
        snr = np.log10(np.maximum(own, np.float32(1e-9))) * np.float32(10 / SNR_SCALE_DB)
        np.clip(snr, np.float32(-3), np.float32(3), out=static[:, :, 1])
        static[:, :, 2:] = coupling.swapaxes(2, 3)

        # The running sum starts from the carried one, so that cutting into chunks changes no rounding.
        steps = raw["arrival_mbit"].astype(np.float64)
        steps[:, 0] += memory.arrived_mbit[:, -1]
        arrived = np.concatenate([memory.arrived_mbit, np.cumsum(steps, axis=1)], axis=1)
        cumulative = np.empty((n_worlds, n_steps, 2, n_users))
        cumulative[:, :, 0] = arrived[:, -n_steps:]
        for users, lag in self._lags:
            first = arrived.shape[1] - n_steps - lag + 1
            cumulative[:, :, 1, users] = arrived[:, first : first + n_steps, users]

        scalars, context = self._slices(int(memory.step[0]), raw)
        packed: Arrays = {
            "gain": gain.astype(np.float32, copy=False),
            "own": own,
            "static": static,
            "serving": serving,
            "group": serving * GROUPS + sum(efficiency > edge for edge in GROUP_EDGES),
            "cumulative": cumulative,
            "scalars": scalars,
            "context": context,
        }
        return Memory(memory.step + n_steps, arrived[:, -(self._history + 1) :].copy()), packed

    def _efficiency(self, ratio: FloatArray) -> FloatArray:
        radio = self._scenario.radio
        gap, cap = np.float32(radio.efficiency_gap / math.log(2.0)), np.float32(radio.efficiency_cap_bit_s_hz)
        result: FloatArray = np.minimum(gap * np.log1p(ratio), cap)
        return result

    def _slices(self, first: int, raw: Arrays) -> tuple[FloatArray, FloatArray]:
        """Numbers of the slice for the step, and those that the observation shows."""
        scenario = self._scenario
        shape = raw["price"].shape
        step = first + np.arange(shape[1])
        scalars = np.zeros((*shape, len(SCALARS)))
        context = np.zeros((*shape, len(CONTEXT)), dtype=np.float32)

        def show(name: str, values: FloatArray) -> None:
            context[..., CONTEXT.index(name)] = values

        scalars[..., SCALAR["price"]] = raw["price"]
        scalars[..., SCALAR["last"]] = step == scenario.steps - 1
        scalars[..., SCALAR["step"]] = step
        # An hour of an optical link with clouds: what a watt carries now.
        scalars[..., SCALAR["clear"]] = ~raw["feeder_cloud"]
        if self._link is not None:
            loss = raw["feeder_loss_db"].astype(np.float64)
            scalars[..., SCALAR["feeder_per_w"]] = self._link.rate_per_w_mbit_s * 10.0 ** (-0.1 * loss)
            show("cloud", raw["feeder_cloud"])
            show("feeder_loss", np.minimum(raw["feeder_loss_db"] / 30.0, 2.0))
        show("price", np.minimum(raw["price"] / 3.0, 4.0))
        show("remaining", np.minimum((scenario.steps - step) / 20.0, 1.0))
        if scenario.energy.battery is not None:
            hour = raw["hour"].astype(np.float64)
            scalars[..., SCALAR["solar_w"]] = raw["solar_w"]
            scalars[..., SCALAR["propulsion_w"]] = raw["propulsion_w"]
            show("solar", np.minimum(raw["solar_w"] / 3000.0, 4.0))
            show("propulsion", np.minimum(raw["propulsion_w"] / 1000.0, 4.0))
            show("hour_sin", np.sin(hour * (math.pi / 12)))
            show("hour_cos", np.cos(hour * (math.pi / 12)))
        if scenario.traffic.daily:
            show("profile", daily_profile(raw["hour"]) - 1.0)
        return scalars, context
