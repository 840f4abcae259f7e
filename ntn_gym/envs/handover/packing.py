"""From a raw trace to what the task reads: the observation's exogenous part and a table of true links.

Everything is computed for many steps at once and packed in two arrays, so that a step is a look-up. The measurement
chain is causal: row t uses measurements up to row t - 1 (a report is one step old), and carries its memory from chunk
to chunk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.handover.channel import from_db
from ntn_gym.envs.handover.observation import (
    AGE_SCALE_S,
    ELEVATION_RATE_SCALE,
    PREDICTED_HIGH,
    REMAINING_SHORT_S,
    SINR_CENTRE_DB,
    SINR_HIGH,
    SINR_LOW,
    SINR_SCALE_DB,
    SLOT,
    SLOT_SIZE,
)
from ntn_gym.envs.handover.rules import Sync
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.physics.constants import SPEED_OF_LIGHT_M_S

FloatArray = NDArray[Any]

LINK_COLUMNS = (
    "rate",  # bit/s of a user alone in the cell beside the background load; 0 below Qout
    "utility",  # utility of that rate
    "sync",  # rules.Sync code
    "interruption",  # share of the step that a connection to this slot costs
    "pass",  # number of the pass in the slot (to recognise ping-pong), -1 where empty
    "sinr",  # measured SINR as the serving link reports it, scaled as in the observation
    "age",  # its age, scaled
    "utility_measured",  # utility expected from it and from the broadcast load
)
LINK = {name: index for index, name in enumerate(LINK_COLUMNS)}
SLOW_WEIGHT = 0.1
"""Weight of the newest sample in the slow filter."""


@dataclass(frozen=True)
class Memory:
    """What the measurement chain remembers after a chunk: arrays [B, U, K] or [B, K].

    Attributes:
        step: Steps compiled so far, [B].
        pass_id: Pass in each slot in the last step.
        filtered: L3-filtered SINR in dB after the last step.
        slow: Slowly filtered SINR in dB.
        neighbour: Filtered SINR at the last neighbour measurement.
        neighbour_age: Steps since then.
        load: Load in the last step.
        broadcast: Load as last broadcast.
        known: Whether a broadcast of this pass was heard.
    """

    step: NDArray[np.intp]
    pass_id: NDArray[np.int32]
    filtered: FloatArray
    slow: FloatArray
    neighbour: FloatArray
    neighbour_age: FloatArray
    load: FloatArray
    broadcast: FloatArray
    known: NDArray[np.bool_]


def _empty_memory(scenario: Scenario, n_worlds: int) -> Memory:
    slots = (n_worlds, scenario.slots.count)
    links = (n_worlds, scenario.users.count, scenario.slots.count)

    def zeros(shape: tuple[int, ...]) -> FloatArray:
        return np.zeros(shape, dtype=np.float32)

    return Memory(
        step=np.zeros(n_worlds, dtype=np.intp),
        pass_id=np.full(slots, -2, dtype=np.int32),
        filtered=zeros(links),
        slow=zeros(links),
        neighbour=zeros(links),
        neighbour_age=np.full(links, 1e6, dtype=np.float32),
        load=zeros(slots),
        broadcast=zeros(slots),
        known=np.zeros(slots, dtype=bool),
    )


def scaled_sinr(sinr_db: FloatArray, high: float = SINR_HIGH) -> FloatArray:
    """Scale and clip a SINR as the observation does."""
    return np.clip(
        (sinr_db - np.float32(SINR_CENTRE_DB)) * np.float32(1 / SINR_SCALE_DB),
        np.float32(SINR_LOW),
        np.float32(high),
    )


class Utility:
    """Rate and utility of a link in a loaded cell."""

    def __init__(self, scenario: Scenario) -> None:
        """Take the numbers from the scenario."""
        link = scenario.link
        self._gap = np.float32(link.efficiency_gap / math.log(2.0))
        self._cap = np.float32(link.efficiency_cap_bit_s_hz)
        self._bandwidth = np.float32(link.bandwidth_hz)
        self._inverse_reference = np.float32(1.0 / scenario.reward.reference_rate_bit_s)
        self._scale = np.float32(1.0 / math.log1p(scenario.max_rate_bit_s / scenario.reward.reference_rate_bit_s))

    def rate_bit_s(self, sinr_db: FloatArray, load: FloatArray) -> FloatArray:
        """Attenuated and capped Shannon rate of the free share of the cell (3GPP TR 36.942 Annex A.2)."""
        efficiency = np.minimum(self._gap * np.log1p(from_db(sinr_db)), self._cap)
        return efficiency * (self._bandwidth * (np.float32(1.0) - load))

    def of_rate(self, rate_bit_s: FloatArray) -> FloatArray:
        """Utility log(1 + R/R0) / log(1 + Rmax/R0), 0 to 1."""
        return np.log1p(rate_bit_s * self._inverse_reference) * self._scale


class Packer:
    """Compiles raw traces of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Precompute constants."""
        self._scenario = scenario
        self._utility = Utility(scenario)
        dt_s = scenario.dt_s
        self._neighbour_steps = round(scenario.measurement.neighbour_period_s / dt_s)
        self._broadcast_steps = round(scenario.load.broadcast_period_s / dt_s)
        self._mean_load = np.float32(1.0 / (1.0 + math.exp(-scenario.load.mean_logit)))

    def compile(self, memory: Memory | None, raw: Arrays) -> tuple[Memory, Arrays]:
        """Pack the next steps of a raw trace.

        Args:
            memory: Memory after the previous chunk; None at the start of an episode.
            raw: Raw arrays [B, n, ...], see `world.trace_fields`.

        Returns:
            The memory after this chunk, and ``features`` [B, n, U, K, SLOT_SIZE] and ``link`` [B, n, U, K, columns],
            both float32.
        """
        scenario = self._scenario
        pass_id = raw["pass_id"]
        n_worlds, n_steps, n_slots = pass_id.shape
        if memory is None:
            memory = _empty_memory(scenario, n_worlds)
        valid = pass_id >= 0
        before = np.concatenate([memory.pass_id[:, None], pass_id[:, :-1]], axis=1)
        same = valid & (pass_id == before)
        measured = raw["sinr_db"] + raw["measurement_error_db"]
        weight = np.float32(scenario.measurement.filter_weight)
        filtered = _filter(memory.filtered, measured, weight, same)
        slow = _filter(memory.slow, measured, np.float32(SLOW_WEIGHT), same)

        # A report is one step old; a pass that has just risen was never measured and never heard.
        heard = same[:, :, None]
        fresh = np.concatenate([memory.filtered[:, None], filtered[:, :-1]], axis=1)
        fresh_slow = np.concatenate([memory.slow[:, None], slow[:, :-1]], axis=1)
        load_before = np.concatenate([memory.load[:, None], raw["load"][:, :-1]], axis=1)
        step = memory.step[:, None] + np.arange(n_steps)
        neighbour, age, neighbour_memory = self._neighbours(memory, step, fresh, same)
        broadcast = self._broadcast(memory, step, load_before, same)

        predicted = raw["predicted_snr_db"]
        sinr_fresh = np.where(heard, fresh, predicted)
        sinr_neighbour = np.where(age < 1e5, neighbour, predicted)
        age_scale = np.float32(scenario.dt_s / AGE_SCALE_S)
        age_fresh = np.where(heard, age_scale, np.float32(1.0))
        expected_load = np.where(same, broadcast, self._mean_load)

        features = np.zeros((n_worlds, n_steps, scenario.users.count, n_slots, SLOT_SIZE), dtype=np.float32)
        shared = {
            "valid": np.float32(1.0),
            "elevation_rate": np.clip(raw["elevation_rate_deg_s"] * np.float32(ELEVATION_RATE_SCALE), -1, 1),
            "remaining": np.minimum(raw["remaining_s"] * np.float32(1 / scenario.remaining_horizon_s), 1),
            "remaining_short": np.minimum(raw["remaining_s"] * np.float32(1 / REMAINING_SHORT_S), 1),
            "load": expected_load,
        }
        relative = np.radians(raw["azimuth_deg"][:, :, None] - raw["user_course_deg"][..., None])
        if scenario.blockage.street_canyon > 0:
            relative = relative * np.float32(2.0)  # a street looks the same in both directions
        per_user = {
            "elevation": np.clip(raw["elevation_deg"] * np.float32(1 / 90), 0, 1),
            "sinr": scaled_sinr(sinr_neighbour),
            "age": np.minimum(age * age_scale, 1),
            "utility": self._expected_utility(sinr_neighbour, expected_load[:, :, None]),
            "sinr_slow": scaled_sinr(np.where(heard, fresh_slow, predicted)),
            "azimuth_sin": np.sin(relative),
            "azimuth_cos": np.cos(relative),
            "predicted_snr": scaled_sinr(predicted, PREDICTED_HIGH),
        }
        for name, value in shared.items():
            features[..., SLOT[name]] = value[:, :, None] if np.ndim(value) else value
        for name, value in per_user.items():
            features[..., SLOT[name]] = value
        features *= valid[:, :, None, :, None]

        link = np.zeros((n_worlds, n_steps, scenario.users.count, n_slots, len(LINK_COLUMNS)), dtype=np.float32)
        sync = self._sync(raw["sinr_db"], valid)
        rate = self._utility.rate_bit_s(raw["sinr_db"], raw["load"][:, :, None])
        rate = np.where(sync >= Sync.BETWEEN, rate, np.float32(0))
        protocol = scenario.protocol
        round_trip_s = raw["range_m"] * np.float32(2 / SPEED_OF_LIGHT_M_S)
        interruption_s = (
            np.float32(protocol.interruption_s) + np.float32(protocol.interruption_round_trips) * round_trip_s
        )
        columns = {
            "rate": rate,
            "utility": self._utility.of_rate(rate),
            "sync": sync,
            "interruption": np.minimum(interruption_s * np.float32(1 / scenario.dt_s), 1),
            "pass": pass_id[:, :, None],
            "sinr": scaled_sinr(sinr_fresh),
            "age": np.minimum(age_fresh, 1),
            "utility_measured": self._expected_utility(sinr_fresh, expected_load[:, :, None]),
        }
        for name, value in columns.items():
            link[..., LINK[name]] = value
        memory = Memory(
            step=memory.step + n_steps,
            pass_id=pass_id[:, -1].copy(),
            filtered=filtered[:, -1].copy(),
            slow=slow[:, -1].copy(),
            neighbour=neighbour_memory[0],
            neighbour_age=neighbour_memory[1],
            load=raw["load"][:, -1].copy(),
            broadcast=broadcast[:, -1].copy(),
            known=same[:, -1].copy(),
        )
        return memory, {"features": features, "link": link}

    def _sync(self, sinr_db: FloatArray, valid: NDArray[np.bool_]) -> FloatArray:
        protocol = self._scenario.protocol
        code = np.float32(Sync.OUT) + (sinr_db >= protocol.qout_db) + (sinr_db >= protocol.qin_db)
        return np.where(valid[:, :, None], code, np.float32(Sync.EMPTY)).astype(np.float32)

    def _expected_utility(self, sinr_db: FloatArray, load: FloatArray) -> FloatArray:
        """Utility a user expects; below Qout a small negative number tells how far below."""
        qout = np.float32(self._scenario.protocol.qout_db)
        above = self._utility.of_rate(self._utility.rate_bit_s(sinr_db, load))
        below = np.maximum((sinr_db - qout) * np.float32(1 / 20), np.float32(-0.2))
        return np.clip(np.where(sinr_db >= qout, above, below), np.float32(-0.2), np.float32(1.0))

    def _neighbours(
        self, memory: Memory, step: NDArray[np.intp], fresh: FloatArray, same: NDArray[np.bool_]
    ) -> tuple[FloatArray, FloatArray, tuple[FloatArray, FloatArray]]:
        """Return the SINR and its age in steps that a user has of neighbours, and the memory to carry."""
        heard = np.broadcast_to(same[:, :, None], fresh.shape)
        if self._neighbour_steps == 1:
            age = np.where(heard, np.float32(1.0), np.float32(1e6))
            return fresh, age, (fresh[:, -1].copy(), age[:, -1].copy())
        value, age = np.empty_like(fresh), np.empty_like(fresh)
        last_value, last_age = memory.neighbour, memory.neighbour_age
        for t in range(fresh.shape[1]):
            # The sample of step t - 1 is the newest; neighbours are sampled every so many steps, and once at rise.
            first = last_age >= 1e5
            sampled = ((step[:, t] - 1) % self._neighbour_steps == 0)[:, None, None] | first
            last_value = np.where(sampled, fresh[:, t], last_value)
            last_age = np.where(sampled, np.float32(1.0), last_age + np.float32(1.0))
            last_age = np.where(heard[:, t], last_age, np.float32(1e6))
            value[:, t], age[:, t] = last_value, last_age
        return value, age, (last_value, last_age)

    def _broadcast(
        self, memory: Memory, step: NDArray[np.intp], load_before: FloatArray, same: NDArray[np.bool_]
    ) -> FloatArray:
        """Return the load as last broadcast: renewed at fixed times, and read once when a pass is first heard."""
        n_steps = same.shape[1]
        heard_before = np.concatenate([memory.known[:, None], same[:, :-1]], axis=1)
        update = ((step - 1) % self._broadcast_steps == 0)[..., None] | (same & ~heard_before)
        source = np.where(update, np.arange(1, n_steps + 1)[None, :, None], 0)
        source = np.maximum.accumulate(source, axis=1)
        values = np.concatenate([memory.broadcast[:, None], load_before], axis=1)
        return np.take_along_axis(values, source, axis=1)


def _filter(previous: FloatArray, samples: FloatArray, weight: np.float32, same: NDArray[np.bool_]) -> FloatArray:
    """First-order filter F = (1 - w) F + w M along time, restarted with F = M where the pass is new.

    Source: layer-3 filtering, 3GPP TS 38.331 clause 5.5.3.2.
    """
    keep = np.where(same, np.float32(1) - weight, np.float32(0))[:, :, None]
    result = samples * (np.float32(1) - keep)
    last = previous
    kept = np.empty_like(previous)
    for t in range(samples.shape[1]):
        np.multiply(last, keep[:, t], out=kept)
        np.add(result[:, t], kept, out=result[:, t])
        last = result[:, t]
    return result
