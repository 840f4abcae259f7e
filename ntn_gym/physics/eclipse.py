"""The Earth's shadow: which satellites and platforms see the Sun, and for what part of their orbit.

The direction to the Sun is an argument, in the axes of the positions.
"""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_EQUATORIAL_RADIUS_M

ASTRONOMICAL_UNIT_M = 149_597_870_700.0
"""Astronomical unit, exact (IAU 2012 resolution B2)."""

SUN_RADIUS_M = 695_700_000.0
"""Nominal solar radius (IAU 2015 resolution B3)."""


def in_cylindrical_shadow(
    position_m: ArrayLike, sun_direction: ArrayLike, earth_radius_m: float = EARTH_EQUATORIAL_RADIUS_M
) -> Array:
    """Return whether a position is in a cylindrical shadow of the Earth (the Sun infinitely far away).

    In shadow: r . s < 0 and |r x s| < R. It errs by the penumbra, some ten seconds of a low orbit.

    Source: D. A. Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., section 5.3.2.

    Args:
        position_m: Earth-centred position in m, [..., 3].
        sun_direction: Unit vector to the Sun in the same axes, [..., 3].
        earth_radius_m: Radius of the spherical Earth in m.

    Returns:
        Booleans, [...]; true in shadow.
    """
    xp, position, sun = promote(position_m, sun_direction)
    along = xp.sum(position * sun, axis=-1)
    across = position - xp.expand_dims(along, axis=-1) * sun
    return (along < 0.0) & (xp.sum(across * across, axis=-1) < earth_radius_m**2)


def sunlit_share(
    position_m: ArrayLike,
    sun_direction: ArrayLike,
    sun_distance_m: ArrayLike = ASTRONOMICAL_UNIT_M,
    earth_radius_m: float = EARTH_EQUATORIAL_RADIUS_M,
) -> Array:
    """Return the visible share of the Sun's disc: 1 in sunlight, 0 in the umbra, between in the penumbra.

    Discs of angular radius a (Sun) and b (Earth) with their centres an angle c apart overlap by a^2 acos(x / a) + b^2
    acos((c - x) / b) - c y, x = (c^2 + a^2 - b^2) / (2 c), y^2 = a^2 - x^2; the share is 1 - overlap / (pi a^2).
    The discs are taken as plane, which errs by less than 1 % of the disc in low orbits.

    Source: O. Montenbruck and E. Gill, Satellite Orbits, section 3.4.2 (equations 3.85 to 3.94).

    Args:
        position_m: Earth-centred position in m, outside the Earth, [..., 3].
        sun_direction: Unit vector from the Earth's centre to the Sun in the same axes, [..., 3].
        sun_distance_m: Distance of the Sun from the Earth's centre in m, [...].
        earth_radius_m: Radius of the spherical Earth in m.

    Returns:
        Share in [0, 1], [...].
    """
    xp, position, direction, sun_m = promote(position_m, sun_direction, sun_distance_m)
    to_sun = xp.expand_dims(sun_m, axis=-1) * direction - position
    sun_range_m = xp.sqrt(xp.sum(to_sun * to_sun, axis=-1))
    earth_range_m = xp.sqrt(xp.sum(position * position, axis=-1))
    a = xp.asin(xp.clip(SUN_RADIUS_M / sun_range_m, None, 1.0))
    b = xp.asin(xp.clip(earth_radius_m / earth_range_m, None, 1.0))
    # The angle between two directions by atan2, which keeps its digits where they are parallel.
    u = to_sun / xp.expand_dims(sun_range_m, axis=-1)
    w = -position / xp.expand_dims(earth_range_m, axis=-1)
    c = 2.0 * xp.atan2(xp.sqrt(xp.sum((u - w) ** 2, axis=-1)), xp.sqrt(xp.sum((u + w) ** 2, axis=-1)))
    apart = xp.clip(c, 1e-12, None)
    x = xp.clip((apart**2 + a**2 - b**2) / (2.0 * apart), -a, a)
    y = xp.sqrt(xp.clip(a**2 - x**2, 0.0, None))
    overlap = a**2 * xp.acos(x / a) + b**2 * xp.acos(xp.clip((apart - x) / b, -1.0, 1.0)) - apart * y
    share = xp.clip(1.0 - overlap / (math.pi * a**2), 0.0, 1.0)
    # Far apart: no overlap. One disc inside the other: the Earth hides all, or as much as it is large (annular).
    share = xp.where(c >= a + b, xp.ones_like(share), share)
    hidden = xp.where(b >= a, xp.zeros_like(share), 1.0 - (b / a) ** 2)
    return xp.where(c <= xp.abs(b - a), hidden, share)


def beta_angle_rad(raan_rad: ArrayLike, inclination_rad: ArrayLike, sun_direction: ArrayLike) -> Array:
    """Return the angle between the plane of an orbit and the Sun, sin beta = n . s with the normal n of the orbit.

    Source: J. R. Wertz and W. J. Larson, Space Mission Analysis and Design, 3rd ed., section 5.1.

    Args:
        raan_rad: Right ascension of the ascending node in rad, [...].
        inclination_rad: Inclination in rad, [...].
        sun_direction: Unit vector to the Sun in inertial axes, [..., 3].

    Returns:
        Angle in rad in [-pi/2, pi/2], [...].
    """
    xp, raan, inclination, sun = promote(raan_rad, inclination_rad, sun_direction)
    sine = xp.sin(inclination) * (xp.sin(raan) * sun[..., 0] - xp.cos(raan) * sun[..., 1])
    return xp.asin(xp.clip(sine + xp.cos(inclination) * sun[..., 2], -1.0, 1.0))


def eclipse_share_of_orbit(
    beta_rad: ArrayLike, orbit_radius_m: ArrayLike, earth_radius_m: float = EARTH_EQUATORIAL_RADIUS_M
) -> Array:
    """Return the part of a circular orbit in the cylindrical shadow, acos(sqrt(r^2 - R^2) / (r cos beta)) / pi.

    Source: Wertz and Larson, Space Mission Analysis and Design, 3rd ed., section 5.1 (equation 5-5, eclipse of a
    circular orbit).

    Args:
        beta_rad: Angle between the orbit's plane and the Sun in rad, [...].
        orbit_radius_m: Distance from the Earth's centre in m, at least `earth_radius_m`, [...].
        earth_radius_m: Radius of the spherical Earth in m.

    Returns:
        Share in [0, 0.5], [...]; zero where the orbit stays in sunlight.
    """
    xp, beta, radius = promote(beta_rad, orbit_radius_m)
    ratio = xp.sqrt(radius**2 - earth_radius_m**2) / (radius * xp.clip(xp.cos(beta), 1e-12, None))
    return xp.acos(xp.clip(ratio, 0.0, 1.0)) / math.pi
