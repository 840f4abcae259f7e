"""Passes of satellites or of their beams over a place, and the slots in which they are offered.

Everything here follows from the ephemeris and from the planned course of the place: a node in the field knows it.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.constants import EARTH_EQUATORIAL_RADIUS_M
from ntn_gym.physics.geometry import central_angle_rad
from ntn_gym.world.arcs import ArcMaker, Path, evaluate
from ntn_gym.world.constellation import EphemerisGrid

_BLOCK_BYTES = 64 * 1024**2
_BLOCK_SAMPLES = 1024


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


@dataclass(frozen=True)
class SkyIndex:
    """A grid prepared for asking which satellites are near.

    Attributes:
        grid: The grid.
        direction: Directions of the satellites from the Earth's centre in the middle of each interval, float32
            [G - 1, 3, N], so that one interval is one block of memory.
        altitude_m: No satellite is higher than this above the ground.
        drift_rad: No satellite moves by more than this, seen from the Earth's centre, in half an interval.
    """

    grid: EphemerisGrid
    direction: NDArray[np.float32]
    altitude_m: float
    drift_rad: float


@lru_cache(maxsize=4)
def sky_index(grid: EphemerisGrid) -> SkyIndex:
    """Prepare a grid; asked twice for the same grid, it returns the same object."""
    radius = np.sqrt(np.sum(grid.position_m * grid.position_m, axis=-1))
    speed = np.sqrt(np.max(np.sum(grid.velocity_m_s[:, ::8] ** 2, axis=-1)))
    p, v = grid.position_m, grid.velocity_m_s
    middle = (p[:, :-1] + p[:, 1:]) / 2 + (v[:, :-1] - v[:, 1:]) * (grid.step_s / 8)
    middle /= np.sqrt(np.sum(middle * middle, axis=-1, keepdims=True))
    # 25 km more than the highest radius over the equator's: the ground is lower towards the poles.
    altitude_m = float(radius.max() - EARTH_EQUATORIAL_RADIUS_M + 25e3)
    drift_rad = float(0.55 * grid.step_s * speed / radius.min())
    direction = np.ascontiguousarray(middle.transpose(1, 2, 0), dtype=np.float32)
    return SkyIndex(grid, direction, altitude_m, drift_rad)


def _near_intervals(
    index: SkyIndex, place_m: NDArray[np.float64], first_interval: NDArray[np.intp], min_elevation_rad: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return (world, satellite, interval) wherever a satellite may come above the mask, sorted in this order."""
    n_worlds, n_intervals = place_m.shape[1:]
    # 0.004 rad: the vertical of the ellipsoid leaves the geocentric direction by up to 0.0034 rad.
    reach = float(central_angle_rad(min_elevation_rad, index.altitude_m)) + index.drift_rad + 0.004
    threshold = np.float32(math.cos(min(reach, math.pi)))
    columns = np.minimum(first_interval[:, None] + np.arange(n_intervals), len(index.direction) - 1)
    place = (place_m / np.sqrt(np.sum(place_m * place_m, axis=0))).astype(np.float32)
    n_satellites = index.grid.n_satellites
    block = max(1, _BLOCK_BYTES // (n_satellites * n_intervals * 24))
    found = []
    for low in range(0, n_worlds, block):
        worlds = np.arange(low, min(n_worlds, low + block))
        near = np.empty((len(worlds), n_satellites, n_intervals), dtype=bool)
        for i in range(n_intervals):
            towards = index.direction[columns[worlds, i]]
            x, y, z = place[:, worlds, i, None]
            near[..., i] = towards[:, 0] * x + towards[:, 1] * y + towards[:, 2] * z >= threshold
        world, satellite, interval = np.nonzero(near)
        found.append((worlds[world], satellite, interval))
    world, satellite, interval = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return world, satellite, interval


def _beam_elevation_rad(index: SkyIndex, beams: BeamLayout) -> float:
    """Elevation below which no beam of any satellite of the grid reaches the ground."""
    nadir_rad = math.acos(float(beams.boresight[:, 2].min())) + beams.edge_angle_rad
    # The highest satellite sees a nadir angle at the lowest elevation; 0.01 rad covers the Earth's flattening.
    sine = math.sin(nadir_rad) * (1.0 + index.altitude_m / EARTH_EQUATORIAL_RADIUS_M)
    return max(0.0, math.acos(min(1.0, sine)) - 0.01) if nadir_rad < math.pi / 2 else 0.0


def _runs(usable: NDArray[np.bool_], breaks: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return first and last flat index of each run of True along the last axis of [..., n].

    A break, [n], begins a new run; the first sample must be one.
    """
    index = np.flatnonzero(usable)
    begins = breaks.take(index % max(1, len(breaks)))
    begins[:1] = True
    begins[1:] |= np.diff(index) != 1
    ends = np.ones_like(begins)
    ends[:-1] = begins[1:]
    return index[begins], index[ends]


def _in_beams(beams: BeamLayout, direction: list[NDArray[np.float32]]) -> NDArray[np.bool_]:
    """Return which beams cover directions given along track, across track and towards nadir: [n_beams, n]."""
    axes = [beams.boresight[:, i, None].astype(np.float32) for i in range(3)]
    edge = np.float32(math.cos(beams.edge_angle_rad))
    inside = np.empty((len(beams.boresight), len(direction[0])), dtype=bool)
    # Blocks stay in the cache. No matrix product: its rounding may depend on the number of samples.
    for low in range(0, inside.shape[1], _BLOCK_SAMPLES):
        block = np.s_[low : low + _BLOCK_SAMPLES]
        cosine = axes[0] * direction[0][block]
        cosine += axes[1] * direction[1][block]
        cosine += axes[2] * direction[2][block]
        np.greater_equal(cosine, edge, out=inside[:, block])
    return inside


def find_passes(
    index: SkyIndex,
    start_s: NDArray[np.float64],
    path: Path,
    n_steps: int,
    dt_s: float,
    min_elevation_rad: float,
    beams: BeamLayout | None = None,
) -> Passes:
    """Find every pass over the planned path of each world.

    Args:
        index: Ephemeris, prepared.
        start_s: Time of step 0 within the grid, [B].
        path: Planned course of each world's place.
        n_steps: Steps S to look at.
        dt_s: Step in s.
        min_elevation_rad: Elevation mask.
        beams: Beam layout; None makes each satellite one pass.

    Returns:
        The passes within steps 0 to S - 1; one that lasts beyond ends at S.
    """
    step_s = index.grid.step_s
    if beams is not None:
        min_elevation_rad = max(min_elevation_rad, _beam_elevation_rad(index, beams))
    last_interval = index.grid.position_m.shape[1] - 2
    first_interval = np.minimum(np.floor(start_s / step_s).astype(np.intp), last_interval)
    n_intervals = math.ceil((n_steps - 1) * dt_s / step_s) + 1
    maker = ArcMaker(index.grid, start_s, path, first_interval, n_intervals)
    world, satellite, interval = _near_intervals(index, maker.place_m, first_interval, min_elevation_rad)
    position_m = maker.position_m(world, satellite, interval)

    # First step of each interval; the samples are the steps of all near intervals.
    begins_s = (first_interval[:, None] + np.arange(n_intervals + 1)) * step_s - start_s[:, None]
    begins = np.clip(np.ceil(begins_s / dt_s), 0, n_steps).astype(np.intp)
    # A step at the very end of the ephemeris belongs to its last interval.
    begins[first_interval[:, None] + np.arange(n_intervals + 1) > last_interval] = n_steps
    begins[:, -1] = n_steps
    first, length = begins[world, interval], np.diff(begins, axis=1)[world, interval]
    arc = np.repeat(np.arange(len(world)), length)
    offset = np.cumsum(length) - length
    step = np.arange(len(arc)) + np.repeat(first - offset, length)
    share = ((step * dt_s - begins_s[world, interval][arc]) / step_s).astype(np.float32)
    new_track = np.ones(len(world), dtype=np.intp)
    new_track[1:] = (np.diff(world) != 0) | (np.diff(satellite) != 0) | (np.diff(interval) != 1)
    track = np.cumsum(new_track)[arc]
    breaks = np.ones(len(arc), dtype=bool)
    breaks[1:] = track[1:] > track[:-1]

    east, north, up = (evaluate(position_m[:, i], arc, share) for i in range(3))
    distance = np.sqrt(east * east + north * north + up * up)
    high = up >= np.float32(math.sin(min_elevation_rad)) * distance
    if beams is None:
        start, last = _runs(high, breaks)
        which, beam = start, np.zeros(len(start), dtype=np.intp)
    else:
        # Only samples above the mask can lie in a beam; a run must also break where samples were left out.
        kept = np.flatnonzero(high)
        breaks = breaks[kept]
        breaks[1:] |= np.diff(kept) > 1
        towards = [part[kept] / -distance[kept] for part in (east, north, up)]
        axes = maker.axes(world, satellite, interval)
        direction = [
            sum(evaluate(axes[:, axis, i], arc[kept], share[kept]) * towards[i] for i in range(3)) for axis in range(3)
        ]
        start, last = _runs(_in_beams(beams, direction), breaks)
        beam = start // max(1, len(kept))
        which = kept[start - beam * len(kept)]
    owner = arc[which]
    rise, fall = step[which], step[which] + (last - start) + 1
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
            # Here either no slot is free or no pass waits: the next pass is offered when both have changed.
            rise = rises[index] if index < end else n_steps
            now = rise if free else busy[0][0] if waiting else max(rise, busy[0][0])
            if now >= n_steps:
                break
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
