"""Offered traffic: how much arrives for every user, in surges, over the day and in unplanned events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.envs.resource_allocation.antenna import beam_count
from ntn_gym.envs.resource_allocation.scenario import Scenario
from ntn_gym.world import clouds, packets
from ntn_gym.world.clouds import CloudTimes

FloatArray = NDArray[Any]

REFERENCE_EFFICIENCY_BIT_S_HZ = 1.2
"""Spectral efficiency to which the load refers."""


def mean_offered_mbit(scenario: Scenario) -> float:
    """Mean traffic of one step that the load stands for: load times 1.2 bit/s/Hz in every beam's band, in Mbit."""
    band = beam_count(scenario.platform.layout) * scenario.radio.bandwidth_hz
    return scenario.traffic.load * band * REFERENCE_EFFICIENCY_BIT_S_HZ * scenario.dt_s * 1e-6


def class_of_user(scenario: Scenario) -> NDArray[np.intp]:
    """Class of each user, [U]."""
    return np.repeat(np.arange(len(scenario.traffic.classes)), [one.users for one in scenario.traffic.classes])


def mean_arrival_mbit(scenario: Scenario) -> FloatArray:
    """Mean arrivals of each user per step in Mbit, [U]; they add up to `mean_offered_mbit`."""
    per_user = np.array([one.share / one.users for one in scenario.traffic.classes])
    result: FloatArray = mean_offered_mbit(scenario) * per_user[class_of_user(scenario)]
    return result


@dataclass(frozen=True)
class OfferedState:
    """What the traffic remembers: generators by name, and which hotspots are busy and have an event."""

    generators: dict[str, list[np.random.Generator]]
    busy: NDArray[np.bool_]
    event: NDArray[np.bool_]


class Offered:
    """Arrivals of one scenario."""

    def __init__(self, scenario: Scenario, n_hotspots: int) -> None:
        """Prepare means."""
        self._traffic, self._dt_s = scenario.traffic, scenario.dt_s
        self._n_hotspots = n_hotspots
        self._mean_mbit = mean_arrival_mbit(scenario)
        self._class = class_of_user(scenario)
        traffic = scenario.traffic
        self._surges = CloudTimes(traffic.surge_s, traffic.surge_s)
        self._events = CloudTimes(traffic.event_wait_s, traffic.event_s)
        self._event_mean = 1.0 + (traffic.event_factor - 1.0) * float(1.0 - self._events.clear_probability)

    def begin(self, keys: Sequence[WorldKey]) -> OfferedState:
        """Draw the first states."""
        names = ["surge", "event"]
        names += [f"{what} {one.name}" for one in self._traffic.classes for what in ("number", "size")]
        generators = {name: process_generators(keys, name) for name in names}
        busy = clouds.start(generators["surge"], self._n_hotspots, self._surges)
        event = clouds.start(generators["event"], 1, self._events)
        return OfferedState(generators, busy, event)

    def advance(
        self, state: OfferedState, n_steps: int, hotspot: NDArray[np.int64], hour: FloatArray, regional: FloatArray
    ) -> tuple[OfferedState, FloatArray, FloatArray]:
        """Draw the next steps.

        Args:
            state: Before them.
            n_steps: Number of steps.
            hotspot: Hotspot of each user, -1 for none, [B, U].
            hour: Local time, [n].
            regional: Unit-variance process of the region, [B, n].

        Returns:
            The new state, arrivals in Mbit [B, n, U], and the intensity of each hotspot [B, n, H]. The mean over time
            and worlds is `mean_arrival_mbit`.
        """
        traffic = self._traffic
        # Surges and events are two-state Markov processes with exponential holding times, as clouds are.
        busy, surges = clouds.advance(state.generators["surge"], state.busy, n_steps, self._dt_s, self._surges)
        event, events = clouds.advance(state.generators["event"], state.event, n_steps, self._dt_s, self._events)
        slow = np.exp(traffic.regional_sigma * regional.astype(np.float64) - 0.5 * traffic.regional_sigma**2)
        if traffic.daily:
            slow = slow * packets.daily_profile(hour)
        spots = np.where(surges, 2.0 - traffic.quiet_factor, traffic.quiet_factor)
        happening = np.where(events[..., 0], traffic.event_factor, 1.0) / self._event_mean
        spots[..., 0] *= happening
        # Column -1 is for users in no hotspot.
        intensity = np.concatenate([spots, np.ones((*spots.shape[:2], 1))], axis=-1) * slow[..., None]
        steady = np.ones_like(intensity) * slow[..., None]
        arrivals = []
        for index, one in enumerate(traffic.classes):
            users = np.flatnonzero(self._class == index)
            factor = intensity if one.bursts == "files" else steady
            mean = self._mean_mbit[users] * _of_users(factor, hotspot[:, users])
            number, size = state.generators[f"number {one.name}"], state.generators[f"size {one.name}"]
            if one.bursts == "files":
                drawn = packets.file_arrivals(number, size, mean / one.file_mbit) * one.file_mbit
            elif one.bursts == "smooth":
                drawn = packets.smooth_arrivals(size, mean)
            else:
                drawn = packets.storm_arrivals(number, mean, one.storm_probability)
            arrivals.append(drawn)
        state = OfferedState(state.generators, busy, event)
        return state, np.concatenate(arrivals, axis=-1), intensity[..., :-1]


def _of_users(factor: FloatArray, hotspot: NDArray[np.int64]) -> FloatArray:
    """Pick the column of each user's hotspot, [B, n, users]."""
    picked: FloatArray = np.take_along_axis(factor, (hotspot % factor.shape[-1])[:, None], axis=-1)
    return picked
