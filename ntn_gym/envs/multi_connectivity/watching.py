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
    SET,
    SET_ENTRIES,
    SET_SIZE,
    SINCE_SCALE_S,
    USER,
    UTILITY_HIGH,
    user_size,
)
from ntn_gym.envs.multi_connectivity.packing import ROW, SHOWN
from ntn_gym.envs.multi_connectivity.rates import Utility
from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.envs.multi_connectivity.service import Service
from ntn_gym.envs.multi_connectivity.sets import SetTable
from ntn_gym.envs.multi_connectivity.state import State

FloatArray = NDArray[Any]

LOWEST = ("sinr_low", "remaining_short", "remaining", "change", "excess", "elevation")
_FIRST_MEMBER = SET["sinr_low"]
MEMBERS = SET_ENTRIES[_FIRST_MEMBER:]
"""Entries that are the lowest (`LOWEST`) or the highest of a set's members."""
_SIGN = np.array([-1.0 if name in LOWEST else 1.0 for name in MEMBERS], dtype=np.float32)[:, None, None, None]
_LOAD = MEMBERS.index("load")
WORLDS_AT_ONCE = 16


class Watcher:
    """Puts observations together."""

    def __init__(self, scenario: Scenario, sets: SetTable, service: Service) -> None:
        """Prepare what does not change."""
        self._scenario, self._sets, self._service = scenario, sets, service
        self._n_modes, self._n_slots = len(scenario.modes), scenario.n_slots
        self._utility = Utility(scenario)
        self._joint = scenario.combining.is_joint
        most = scenario.architecture.max_links
        self._per_link = np.float32(1 / most)
        self._per_step = scenario.dt_s / SINCE_SCALE_S
        fixed = np.zeros((sets.n_sets, SET_SIZE), dtype=np.float32)
        fixed[:, SET["size"]] = sets.size / most
        fixed[:, SET["sky"]] = sets.n_sky / most
        fixed[:, SET["shared"]] = (np.array(scenario.modes)[sets.mode] == "shared") & (sets.size > 0)
        fixed[:, SET["valid"]] = 1.0
        self._fixed = np.ascontiguousarray(fixed[:, :_FIRST_MEMBER].T)[:, None, None]
        # Set 0 borrows a port; its numbers are put to zero afterwards.
        self._legs = np.where(sets.legs == sets.n_ports, 0, sets.legs)
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
        sets = self._sets
        linked = state.linked & now["same"]
        current = sets.index(linked)
        n_worlds, n_users = current.shape
        at_slot = linked
        if self._n_modes > 1:
            at_slot = linked.reshape(n_worlds, n_users, self._n_modes, self._n_slots).any(axis=2)
        reported = now["reported"]
        known = np.where(at_slot[:, None], reported[:, 0], reported[:, 1])  # [B, KNOWN, U, K]
        resource = now["resource"]
        told = np.where(now["renewed"], np.float32(0), state.broadcast)
        load = told.ravel().take(resource + offsets(n_worlds, told.shape[1] - 1))
        share = np.float32(1) / np.maximum(load + (np.float32(1) - linked), np.float32(1))
        rows = {name: known[:, index] for name, index in ROW.items() if index < known.shape[1]}
        expected = self._service.expected_mbit_s(now, rows, share, state.busy)

        n_sets = sets.n_sets
        result = np.empty((n_worlds, n_users, n_sets * SET_SIZE + user_size(self._scenario)), dtype=np.float32)
        utilities = np.minimum(self._utility.of(expected), np.float32(UTILITY_HIGH))
        numbers = self._numbers_of_ports(known, now["predicted"], load, state.refused)
        # A few worlds at a time: then all columns of an observation stay in the cache while they are interleaved.
        for low in range(0, n_worlds, WORLDS_AT_ONCE):
            part = np.s_[low : low + WORLDS_AT_ONCE]
            self._fill(result[part], numbers[:, part], utilities[:, part], current[part])
        blocks = result[..., : n_sets * SET_SIZE].reshape(n_worlds, n_users, n_sets, SET_SIZE)
        if self._joint:
            blocks[..., SET["aligned"]] = now["aligned"]
        legal = now["legal"]
        if not legal.all():
            blocks[~legal] = 0.0
        result.reshape(-1)[_present(current, result.shape[-1])] = 1.0

        person = result[..., n_sets * SET_SIZE :]
        person[:] = now["person"]
        person[..., USER["average"]] = state.average
        person[..., USER["links"]] = sets.size.take(current) * self._per_link
        person[..., USER["refused"]] = state.turned_away
        person[..., USER["since"]] = np.minimum(state.since * self._per_step, 1.0)
        return result

    def _numbers_of_ports(
        self, known: FloatArray, predicted: FloatArray, load: FloatArray, refused: NDArray[np.bool_]
    ) -> FloatArray:
        """Return what becomes the entries `MEMBERS` of sets, [10, B, U, P]; negative where the lowest counts."""
        numbers = np.empty((len(MEMBERS), *load.shape), dtype=np.float32)
        for mode in range(self._n_modes):
            ports = np.s_[..., mode * self._n_slots : (mode + 1) * self._n_slots]
            numbers[:SHOWN][ports] = known[:, :SHOWN].swapaxes(0, 1)
            numbers[SHOWN:_LOAD][ports] = predicted.swapaxes(0, 1)
        np.multiply(load, np.float32(1 / LOAD_SCALE), out=numbers[_LOAD])
        np.minimum(numbers[_LOAD], np.float32(LOAD_HIGH), out=numbers[_LOAD])
        numbers[_LOAD + 1] = refused
        return numbers

    def _fill(self, result: FloatArray, numbers: FloatArray, utilities: FloatArray, current: NDArray[np.int64]) -> None:
        """Write the entries of all sets of some worlds."""
        n_worlds, n_users, _ = result.shape
        n_sets = self._sets.n_sets
        values = np.empty((SET_SIZE, n_worlds, n_users, n_sets), dtype=np.float32)
        values[:_FIRST_MEMBER] = self._fixed
        values[SET["utility"] : SET["utility_alone"] + 1] = utilities
        values[SET["added"]] = self._added.take(current, axis=0)
        worst = numbers.take(self._legs[0], axis=-1)
        for legs in self._legs[1:]:
            np.maximum(worst, numbers.take(legs, axis=-1), out=worst)
        np.multiply(worst, _SIGN, out=values[_FIRST_MEMBER:])
        values[_FIRST_MEMBER:, :, :, 0] = 0.0  # no members
        blocks = result[..., : n_sets * SET_SIZE].reshape(n_worlds, n_users, n_sets, SET_SIZE)
        blocks[:] = values.transpose(1, 2, 3, 0)


def _present(current: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Index of the entry "current" of each user's present set in the flat observation."""
    starts = (np.arange(current.size) * size).reshape(current.shape)
    return starts + current * SET_SIZE + SET["current"]
