"""Where the sun stands, how far it is, how long it shines on a platform and what it delivers above the atmosphere.

Angles are geometric: without refraction, which a platform in the stratosphere hardly has. Agrees with the full
Solar Position Algorithm of NREL within 0.002 deg from 1950 to 2050.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.data import read_json
from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.physics.frames import gmst_rad
from ntn_gym.physics.geometry import enu_basis
from ntn_gym.physics.validity import require_range

SOLAR_CONSTANT_W_M2 = 1361.0
"""Total solar irradiance at 1 au (G. Kopp and J. L. Lean, Geophysical Research Letters 38, L01706, 2011)."""

_J2000 = 2_451_545.0
_TT_MINUS_UTC_DAYS = 69.2 / 86_400.0  # since 2017; a minute more or less turns the sun by 0.0007 deg
_ARCSECOND_RAD = math.radians(1.0 / 3600.0)
_PARALLAX_RAD = 8.794 * _ARCSECOND_RAD
_DAY_RAD_S = 2.0 * math.pi / 86_400.0


@cache
def _series(name: str) -> tuple[NDArray[np.float64], ...]:
    return tuple(np.array(terms).T for terms in read_json("tables/solar_vsop87.json")[name])


def _sum(xp: Any, name: str, millennia: Array) -> Array:
    """Return sum over n of t^n sum over i of A cos(B + C t), in rad or au."""
    total = xp.zeros_like(millennia)
    for power, (amplitude, phase, rate) in enumerate(_series(name)):
        a, b, c = (xp.asarray(part, device=getattr(millennia, "device", None)) for part in (amplitude, phase, rate))
        total = total + millennia**power * xp.sum(a * xp.cos(b + c * millennia[..., None]), axis=-1)
    return 1e-8 * total


def sun_apparent(jd_utc: ArrayLike, fraction: ArrayLike = 0.0) -> tuple[Array, Array, Array]:
    """Return the apparent geocentric place of the sun.

    Heliocentric longitude and distance of the Earth by the leading terms of VSOP87; plus 180 deg, nutation (-17.20"
    sin Omega - 1.32" sin 2L) and aberration (-20.49" / R); latitude (below 1.2") left out.

    Source: J. Meeus, Astronomical Algorithms, 2nd ed., chapters 22 and 25; terms and their origin in the table
    `solar_vsop87.json`.

    Args:
        jd_utc: Julian date UTC in days (see `frames.julian_date`), float64, [...].
        fraction: Further days to add, [...].

    Returns:
        Right ascension in rad in [-pi, pi], declination in rad, and distance in au, each [...].
    """
    xp, jd, day_fraction = promote(jd_utc, fraction)
    century = (jd - _J2000 + day_fraction + _TT_MINUS_UTC_DAYS) / 36_525.0
    node = math.radians(125.044_52) - math.radians(1934.136_261) * century
    mean_longitude = math.radians(280.4665) + math.radians(36_000.769_8) * century
    distance = _sum(xp, "radius", century / 10.0)
    longitude = _sum(xp, "longitude", century / 10.0) + math.pi
    longitude = longitude + _ARCSECOND_RAD * (
        -17.20 * xp.sin(node) - 1.32 * xp.sin(2.0 * mean_longitude) - 20.4898 / distance
    )
    obliquity = math.radians(23.439_291_11) - math.radians(46.815 / 3600.0) * century
    obliquity = obliquity + _ARCSECOND_RAD * (9.20 * xp.cos(node) + 0.57 * xp.cos(2.0 * mean_longitude))
    right_ascension = xp.atan2(xp.cos(obliquity) * xp.sin(longitude), xp.cos(longitude))
    return right_ascension, xp.asin(xp.sin(obliquity) * xp.sin(longitude)), distance


def sun_direction_ecef(jd_utc: ArrayLike, fraction: ArrayLike = 0.0) -> Array:
    """Return the unit vector from the Earth's centre to the sun in Earth-fixed axes.

    Source: `sun_apparent`, turned by the apparent sidereal time (`frames.gmst_rad` plus the equation of the
    equinoxes, -17.20" sin Omega cos eps; Meeus, chapter 12).

    Args:
        jd_utc: Julian date UTC in days, float64, [...].
        fraction: Further days to add, [...].

    Returns:
        Unit vector, [..., 3].
    """
    xp, jd, day_fraction = promote(jd_utc, fraction)
    right_ascension, declination, _ = sun_apparent(jd, day_fraction)
    node = math.radians(125.044_52) - math.radians(1934.136_261 / 36_525.0) * (jd - _J2000 + day_fraction)
    sidereal = gmst_rad(jd, day_fraction) - 17.20 * 0.9175 * _ARCSECOND_RAD * xp.sin(node)
    east = right_ascension - sidereal
    across = xp.cos(declination)
    return xp.stack((across * xp.cos(east), across * xp.sin(east), xp.sin(declination)), axis=-1)


def sun_angles_rad(
    lat_rad: ArrayLike, lon_rad: ArrayLike, jd_utc: ArrayLike, fraction: ArrayLike = 0.0
) -> tuple[Array, Array]:
    """Return elevation and azimuth of the sun's centre, without refraction.

    Source: `sun_direction_ecef` in the local east, north, up axes; parallax 8.794" cos(elevation) (Meeus, chapter
    40).

    Args:
        lat_rad: Geodetic latitude in rad, [...].
        lon_rad: Longitude in rad, [...].
        jd_utc: Julian date UTC in days, float64, [...].
        fraction: Further days to add, [...].

    Returns:
        Elevation in rad and azimuth in rad, clockwise from north in [0, 2 pi), each [...].
    """
    xp, lat, lon, jd, day_fraction = promote(lat_rad, lon_rad, jd_utc, fraction)
    local = xp.sum(enu_basis(lat, lon) * sun_direction_ecef(jd, day_fraction)[..., None, :], axis=-1)
    elevation = xp.asin(xp.clip(local[..., 2], -1.0, 1.0))
    azimuth = xp.remainder(xp.atan2(local[..., 0], local[..., 1]), 2.0 * math.pi)
    return elevation - _PARALLAX_RAD * xp.cos(elevation), azimuth


def extraterrestrial_irradiance_w_m2(
    jd_utc: ArrayLike, fraction: ArrayLike = 0.0, solar_constant_w_m2: float = SOLAR_CONSTANT_W_M2
) -> Array:
    """Return the irradiance on a surface facing the sun above the atmosphere, S / R^2.

    Source: inverse square law with the distance of `sun_apparent`; solar constant of Kopp and Lean 2011.

    Args:
        jd_utc: Julian date UTC in days, float64, [...].
        fraction: Further days to add, [...].
        solar_constant_w_m2: Irradiance at 1 au in W/m^2 (older sources: 1366 or 1367).

    Returns:
        Irradiance in W/m^2, [...].
    """
    return solar_constant_w_m2 / sun_apparent(jd_utc, fraction)[2] ** 2


def horizon_dip_rad(alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M) -> Array:
    """Return how far the horizon lies below the horizontal, acos(R / (R + h)).

    4.53 deg at 20 km. Source: geometry of a sphere, without refraction.

    Args:
        alt_m: Height in m, not negative, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Angle in rad, [...].
    """
    xp, alt = promote(alt_m)
    require_range("alt_m", alt, 0.0, math.inf, "m")
    # The arc tangent keeps its digits at low heights, where acos of nearly 1 does not.
    return xp.atan2(xp.sqrt(alt * (2.0 * earth_radius_m + alt)), xp.full_like(alt, earth_radius_m))


def daylight_s(lat_rad: ArrayLike, declination_rad: ArrayLike, lowest_elev_rad: ArrayLike = 0.0) -> Array:
    """Return how long a day the sun's centre is above an elevation, 2 H / (2 pi / 86400 s).

    cos H = (sin e - sin lat sin dec) / (cos lat cos dec), clipped to polar night and polar day.

    Source: Meeus, Astronomical Algorithms, 2nd ed., chapter 15, with the declination held for the day.

    Args:
        lat_rad: Latitude in rad, not at a pole, [...].
        declination_rad: Declination of the sun in rad, [...].
        lowest_elev_rad: Elevation in rad; minus the horizon dip for a platform, [...].

    Returns:
        Time in s, 0 to 86,400, [...].
    """
    xp, lat, declination, lowest = promote(lat_rad, declination_rad, lowest_elev_rad)
    cosine = (xp.sin(lowest) - xp.sin(lat) * xp.sin(declination)) / (xp.cos(lat) * xp.cos(declination))
    return 2.0 * xp.acos(xp.clip(cosine, -1.0, 1.0)) / _DAY_RAD_S


def daily_horizontal_energy_j_m2(lat_rad: ArrayLike, declination_rad: ArrayLike, irradiance_w_m2: ArrayLike) -> Array:
    """Return the energy that a horizontal square metre meets in a day above the atmosphere.

    (86400 s / pi) E (H sin lat sin dec + cos lat cos dec sin H), with H the hour angle of sunset.

    Source: J. A. Duffie and W. A. Beckman, Solar Engineering of Thermal Processes, 4th ed., equation 1.10.3.

    Args:
        lat_rad: Latitude in rad, not at a pole, [...].
        declination_rad: Declination of the sun at local noon in rad, [...].
        irradiance_w_m2: Irradiance on a surface facing the sun in W/m^2, [...].

    Returns:
        Energy in J/m^2, [...].
    """
    xp, lat, declination, irradiance = promote(lat_rad, declination_rad, irradiance_w_m2)
    hour_angle = 0.5 * _DAY_RAD_S * daylight_s(lat, declination)
    slanted = xp.cos(lat) * xp.cos(declination) * xp.sin(hour_angle)
    return 86_400.0 / math.pi * irradiance * (hour_angle * xp.sin(lat) * xp.sin(declination) + slanted)
