"""Users of one region: where the region lies, the planned course, and how each user wanders about it.

The region is small (at most tens of kilometres), so users are placed in the tangent plane of its centre; the curvature
of the Earth is kept to second order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.physics.geometry import enu_basis, geodetic_to_ecef, great_circle_destination
from ntn_gym.world.arcs import Site
from ntn_gym.world.processes import Generators

Motion = Literal["static", "pedestrian", "vehicle", "ship", "aircraft"]

USUAL_SPEED_M_S: dict[Motion, float] = {
    "static": 0.0,
    "pedestrian": 1.0,
    "vehicle": 15.0,
    "ship": 10.0,
    "aircraft": 230.0,
}
ALTITUDE_M: dict[Motion, float] = {
    "static": 1.5,
    "pedestrian": 1.5,
    "vehicle": 1.5,
    "ship": 20.0,
    "aircraft": 10_000.0,
}
SPEED_DEVIATION = 0.2
"""Standard deviation of each velocity component about the plan, as a share of the speed."""
DEVIATION_MEMORY_S = 30.0
"""Correlation time of the deviation."""


@dataclass(frozen=True)
class Region:
    """Regions and plans of B worlds with U users.

    Attributes:
        lat_rad: Latitude of the centre at step 0, [B].
        lon_rad: Longitude, [B].
        course_rad: Planned course of each user at step 0, clockwise from north, [B, U].
        offset_m: Place of each user at step 0, east and north of the centre, [B, U, 2].
        speed_m_s: Speed of the centre, [B]: that of the users where they have one course and the region goes with
            them, otherwise 0.
    """

    lat_rad: NDArray[np.float64]
    lon_rad: NDArray[np.float64]
    course_rad: NDArray[np.float64]
    offset_m: NDArray[np.float64]
    speed_m_s: NDArray[np.float64]


def place_region(
    generators: Generators,
    n_users: int,
    motion: Motion,
    speed_m_s: float,
    radius_m: float,
    latitude_rad: tuple[float, float],
    places_rad: NDArray[np.float64] | None = None,
    follows_users: bool = True,
) -> tuple[Region, NDArray[np.intp]]:
    """Draw the region of each world.

    Args:
        generators: One generator per world.
        n_users: Users U.
        motion: Kind of motion; ships and aircraft of one world share a course, others go their own ways.
        speed_m_s: Speed of the users.
        radius_m: Users are uniform in a disc of this radius.
        latitude_rad: Lowest and highest latitude, uniform between them.
        places_rad: Optional list of (latitude, longitude) to choose from, [n, 2]; None: anywhere in the band.
        follows_users: Whether the centre goes along with users who share a course (a single one does).

    Returns:
        The regions, and the index of the chosen place of each world (-1 without a list).
    """
    draws = np.stack([generator.random(4 + 3 * n_users) for generator in generators])
    chosen = np.full(len(draws), -1, dtype=np.intp)
    if places_rad is None:
        latitude = latitude_rad[0] + (latitude_rad[1] - latitude_rad[0]) * draws[:, 0]
        longitude = (2 * draws[:, 1] - 1) * math.pi
    else:
        chosen = (draws[:, 0] * len(places_rad)).astype(np.intp)
        latitude, longitude = places_rad[chosen, 0], places_rad[chosen, 1]
    together = motion in ("ship", "aircraft") or n_users == 1
    course = 2 * math.pi * (np.repeat(draws[:, 2:3], n_users, axis=1) if together else draws[:, 4 : 4 + n_users])
    radius = radius_m * np.sqrt(draws[:, 4 + n_users : 4 + 2 * n_users])
    angle = 2 * math.pi * draws[:, 4 + 2 * n_users :]
    offset = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=-1)
    speed = np.full(len(draws), speed_m_s if together and follows_users else 0.0)
    return Region(latitude, longitude, course, offset, speed), chosen


def centre_lat_lon(
    region: Region, motion: Motion, time_s: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return latitude and longitude of the centre in rad on its great circle, [B, S], for times [S] or [B, S].

    Distances are those of the mean sphere: within 0.6 % of the ellipsoid's.
    """
    time_s = np.broadcast_to(time_s, (len(region.lat_rad), np.shape(time_s)[-1]))
    if not region.speed_m_s.any():
        shape = time_s.shape
        return np.broadcast_to(region.lat_rad[:, None], shape), np.broadcast_to(region.lon_rad[:, None], shape)
    way_m = region.speed_m_s[:, None] * time_s
    radius_m = EARTH_MEAN_RADIUS_M + ALTITUDE_M[motion]
    return great_circle_destination(
        region.lat_rad[:, None], region.lon_rad[:, None], region.course_rad[:, :1], way_m, radius_m
    )


