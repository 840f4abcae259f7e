"""Doppler shift, its rate of change, and propagation delay of a link."""

from __future__ import annotations

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M, EARTH_MU_M3_S2, EARTH_ROTATION_RAD_S, SPEED_OF_LIGHT_M_S
from ntn_gym.physics.validity import refuse_negative, refuse_non_positive


def doppler_hz(range_rate_m_s: ArrayLike, freq_hz: ArrayLike) -> Array:
    """Return the Doppler shift -f v_r / c of a received carrier in Hz; positive while the nodes approach.

    First order in v/c (3GPP TR 38.811 clause 5.3): at 7.6 km/s the neglected term is 3e-10 of the carrier.

    Args:
        range_rate_m_s: Rate of change of the distance in m/s, positive when it grows, [...].
        freq_hz: Carrier frequency in Hz, [...].

    Returns:
        Shift in Hz, [...].
    """
    _, range_rate, frequency = promote(range_rate_m_s, freq_hz)
    return -frequency * range_rate / SPEED_OF_LIGHT_M_S


def max_doppler_ppm(alt_m: ArrayLike, elev_rad: ArrayLike) -> Array:
    """Return the largest Doppler shift at an elevation, (v / c) R / (R + h) cos(elevation), in 1e-6.

    It is reached when the satellite flies in the vertical plane of the user, who stands still on a sphere
    that does not rotate; v = sqrt(mu / (R + h)) is the speed on a circular orbit.

    Source: 3GPP TR 38.811 clauses 6.7.1 and 6.9.2.

    Args:
        alt_m: Altitude of the orbit in m, [...].
        elev_rad: Elevation in rad, 0 to pi/2, [...].

    Returns:
        Shift over carrier frequency in 1e-6, not negative, [...].
    """
    xp, altitude_m, elevation = promote(alt_m, elev_rad)
    orbit_radius_m = EARTH_MEAN_RADIUS_M + altitude_m
    speed_m_s = xp.sqrt(EARTH_MU_M3_S2 / orbit_radius_m)
    return 1e6 * speed_m_s / SPEED_OF_LIGHT_M_S * EARTH_MEAN_RADIUS_M / orbit_radius_m * xp.cos(elevation)


def range_acceleration_m_s2(
    relative_position_m: ArrayLike, relative_velocity_m_s: ArrayLike, relative_acceleration_m_s2: ArrayLike
) -> Array:
    """Return the second time derivative of a distance, (|v|^2 + d . a - (d . v / |d|)^2) / |d|.

    In Earth-fixed axes the acceleration includes the centrifugal and Coriolis terms (`two_body_acceleration_m_s2`).

    Source: derivative of the range rate (d . v) / |d|; O. Montenbruck and E. Gill, Satellite Orbits, section 6.2.

    Args:
        relative_position_m: Position of the target minus that of the observer in m, [..., 3], not zero.
        relative_velocity_m_s: Velocity of the target minus that of the observer in m/s, same axes, [..., 3].
        relative_acceleration_m_s2: Acceleration, likewise, in m/s^2, [..., 3].

    Returns:
        Range acceleration in m/s^2, [...].
    """
    xp, line, velocity, acceleration = promote(relative_position_m, relative_velocity_m_s, relative_acceleration_m_s2)
    distance_m = xp.sqrt(xp.sum(line * line, axis=-1))
    range_rate = xp.sum(line * velocity, axis=-1) / distance_m
    numerator = xp.sum(velocity * velocity, axis=-1) + xp.sum(line * acceleration, axis=-1) - range_rate**2
    return numerator / distance_m


def two_body_acceleration_m_s2(position_ecef_m: ArrayLike, velocity_ecef_m_s: ArrayLike) -> Array:
    """Return the acceleration of a satellite in Earth-fixed axes: central gravity, centrifugal and Coriolis terms.

    a = -mu r / |r|^3 - omega x (omega x r) - 2 omega x v. Neglected: the oblateness (1e-3 of gravity), drag.

    Source: Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., equations 1-14 and 3-22.

    Args:
        position_ecef_m: ECEF position in m, [..., 3].
        velocity_ecef_m_s: Velocity relative to the rotating Earth in m/s, [..., 3].

    Returns:
        Acceleration relative to the rotating Earth in m/s^2, [..., 3].
    """
    xp, position, velocity = promote(position_ecef_m, velocity_ecef_m_s)
    radius_m = xp.sqrt(xp.sum(position * position, axis=-1))
    gravity = -EARTH_MU_M3_S2 / radius_m**3
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    spin = EARTH_ROTATION_RAD_S
    ax = (gravity + spin**2) * x + 2.0 * spin * velocity[..., 1]
    ay = (gravity + spin**2) * y - 2.0 * spin * velocity[..., 0]
    return xp.stack(xp.broadcast_arrays(ax, ay, gravity * z), axis=-1)


def doppler_rate_hz_s(range_acceleration: ArrayLike, freq_hz: ArrayLike) -> Array:
    """Return the rate of change of the Doppler shift, -f (d^2 range / dt^2) / c, in Hz/s.

    Source: time derivative of the shift of 3GPP TR 38.811 clause 5.3 (first order in v/c).

    Args:
        range_acceleration: Second derivative of the distance in m/s^2, [...].
        freq_hz: Carrier frequency in Hz, [...].

    Returns:
        Rate in Hz/s, [...].
    """
    _, acceleration, frequency = promote(range_acceleration, freq_hz)
    return -frequency * acceleration / SPEED_OF_LIGHT_M_S


def max_doppler_rate_ppm_s(alt_m: ArrayLike) -> Array:
    """Return the largest rate of the Doppler shift of a satellite, in 1e-6/s: overhead, in the plane of the user.

    There the range rate is zero and the range acceleration is v^2 R / ((R + h) h), with a user at rest on a sphere
    that does not rotate: |f'| / f = v^2 R / (c (R + h) h).

    Source: second derivative of the law of cosines at the culmination. It gives 0.291 and 0.123 ppm/s at 600 and 1200
    km, where 3GPP TR 38.821 Table 4.2-2 states 0.27 and 0.13 without a formula.

    Args:
        alt_m: Altitude of the orbit in m, positive, [...].

    Returns:
        Rate over carrier frequency in 1e-6/s, positive, [...].
    """
    _, altitude_m = promote(alt_m)
    refuse_non_positive("alt_m", altitude_m, "m")
    orbit_radius_m = EARTH_MEAN_RADIUS_M + altitude_m
    speed2 = EARTH_MU_M3_S2 / orbit_radius_m
    return 1e6 * speed2 * EARTH_MEAN_RADIUS_M / (orbit_radius_m * altitude_m * SPEED_OF_LIGHT_M_S)


def propagation_delay_s(range_m: ArrayLike) -> Array:
    """Return the one-way propagation delay d / c in s.

    Source: 3GPP TR 38.811 clause 5.3 (delay of a straight path in vacuum).

    Args:
        range_m: Length of the path in m, [...].

    Returns:
        Delay in s, [...].

    Raises:
        ValueError: If a length is negative.
    """
    _, distance_m = promote(range_m)
    refuse_negative("range_m", distance_m, "m")
    return distance_m / SPEED_OF_LIGHT_M_S
