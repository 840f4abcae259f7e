"""What no policy can beat: a linear program on the time-expanded graph with the true sky.

Nodes are satellites and HAGS at the start of every epoch. Arcs: a satellite sends to a station under clear sky, to a
HAGS, or to a neighbour; a HAGS empties under clear sky; everything can stay. Shares of terminals and telescopes add up
to 1 in an epoch, buffers hold what they hold. Relaxed, so that the value is never below that of a policy: bits are
divisible (also in the task), terminals may be shared within an epoch, there is no acquisition, and data is sent and
passed on at the start of an epoch as far as its class and place allow.

Value: a bit of class p that reaches the ground at time t saves w_p (T - t) of waiting, and at each cut-off after t its
price. A receiver on the ground that takes F bits in an epoch of length d at rate r cannot have taken them all at its
start: the time lost is at least F^2 / (2 r), which is convex and enters by its tangents at F = r d and F = r d / 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array

from ntn_gym.core.bound import BoundResult
from ntn_gym.core.task import Arrays
from ntn_gym.envs.data_relay.scenario import Scenario
from ntn_gym.envs.data_relay.task import DataRelayTask

Floats = NDArray[np.float64]
_TBIT = 1e12
_TOLERANCE_H = 1e-6
"""Above the error that the solver may leave in the value, in hours of mean delay."""


def bound(task: DataRelayTask, arrays: Arrays) -> BoundResult:
    """Return an upper bound on the return of each world.

    Args:
        task: The decision problem.
        arrays: Packed arrays [B, T + 1, ...] of whole episodes.

    Returns:
        The bounds; no actions need attain them.

    Raises:
        RuntimeError: If the solver fails.
    """
    n_worlds = len(arrays["duration_ms"])
    values = [world_bound(task, {name: array[row] for name, array in arrays.items()}) for row in range(n_worlds)]
    return BoundResult(np.array(values))


class _Program:
    """A linear program that is built variable by variable: maximise value subject to rows."""

    def __init__(self) -> None:
        self._values: list[Floats] = []
        self._upper: list[Floats] = []
        self._entries: dict[str, list[tuple[Any, Any, Any]]] = {"eq": [], "ub": []}
        self._rhs: dict[str, list[Floats]] = {"eq": [], "ub": []}
        self._n_rows = {"eq": 0, "ub": 0}
        self.size = 0

    def add(self, value: Floats, upper: Floats) -> NDArray[np.intp]:
        """Add variables between 0 and ``upper`` and return their numbers."""
        index = self.size + np.arange(len(value))
        self._values.append(value)
        self._upper.append(upper)
        self.size += len(value)
        return index

    def rows(self, kind: str, rhs: Floats) -> NDArray[np.intp]:
        """Add rows and return their numbers."""
        index = self._n_rows[kind] + np.arange(len(rhs))
        self._rhs[kind].append(rhs)
        self._n_rows[kind] += len(rhs)
        return index

    def put(self, kind: str, rows: Any, columns: Any, coefficients: Any) -> None:
        """Add coefficients to rows."""
        self._entries[kind].append(np.broadcast_arrays(rows, columns, coefficients))  # type: ignore[arg-type]

    def solve(self) -> float:
        """Return the largest value."""
        matrices: dict[str, tuple[Any, Any]] = {}
        for kind, entries in self._entries.items():
            if not self._n_rows[kind]:
                matrices[kind] = (None, None)
                continue
            row, column, value = (np.concatenate([np.ravel(entry[i]) for entry in entries]) for i in range(3))
            matrix = coo_array((value, (row, column)), shape=(self._n_rows[kind], self.size)).tocsr()
            matrices[kind] = (matrix, np.concatenate(self._rhs[kind]))
        limits = np.concatenate(self._upper)
        result = linprog(
            -np.concatenate(self._values),
            A_ub=matrices["ub"][0],
            b_ub=matrices["ub"][1],
            A_eq=matrices["eq"][0],
            b_eq=matrices["eq"][1],
            bounds=np.stack((np.zeros(len(limits)), limits), axis=1),
            method="highs",
        )
        if result.status != 0:
            raise RuntimeError(f"the linear program of the bound was not solved: {result.message}")
        return float(-result.fun)


def world_bound(task: DataRelayTask, arrays: Arrays) -> float:
    """Return the bound of one world from its packed arrays [T + 1, ...]."""
    scenario = task.scenario
    n_epochs = int(np.count_nonzero(arrays["duration_ms"]))
    data = {name: array[:n_epochs] for name, array in arrays.items() if name != "features"}
    length_h = data["duration_ms"] / 3.6e6
    start_h = np.cumsum(length_h) - length_h
    horizon_h = scenario.horizon_ms / 3.6e6
    n_classes, n_stations = scenario.n_classes, scenario.n_stations
    weights = np.array([scenario.traffic.urgent_weight, 1.0]) if n_classes == 2 else np.ones(1)
    cutoffs_after = np.cumsum(data["cutoff"][::-1])[::-1] - data["cutoff"]
    # Worth of a Tbit on the ground in epoch t, by class, in Tbit h, as if it arrived at the start of the epoch.
    worth = np.tile((horizon_h - start_h)[:, None], (1, n_classes)) * weights + scenario.delivered_h
    worth[:, 0] += scenario.cutoffs.price_h * cutoffs_after
    arrivals = data["arrival_bits"] / _TBIT

    program = _Program()
    epoch, satellite, slot = np.nonzero(data["receiver"] >= 0)
    receiver = data["receiver"][epoch, satellite, slot]
    hags = data["hags"][epoch, satellite, slot]
    most = data["rate_bit_ms"][epoch, satellite, slot] * data["duration_ms"][epoch] / _TBIT
    useful = (data["slot_clear"][epoch, satellite, slot] | (hags >= 0)) & (most > 0)
    epoch, satellite, receiver, hags = epoch[useful], satellite[useful], receiver[useful], hags[useful]
    most = most[useful]
    direct = (receiver < n_stations) & (hags < 0)
    sends = [
        program.add(np.where(direct, worth[epoch, p], 0.0), most if n_classes == 1 else np.full(len(most), np.inf))
        for p in range(n_classes)
    ]

    # --- one terminal on board, one at each receiver
    for owner, count in ((satellite, scenario.satellites.count), (receiver, n_stations + scenario.satellites.count)):
        _limit_shares(program, sends, epoch * count + owner, most)

    # --- what is on board: sent up to epoch t <= generated up to t + received before
    relayed = receiver >= n_stations
    for p in range(n_classes):
        for s in range(scenario.satellites.count):
            own = np.flatnonzero(satellite == s)
            got = np.flatnonzero(relayed & (receiver == n_stations + s))
            _store(
                program,
                moments=np.unique(np.concatenate((epoch[own], epoch[got]))),
                supply=np.cumsum(arrivals[:, s, p]),
                leaves=[(sends[p][own], epoch[own])],
                enters=[(sends[p][got], epoch[got])],
                capacity=np.inf,
            )

    # --- buffers, and what leaves them under clear sky
    landing = [(sends[p][direct], epoch[direct], receiver[direct]) for p in range(n_classes)]
    out = int(scenario.links.model.rate_bit_s // 1000) / _TBIT
    stored_levels = []
    for h, name in enumerate(scenario.stations.hags):
        station = scenario.stations.names.index(name)
        clear = np.flatnonzero(data["clear"][:, station])
        drained = out * data["duration_ms"][clear]
        own = np.flatnonzero(hags == h)
        levels = []
        for p in range(n_classes):
            leaves = program.add(worth[clear, p], drained)
            landing.append((leaves, clear, np.full(len(clear), station)))
            moments = np.unique(np.concatenate((epoch[own], clear)))
            levels.append(
                _store(
                    program,
                    moments=moments,
                    supply=np.zeros(n_epochs),
                    leaves=[(leaves, clear)],
                    enters=[(sends[p][own], epoch[own])],
                    capacity=scenario.stations.buffer_bytes * 8 / _TBIT,
                )
            )
        stored_levels.append(levels)
    if n_classes == 2:
        for levels in stored_levels:
            rows = program.rows("ub", np.full(len(levels[0]), scenario.stations.buffer_bytes * 8 / _TBIT))
            for level in levels:
                program.put("ub", rows, level, 1.0)

    _landing_takes_time(program, landing, data, length_h, scenario)
    generated = arrivals.sum()
    waiting = float((arrivals * (horizon_h - start_h)[:, None, None] * weights).sum())
    # A cut-off at the start of epoch c finds what appeared before.
    missing = float((arrivals[..., 0].sum(axis=1) * cutoffs_after).sum()) * scenario.cutoffs.price_h
    return float((program.solve() - waiting - missing) / generated) + _TOLERANCE_H


def _limit_shares(program: _Program, sends: list[NDArray[np.intp]], owner: NDArray[Any], most: Floats) -> None:
    """Shares of one terminal in one epoch, bits over the most that fit, add up to 1 at most."""
    _, row, uses = np.unique(owner, return_inverse=True, return_counts=True)
    # With one class, a terminal with one possible use is limited by the variable itself.
    shared = np.arange(len(owner)) if len(sends) > 1 else np.flatnonzero(uses[row] > 1)
    if not len(shared):
        return
    _, row = np.unique(row[shared], return_inverse=True)
    rows = program.rows("ub", np.ones(int(row.max()) + 1))
    for send in sends:
        program.put("ub", rows[row], send[shared], 1.0 / most[shared])


def _store(
    program: _Program,
    moments: NDArray[Any],
    supply: Floats,
    leaves: list[tuple[NDArray[np.intp], NDArray[Any]]],
    enters: list[tuple[NDArray[np.intp], NDArray[Any]]],
    capacity: float,
) -> NDArray[np.intp]:
    """Balance of a store at the epochs in which something can move; returns the variables of its level after each.

    level after = level before + supply since + enters - leaves.
    """
    if not len(moments):
        return np.zeros(0, dtype=np.intp)
    level = program.add(np.zeros(len(moments)), np.full(len(moments), capacity))
    until = supply[moments]
    rows = program.rows("eq", np.diff(until, prepend=0.0))
    program.put("eq", rows, level, 1.0)
    program.put("eq", rows[1:], level[:-1], -1.0)
    for sign, flows in ((1.0, leaves), (-1.0, enters)):
        for variables, epoch in flows:
            program.put("eq", rows[np.searchsorted(moments, epoch)], variables, sign)
    return level


def _landing_takes_time(
    program: _Program,
    landing: list[tuple[NDArray[np.intp], NDArray[Any], NDArray[Any]]],
    data: Arrays,
    length_h: Floats,
    scenario: Scenario,
) -> None:
    """Charge the time that bits take to land: z >= F^2 / (2 r) by two tangents, for each station and epoch."""
    variables, epoch, station = (np.concatenate([part[i] for part in landing]) for i in range(3))
    if not len(variables):
        return
    name, row = np.unique(epoch * scenario.n_stations + station, return_inverse=True)
    length = length_h[name // scenario.n_stations]
    # The quickest rate there is: then the time lost is the least.
    quickest = int(scenario.links.model.rate_bit_s // 1000) * 3.6e6 / _TBIT
    lost = program.add(-np.ones(len(name)), np.full(len(name), np.inf))
    for part in (1.0, 0.5):
        # Tangent at F = part r d: z >= part d F - part^2 r d^2 / 2.
        rows = program.rows("ub", 0.5 * quickest * (part * length) ** 2)
        program.put("ub", rows, lost, -1.0)
        program.put("ub", rows[row], variables, part * length[row])
