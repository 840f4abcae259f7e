"""Pieces of the bound: what a point offers to a platform anywhere in a square, hours of demand, a platform's worth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from ntn_gym.envs.haps_placement.radio import CELL_M, link_efficiency, radio_maps
from ntn_gym.envs.haps_placement.scenario import Scenario

if TYPE_CHECKING:
    from ntn_gym.envs.haps_placement.task import HAPSPlacementTask

FloatArray = NDArray[Any]

HOUR_S = 3600.0
RENTS = (0.0, 0.03, 0.07, 0.11, 0.17, 0.25, 0.36, 0.52, 0.73, 1.0)
"""Prices of bandwidth tried, as shares of the best efficiency; at 1 nobody is worth more than his bandwidth."""


@dataclass(frozen=True)
class Reachable:
    """Maps of what one point offers a platform, the best of all levels, float32 [width x width].

    Attributes:
        covered: Share of users who can be served.
        efficiency: Spectral efficiency of those in sight in bit/s/Hz.
    """

    covered: FloatArray
    efficiency: FloatArray


@lru_cache(maxsize=64)
def reachable(scenario: Scenario, square_m: float = 0.0) -> Reachable:
    """Return the maps for any place within a square of the given width about the platform's place.

    Without interference, which only takes away. A map that is read for the middle of the square holds for all of it:
    it is dilated by half the width and by one cell for the rounding of places to cells.
    """
    maps = radio_maps(scenario)
    shape = (-1, maps.width, maps.width)
    link = maps.link.astype(np.float64)
    seen, blocked = link_efficiency(scenario, link[:, 0]), link_efficiency(scenario, link[:, 1])
    covered = (link[:, 3] * (seen > 0) + (1 - link[:, 3]) * (blocked > 0)).reshape(shape).max(axis=0)
    efficiency = seen.reshape(shape).max(axis=0)
    if square_m:
        cells = 2 * (int(np.ceil(square_m / 2 / CELL_M)) + 1) + 1
        reach = cells // 2
        # Room for what is within the square's reach of the map.
        covered, efficiency = np.pad(covered, reach), np.pad(efficiency, reach)
        covered, efficiency = maximum_filter(covered, cells), maximum_filter(efficiency, cells)
    # Rounded up, so that single precision cannot take anything away.
    return Reachable(
        *(np.nextafter(part.astype(np.float32), np.float32(np.inf)) * (part > 0) for part in (covered, efficiency))
    )


def bandwidth_prices(scenario: Scenario) -> NDArray[np.float32]:
    """Return the prices of bandwidth that are tried, in bit/s/Hz; any price gives a valid bound."""
    return (np.array(RENTS) * float(reachable(scenario).efficiency.max())).astype(np.float32)


def read_cells(maps: Reachable, offset_m: FloatArray) -> NDArray[np.intp]:
    """Indices into the maps of points at offset = point - place; beyond the map the empty corner cell."""
    width = len(maps.covered)
    grid = np.floor(offset_m / CELL_M + (width // 2 + 0.5)).astype(np.intp)
    inside = ((grid >= 0) & (grid < width)).all(axis=-1)
    return np.where(inside, grid[..., 1] * width + grid[..., 0], 0)


class Hours:
    """Demand and points of the hours of one world, in the form that the relaxation needs.

    Attributes:
        demand: Mean demand of each point over the hour in Mbit/s, float32 [H, N].
        point_m: Places in which a point is during the hour, [H, N, R, 2].
        moving: Points that change their place within an hour, [N]; the others have one place in it.
        weight_h: Length of each hour in hours (the last may be cut), [H].
    """

    def __init__(self, task: HAPSPlacementTask, drive: FloatArray) -> None:
        """Cut the steps of one world, [T, columns], into hours."""
        scenario, columns = task.scenario, task.columns
        n_steps = scenario.steps
        per_hour = max(1, round(HOUR_S / scenario.dt_s))
        n_points = scenario.demand.points
        group = drive[:n_steps, columns["demand"]].astype(np.float64)
        point = drive[:n_steps, columns["points"]].astype(np.float64).reshape(n_steps, -1, 2)
        demand, places, weights = [], [], []
        for first in range(0, n_steps, per_hour):
            part, where = group[first : first + per_hour], point[first : first + per_hour]
            # A group without demand in a step is anywhere: it takes a place in which it does ask for something.
            asks = np.repeat(part > 0, n_points, axis=1)
            busiest = where[np.argmax(asks, axis=0), np.arange(where.shape[1])]
            where = np.where(asks[..., None], where, busiest)
            where = np.concatenate([where, np.repeat(where[-1:], per_hour - len(where), axis=0)])
            # Rounded up, so that single precision cannot take anything away.
            demand.append(np.repeat(part.mean(axis=0) / n_points, n_points) * (1 + 1e-6))
            places.append(np.moveaxis(where, 0, 1))
            weights.append(len(part) * scenario.dt_s / HOUR_S)
        self.demand, self.weight_h = np.array(demand, dtype=np.float32), np.array(weights)
        self.point_m = np.array(places)
        self.moving = np.ptp(self.point_m, axis=2).max(axis=(0, 2)) > 0


def offers(maps: Reachable, hours: Hours, hour: NDArray[np.intp], place_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Covered share and efficiency of every point at some places, float32 [n, N] each.

    Args:
        maps: Dilated as far as each place stands for a square.
        hours: Points.
        hour: Hour of each place, [n].
        place_m: Places, [n, 2].
    """
    index = read_cells(maps, hours.point_m[hour, :, 0] - place_m[:, None])
    covered, efficiency = maps.covered.ravel()[index], maps.efficiency.ravel()[index]
    if hours.moving.any():
        moving = np.flatnonzero(hours.moving)
        index = read_cells(maps, hours.point_m[hour[:, None], moving] - place_m[:, None, None])
        covered[:, moving] = maps.covered.ravel()[index].max(axis=-1)
        efficiency[:, moving] = maps.efficiency.ravel()[index].max(axis=-1)
    return covered, efficiency


def platform_worth(
    demand: FloatArray,
    covered: FloatArray,
    efficiency: FloatArray,
    price: FloatArray,
    bandwidth_mhz: float,
    rents: NDArray[np.float32],
) -> FloatArray:
    """Bound the worth of a platform at some places, [n].

    Args:
        demand: Demand of each point, [n, N].
        covered: Share of its users, [n, N].
        efficiency: Their spectral efficiency, [n, N].
        price: Price of each point per unit of its demand, [n, N].
        bandwidth_mhz: Bandwidth of a platform.
        rents: From `bandwidth_prices`.
    """
    need = covered / np.maximum(efficiency, np.float32(1e-6))
    margin = covered - price
    best = np.full(len(demand), np.inf)
    for rent in rents:
        gain = np.maximum(margin - rent * need, 0)
        np.minimum(best, float(rent) * bandwidth_mhz + np.einsum("ij,ij->i", gain, demand), out=best)
    return best
