"""One step of the radio: powers to spectral efficiencies, served bits, and what the amplifiers draw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.resource_allocation.packing import SCALAR
from ntn_gym.envs.resource_allocation.scheduler import starts, sum_by

if TYPE_CHECKING:
    from ntn_gym.envs.resource_allocation.state import State
    from ntn_gym.envs.resource_allocation.task import ResourceAllocationTask

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class Service:
    """What the radio did in a step.

    Attributes:
        served_mbit: Bits of each user, [B, U].
        used: Share of the band that each radio filled, [B, R].
        limited: Whether the feeder was too narrow, [B]; None without one.
    """

    served_mbit: NDArray[np.float64]
    used: NDArray[np.float64]
    limited: NDArray[np.bool_] | None


class Radio:
    """The access network of one task."""

    def __init__(self, task: ResourceAllocationTask) -> None:
        """Prepare constants."""
        self._task = task
        scenario, constants = task.scenario, task.constants
        radio = scenario.radio
        self._gap = np.float32(radio.efficiency_gap / math.log(2.0))
        self._cap = np.float32(radio.efficiency_cap_bit_s_hz)
        self._lowest = np.float32(10.0 ** (0.1 * radio.minimum_sinr_db))
        self._noise = np.float32(1.0)
        self._sweeps = radio.load_sweeps
        self._per_mbit = 1.0 / task.mbit_per_bit_s_hz
        self._backhaul_mbit = None
        if scenario.relays is not None:
            limit = np.full(constants.n_radios, np.inf)
            limit[constants.n_beams :] = scenario.relays.backhaul_mbit_s * scenario.dt_s
            self._backhaul_mbit = limit

    def efficiency(
        self, power_w: NDArray[np.float32], queue_mbit: FloatArray, now: Now
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the spectral efficiency of each user, [B, U], and its serving radio.

        A transmitter disturbs in the share of the band that it fills, which depends on the others' in turn: the
        load-coupled system of I. Siomina and D. Yuan, "Analysis of cell load coupling for LTE network planning and
        optimization", IEEE Transactions on Wireless Communications 11(6), 2012. The sweeps start from full bands and
        fall monotonically towards its solution, so that a few of them err on the side of too much interference.

        Args:
            power_w: Radiated power of each radio, [B, R].
            queue_mbit: Bits waiting, [B, U].
            now: The current slice.
        """
        gain, own, serving = now["gain"], now["own"], now["serving"]
        n_radios = power_w.shape[1]
        at = serving + starts(len(serving), n_radios)
        signal = own * power_w.take(at)
        disturbing, mine = power_w, signal
        for sweep in range(self._sweeps + 1):
            ratio = np.matmul(gain, disturbing[..., None])[..., 0]
            ratio -= mine
            ratio += self._noise
            np.divide(signal, ratio, out=ratio)
            heard = ratio >= self._lowest
            efficiency = np.log1p(ratio, out=ratio)
            efficiency *= self._gap
            np.minimum(efficiency, self._cap, out=efficiency)
            efficiency *= heard
            if sweep == self._sweeps:
                break
            # Users who hear nothing fill no band.
            need = np.divide(queue_mbit, efficiency, out=np.zeros_like(queue_mbit), where=heard)
            load = np.minimum(sum_by(serving, need, n_radios) * self._per_mbit, 1.0)
            disturbing = power_w * load.astype(np.float32)
            mine = own * disturbing.take(at)
        return efficiency, serving

    def serve(self, state: State, power_w: NDArray[np.float32], feeder_mbit: FloatArray | None, now: Now) -> Service:
        """Serve the users with the powers of the radios, within the feeder and the relays' backhaul.

        Args:
            state: Before the step.
            power_w: Radiated power of each radio, [B, R].
            feeder_mbit: What the feeder carries in the step, [B]; None: no limit.
            now: The current slice.
        """
        task = self._task
        cumulative = now["cumulative"]
        queue = cumulative[:, 0] - state.departed_mbit
        expiring = np.maximum(cumulative[:, 1] - state.departed_mbit, 0.0)
        efficiency, serving = self.efficiency(power_w, queue, now)
        capacity = efficiency * task.mbit_per_bit_s_hz
        served, share = task.scheduler.serve(serving, expiring, queue, capacity, efficiency, state.rate_mbit)
        n_radios = power_w.shape[1]
        if self._backhaul_mbit is not None:
            carried = sum_by(serving, served, n_radios)
            factor = np.minimum(1.0, self._backhaul_mbit / np.maximum(carried, 1e-9))
            of_user = factor.take(serving + starts(len(serving), n_radios))
            served = served * of_user
            share = share * of_user
        limited = None
        if feeder_mbit is not None:
            total = served.sum(axis=1)
            limited = total > feeder_mbit
            factor = np.minimum(1.0, feeder_mbit / np.maximum(total, 1e-9))
            served = served * factor[:, None]
            share = share * factor[:, None]
        return Service(served, np.minimum(sum_by(serving, share, n_radios), 1.0), limited)


def feeder_mbit(task: ResourceAllocationTask, laser_w: FloatArray | float, now: Now) -> FloatArray | None:
    """Return what the feeder carries in the current step in Mbit, [B]; None without a feeder in the scenario.

    Args:
        task: The task.
        laser_w: Optical power of the laser, [B] or a number.
        now: The current slice.
    """
    feeder = task.scenario.feeder
    if feeder is None:
        return None
    scalars = now["scalars"]
    optical = np.minimum(laser_w * scalars[:, SCALAR["feeder_per_w"]], feeder.max_rate_mbit_s)
    result: FloatArray = (optical * scalars[:, SCALAR["clear"]] + feeder.radio_mbit_s) * task.scenario.dt_s
    return result
