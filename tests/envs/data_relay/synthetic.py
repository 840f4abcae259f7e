"""Problems written down by hand: contacts, sky and files in, packed arrays out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ntn_gym.core.task import Arrays, Now
from ntn_gym.envs.data_relay.outlook import NEXT_PASSES
from ntn_gym.envs.data_relay.scenario import Scenario
from ntn_gym.envs.data_relay.state import State
from ntn_gym.envs.data_relay.task import DataRelayTask

STATIONS = ("Svalbard", "Athens", "Hawaii")
UNIT = 8_000_000_000
"""Bits of one second at 8 Gbit/s."""


def hand_scenario(
    n_satellites: int = 1,
    n_stations: int = 2,
    hags: tuple[str, ...] = ("Svalbard",),
    horizon_s: float = 3600.0,
    files: int = 1,
    file_s: float = 40.0,
    **changes: Any,
) -> Scenario:
    """A scenario of ideal links without acquisition; a file takes ``file_s`` seconds."""
    values: dict[str, Any] = {
        "name": "hand",
        "horizon_h": horizon_s / 3600.0,
        "max_epoch_s": 3600.0,
        "slots": n_stations,
        "satellites": {"count": n_satellites},
        "stations": {"names": STATIONS[:n_stations], "hags": hags, "buffer_bytes": 1e15},
        "links": {"acquisition_min_s": 0.0, "acquisition_max_s": 0.0},
        "traffic": {"files": files, "file_bytes": file_s * UNIT / 8, "at_start": True},
    }
    for name, value in changes.items():
        values[name] = {**values[name], **value} if isinstance(values.get(name), dict) else value
    return Scenario.model_validate(values)


def hand_raw(
    scenario: Scenario,
    edges_s: Sequence[float],
    contacts: Sequence[tuple[int, int, float, float]],
    clear: Sequence[tuple[int, float, float]],
    files: Sequence[tuple[float, int]] | None = None,
    cutoffs_s: Sequence[float] = (),
    acquisition_s: float = 0.0,
) -> Arrays:
    """Raw trace of one world [1, epochs + 1, ...].

    Args:
        scenario: The scenario.
        edges_s: Starts of the epochs, and the horizon.
        contacts: (satellite, station, start, end); a station takes the slot of its number.
        clear: (station, start, end) of clear sky.
        files: (time, satellite); None: all at the start.
        cutoffs_s: Instants of cut-offs.
        acquisition_s: Acquisition time of every terminal.
    """
    n, count, stations = len(edges_s) - 1, scenario.satellites.count, scenario.n_stations
    edges = np.asarray(edges_s, dtype=np.float64)
    start = edges[:-1]
    raw: dict[str, Any] = {
        "time_s": edges,
        "elapsed_s": np.diff(edges, prepend=0.0),
        "duration_ms": np.append(np.rint(np.diff(edges) * 1e3), 0).astype(np.int64),
        "receiver": np.full((n + 1, count, scenario.n_targets), -1),
        "remaining_s": np.zeros((n + 1, count, scenario.n_targets), np.float32),
        "rate_bit_s": np.zeros((n + 1, count, scenario.n_targets)),
        "clear": np.zeros((n + 1, stations), bool),
        "forecast_clear": np.zeros((n + 1, stations), bool),
        "arrival_bits": np.zeros((n + 1, count, scenario.n_classes), np.int64),
        "site_wait_s": np.zeros((n + 1, stations), np.float32),
        "site_plan_s": np.zeros((n + 1, stations), np.float32),
        "decline_wait_s": np.repeat(edges[-1] - edges[:, None], count, axis=1).astype(np.float32),
        "decline_plan_s": np.repeat(edges[-1] - edges[:, None], count, axis=1).astype(np.float32),
        "next_station": np.full((n + 1, count, NEXT_PASSES), -1),
        "next_gap_s": np.zeros((n + 1, count, NEXT_PASSES), np.float32),
        "next_duration_s": np.zeros((n + 1, count, NEXT_PASSES), np.float32),
        "next_clear": np.zeros((n + 1, count, NEXT_PASSES), np.float32),
        "cutoff": np.isin(edges, cutoffs_s),
        "cutoff_in_s": np.full(n + 1, 2e6, np.float32),
        "acquisition_s": np.full((n + 1, count), acquisition_s, np.float32),
    }
    for satellite, station, begin, end in contacts:
        held = np.flatnonzero((start >= begin) & (start < end))
        raw["receiver"][held, satellite, station] = station
        raw["remaining_s"][held, satellite, station] = end - start[held]
        raw["rate_bit_s"][held, satellite, station] = UNIT
    for slot in range(scenario.n_neighbours):
        for satellite in range(count):
            other = satellite + (-1, 1)[slot]
            if 0 <= other < count:
                raw["receiver"][:n, satellite, scenario.slots + slot] = stations + other
                raw["remaining_s"][:n, satellite, scenario.slots + slot] = edges[-1] - start
                raw["rate_bit_s"][:n, satellite, scenario.slots + slot] = UNIT
    for station, begin, end in clear:
        raw["clear"][:n, station] |= (start >= begin) & (start < end)
    for time_s, satellite in files if files is not None else [(0.0, s) for s in range(count)] * scenario.traffic.files:
        raw["arrival_bits"][int(np.searchsorted(edges, time_s)), satellite, 0] += scenario.file_bits
    return {name: np.asarray(array)[None] for name, array in raw.items()}


def now_at(arrays: Arrays, step: int) -> Now:
    """The slice of one step of all worlds."""
    n_worlds = len(arrays["duration_ms"])
    return Now(arrays, np.arange(n_worlds), np.full(n_worlds, step))


def drive(task: DataRelayTask, arrays: Arrays, actions: Any) -> tuple[float, list[State], list[Any]]:
    """Play actions [T, S] in one world: return, states (the first one too) and outcomes."""
    weights = np.array([term.weight for term in task.reward_terms])
    state = task.initial(now_at(arrays, 0))
    states, outcomes, total = [state], [], 0.0
    for step, action in enumerate(np.asarray(actions)):
        state, outcome = task.step(state, np.asarray(action).reshape(1, -1), now_at(arrays, step))
        total += float((outcome.reward_terms[0] @ weights).mean())
        states.append(state)
        outcomes.append(outcome)
    return total, states, outcomes


def bits_everywhere(state: State) -> int:
    """Bits on board, in buffers and on the ground, of one world."""
    return int(state.onboard.sum() + state.hags.sum() + state.delivered.sum())
