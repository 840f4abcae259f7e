"""What no policy can beat in a HAPSPlacement world: Lagrangian relaxation of a coverage problem with jumping platforms.

In every hour M platforms stand anywhere inside the geofence, without wind, energy, interference or backhaul. A point is
served at most once, a platform has its bandwidth. Prices on the points decouple the platforms:

    V <= sum_j price_j + M max over places q of phi(q),
    phi(q) = max over x in [0, 1] of sum_j (d_j c_j(q) - price_j) x_j   subject to   sum_j d_j c_j(q) x_j / e_j(q) <= W

with demand d, share c of users who can be reached from q and their spectral efficiency e. Any prices >= 0 give a valid
bound; a subgradient search finds good ones. phi is bounded by pricing the bandwidth, too. The maximum over the plane is
found by branch and bound: a square of places takes, for each point, the best value of c and e of any place in it (maps
dilated by the square), and squares that cannot hold the maximum are dropped.

Served traffic is concave in the demand, so the mean over the steps of an hour is at most the value of the mean demand.
Points that move take the best of their places in the hour.

Source: Lagrangian relaxation of maximal covering, R. D. Galvao and C. ReVelle, European Journal of Operational Research
88, 1996; the continuous places and the dilation are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from ntn_gym.core.bound import BoundResult
from ntn_gym.core.task import Arrays
from ntn_gym.envs.haps_placement.radio import CELL_M, link_efficiency, radio_maps
from ntn_gym.envs.haps_placement.scenario import Scenario

if TYPE_CHECKING:
    from ntn_gym.envs.haps_placement.task import HAPSPlacementTask

FloatArray = NDArray[Any]

HOUR_S = 3600.0
ITERATIONS = 24
SEARCH_SPACING_M = 20e3
"""Grid of places on which prices are searched; it does not enter the bound."""
SEARCH_RINGS_M = ((8e3, 6), (16e3, 8))
"""Radius and number of places about each group that are searched, too."""
SQUARES_M = (40e3, 20e3, 10e3, 5e3, 2.5e3)
"""Widths of the squares of the branch and bound."""
TOLERANCE = 0.004
"""The best place is bounded to within this share."""
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


def _read(maps: Reachable, offset_m: FloatArray) -> NDArray[np.intp]:
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


def _offers(
    maps: Reachable, hours: Hours, hour: NDArray[np.intp], place_m: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Covered share and efficiency of every point at some places, float32 [n, N] each.

    Args:
        maps: Dilated as far as each place stands for a square.
        hours: Points.
        hour: Hour of each place, [n].
        place_m: Places, [n, 2].
    """
    index = _read(maps, hours.point_m[hour, :, 0] - place_m[:, None])
    covered, efficiency = maps.covered.ravel()[index], maps.efficiency.ravel()[index]
    if hours.moving.any():
        moving = np.flatnonzero(hours.moving)
        index = _read(maps, hours.point_m[hour[:, None], moving] - place_m[:, None, None])
        covered[:, moving] = maps.covered.ravel()[index].max(axis=-1)
        efficiency[:, moving] = maps.efficiency.ravel()[index].max(axis=-1)
    return covered, efficiency


