"""Hand-made slices for the rules of MultiConnectivity: who is linked to what, and what that yields."""

from __future__ import annotations

from typing import Any

import numpy as np

from ntn_gym.core.task import Now
from ntn_gym.envs.multi_connectivity.packing import KNOWN, ROW
from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.envs.multi_connectivity.task import MultiConnectivityTask

TIER = {"constellation": {"kind": "walker", "satellites": 24, "planes": 6, "phasing": 1}}


def small_task(n_users: int, n_sky: int = 1, n_stations: int = 2, **parts: Any) -> MultiConnectivityTask:
    """A task whose own world is never drawn; slots of the sky come first."""
    tier = {**TIER, "slots": n_sky, "node_limit": 9, **parts.pop("tier", {})}
    stations = {"count": max(n_stations, 1), "slots": n_stations, "node_limit": 9, **parts.pop("station", {})}
    defaults = {"steps": 8, "architecture": {"kind": "ms-mbs", "max_links": 2}}
    values = {
        **defaults,
        "satellites": [tier],
        "stations": stations if n_stations else None,
        "users": {"count": n_users, "towns": 1},
        **parts,
    }
    return MultiConnectivityTask(Scenario.model_validate(values))


def slices(task: MultiConnectivityTask, rate_mbit_s: np.ndarray, **changes: np.ndarray) -> dict[str, np.ndarray]:
    """Packed arrays [1, T, ...] for rates alone [T, U, P] (0: the slot is empty); station k stands in slot k of all."""
    n_steps, n_users, n_ports = rate_mbit_s.shape
    sets, scenario = task.sets, task.scenario
    held = rate_mbit_s > 0
    n_resources = len(task.limits)
    resource = np.where(held, np.arange(n_ports), n_resources)
    legal = np.ones((n_steps, n_users, sets.n_sets), dtype=bool)
    for index, members in enumerate(sets.members):
        legal[..., index] = held[..., members].all(axis=-1)
    n_slots = scenario.n_slots
    arrays = {
        "resource": resource.astype(np.int32),
        "same": held & (np.arange(n_steps)[:, None, None] > 0),
        "renewed": np.zeros((n_steps, n_resources + 1), dtype=bool),
        "legal": legal,
        "ordered": np.ones((n_steps, 1), dtype=bool),
        "free": np.full((n_steps, n_users, n_ports), 10.0, dtype=np.float32),
        "rate": rate_mbit_s.astype(np.float32),
        "reported": np.zeros((n_steps, 2, len(KNOWN), n_users, n_slots), dtype=np.float32),
        "predicted": np.zeros((n_steps, 4, n_users, n_slots), dtype=np.float32),
        "person": np.zeros((n_steps, n_users, 6 + n_slots), dtype=np.float32),
    }
    arrays["reported"][:, :, ROW["rate"]] = rate_mbit_s[:, None]
    return {name: array[None] for name, array in {**arrays, **changes}.items()}


def play(task: MultiConnectivityTask, arrays: dict[str, np.ndarray], actions: list[list[int]]) -> list[Any]:
    """Run actions [T][U] of one world; return (state, outcome) after every step."""
    rows = np.zeros(1, dtype=np.intp)
    state = task.initial(Now(arrays, rows, np.zeros(1, dtype=np.intp)))
    history = []
    for step, action in enumerate(actions):
        state, outcome = task.step(state, np.array([action]), Now(arrays, rows, np.array([step])))
        history.append((state, outcome))
    return history


def set_of(task: MultiConnectivityTask, *ports: int) -> int:
    """Number of the set with these ports."""
    return int(task.sets.of_bits[sum(1 << port for port in ports)])


def kpi(task: MultiConnectivityTask, outcome: Any, name: str) -> np.ndarray:
    """A KPI of all users of the only world."""
    return outcome.kpis[0, :, [k.name for k in task.kpis].index(name)]
