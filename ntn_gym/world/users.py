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
from ntn_gym.physics.geometry import geodetic_to_ecef
from ntn_gym.world import processes
from ntn_gym.world.passes import Site

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


@dataclass(frozen=True)
class Region:
    """Regions and plans of B worlds with U users.

    Attributes:
        lat_rad: Latitude of the centre at step 0, [B].
        lon_rad: Longitude, [B].
        course_rad: Planned course of each user, clockwise from north, [B, U].
        offset_m: Place of each user at step 0, east and north of the centre, [B, U, 2].
        centre_moves: Whether the centre follows the (then common) course.
    """

    lat_rad: NDArray[np.float64]
    lon_rad: NDArray[np.float64]
    course_rad: NDArray[np.float64]
    offset_m: NDArray[np.float64]
    centre_moves: NDArray[np.bool_]


def place_region(
    generators: processes.Generators,
    n_users: int,
    motion: Motion,
    radius_m: float,
    latitude_rad: tuple[float, float],
    places_rad: NDArray[np.float64] | None = None,
) -> tuple[Region, NDArray[np.intp]]:
    """Draw the region of each world.

    Args:
        generators: One generator per world.
        n_users: Users U.
        motion: Kind of motion; ships and aircraft of one world share a course, others go their own ways.
        radius_m: Users are uniform in a disc of this radius.
        latitude_rad: Lowest and highest latitude, uniform between them.
        places_rad: Optional list of (latitude, longitude) to choose from, [n, 2]; None: anywhere in the band.

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
    moves = np.full(len(draws), together)
    return Region(latitude, longitude, course, offset, moves), chosen


def centre_path(
    region: Region, speed_m_s: float, motion: Motion, time_s: NDArray[np.float64]
) -> tuple[Site, NDArray[np.float64], NDArray[np.float64]]:
    """Return the planned path of the centre.

    Args:
        region: Regions.
        speed_m_s: Speed along the course.
        motion: Sets the height above the ellipsoid.
        time_s: Times since step 0, [S] or [B, S].

    Returns:
        The site [B, S, 3], and latitude and longitude in rad, each [B, S].
    """
    way = np.where(region.centre_moves, speed_m_s, 0.0)[:, None] * np.broadcast_to(
        time_s, (len(region.lat_rad), np.shape(time_s)[-1])
    )
    course = region.course_rad[:, :1]
    radius = EARTH_MEAN_RADIUS_M + ALTITUDE_M[motion]
    latitude = region.lat_rad[:, None] + way * np.cos(course) / radius
    longitude = region.lon_rad[:, None] + way * np.sin(course) / (radius * np.cos(region.lat_rad[:, None]))
    position = np.asarray(geodetic_to_ecef(latitude, longitude, ALTITUDE_M[motion]))
    cos_lat = np.cos(latitude)
    up = np.stack([cos_lat * np.cos(longitude), cos_lat * np.sin(longitude), np.sin(latitude)], axis=-1)
    return Site(position, up), latitude, longitude


@dataclass(frozen=True)
class WanderState:
    """Deviation from the plan: velocity in units of its deviation and place, each [B, U, 2]."""

    velocity: NDArray[np.float64]
    place_m: NDArray[np.float64]


def start_wander(generators: processes.Generators, n_users: int) -> WanderState:
    """Start on the plan with stationary velocities."""
    velocity = processes.start_gauss_markov(generators, (n_users, 2), np.float64)
    return WanderState(velocity, np.zeros_like(velocity))


def advance_wander(
    generators: processes.Generators, state: WanderState, n_steps: int, speed_m_s: float, dt_s: float
) -> tuple[WanderState, NDArray[Any]]:
    """Draw the next deviations from the plan, in metres east and north, [B, n, U, 2].

    Source: Gauss-Markov mobility, Liang and Haas, IEEE INFOCOM 1999, about a planned course.
    """
    rho = processes.correlation(1.0 / DEVIATION_MEMORY_S, dt_s)
    velocity, samples = processes.advance_gauss_markov(generators, state.velocity, n_steps, rho)
    steps = samples * (SPEED_DEVIATION * speed_m_s * dt_s)
    # The running sum starts from the carried place, so that cutting into chunks changes no rounding.
    steps[:, 0] += state.place_m
    place = np.cumsum(steps, axis=1)
    return WanderState(velocity, place[:, -1].copy()), place


def plan_offsets(region: Region, speed_m_s: float, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the planned place of each user relative to the centre, east and north in m, [B, n, U, 2]."""
    way = np.where(region.centre_moves, 0.0, speed_m_s)[:, None, None] * time_s[..., None]
    east, north = way * np.sin(region.course_rad)[:, None], way * np.cos(region.course_rad)[:, None]
    return region.offset_m[:, None] + np.stack([east, north], axis=-1)
