"""Where people want service: towns with daily profiles, real cities, moving hotspots, and surprises.

Everything is vectorised over worlds; places are metres east and north of the centre of a square region.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.data import read_csv
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M

FloatArray = NDArray[Any]

PLACES_TRIED = 12
"""Places tried for each town; the first that is far enough from all others is taken, or else the farthest one."""


def place_towns(uniform: FloatArray, half_m: float, spacing_m: float) -> FloatArray:
    """Place towns at random, apart from each other where there is room.

    Args:
        uniform: Uniform numbers in [0, 1), [B, towns, `PLACES_TRIED`, 2].
        half_m: Half the width of the square.
        spacing_m: Wanted distance between towns.

    Returns:
        Places east and north, [B, towns, 2].
    """
    tried = (2 * uniform - 1) * half_m
    n_worlds, n_towns = tried.shape[:2]
    places = np.empty((n_worlds, n_towns, 2))
    places[:, 0] = tried[:, 0, 0]
    world = np.arange(n_worlds)
    for town in range(1, n_towns):
        gap = tried[:, town, :, None] - places[:, None, :town]
        nearest = np.sqrt((gap * gap).sum(axis=-1)).min(axis=-1)
        free = nearest >= spacing_m
        chosen = np.where(free.any(axis=1), np.argmax(free, axis=1), np.argmax(nearest, axis=1))
        places[:, town] = tried[world, town, chosen]
    return places


def daily_profile(hour: FloatArray, phase_h: FloatArray, base: float, sharpness: float) -> FloatArray:
    """Return demand over its daily mean: (b + (1 - b) exp(k (cos(h - phase) - 1))) / its mean over the day.

    A von Mises bump on a floor; the mean of the bump is exp(-k) I0(k).

    Source: K. V. Mardia and P. E. Jupp, Directional Statistics, Wiley 2000, section 3.5.4 (the density and its
    normalisation); its use for traffic, floor and phases are chosen.

    Args:
        hour: Local hour, [...].
        phase_h: Hour of the maximum, [...].
        base: Floor b, 0 to 1.
        sharpness: k, not negative.
    """
    bump = np.exp(sharpness * (np.cos((hour - phase_h) * (math.pi / 12)) - 1.0))
    mean = base + (1 - base) * math.exp(-sharpness) * float(np.i0(sharpness))
    profile: FloatArray = (base + (1 - base) * bump) / mean
    return profile


def bouncing(start_m: FloatArray, velocity_m_s: FloatArray, half_m: float, time_s: FloatArray) -> FloatArray:
    """Return the places of points that move straight and bounce off the edges of the square, [B, T, ..., 2].

    Args:
        start_m: Places at time 0, [B, ..., 2].
        velocity_m_s: Velocities, [B, ..., 2].
        half_m: Half the width of the square.
        time_s: Times, [T].
    """
    shape = (1, len(time_s)) + (1,) * (start_m.ndim - 1)
    way = start_m[:, None] + velocity_m_s[:, None] * time_s.reshape(shape)
    folded = np.mod(way + half_m, 4 * half_m)
    places: FloatArray = np.where(folded > 2 * half_m, 4 * half_m - folded, folded) - half_m
    return places


@dataclass(frozen=True)
class Surprises:
    """Unforeseen events of B worlds, E in each of S slots, one after the other.

    Attributes:
        start_s: Begin, [B, S, E].
        end_s: End, [B, S, E].
        place_m: Where, [B, S, E, 2].
    """

    start_s: FloatArray
    end_s: FloatArray
    place_m: FloatArray


def draw_surprises(
    uniform: FloatArray, rate_per_s: float, shortest_s: float, longest_s: float, half_m: float
) -> Surprises:
    """Draw alternating quiet (exponential) and busy (uniform) times.

    Args:
        uniform: Uniform numbers in [0, 1), [B, slots, events, 4].
        rate_per_s: Rate at which an event begins in a quiet slot, above 0.
        shortest_s: Shortest event.
        longest_s: Longest event.
        half_m: Events are uniform in this half width.
    """
    quiet = -np.log1p(-uniform[..., 0]) / rate_per_s
    busy = shortest_s + (longest_s - shortest_s) * uniform[..., 1]
    end = np.cumsum(quiet + busy, axis=-1)
    return Surprises(end - busy, end, (2 * uniform[..., 2:] - 1) * half_m)


def surprise_course(events: Surprises, time_s: FloatArray, ramp_s: float) -> tuple[FloatArray, FloatArray]:
    """Return strength in [0, 1], [B, T, S], and place, [B, T, S, 2]; the place is (0, 0) while nothing happens.

    The strength rises and falls linearly within `ramp_s`.
    """
    time = time_s[:, None, None]
    start, end = events.start_s[:, None], events.end_s[:, None]
    strength = np.clip(np.minimum(time - start, end - time) / ramp_s, 0.0, 1.0)
    active = strength > 0
    place = np.where(active[..., None], events.place_m[:, None], 0.0).sum(axis=-2)
    return strength.sum(axis=-1), place


@dataclass(frozen=True)
class CityRegion:
    """The largest cities of a region.

    Attributes:
        anchor: City around which the region was found.
        latitude_deg: Latitude of the centre.
        longitude_deg: Longitude of the centre.
        place_m: Cities about the centre, east and north, [towns, 2].
        share: Share of each in the people of all, [towns].
    """

    anchor: str
    latitude_deg: float
    longitude_deg: float
    place_m: FloatArray
    share: FloatArray


def _around(
    latitude: FloatArray, longitude: FloatArray, lat0: float, lon0: float, half_m: float
) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """Return places east and north of a centre in m, and the indices of those inside the square."""
    turn = np.mod(longitude - lon0 + math.pi, 2 * math.pi) - math.pi
    east = EARTH_MEAN_RADIUS_M * math.cos(lat0) * turn
    north = EARTH_MEAN_RADIUS_M * (latitude - lat0)
    return east, north, np.flatnonzero((np.abs(east) < half_m) & (np.abs(north) < half_m))


@cache
def city_regions(half_m: float, n_towns: int, least_towns: int, latitude_deg: float) -> tuple[CityRegion, ...]:
    """Return regions of the Earth with many large cities, each centred on the middle of the cities around one.

    Source: the 600 largest cities of GeoNames (`data/PROVENANCE.md`). Places on the sphere, east = R cos(lat) dlon.

    Args:
        half_m: Half the width of a region.
        n_towns: Cities kept, the largest; a region with fewer is filled up with cities without people.
        least_towns: Fewest cities of a region.
        latitude_deg: Largest latitude, north or south, of a centre.
    """
    table = read_csv("cities_top600.csv")
    latitude, longitude = np.radians(table["lat_deg"]), np.radians(table["lon_deg"])
    people = table["population"].astype(np.float64)
    regions = []
    for anchor in range(len(people)):
        lat0, lon0 = float(latitude[anchor]), float(longitude[anchor])
        east, north, inside = _around(latitude, longitude, lat0, lon0, half_m)
        lat0 += float(north[inside].mean()) / EARTH_MEAN_RADIUS_M
        lon0 += float(east[inside].mean()) / (EARTH_MEAN_RADIUS_M * math.cos(lat0))
        lon0 = math.remainder(lon0, 2 * math.pi)
        east, north, inside = _around(latitude, longitude, lat0, lon0, half_m)
        if len(inside) < least_towns or abs(math.degrees(lat0)) > latitude_deg:
            continue
        largest = inside[np.argsort(-people[inside], kind="stable")][:n_towns]
        place, share = np.zeros((n_towns, 2)), np.zeros(n_towns)
        place[: len(largest)] = np.stack([east[largest], north[largest]], axis=-1)
        share[: len(largest)] = people[largest] / people[largest].sum()
        regions.append(CityRegion(str(table["name"][anchor]), math.degrees(lat0), math.degrees(lon0), place, share))
    return tuple(regions)
