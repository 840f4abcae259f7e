"""Sharing a carrier: rates of users in time division (TDMA) and frequency division (OFDMA)."""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import BOLTZMANN_J_K
from ntn_gym.physics.validity import require_range


def _check_shares(share: ArrayLike) -> None:
    require_range("share", share, 0.0, 1.0, "")
    xp, shares = promote(share)
    total = float(xp.max(xp.sum(shares, axis=-1)))
    if total > 1.0 + 1e-6:
        raise ValueError(f"share: the shares of the users add up to {total:g}; must be at most 1")


def tdma_rates_bit_s(
    received_w: ArrayLike, share: ArrayLike, bandwidth_hz: float, temperature_k: float = 290.0, factor: float = 1.0
) -> Array:
    """Return the rates of users that take turns on the whole band, tau_i B log2(1 + P_i / (k T B)).

    Source: T. M. Cover and J. A. Thomas, Elements of Information Theory, 2nd ed., section 15.3, with the power
    limited in each slot (not on average over the frame).

    Args:
        received_w: Received power of each user while it has the channel in W, not negative, [..., U].
        share: Share of the time tau_i, in [0, 1], at most 1 in sum, [..., U].
        bandwidth_hz: Bandwidth B in Hz.
        temperature_k: Noise temperature of the receiver in K.
        factor: Attenuation of the Shannon bound, in (0, 1].

    Returns:
        Rates in bit/s, [..., U].

    Raises:
        ValueError: If a share is outside [0, 1] or the shares add up to more than 1.
    """
    _check_shares(share)
    xp, power, tau = promote(received_w, share)
    noise_w = BOLTZMANN_J_K * temperature_k * bandwidth_hz
    return (factor * bandwidth_hz / math.log(2.0)) * tau * xp.log1p(power / noise_w)


def ofdma_rates_bit_s(
    received_w: ArrayLike, share: ArrayLike, bandwidth_hz: float, temperature_k: float = 290.0, factor: float = 1.0
) -> Array:
    """Return the rates of users on parts of the band at the same time, b_i B log2(1 + P_i / (k T b_i B)).

    Each user puts all its power on its part: right for an uplink, or a downlink whose powers P_i were allotted.

    Source: Cover and Thomas, 2nd ed., section 15.3 (frequency division).

    Args:
        received_w: Received power of each user in W, not negative, [..., U].
        share: Share of the band b_i, in [0, 1], at most 1 in sum, [..., U].
        bandwidth_hz: Bandwidth B in Hz.
        temperature_k: Noise temperature of the receiver in K.
        factor: Attenuation of the Shannon bound, in (0, 1].

    Returns:
        Rates in bit/s, [..., U]; zero for a share of zero.

    Raises:
        ValueError: If a share is outside [0, 1] or the shares add up to more than 1.
    """
    _check_shares(share)
    xp, power, part = promote(received_w, share)
    noise_w = BOLTZMANN_J_K * temperature_k * bandwidth_hz
    safe = xp.where(part > 0.0, part, xp.ones_like(part))
    return (factor * bandwidth_hz / math.log(2.0)) * part * xp.log1p(power / (noise_w * safe))


def jain_fairness(rates: ArrayLike) -> Array:
    """Return Jain's fairness index, (sum x)^2 / (n sum x^2): 1 if all are equal, 1/n if one has everything.

    Source: R. Jain, D. Chiu and W. Hawe, DEC Research Report TR-301, 1984.

    Args:
        rates: Non-negative allotments, not all zero, [..., U].

    Returns:
        Index in [1/U, 1], [...].
    """
    xp, x = promote(rates)
    return xp.sum(x, axis=-1) ** 2 / (x.shape[-1] * xp.sum(x**2, axis=-1))
