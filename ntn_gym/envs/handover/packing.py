"""From a raw trace to what the task reads: the observation's exogenous part and a table of true links.

Everything is computed for many steps at once and packed in few arrays, so that a step is a look-up.
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
    USER_SIZE,
)
from ntn_gym.envs.handover.rules import Sync
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.physics.constants import SPEED_OF_LIGHT_M_S

FloatArray = NDArray[Any]

LINK_COLUMNS = (
    "rate",  # bit/s of a user alone in the cell beside the background load; 0 below Qout
    "utility",  # utility of that rate
    "interruption",  # share of the step that a connection to this slot costs
    "sync",  # rules.Sync code
    "pass",  # number of the pass in the slot (to recognise ping-pong), -1 where empty
)
LINK = {name: index for index, name in enumerate(LINK_COLUMNS)}
MEASURED_COLUMNS = ("sinr", "age", "utility")
"""What a serving link tells of itself at every step, as in the observation, if neighbours are measured less often."""

_RAD_PER_DEG = np.float32(math.pi) / np.float32(180.0)
# Comparing an array with an IntEnum costs several times as much as with a number.
_BETWEEN = np.float32(Sync.BETWEEN)
_BLOCK_LINKS = 32_768
"""Links computed at a time: columns that fit the cache, large enough to hide the cost of a call."""


def scaled_sinr(sinr_db: FloatArray, high: float = SINR_HIGH) -> FloatArray:
    """Scale and clip a SINR as the observation does."""
    scaled = sinr_db - np.float32(SINR_CENTRE_DB)
    scaled *= np.float32(1 / SINR_SCALE_DB)
    np.clip(scaled, np.float32(SINR_LOW), np.float32(high), out=scaled)
    return scaled


class Utility:
    """Rate and utility of a link in a loaded cell.

    Attributes:
        per_reference_rate: 1 / R0 in s/bit.
        per_log: 1 / log(1 + Rmax/R0).
    """

    def __init__(self, scenario: Scenario) -> None:
        """Take the numbers from the scenario."""
        link = scenario.link
        self._gap = np.float32(link.efficiency_gap / math.log(2.0))
        self._cap = np.float32(link.efficiency_cap_bit_s_hz)
        self._bandwidth = np.float32(link.bandwidth_hz)
        self.per_reference_rate = np.float32(1.0 / scenario.reward.reference_rate_bit_s)
        self.per_log = np.float32(1.0 / math.log1p(scenario.max_rate_bit_s / scenario.reward.reference_rate_bit_s))

    def rate_bit_s(self, sinr_db: FloatArray, load: FloatArray) -> FloatArray:
        """Attenuated and capped Shannon rate of the free share of the cell (3GPP TR 36.942 Annex A.2)."""
        rate: FloatArray = np.log1p(from_db(sinr_db))
        rate *= self._gap
        rate = np.minimum(rate, self._cap)
        rate *= self._bandwidth * (np.float32(1.0) - load)
        return rate

    def of_rate(self, rate_bit_s: FloatArray) -> FloatArray:
        """Utility log(1 + R/R0) / log(1 + Rmax/R0), 0 to 1."""
        utility: FloatArray = np.log1p(rate_bit_s * self.per_reference_rate)
        utility *= self.per_log
        return utility


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
            The memory after this chunk, and

            - ``observation`` [B, n, U, K SLOT_SIZE + USER_SIZE]: zero where it depends on decisions;
            - ``link`` [B, n, U, K, columns], see `LINK_COLUMNS`;
            - ``measured`` [B, n, U, K, columns], see `MEASURED_COLUMNS`, unless the observation says the same;
            - ``legal`` [B, n, 1, K]: slots that hold a pass; all of them where none does.
        """
        memory, reports = self._chain.advance(memory, raw)
        shape = raw["sinr_db"].shape
        n_packed = shape[-1] * SLOT_SIZE
        observation = np.empty((*shape[:-1], n_packed + USER_SIZE), dtype=np.float32)
        observation[..., n_packed:] = 0.0
        features = observation[..., :n_packed].reshape(*shape, SLOT_SIZE)
        link = np.empty((*shape, len(LINK_COLUMNS)), dtype=np.float32)
        legal = (raw["pass_id"] >= 0)[:, :, None]
        legal |= ~legal.any(axis=-1, keepdims=True)
        packed = {"observation": observation, "link": link, "legal": legal}
        if reports.neighbour_age is not None:
            packed["measured"] = np.empty((*shape, len(MEASURED_COLUMNS)), dtype=np.float32)
        for block in _blocks(shape, _BLOCK_LINKS):
            part = {name: array[block] for name, array in raw.items()}
            measured = packed["measured"][block] if "measured" in packed else None
            self._pack(part, reports.take(block), features[block], link[block], measured)
        return memory, packed

    def _pack(
        self, raw: Arrays, reports: Reports, features: FloatArray, link: FloatArray, measured: FloatArray | None
    ) -> None:
        """Fill the features, links and measurements of a block of steps."""
        scenario = self._scenario
        predicted = raw["predicted_snr_db"]
        n_users = predicted.shape[2]

        def for_all(shared: NDArray[Any]) -> NDArray[Any]:
            """Repeat what users share: arithmetic on arrays of one shape is several times as fast as broadcasting."""
            return np.repeat(shared[:, :, None], n_users, axis=2)

        valid = for_all((raw["pass_id"] >= 0).astype(np.float32))
        unheard = for_all(~reports.heard)
        load = for_all(np.where(reports.heard, reports.load, self._mean_load))

        def known_db(reported_db: FloatArray) -> FloatArray:
            """Put the prediction where a pass has just risen: it was never measured and never heard."""
            value_db = reported_db.copy()
            np.copyto(value_db, predicted, where=unheard)
            return value_db

        sinr = known_db(reports.sinr_db)
        age = for_all(np.where(reports.heard, min(self._age_scale, np.float32(1)), np.float32(1)))
        utility = self._expected_utility(sinr, load)
        sinr_scaled = scaled_sinr(sinr)
        if measured is None or reports.neighbour_age is None:
            neighbour, neighbour_age, neighbour_utility = sinr_scaled, age, utility
        else:
            neighbour_db = known_db(reports.neighbour_db)
            neighbour = scaled_sinr(neighbour_db)
            neighbour_age = np.minimum(reports.neighbour_age * self._age_scale, 1)
            neighbour_utility = self._expected_utility(neighbour_db, load)
            _write(np.stack([sinr_scaled, age, utility]), measured)

        relative = for_all(raw["azimuth_deg"])
        relative -= raw["user_course_deg"][..., None]
        relative *= _RAD_PER_DEG
        if scenario.blockage.street_canyon > 0:
            relative *= np.float32(2.0)  # a street looks the same in both directions
        remaining_s, rate_deg_s = raw["remaining_s"], raw["elevation_rate_deg_s"]
        known = {
            "valid": np.float32(1.0),
            "serving": np.float32(0.0),  # written by the task
            "elevation": np.clip(raw["elevation_deg"] * np.float32(1 / 90), 0, 1),
            "elevation_rate": for_all(np.clip(rate_deg_s * np.float32(ELEVATION_RATE_SCALE), -1, 1)),
            "sinr": neighbour,
            "age": neighbour_age,
            "utility": neighbour_utility,
            "remaining": for_all(np.minimum(remaining_s * np.float32(1 / scenario.remaining_horizon_s), 1)),
            "remaining_short": for_all(np.minimum(remaining_s * np.float32(1 / REMAINING_SHORT_S), 1)),
            "load": load,
            "sinr_slow": scaled_sinr(known_db(reports.slow_db)),
            "azimuth_sin": np.sin(relative),
            "azimuth_cos": np.cos(relative),
            "predicted_snr": scaled_sinr(predicted, PREDICTED_HIGH),
            "attached": np.float32(0.0),  # written by the task
        }
        columns = np.empty((SLOT_SIZE, *predicted.shape), dtype=np.float32)
        for name, value in known.items():
            np.multiply(value, valid, out=columns[SLOT[name]])  # empty slots are zero
        _write(columns, features)

        columns = np.empty((len(LINK_COLUMNS), *predicted.shape), dtype=np.float32)
        sync = columns[LINK["sync"]]
        self._sync(raw["sinr_db"], valid, sync)
        rate = self._utility.rate_bit_s(raw["sinr_db"], for_all(raw["load"]))
        rate *= sync >= _BETWEEN
        protocol = scenario.protocol
        # Round trips to the node and the fixed part, as a share of the step.
        interruption_s = raw["range_m"] * np.float32(2 / SPEED_OF_LIGHT_M_S)
        interruption_s *= np.float32(protocol.interruption_round_trips)
        interruption_s += np.float32(protocol.interruption_s)
        interruption_s *= np.float32(1 / scenario.dt_s)
        truth = {
            "rate": rate,
            "utility": self._utility.of_rate(rate),
            "interruption": np.minimum(interruption_s, 1, out=interruption_s),
            "pass": raw["pass_id"][:, :, None],
        }
        for name, value in truth.items():
            columns[LINK[name]] = value
        _write(columns, link)

    def _sync(self, sinr_db: FloatArray, valid: FloatArray, code: FloatArray) -> None:
        """Write the `rules.Sync` codes of links."""
        protocol = self._scenario.protocol
        np.add(sinr_db >= protocol.qout_db, sinr_db >= protocol.qin_db, out=code, dtype=np.float32)
        code += np.float32(Sync.OUT - Sync.EMPTY)
        code *= valid
        code += np.float32(Sync.EMPTY)

    def _expected_utility(self, sinr_db: FloatArray, load: FloatArray) -> FloatArray:
        """Utility a user expects; below Qout a small negative number tells how far below."""
        qout = np.float32(self._scenario.protocol.qout_db)
        below = sinr_db - qout
        below *= np.float32(1 / 20)
        np.clip(below, np.float32(-0.2), np.float32(0.0), out=below)
        utility = self._utility.of_rate(self._utility.rate_bit_s(sinr_db, load))
        np.minimum(utility, np.float32(1.0), out=utility)
        # One of the two is 0 everywhere: the sum chooses without a branch that nobody can predict.
        utility *= sinr_db >= qout
        utility += below
        return utility


def _write(columns: FloatArray, rows: FloatArray) -> None:
    """Turn columns [n, b, t, U, K] into rows [b, t, U, K, n]."""
    rows[:] = np.moveaxis(columns, 0, -1)


def _blocks(shape: tuple[int, ...], n_links: int) -> Iterator[tuple[slice, slice]]:
    """Cut [B, n, U, K] into slices of worlds and steps that hold about so many links."""
    n_worlds, n_steps, *rest = shape
    steps = min(n_steps, max(1, n_links // math.prod(rest)))
    worlds = max(1, n_links // (steps * math.prod(rest)))
    for world in range(0, n_worlds, worlds):
        for step in range(0, n_steps, steps):
            yield slice(world, world + worlds), slice(step, step + steps)
