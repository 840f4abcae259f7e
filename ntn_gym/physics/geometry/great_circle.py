"""Distances and courses along great circles of a sphere."""

from __future__ import annotations

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M


def great_circle_distance_m(
    lat0_rad: ArrayLike,
    lon0_rad: ArrayLike,
    lat1_rad: ArrayLike,
    lon1_rad: ArrayLike,
    radius_m: float = EARTH_MEAN_RADIUS_M,
) -> Array:
    """Return the great-circle distance between points of a sphere (haversine formula).

    Source: R. W. Sinnott, "Virtues of the haversine", Sky and Telescope 68 (2), 1984. Antipodal points lose
    half of the digits (about 0.1 m on the Earth); all other distances keep full precision.

    Args:
        lat0_rad: Latitude of the first point in rad, [...].
        lon0_rad: Longitude of the first point in rad, [...].
        lat1_rad: Latitude of the second point in rad, [...].
        lon1_rad: Longitude of the second point in rad, [...].
        radius_m: Radius of the sphere in m.

    Returns:
        Distance along the surface in m, [...].
    """
    xp, lat0, lon0, lat1, lon1 = promote(lat0_rad, lon0_rad, lat1_rad, lon1_rad)
    half = xp.sin((lat1 - lat0) / 2.0) ** 2 + xp.cos(lat0) * xp.cos(lat1) * xp.sin((lon1 - lon0) / 2.0) ** 2
    # Rounding can lift the haversine of antipodal points above 1.
    return 2.0 * radius_m * xp.asin(xp.sqrt(xp.clip(half, 0.0, 1.0)))


def great_circle_destination(
    lat_rad: ArrayLike,
    lon_rad: ArrayLike,
    course_rad: ArrayLike,
    distance_m: ArrayLike,
    radius_m: float = EARTH_MEAN_RADIUS_M,
) -> tuple[Array, Array]:
    """Return the point reached from a start by following a great circle.

    Source: E. Williams, "Aviation Formulary V1.47", "Lat/lon given radial and distance", with atan2 for the
    latitude.

    Args:
        lat_rad: Latitude of the start in rad, [...].
        lon_rad: Longitude of the start in rad, [...].
        course_rad: Initial course in rad, clockwise from north, [...].
        distance_m: Distance along the surface in m, [...].
        radius_m: Radius of the sphere in m.

    Returns:
        Latitude and longitude of the destination in rad, longitude in [-pi, pi], each [...].
    """
    xp, lat, lon, course, distance = promote(lat_rad, lon_rad, course_rad, distance_m)
    angle = distance / radius_m
    sin_lat, cos_lat, sin_angle, cos_angle = xp.sin(lat), xp.cos(lat), xp.sin(angle), xp.cos(angle)
    # Destination as components along (start meridian, east, north pole): no inverse sine, so no loss at the
    # poles.
    meridian = cos_lat * cos_angle - sin_lat * sin_angle * xp.cos(course)
    east = sin_angle * xp.sin(course)
    pole = sin_lat * cos_angle + cos_lat * sin_angle * xp.cos(course)
    lon_end = lon + xp.atan2(east, meridian)
    wrapped = xp.atan2(xp.sin(lon_end), xp.cos(lon_end))
    return xp.atan2(pole, xp.hypot(meridian, east)), wrapped