def _phi(
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


def _candidates(task: HAPSPlacementTask, hours: Hours) -> FloatArray:
    """Places among which prices are searched: a coarse grid, and rings about the groups, [H, C, 2]."""
    half, n_points = task.scenario.region.half_width_m, task.scenario.demand.points
    axis = np.linspace(-half, half, max(2, int(np.ceil(2 * half / SEARCH_SPACING_M)) + 1))
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    n_hours = len(hours.demand)
    centre = hours.point_m.mean(axis=2).reshape(n_hours, -1, n_points, 2).mean(axis=2)
    rings = [np.zeros((1, 2))]
    for radius, count in SEARCH_RINGS_M:
        angle = 2 * np.pi * np.arange(count) / count
        rings.append(radius * np.stack([np.sin(angle), np.cos(angle)], axis=-1))
    near = (centre[:, :, None] + np.concatenate(rings)).reshape(n_hours, -1, 2)
    everywhere = np.broadcast_to(grid, (n_hours, *grid.shape))
    return np.asarray(np.clip(np.concatenate([everywhere, near], axis=1), -half, half))


def _search(task: HAPSPlacementTask, hours: Hours, iterations: int) -> tuple[FloatArray, FloatArray]:
    """Search prices of the points per unit of demand by subgradient steps with momentum.

    Returns:
        Prices, float32 [H, N], and for every hour the most promising places, [H, n, 2].
    """
    scenario = task.scenario
    bandwidth = np.float32(scenario.radio.bandwidth_hz / 1e6)
    place = _candidates(task, hours)
    n_hours, n_places = place.shape[:2]
    hour = np.repeat(np.arange(n_hours), n_places)
    covered, efficiency = _offers(reachable(scenario, SQUARES_M[-1]), hours, hour, place.reshape(-1, 2))
    covered = covered.reshape(n_hours, n_places, -1)
    need = covered / np.maximum(efficiency.reshape(covered.shape), np.float32(1e-6))
    demand = hours.demand
    price = np.full(demand.shape, 0.3, np.float32)
    best_price, best_value = price.copy(), np.full(n_hours, np.inf)
    rents = bandwidth_prices(scenario)
    rent = np.full((n_hours, n_places), 2)
    velocity = np.zeros_like(price)
    worth = np.zeros((n_hours, n_places), np.float32)
    for k in range(iterations):
        # Bandwidth prices are tried one step around the last choice of each place.
        tried = [rents[np.clip(rent + shift, 0, len(rents) - 1)] for shift in (-1, 0, 1)]
        worths = np.stack(
            [
                one * bandwidth
                + np.matmul(np.maximum(covered - one[..., None] * need - price[:, None], 0), demand[..., None])[..., 0]
                for one in tried
            ]
        )
        rent = np.clip(rent + worths.argmin(axis=0) - 1, 0, len(rents) - 1)
        worth = worths.min(axis=0)
        top = worth.max(axis=1)
        value = (price * demand).sum(axis=1) + task.n_agents * top
        better = value < best_value
        best_value, best_price[better] = np.where(better, value, best_value), price[better]
        # The best places share the platforms; a soft maximum keeps the steps from jumping between them.
        spread = np.exp((worth - top[:, None]) * (40.0 / np.maximum(top[:, None], 1e-9)))
        spread *= task.n_agents / spread.sum(axis=1, keepdims=True)
        served = covered - rents[rent][..., None] * need > price[:, None]
        often = np.matmul(spread[:, None], served.astype(np.float32))[:, 0]
        velocity = np.float32(0.7) * velocity + np.float32(0.3) * np.clip(often - 1, -1, 2)
        price = np.maximum(price + np.float32(0.4 / (1 + k) ** 0.6) * velocity, 0)
    promising = np.argsort(-worth, axis=1)[:, :8]
    return best_price, np.take_along_axis(place, promising[..., None], axis=1)


def _best_place(task: HAPSPlacementTask, hours: Hours, price: FloatArray, promising_m: FloatArray) -> FloatArray:
    """Bound the worth of the best place inside the geofence in every hour, [H], to within `TOLERANCE`."""
    scenario = task.scenario
    half, bandwidth = scenario.region.half_width_m, scenario.radio.bandwidth_hz / 1e6
    n_hours, rents = len(price), bandwidth_prices(scenario)
    demand = hours.demand

    def phi(maps: Reachable, hour: NDArray[np.intp], place_m: FloatArray) -> FloatArray:
        covered, efficiency = _offers(maps, hours, hour, place_m)
        return _phi(demand[hour], covered, efficiency, price[hour], bandwidth, rents)

    exact = reachable(scenario)
    every = np.arange(n_hours)
    found = phi(exact, np.repeat(every, promising_m.shape[1]), promising_m.reshape(-1, 2)).reshape(n_hours, -1).max(1)
    n_side = int(np.ceil(2 * half / SQUARES_M[0]))
    axis = (np.arange(n_side) + 0.5) * SQUARES_M[0] - half
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    hour, place = np.repeat(every, len(grid)), np.tile(grid, (n_hours, 1))
    bound = found * (1.0 + TOLERANCE)
    for depth, width in enumerate(SQUARES_M):
        above = phi(reachable(scenario, width), hour, place)
        held = above > (found * (1.0 + TOLERANCE))[hour]
        hour, place, above = hour[held], place[held], above[held]
        if depth == len(SQUARES_M) - 1:
            np.maximum.at(bound, hour, above)
            break
        here = phi(exact, hour, np.clip(place, -half, half))
        np.maximum.at(found, hour, here)
        bound = np.maximum(bound, found * (1.0 + TOLERANCE))
        quarter = width / 4 * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
        hour, place = np.repeat(hour, 4), (place[:, None] + quarter).reshape(-1, 2)
    return np.asarray(bound * (1.0 + 1e-5))


def bound(task: HAPSPlacementTask, arrays: Arrays, iterations: int = ITERATIONS) -> BoundResult:
    """Return a return that no policy can reach, with the whole future known.

    The price of propulsion, of leaving the geofence and of empty batteries is taken as nothing, fairness as perfect.

    Args:
        task: The task.
        arrays: Packed arrays with ``drive`` [B, T + 1, columns] of whole episodes from their first step.
        iterations: Subgradient steps; any number gives a valid bound, more give a lower one.

    Returns:
        Bound on the sum over the episode of the reward (mean over platforms), [B].

    Raises:
        ValueError: If the arrays are not whole episodes of this task, or ``iterations`` < 1.
    """
    drive = arrays["drive"]
    if drive.shape[1] != task.episode_steps + 1:
        raise ValueError(f"drive has {drive.shape[1]} slices, expected {task.episode_steps + 1} of a whole episode")
    if iterations < 1:
        raise ValueError(f"iterations = {iterations}: allowed is 1 or more")
    scenario = task.scenario
    factor = (1.0 + scenario.reward.fairness) * task.per_demand
    values = []
    for world in drive:
        hours = Hours(task, world)
        price, promising_m = _search(task, hours, iterations)
        best = _best_place(task, hours, price, promising_m)
        carried = (price.astype(np.float64) * hours.demand).sum(axis=1) + task.n_agents * best
        carried = np.minimum(carried, hours.demand.sum(axis=1))
        values.append(float((carried * hours.weight_h).sum()) * factor)
    return BoundResult(np.array(values))
