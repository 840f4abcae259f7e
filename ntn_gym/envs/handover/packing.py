"""From a raw trace to what the task reads: the observation's exogenous part and a table of true links.

Everything is computed for many steps at once and packed in two arrays, so that a step is a look-up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.handover.channel import from_db
from ntn_gym.envs.handover.measurement import MeasurementChain, Memory, Reports
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

_BLOCK_LINKS = 65_536
"""Links computed at a time: columns that fit the cache, large enough to hide the cost of a call."""
_WRITE_LINKS = 8192
"""Links written at a time: rows of all columns that fit the cache, because every column touches every row."""


def scaled_sinr(sinr_db: FloatArray, high: float = SINR_HIGH) -> FloatArray:
    """Scale and clip a SINR as the observation does."""
    scaled = sinr_db - np.float32(SINR_CENTRE_DB)
    scaled *= np.float32(1 / SINR_SCALE_DB)
    np.clip(scaled, np.float32(SINR_LOW), np.float32(high), out=scaled)
    return scaled


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
        rate: FloatArray = efficiency * (self._bandwidth * (np.float32(1.0) - load))
        return rate

    def of_rate(self, rate_bit_s: FloatArray) -> FloatArray:
        """Utility log(1 + R/R0) / log(1 + Rmax/R0), 0 to 1."""
        return np.log1p(rate_bit_s * self._inverse_reference) * self._scale


class Packer:
    """Compiles raw traces of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Precompute constants."""
        self._scenario = scenario
        self._chain = MeasurementChain(scenario)
        self._utility = Utility(scenario)
        self._mean_load = np.float32(1.0 / (1.0 + math.exp(-scenario.load.mean_logit)))
        self._age_scale = np.float32(scenario.dt_s / AGE_SCALE_S)

    def compile(self, memory: Memory | None, raw: Arrays) -> tuple[Memory, Arrays]:
        """Pack the next steps of a raw trace.

        Args:
            memory: Memory after the previous chunk; None at the start of an episode.
            raw: Raw arrays [B, n, ...], see `world.trace_fields`.

        Returns:
            The memory after this chunk, and ``features`` [B, n, U, K, SLOT_SIZE] and ``link`` [B, n, U, K, columns],
            both float32.
        """
        memory, reports = self._chain.advance(memory, raw)
        shape = raw["sinr_db"].shape
        features = np.zeros((*shape, SLOT_SIZE), dtype=np.float32)
        link = np.empty((*shape, len(LINK_COLUMNS)), dtype=np.float32)
        for block in _blocks(shape, _BLOCK_LINKS):
            part = {name: array[block] for name, array in raw.items()}
            self._pack(part, reports.take(block), features[block], link[block])
        return memory, {"features": features, "link": link}

    def _pack(self, raw: Arrays, reports: Reports, features: FloatArray, link: FloatArray) -> None:
        """Fill the features and links of a block of steps."""
        scenario = self._scenario
        valid = (raw["pass_id"] >= 0).astype(np.float32)
        heard = reports.heard[:, :, None]
        predicted = raw["predicted_snr_db"]
        load = np.where(reports.heard, reports.load, self._mean_load)[:, :, None]
        # A pass that has just risen was never measured and never heard.
        sinr = np.where(heard, reports.sinr_db, predicted)
        age = np.where(heard, min(self._age_scale, np.float32(1)), np.float32(1))
        utility = self._expected_utility(sinr, load)
        sinr_scaled = scaled_sinr(sinr)
        if reports.neighbour_age is None:
            neighbour, neighbour_age, neighbour_utility = sinr_scaled, age, utility
        else:
            neighbour_db = np.where(heard, reports.neighbour_db, predicted)
            neighbour = scaled_sinr(neighbour_db)
            neighbour_age = np.minimum(reports.neighbour_age * self._age_scale, 1)
            neighbour_utility = self._expected_utility(neighbour_db, load)

        relative = np.radians(raw["azimuth_deg"][:, :, None] - raw["user_course_deg"][..., None])
        if scenario.blockage.street_canyon > 0:
            relative = relative * np.float32(2.0)  # a street looks the same in both directions
        remaining_s = raw["remaining_s"][:, :, None]
        known = {
            "valid": np.float32(1.0),
            "elevation": np.clip(raw["elevation_deg"] * np.float32(1 / 90), 0, 1),
            "elevation_rate": np.clip(raw["elevation_rate_deg_s"] * np.float32(ELEVATION_RATE_SCALE), -1, 1)[
                :, :, None
            ],
            "sinr": neighbour,
            "age": neighbour_age,
            "utility": neighbour_utility,
            "remaining": np.minimum(remaining_s * np.float32(1 / scenario.remaining_horizon_s), 1),
            "remaining_short": np.minimum(remaining_s * np.float32(1 / REMAINING_SHORT_S), 1),
            "load": load,
            "sinr_slow": scaled_sinr(np.where(heard, reports.slow_db, predicted)),
            "azimuth_sin": np.sin(relative),
            "azimuth_cos": np.cos(relative),
            "predicted_snr": scaled_sinr(predicted, PREDICTED_HIGH),
        }
        columns = [(SLOT[name], value * valid[:, :, None]) for name, value in known.items()]  # empty slots are zero
        _write(columns, features)

        sync = self._sync(raw["sinr_db"], valid[:, :, None])
        rate = self._utility.rate_bit_s(raw["sinr_db"], raw["load"][:, :, None])
        rate *= sync >= Sync.BETWEEN
        protocol = scenario.protocol
        round_trip_s = raw["range_m"] * np.float32(2 / SPEED_OF_LIGHT_M_S)
        interruption_s = round_trip_s * np.float32(protocol.interruption_round_trips)
        interruption_s += np.float32(protocol.interruption_s)
        truth = {
            "rate": rate,
            "utility": self._utility.of_rate(rate),
            "sync": sync,
            "interruption": np.minimum(interruption_s * np.float32(1 / scenario.dt_s), 1),
            "pass": raw["pass_id"][:, :, None],
            "sinr": sinr_scaled,
            "age": age,
            "utility_measured": utility,
        }
        _write([(LINK[name], value) for name, value in truth.items()], link)

    def _sync(self, sinr_db: FloatArray, valid: FloatArray) -> FloatArray:
        protocol = self._scenario.protocol
        code = (sinr_db >= protocol.qout_db).astype(np.float32)
        code += sinr_db >= protocol.qin_db
        code += np.float32(Sync.OUT - Sync.EMPTY)
        code *= valid
        code += np.float32(Sync.EMPTY)
        return code

    def _expected_utility(self, sinr_db: FloatArray, load: FloatArray) -> FloatArray:
        """Utility a user expects; below Qout a small negative number tells how far below."""
        qout = np.float32(self._scenario.protocol.qout_db)
        above = self._utility.of_rate(self._utility.rate_bit_s(sinr_db, load))
        below = np.maximum((sinr_db - qout) * np.float32(1 / 20), np.float32(-0.2))
        return np.clip(np.where(sinr_db >= qout, above, below), np.float32(-0.2), np.float32(1.0))


def _write(columns: list[tuple[int, FloatArray]], rows: FloatArray) -> None:
    """Copy columns [b, t, U or 1, K] to their places in rows [b, t, U, K, n]."""
    for block in _blocks(rows.shape[:-1], _WRITE_LINKS):
        part = rows[block]
        for index, values in columns:
            part[..., index] = values[block]


def _blocks(shape: tuple[int, ...], n_links: int) -> Iterator[tuple[slice, slice]]:
    """Cut [B, n, U, K] into slices of worlds and steps that hold about so many links."""
    n_worlds, n_steps, *rest = shape
    steps = min(n_steps, max(1, n_links // math.prod(rest)))
    worlds = max(1, n_links // (steps * math.prod(rest)))
    for world in range(0, n_worlds, worlds):
        for step in range(0, n_steps, steps):
            yield slice(world, world + worlds), slice(step, step + steps)
