"""Where the nodes of the slots are, seen from the region: satellites (with steered or fixed beams) and HAPS cells.

Both kinds of sky give the same arrays, so the channel does not ask what flies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.envs.handover.scenario import HapsSky, Scenario, TleSky, WalkerSky
from ntn_gym.physics.antennas import aperture_angle_rad, half_power_beamwidth_rad, hexagonal_beams_uv
from ntn_gym.physics.geometry import enu_basis
from ntn_gym.physics.orbits import WalkerShell
from ntn_gym.physics.tle import parse_tle
from ntn_gym.world.constellation import EphemerisGrid, named_tle, tle_grid, walker_grid
from ntn_gym.world.passes import BeamLayout, Site, assign_slots, find_passes, satellite_frame, sky_index
from ntn_gym.world.platform import (
    Swing,
    SwingState,
    advance_swing,
    cell_boresights,
    hexagonal_cells_m,
    rotate,
    start_swing,
)

FloatArray = NDArray[Any]

WINDOW_S = 6 * 3600.0
"""Worlds start at a random time of this window. With a random longitude that shows every geometry of the sky."""


@dataclass(frozen=True)
class Schedule:
    """What stands in the slots over one episode: arrays [B, T, K].

    Attributes:
        pass_id: Number of the pass within its world, -1 where the slot is empty.
        node: Satellite in the grid, or 0 for a platform.
        beam: Beam of the node.
        set_step: First step in which the pass is gone.
    """

    pass_id: NDArray[np.int32]
    node: NDArray[np.int32]
    beam: NDArray[np.int32]
    set_step: NDArray[np.int32]


@dataclass(frozen=True)
class Nodes:
    """Nodes of the slots in the local frame (east, north, up) of the region's centre, arrays [B, n, K, 3].

    ``boresight`` is the unit vector of the beam (None: the beam is steered onto the user), ``planned_boresight`` what a
    user expects it to be: the same for a satellite, the attitude at rest for a platform. Sub-points in degrees.
    """

    relative_m: FloatArray
    velocity_m_s: FloatArray
    boresight: FloatArray | None
    planned_boresight: FloatArray | None
    lat_deg: FloatArray
    lon_deg: FloatArray


class SkyModel(Protocol):
    """Gives the schedule of an episode and then the geometry, chunk by chunk."""

    steerable: bool

    def begin(self, keys: Sequence[WorldKey], site: Site, focus_m: FloatArray) -> tuple[Schedule, Any]:
        """Plan the episodes; return the schedule and the state of the geometry."""

    def advance(
        self, state: Any, schedule: Schedule, first_step: int, site: Site, frame: FloatArray
    ) -> tuple[Any, Nodes]:
        """Return the nodes of the steps covered by ``site`` and ``frame`` ([B, n, ...])."""


def _sub_point(position_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    horizontal = np.hypot(position_m[..., 0], position_m[..., 1])
    latitude = np.degrees(np.arctan2(position_m[..., 2], horizontal))
    longitude = np.degrees(np.arctan2(position_m[..., 1], position_m[..., 0]))
    return latitude.astype(np.float32), longitude.astype(np.float32)


@dataclass(frozen=True)
class SatelliteState:
    """Time of step 0 within the ephemeris window, [B]."""

    start_s: NDArray[np.float64]


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
        self.beams: BeamLayout | None = None
        if scenario.slots.kind == "beam":
            link, slots = scenario.link, scenario.slots
            width = float(half_power_beamwidth_rad(link.aperture_m, link.freq_hz))
            uv = hexagonal_beams_uv(slots.rings, math.sqrt(3.0) * math.sin(width / 2))
            uv = uv[np.hypot(uv[:, 0], uv[:, 1]) < 0.98]
            boresight = np.column_stack([uv, np.sqrt(1.0 - np.sum(uv**2, axis=1))])
            edge = float(aperture_angle_rad(slots.beam_edge_db, link.aperture_m, link.freq_hz))
            self.beams = BeamLayout(boresight, edge)
        self.steerable = self.beams is None

    def begin(self, keys: Sequence[WorldKey], site: Site, focus_m: FloatArray) -> tuple[Schedule, SatelliteState]:
        """Draw the start times, find the passes over the planned path and put them into slots."""
        scenario = self._scenario
        start_s = np.array([g.random() for g in process_generators(keys, "epoch")]) * self._latest_s
        passes = find_passes(
            self._index,
            start_s,
            site,
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
        return schedule, SatelliteState(start_s)

    def advance(
        self, state: SatelliteState, schedule: Schedule, first_step: int, site: Site, frame: FloatArray
    ) -> tuple[SatelliteState, Nodes]:
        """Interpolate the ephemeris at the next steps."""
        n_steps = site.position_m.shape[1]
        steps = np.s_[:, first_step : first_step + n_steps]
        node = schedule.node[steps]
        time_s = state.start_s[:, None] + (first_step + np.arange(n_steps)) * self._scenario.dt_s
        position, velocity = self.grid.interpolate(node, np.broadcast_to(time_s[..., None], node.shape))
        boresight = None
        if self.beams is not None:
            axes = satellite_frame(position, velocity)
            beam = self.beams.boresight[schedule.beam[steps]]
            direction = sum(beam[..., i, None] * axis for i, axis in enumerate(axes))
            boresight = _to_local(frame, direction)
        return state, Nodes(
            _to_local(frame, position - site.position_m[:, :, None]),
            _to_local(frame, velocity),
            boresight,
            boresight,
            *_sub_point(position),
        )


def _to_local(frame: FloatArray, vector: FloatArray) -> FloatArray:
    """Rotate ECEF vectors [B, n, K, 3] into the local frame [B, n, 3, 3]; float32."""
    parts = [
        vector[..., 0] * frame[:, :, None, i, 0]
        + vector[..., 1] * frame[:, :, None, i, 1]
        + vector[..., 2] * frame[:, :, None, i, 2]
        for i in range(3)
    ]
    return np.stack(parts, axis=-1).astype(np.float32)


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


@dataclass(frozen=True)
class PlatformState:
    """Generators and swing of the platforms."""

    generators: list[np.random.Generator]
    swing: SwingState


class PlatformSky:
    """The cells of one HAPS; the region's centre is the point below it."""

    steerable = False

    def __init__(self, scenario: Scenario, horizon_steps: int) -> None:
        """Lay out the cells."""
        assert isinstance(scenario.sky, HapsSky)
        sky = scenario.sky
        self._scenario = scenario
        self._altitude_m = sky.altitude_m
        self.cells_m = hexagonal_cells_m(scenario.slots.rings, sky.cell_radius_m)
        if len(self.cells_m) < scenario.slots.count:
            raise ValueError(
                f"slots.count = {scenario.slots.count} exceeds the {len(self.cells_m)} cells of slots.rings = "
                f"{scenario.slots.rings}; add a ring or use fewer slots"
            )
        self._boresight = cell_boresights(self.cells_m, sky.altitude_m)
        tilt, yaw = math.radians(sky.tilt_rms_deg), math.radians(sky.yaw_rms_deg)
        self._swing = Swing(
            (sky.sway_rms_m, sky.sway_rms_m, sky.vertical_rms_m, tilt, tilt, yaw),
            (
                sky.sway_period_s,
                sky.sway_period_s,
                sky.vertical_period_s,
                sky.tilt_period_s,
                sky.tilt_period_s,
                sky.yaw_period_s,
            ),
            sky.memory_s,
        )

    def begin(self, keys: Sequence[WorldKey], site: Site, focus_m: FloatArray) -> tuple[Schedule, PlatformState]:
        """Offer the cells nearest to the users for the whole episode."""
        scenario = self._scenario
        distance = np.linalg.norm(self.cells_m[None] - focus_m[:, None], axis=-1)
        chosen = np.sort(np.argsort(distance, axis=1, kind="stable")[:, : scenario.slots.count], axis=1)
        shape = (len(keys), scenario.steps + 1, scenario.slots.count)
        beam = np.broadcast_to(chosen[:, None], shape).astype(np.int32)
        far = np.full(shape, scenario.steps + 1 + round(scenario.remaining_horizon_s / scenario.dt_s), dtype=np.int32)
        schedule = Schedule(beam.copy(), np.zeros(shape, dtype=np.int32), beam, far)
        generators = process_generators(keys, "swing")
        return schedule, PlatformState(generators, start_swing(generators))

    def advance(
        self, state: PlatformState, schedule: Schedule, first_step: int, site: Site, frame: FloatArray
    ) -> tuple[PlatformState, Nodes]:
        """Move the platform."""
        n_steps = site.position_m.shape[1]
        swing, motion = advance_swing(state.generators, state.swing, self._swing, n_steps, self._scenario.dt_s)
        beam = schedule.beam[:, first_step : first_step + n_steps]
        place = motion[..., :3] + np.array([0.0, 0.0, self._altitude_m])
        relative = np.broadcast_to(place[:, :, None], (*beam.shape, 3)).astype(np.float32)
        up = site.up[:, :, None]
        latitude, longitude = _sub_point(np.broadcast_to(site.position_m[:, :, None] + up, (*beam.shape, 3)))
        nodes = Nodes(
            relative,
            np.zeros_like(relative),
            rotate(self._boresight[beam], motion).astype(np.float32),
            self._boresight[beam].astype(np.float32),
            latitude,
            longitude,
        )
        return PlatformState(state.generators, swing), nodes


def make_sky(scenario: Scenario) -> SkyModel:
    """Choose the sky of a scenario."""
    horizon_steps = math.ceil(scenario.remaining_horizon_s / scenario.dt_s)
    if isinstance(scenario.sky, HapsSky):
        return PlatformSky(scenario, horizon_steps)
    return SatelliteSky(scenario, horizon_steps)


def local_frame(latitude_rad: FloatArray, longitude_rad: FloatArray) -> FloatArray:
    """Rows east, north, up of the local frame, [B, n, 3, 3]."""
    return np.asarray(enu_basis(latitude_rad, longitude_rad))
