"""The pattern of a uniformly lit circular aperture (3GPP TR 38.811) and its widths."""

from __future__ import annotations

import math
from typing import Any

import array_api_compat

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import SPEED_OF_LIGHT_M_S
from ntn_gym.physics.validity import refuse_non_positive

_FIRST_NULL = 3.831_705_970_207_512  # first zero of J1


def _bessel_j1(xp: Any, x: Array) -> Array:
    if array_api_compat.is_torch_namespace(xp):
        import torch  # only who passes torch tensors pays for it

        return torch.special.bessel_j1(x)
    from scipy.special import (
        j1,
    )  # late, because importing scipy.special takes longer than importing this package

    return j1(x)


def aperture_ka(diameter_m: ArrayLike, freq_hz: ArrayLike) -> Array:
    """Return the circumference of a circular aperture in wavelengths, k a = pi D f / c.

    Source: 3GPP TR 38.811 clause 6.4.1 (k = 2 pi f / c, a the radius of the aperture).

    Args:
        diameter_m: Diameter in m (TR 38.821 lists diameters, TR 38.811 writes the radius a), [...].
        freq_hz: Frequency in Hz, [...].

    Returns:
        k a, dimensionless, [...].
    """
    _, diameter, freq = promote(diameter_m, freq_hz)
    refuse_non_positive("diameter_m", diameter, "m")
    refuse_non_positive("freq_hz", freq, "Hz")
    return math.pi * diameter * freq / SPEED_OF_LIGHT_M_S


def aperture_max_gain_dbi(diameter_m: ArrayLike, freq_hz: ArrayLike, efficiency: float = 1.0) -> Array:
    """Return the gain of a circular aperture at boresight, 10 log10(efficiency (pi D / lambda)^2).

    Source: C. A. Balanis, Antenna Theory, 4th ed., section 12.5 (circular aperture, uniform distribution).

    Args:
        diameter_m: Diameter in m, [...].
        freq_hz: Frequency in Hz, [...].
        efficiency: Aperture efficiency in (0, 1].

    Returns:
        Gain in dBi, [...].
    """
    xp, ka = promote(aperture_ka(diameter_m, freq_hz))
    return 10.0 * xp.log10(efficiency * ka**2)


def aperture_gain(off_axis_rad: ArrayLike, diameter_m: ArrayLike, freq_hz: ArrayLike) -> Array:
    """Return the power pattern of a circular aperture relative to its boresight.

    1 at theta = 0; 4 |J1(k a sin theta) / (k a sin theta)|^2 for 0 < |theta| <= 90 deg. Behind the aperture,
    where the source defines nothing, the result is 0.

    Source: 3GPP TR 38.811 clause 6.4.1.

    Args:
        off_axis_rad: Angle from the boresight in rad, [...].
        diameter_m: Diameter of the aperture in m, [...].
        freq_hz: Frequency in Hz, [...].

    Returns:
        Linear gain relative to the boresight, 0..1, [...].
    """
    xp, angle, ka = promote(off_axis_rad, aperture_ka(diameter_m, freq_hz))
    x = ka * xp.sin(xp.abs(angle))
    # Below 1e-4 the quotient loses digits; 1 - x^2/4 is exact there to 1e-17.
    small = xp.abs(x) < 1e-4
    safe = xp.where(small, xp.ones_like(x), x)
    gain = xp.where(small, 1.0 - x**2 / 4.0, (2.0 * _bessel_j1(xp, safe) / safe) ** 2)
    return xp.where(xp.abs(angle) <= math.pi / 2.0, gain, xp.zeros_like(gain))


def aperture_gain_db(
    off_axis_rad: ArrayLike, diameter_m: ArrayLike, freq_hz: ArrayLike, floor_db: float = -100.0
) -> Array:
    """Return `aperture_gain` in dB, with its nulls filled up to a floor.

    Source: 3GPP TR 38.811 clause 6.4.1, in dB.

    Args:
        off_axis_rad: Angle from the boresight in rad, [...].
        diameter_m: Diameter of the aperture in m, [...].
        freq_hz: Frequency in Hz, [...].
        floor_db: Least result in dB; real antennas have no exact nulls, and an infinite loss must not leave
            here.

    Returns:
        Gain relative to the boresight in dB, `floor_db`..0, [...].
    """
    xp, gain = promote(aperture_gain(off_axis_rad, diameter_m, freq_hz))
    return 10.0 * xp.log10(xp.clip(gain, 10.0 ** (floor_db / 10.0), None))


def aperture_angle_rad(level_db: float, diameter_m: ArrayLike, freq_hz: ArrayLike) -> Array:
    """Return the angle from the boresight at which the main lobe of an aperture has fallen to a level.

    Solves 4 (J1(x) / x)^2 = 10^(level / 10) for x below the first null of J1 and returns asin(x / k a).

    Source: 3GPP TR 38.811 clause 6.4.1.

    Args:
        level_db: Level relative to the boresight in dB, below 0 and above -200.
        diameter_m: Diameter of the aperture in m, [...].
        freq_hz: Frequency in Hz, [...].

    Returns:
        Off-axis angle in rad, [...].

    Raises:
        ValueError: When the level is out of range, or the aperture is so small that its pattern never falls
            to it.
    """
    from scipy.optimize import brentq
    from scipy.special import j1

    if not -200.0 < level_db < 0.0:
        raise ValueError(f"aperture_angle_rad: level_db={level_db} must be between -200 and 0 dB")
    amplitude = 10.0 ** (level_db / 20.0)
    x = float(brentq(lambda value: 2.0 * j1(value) / value - amplitude, 1e-9, _FIRST_NULL, xtol=1e-14))
    xp, ka = promote(aperture_ka(diameter_m, freq_hz))
    if bool(xp.any(ka < x)):
        raise ValueError(
            f"aperture_angle_rad: pi D f / c = {float(xp.min(ka)):.3g} is below {x:.3g}: the beam of so "
            f"small an aperture never falls to {level_db} dB; enlarge diameter_m or raise freq_hz"
        )
    return xp.asin(x / ka)


def half_power_beamwidth_rad(diameter_m: ArrayLike, freq_hz: ArrayLike) -> Array:
    """Return the full angle between the half-power points of a circular aperture, 2 asin(1.61634 / k a).

    Source: 3GPP TR 38.811 clause 6.4.1; gives the beamwidths of 3GPP TR 38.821 tables 6.1.1.1-1 and
    6.1.1.1-2.

    Args:
        diameter_m: Diameter of the aperture in m, [...].
        freq_hz: Frequency in Hz, [...].

    Returns:
        Full 3 dB width in rad, [...].

    Raises:
        ValueError: When the aperture is too small to have half-power points (D < 0.51 wavelengths).
    """
    return 2.0 * aperture_angle_rad(10.0 * math.log10(0.5), diameter_m, freq_hz)
