"""Passes of satellites or of their beams over a place, and the slots in which they are offered.

Everything here follows from the ephemeris and from the planned course of the place: a node in the field knows it.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.constants import EARTH_EQUATORIAL_RADIUS_M
from ntn_gym.physics.geometry import central_angle_rad
from ntn_gym.world.constellation import EphemerisGrid

_BLOCK_BYTES = 64 * 1024**2


@dataclass(frozen=True)
class Site:
    """The planned path of a place: ECEF position and local up, [B, S, 3] for S steps."""

    position_m: NDArray[np.float64]
    up: NDArray[np.float64]


@dataclass(frozen=True)
class BeamLayout:
    """Beams fixed to the satellite: boresights as (along track, across track, nadir) unit vectors, [n_beams, 3]."""

    boresight: NDArray[np.float64]
    edge_angle_rad: float


@dataclass(frozen=True)
class Passes:
    """All passes of a batch of worlds, sorted by world and rise. Arrays of one length.

    Attributes:
        world: World of the pass.
        satellite: Index of the satellite in the grid.
        beam: Index of the beam, 0 where slots are satellites.
        rise_step: First step in which the pass is usable.
        set_step: First step in which it no longer is.
    """

    world: NDArray[np.intp]
    satellite: NDArray[np.intp]
    beam: NDArray[np.intp]
    rise_step: NDArray[np.intp]
    set_step: NDArray[np.intp]


def satellite_frame(
    position_m: NDArray[np.float64], velocity_m_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the unit vectors along track, across track and nadir of a satellite, each [..., 3].

    The along-track axis is the part of the Earth-fixed velocity that is orthogonal to nadir, so that beams move along
    the ground track.
    """
    nadir = -position_m / np.sqrt(np.sum(position_m * position_m, axis=-1, keepdims=True))
    along = velocity_m_s - np.sum(velocity_m_s * nadir, axis=-1, keepdims=True) * nadir
    along = along / np.sqrt(np.sum(along * along, axis=-1, keepdims=True))
    return along, np.cross(nadir, along), nadir


@dataclass(frozen=True)
class SkyIndex:
    """A grid prepared for asking which satellites are near: directions by column, and bounds of the orbits."""

    grid: EphemerisGrid
    direction: NDArray[np.float32]
    altitude_m: float
    drift_rad: float


def sky_index(grid: EphemerisGrid) -> SkyIndex:
    """Prepare a grid; directions are float32 [G, 3, N], so that one column is one block of memory."""
    radius = np.sqrt(np.sum(grid.position_m * grid.position_m, axis=-1))
    direction = (grid.position_m / radius[..., None]).transpose(1, 2, 0).astype(np.float32)
    speed = np.sqrt(np.max(np.sum(grid.velocity_m_s[:, ::8] ** 2, axis=-1)))
    # 25 km more than the highest radius over the equator's: the ground is lower towards the poles.
    altitude_m = float(radius.max() - EARTH_EQUATORIAL_RADIUS_M + 25e3)
    drift_rad = float(0.55 * grid.step_s * speed / radius.min())
    return SkyIndex(grid, np.ascontiguousarray(direction), altitude_m, drift_rad)


