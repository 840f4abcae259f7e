"""Who gets the band within a beam: rules that order the users, and the filling of the band in that order.

Within a step a beam's band is divided at will (orthogonal frequency-division multiple access), so that with bits as a
fluid the best use of the band for any linear objective is to serve users in the order of their metric until the band
is full.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.resource_allocation.scenario import Scenario

FloatArray = NDArray[Any]

_EXPIRING_FIRST = 64.0
"""Added to the priority of bits that are served now or never; above any value times spectral efficiency."""


@lru_cache(maxsize=16)
def starts(n_worlds: int, stride: int) -> NDArray[np.int64]:
    """Where the block of each world begins in a flat array, [B, 1]."""
    result = np.arange(0, n_worlds * stride, stride)[:, None]
    result.setflags(write=False)
    return result


def sum_by(index: NDArray[np.int64], values: FloatArray, n: int) -> NDArray[np.float64]:
    """Return sums of values [B, M] by an index [B, M] below n, float64 [B, n]."""
    n_worlds = len(index)
    flat = (index + starts(n_worlds, n)).ravel()
    return np.bincount(flat, weights=values.ravel(), minlength=n_worlds * n).reshape(n_worlds, n)


def fill(beam: NDArray[np.int64], need: FloatArray, metric: FloatArray, n_beams: int) -> NDArray[np.float64]:
    """Give the band of every beam to its items by falling metric until it is full.

    Args:
        beam: Beam of each item, [B, M].
        need: Share of the band that an item can use, not negative, [B, M].
        metric: Not negative, [B, M].
        n_beams: Number of beams.

    Returns:
        Share of the band that each item gets, [B, M].
    """
    n_worlds, n_items = beam.shape
    order = np.argsort(beam - metric / (1.0 + metric), axis=1, kind="stable")
    order += starts(n_worlds, n_items)
    sorted_need = need.take(order)
    total = sum_by(beam, need, n_beams)
    # Room of an item: 1 + what the beams before it need - what all items before it need.
    room = np.add.accumulate(total, axis=1)
    room -= total
    room += 1.0
    room = room.take(beam.take(order) + starts(n_worlds, n_beams))
    room += sorted_need
    room -= np.add.accumulate(sorted_need, axis=1)
    np.maximum(room, 0.0, out=room)
    np.minimum(room, sorted_need, out=room)
    share = np.empty_like(room)
    share.reshape(-1)[order.reshape(-1)] = room.reshape(-1)
    return share


class UserScheduler:
    """Shares of the band for every user by one of the rules.

    Sources: value: earliest deadline first, then the fractional knapsack by value per share of the band.
    proportional-fair: A. Jalali, R. Padovani, R. Pankaj, VTC 2000 (metric R/average). max-weight: L. Tassiulas and
    A. Ephremides, IEEE Transactions on Automatic Control 37(12), 1992 (Q R). m-lwdf: M. Andrews et al., IEEE
    Communications Magazine 39(2), 2001 (a W R/average, a = -ln(delta)/deadline). exp: S. Shakkottai and A. Stolyar,
    2001. The waiting time W of the last two is the queue over the mean rate of arrival, for which Andrews et al. show
    the same stability.
    """

    def __init__(
        self, scenario: Scenario, value: FloatArray, mean_mbit: FloatArray, deadline_steps: FloatArray, n_beams: int
    ) -> None:
        """Keep constants of the users, each [U]."""
        self._rule = scenario.scheduler.rule
        self._value, self._mean_mbit, self._n_beams = value, mean_mbit, n_beams
        self._urgency = -math.log(scenario.scheduler.violation) / deadline_steps
        self.remembers = self._rule in ("proportional-fair", "m-lwdf", "exp")
        self.memory = scenario.dt_s / max(scenario.scheduler.average_s, scenario.dt_s)
        self._bonus = np.array([[_EXPIRING_FIRST], [0.0]])

    def serve(
        self,
        beam: NDArray[np.int64],
        expiring_mbit: FloatArray,
        queue_mbit: FloatArray,
        capacity_mbit: FloatArray,
        efficiency: FloatArray,
        rate_mbit: FloatArray,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Divide the band of every beam.

        Args:
            beam: Serving beam, [B, U].
            expiring_mbit: Bits that must be served now or never, [B, U].
            queue_mbit: All bits waiting, [B, U].
            capacity_mbit: What a user would get with the whole band, [B, U].
            efficiency: Spectral efficiency in bit/s/Hz, [B, U].
            rate_mbit: Average of what a user got, [B, U].

        Returns:
            Served bits, [B, U], and the share of the band of each user, [B, U].
        """
        per_mbit = np.divide(1.0, capacity_mbit, out=np.zeros(capacity_mbit.shape), where=capacity_mbit > 0)
        if self._rule == "value":
            n_worlds, n_users = beam.shape
            # Two items of each user: what is due, then the rest.
            need = np.empty((n_worlds, 2, n_users))
            np.multiply(expiring_mbit, per_mbit, out=need[:, 0])
            np.subtract(queue_mbit, expiring_mbit, out=need[:, 1])
            need[:, 1] *= per_mbit
            metric = (self._value * efficiency)[:, None] + self._bonus
            items = (n_worlds, 2 * n_users)
            beams = np.concatenate((beam, beam), axis=1)
            shares = fill(beams, need.reshape(items), metric.reshape(items), self._n_beams)
            share = shares[:, :n_users] + shares[:, n_users:]
        else:
            metric = self._metric(queue_mbit, efficiency, rate_mbit)
            share = fill(beam, queue_mbit * per_mbit, metric, self._n_beams)
        return np.minimum(share * capacity_mbit, queue_mbit), share

    def _metric(self, queue_mbit: FloatArray, efficiency: FloatArray, rate_mbit: FloatArray) -> FloatArray:
        if self._rule == "max-weight":
            return queue_mbit * efficiency
        fair = efficiency / np.maximum(rate_mbit, 1e-9 * self._mean_mbit)
        if self._rule == "proportional-fair":
            return fair
        waited = self._urgency * queue_mbit / self._mean_mbit
        if self._rule == "m-lwdf":
            return waited * fair
        mean = waited.mean(axis=1, keepdims=True)
        return fair * np.exp(np.minimum((waited - mean) / (1.0 + np.sqrt(mean)), 50.0))
