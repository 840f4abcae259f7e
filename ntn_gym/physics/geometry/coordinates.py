"""Coordinates on the ellipsoid and the sphere, local axes, and what a site sees of a target."""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M, WGS84_A_M, WGS84_F

_E2 = WGS84_F * (2.0 - WGS84_F)  # first eccentricity squared


def geodetic_to_ecef(lat_rad: ArrayLike, lon_rad: ArrayLike, alt_m: ArrayLike) -> Array:
    """Convert geodetic coordinates on WGS 84 to Earth-centred, Earth-fixed positions.

    N = a / sqrt(1 - e^2 sin^2 lat); x = (N + h) cos lat cos lon; y = (N + h) cos lat sin lon;
    z = (N (1 - e^2) + h) sin lat.

    Source: NIMA TR8350.2 (WGS 84), 3rd ed., chapter 4.

    Args:
        lat_rad: Geodetic latitude in rad, [...].
        lon_rad: Longitude in rad, east positive, [...].
        alt_m: Height above the ellipsoid in m, [...].

    Returns:
        ECEF position in m, [..., 3].
    """
    xp, lat, lon, alt = promote(lat_rad, lon_rad, alt_m)
    sin_lat, cos_lat = xp.sin(lat), xp.cos(lat)
    normal_m = WGS84_A_M / xp.sqrt(1.0 - _E2 * sin_lat**2)
    across_m = (normal_m + alt) * cos_lat
    components = (across_m * xp.cos(lon), across_m * xp.sin(lon), (normal_m * (1.0 - _E2) + alt) * sin_lat)
    return xp.stack(xp.broadcast_arrays(*components), axis=-1)


def ecef_to_geodetic(position_ecef_m: ArrayLike) -> tuple[Array, Array, Array]:
    """Convert ECEF positions to geodetic coordinates on WGS 84.

    Two steps of Bowring's iteration: tan lat = (z + e'^2 b sin^3 beta) / (p - e^2 a cos^3 beta) with the
    reduced latitude tan beta = (1 - f) tan lat, started from tan beta = z / ((1 - f) p). The height is
    p cos lat + z sin lat - a sqrt(1 - e^2 sin^2 lat), which holds at the poles and at the equator alike. The
    round trip with `geodetic_to_ecef` stays below 1e-6 m from 10 km below the ellipsoid to 50,000 km above
    it.

    Source: B. R. Bowring, "Transformation from spatial to geographical coordinates", Survey Review XXIII
    (181), 1976.

    Args:
        position_ecef_m: ECEF position in m, [..., 3]; not within 100 km of the Earth's centre.

    Returns:
        Geodetic latitude in rad, longitude in rad in [-pi, pi], and height above the ellipsoid in m, each
        [...].
    """
    xp, position = promote(position_ecef_m)
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    axis_distance_m = xp.hypot(x, y)
    polar_m = WGS84_A_M * (1.0 - WGS84_F)
    reduced = xp.atan2(z, axis_distance_m * (1.0 - WGS84_F))
    for _ in range(2):
        lat = xp.atan2(
            z + _E2 / (1.0 - _E2) * polar_m * xp.sin(reduced) ** 3,
            axis_distance_m - _E2 * WGS84_A_M * xp.cos(reduced) ** 3,
        )
        reduced = xp.atan2((1.0 - WGS84_F) * xp.sin(lat), xp.cos(lat))
    sin_lat = xp.sin(lat)
    alt_m = axis_distance_m * xp.cos(lat) + z * sin_lat - WGS84_A_M * xp.sqrt(1.0 - _E2 * sin_lat**2)
    return lat, xp.atan2(y, x), alt_m


def spherical_to_ecef(
    lat_rad: ArrayLike, lon_rad: ArrayLike, alt_m: ArrayLike, radius_m: float = EARTH_MEAN_RADIUS_M
) -> Array:
    """Convert coordinates on a spherical Earth to Earth-centred, Earth-fixed positions.

    Source: spherical polar coordinates; 3GPP TR 38.811 clause 6.6.2 (spherical Earth).

    Args:
        lat_rad: Geocentric latitude in rad, [...].
        lon_rad: Longitude in rad, east positive, [...].
        alt_m: Height above the sphere in m, [...].
        radius_m: Radius of the sphere in m; the default is that of 3GPP TR 38.811 clause 6.6.2.

    Returns:
        ECEF position in m, [..., 3].
    """
    xp, lat, lon, alt = promote(lat_rad, lon_rad, alt_m)
    distance_m = radius_m + alt
    across_m = distance_m * xp.cos(lat)
    components = (across_m * xp.cos(lon), across_m * xp.sin(lon), distance_m * xp.sin(lat))
    return xp.stack(xp.broadcast_arrays(*components), axis=-1)