def _candidates(
    index: SkyIndex, start_s: NDArray[np.float64], site: Site, dt_s: float, min_elevation_rad: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return (world, satellite, first step, last step) of everything that may come above the mask.

    At each column of the grid a satellite counts as near if it may be above the mask within half a column's time.
    """
    grid = index.grid
    n_worlds, n_steps = site.position_m.shape[:2]
    # 0.004 rad: the vertical of the ellipsoid leaves the geocentric direction by up to 0.0034 rad.
    reach = float(central_angle_rad(min_elevation_rad, index.altitude_m)) + index.drift_rad + 0.004
    threshold = np.float32(math.cos(reach))
    n_grid = grid.position_m.shape[1]
    first_column = np.floor(start_s / grid.step_s).astype(np.intp)
    n_columns = min(math.ceil((n_steps - 1) * dt_s / grid.step_s) + 2, n_grid)
    columns = np.minimum(first_column[:, None] + np.arange(n_columns), n_grid - 1)
    column_step = np.rint((columns * grid.step_s - start_s[:, None]) / dt_s).astype(np.intp)
    column_step = np.clip(column_step, 0, n_steps - 1)
    place = np.take_along_axis(site.position_m, column_step[..., None], axis=1)
    place = (place / np.sqrt(np.sum(place * place, axis=-1, keepdims=True))).astype(np.float32)
    found: list[tuple[NDArray[np.intp], ...]] = []
    block = max(1, _BLOCK_BYTES // (grid.n_satellites * n_columns * 24))
    margin = math.ceil(0.6 * grid.step_s / dt_s)
    for low in range(0, n_worlds, block):
        worlds = np.arange(low, min(n_worlds, low + block))
        near = np.empty((len(worlds), grid.n_satellites, n_columns), dtype=bool)
        for c in range(n_columns):
            towards = index.direction[columns[worlds, c]]
            x, y, z = place[worlds, c, :, None].transpose(1, 0, 2)
            near[..., c] = towards[:, 0] * x + towards[:, 1] * y + towards[:, 2] * z >= threshold
        world, satellite = np.nonzero(near.any(axis=-1))
        flags = near[world, satellite]
        first = np.argmax(flags, axis=1)
        last = n_columns - 1 - np.argmax(flags[:, ::-1], axis=1)
        world = worlds[world]
        first_step = np.maximum(column_step[world, first] - margin, 0)
        last_step = np.minimum(column_step[world, last] + margin, n_steps - 1)
        # The plan starts between two columns and may end before the last one: do not cut there.
        first_step[first == 0] = 0
        last_step[last == n_columns - 1] = n_steps - 1
        found.append((world, satellite, first_step, last_step))
    world, satellite, first_step, last_step = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return world, satellite, first_step, last_step


def _beam_elevation_rad(index: SkyIndex, beams: BeamLayout) -> float:
    """Elevation below which no beam of any satellite of the grid reaches the ground."""
    nadir_rad = math.acos(float(beams.boresight[:, 2].min())) + beams.edge_angle_rad
    # The highest satellite sees a nadir angle at the lowest elevation; 0.01 rad covers the Earth's flattening.
    sine = math.sin(nadir_rad) * (1.0 + index.altitude_m / EARTH_EQUATORIAL_RADIUS_M)
    return max(0.0, math.acos(min(1.0, sine)) - 0.01) if nadir_rad < math.pi / 2 else 0.0


def _runs(usable: NDArray[np.bool_], starts_track: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return first and one-past-last index of each run of True along a flat list of tracks."""
    before = np.empty_like(usable)
    before[0] = False
    before[1:] = usable[:-1]
    rises = usable & (~before | starts_track)
    ends = np.empty_like(usable)
    ends[-1] = usable[-1]
    ends[:-1] = usable[:-1] & (~usable[1:] | starts_track[1:])
    return np.flatnonzero(rises), np.flatnonzero(ends) + 1


def find_passes(
    index: SkyIndex,
    start_s: NDArray[np.float64],
    site: Site,
    dt_s: float,
    min_elevation_rad: float,
    beams: BeamLayout | None = None,
) -> Passes:
    """Find every pass over the planned path of each world.

    Args:
        index: Ephemeris, prepared.
        start_s: Time of step 0 within the grid, [B].
        site: Planned path, [B, S, 3].
        dt_s: Step in s.
        min_elevation_rad: Elevation mask.
        beams: Beam layout; None makes each satellite one pass.

    Returns:
        The passes within steps 0 to S - 1; one that lasts beyond ends at S.
    """
    grid = index.grid
    if beams is not None:
        min_elevation_rad = max(min_elevation_rad, _beam_elevation_rad(index, beams))
    world, satellite, first, last = _candidates(index, start_s, site, dt_s, min_elevation_rad)
    length = last - first + 1
    track = np.repeat(np.arange(len(world)), length)
    offset = np.cumsum(length) - length
    step = np.arange(len(track)) - offset[track] + first[track]
    starts_track = np.zeros(len(track), dtype=bool)
    starts_track[offset] = True
    position, velocity = grid.interpolate(satellite[track], start_s[world[track]] + step * dt_s)
    relative = position - site.position_m[world[track], step]
    distance = np.sqrt(np.sum(relative * relative, axis=-1))
    high = np.sum(relative * site.up[world[track], step], axis=-1) >= math.sin(min_elevation_rad) * distance
    if beams is None:
        start, end = _runs(high, starts_track)
        which, beam = start, np.zeros(len(start), dtype=np.intp)
    else:
        # Only samples above the mask can lie in a beam; a run must also break where samples were left out.
        kept = np.flatnonzero(high)
        along, across, nadir = satellite_frame(position[kept], velocity[kept])
        direction = -relative[kept] / distance[kept, None]
        frame = np.stack([np.sum(direction * axis, axis=-1) for axis in (along, across, nadir)])
        inside = beams.boresight @ frame >= math.cos(beams.edge_angle_rad)  # [n_beams, samples]
        breaks = np.ones(len(kept), dtype=bool)
        breaks[1:] = (np.diff(kept) > 1) | starts_track[kept[1:]]
        start, end = _runs(inside.ravel(), np.tile(breaks, len(beams.boresight)))
        beam = start // len(kept)
        which = kept[start - beam * len(kept)]
        start, end = which, which + (end - start)
    owner = track[which]
    rise, fall = step[which], step[which] + (end - start)
    order = np.lexsort((satellite[owner], fall, rise, world[owner]))
    return Passes(world[owner][order], satellite[owner][order], beam[order], rise[order], fall[order])


def assign_slots(
    passes: Passes, n_worlds: int, n_steps: int, n_slots: int, empty_steps: int, min_steps: int = 2
) -> NDArray[np.int32]:
    """Offer passes in slots: whenever a slot is free it takes the waiting pass with the longest remaining time.

    A pass keeps its slot until it sets; then the slot stays empty for ``empty_steps``, so that nobody who names a slot
    rides from one pass onto the next. This runs once per episode over the events of each world (rises and sets), not
    over steps.

    Args:
        passes: Passes sorted by world and rise.
        n_worlds: Number of worlds.
        n_steps: Steps to fill.
        n_slots: Number of slots K.
        empty_steps: Steps a slot stays empty after a set.
        min_steps: Passes with less remaining time are not offered.

    Returns:
        Index of the pass in each slot, [B, n_steps, K]; -1 where empty.
    """
    table = np.full((n_worlds, n_steps, n_slots), -1, dtype=np.int32)
    bounds = np.searchsorted(passes.world, np.arange(n_worlds + 1))
    rises, sets = passes.rise_step.tolist(), passes.set_step.tolist()
    for world in range(n_worlds):
        view = table[world]
        index, end = int(bounds[world]), int(bounds[world + 1])
        free = list(range(n_slots))
        busy: list[tuple[int, int]] = []
        waiting: list[tuple[int, int]] = []
        while True:
            times = []
            if index < end:
                times.append(rises[index])
            if waiting and busy:
                times.append(busy[0][0])
            if not times or min(times) >= n_steps:
                break
            now = min(times)
            while index < end and rises[index] <= now:
                heapq.heappush(waiting, (-sets[index], index))
                index += 1
            while busy and busy[0][0] <= now:
                heapq.heappush(free, heapq.heappop(busy)[1])
            while waiting and free:
                negative_set, chosen = heapq.heappop(waiting)
                if -negative_set - now < min_steps:
                    waiting.clear()  # all others set even earlier
                    break
                slot = heapq.heappop(free)
                view[now:-negative_set, slot] = chosen
                heapq.heappush(busy, (-negative_set + empty_steps, slot))
    return table
