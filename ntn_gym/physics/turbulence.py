"""Optical turbulence: Hufnagel-Valley profile, coherence, Rytov variance and scintillation of slant and level paths.

Heights are above the ground of the profile; the slant path is straight over a flat Earth, which holds to a
zenith angle of about 75 deg. All integrals are Gauss-Legendre rules over the height and agree with adaptive
quadrature within 1e-9.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.validity import require_range

FloatArray = NDArray[Any]

WIND_HV57_M_S = 21.0
CN2_GROUND_HV57 = 1.7e-14
"""Wind and ground level of the profile HV5/7: r0 = 5 cm and isoplanatic angle 7 urad at 0.5 um, zenith."""

_TOP_M = 60e3  # the profile is below 1e-30 of its ground value there
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(192)
_MAX_ZENITH_RAD = math.radians(75.0)


def hufnagel_valley_cn2(
    height_m: FloatArray | float, wind_m_s: FloatArray | float = WIND_HV57_M_S, ground_cn2: float = CN2_GROUND_HV57
) -> FloatArray:
    """Return the refractive-index structure parameter of the Hufnagel-Valley profile.

    0.00594 (v / 27)^2 (1e-5 h)^10 exp(-h / 1000) + 2.7e-16 exp(-h / 1500) + A exp(-h / 100).

    Source: L. C. Andrews and R. L. Phillips, Laser Beam Propagation through Random Media, 2nd ed., chapter 12;
    ITU-R P.1621-2 section 4.1 has the same form. Mid latitudes, clear sky.

    Args:
        height_m: Height above the ground in m, not negative, [...].
        wind_m_s: Root-mean-square wind at high altitude in m/s; 21 for HV5/7, [...].
        ground_cn2: A, the value at the ground in m^(-2/3); 1.7e-14 for HV5/7.

    Returns:
        Cn^2 in m^(-2/3), [...].
    """
    h = np.asarray(height_m, dtype=np.float64)
    profile: FloatArray = (
        0.00594 * np.square(np.divide(wind_m_s, 27.0)) * (1e-5 * h) ** 10 * np.exp(-h / 1000.0)
        + 2.7e-16 * np.exp(-h / 1500.0)
        + ground_cn2 * np.exp(-h / 100.0)
    )
    return profile


def _heights(low_m: FloatArray | float, high_m: FloatArray | float) -> tuple[FloatArray, FloatArray]:
    """Return nodes above `low_m` and weights, [..., n]; dense near the lower end, where the profile changes fast."""
    low = np.asarray(low_m, dtype=np.float64)[..., None]
    top = np.minimum(np.asarray(high_m, dtype=np.float64)[..., None], low + _TOP_M)
    u = 0.5 * (_NODES + 1.0)
    return (top - low) * u**4, 0.5 * _WEIGHTS * 4.0 * u**3 * (top - low)


def _check(
    wavelength_m: FloatArray | float,
    zenith_rad: FloatArray | float,
    low_m: FloatArray | float,
    high_m: FloatArray | float,
) -> None:
    require_range("zenith_rad", zenith_rad, 0.0, _MAX_ZENITH_RAD, "rad", "flat layers hold to 75 deg")
    require_range("wavelength_m", wavelength_m, 0.1e-6, 30e-6, "m", "light")
    require_range("low_m", low_m, 0.0, _TOP_M, "m")
    if not np.all(np.asarray(high_m) > np.asarray(low_m)):
        raise ValueError(f"high_m: got {high_m} m; must be above low_m = {low_m} m")


def _moment(
    order: float, low_m: FloatArray | float, high_m: FloatArray | float, wind_m_s: float, ground_cn2: float
) -> FloatArray:
    """Return the integral of Cn^2(h) (h - low)^order over the height."""
    above, weight = _heights(low_m, high_m)
    cn2 = hufnagel_valley_cn2(above + np.asarray(low_m, dtype=np.float64)[..., None], wind_m_s, ground_cn2)
    total: FloatArray = np.sum(weight * cn2 * above**order, axis=-1)
    return total


def fried_parameter_m(
    wavelength_m: FloatArray | float,
    zenith_rad: FloatArray | float = 0.0,
    low_m: FloatArray | float = 0.0,
    high_m: FloatArray | float = _TOP_M,
    wind_m_s: float = WIND_HV57_M_S,
    ground_cn2: float = CN2_GROUND_HV57,
) -> FloatArray:
    """Return Fried's coherence diameter of a plane wave, (0.423 k^2 sec(zenith) int Cn^2 dh)^(-3/5).

    Source: D. L. Fried, "Optical resolution through a randomly inhomogeneous medium", J. Opt. Soc. Am. 56, 1966;
    Andrews and Phillips, 2nd ed., chapter 12. Self check: HV5/7 gives 5 cm at 0.5 um.

    Args:
        wavelength_m: Wavelength in m, positive, [...].
        zenith_rad: Zenith angle in rad, 0 to 75 deg, [...].
        low_m: Height of the receiver in m, [...].
        high_m: Height of the source in m, above `low_m`, [...].
        wind_m_s: Wind of the profile in m/s.
        ground_cn2: Ground value of the profile in m^(-2/3).

    Returns:
        r0 in m, [...].

    Raises:
        ValueError: If the zenith angle or a height is outside its range.
    """
    _check(wavelength_m, zenith_rad, low_m, high_m)
    k2 = np.square(2.0 * math.pi / np.asarray(wavelength_m, dtype=np.float64))
    total = 0.423 * k2 / np.cos(zenith_rad) * _moment(0.0, low_m, high_m, wind_m_s, ground_cn2)
    r0: FloatArray = total**-0.6
    return r0


def isoplanatic_angle_rad(
    wavelength_m: FloatArray | float,
    zenith_rad: FloatArray | float = 0.0,
    low_m: FloatArray | float = 0.0,
    high_m: FloatArray | float = _TOP_M,
    wind_m_s: float = WIND_HV57_M_S,
    ground_cn2: float = CN2_GROUND_HV57,
) -> FloatArray:
    """Return the isoplanatic angle, (2.914 k^2 sec^(8/3)(zenith) int Cn^2 (h - h0)^(5/3) dh)^(-3/5).

    Source: D. L. Fried, "Anisoplanatism in adaptive optics", J. Opt. Soc. Am. 72, 1982; Andrews and Phillips,
    2nd ed., chapter 12. Self check: HV5/7 gives 7 urad at 0.5 um.

    Arguments, their ranges and errors are those of `fried_parameter_m`.

    Returns:
        Angle in rad, [...].
    """
    _check(wavelength_m, zenith_rad, low_m, high_m)
    k2 = np.square(2.0 * math.pi / np.asarray(wavelength_m, dtype=np.float64))
    moment = _moment(5.0 / 3.0, low_m, high_m, wind_m_s, ground_cn2)
    angle: FloatArray = (2.914 * k2 * np.cos(zenith_rad) ** (-8.0 / 3.0) * moment) ** -0.6
    return angle


def downlink_rytov_variance(
    wavelength_m: FloatArray | float,
    zenith_rad: FloatArray | float,
    low_m: FloatArray | float = 0.0,
    high_m: FloatArray | float = _TOP_M,
    wind_m_s: float = WIND_HV57_M_S,
    ground_cn2: float = CN2_GROUND_HV57,
) -> FloatArray:
    """Return the Rytov variance of a plane wave coming down, 2.25 k^(7/6) sec^(11/6) int Cn^2 (h - h0)^(5/6) dh.

    Source: Andrews and Phillips, 2nd ed., chapter 12. Weak fluctuations: below about 1.

    Arguments, their ranges and errors are those of `fried_parameter_m`; the source is far above the turbulence
    or at its top.

    Returns:
        Rytov variance, dimensionless, [...].
    """
    _check(wavelength_m, zenith_rad, low_m, high_m)
    k = 2.0 * math.pi / np.asarray(wavelength_m, dtype=np.float64)
    moment = _moment(5.0 / 6.0, low_m, high_m, wind_m_s, ground_cn2)
    variance: FloatArray = 2.25 * k ** (7.0 / 6.0) * np.cos(zenith_rad) ** (-11.0 / 6.0) * moment
    return variance


def uplink_rytov_variance(
    wavelength_m: FloatArray | float,
    zenith_rad: FloatArray | float,
    low_m: FloatArray | float,
    high_m: FloatArray | float,
    wind_m_s: float = WIND_HV57_M_S,
    ground_cn2: float = CN2_GROUND_HV57,
) -> FloatArray:
    """Return the Rytov variance of a spherical wave going up.

    2.25 k^(7/6) sec^(11/6) int Cn^2 (h - h0)^(5/6) (1 - (h - h0) / (H - h0))^(5/6) dh.

    Source: Andrews and Phillips, 2nd ed., chapter 12 (spherical wave; a beam that is narrow against the
    Fresnel zone, or wanders, scintillates otherwise).

    Arguments, their ranges and errors are those of `fried_parameter_m`, with the transmitter at `low_m` and
    the receiver at `high_m`.

    Returns:
        Rytov variance, dimensionless, [...].
    """
    _check(wavelength_m, zenith_rad, low_m, high_m)
    k = 2.0 * math.pi / np.asarray(wavelength_m, dtype=np.float64)
    above, weight = _heights(low_m, high_m)
    span = (np.asarray(high_m, dtype=np.float64) - np.asarray(low_m))[..., None]
    cn2 = hufnagel_valley_cn2(above + np.asarray(low_m, dtype=np.float64)[..., None], wind_m_s, ground_cn2)
    moment = np.sum(weight * cn2 * (above * (1.0 - above / span)) ** (5.0 / 6.0), axis=-1)
    variance: FloatArray = 2.25 * k ** (7.0 / 6.0) * np.cos(zenith_rad) ** (-11.0 / 6.0) * moment
    return variance


def horizontal_rytov_variance(
    wavelength_m: FloatArray | float, range_m: FloatArray | float, cn2: FloatArray | float, spherical: bool = False
) -> FloatArray:
    """Return the Rytov variance of a path at one height: 1.23 Cn^2 k^(7/6) L^(11/6), times 0.4 if spherical.

    Source: Andrews and Phillips, 2nd ed., chapter 8 (the rounded factors 1.23 and 0.4).

    Args:
        wavelength_m: Wavelength in m, positive, [...].
        range_m: Length L of the path in m, not negative, [...].
        cn2: Structure parameter along the path in m^(-2/3), [...].
        spherical: True for a spherical wave (a point source), false for a plane wave.

    Returns:
        Rytov variance, dimensionless, [...].
    """
    k = 2.0 * math.pi / np.asarray(wavelength_m, dtype=np.float64)
    factor = 1.23 * (0.4 if spherical else 1.0)
    variance: FloatArray = factor * np.multiply(cn2, k ** (7.0 / 6.0)) * np.asarray(range_m) ** (11.0 / 6.0)
    return variance
