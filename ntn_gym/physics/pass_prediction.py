"""Passes of satellites over stations on the ground: rise, culmination and set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.arrays import ArrayLike
from ntn_gym.physics.geometry import enu_basis, geodetic_to_ecef, look_angles
from ntn_gym.physics.intervals import Floats, Integers, positive_intervals
from ntn_gym.physics.validity import require_range


class StateFunction(Protocol):
    """States of satellites at any time, e.g. the method `interpolate` of an ephemeris grid."""

    def __call__(self, satellite_index: NDArray[Any], time_s: NDArray[Any], /) -> tuple[Floats, Floats]:
        """Return ECEF position in m and velocity in m/s, each [..., 3], of satellites [...] at times [...]."""


@dataclass(frozen=True, eq=False)
class Stations:
    """Places at rest on the WGS 84 ellipsoid; arrays of one length [n].

    Attributes:
        lat_rad: Geodetic latitude in rad.
        lon_rad: Longitude in rad, east positive.
        alt_m: Height above the ellipsoid in m.
        position_m: ECEF positions in m, [n, 3].
        up: Local vertical, unit vectors in ECEF axes, [n, 3].
    """

    lat_rad: Floats
    lon_rad: Floats
    alt_m: Floats
    position_m: Floats
    up: Floats


def stations(lat_rad: ArrayLike, lon_rad: ArrayLike, alt_m: ArrayLike = 0.0) -> Stations:
    """Return places on the WGS 84 ellipsoid.

    Source: `geometry.geodetic_to_ecef` on WGS 84.

    Args:
        lat_rad: Geodetic latitude in rad, -pi/2 to pi/2, scalar or [n].
        lon_rad: Longitude in rad, -2 pi to 2 pi, scalar or [n].
        alt_m: Height above the ellipsoid in m, -500 m to 100 km, scalar or [n].

    Raises:
        ValueError: When a coordinate is out of its range.
    """
    require_range("lat_rad", lat_rad, -math.pi / 2, math.pi / 2, "rad")
    require_range("lon_rad", lon_rad, -2.0 * math.pi, 2.0 * math.pi, "rad")
    require_range("alt_m", alt_m, -500.0, 1e5, "m")
    lat, lon, alt = (
        np.atleast_1d(v) for v in np.broadcast_arrays(*(np.asarray(v, float) for v in (lat_rad, lon_rad, alt_m)))
    )
    return Stations(lat, lon, alt, geodetic_to_ecef(lat, lon, alt), enu_basis(lat, lon)[..., 2, :])


@dataclass(frozen=True, eq=False)
class PassTable:
    """Passes, sorted by station, satellite and time; arrays of one length [M].

    Attributes:
        station: Index of the station.
        satellite: Index of the satellite.
        rise_s: Time of the rise above the elevation mask in s; the start of the window if `rise_seen` is false.
        culmination_s: Time of the largest elevation within the window in s.
        set_s: Time of the set below the mask in s; the end of the window if `set_seen` is false.
        max_elev_rad: Largest elevation in rad.
        rise_azimuth_rad: Azimuth at `rise_s` in rad.
        set_azimuth_rad: Azimuth at `set_s` in rad.
        min_range_m: Slant range at the culmination in m.
        rise_seen: Whether the satellite rises within the window.
        set_seen: Whether it sets within the window.
    """

    station: Integers
    satellite: Integers
    rise_s: Floats
    culmination_s: Floats
    set_s: Floats
    max_elev_rad: Floats
    rise_azimuth_rad: Floats
    set_azimuth_rad: Floats
    min_range_m: Floats
    rise_seen: NDArray[np.bool_]
    set_seen: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.station)

    @property
    def duration_s(self) -> Floats:
        """Time above the mask within the window in s, [M]."""
        return self.set_s - self.rise_s


def predict_passes(
    states: StateFunction,
    n_satellites: int,
    places: Stations,
    first_s: float,
    last_s: float,
    min_elev_rad: float = 0.0,
    step_s: float = 60.0,
    tolerance_s: float = 1e-3,
) -> PassTable:
    """Return all passes of satellites over stations: rise, culmination and set.

    The sine of the elevation, u . d / |d| with the line of sight d and the local vertical u, has the time derivative
    (u . v) / |d| - (u . d)(d . v) / |d|^3; its extrema and its crossings of the mask are bracketed by samples and
    refined by bisection (`intervals.positive_intervals`). Geometric elevation: no refraction, no light time. The
    elevation of a low orbit has its extrema a quarter of an hour apart or more, so steps of 60 s miss nothing.

    Source: D. A. Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., section 11.2 (rise and set).

    Args:
        states: States of satellites over the window.
        n_satellites: Number of satellites; `states` is asked for indices 0 to n_satellites - 1.
        places: The stations.
        first_s: Start of the window in s.
        last_s: End of the window in s.
        min_elev_rad: Elevation mask in rad, -pi/2 < mask < pi/2.
        step_s: Time between samples in s; 60 for low orbits.
        tolerance_s: Largest numerical error of the times in s.

    Returns:
        The passes; those under way at an end of the window are cut there and say so.

    Raises:
        ValueError: When the window is empty or the mask out of its range.
    """
    if not -math.pi / 2 < min_elev_rad < math.pi / 2:
        raise ValueError(f"min_elev_rad={min_elev_rad} must be between -pi/2 and pi/2 rad (is it in deg?)")
    threshold = math.sin(min_elev_rad)

    def sine_above_mask(row: NDArray[Any], time_s: NDArray[Any]) -> tuple[Floats, Floats]:
        station, satellite = np.divmod(row, max(n_satellites, 1))
        position, velocity = states(satellite, time_s)
        line = position - places.position_m[station]
        up = places.up[station]
        distance = np.sqrt(np.einsum("...i,...i->...", line, line))
        height = np.einsum("...i,...i->...", line, up)
        climb = np.einsum("...i,...i->...", velocity, up)
        approach = np.einsum("...i,...i->...", line, velocity)
        return height / distance - threshold, climb / distance - height * approach / distance**3

    found = positive_intervals(
        sine_above_mask, len(places.lat_rad) * n_satellites, first_s, last_s, step_s, tolerance_s
    )
    station, satellite = np.divmod(found.row, max(n_satellites, 1))

    def look(time_s: Floats) -> tuple[Floats, Floats, Floats]:
        position, _ = states(satellite, time_s)
        angles = look_angles(places.position_m[station], places.lat_rad[station], places.lon_rad[station], position)
        return angles[0], angles[1], angles[2]

    _, max_elev_rad, min_range_m = look(found.peak_s)
    return PassTable(
        station=station,
        satellite=satellite,
        rise_s=found.start_s,
        culmination_s=found.peak_s,
        set_s=found.end_s,
        max_elev_rad=max_elev_rad,
        rise_azimuth_rad=look(found.start_s)[0],
        set_azimuth_rad=look(found.end_s)[0],
        min_range_m=min_range_m,
        rise_seen=found.starts_inside,
        set_seen=found.ends_inside,
    )


def visible_count(
    states: StateFunction, n_satellites: int, places: Stations, time_s: ArrayLike, min_elev_rad: float = 0.0
) -> Integers:
    """Return how many satellites each station sees at or above an elevation.

    Source: `geometry.look_angles` against the mask.

    Args:
        states: States of satellites at the times.
        n_satellites: Number of satellites.
        places: The stations, n of them.
        time_s: Times in s, [T].
        min_elev_rad: Elevation mask in rad.

    Returns:
        Counts, [n, T].
    """
    times = np.atleast_1d(np.asarray(time_s, dtype=np.float64))
    counts = np.zeros((len(places.lat_rad), len(times)), dtype=np.int64)
    at_once = max(1, 2_000_000 // max(n_satellites, 1))
    for first in range(0, len(times), at_once):
        span = slice(first, first + at_once)
        position, _ = states(np.arange(n_satellites)[:, None], times[span])
        for index in range(len(places.lat_rad)):  # few stations; each pass over the satellites is one array operation
            _, elevation, _ = look_angles(
                places.position_m[index], places.lat_rad[index], places.lon_rad[index], position
            )
            counts[index, span] = (elevation >= min_elev_rad).sum(axis=0)
    return counts
