"""Angles and distances between points seen from the Earth's centre. NumPy and torch."""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.stochastic.checks import require_positive, require_range


def cross(a: ArrayLike, b: ArrayLike) -> Array:
    """Return the cross product of vectors.

    Source: vector product (NIST DLMF 1.6.9).

    Args:
        a: Vectors, [..., 3].
        b: Vectors, [..., 3].

    Returns:
        a x b, [..., 3].
    """
    xp, left, right = promote(a, b)
    ax, ay, az = left[..., 0], left[..., 1], left[..., 2]
    bx, by, bz = right[..., 0], right[..., 1], right[..., 2]
    return xp.stack((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx), axis=-1)


def norm(vector: ArrayLike) -> Array:
    """Return the length of vectors.

    Source: Euclidean norm (NIST DLMF 1.6.5).

    Args:
        vector: Vectors, [..., 3].

    Returns:
        Length in the unit of the vectors, [...].
    """
    xp, components = promote(vector)
    return xp.sqrt(xp.sum(components * components, axis=-1))


def angle_between_rad(a: ArrayLike, b: ArrayLike) -> Array:
    """Return the angle between vectors, atan2(|a x b|, a . b); between positions it is the central angle.

    It keeps full precision at 0 and pi, where an arc cosine loses half of the digits.

    Source: WKA section III-B1 (central angle); W. Kahan, "How Futile are Mindless Assessments of Roundoff", section 12.

    Args:
        a: Vectors, not zero, [..., 3].
        b: Vectors, not zero, [..., 3].

    Returns:
        Angle in rad in [0, pi], [...].
    """
    xp, left, right = promote(a, b)
    return xp.atan2(norm(cross(left, right)), xp.sum(left * right, axis=-1))


def chord_m(central_rad: ArrayLike, radius_a_m: ArrayLike, radius_b_m: ArrayLike) -> Array:
    """Return the distance of two points from their central angle.

    d = sqrt(a^2 + b^2 - 2 a b cos theta), evaluated as sqrt((a - b)^2 + 4 a b sin^2(theta / 2)), which does not cancel.

    Source: WKA section III-B1, equation 6.

    Args:
        central_rad: Central angle in rad in [0, pi], [...].
        radius_a_m: Distance of one point from the Earth's centre in m, > 0, [...].
        radius_b_m: Distance of the other point from the Earth's centre in m, > 0, [...].

    Returns:
        Distance in m, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("central_rad", central_rad, 0.0, math.pi, "rad")
    require_positive("radius_a_m", radius_a_m, "m")
    require_positive("radius_b_m", radius_b_m, "m")
    xp, central, radius_a, radius_b = promote(central_rad, radius_a_m, radius_b_m)
    return xp.sqrt((radius_a - radius_b) ** 2 + 4.0 * radius_a * radius_b * xp.sin(central / 2.0) ** 2)


def central_angle_of_chord_rad(distance_m: ArrayLike, radius_a_m: ArrayLike, radius_b_m: ArrayLike) -> Array:
    """Return the central angle of two points from their distance, the inverse of `chord_m`.

    sin(theta / 2) = sqrt((d^2 - (a - b)^2) / (4 a b)).

    Source: WKA section III-B1, equation 6.

    Args:
        distance_m: Distance in m in [|a - b|, a + b], [...]. Distances outside are those of no pair of points; they
            give 0 or pi.
        radius_a_m: Distance of one point from the Earth's centre in m, > 0, [...].
        radius_b_m: Distance of the other point from the Earth's centre in m, > 0, [...].

    Returns:
        Central angle in rad in [0, pi], [...].

    Raises:
        ValueError: If a distance is negative or a radius not positive.
    """
    require_range("distance_m", distance_m, 0.0, unit="m")
    require_positive("radius_a_m", radius_a_m, "m")
    require_positive("radius_b_m", radius_b_m, "m")
    xp, distance, radius_a, radius_b = promote(distance_m, radius_a_m, radius_b_m)
    gap = xp.abs(radius_a - radius_b)
    square = (distance - gap) * (distance + gap) / (4.0 * radius_a * radius_b)
    return 2.0 * xp.asin(xp.sqrt(xp.clip(square, 0.0, 1.0)))


def offset_direction(centre: ArrayLike, angle_rad: ArrayLike, azimuth_rad: ArrayLike) -> Array:
    """Return the direction at an angle from a centre direction, in an azimuth clockwise from north.

    cos(angle) c + sin(angle) (cos(azimuth) north + sin(azimuth) east), with north and east at the centre. At the poles,
    where north is not defined, it is taken along the meridian of longitude 0.

    Source: WKA section III-B1 (rotation that puts the typical user at the pole); the frame is that of ENU axes.

    Args:
        centre: Centre directions, not zero, [..., 3].
        angle_rad: Angle from the centre in rad, [...].
        azimuth_rad: Azimuth in rad, [...].

    Returns:
        Unit vectors, [..., 3].
    """
    xp, axis, angle, azimuth = promote(centre, angle_rad, azimuth_rad)
    up = axis / norm(axis)[..., None]
    lon = xp.atan2(up[..., 1], up[..., 0])
    sin_lon, cos_lon = xp.sin(lon), xp.cos(lon)
    east = xp.stack((-sin_lon, cos_lon, xp.zeros_like(lon)), axis=-1)
    north = cross(up, east)
    sin_angle = xp.sin(angle)
    return (
        xp.cos(angle)[..., None] * up
        + (sin_angle * xp.cos(azimuth))[..., None] * north
        + (sin_angle * xp.sin(azimuth))[..., None] * east
    )


def along_arc(start: ArrayLike, end: ArrayLike, share: ArrayLike) -> Array:
    """Return the direction at a share of the way along the shorter great-circle arc.

    cos(s theta) a + sin(s theta) e, with e the direction of the course at the start a.

    Source: K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985 (spherical linear
    interpolation).

    Args:
        start: Position or direction of the start, [..., 3].
        end: Position or direction of the end, not opposite to the start, [..., 3].
        share: 0 at the start, 1 at the end, [...].

    Returns:
        Unit vectors, [..., 3]; NumPy or torch.
    """
    xp, first, last, part = promote(start, end, share)
    origin = first / norm(first)[..., None]
    angle = part * angle_between_rad(first, last)
    course = cross(cross(origin, last), origin)
    length = norm(course)
    course = course / xp.where(length > 0.0, length, xp.ones_like(length))[..., None]
    return xp.cos(angle)[..., None] * origin + xp.sin(angle)[..., None] * course
