"""Directions of users as a satellite sees them: angles off an axis and the UV plane (3GPP TR 38.821)."""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import Array, ArrayLike, promote


def sin2_between(unit_a: ArrayLike, unit_b: ArrayLike) -> Array:
    """Return the squared sine of the angle between unit vectors, c (1 - c / 4) with c = |a - b|^2.

    Keeps its precision at small angles, where 1 - (a . b)^2 cancels.

    Source: elementary: for unit vectors |a - b| = 2 sin(angle / 2), and sin^2 = 4 sin^2(angle / 2) (1 -
    sin^2(angle / 2)); NIST DLMF 4.21.28.

    Args:
        unit_a: Unit vectors, [..., n].
        unit_b: Unit vectors, [..., n].

    Returns:
        Squared sine, 0..1, [...].
    """
    xp, a, b = promote(unit_a, unit_b)
    chord2 = xp.sum((a - b) ** 2, axis=-1)
    return chord2 * (1.0 - chord2 / 4.0)


def uv_of_user(sat_ecef_m: ArrayLike, sat_velocity_ecef_m_s: ArrayLike, user_ecef_m: ArrayLike) -> Array:
    """Return the direction of a user in the UV plane of a satellite.

    u and v are the components of the unit vector to the user along track and across track (to the right of
    the flight); the nadir (towards the Earth's centre) is (0, 0), and |(u, v)| is the sine of the nadir
    angle. "Along track" is the part of the Earth-fixed velocity orthogonal to the nadir, so that a user fixed
    on the ground moves along -u and a beam along the ground track; with an inertial velocity the axes would
    be yawed by up to 4 deg.

    Source: 3GPP TR 38.821 clause 6.1.1.1 (UV plane: perpendicular to the satellite-Earth line).

    Args:
        sat_ecef_m: Position of the satellite in m, [..., 3].
        sat_velocity_ecef_m_s: Earth-fixed velocity of the satellite in m/s, [..., 3].
        user_ecef_m: Position of the user in m, on the Earth's side of the satellite, [..., 3].

    Returns:
        (u, v), dimensionless, [..., 2].
    """
    xp, satellite, velocity, user = promote(sat_ecef_m, sat_velocity_ecef_m_s, user_ecef_m)

    def unit(vector: Array) -> Array:
        return vector / xp.sqrt(xp.sum(vector * vector, axis=-1, keepdims=True))

    nadir = unit(-satellite)
    along = unit(velocity - xp.sum(velocity * nadir, axis=-1, keepdims=True) * nadir)
    direction = unit(user - satellite)
    right = xp.linalg.cross(*xp.broadcast_arrays(nadir, along))
    return xp.stack((xp.sum(direction * along, axis=-1), xp.sum(direction * right, axis=-1)), axis=-1)


def beam_spacing_uv(beamwidth_rad: ArrayLike) -> Array:
    """Return the distance of neighbouring beam centres in the UV plane, sqrt(3) sin(theta_3dB / 2).

    The half-power circles of three neighbours then meet in one point.

    Source: 3GPP TR 38.821 clause 6.1.1.1 (adjacent beam spacing).

    Args:
        beamwidth_rad: Full half-power beamwidth in rad, [...].

    Returns:
        Spacing, dimensionless, [...].
    """
    xp, width = promote(beamwidth_rad)
    return math.sqrt(3.0) * xp.sin(width / 2.0)
