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

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.bound import BoundResult
from ntn_gym.core.task import Arrays
from ntn_gym.envs.haps_placement.relaxation import (
    Hours,
    Reachable,
    bandwidth_prices,
    offers,
    platform_worth,
    reachable,
)

if TYPE_CHECKING:
    from ntn_gym.envs.haps_placement.task import HAPSPlacementTask

FloatArray = NDArray[Any]

ITERATIONS = 24
SEARCH_SPACING_M = 20e3
"""Grid of places on which prices are searched; it does not enter the bound."""
SEARCH_RINGS_M = ((8e3, 6), (16e3, 8))
"""Radius and number of places about each group that are searched, too."""
SQUARES_M = (40e3, 20e3, 10e3, 5e3, 2.5e3)
"""Widths of the squares of the branch and bound."""
TOLERANCE = 0.004
"""The best place is bounded to within this share."""


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
    covered, efficiency = offers(reachable(scenario, SQUARES_M[-1]), hours, hour, place.reshape(-1, 2))
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
        covered, efficiency = offers(maps, hours, hour, place_m)
        return platform_worth(demand[hour], covered, efficiency, price[hour], bandwidth, rents)

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
