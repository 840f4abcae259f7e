"""What platforms would carry that jump every hour to greedily chosen places: a reference beside the bound, not a bound.

The plan knows the hour's demand, meets interference, capacity and backhaul, and pays for nothing: no wind, no way, no
night. A policy that flies will hardly reach it; how far below the bound it lies says how loose the bound may be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.haps_placement.service import Reach, Server

if TYPE_CHECKING:
    from ntn_gym.envs.haps_placement.task import HAPSPlacementTask

FloatArray = NDArray[Any]

SPACING_M = 10e3
ROUNDS = 2
"""Times that each platform is moved to its best place given the others."""


def greedy_jump(task: HAPSPlacementTask, arrays: Arrays) -> FloatArray:
    """Return the return of jumping platforms, [B]: greedy places, then each platform moved once more.

    Places are chosen for the middle step of every hour, at the lowest level, and held for the hour.

    Args:
        task: The task.
        arrays: Packed arrays with ``drive`` of whole episodes, as for the bound.
    """
    scenario, columns = task.scenario, task.columns
    per_hour = max(1, round(3600.0 / scenario.dt_s))
    half = scenario.region.half_width_m
    axis = np.linspace(-half, half, int(np.ceil(2 * half / SPACING_M)) + 1)
    sites = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2).astype(np.float32)
    server, reach = Server(scenario), Reach(scenario)
    total = np.zeros(len(arrays["drive"]))
    for world, drive in enumerate(arrays["drive"]):
        for first in range(0, scenario.steps, per_hour):
            last = min(first + per_hour, scenario.steps)
            place, on = _choose(task, server, reach, drive[(first + last) // 2], sites)
            steps = drive[first:last]
            n = len(steps)
            works = np.tile(on, (n, 1)) & (steps[:, columns["failed"]] < 0.5)
            total[world] += _carried(task, server, reach, steps, np.tile(place, (n, 1, 1)), works).sum()
    return total * task.per_demand * scenario.dt_s / 3600.0


def _choose(
    task: HAPSPlacementTask, server: Server, reach: Reach, drive: FloatArray, sites: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return places [M, 2] and which platforms are used, [M]."""
    place = np.zeros((task.n_agents, 2), dtype=np.float32)
    works = drive[task.columns["failed"]] < 0.5
    used = np.zeros(task.n_agents, dtype=bool)
    best = 0.0
    many = np.broadcast_to(drive, (len(sites), len(drive)))
    for _ in range(1 + ROUNDS):
        for platform in np.flatnonzero(works):
            tried = np.tile(place, (len(sites), 1, 1))
            tried[:, platform] = sites
            with_it = used.copy()
            with_it[platform] = True
            value = _carried(task, server, reach, many, tried, np.tile(with_it, (len(sites), 1)))
            # On a tie, which a plateau without a gateway gives, stay.
            if value.max() > best:
                best, place[platform], used = float(value.max()), sites[value.argmax()], with_it
    return place, used


def _carried(
    task: HAPSPlacementTask,
    server: Server,
    reach: Reach,
    drive: FloatArray,
    place_m: FloatArray,
    works: NDArray[np.bool_],
) -> FloatArray:
    """Carried traffic in Mbit/s of n situations, [n]."""
    columns, demand = task.columns, task.scenario.demand
    n = len(drive)
    reached = reach.reached(place_m, works, drive[:, columns["gateways"]].reshape(n, -1, 2))
    level = np.zeros(works.shape, dtype=np.intp) if task.scenario.climbs else None
    asked = np.repeat(drive[:, columns["demand"]] / demand.points, demand.points, axis=1)
    points = drive[:, columns["points"]].reshape(n, -1, 2)
    served = server.serve(place_m, level, (works & reached).astype(np.float32), points, asked)
    return np.asarray(served.carried_mbit_s.sum(axis=1))