def enu_basis(lat_rad: ArrayLike, lon_rad: ArrayLike) -> Array:
    """Return the local east, north and up directions in ECEF axes.

    With geodetic latitude "up" is the normal of the ellipsoid, with geocentric latitude that of the sphere.

    Source: P. Misra and P. Enge, Global Positioning System, 2nd ed., chapter 4 (ECEF to east-north-up).

    Args:
        lat_rad: Latitude in rad, [...].
        lon_rad: Longitude in rad, [...].

    Returns:
        Unit vectors, [..., 3, 3]; row 0 is east, row 1 north, row 2 up.
    """
    xp, lat, lon = promote(lat_rad, lon_rad)
    sin_lat, cos_lat, sin_lon, cos_lon = xp.broadcast_arrays(xp.sin(lat), xp.cos(lat), xp.sin(lon), xp.cos(lon))
    east = xp.stack((-sin_lon, cos_lon, xp.zeros_like(sin_lon)), axis=-1)
    north = xp.stack((-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat), axis=-1)
    up = xp.stack((cos_lat * cos_lon, cos_lat * sin_lon, sin_lat), axis=-1)
    return xp.stack((east, north, up), axis=-2)


def look_angles(
    site_ecef_m: ArrayLike, site_lat_rad: ArrayLike, site_lon_rad: ArrayLike, target_ecef_m: ArrayLike
) -> tuple[Array, Array, Array]:
    """Return azimuth, elevation and distance of a target seen from a site, without refraction or light time.

    The elevation is atan2(up, sqrt(east^2 + north^2)) and so keeps full precision at the zenith, where an arc
    sine loses half of the digits. The azimuth of a target exactly at the zenith is 0.

    Source: D. A. Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., section 4.4.3 (razel), without
    light time.

    Args:
        site_ecef_m: Position of the site in m, [..., 3].
        site_lat_rad: Latitude of the site in rad (it gives "up"), [...].
        site_lon_rad: Longitude of the site in rad, [...].
        target_ecef_m: Position of the target in m, [..., 3].

    Returns:
        Azimuth in rad in [0, 2 pi) clockwise from north, elevation in rad, range in m, each [...].
    """
    xp, site, lat, lon, target = promote(site_ecef_m, site_lat_rad, site_lon_rad, target_ecef_m)
    offset = target - site
    x, y, z = offset[..., 0], offset[..., 1], offset[..., 2]
    sin_lat, cos_lat, sin_lon, cos_lon = xp.sin(lat), xp.cos(lat), xp.sin(lon), xp.cos(lon)
    # The rows of enu_basis written out: one pass over the targets, without a [..., 3, 3] array.
    outward_m = cos_lon * x + sin_lon * y
    east_m = cos_lon * y - sin_lon * x
    north_m = cos_lat * z - sin_lat * outward_m
    up_m = cos_lat * outward_m + sin_lat * z
    horizontal_m = xp.hypot(east_m, north_m)
    azimuth_rad = xp.remainder(xp.atan2(east_m, north_m), 2.0 * math.pi)
    # remainder() of a tiny negative number rounds to 2 pi itself, which is outside the promised interval.
    azimuth_rad = xp.where(azimuth_rad >= 2.0 * math.pi, xp.zeros_like(azimuth_rad), azimuth_rad)
    return azimuth_rad, xp.atan2(up_m, horizontal_m), xp.hypot(horizontal_m, up_m)


def range_rate_m_s(relative_position_m: ArrayLike, relative_velocity_m_s: ArrayLike) -> Array:
    """Return the rate of change of a distance, (r . v) / |r|; positive when the distance grows.

    Source: D. A. Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., section 4.4.3 (range rate as
    the radial part of the velocity).

    Args:
        relative_position_m: Position of the target minus that of the observer in m, [..., 3], not zero.
        relative_velocity_m_s: Velocity of the target minus that of the observer in m/s, same frame, [..., 3].

    Returns:
        Range rate in m/s, [...].
    """
    xp, position, velocity = promote(relative_position_m, relative_velocity_m_s)
    return xp.sum(position * velocity, axis=-1) / xp.sqrt(xp.sum(position * position, axis=-1))
