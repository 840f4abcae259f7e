"""From a raw trace to what the task reads: true links, and what users know of them, for many steps at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.multi_connectivity.channel import antennas_of_slots, from_db, isolation_of_slots, reserved_sinr_db
from ntn_gym.envs.multi_connectivity.measurement import MeasurementChain, Memory
from ntn_gym.envs.multi_connectivity.observation import (
    AGE_SCALE_S,
    CHANGE_SCALE_DB,
    EXCESS_SCALE_DB,
    REMAINING_LONG_S,
    REMAINING_SHORT_S,
    SPEED_HIGH,
    SPEED_SCALE_M_S,
    USER,
    USER_ENTRIES,
    scaled_sinr,
)
from ntn_gym.envs.multi_connectivity.rates import Efficiency, back_off
from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.envs.multi_connectivity.sets import SetTable, gather

FloatArray = NDArray[Any]

KNOWN = ("minus_sinr", "minus_excess", "sinr", "age", "rate", "free", "power", "quality")
ALWAYS, SHOWN = 5, 4
"""Rows of ``reported``: scaled SINR (power over noise where all bands are shared) and measured minus predicted, both
with a minus because the lowest of a set counts; SINR and age; expected rate of the reserved port alone in Mbit/s; and,
where a combining rule asks for them, free share of the node as broadcast, power over noise, and SINR as a ratio. The
first `ALWAYS` are always there, the first `SHOWN` become entries of the observation."""
ROW = {name: index for index, name in enumerate(KNOWN)}
PREDICTED = ("minus_remaining_short", "minus_remaining", "minus_change", "minus_elevation")
"""Rows of ``predicted``: of all of them the lowest of a set counts."""


def mean_load(scenario: Scenario) -> float:
    """Mean of the background load: the squashed Gaussian integrated over its law."""
    z, weight = np.polynomial.hermite_e.hermegauss(32)
    share = 1.0 / (1.0 + np.exp(-(scenario.load.mean_logit + scenario.load.spread_logit * z)))
    return float((share * weight).sum() / math.sqrt(2 * math.pi))


def band_of_ports_mbit(scenario: Scenario) -> NDArray[np.float32]:
    """Bandwidth of every port in Mbit/s per bit/s/Hz, [P]."""
    own = [antenna.bandwidth_hz for antenna in antennas_of_slots(scenario)]
    if scenario.stations is not None:
        own += [scenario.stations.bandwidth_hz] * scenario.n_station_slots
    bands = [
        own if mode == "reserved" else [scenario.spectrum.shared_bandwidth_hz] * len(own) for mode in scenario.modes
    ]
    return np.concatenate(bands).astype(np.float32) * np.float32(1e-6)


class Packer:
    """Compiles raw traces of one scenario."""

    def __init__(self, scenario: Scenario, sets: SetTable) -> None:
        """Precompute constants."""
        self._scenario, self._sets = scenario, sets
        self._chain = MeasurementChain(scenario, mean_load(scenario))
        self._efficiency = Efficiency(scenario)
        self._band = band_of_ports_mbit(scenario)
        self._isolation = isolation_of_slots(scenario)
        self._back_off = back_off(scenario)
        self._n_modes = len(scenario.modes)
        self._shared = "shared" in scenario.modes
        self._reserved = "reserved" in scenario.modes
        self._whole = self._shared or scenario.combining.rule == "mrc"
        self._slots_of = sets.members.reshape(sets.n_sets, self._n_modes, scenario.n_slots).any(axis=1)

    def compile(self, memory: Memory | None, raw: Arrays) -> tuple[Memory, Arrays]:
        """Pack the next steps of a raw trace.

        Args:
            memory: Memory after the previous chunk; None at the start of an episode.
            raw: Raw arrays [B, n, ...], see `trace_fields`.

        Returns:
            The memory after this chunk, and the packed arrays:
            ``resource`` node and band of each port, as one number (R for none), [U, P];
            ``same`` ports whose node is the one of the step before, [U, P];
            ``renewed`` resources that have just risen, [R + 1];
            ``legal`` sets whose members are all there, [U, S];
            ``ordered`` whether the controlling satellite is the one of the step before, [1];
            ``free`` free band of each port, [U, P]; ``rate`` rate alone of reserved ports, [U, P];
            ``sinr`` of reserved ports as a ratio, [U, K], for maximum-ratio combining;
            ``power`` power over noise, [U, K], ``far`` likewise of stations in no slot, [U], and ``background`` of
            resources, [R], where bands are shared; ``aligned`` sets within the cyclic prefix, [U, S], for joint
            transmission; ``reported`` [2 (linked, other), KNOWN, U, K]; ``predicted`` [PREDICTED, U, K];
            ``person`` the user's entries of the observation, [U, 6 + K].
        """
        scenario = self._scenario
        n_sky, n_nodes = scenario.n_sky_slots, scenario.n_nodes
        node = raw["node"].astype(np.int32)
        held = node >= 0
        previous = memory
        fade_db = raw.get("fade_db", np.float32(0))
        # Terminals average over fading. Where bands are shared they measure powers.
        measured_db = (raw["snr_db"] if self._shared else raw["sinr_db"]) - fade_db
        predicted_db = raw["predicted_snr_db"]
        margin_db = np.float32(0)  # expected rise of the noise in the reserved band
        if self._reserved:
            args = held, raw["far_power"], scenario, self._isolation
            alone_db = reserved_sinr_db(predicted_db, *args)
            if self._shared:
                margin_db = predicted_db - alone_db
            else:
                predicted_db = alone_db
        memory, reports = self._chain.advance(memory, raw, measured_db, predicted_db)
        shape = node.shape

        n_resources = n_nodes * self._n_modes
        ports = [np.where(held, node + mode * n_nodes, n_resources) for mode in range(self._n_modes)]
        same = held & ~raw["new_node"]
        controller = raw["controller"][..., 0]
        first = np.full(len(node), -1, np.int8) if previous is None else previous.controller
        controller_before = np.concatenate([first[:, None], controller[:, :-1]], axis=1)
        appointed = np.maximum(controller, 0).astype(np.intp)[..., None]
        rose = np.take_along_axis(raw["new_node"][:, :, 0, :n_sky], appointed, axis=-1)[..., 0]
        ordered = (controller == controller_before) & (controller >= 0) & ~rose
        renewed = np.zeros((*shape[:2], n_resources + 1), dtype=bool)
        for mode in range(self._n_modes):
            renewed[..., mode * n_nodes : mode * n_nodes + n_sky] = raw["new_node"][:, :, 0, :n_sky]
        packed: Arrays = {
            "resource": np.concatenate(ports, axis=-1).astype(np.int32),
            "same": np.concatenate([same] * self._n_modes, axis=-1),
            "renewed": renewed,
            "legal": self._legal(held, raw["in_cluster"]),
            "ordered": ordered[..., None],
        }
        starts = np.arange(shape[0] * shape[1]).reshape(*shape[:2], 1, 1) * n_nodes
        at_node = np.maximum(node, 0) + starts
        free = (np.float32(1) - raw["load"]).ravel().take(at_node)
        free_told = (np.float32(1) - reports.load).ravel().take(at_node)
        packed["free"] = np.concatenate([free] * self._n_modes, axis=-1) * self._band
        rows = len(KNOWN) if self._whole else ALWAYS
        reported = np.zeros((*shape[:2], 2, rows, *shape[2:]), dtype=np.float32)
        for way, (value_db, age_s) in enumerate(
            ((reports.linked_db, reports.linked_age_s), (reports.other_db, reports.other_age_s))
        ):
            known = reported[:, :, way]
            sinr = scaled_sinr(value_db - margin_db)
            known[:, :, ROW["sinr"]] = sinr
            np.negative(sinr, out=known[:, :, ROW["minus_sinr"]])
            excess = (predicted_db - value_db) * np.float32(1 / EXCESS_SCALE_DB)
            np.clip(excess, np.float32(-2), np.float32(2), out=known[:, :, ROW["minus_excess"]])
            known[:, :, ROW["age"]] = age_s * np.float32(1 / AGE_SCALE_S)
            quality = from_db(value_db - margin_db)
            if self._reserved:
                efficiency = self._efficiency.of(quality * self._back_off)
                known[:, :, ROW["rate"]] = free_told * self._band[: shape[-1]] * efficiency
            if self._whole:
                known[:, :, ROW["free"]] = free_told
                known[:, :, ROW["power"]] = from_db(value_db)
                known[:, :, ROW["quality"]] = quality
        packed["reported"] = reported
        if self._reserved:
            sinr = from_db(raw["sinr_db"])
            if scenario.combining.rule == "mrc":
                packed["sinr"] = sinr * held
            packed["rate"] = self._efficiency.of(sinr * self._back_off) * packed["free"][..., : shape[-1]] * held
        if self._shared:
            packed["power"] = from_db(raw["snr_db"]) * held
            packed["far"] = raw["far_power"]
            packed["background"] = np.concatenate([raw["load"]] * self._n_modes, axis=-1)
        if scenario.combining.is_joint:
            packed["aligned"] = self._aligned(raw["delay_us"], held)
        packed["predicted"] = self._predicted(raw, held)
        packed["person"] = self._person(raw, node, appointed)
        return memory, packed

    def _person(self, raw: Arrays, node: NDArray[np.int32], appointed: NDArray[np.intp]) -> FloatArray:
        """Entries of the user in the observation; 0 where they follow from decisions."""
        person = np.zeros((*node.shape[:3], len(USER_ENTRIES) + node.shape[3]), dtype=np.float32)
        speed = raw["speed_m_s"] * np.float32(1 / SPEED_SCALE_M_S)
        person[..., USER["speed"]] = np.minimum(speed, np.float32(SPEED_HIGH))
        left = np.take_along_axis(raw["remaining_s"], appointed, axis=-1) * (raw["controller"] >= 0)
        person[..., USER["controller"]] = np.minimum(left * np.float32(1 / REMAINING_LONG_S), np.float32(1))
        person[..., len(USER_ENTRIES) :] = (node + 1) * np.float32(1 / self._scenario.n_nodes)
        return person

    def _legal(self, held: NDArray[np.bool_], in_cluster: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Sets whose members are all there, and within reach of the controlling satellite where they need it."""
        sets, n_sky = self._sets, in_cluster.shape[-1]
        there = np.concatenate([*[held] * self._n_modes, np.ones((*held.shape[:3], 1), dtype=bool)], axis=-1)
        legal = there.take(sets.legs[0], axis=-1)
        for legs in sets.legs[1:]:
            legal &= there.take(legs, axis=-1)
        if sets.controlled.any():
            satellites = sum(tier.slots for tier in self._scenario.satellites)
            slots = self._slots_of[:, :n_sky] & (np.arange(n_sky) < satellites) & sets.controlled[:, None]
            outside = ~in_cluster[:, :, None]
            for k in range(n_sky):
                legal &= ~(outside[..., k, None] & slots[:, k])
        return legal

    def _aligned(self, delay_us: FloatArray, held: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Sets whose signals arrive within the cyclic prefix of each other, [B, n, U, S].

        Source: orthogonality of OFDM, 3GPP TS 38.211 clause 5.3.1; alignment as in Li and Shang, section III-D.
        """
        nothing = np.zeros((*held.shape[:3], 1), dtype=np.float32)
        delays = np.concatenate([delay_us] * self._n_modes + [nothing], axis=-1)
        legs = gather(delays, self._sets.legs)
        spread_us = legs.max(axis=-2) - legs.min(axis=-2)
        return spread_us <= np.float32(1e6 * self._scenario.combining.cyclic_prefix_s)

    def _predicted(self, raw: Arrays, held: NDArray[np.bool_]) -> FloatArray:
        """Rows `PREDICTED`; anything where a slot is empty."""
        n_sky = self._scenario.n_sky_slots
        result = np.full((*held.shape[:2], len(PREDICTED), *held.shape[2:]), -1.0, dtype=np.float32)
        remaining_s = raw["remaining_s"][:, :, None]
        result[:, :, 0, :, :n_sky] = -np.minimum(remaining_s * np.float32(1 / REMAINING_SHORT_S), 1)
        result[:, :, 1, :, :n_sky] = -np.minimum(remaining_s * np.float32(1 / REMAINING_LONG_S), 1)
        result[:, :, 2] = np.clip(raw["predicted_change_db"] * np.float32(-1 / CHANGE_SCALE_DB), -1, 1)
        result[:, :, 3, :, :n_sky] = -np.clip(raw["elevation_deg"] * np.float32(1 / 90), 0, 1)[:, :, None]
        result[:, :, 3, :, n_sky:] = 0
        return result
