"""A model of one step from what the observation tells: a few virtual users per radio, from edge to centre."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.resource_allocation.observation import GROUPS, View
from ntn_gym.envs.resource_allocation.task import ResourceAllocationTask

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class Estimate:
    """What the model expects of candidate powers.

    Attributes:
        urgent: Value of the expiring bits served, over the mean traffic of a step, [B, C].
        other: Value of the other bits served, [B, C].
        payload_w: Supply power, [B, C].
        served: Bits served by each radio over the band, in bit/Hz/s, [B, C, R].
    """

    urgent: FloatArray
    other: FloatArray
    payload_w: FloatArray
    served: FloatArray


class StepModel:
    """Predicts one step for candidate powers, with the scheduler's order and the coupling of loads."""

    def __init__(self, task: ResourceAllocationTask, view: View, sweeps: int | None = None) -> None:
        """Read the observation.

        Args:
            task: Gives the constants.
            view: The observation.
            sweeps: Sweeps of the load coupling; None: as the scenario has.
        """
        radio = task.scenario.radio
        self._gap = radio.efficiency_gap / math.log(2.0)
        self._cap = radio.efficiency_cap_bit_s_hz
        self._lowest = 10.0 ** (0.1 * radio.minimum_sinr_db)
        self._sweeps = radio.load_sweeps if sweeps is None else sweeps
        self._task = task
        constants = task.constants
        self._limit_w, self._n_beams = task.scenario.platform.total_power_w, constants.n_beams
        expiring, waiting = view.expiring_bit_hz, view.waiting_bit_hz
        # Items of a radio: expiring of all groups, then waiting of all, [B, 1, R, 2 G].
        self._bits = np.concatenate([expiring, waiting], axis=-1)[:, None]
        self._value = np.concatenate([view.group("expiring_value"), view.group("waiting_value")], axis=-1)[:, None]
        self._value = self._value.astype(np.float64)
        self._first = np.repeat([64.0, 0.0], GROUPS)
        self._gain = view.gain_per_w[:, None]
        coupling = view.coupling
        self._cross = (coupling * view.gain_per_w[..., None]).reshape(len(coupling), -1, coupling.shape[-1])
        self._to_score = task.mbit_per_bit_s_hz / task.offered_mbit

    def within_total(self, power_w: FloatArray) -> FloatArray:
        """Scale the platform's powers down to its total, as the task does, [B, C, R]."""
        total = power_w[..., : self._n_beams].sum(axis=-1, keepdims=True)
        factor = self._limit_w / np.maximum(total, self._limit_w)
        if self._n_beams == power_w.shape[-1]:
            return power_w * factor
        return np.concatenate([power_w[..., : self._n_beams] * factor, power_w[..., self._n_beams :]], axis=-1)

    def efficiency(self, power_w: FloatArray, sweeps: int) -> FloatArray:
        """Spectral efficiency of the groups, [B, C, R, G]."""
        signal = self._gain * power_w[..., None]
        need = self._bits[..., :GROUPS] + self._bits[..., GROUPS:]
        disturbing = power_w
        for sweep in range(sweeps + 1):
            noise = np.matmul(disturbing, self._cross.swapaxes(1, 2)).reshape(signal.shape)
            ratio = signal / (1.0 + noise)
            efficiency = np.minimum(self._gap * np.log1p(ratio), self._cap) * (ratio >= self._lowest)
            if sweep == sweeps:
                break
            heard = efficiency > 0
            load = np.minimum((need * heard / np.maximum(efficiency, 1e-6)).sum(axis=-1), 1.0)
            disturbing = power_w * load
        return efficiency

    def estimate(self, power_w: FloatArray) -> Estimate:
        """Predict candidates, [B, C, R]."""
        power_w = self.within_total(power_w)
        efficiency = self.efficiency(power_w, self._sweeps)
        both = np.concatenate([efficiency, efficiency], axis=-1)
        need = np.where(both > 0, self._bits / np.maximum(both, 1e-6), 0.0)
        # Before each item stand those with a higher metric: a few comparisons are cheaper than a sort.
        metric = self._value * both + self._first
        ahead = (metric[..., None, :] > metric[..., :, None]) | (
            (metric[..., None, :] == metric[..., :, None]) & _EARLIER
        )
        before = (ahead * need[..., None, :]).sum(axis=-1)
        share = np.clip(1.0 - before, 0.0, need)
        worth = share * both * self._value * self._to_score
        constants = self._task.constants
        used = np.minimum(share.sum(axis=-1), 1.0)
        on = constants.idle_w + constants.slope * power_w * used
        payload = np.where(power_w > 0, on, constants.sleep_w).sum(axis=-1)
        return Estimate(
            worth[..., :GROUPS].sum(axis=(-1, -2)),
            worth[..., GROUPS:].sum(axis=(-1, -2)),
            payload,
            (share * both).sum(axis=-1),
        )


_EARLIER = np.tril(np.ones((2 * GROUPS, 2 * GROUPS), dtype=bool), -1)


def coordinate_search(score: Any, start_w: FloatArray, levels_w: FloatArray, sweeps: int) -> FloatArray:
    """Improve powers one radio at a time, each to the best of its levels, [B, R].

    Args:
        score: Function from candidates [B, C, R] to scores [B, C].
        start_w: Where to begin, [B, R].
        levels_w: Levels of each radio, [R, L].
        sweeps: Rounds over the radios.
    """
    power = start_w.copy()
    rows = np.arange(len(power))
    for _ in range(sweeps):
        for radio in range(power.shape[1]):
            candidates = np.repeat(power[:, None], levels_w.shape[1], axis=1)
            candidates[:, :, radio] = levels_w[radio]
            best = np.argmax(score(candidates), axis=1)
            power = candidates[rows, best]
    return power
