"""Antenna gains of a platform's beams as a table over directions, and what the platform's motion does to them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.resource_allocation.scenario import CellLayout, Layout
from ntn_gym.physics.antennas import aperture_gain_db, aperture_max_gain_dbi, hexagonal_colours
from ntn_gym.physics.hibs import hibs_layout, sector_gain_dbi
from ntn_gym.world.platform import cell_boresights, hexagonal_cells_m, rotate

FloatArray = NDArray[Any]

_NADIR_STEP_DEG = 0.5
_NADIR_STEPS = 200
"""Directions up to 100 deg off the nadir: the horizon, and what tilt may turn beyond it."""
_AZIMUTH_STEPS = 360


def beam_count(layout: Layout) -> int:
    """Number of beams of a layout."""
    if layout.kind == "hibs":
        return layout.sectors
    return len(_cells_m(layout))


def _cells_m(layout: CellLayout) -> FloatArray:
    if layout.pattern == "hexagonal":
        return hexagonal_cells_m(layout.rings, layout.cell_radius_m)
    east = (np.arange(layout.row) - (layout.row - 1) / 2) * math.sqrt(3) * layout.cell_radius_m
    return np.stack([east, np.zeros_like(east)], axis=-1)


def beam_centres_m(layout: Layout, altitude_m: float) -> FloatArray:
    """Where the boresights meet a flat ground, east and north in m, [K, 2]."""
    if layout.kind == "cells":
        return _cells_m(layout)
    hibs = hibs_layout(layout.sectors)
    distance = altitude_m / np.tan(np.maximum(-hibs.elevation_rad, 1e-3))
    distance = np.where(-hibs.elevation_rad > 0.5 * math.pi - 1e-6, 0.0, distance)
    return np.stack([distance * np.sin(hibs.azimuth_rad), distance * np.cos(hibs.azimuth_rad)], axis=-1)


def beam_colours(layout: Layout, reuse: int) -> NDArray[np.int64]:
    """Part of the band of each beam, [K]; neighbours differ with reuse 3 (a ring of six alternates)."""
    if reuse == 1:
        return np.zeros(beam_count(layout), dtype=np.int64)
    if layout.kind == "hibs":
        return np.arange(3) if layout.sectors == 3 else np.array([0, 1, 2, 1, 2, 1, 2])
    if layout.pattern == "row":
        return np.arange(layout.row) % 3
    return hexagonal_colours(layout.rings, 3)


def _beam_gain_dbi(layout: Layout, altitude_m: float, freq_hz: float, direction_enu: FloatArray) -> FloatArray:
    if layout.kind == "hibs":
        return np.asarray(sector_gain_dbi(hibs_layout(layout.sectors), direction_enu))
    boresight = cell_boresights(_cells_m(layout), altitude_m)
    off_axis = np.arccos(np.clip(direction_enu @ boresight.T, -1.0, 1.0))
    peak = float(aperture_max_gain_dbi(layout.aperture_m, freq_hz, 0.6))
    relative = aperture_gain_db(np.minimum(off_axis, 0.5 * math.pi), layout.aperture_m, freq_hz)
    return np.maximum(peak + np.asarray(relative), peak - 30.0)  # scattered power fills the nulls


@lru_cache(maxsize=8)
def gain_table(layout: Layout, altitude_m: float, freq_hz: float) -> NDArray[np.float32]:
    """Gain (ratio) of every beam by direction in the platform's axes, [nadir angles, azimuths, K], read-only.

    Sources: `physics.hibs.sector_gain_dbi` (ITU-R M.2101) or `physics.antennas.aperture_gain_db` (3GPP TR 38.811
    clause 6.4.1) with side lobes and nulls filled to 30 dB below the peak and an efficiency of 0.6.
    """
    nadir = np.radians(np.arange(_NADIR_STEPS + 1) * _NADIR_STEP_DEG)[:, None]
    azimuth = np.radians(np.arange(_AZIMUTH_STEPS + 1) * (360.0 / _AZIMUTH_STEPS))[None]
    east, north = np.sin(nadir) * np.sin(azimuth), np.sin(nadir) * np.cos(azimuth)
    direction = np.stack([east, north, np.broadcast_to(-np.cos(nadir), east.shape)], axis=-1)
    table = (10.0 ** (0.1 * _beam_gain_dbi(layout, altitude_m, freq_hz, direction))).astype(np.float32)
    table.setflags(write=False)
    return table


def look_up(table: NDArray[np.float32], direction: tuple[FloatArray, FloatArray, FloatArray]) -> NDArray[np.float32]:
    """Return gains towards unit vectors (east, north, up in the platform's axes), [..., K], linear between entries."""
    east, north, up = direction
    nadir = np.arctan2(np.hypot(east, north), -up) * np.float32(math.degrees(1.0) / _NADIR_STEP_DEG)
    azimuth = np.arctan2(east, north) * np.float32(math.degrees(1.0) * _AZIMUTH_STEPS / 360.0)
    azimuth = np.where(azimuth < 0, azimuth + np.float32(_AZIMUTH_STEPS), azimuth)
    row = np.minimum(nadir.astype(np.intp), _NADIR_STEPS - 1)
    column = np.minimum(azimuth.astype(np.intp), _AZIMUTH_STEPS - 1)
    down, right = (nadir - row).astype(np.float32), (azimuth - column).astype(np.float32)
    flat, width = table.reshape(-1, table.shape[-1]), _AZIMUTH_STEPS + 1
    corner = row * width + column
    gain = flat.take(corner, axis=0)
    gain *= ((1 - down) * (1 - right))[..., None]
    for offset, weight in ((1, (1 - down) * right), (width, down * (1 - right)), (width + 1, down * right)):
        part = flat.take(corner + offset, axis=0)
        part *= weight[..., None]
        gain += part
    return gain


def in_platform_axes(
    direction: tuple[FloatArray, FloatArray, FloatArray], motion: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Turn directions [B, n, U] into the axes of a platform that rolls, pitches and yaws, see `world.platform.rotate`.

    Args:
        direction: East, north and up components, each [B, n, U].
        motion: From `world.platform.swing_motion`, [B, n, 6].
    """
    turned = rotate(np.eye(3), motion).astype(np.float32)  # row i: axis i of the platform, [B, n, 3, 3]
    x, y, z = direction
    first, second, third = (
        x * turned[:, :, i, 0, None] + y * turned[:, :, i, 1, None] + z * turned[:, :, i, 2, None] for i in range(3)
    )
    return first, second, third
