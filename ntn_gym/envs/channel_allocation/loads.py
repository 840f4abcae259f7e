"""How much is offered to each cell: uniform, rising across the columns, or with a hotspot that moves on a circle."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.channel_allocation.scenario import Scenario
from ntn_gym.envs.channel_allocation.topology import Topology, make_topology

FloatArray = NDArray[np.float64]


def topology_of(scenario: Scenario) -> Topology:
    """Return the grid of a scenario."""
    cells = scenario.cells
    return make_topology(cells.rows, cells.columns, cells.reuse_distance)


def new_call_erlang(scenario: Scenario, phase_rad: NDArray[np.floating]) -> FloatArray:
    """Return the load of new calls of each cell, in erlang: calls that begin within the mean holding time.

    Args:
        scenario: The scenario.
        phase_rad: Angle of the hotspot on its circle, [...]; without a hotspot its shape alone matters.

    Returns:
        [..., N].
    """
    base, across, along = _profile(scenario)
    hotspot = scenario.load.hotspot
    if hotspot is None:
        return np.broadcast_to(base, (*np.shape(phase_rad), len(base)))
    phase = np.asarray(phase_rad, dtype=np.float64)[..., None]
    east = across - hotspot.orbit_cells * np.cos(phase)
    north = along - hotspot.orbit_cells * np.sin(phase)
    crowd = hotspot.peak_erlang * np.exp(-(east**2 + north**2) / (2 * hotspot.width_cells**2))
    return np.asarray(base + crowd)


@lru_cache(maxsize=16)
def _profile(scenario: Scenario) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Load without the hotspot, and east and north of each cell from the middle of the grid, [N] each."""
    load, columns = scenario.load, scenario.cells.columns
    slope = np.linspace(-load.gradient, load.gradient, columns) if columns > 1 else np.zeros(1)
    base = load.offered_erlang * (1 + np.tile(slope, scenario.cells.rows))
    centres = topology_of(scenario).centres()
    east, north = (centres - (centres.max(axis=0) + centres.min(axis=0)) / 2).T
    return base, east, north


def phase_at(scenario: Scenario, first_rad: float, time_s: NDArray[np.floating]) -> FloatArray:
    """Return the angle of the hotspot at given times, in [0, 2 pi); 0 without a hotspot."""
    hotspot = scenario.load.hotspot
    if hotspot is None:
        return np.zeros(np.shape(time_s))
    return np.asarray(np.mod(first_rad + 2 * math.pi / hotspot.period_s * np.asarray(time_s), 2 * math.pi))


def mean_offered_calls(scenario: Scenario, first_rad: float) -> FloatArray:
    """Return the mean number of offered calls in each cell at time 0, [N].

    Without hand-overs it is the past load, weighted by the chance that a call of that age still goes on: the mean of
    an infinite-server queue with arrivals of a varying rate (S. Eick, W. Massey, W. Whitt, "The physics of the
    Mt/G/inf queue", Operations Research 41(4), 1993). Hand-overs add by the traffic equations of an open network.
    """
    age = np.linspace(0.0, 12.0, 481)
    past_s = -age * scenario.load.holding_s
    load = new_call_erlang(scenario, phase_at(scenario, first_rad, past_s))
    weight = np.exp(-age) * (age[1] - age[0])
    weight[[0, -1]] /= 2
    fresh = weight @ load / weight.sum()
    share = scenario.load.handover_share
    if not share:
        return np.asarray(fresh)
    adjacent = topology_of(scenario).adjacent
    moves = np.zeros((len(adjacent), len(adjacent)))
    for i, row in enumerate(adjacent):
        present = row[row >= 0]
        moves[i, present] = 1 / len(present) if len(present) else 0.0
    return np.asarray(np.linalg.solve(np.eye(len(adjacent)) - share * moves.T, fresh))
