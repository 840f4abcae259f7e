"""Sectors of a high-altitude platform that is an IMT base station: where they point and what they radiate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ntn_gym.data import read_json
from ntn_gym.physics.antenna_patterns import m2101_array_gain_dbi, m2101_element_gain_dbi
from ntn_gym.physics.arrays import Array, ArrayLike, promote


@dataclass(frozen=True)
class HibsLayout:
    """Sectors of one platform; read-only arrays over the sectors.

    Attributes:
        azimuth_rad: Azimuth of each sector's boresight in rad, clockwise from north, [S].
        elevation_rad: Elevation of each boresight in rad; -pi/2 looks straight down, [S].
        rows: Rows of elements of each sector's array, [S].
        columns: Columns of elements, [S].
        power_dbm: Conducted power of each sector in dBm, [S].
        cell_radius_m: Radius of the platform's service area in m.
    """

    azimuth_rad: NDArray[np.float64]
    elevation_rad: NDArray[np.float64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    power_dbm: NDArray[np.float64]
    cell_radius_m: float


@cache
def hibs_layout(n_sectors: int = 7) -> HibsLayout:
    """Return the sectors of a platform: 1, 3 and 7 of the ITU-R study model, 19 in two hexagonal rings.

    Seven sectors are one at the nadir and a ring of six 23 deg below level; the power of a sector is 37 dBm for each
    element, 3 dB less in the outer ring.

    Nineteen are the centres of two hexagonal rings, 30 km apart on the ground, seen from 20 km: the nadir, six 33.7
    deg and twelve 18.4 or 21.1 deg below level, with 2 x 2, 4 x 4 and 8 x 4 elements. They share the power of the
    seven. At one frequency for all, nine tenths of the ground within 90 km are served best by the sector whose centre
    is nearest.

    Source: ITU-R studies for WRC-23 agenda item 1.4 as in the public simulator SHARC (1, 3, 7), working documents not
    read; hexagonal beams of 3GPP TR 38.821 clause 6.1.1.1 for 19, with arrays and power chosen; `tables/hibs.json`.

    Args:
        n_sectors: 1, 3, 7 or 19.

    Returns:
        The layout.

    Raises:
        ValueError: If there is no such layout.
    """
    table = read_json("tables/hibs.json")
    if str(n_sectors) not in table["layouts"]:
        raise ValueError(f"n_sectors: got {n_sectors}; must be one of {', '.join(table['layouts'])}")
    layout = table["layouts"][str(n_sectors)]
    elevation = np.radians(np.array(layout["elevation_deg"], dtype=np.float64))
    azimuth = np.radians(np.array(layout["azimuth_deg"], dtype=np.float64))
    rows, columns = np.array(layout["rows"], dtype=np.int64), np.array(layout["columns"], dtype=np.int64)
    per_element = table["conducted_power_dbm_per_element"] - np.where(rows > 2, table["outer_backoff_db"], 0.0)
    power = np.array(layout.get("power_dbm", per_element + 10.0 * np.log10(rows * columns)), dtype=np.float64)
    for array in (azimuth, elevation, rows, columns, power):
        array.setflags(write=False)
    return HibsLayout(azimuth, elevation, rows, columns, power, float(table["cell_radius_m"]))


def boresight_ground_range_m(layout: HibsLayout, alt_m: float) -> NDArray[np.float64]:
    """Return how far from the sub-platform point the boresights meet a flat ground, h / tan(-elevation).

    Source: geometry; the curvature of the Earth adds 0.5 % at 50 km.

    Args:
        layout: From `hibs_layout`.
        alt_m: Height of the platform in m.

    Returns:
        Distance in m, 0 for the nadir, [S].
    """
    distance: NDArray[np.float64] = alt_m * np.cos(layout.elevation_rad) / np.sin(-layout.elevation_rad)
    return np.where(distance < 1e-6, 0.0, distance)


def sector_angles_rad(layout: HibsLayout, direction_enu: ArrayLike) -> tuple[Array, Array]:
    """Return the direction of users in the axes of each sector's array: azimuth from its normal, zenith angle.

    Axes: the normal along the boresight, the horizontal axis level, to the right seen from the platform along the
    boresight, the vertical axis completes them.

    Source: ITU-R M.2101-0, Annex 1 (local axes of an array; rotation by azimuth and mechanical tilt).

    Args:
        layout: From `hibs_layout`.
        direction_enu: Unit vectors from the platform to the users in east, north, up, [..., 3].

    Returns:
        Azimuth phi in rad in [-pi, pi] and zenith angle theta in rad in [0, pi], each [..., S].
    """
    xp, direction = promote(direction_enu)
    cos_e, sin_e = np.cos(layout.elevation_rad), np.sin(layout.elevation_rad)
    cos_a, sin_a = np.cos(layout.azimuth_rad), np.sin(layout.azimuth_rad)
    axes = (
        np.stack((cos_e * sin_a, cos_e * cos_a, sin_e)),
        np.stack((cos_a, -sin_a, np.zeros_like(cos_a))),
        np.stack((-sin_e * sin_a, -sin_e * cos_a, cos_e)),
    )
    device = getattr(direction, "device", None)
    normal, right, up = (direction @ xp.asarray(axis, dtype=direction.dtype, device=device) for axis in axes)
    return xp.atan2(right, normal), xp.acos(xp.clip(up, -1.0, 1.0))


def sector_gain_dbi(layout: HibsLayout, direction_enu: ArrayLike) -> Array:
    """Return the gain of each sector's array towards users, unsteered.

    Source: ITU-R M.2101-0, Annex 1, tables 3 and 4 (element 8 dBi, 65 deg, 30 dB; half-wavelength spacing).

    Args:
        layout: From `hibs_layout`.
        direction_enu: Unit vectors from the platform to the users in east, north, up, [..., 3].

    Returns:
        Gain in dBi, [..., S].
    """
    azimuth, zenith = sector_angles_rad(layout, direction_enu)
    xp, element = promote(m2101_element_gain_dbi(azimuth, zenith))
    gains = [
        m2101_array_gain_dbi(azimuth[..., i], zenith[..., i], element[..., i], int(rows), int(columns))
        for i, (rows, columns) in enumerate(zip(layout.rows, layout.columns, strict=True))
    ]
    return xp.stack(gains, axis=-1)


def direction_to_ground_enu(ground_range_m: ArrayLike, azimuth_rad: ArrayLike, alt_m: float) -> Array:
    """Return unit vectors from a platform to points on a flat ground.

    Source: geometry (flat ground: within 0.1 deg to 50 km).

    Args:
        ground_range_m: Distance from the sub-platform point in m, [...].
        azimuth_rad: Azimuth in rad, clockwise from north, [...].
        alt_m: Height of the platform in m, positive.

    Returns:
        East, north, up, [..., 3].
    """
    xp, ground, azimuth = promote(ground_range_m, azimuth_rad)
    slant = xp.sqrt(ground**2 + alt_m**2)
    east, north = ground * xp.sin(azimuth) / slant, ground * xp.cos(azimuth) / slant
    return xp.stack(xp.broadcast_arrays(east, north, -alt_m / slant), axis=-1)
