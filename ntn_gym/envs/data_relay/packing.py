"""Turn a raw trace into what steps and observations read: one array of ready features, and integers for the flows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.data_relay.observation import (
    GAIN_S,
    GAP_S,
    REMAINING_S,
    REMAINING_SHORT_S,
    SLOT,
    SLOT_SIZE,
    USER,
    USER_SIZE,
    VOLUME_BITS,
    WAIT_S,
)
from ntn_gym.envs.data_relay.outlook import NEXT_PASSES
from ntn_gym.envs.data_relay.scenario import Scenario

Floats = NDArray[Any]


class Packer:
    """Compiles the raw trace of a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Prepare the tables of receivers."""
        self._scenario = scenario
        names, hags = scenario.stations.names, scenario.stations.hags
        self._n_stations = len(names)
        # HAGS of a receiver, -1 without one; the last entry serves empty slots (receiver -1).
        table = [hags.index(name) if name in hags else -1 for name in names]
        self.hags_of = np.array([*table, *[-1] * scenario.satellites.count, -1], dtype=np.int64)

    def compile(self, carry: None, raw: Arrays) -> tuple[None, Arrays]:
        """Pack slices [B, n, ...]; every slice follows from itself alone."""
        scenario, stations = self._scenario, self._n_stations
        receiver = raw["receiver"].astype(np.int64)
        valid = receiver >= 0
        site = np.where(valid & (receiver < stations), receiver, -1)
        neighbour = receiver >= stations
        hags = self.hags_of[receiver]
        has_hags = hags >= 0

        def of_site(values: NDArray[Any], otherwise: float) -> Floats:
            """Values of stations [B, n, G] at the slots [B, n, S, K]."""
            padded = np.concatenate((values, np.full((*values.shape[:2], 1), otherwise, dtype=values.dtype)), axis=2)
            flat = site.reshape(*site.shape[:2], -1)
            return np.take_along_axis(padded, flat, axis=2).reshape(site.shape)

        clear = of_site(raw["clear"].astype(np.float32), 0.0) > 0.5
        clear |= neighbour
        clear &= valid
        decline_s = raw["decline_wait_s"]
        limit = np.float32(WAIT_S)
        site_wait = of_site(raw["site_wait_s"], 0.0)
        # A station without storage is of no use under clouds, whatever comes later.
        wait_s = np.where(clear, np.float32(0.0), np.where(has_hags, site_wait, limit))
        if scenario.n_neighbours:
            own = np.where(valid & ~neighbour, wait_s, limit).min(axis=-1)
            best = np.minimum(own, decline_s)
            other = np.maximum(receiver - stations, 0)
            passed_on = np.take_along_axis(best, other.reshape(*best.shape[:2], -1), axis=2).reshape(receiver.shape)
            wait_s = np.where(neighbour, passed_on, wait_s)
        volume = raw["rate_bit_s"] * raw["remaining_s"]
        plan_s = np.where(neighbour, np.float32(0.0), of_site(raw["site_plan_s"], 0.0))

        columns = {
            "valid": valid,
            "clear": clear,
            "hags": has_hags & valid,
            "neighbour": neighbour,
            "remaining": raw["remaining_s"] / np.float32(REMAINING_S),
            "remaining_short": raw["remaining_s"] / np.float32(REMAINING_SHORT_S),
            "rate": raw["rate_bit_s"] / max(scenario.links.model.rate_bit_s, scenario.links.isl_rate_bit_s),
            "plan": plan_s / limit,
            "receiver": (receiver + 1) / (stations + scenario.satellites.count),
        }
        n_slots, n_orders = scenario.n_targets, scenario.n_classes
        size = n_slots * n_orders * SLOT_SIZE
        features = np.zeros((*receiver.shape[:3], size + USER_SIZE), dtype=np.float32)
        slots = features[..., :size].reshape(*receiver.shape[:3], n_orders, n_slots, SLOT_SIZE)
        for name, values in columns.items():
            clipped = np.minimum(np.where(valid, values, 0), 1)
            for order in range(n_orders):
                slots[..., order, :, SLOT[name]] = clipped
        if n_orders == 2:
            slots[..., 1, :, SLOT["routine_first"]] = valid
        features[..., :size] = slots.reshape(*receiver.shape[:3], size)
        self._user(raw, features[..., size:])
        time_ms = np.rint(raw["time_s"] * 1e3).astype(np.int64)
        packed: Arrays = {
            "features": features,
            "receiver": receiver,
            "hags": np.where(valid, hags, -1),
            "rate_bit_ms": np.floor(raw["rate_bit_s"] / 1e3).astype(np.int64),
            "slot_clear": clear,
            "slot_wait_s": wait_s.astype(np.float32),
            "slot_volume": volume.astype(np.float32),
            "decline_s": decline_s.astype(np.float32),
            "clear": raw["clear"],
            "arrival_bits": raw["arrival_bits"],
            "duration_ms": raw["duration_ms"],
            "acquisition_ms": np.rint(raw["acquisition_s"] * 1e3).astype(np.int64),
            "cutoff": raw["cutoff"],
            "ends": time_ms + raw["duration_ms"] >= scenario.horizon_ms,
        }
        return None, packed

    def _user(self, raw: Arrays, user: NDArray[np.float32]) -> None:
        """Write what is known of each satellite before any decision, [B, n, S, USER_SIZE]."""
        scenario = self._scenario
        horizon_s = scenario.horizon_ms / 1e3
        everybody = {
            "elapsed": raw["elapsed_s"] / scenario.max_epoch_s,
            "left": 1.0 - raw["time_s"] / horizon_s,
            "cutoff": raw["cutoff_in_s"] / GAIN_S,
        }
        for name, values in everybody.items():
            user[..., USER[name]] = np.clip(values, 0.0, 1.0)[..., None]
        user[..., USER["decline"]] = np.minimum(raw["decline_wait_s"] / np.float32(WAIT_S), 1)
        user[..., USER["decline_plan"]] = np.minimum(raw["decline_plan_s"] / np.float32(WAIT_S), 1)
        over_hags = self.hags_of[raw["next_station"]] >= 0
        for n in range(NEXT_PASSES):
            user[..., USER[f"gap_{n}"]] = np.minimum(raw["next_gap_s"][..., n] / np.float32(GAP_S), 1)
            user[..., USER[f"duration_{n}"]] = np.minimum(raw["next_duration_s"][..., n] / np.float32(REMAINING_S), 1)
            user[..., USER[f"chance_{n}"]] = raw["next_clear"][..., n]
            user[..., USER[f"next_hags_{n}"]] = over_hags[..., n] & (raw["next_station"][..., n] >= 0)


VOLUME_LIMIT = 4.0 * VOLUME_BITS
"""Volumes are clipped there in the observation."""
