"""Doppler shift and propagation delay of a link."""

from __future__ import annotations

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M, EARTH_MU_M3_S2, SPEED_OF_LIGHT_M_S


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


def propagation_delay_s(range_m: ArrayLike) -> Array:
    """Return the one-way propagation delay d / c in s.

    Source: 3GPP TR 38.811 clause 5.3 (delay of a straight path in vacuum).

    Args:
        range_m: Length of the path in m, [...].

    Returns:
        Delay in s, [...].
    """
    _, distance_m = promote(range_m)
    return distance_m / SPEED_OF_LIGHT_M_S
