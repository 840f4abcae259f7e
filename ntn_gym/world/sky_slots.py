"""Satellites in slots: which passes an episode offers, and where their satellites are in local axes.

For users who choose among satellites (not beams): every pass above an elevation mask stands in one slot from rise to
set; the slot then stays empty for a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.world.arcs import ArcMaker, Path, evaluate
from ntn_gym.world.constellation import EphemerisGrid
from ntn_gym.world.passes import assign_slots, find_passes, sky_index

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class SlotPlan:
    """What stands in the slots over one episode: arrays [B, T, K].

    Attributes:
        pass_id: Number of the pass within its world, -1 where the slot is empty.
        satellite: Satellite in the grid, 0 where the slot is empty.
        set_step: First step in which the pass is gone, 0 where the slot is empty.
    """

    pass_id: NDArray[np.int32]
    satellite: NDArray[np.int32]
    set_step: NDArray[np.int32]


class SatelliteSlots:
    """Slots of one constellation."""

    def __init__(
        self,
        grid: EphemerisGrid,
        n_slots: int,
        min_elevation_rad: float,
        n_steps: int,
        horizon_steps: int,
        dt_s: float,
        empty_steps: int = 1,
    ) -> None:
        """Prepare the ephemeris.

        Args:
            grid: Ephemeris.
            n_slots: Number of slots K.
            min_elevation_rad: Elevation mask.
            n_steps: Slices T of an episode.
            horizon_steps: Steps beyond the episode for which passes are predicted.
            dt_s: Step in s.
            empty_steps: Steps that a slot stays empty after a set.

        Raises:
            ValueError: If the episode does not fit into the ephemeris.
        """
        self._grid, self._index = grid, sky_index(grid)
        self._n_slots, self._n_steps, self._dt_s, self._empty_steps = n_slots, n_steps, dt_s, empty_steps
        self._n_plan = n_steps + horizon_steps
        self._mask_rad = min_elevation_rad
        self.latest_start_s = grid.window_s - self._n_plan * dt_s - grid.step_s
        if self.latest_start_s <= 0:
            raise ValueError(
                f"an episode of {n_steps * dt_s:g} s and its horizon do not fit into the ephemeris window of "
                f"{grid.window_s:g} s; shorten the episode"
            )

    def plan(self, start_s: NDArray[np.float64], path: Path) -> SlotPlan:
        """Find the passes over the place of each world and put them into slots.

        Args:
            start_s: Time of step 0 within the grid, [B].
            path: Planned course of each world's place.
        """
        n_worlds = len(start_s)
        passes = find_passes(self._index, start_s, path, self._n_plan, self._dt_s, self._mask_rad)
        table = assign_slots(passes, n_worlds, self._n_steps, self._n_slots, self._empty_steps)
        empty = table < 0
        if not len(passes.world):
            zero = np.zeros(table.shape, dtype=np.int32)
            return SlotPlan(table, zero, zero.copy())
        safe = np.where(empty, 0, table)
        first_of_world = np.searchsorted(passes.world, np.arange(n_worlds))
        number = np.where(empty, -1, table - first_of_world[:, None, None])
        satellite, set_step = (np.where(empty, 0, values[safe]) for values in (passes.satellite, passes.set_step))
        return SlotPlan(number.astype(np.int32), satellite.astype(np.int32), set_step.astype(np.int32))

    def positions_m(
        self, start_s: NDArray[np.float64], plan: SlotPlan, first_step: int, n_steps: int, path: Path
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return where the satellites are, east, north and up of the place, float32 [B, n, K] each.

        Empty slots hold some satellite's position.
        """
        interval_s = self._grid.step_s
        time = (start_s[:, None] + (first_step + np.arange(n_steps)) * self._dt_s) / interval_s
        interval = np.minimum(np.floor(time).astype(np.intp), self._grid.position_m.shape[1] - 2)
        first = interval[:, 0]
        maker = ArcMaker(self._grid, start_s, path, first, int((interval[:, -1] - first).max()) + 1)
        satellite = plan.satellite[:, first_step : first_step + n_steps].swapaxes(1, 2)
        # A new arc begins where a slot changes its satellite and where an interval of the ephemeris begins.
        begins = np.ones(satellite.shape, dtype=bool)
        begins[..., 1:] = (satellite[..., 1:] != satellite[..., :-1]) | (
            interval[:, None, 1:] != interval[:, None, :-1]
        )
        row = np.ascontiguousarray((np.cumsum(begins.ravel()) - 1).reshape(begins.shape).swapaxes(1, 2))
        share = np.empty(row.shape, dtype=np.float32)
        share[:] = (time - interval)[..., None]
        world, slot, step = np.nonzero(begins)
        arcs = maker.position_m(
            world, satellite[world, slot, step].astype(np.intp), interval[world, step] - first[world]
        )
        east, north, up = (evaluate(arcs[:, axis], row, share) for axis in range(3))
        return east, north, up


def controlling_slot(plans: list[SlotPlan]) -> NDArray[np.int8]:
    """Return which slot holds the controlling satellite at every step, [B, T]; -1 while all slots are empty.

    The controlling satellite is the one that will be seen longest when it is appointed; it keeps the task until it
    sets. Slots are numbered through the given plans.
    """
    pass_id = np.concatenate([plan.pass_id for plan in plans], axis=-1)
    set_step = np.concatenate([np.where(plan.pass_id < 0, -1, plan.set_step) for plan in plans], axis=-1)
    n_worlds, n_steps, _ = pass_id.shape
    result = np.full((n_worlds, n_steps), -1, dtype=np.int8)
    for world in range(n_worlds):
        step = 0
        while step < n_steps:
            slot = int(np.argmax(set_step[world, step]))
            end = int(set_step[world, step, slot])
            if end <= step:  # nothing is in the sky now
                later = np.flatnonzero((pass_id[world, step:] >= 0).any(axis=-1))
                step = n_steps if not len(later) else step + int(later[0])
                continue
            result[world, step:end] = slot
            step = end
    return result
