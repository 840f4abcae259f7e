"""Which platform serves a user: who may serve, and the rules by which one of them is chosen.

Masks combine with `&`. Positions are [..., 3] for users and [..., n, 3] for platforms (for several users of one sky
give the users a last axis and the platforms an axis of 1 before theirs); NaN positions, places without a point, never
qualify. All functions take NumPy arrays or torch tensors.
"""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import SPEED_OF_LIGHT_M_S
from ntn_gym.physics.stochastic.checks import require_positive, require_range
from ntn_gym.physics.stochastic.sphere import angle_between_rad, norm

NO_PLATFORM = -1
"""Index returned where no platform may serve."""


def above_horizon(user_m: ArrayLike, platform_m: ArrayLike, min_elev_rad: float = 0.0) -> Array:
    """Return which platforms a user sees above a smallest elevation (spherical Earth).

    The zenith angle, between the user's direction from the Earth's centre and the direction to the platform, is at most
    pi/2 - elevation.

    Source: WKA section III-A (first condition: above the horizon) and III-B1 (zenith angle).

    Args:
        user_m: Positions of users in Earth-centred axes in m, [..., 3].
        platform_m: Positions of platforms in m, [..., n, 3].
        min_elev_rad: Smallest elevation in rad in [-pi/2, pi/2].

    Returns:
        True for the visible platforms, [..., n].

    Raises:
        ValueError: If the elevation is outside its range.
    """
    require_range("min_elev_rad", min_elev_rad, -math.pi / 2.0, math.pi / 2.0, "rad")
    _, user, platform = promote(user_m, platform_m)
    zenith = user[..., None, :]
    return angle_between_rad(zenith, platform - zenith) <= math.pi / 2.0 - min_elev_rad


def within_beam(
    user_m: ArrayLike, platform_m: ArrayLike, half_angle_rad: float, boresight: ArrayLike | None = None
) -> Array:
    """Return which platforms have the user inside their beam.

    The angle at the platform between the boresight and the direction to the user is at most the beam's half angle (of
    the main lobe, or to half power).

    Source: WKA section III-A (second condition) and IV-C3 (beams to the sub-satellite point).

    Args:
        user_m: Positions of users in Earth-centred axes in m, [..., 3].
        platform_m: Positions of platforms in m, [..., n, 3].
        half_angle_rad: Angle from the boresight to the edge of the beam in rad in [0, pi].
        boresight: Directions of the beams, not zero, [..., n, 3]; None for the nadir.

    Returns:
        True for the platforms whose beam holds the user, [..., n].

    Raises:
        ValueError: If the half angle is outside its range.
    """
    require_range("half_angle_rad", half_angle_rad, 0.0, math.pi, "rad")
    _, user, platform = promote(user_m, platform_m)
    axis = -platform if boresight is None else boresight
    return angle_between_rad(axis, user[..., None, :] - platform) <= half_angle_rad


def within_distance(user_m: ArrayLike, platform_m: ArrayLike, max_distance_m: float) -> Array:
    """Return which platforms are within the reliable distance of a user.

    Source: WKA section III-A (third condition: maximum reliable distance).

    Args:
        user_m: Positions of users in m, [..., 3].
        platform_m: Positions of platforms in the same axes in m, [..., n, 3].
        max_distance_m: Largest distance in m, > 0.

    Returns:
        True for the platforms within reach, [..., n].

    Raises:
        ValueError: If the distance is not positive.
    """
    require_positive("max_distance_m", max_distance_m, "m")
    _, user, platform = promote(user_m, platform_m)
    return norm(platform - user[..., None, :]) <= max_distance_m


