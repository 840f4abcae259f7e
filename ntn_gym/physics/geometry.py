"""Positions, directions and distances on and above the Earth.

Two Earths are in use and each function says which one: the WGS 84 ellipsoid (real orbits, ground stations)
and the sphere of 3GPP TR 38.811 (calibration cases, closed forms). All functions take NumPy arrays, torch
tensors or Python floats, broadcast over leading axes, and return arrays of the same library.
"""

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


def slant_range_m(elev_rad: ArrayLike, alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M) -> Array:
    """Return the distance from a terminal on a spherical Earth to a platform seen at an elevation.

    d = sqrt(R^2 sin^2 a + h^2 + 2 h R) - R sin a, evaluated as (h^2 + 2 h R) / (sqrt(...) + R sin a) where
    sin a > 0, which does not cancel at low altitudes.

    Source: 3GPP TR 38.811 clause 6.6.2, equation 6.6-3.

    Args:
        elev_rad: Elevation in rad, at or above the horizon (the formula is not meant for terminals behind
            it), [...].
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Slant range in m, [...].
    """
    xp, elev, alt = promote(elev_rad, alt_m)
    rise_m = earth_radius_m * xp.sin(elev)
    square_m2 = alt * (alt + 2.0 * earth_radius_m)
    return square_m2 / (xp.sqrt(rise_m**2 + square_m2) + rise_m)


def central_angle_rad(elev_rad: ArrayLike, alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M) -> Array:
    """Return the angle at the Earth's centre between a terminal and the point below a platform.

    psi = acos(R cos a / (R + h)) - a, evaluated as atan2(d cos a, R + d sin a) with the slant range d, which
    keeps its precision near the zenith.

    Source: J. R. Wertz and W. J. Larson, Space Mission Analysis and Design, 3rd ed., section 5.2.

    Args:
        elev_rad: Elevation in rad in [0, pi/2], [...].
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Central angle in rad, [...].
    """
    xp, elev, alt = promote(elev_rad, alt_m)
    distance_m = slant_range_m(elev, alt, earth_radius_m)
    return xp.atan2(distance_m * xp.cos(elev), earth_radius_m + distance_m * xp.sin(elev))


def elevation_from_central_angle_rad(
    central_rad: ArrayLike, alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M
) -> Array:
    """Return the elevation of a platform from the angle at the Earth's centre; negative below the horizon.

    tan a = (cos psi - R / (R + h)) / sin psi, evaluated with 1 - cos psi = 2 sin^2(psi / 2). Valid for every
    psi in [0, pi]: the result runs from pi/2 (overhead) to -pi/2 (other side of the Earth).

    Source: Wertz and Larson, Space Mission Analysis and Design, 3rd ed., section 5.2 (spherical Earth).

    Args:
        central_rad: Central angle in rad in [0, pi], [...].
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Elevation in rad, [...].
    """
    xp, central, alt = promote(central_rad, alt_m)
    above = alt / (earth_radius_m + alt) - 2.0 * xp.sin(central / 2.0) ** 2
    return xp.atan2(above, xp.sin(central))


def nadir_angle_rad(elev_rad: ArrayLike, alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M) -> Array:
    """Return the angle at the platform between the nadir and a terminal that sees it at an elevation.

    sin eta = R cos a / (R + h).

    Source: Wertz and Larson, Space Mission Analysis and Design, 3rd ed., section 5.2.

    Args:
        elev_rad: Elevation in rad in [0, pi/2], [...].
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Nadir angle in rad, [...].
    """
    # atan2 of the same triangle: asin() loses half of the digits where the Earth's limb is at 90 degrees (alt
    # -> 0).
    _, elev, alt = promote(elev_rad, alt_m)
    xp, central = promote(central_angle_rad(elev, alt, earth_radius_m))
    return xp.atan2(
        earth_radius_m * xp.sin(central) * xp.ones_like(alt),
        alt + 2.0 * earth_radius_m * xp.sin(central / 2.0) ** 2,
    )


def horizon_half_angle_rad(alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M) -> Array:
    """Return the nadir angle of the Earth's limb, sin rho = R / (R + h).

    Source: Wertz and Larson, Space Mission Analysis and Design, 3rd ed., section 5.2 (angular radius of the
    Earth).

    Args:
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Half-angle in rad, [...].
    """
    return nadir_angle_rad(0.0, alt_m, earth_radius_m)


def coverage_half_angle_rad(
    min_elev_rad: ArrayLike, alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M
) -> Array:
    """Return the central angle from the sub-platform point to the edge of coverage.

    The same quantity as `central_angle_rad` at the smallest usable elevation; the name states the intent.

    Args:
        min_elev_rad: Smallest usable elevation in rad in [0, pi/2], [...].
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Central angle in rad, [...].
    """
    return central_angle_rad(min_elev_rad, alt_m, earth_radius_m)


def footprint_area_m2(min_elev_rad: ArrayLike, alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M) -> Array:
    """Return the area of the spherical cap that a platform covers.

    2 pi R^2 (1 - cos psi) = 4 pi R^2 sin^2(psi / 2), psi the coverage half-angle at the Earth's centre.

    Args:
        min_elev_rad: Smallest usable elevation in rad in [0, pi/2], [...].
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Area on the sphere in m^2, [...].
    """
    xp, half_angle = promote(coverage_half_angle_rad(min_elev_rad, alt_m, earth_radius_m))
    return 4.0 * math.pi * earth_radius_m**2 * xp.sin(half_angle / 2.0) ** 2


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


def range_rate_m_s(relative_position_m: ArrayLike, relative_velocity_m_s: ArrayLike) -> Array:
    """Return the rate of change of a distance, (r . v) / |r|; positive when the distance grows.

    Args:
        relative_position_m: Position of the target minus that of the observer in m, [..., 3], not zero.
        relative_velocity_m_s: Velocity of the target minus that of the observer in m/s, same frame, [..., 3].

    Returns:
        Range rate in m/s, [...].
    """
    xp, position, velocity = promote(relative_position_m, relative_velocity_m_s)
    return xp.sum(position * velocity, axis=-1) / xp.sqrt(xp.sum(position * position, axis=-1))
