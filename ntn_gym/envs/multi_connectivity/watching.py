"""What users see before they decide: the numbers of every candidate set."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.multi_connectivity.admission import offsets
from ntn_gym.envs.multi_connectivity.observation import (
    LOAD_HIGH,
    LOAD_SCALE,
    REMAINING_LONG_S,
    SET,
    SET_SIZE,
    SINCE_SCALE_S,
    USER,
    USER_ENTRIES,
    UTILITY_HIGH,
    user_size,
)
from ntn_gym.envs.multi_connectivity.packing import ROW
from ntn_gym.envs.multi_connectivity.rates import Utility
from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.envs.multi_connectivity.service import Service
from ntn_gym.envs.multi_connectivity.sets import SetTable
from ntn_gym.envs.multi_connectivity.state import State

FloatArray = NDArray[Any]

# Entries that are the lowest of a set's members, and those that are the highest.
LOWEST = ("sinr_low", "remaining_short", "remaining", "change", "excess", "elevation")
HIGHEST = ("sinr_high", "load", "age", "refused")
_ENTRY = np.array([SET[name] for name in (*LOWEST, *HIGHEST)])


class Watcher:
    """Puts observations together."""

    def __init__(self, scenario: Scenario, sets: SetTable, service: Service) -> None:
        """Prepare what does not change."""
        self._scenario, self._sets, self._service = scenario, sets, service
        self._n_modes, self._n_slots = len(scenario.modes), scenario.n_slots
        self._utility = Utility(scenario)
        self._joint = scenario.combining.is_joint
        most = scenario.architecture.max_links
        self._most = np.float32(most)
        fixed = np.zeros((sets.n_sets, SET_SIZE), dtype=np.float32)
        fixed[:, SET["size"]] = sets.size / most
        fixed[:, SET["sky"]] = sets.n_sky / most
        fixed[:, SET["shared"]] = (np.array(scenario.modes)[sets.mode] == "shared") & (sets.size > 0)
        self._fixed = fixed
        self._legs = np.ascontiguousarray(sets.legs)
        n_ports = sets.n_ports
        # Each set's members that are new if the present set is another one: [present, S].
        overlap = sets.members.astype(np.int64) @ sets.members.astype(np.int64).T
        self._added = ((sets.size - overlap) / most).astype(np.float32)
        self._n_ports = n_ports

    def measured(self, now: Now, linked: NDArray[np.bool_]) -> FloatArray:
        """Measured SINR of every port as the users report it, scaled, [B, U, P]."""
        reported = now["reported"]
        ways = [reported[:, way, ROW["sinr"]] for way in (0, 1)]
        if self._n_modes > 1:
            ways = [np.concatenate([way] * self._n_modes, axis=-1) for way in ways]
        return np.where(linked, ways[0], ways[1])

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """Return the observation of every user, [B, U, obs]; see the page of the environment."""
        sets, n_ports = self._sets, self._n_ports
        linked = state.linked & now["same"]
        current = sets.index(linked)
        n_worlds, n_users = current.shape
        at_slot = linked
        if self._n_modes > 1:
            at_slot = linked.reshape(n_worlds, n_users, self._n_modes, self._n_slots).any(axis=2)
        reported = now["reported"]
        known = np.where(at_slot[:, None], reported[:, 0], reported[:, 1])  # [B, KNOWN, U, K]
        predicted = now["predicted"]
        resource = now["resource"]
        told = np.where(now["renewed"], np.float32(0), state.broadcast)
        told = np.concatenate([told, np.zeros((n_worlds, 1), dtype=np.float32)], axis=1)
        load = told.ravel().take(resource + offsets(n_worlds, told.shape[1] - 1))
        share = np.float32(1) / np.maximum(load + (np.float32(1) - linked), np.float32(1))
        rows = {name: known[:, index] for name, index in ROW.items()}
        expected = self._service.expected_mbit_s(now, rows, share, state.busy)

        # Lowest and highest of the members: [numbers, B, U, P + 1], highest as they are, lowest negative.
        numbers = np.zeros((len(_ENTRY), n_worlds, n_users, n_ports + 1), dtype=np.float32)
        step = self._n_slots
        for mode in range(self._n_modes):
            ports = np.s_[..., mode * step : (mode + 1) * step]
            np.negative(rows["sinr"], out=numbers[0][ports])
            np.negative(predicted[:, :3].swapaxes(0, 1), out=numbers[1:4][ports])
            np.negative(rows["excess"], out=numbers[4][ports])
            np.negative(predicted[:, 3], out=numbers[5][ports])
            numbers[6][ports] = rows["sinr"]
            numbers[8][ports] = rows["age"]
        np.multiply(load, np.float32(1 / LOAD_SCALE), out=numbers[7][..., :n_ports])
        np.minimum(numbers[7], np.float32(LOAD_HIGH), out=numbers[7])
        numbers[9][..., :n_ports] = state.refused
        worst = numbers.take(self._legs[0], axis=-1)
        for legs in self._legs[1:]:
            np.maximum(worst, numbers.take(legs, axis=-1), out=worst)
        np.negative(worst[: len(LOWEST)], out=worst[: len(LOWEST)])

        n_sets = sets.n_sets
        result = np.empty((n_worlds, n_users, n_sets * SET_SIZE + user_size(self._scenario)), dtype=np.float32)
        blocks = result[..., : n_sets * SET_SIZE].reshape(n_worlds, n_users, n_sets, SET_SIZE)
        blocks[:] = self._fixed
        for entry, values in zip(_ENTRY.tolist(), worst, strict=True):
            blocks[..., entry] = values
        for name, rate in zip(("utility", "utility_alone"), expected, strict=True):
            blocks[..., SET[name]] = np.minimum(self._utility.of(rate), np.float32(UTILITY_HIGH))
        blocks[..., SET["added"]] = self._added.take(current, axis=0)
        if self._joint:
            blocks[..., SET["aligned"]] = now["aligned"]
        legal = now["legal"]
        if not legal.all():
            blocks *= legal[..., None]
        blocks[..., SET["valid"]] = legal
        result.reshape(-1)[_present(current, result.shape[-1])] = 1.0

        person = result[..., n_sets * SET_SIZE :]
        person[..., USER["average"]] = state.average
        person[..., USER["links"]] = np.add.reduce(linked, axis=-1) / self._most
        person[..., USER["refused"]] = state.refused.any(axis=-1)
        since_s = state.since * (self._scenario.dt_s / SINCE_SCALE_S)
        person[..., USER["since"]] = np.minimum(since_s, 1.0)
        left = np.minimum(now["controller_s"] * np.float32(1 / REMAINING_LONG_S), np.float32(1))
        person[..., USER["controller"]] = left
        known_person = now["person"]
        person[..., USER["speed"]] = known_person[..., 0]
        person[..., len(USER_ENTRIES) :] = known_person[..., 1:]
        return result


def _present(current: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Index of the entry "current" of each user's present set in the flat observation."""
    starts = (np.arange(current.size) * size).reshape(current.shape)
    return starts + current * SET_SIZE + SET["current"]
