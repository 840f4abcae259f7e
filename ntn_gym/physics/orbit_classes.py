"""Classes of orbits by altitude, the geostationary orbit, and the point below a satellite."""

from __future__ import annotations

import math
from typing import Literal

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_EQUATORIAL_RADIUS_M, EARTH_MU_M3_S2, EARTH_ROTATION_RAD_S
from ntn_gym.physics.geometry import ecef_to_geodetic, geodetic_to_ecef
from ntn_gym.physics.validity import require_range

OrbitClass = Literal["HAPS", "LEO", "MEO", "GEO"]

GEOSTATIONARY_RADIUS_M = (EARTH_MU_M3_S2 / EARTH_ROTATION_RAD_S**2) ** (1.0 / 3.0)
"""Radius at which a circular orbit turns with the Earth, (mu / omega^2)^(1/3), 42,164 km."""

GEOSTATIONARY_ALTITUDE_M = GEOSTATIONARY_RADIUS_M - EARTH_EQUATORIAL_RADIUS_M

_ALTITUDES_M: dict[OrbitClass, tuple[float, float]] = {
    "HAPS": (8e3, 50e3),
    "LEO": (300e3, 1500e3),
    "MEO": (7000e3, 25_000e3),
    "GEO": (GEOSTATIONARY_ALTITUDE_M - 200e3, GEOSTATIONARY_ALTITUDE_M + 200e3),
}


def orbit_class(alt_m: float) -> OrbitClass | None:
    """Return the class of platform that 3GPP gives to an altitude.

    HAPS 8 to 50 km, LEO 300 to 1500 km, MEO 7000 to 25,000 km, GEO 35,786 km (here within 200 km, the protected
    geostationary region of the IADC guidelines).

    Source: 3GPP TR 38.811 V15.4.0, Table 4.1-1 (types of NTN platforms); IADC Space Debris Mitigation Guidelines,
    section 3.3.2.

    Args:
        alt_m: Height above the Earth in m, positive.

    Returns:
        The class, or None between the classes.

    Raises:
        ValueError: When the altitude is not a positive number.
    """
    if not (math.isfinite(alt_m) and alt_m > 0.0):
        raise ValueError(f"alt_m: got {alt_m}; must be a positive number of m")
    return next((name for name, (low, high) in _ALTITUDES_M.items() if low <= alt_m <= high), None)


def geostationary_position_m(lon_rad: ArrayLike) -> Array:
    """Return the ECEF position of a geostationary satellite.

    Source: Kepler's third law with the rotation of the Earth (constants of NIMA TR8350.2).

    Args:
        lon_rad: Longitude of the satellite in rad, east positive, [...].

    Returns:
        Position in m, [..., 3].
    """
    xp, lon = promote(lon_rad)
    return GEOSTATIONARY_RADIUS_M * xp.stack((xp.cos(lon), xp.sin(lon), xp.zeros_like(lon)), axis=-1)


def sub_point(position_ecef_m: ArrayLike) -> tuple[Array, Array, Array, Array]:
    """Return the point of the WGS 84 ellipsoid below a satellite.

    "Below" is along the normal of the ellipsoid: the geodetic sub-satellite point.

    Source: Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., section 3.2.

    Args:
        position_ecef_m: ECEF position in m, [..., 3].

    Returns:
        Geodetic latitude and longitude in rad, height of the satellite above the point in m, each [...], and the ECEF
        position of the point in m, [..., 3].
    """
    lat, lon, alt_m = ecef_to_geodetic(position_ecef_m)
    return lat, lon, alt_m, geodetic_to_ecef(lat, lon, 0.0)


def central_angle_to_geostationary_rad(lat_rad: ArrayLike, lon_rad: ArrayLike, satellite_lon_rad: float) -> Array:
    """Return the central angle between a place and the sub-point of a geostationary satellite, on a sphere.

    cos psi = cos(lat) cos(lon - lon_s), evaluated by atan2.

    Source: G. Maral and M. Bousquet, Satellite Communications Systems, 5th ed., section 2.2.

    Args:
        lat_rad: Latitude of the place in rad, [...].
        lon_rad: Longitude of the place in rad, [...].
        satellite_lon_rad: Longitude of the satellite in rad.

    Returns:
        Central angle in rad in [0, pi], [...].

    Raises:
        ValueError: When a latitude is beyond a pole.
    """
    require_range("lat_rad", lat_rad, -math.pi / 2, math.pi / 2, "rad")
    xp, lat, lon = promote(lat_rad, lon_rad)
    apart = lon - satellite_lon_rad
    across = xp.hypot(xp.sin(lat), xp.cos(lat) * xp.sin(apart))
    return xp.atan2(across, xp.cos(lat) * xp.cos(apart))
