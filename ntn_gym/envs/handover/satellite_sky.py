"""The sky of satellites: which passes an episode offers, and where their satellites and beams are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.envs.handover.geometry import FloatArray, Nodes, Schedule, Vector, sub_point
from ntn_gym.envs.handover.scenario import Scenario, TleSky, WalkerSky
from ntn_gym.physics.antennas import aperture_angle_rad, beam_spacing_uv, half_power_beamwidth_rad, hexagonal_beams_uv
from ntn_gym.physics.orbits import WalkerShell
from ntn_gym.physics.tle import parse_tle
from ntn_gym.world.arcs import ArcMaker, Path, evaluate, rate_per_s
from ntn_gym.world.constellation import EphemerisGrid, named_tle, tle_grid, walker_grid
from ntn_gym.world.joint import Process
from ntn_gym.world.passes import BeamLayout, assign_slots, find_passes, sky_index

WINDOW_S = 6 * 3600.0
"""Worlds start at a random time of this window. With a random longitude that shows every geometry of the sky."""
_WIDEST_UV = 0.98
"""Beams farther from nadir than 79 deg are left out: they look past the Earth."""


class SatelliteSky:
    """Satellites of a Walker constellation or of a TLE file."""

    def __init__(self, scenario: Scenario, horizon_steps: int) -> None:
        """Build (or share) the ephemeris.

        Args:
            scenario: The scenario.
            horizon_steps: Steps beyond the episode for which passes are predicted.
        """
        self._scenario = scenario
        self._n_plan = scenario.steps + 1 + horizon_steps
        self.grid = _grid(scenario, WINDOW_S)
        self._index = sky_index(self.grid)
        self._latest_s = self.grid.window_s - self._n_plan * scenario.dt_s - self.grid.step_s
        if self._latest_s <= 0:
            raise ValueError(
                f"steps x dt_s = {scenario.steps * scenario.dt_s:g} s plus the horizon does not fit into the ephemeris "
                f"window of {self.grid.window_s:g} s; shorten the episode"
            )
        self.processes: Mapping[str, Process] = {}
        self.beams: BeamLayout | None = None
        if scenario.slots.kind == "beam":
            link, slots = scenario.link, scenario.slots
            width_rad = float(half_power_beamwidth_rad(link.aperture_m, link.freq_hz))
            uv = hexagonal_beams_uv(slots.rings, float(beam_spacing_uv(width_rad)))
            uv = uv[np.hypot(uv[:, 0], uv[:, 1]) < _WIDEST_UV]
            boresight = np.column_stack([uv, np.sqrt(1.0 - np.sum(uv**2, axis=1))])
            edge_rad = float(aperture_angle_rad(slots.beam_edge_db, link.aperture_m, link.freq_hz))
            self.beams = BeamLayout(boresight, edge_rad)

    def begin(self, keys: Sequence[WorldKey], path: Path, focus_m: FloatArray) -> tuple[Schedule, NDArray[np.float64]]:
        """Draw the start times [B], find the passes over the planned path and put them into slots."""
        scenario = self._scenario
        start_s = np.array([g.random() for g in process_generators(keys, "epoch")]) * self._latest_s
        passes = find_passes(
            self._index,
            start_s,
            path,
            self._n_plan,
            scenario.dt_s,
            math.radians(scenario.slots.min_elevation_deg),
            self.beams,
        )
        table = assign_slots(passes, len(keys), scenario.steps + 1, scenario.slots.count, scenario.slots.empty_steps)
        first_of_world = np.searchsorted(passes.world, np.arange(len(keys)))
        empty = table < 0
        safe = np.where(empty, 0, table)

        def of_pass(values: NDArray[np.intp], fill: int) -> NDArray[np.int32]:
            if not len(values):
                return np.full(table.shape, fill, dtype=np.int32)
            return np.where(empty, fill, values[safe]).astype(np.int32)

        number = table - first_of_world[:, None, None]
        schedule = Schedule(
            np.where(empty, -1, number).astype(np.int32),
            of_pass(passes.satellite, 0),
            of_pass(passes.beam, 0),
            of_pass(passes.set_step, 0),
        )
        return schedule, start_s

    def advance(
        self,
        state: NDArray[np.float64],
        schedule: Schedule,
        first_step: int,
        n_steps: int,
        path: Path,
        samples: Mapping[str, FloatArray],
    ) -> Nodes:
        """Make the arcs of all passes in the next steps, and read them at every step."""
        interval_s = self.grid.step_s
        time = (state[:, None] + (first_step + np.arange(n_steps)) * self._scenario.dt_s) / interval_s
        interval = np.minimum(np.floor(time).astype(np.intp), self.grid.position_m.shape[1] - 2)
        first_interval = interval[:, 0]
        maker = ArcMaker(self.grid, state, path, first_interval, int((interval[:, -1] - first_interval).max()) + 1)
        steps = np.s_[:, first_step : first_step + n_steps]
        # A new arc begins where a slot changes its pass and where an interval of the ephemeris begins.
        passes = schedule.pass_id[steps].swapaxes(1, 2)
        begins = np.ones(passes.shape, dtype=bool)
        begins[..., 1:] = (passes[..., 1:] != passes[..., :-1]) | (interval[:, None, 1:] != interval[:, None, :-1])
        row = (np.cumsum(begins.ravel()) - 1).reshape(begins.shape).swapaxes(1, 2)
        row = np.ascontiguousarray(row)
        share = np.empty(row.shape, dtype=np.float32)
        share[:] = (time - interval)[..., None]

        world, slot, step = np.nonzero(begins)
        satellite = schedule.node[steps][world, step, slot]
        arc, which = _distinct(world, satellite, interval[world, step] - first_interval[world])
        boresight = None
        if self.beams is not None:
            beam = self.beams.boresight[schedule.beam[steps][world, step, slot]].T.astype(np.float32)
            axes = maker.axes(*arc).take(which, axis=-1)
            boresight = _read(axes[:, 0] * beam[0] + axes[:, 1] * beam[1] + axes[:, 2] * beam[2], row, share)
        position, row = maker.position_m(*arc), which[row]
        return Nodes(
            _read(position, row, share),
            _read(rate_per_s(position, interval_s), row, share),
            boresight,
            boresight,
            *sub_point(*_read(maker.earth_fixed_m(*arc), row, share)),
        )


def _distinct(
    world: NDArray[np.intp], satellite: NDArray[np.integer[Any]], interval: NDArray[np.intp]
) -> tuple[tuple[NDArray[np.intp], ...], NDArray[np.intp]]:
    """Return each (world, satellite, interval) once, and where to find each of the given ones (beams share arcs)."""
    sizes = tuple(int(part.max()) + 1 for part in (world, satellite, interval))
    key = (world * sizes[1] + satellite) * sizes[2] + interval
    distinct, which = np.unique(key, return_inverse=True)
    return np.unravel_index(distinct, sizes), which


def _read(powers: FloatArray, row: NDArray[np.intp], share: FloatArray) -> Vector:
    """Evaluate arcs [powers, 3, M] at rows and shares [B, n, K]."""
    x, y, z = (evaluate(powers[:, i], row, share) for i in range(3))
    return x, y, z


def _grid(scenario: Scenario, duration_s: float) -> EphemerisGrid:
    sky = scenario.sky
    if isinstance(sky, WalkerSky):
        shell = WalkerShell(
            total=sky.satellites,
            planes=sky.planes,
            phasing=sky.phasing,
            inclination_deg=sky.inclination_deg,
            altitude_m=sky.altitude_m,
            pattern=sky.pattern,
        )
        return walker_grid(shell, duration_s)
    assert isinstance(sky, TleSky)
    if sky.file.endswith((".txt", ".tle")):
        with open(sky.file, encoding="ascii") as file:
            return tle_grid(parse_tle(file.read(), sky.file), duration_s)
    return tle_grid(named_tle(sky.file), duration_s)
