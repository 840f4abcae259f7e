"""Where the nodes are: the platform, and the satellite in service from rise to set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.envs.task_offloading.scenario import LeoNode, Scenario
from ntn_gym.physics.orbits import WalkerShell
from ntn_gym.world.arcs import ArcMaker, evaluate
from ntn_gym.world.constellation import EphemerisGrid, named_tle, tle_grid, walker_grid
from ntn_gym.world.passes import assign_slots, find_passes, sky_index
from ntn_gym.world.users import Region, centre_site

WINDOW_S = 6 * 3600.0
"""Worlds start at a random time of this window; with a random longitude that shows every geometry of the sky."""
HORIZON_S = 600.0
"""Remaining visibility is predicted up to here."""


@dataclass(frozen=True)
class ServingPass:
    """The satellite in service at every step of whole episodes, seen from the middle of the region.

    Attributes:
        number: Passes since the beginning of the episode, -1 where none is above the mask, int32 [B, T + 1].
        remaining_s: Predicted time until it sets, 0 without one, [B, T + 1].
        azimuth_rad: Azimuth, [B, T + 1].
        elevation_rad: Elevation, [B, T + 1].
        range_m: Distance, [B, T + 1].
    """

    number: NDArray[np.int32]
    remaining_s: NDArray[np.float32]
    azimuth_rad: NDArray[np.float32]
    elevation_rad: NDArray[np.float32]
    range_m: NDArray[np.float32]


class LeoSky:
    """Low orbit as the devices use it: one satellite at a time, kept until it sets."""

    def __init__(self, scenario: Scenario, node: LeoNode) -> None:
        """Build (or share) the ephemeris."""
        self._scenario = scenario
        self._grid = _grid(node)
        self._index = sky_index(self._grid)
        self._mask_rad = math.radians(node.min_elevation_deg)
        self._n_plan = scenario.steps + 1 + math.ceil(HORIZON_S / scenario.dt_s)
        self._latest_s = self._grid.window_s - self._n_plan * scenario.dt_s - self._grid.step_s
        if self._latest_s <= 0:
            raise ValueError(
                f"steps x dt_s = {scenario.steps * scenario.dt_s:g} s plus {HORIZON_S:g} s does not fit into the "
                f"ephemeris of {self._grid.window_s:g} s; shorten the episode"
            )

    def plan(self, keys: Sequence[WorldKey], region: Region) -> ServingPass:
        """Find who serves when, over the whole episode."""
        scenario = self._scenario
        n_steps = scenario.steps + 1
        start_s = np.array([g.random() for g in process_generators(keys, "epoch")]) * self._latest_s
        path = partial(centre_site, region, scenario.devices.motion)
        passes = find_passes(self._index, start_s, path, self._n_plan, scenario.dt_s, self._mask_rad)
        table = assign_slots(passes, len(keys), n_steps, 1, empty_steps=0)[..., 0]
        none = table < 0
        if not len(passes.world):
            zero = np.zeros(table.shape, dtype=np.float32)
            return ServingPass(table, zero, zero, zero, zero)
        chosen = np.where(none, 0, table)
        step = np.arange(n_steps)
        remaining = np.where(none, 0, passes.set_step[chosen] - step) * scenario.dt_s
        world, at = np.nonzero(~none)
        azimuth, elevation, distance = (np.zeros(table.shape, dtype=np.float32) for _ in range(3))
        time = (start_s[world] + at * scenario.dt_s) / self._grid.step_s
        interval = np.minimum(np.floor(time).astype(np.intp), self._grid.position_m.shape[1] - 2)
        first = np.minimum(np.floor(start_s / self._grid.step_s).astype(np.intp), self._grid.position_m.shape[1] - 2)
        n_intervals = math.ceil(n_steps * scenario.dt_s / self._grid.step_s) + 2
        last = self._grid.position_m.shape[1] - 1
        maker = ArcMaker(self._grid, start_s, path, first, min(n_intervals, int(last - first.max())))
        satellite = passes.satellite[chosen[world, at]]
        arcs = maker.position_m(world, satellite, interval - first[world])
        rows = np.arange(len(world))
        share = (time - interval).astype(np.float32)
        east, north, up = (evaluate(arcs[:, i], rows, share) for i in range(3))
        ground = np.hypot(east, north)
        azimuth[world, at] = np.arctan2(east, north)
        elevation[world, at] = np.arctan2(up, ground)
        distance[world, at] = np.hypot(ground, up)
        of_world = np.searchsorted(passes.world, np.arange(len(keys)))
        number = np.where(none, -1, table - of_world[:, None]).astype(np.int32)
        return ServingPass(number, remaining.astype(np.float32), azimuth, elevation, distance)


def _grid(node: LeoNode) -> EphemerisGrid:
    if node.tle is not None:
        return tle_grid(named_tle(node.tle), WINDOW_S)
    shell = WalkerShell(
        total=node.satellites,
        planes=node.planes,
        phasing=node.phasing,
        inclination_deg=node.inclination_deg,
        altitude_m=node.altitude_m,
        pattern="delta",
    )
    return walker_grid(shell, WINDOW_S)