def mean_received_power_dbw(
    distance_m: ArrayLike,
    eirp_dbw: ArrayLike,
    freq_hz: ArrayLike,
    rx_gain_dbi: ArrayLike = 0.0,
    exponent: ArrayLike = 2.0,
    extra_loss_db: ArrayLike = 0.0,
) -> Array:
    """Return the mean received power, EIRP G_r (c / 4 pi f)^2 d^-alpha / loss.

    Source: WKA section IV-A, equations 18 to 20 without small-scale fading; Table VII prints the additional attenuation
    with the sign of a gain (-2 dB), here a loss is positive.

    Args:
        distance_m: Distance in m, > 0, [...].
        eirp_dbw: EIRP towards the user in dBW, [...].
        freq_hz: Carrier frequency in Hz, > 0, [...].
        rx_gain_dbi: Gain of the user's antenna in dBi, [...].
        exponent: Path-loss exponent alpha, [...].
        extra_loss_db: Additional attenuation in dB, [...].

    Returns:
        Power in dBW, [...].
    """
    xp, distance, eirp, freq, gain, alpha, loss = promote(
        distance_m, eirp_dbw, freq_hz, rx_gain_dbi, exponent, extra_loss_db
    )
    intercept_db = 20.0 * math.log10(SPEED_OF_LIGHT_M_S / (4.0 * math.pi)) - 20.0 * xp.log10(freq)
    return eirp + gain - loss + intercept_db - 10.0 * alpha * xp.log10(distance)


def associate_nearest(distance_m: ArrayLike, eligible: Array) -> Array:
    """Return the nearest platform that may serve.

    In a dual-hop relay the distances are those to the transmitter (transmitter-end association) or to the receiver, and
    the eligible platforms those that both ends see.

    Source: WKA section III-A (cellular network of one tier).

    Args:
        distance_m: Distances in m, [..., n]; those of places that may not serve are not used.
        eligible: True for the platforms that may serve, [..., n].

    Returns:
        Index of the platform, [...]; -1 where none may serve.
    """
    return least_eligible(distance_m, eligible)


def associate_strongest(mean_power_dbw: ArrayLike, eligible: Array) -> Array:
    """Return the platform of the largest mean received power that may serve, across tiers.

    Source: WKA section III-A (maximum average received power; multi-tier networks).

    Args:
        mean_power_dbw: Mean received powers in dBW, [..., n]; see `mean_received_power_dbw` and `points.join`.
        eligible: True for the platforms that may serve, [..., n].

    Returns:
        Index of the platform, [...]; -1 where none may serve.
    """
    _, power = promote(mean_power_dbw)
    return least_eligible(-power, eligible)


def associate_random(uniform: ArrayLike, eligible: Array) -> Array:
    """Return a random one of the platforms that may serve, each with the same probability.

    The floor(u m)-th of the m eligible platforms.

    Source: WKA section III-A (cell-free network: random association).

    Args:
        uniform: Uniform random numbers in [0, 1], [...].
        eligible: True for the platforms that may serve, [..., n].

    Returns:
        Index of the platform, [...]; -1 where none may serve.

    Raises:
        ValueError: If a random number is outside its range.
    """
    xp, u = promote(uniform)
    require_range("uniform", u, 0.0, 1.0)
    rank = xp.cumulative_sum(xp.astype(eligible, xp.int64), axis=-1)
    total = rank[..., -1]
    # A number of exactly 1 belongs to the last.
    wanted = xp.minimum(xp.astype(xp.floor(u * xp.astype(total, u.dtype)), xp.int64), total - 1)
    chosen = xp.argmax(xp.astype(eligible & (rank == wanted[..., None] + 1), xp.int64), axis=-1)
    return xp.where(total > 0, chosen, xp.full_like(chosen, NO_PLATFORM))


def least_eligible(cost: ArrayLike, eligible: Array) -> Array:
    """Return the index of the smallest cost among those that qualify.

    Source: WKA section III-C (the association rules take the least of a cost among eligible platforms).

    Args:
        cost: Costs, [..., n]; those that do not qualify are not used and may be NaN.
        eligible: True for those that qualify, [..., n].

    Returns:
        Index, [...]; -1 where none qualifies.
    """
    xp, value = promote(cost)
    index = xp.argmin(xp.where(eligible, value, xp.full_like(value, math.inf)), axis=-1)
    return xp.where(xp.any(eligible, axis=-1), index, xp.full_like(index, NO_PLATFORM))
