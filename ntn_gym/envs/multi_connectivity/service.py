"""Rates of users: the true ones of a step, and those expected of every candidate set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.multi_connectivity.packing import band_of_ports_mbit
from ntn_gym.envs.multi_connectivity.rates import (
    Efficiency,
    Interference,
    back_off,
    copy_success,
    duplicated,
    joint_power,
)
from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.envs.multi_connectivity.sets import SetTable, gather

FloatArray = NDArray[Any]
Mask = NDArray[np.bool_]


class Service:
    """The combining rule of a scenario.

    split: packets are divided, the rates of the links add.
    duplication: every packet is sent on all links, each with a margin against fading; the best copy counts.
    mrc: the same block is sent in every member's own band, the SINRs add (Brennan 1959); the smallest free band counts.
    noncoherent, coherent: all members send the same block in the same band, the powers (amplitudes) add; the smallest
    share counts. Where the signals do not arrive within the cyclic prefix the set falls back to split.
    """

    def __init__(self, scenario: Scenario, sets: SetTable) -> None:
        """Take the numbers from the scenario."""
        self._sets, self._rule = sets, scenario.combining.rule
        self._joint = scenario.combining.is_joint
        self._coherent = self._rule == "coherent"
        self._efficiency = Efficiency(scenario)
        self._interference = Interference(scenario)
        self._success = copy_success(scenario)
        self._back_off = back_off(scenario)
        self._band = band_of_ports_mbit(scenario)
        self._n_slots, self._modes = scenario.n_slots, scenario.modes
        self.shares_band = "shared" in scenario.modes
        self._single = sets.size <= 1
        size = sets.size.astype(np.float32)
        self._n_links = size
        # Members that are only there to fill up (and all of set 0) count nothing in sums.
        self._legs = np.where(sets.legs == sets.n_ports, 0, sets.legs)
        self._counts = (sets.legs_once < sets.n_ports).astype(np.float32)

    # ------------------------------------------------------------------ truth

    def rates_mbit_s(
        self, now: Any, active: Mask, current: NDArray[np.int64], share: FloatArray, busy: Mask
    ) -> FloatArray:
        """Return the true rates of a step, [B, U].

        Args:
            now: Current slice.
            active: Links that carry data, [B, U, P].
            current: Set of the links, [B, U].
            share: Share of each port that a user gets, 1 / (users linked), [B, U, P].
            busy: Resources that serve somebody, [B, R + 1] (the spare one last).
        """
        if self._rule == "mrc":
            sinr = np.add.reduce(np.where(active, now["sinr"], np.float32(0)), axis=-1)
            return self._smallest(active, now["free"] * share) * self._efficiency.of(sinr)
        if not self.shares_band:
            rate = now["rate"] * share
        else:
            power, far = now["power"], now["far"]
            resource = now["resource"][..., -self._n_slots :]
            background = np.concatenate([now["background"], np.zeros((len(busy), 1), np.float32)], axis=1)
            activity = self._interference.activity(background, busy)
            heard = self._interference.heard(power, _pick(activity, resource))
            own = power / self._interference.noise_of_each(heard, far)
            rate = self._efficiency.of(own * self._back_off) * now["free"][..., -self._n_slots :]
            if len(self._modes) > 1:
                rate = np.concatenate([now["rate"], rate], axis=-1)
            rate = rate * share
        rate = np.where(active, rate, np.float32(0))
        if self._rule == "duplication":
            n_links = np.add.reduce(active, axis=-1, dtype=np.float32)
            return duplicated(np.maximum.reduce(rate, axis=-1), n_links, self._success)
        total = np.add.reduce(rate, axis=-1)
        if not self._joint:
            return total
        noise = self._interference.noise(heard, far, active)
        together = joint_power(power, active, self._efficiency, self._coherent) / noise
        joint = self._efficiency.of(together) * self._smallest(active, now["free"] * share)
        aligned = np.take_along_axis(now["aligned"], current[..., None], axis=-1)[..., 0]
        return np.where(aligned, joint, total)

    @staticmethod
    def _smallest(active: Mask, band: FloatArray) -> FloatArray:
        smallest = np.minimum.reduce(np.where(active, band, np.float32(np.inf)), axis=-1)
        return np.where(np.isfinite(smallest), smallest, np.float32(0))

    # ------------------------------------------------------------------ expectation

    def expected_mbit_s(self, now: Any, known: Mapping[str, FloatArray], share: FloatArray, busy: Mask) -> FloatArray:
        """Return what users expect of every set, with and without other users, [2, B, U, S].

        Args:
            now: Current slice.
            known: Rows of what is reported, [B, U, K] each.
            share: Share of each port that a user expects, [B, U, P].
            busy: Resources that served somebody in the last step, [B, R].
        """
        sets = self._sets
        if self._rule == "mrc":
            free = self._ports(known["free"]) * self._band
            sinr = np.add.reduce(gather(self._padded(self._ports(known["quality"])), sets.legs_once), axis=-2)
            efficiency = self._efficiency.of(sinr)
            shared, alone = (
                np.minimum.reduce(gather(self._padded(f), sets.legs), axis=-2) for f in (free * share, free)
            )
            return np.stack([shared * efficiency, alone * efficiency])
        if not self.shares_band:
            rate = known["rate"]
        else:
            power, far = known["power"], now["far"]
            resource = now["resource"][..., -self._n_slots :]
            busy_all = np.concatenate([busy, np.zeros((len(busy), 1), dtype=bool)], axis=1)
            background = np.float32(1) - known["free"]
            activity = self._interference.activity(background, _pick(busy_all, resource))
            heard = self._interference.heard(power, activity)
            free_shared = known["free"] * self._band[-self._n_slots :]
            own = power / self._interference.noise_of_each(heard, far)
            rate = self._efficiency.of(own * self._back_off) * free_shared
            if len(self._modes) > 1:
                rate = np.concatenate([known["rate"], rate], axis=-1)
        both = np.empty((2, *rate.shape), dtype=np.float32)
        np.multiply(rate, share, out=both[0])
        both[1] = rate
        if self._rule == "duplication":
            best = np.maximum.reduce(gather(self._padded(both), sets.legs), axis=-2)
            return duplicated(best, self._n_links, self._success)
        total = both.take(self._legs[0], axis=-1)
        total *= self._counts[0]
        for legs, counts in zip(self._legs[1:], self._counts[1:], strict=True):
            more = both.take(legs, axis=-1)
            more *= counts
            total += more
        if not self._joint:
            return total
        collected = gather(self._padded(power), sets.legs_once)
        served = np.broadcast_to((sets.legs_once < sets.n_ports), collected.shape)
        signal = joint_power(
            np.swapaxes(collected, -1, -2), np.swapaxes(served, -1, -2), self._efficiency, self._coherent
        )
        everything = np.float32(1) + self._interference.far_activity * far + np.add.reduce(heard, axis=-1)
        own_part = np.add.reduce(gather(self._padded(heard), sets.legs_once), axis=-2)
        noise = np.maximum(everything[..., None] - own_part, np.float32(1))
        efficiency = self._efficiency.of(signal / noise)
        free = np.stack([free_shared * share, free_shared])
        band = np.minimum.reduce(gather(self._padded(free), sets.legs), axis=-2)
        return np.where(now["aligned"] & ~self._single, band * efficiency, total)

    def _ports(self, values: FloatArray) -> FloatArray:
        return values if len(self._modes) == 1 else np.concatenate([values] * len(self._modes), axis=-1)

    def _padded(self, values: FloatArray) -> FloatArray:
        """Append the port that holds nothing."""
        padded = np.zeros((*values.shape[:-1], values.shape[-1] + 1), dtype=values.dtype)
        padded[..., :-1] = values
        return padded


def _pick(values: NDArray[Any], resource: NDArray[np.int32]) -> NDArray[Any]:
    """Values [B, R + 1] of resources [B, U, K]."""
    n_worlds, n_columns = values.shape
    return values.ravel().take(resource + (np.arange(n_worlds) * n_columns)[:, None, None])
