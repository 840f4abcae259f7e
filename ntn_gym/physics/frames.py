"""Time and the rotation between inertial (TEME) and Earth-fixed (ECEF) axes.

The rotation is by Greenwich mean sidereal time alone, with UT1 = UTC and no polar motion. This differs from
the full ITRS by at most 100 m in low orbits (checked against skyfield), which is 0.01 deg at 550 km: no Earth
orientation file is needed.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_ROTATION_RAD_S

SECONDS_PER_DAY = 86_400.0
_JULIAN_DATE_OF_ORDINAL_0 = 1_721_424.5  # so that datetime.toordinal() + this = Julian date at 0 h
_J2000 = 2_451_545.0


def julian_date(utc: str | datetime) -> tuple[float, float]:
    """Return the Julian date of a UTC instant in two parts, which keeps microseconds.

    Source: J. Meeus, Astronomical Algorithms, 2nd ed., chapter 7 (Gregorian calendar; two parts keep the
    precision, as in sgp4).

    Args:
        utc: ISO 8601 text such as "2025-01-23T19:00:00Z", or a datetime. Without a time zone it is taken as
            UTC.

    Returns:
        Julian date of the preceding midnight (ends in .5) and fraction of the day in [0, 1).

    Raises:
        ValueError: When the text is not ISO 8601.
    """
    if isinstance(utc, str):
        try:
            instant = datetime.fromisoformat(utc)
        except ValueError as error:
            raise ValueError(
                f'start time {utc!r} is not ISO 8601; write it in UTC like "2025-01-23T19:00:00Z"'
            ) from error
    else:
        instant = utc
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    midnight = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    return _JULIAN_DATE_OF_ORDINAL_0 + midnight.toordinal(), (instant - midnight) / timedelta(days=1)


def utc_from_julian_date(jd: float, fraction: float = 0.0) -> datetime:
    """Return the UTC instant of a Julian date given in two parts, rounded to microseconds.

    Source: J. Meeus, Astronomical Algorithms, 2nd ed., chapter 7, inverse of `julian_date`.

    Args:
        jd: Julian date in days.
        fraction: Further days to add.
    """
    days = math.floor(jd - 0.5) + 0.5
    midnight = datetime.fromordinal(round(days - _JULIAN_DATE_OF_ORDINAL_0)).replace(tzinfo=UTC)
    return midnight + timedelta(days=jd - days) + timedelta(days=fraction)


def utc_text(instant: datetime) -> str:
    """Return an instant as ISO 8601 text with a final "Z", e.g. "2025-01-23T19:00:00Z".

    Source: ISO 8601.
    """
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def gmst_rad(jd_ut1: ArrayLike, fraction: ArrayLike = 0.0) -> Array:
    """Return Greenwich mean sidereal time, IAU 1982 model.

    theta = 67310.54841 s + (876600 h + 8640184.812866 s) T + 0.093104 s T^2 - 6.2e-6 s T^3, T in Julian
    centuries of UT1 from J2000. Whole days are dropped from the 876600 h term before it is scaled, so that no
    digit is lost.

    Source: S. Aoki et al., "The new definition of universal time", Astronomy and Astrophysics 105, 1982; D.
    A. Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., equation 3-47.

    Args:
        jd_ut1: Julian date UT1 in days, [...]; UTC may stand in (0.9 s, below 420 m at the equator).
        fraction: Further days to add, [...].

    Returns:
        Angle in rad in [0, 2 pi), [...].
    """
    xp, jd, day_fraction = promote(jd_ut1, fraction)
    days = jd - _J2000
    century = (days + day_fraction) / 36_525.0
    turns = xp.remainder(days, 1.0) + day_fraction
    seconds = 67_310.548_41 + century * (8_640_184.812_866 + century * (0.093_104 - 6.2e-6 * century))
    return xp.remainder(2.0 * math.pi * (turns + seconds / SECONDS_PER_DAY), 2.0 * math.pi)


def teme_to_ecef(
    position_teme_m: ArrayLike, velocity_teme_m_s: ArrayLike, gmst_angle_rad: ArrayLike
) -> tuple[Array, Array]:
    """Rotate inertial positions and velocities into Earth-fixed axes.

    r_ecef = R3(theta) r_teme; v_ecef = R3(theta) v_teme - omega x r_ecef.

    Source: Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., section 3.7 (TEME to PEF; here
    PEF = ECEF).

    Args:
        position_teme_m: Inertial position in m, [..., 3].
        velocity_teme_m_s: Inertial velocity in m/s, [..., 3].
        gmst_angle_rad: Greenwich mean sidereal time in rad, [...].

    Returns:
        Earth-fixed position in m and velocity relative to the rotating Earth in m/s, each [..., 3].
    """
    xp, position, velocity, angle = promote(position_teme_m, velocity_teme_m_s, gmst_angle_rad)
    cos, sin = xp.cos(angle), xp.sin(angle)
    x = cos * position[..., 0] + sin * position[..., 1]
    y = cos * position[..., 1] - sin * position[..., 0]
    # - omega x r with omega along z: (+omega y, -omega x, 0)
    vx = cos * velocity[..., 0] + sin * velocity[..., 1] + EARTH_ROTATION_RAD_S * y
    vy = cos * velocity[..., 1] - sin * velocity[..., 0] - EARTH_ROTATION_RAD_S * x
    z, vz = xp.broadcast_to(position[..., 2], x.shape), xp.broadcast_to(velocity[..., 2], x.shape)
    return xp.stack((x, y, z), axis=-1), xp.stack((vx, vy, vz), axis=-1)


def ecef_to_teme(
    position_ecef_m: ArrayLike, velocity_ecef_m_s: ArrayLike, gmst_angle_rad: ArrayLike
) -> tuple[Array, Array]:
    """Rotate Earth-fixed positions and velocities into inertial axes; the inverse of `teme_to_ecef`.

    Source: D. A. Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., section 3.7.3, inverse of
    `teme_to_ecef`.

    Args:
        position_ecef_m: Earth-fixed position in m, [..., 3].
        velocity_ecef_m_s: Velocity relative to the rotating Earth in m/s, [..., 3].
        gmst_angle_rad: Greenwich mean sidereal time in rad, [...].

    Returns:
        Inertial position in m and velocity in m/s, each [..., 3].
    """
    xp, position, velocity, angle = promote(position_ecef_m, velocity_ecef_m_s, gmst_angle_rad)
    cos, sin = xp.cos(angle), xp.sin(angle)
    vx_rotating = velocity[..., 0] - EARTH_ROTATION_RAD_S * position[..., 1]
    vy_rotating = velocity[..., 1] + EARTH_ROTATION_RAD_S * position[..., 0]
    x = cos * position[..., 0] - sin * position[..., 1]
    y = sin * position[..., 0] + cos * position[..., 1]
    vx = cos * vx_rotating - sin * vy_rotating
    vy = sin * vx_rotating + cos * vy_rotating
    z, vz = xp.broadcast_to(position[..., 2], x.shape), xp.broadcast_to(velocity[..., 2], x.shape)
    return xp.stack((x, y, z), axis=-1), xp.stack((vx, vy, vz), axis=-1)
