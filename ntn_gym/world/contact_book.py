"""Contact plans of a whole constellation over stations, computed once and cut into episodes.

Predicting passes costs a tenth of a second a station; drawing a world must cost milliseconds. So the passes of all
satellites over a span of days are predicted once per process, and a world takes some of the satellites and a window.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.contacts import station_contacts
from ntn_gym.physics.pass_prediction import stations
from ntn_gym.physics.tle import Tle
from ntn_gym.world.constellation import EphemerisGrid, named_tle, tle_grid

GRID_STEP_S = 120.0
"""Step of the ephemeris; interpolation errs by some metres there."""
_SAMPLE_S = 240.0
# Extrema of the elevation of a low satellite are a quarter of an hour apart or more, see `predict_passes`.
_OPERATIONAL_REV_DAY = 0.01


@dataclass(frozen=True)
class Place:
    """Where a receiver stands or floats: geodetic latitude and longitude in deg, height in m, elevation mask in deg."""

    lat_deg: float
    lon_deg: float
    alt_m: float
    min_elev_deg: float


@dataclass(frozen=True, eq=False)
class ContactBook:
    """All passes of a constellation over places, sorted by satellite and start; arrays of one length [M].

    Attributes:
        grid: Ephemeris of the constellation.
        satellite: Index of the satellite in the grid.
        place: Index of the place.
        start_s: Rise above the mask in s since the start of the grid.
        end_s: Set below it.
        first: Index of the first pass of each satellite, [N + 1].
    """

    grid: EphemerisGrid
    satellite: NDArray[np.int64]
    place: NDArray[np.int64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    first: NDArray[np.int64]

    def window(
        self, satellites: NDArray[np.integer[Any]], start_s: float, length_s: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the passes of some satellites within a window, in its own time.

        Args:
            satellites: Indices of satellites; the k-th one is called k in the result.
            start_s: Start of the window.
            length_s: Length of the window.

        Returns:
            Satellite k, place, start and end of each pass in s since the start of the window and cut to it, sorted by
            satellite and start.
        """
        picked, owner = [], []
        for k, satellite in enumerate(satellites.tolist()):
            low, high = int(self.first[satellite]), int(self.first[satellite + 1])
            # Passes last for minutes, so a day's margin before the window cannot miss one that is under way.
            begin = low + int(np.searchsorted(self.start_s[low:high], start_s - 86_400.0))
            stop = low + int(np.searchsorted(self.start_s[low:high], start_s + length_s))
            inside = begin + np.flatnonzero(self.end_s[begin:stop] > start_s)
            picked.append(inside)
            owner.append(np.full(len(inside), k, dtype=np.int64))
        index = np.concatenate(picked)
        begin_s = np.maximum(self.start_s[index] - start_s, 0.0)
        end_s = np.minimum(self.end_s[index] - start_s, length_s)
        return np.concatenate(owner), self.place[index], begin_s, end_s


def operational(satellites: Sequence[Tle]) -> tuple[Tle, ...]:
    """Return the satellites in the common orbit of a constellation: spares wait lower, with another mean motion."""
    motion = np.array([tle.record.no_kozai for tle in satellites]) * (1440.0 / (2.0 * math.pi))
    near = np.abs(motion - np.median(motion)) < _OPERATIONAL_REV_DAY
    return tuple(tle for tle, keep in zip(satellites, near, strict=True) if keep)


@lru_cache(maxsize=4)
def operational_grid(constellation: str, duration_s: float) -> EphemerisGrid:
    """Return the ephemeris of the operational satellites of a shipped set of elements.

    Raises:
        KeyError: When the name is unknown; the message lists the known ones.
    """
    return tle_grid(operational(named_tle(constellation)), duration_s, step_s=GRID_STEP_S)


@lru_cache(maxsize=256)
def _passes_over(
    constellation: str, duration_s: float, place: Place
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    grid = operational_grid(constellation, duration_s)
    site = stations(math.radians(place.lat_deg), math.radians(place.lon_deg), place.alt_m)
    mask_rad = math.radians(place.min_elev_deg)
    plan = station_contacts(grid.interpolate, grid.n_satellites, site, 0.0, duration_s, mask_rad, _SAMPLE_S)
    return plan.second, plan.start_s, plan.end_s


@lru_cache(maxsize=16)
def contact_book(constellation: str, places: tuple[Place, ...], duration_s: float) -> ContactBook:
    """Return the passes of all operational satellites of a shipped constellation over places.

    Source: `physics.contacts.station_contacts` on SGP4 ephemerides.

    Args:
        constellation: Name of the elements, e.g. "iridium-next".
        places: The receivers.
        duration_s: Length of the span in s, from the default start of the elements.

    Returns:
        The plan, computed on first use and then shared by everything in the process.
    """
    parts = [_passes_over(constellation, duration_s, place) for place in places]
    satellite = np.concatenate([part[0] for part in parts])
    start_s = np.concatenate([part[1] for part in parts])
    end_s = np.concatenate([part[2] for part in parts])
    where = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    order = np.lexsort((where, start_s, satellite))
    grid = operational_grid(constellation, duration_s)
    first = np.searchsorted(satellite[order], np.arange(grid.n_satellites + 1))
    return ContactBook(grid, satellite[order], where[order], start_s[order], end_s[order], first)


@lru_cache(maxsize=4)
def rings(grid: EphemerisGrid) -> tuple[NDArray[np.int64], ...]:
    """Return the satellites of each orbital plane in the order in which they fly, the leading one first.

    Planes are told apart by their normals, order by the argument of latitude at the start of the grid.
    """
    position, velocity = grid.position_m[:, 0], grid.velocity_m_s[:, 0]
    # The rotation of the Earth is taken off, so that the normal is that of the orbit in space.
    spin = np.array([0.0, 0.0, 7.292_115e-5])
    normal = np.cross(position, velocity + np.cross(spin, position))
    node_rad = np.arctan2(normal[:, 0], -normal[:, 1])
    order = np.argsort(node_rad)
    gaps = np.diff(node_rad[order], append=node_rad[order[0]] + 2.0 * math.pi)
    cut = int(np.argmax(gaps)) + 1
    order = np.roll(order, -cut)
    planes = np.split(order, np.flatnonzero(np.roll(gaps, -cut)[:-1] > math.radians(10.0)) + 1)
    result = []
    for plane in planes:
        ascending = np.stack((np.cos(node_rad[plane]), np.sin(node_rad[plane]), np.zeros(len(plane))), axis=-1)
        unit = normal[plane] / np.linalg.norm(normal[plane], axis=-1, keepdims=True)
        along = np.cross(unit, ascending)
        here = position[plane]
        argument = np.arctan2(np.sum(here * along, axis=-1), np.sum(here * ascending, axis=-1))
        result.append(plane[np.argsort(-argument)].astype(np.int64))
    return tuple(result)