def centre_site(region: Region, motion: Motion, time_s: NDArray[np.floating[Any]]) -> Site:
    """Return place and local axes of the centre at times since step 0, [B, S]."""
    n_worlds, n_times = len(region.lat_rad), np.shape(time_s)[-1]
    if not region.speed_m_s.any():
        time_s = time_s[..., :1]  # nobody moves: one place for all times
    latitude, longitude = centre_lat_lon(region, motion, time_s)
    position_m = np.asarray(geodetic_to_ecef(latitude, longitude, ALTITUDE_M[motion]))
    frame = enu_basis(latitude, longitude)
    return Site(np.broadcast_to(position_m, (n_worlds, n_times, 3)), np.broadcast_to(frame, (n_worlds, n_times, 3, 3)))


def plan_offsets(region: Region, speed_m_s: float, time_s: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the planned place of each user relative to the centre, east and north in m, [B, n, U, 2].

    Args:
        region: Regions.
        speed_m_s: Speed of the users.
        time_s: Times since step 0, [n].
    """
    way_m = (speed_m_s - region.speed_m_s)[:, None, None] * time_s[:, None]
    east, north = way_m * np.sin(region.course_rad)[:, None], way_m * np.cos(region.course_rad)[:, None]
    offset_m: NDArray[np.float64] = region.offset_m[:, None] + np.stack([east, north], axis=-1)
    return offset_m


def lat_lon_deg(
    region: Region, motion: Motion, time_s: NDArray[np.floating[Any]], place_m: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return latitude and longitude of the users in deg, each [B, n, U], for maps.

    Args:
        region: Regions.
        motion: Sets the height.
        time_s: Times since step 0, [n].
        place_m: Places relative to the centre, east and north, [B, n, U, 2].
    """
    latitude, longitude = (part[..., None] for part in centre_lat_lon(region, motion, time_s))
    # Within 0.6 deg of a pole east and west are not told apart well; the latitude stays right.
    parallel_m = EARTH_MEAN_RADIUS_M * np.maximum(np.cos(latitude), 0.01)
    north = np.clip(latitude + place_m[..., 1] / EARTH_MEAN_RADIUS_M, -math.pi / 2, math.pi / 2)
    east = longitude + place_m[..., 0] / parallel_m
    return np.degrees(north).astype(np.float32), np.degrees(east).astype(np.float32)


def wander(
    velocity: NDArray[np.float32], place_m: NDArray[np.float64], speed_m_s: float, dt_s: float
) -> NDArray[np.float64]:
    """Return the deviations from the plan, east and north in m, [B, n, U, 2].

    Source: Gauss-Markov mobility, Liang and Haas, IEEE INFOCOM 1999, about a planned course.

    Args:
        velocity: Unit-variance Gauss-Markov velocities with a memory of `DEVIATION_MEMORY_S`, [B, n, U, 2].
        place_m: Deviation before the first step, [B, U, 2].
        speed_m_s: Speed of the users; the deviation's is `SPEED_DEVIATION` of it.
        dt_s: Step in s.
    """
    steps = velocity.astype(np.float64) * (SPEED_DEVIATION * speed_m_s * dt_s)
    # The running sum starts from the carried place, so that cutting into chunks changes no rounding.
    steps[:, 0] += place_m
    place: NDArray[np.float64] = np.cumsum(steps, axis=1)
    return place
