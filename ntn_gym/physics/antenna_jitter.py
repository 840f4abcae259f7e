"""What pointing jitter costs: mean gain of a beam that wobbles, and a two-level pattern that conserves power."""

from __future__ import annotations

import math

import numpy as np

from ntn_gym.physics.antennas import aperture_gain
from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import SPEED_OF_LIGHT_M_S
from ntn_gym.physics.validity import require_range

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(256)


def gaussian_beam_mean_gain(jitter_rad: ArrayLike, beamwidth_rad: ArrayLike) -> Array:
    """Return the mean gain of a wobbling Gaussian lobe over that of a still one, 1 / (1 + 2 a sigma^2).

    The lobe is 10^(-1.2 (theta / theta_3dB)^2) = exp(-a theta^2), a = 1.2 ln 10 / theta_3dB^2 (`gaussian_gain_dbi`),
    the pointing error Rayleigh distributed: the mean of the exponential of its square in closed form.

    Source: moment-generating function of the exponential distribution of theta^2 (mean 2 sigma^2); lobe of 3GPP TR
    36.814 table A.2.1.1-2.

    Args:
        jitter_rad: Standard deviation sigma of the pointing error along one axis in rad, not negative, [...].
        beamwidth_rad: Full half-power width theta_3dB in rad, positive, [...].

    Returns:
        Mean gain relative to the boresight, in (0, 1], [...].
    """
    _, jitter, width = promote(jitter_rad, beamwidth_rad)
    return 1.0 / (1.0 + 2.4 * math.log(10.0) * (jitter / width) ** 2)


def gaussian_beam_outage_jitter_loss_db(jitter_rad: ArrayLike, beamwidth_rad: ArrayLike, outage: ArrayLike) -> Array:
    """Return the pointing loss of a Gaussian lobe that is exceeded with a probability, 12 (theta_p / theta_3dB)^2 dB.

    theta_p = sigma sqrt(-2 ln p) is exceeded with the probability p.

    Source: Rayleigh distribution of the pointing error; lobe of 3GPP TR 36.814 table A.2.1.1-2.

    Args:
        jitter_rad: Standard deviation of the pointing error along one axis in rad, [...].
        beamwidth_rad: Full half-power width in rad, positive, [...].
        outage: Probability p, in (0, 1], [...].

    Returns:
        Loss in dB, not negative, [...].
    """
    xp, jitter, width, p = promote(jitter_rad, beamwidth_rad, outage)
    return -24.0 * xp.log(p) * (jitter / width) ** 2


def aperture_mean_gain(jitter_rad: ArrayLike, diameter_m: float, freq_hz: float) -> Array:
    """Return the mean gain of a wobbling circular aperture over that of a still one.

    The integral of `antennas.aperture_gain` over the Rayleigh distribution of the pointing error, by a
    Gauss-Legendre rule of 256 points in the angle up to 9 standard deviations (or a right angle).

    Source: 3GPP TR 38.811 clause 6.4.1 (pattern); definition of the mean.

    Args:
        jitter_rad: Standard deviation of the pointing error along one axis in rad, 0 to 0.2; at most 8 first nulls of
            the pattern (beyond, the rule would be too coarse), [...].
        diameter_m: Diameter of the aperture in m.
        freq_hz: Frequency in Hz.

    Returns:
        Mean gain relative to the boresight, in (0, 1], [...].

    Raises:
        ValueError: If the jitter is outside its range.
    """
    null_rad = 3.8317 / (math.pi * diameter_m * freq_hz / SPEED_OF_LIGHT_M_S)
    require_range("jitter_rad", jitter_rad, 0.0, min(0.2, 8.0 * null_rad), "rad")
    xp, jitter = promote(jitter_rad)
    nodes = xp.asarray(0.5 * (_NODES + 1.0), dtype=jitter.dtype, device=getattr(jitter, "device", None))
    weights = xp.asarray(0.5 * _WEIGHTS, dtype=jitter.dtype, device=getattr(jitter, "device", None))
    # In units of sigma the density is x exp(-x^2 / 2): a still beam needs no special case.
    x = 9.0 * nodes
    angle = jitter[..., None] * x
    gain = aperture_gain(xp.clip(angle, None, math.pi / 2.0), diameter_m, freq_hz)
    return xp.sum(9.0 * weights * x * xp.exp(-0.5 * x**2) * gain, axis=-1)


def two_level_side_gain(main_gain: ArrayLike, half_width_rad: ArrayLike) -> Array:
    """Return the side-lobe gain of a two-level pattern that radiates all its power.

    The main lobe, a cone of half width w, covers the share s = (1 - cos w) / 2 of all directions; G_main s + G_side
    (1 - s) = 1.

    Source: definition of gain over isotropic (IEEE Std 145-2013), with the sectored pattern of T. Bai and R. W.
    Heath, IEEE Trans. Wireless Commun. 14 (2), 2015. A lossless antenna.

    Args:
        main_gain: Gain of the main lobe as a power ratio, 1 to 2 / (1 - cos w), [...].
        half_width_rad: Half width w of the main lobe in rad, in (0, pi), [...].

    Returns:
        Gain outside the main lobe as a power ratio, 0 to 1, [...].

    Raises:
        ValueError: If the main lobe would radiate more power than there is.
    """
    xp, main, width = promote(main_gain, half_width_rad)
    share = xp.sin(width / 2.0) ** 2
    require_range("main_gain x share of its cone", main * share, 0.0, 1.0, "", "more is not conserved power")
    require_range("main_gain", main, 1.0, math.inf, "")
    return (1.0 - main * share) / (1.0 - share)


def two_level_gain(off_axis_rad: ArrayLike, main_gain: ArrayLike, half_width_rad: ArrayLike) -> Array:
    """Return the gain of a two-level pattern: the main gain within the half width, the side gain outside.

    Source: as `two_level_side_gain`.

    Args:
        off_axis_rad: Angle from the boresight in rad, [...].
        main_gain: Gain of the main lobe as a power ratio, [...].
        half_width_rad: Half width of the main lobe in rad, [...].

    Returns:
        Gain over isotropic as a power ratio, [...].

    Raises:
        ValueError: As `two_level_side_gain`.
    """
    xp, angle, main, width = promote(off_axis_rad, main_gain, half_width_rad)
    return xp.where(xp.abs(angle) <= width, main, two_level_side_gain(main, width))
