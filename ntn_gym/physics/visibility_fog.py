"""Attenuation of light by haze and fog from the visibility: the models of Kruse and Kim."""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.validity import require_range

_REFERENCE_WAVELENGTH_M = 0.55e-6
_DB_PER_VISIBILITY = -10.0 * math.log10(0.02)
"""Visibility is the distance at which 2 % of the contrast (Koschmieder) or of green light remains."""


def _check(visibility_m: ArrayLike, wavelength_m: ArrayLike) -> None:
    require_range("visibility_m", visibility_m, 10.0, 1e6, "m")
    require_range("wavelength_m", wavelength_m, 0.4e-6, 2.4e-6, "m", "visible light and near infrared")


def _specific(visibility: Array, wavelength: Array, exponent: Array) -> Array:
    return _DB_PER_VISIBILITY / (visibility / 1e3) * (wavelength / _REFERENCE_WAVELENGTH_M) ** (-exponent)


def kim_attenuation_db_km(visibility_m: ArrayLike, wavelength_m: ArrayLike) -> Array:
    """Return the specific attenuation of haze and fog after Kim, (17 dB / V) (lambda / 0.55 um)^-q.

    q = 1.6 for V > 50 km, 1.3 to 6 km, 0.16 V + 0.34 to 1 km, V - 0.5 to 0.5 km, 0 below (dense fog attenuates
    all wavelengths alike), with V in km.

    Source: I. I. Kim, B. McArthur and E. Korevaar, "Comparison of laser beam propagation at 785 nm and 1550 nm
    in fog and haze for optical wireless communications", Proc. SPIE 4214, 2001.

    Args:
        visibility_m: Visibility (2 % contrast) in m, 10 to 1e6, [...].
        wavelength_m: Wavelength in m, 0.4e-6 to 2.4e-6, [...].

    Returns:
        Attenuation in dB/km, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    _check(visibility_m, wavelength_m)
    xp, visibility, wavelength = promote(visibility_m, wavelength_m)
    km = visibility / 1e3
    zero = xp.zeros_like(km)
    foggy = xp.where(km > 1.0, 0.16 * km + 0.34, xp.where(km > 0.5, km - 0.5, zero))
    exponent = xp.where(km > 50.0, zero + 1.6, xp.where(km > 6.0, zero + 1.3, foggy))
    return _specific(visibility, wavelength, exponent)


def kruse_attenuation_db_km(visibility_m: ArrayLike, wavelength_m: ArrayLike) -> Array:
    """Return the specific attenuation of haze after Kruse, (17 dB / V) (lambda / 0.55 um)^-q.

    q = 1.6 for V > 50 km, 1.3 to 6 km, 0.585 V^(1/3) below, with V in km. Below 1 km of visibility it promises
    too little attenuation at long wavelengths; `kim_attenuation_db_km` corrects that.

    Source: P. W. Kruse, L. D. McGlauchlin and R. B. McQuistan, Elements of Infrared Technology, Wiley 1962, as
    quoted by Kim et al. 2001.

    Arguments, their ranges and errors are those of `kim_attenuation_db_km`.

    Returns:
        Attenuation in dB/km, [...].
    """
    _check(visibility_m, wavelength_m)
    xp, visibility, wavelength = promote(visibility_m, wavelength_m)
    km = visibility / 1e3
    zero = xp.zeros_like(km)
    exponent = xp.where(km > 50.0, zero + 1.6, xp.where(km > 6.0, zero + 1.3, 0.585 * km ** (1.0 / 3.0)))
    return _specific(visibility, wavelength, exponent)
