"""Users in hotspots and between them, around a platform."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.data import read_csv
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.world.processes import Generators

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class Hotspots:
    """Hotspots and users of B worlds, relative to the point below the platform.

    Attributes:
        centre_m: Centres, east and north in m, [B, H, 2].
        hotspot: Hotspot of each user, -1 for those between, [B, U].
        home_m: Place of each user at the start, [B, U, 2].
        course_rad: Course of each user, clockwise from north, [B, U].
    """

    centre_m: FloatArray
    hotspot: NDArray[np.int64]
    home_m: FloatArray
    course_rad: FloatArray


def place_users(
    generators: Generators,
    n_users: int,
    share: float,
    radius_m: float,
    sigma_m: FloatArray,
    fixed_m: FloatArray | None = None,
    weights: FloatArray | None = None,
) -> Hotspots:
    """Draw hotspots and users.

    Hotspots are uniform in a disc of 0.8 radii, their users normal about them; the others are uniform in the disc.
    Users who would stand outside are pulled back to its edge along the radius.

    Args:
        generators: One generator per world.
        n_users: Users U.
        share: Probability of a user to belong to a hotspot.
        radius_m: Radius of the service area in m.
        sigma_m: Deviation of each hotspot along each axis in m, [H].
        fixed_m: Centres that are the same in all worlds, [H, 2]; None: random ones.
        weights: Relative number of users of each hotspot, [H]; None: all alike.

    Returns:
        The places.
    """
    n_hotspots = len(sigma_m)
    weight = np.full(n_hotspots, 1.0) if weights is None else np.asarray(weights, dtype=np.float64)
    steps = np.cumsum(weight / weight.sum())
    places = []
    for generator in generators:
        draws = generator.random((n_hotspots, 2))
        centre = _in_disc(draws, 0.8 * radius_m) if fixed_m is None else np.asarray(fixed_m, dtype=np.float64)
        choice, inside = generator.random(n_users), generator.random(n_users) < share
        hotspot = np.minimum(np.searchsorted(steps, choice, side="right"), n_hotspots - 1)
        near = centre[hotspot] + generator.standard_normal((n_users, 2)) * sigma_m[hotspot, None]
        home = np.where(inside[:, None], near, _in_disc(generator.random((n_users, 2)), radius_m))
        course = 2.0 * math.pi * generator.random(n_users)
        places.append((centre, np.where(inside, hotspot, -1), within(home, radius_m), course))
    return Hotspots(*(np.stack(parts) for parts in zip(*places, strict=True)))


def _in_disc(draws: FloatArray, radius_m: float) -> FloatArray:
    radius, angle = radius_m * np.sqrt(draws[..., 0]), 2.0 * math.pi * draws[..., 1]
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=-1)


def within(place_m: FloatArray, radius_m: float) -> FloatArray:
    """Pull places outside a disc back to its edge along the radius, [..., 2]."""
    distance = np.hypot(place_m[..., 0], place_m[..., 1])
    factor = radius_m / np.maximum(distance, radius_m)
    result: FloatArray = place_m * factor[..., None]
    return result


def roam(velocity: FloatArray, place_m: FloatArray, step_m: FloatArray) -> FloatArray:
    """Return places that go on from the last ones by the steps of each slot, [B, n, U, 2].

    Source: Gauss-Markov mobility, B. Liang and Z. J. Haas, IEEE INFOCOM 1999: a planned step plus a Gauss-Markov
    deviation of the velocity.

    Args:
        velocity: Deviation of the way of each slot in m, [B, n, U, 2].
        place_m: Places before the first slot, [B, U, 2].
        step_m: Planned way of each slot in m, [B, U, 2].
    """
    steps = velocity.astype(np.float64) + step_m[:, None]
    # The running sum starts from the carried place, so that cutting into chunks changes no rounding.
    steps[:, 0] += place_m
    place: FloatArray = np.cumsum(steps, axis=1)
    return place


def real_cities(name: str, reach_m: float) -> tuple[FloatArray, FloatArray, tuple[float, float], Sequence[str]]:
    """Return a city and its neighbours as hotspots.

    Source: GeoNames (the shipped list of the 600 largest places); places within 3 km of a larger one are parts of it.

    Args:
        name: Name of the city.
        reach_m: Largest distance of a neighbour in m.

    Returns:
        Offsets from the city, east and north in m, [H, 2]; populations [H]; latitude and longitude of the city in
        deg; names, the city first.

    Raises:
        ValueError: If there is no such city.
    """
    table = read_csv("cities_top600.csv")
    order = np.argsort(-table["population"], kind="stable")
    found = np.flatnonzero(table["name"] == name)
    if not len(found):
        known = ", ".join(str(table["name"][i]) for i in order[:3])
        raise ValueError(f"city = {name!r} is not in cities_top600.csv; known are {known}, ... as GeoNames writes them")
    latitude, longitude = float(table["lat_deg"][found[0]]), float(table["lon_deg"][found[0]])
    north_m = np.radians(table["lat_deg"] - latitude) * EARTH_MEAN_RADIUS_M
    east_m = np.radians(table["lon_deg"] - longitude) * EARTH_MEAN_RADIUS_M * math.cos(math.radians(latitude))
    kept: list[tuple[float, float, float, str]] = []
    for i in [found[0], *order]:
        apart = all(math.hypot(east_m[i] - other[0], north_m[i] - other[1]) > 3e3 for other in kept)
        if math.hypot(east_m[i], north_m[i]) <= reach_m and apart:
            kept.append((east_m[i], north_m[i], float(table["population"][i]), str(table["name"][i])))
    offsets = np.array([place[:2] for place in kept])
    return offsets, np.array([place[2] for place in kept]), (latitude, longitude), [place[3] for place in kept]
