"""Aperture averaging: how much less a telescope scintillates than a point, on a downlink through turbulence."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.turbulence import CN2_GROUND_HV57, WIND_HV57_M_S, hufnagel_valley_cn2
from ntn_gym.physics.validity import require_range

FloatArray = NDArray[Any]

_LOG_Q_LOW, _LOG_Q_HIGH, _N_Q = math.log(0.02), math.log(600.0), 201
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(128)
_TOP_M = 60e3


@cache
def _layer_table() -> FloatArray:
    """Return ln G of one thin layer over ln q, q = D sqrt(k / z): G(q) = g(q) / g(0).

    g(q) = int u^(-8/3) (1 - cos u^2) [2 J1(q u / 2) / (q u / 2)]^2 du. Above u = 40 the cosine averages out and the
    rest is integrated on a logarithmic grid.
    """
    from scipy.special import j1

    fine = np.concatenate((np.geomspace(1e-4, 0.5, 6000, endpoint=False), np.linspace(0.5, 40.0, 24_001)))
    coarse = np.geomspace(40.0, 1e5, 4001)
    spectrum = fine ** (-8.0 / 3.0) * 2.0 * np.sin(0.5 * fine**2) ** 2
    tail = coarse ** (-8.0 / 3.0)

    def g(q: float) -> float:
        def filtered(u: FloatArray) -> FloatArray:
            x = 0.5 * q * u
            squared: FloatArray = np.square(2.0 * j1(x) / x)
            return squared

        # The spectrum rises as u^(4/3) from 0: the part below 1e-4 is 1e-9 of the whole.
        return float(np.trapezoid(spectrum * filtered(fine), fine) + np.trapezoid(tail * filtered(coarse), coarse))

    log_q = np.linspace(_LOG_Q_LOW, _LOG_Q_HIGH, _N_Q)
    point = float(np.trapezoid(spectrum, fine)) + 0.6 * 40.0 ** (-5.0 / 3.0)
    table: FloatArray = np.log([g(math.exp(value)) / point for value in log_q])
    table.setflags(write=False)
    return table


def downlink_aperture_averaging(
    diameter_m: FloatArray | float,
    wavelength_m: float,
    zenith_rad: FloatArray | float,
    low_m: float = 0.0,
    wind_m_s: float = WIND_HV57_M_S,
    ground_cn2: float = CN2_GROUND_HV57,
) -> FloatArray:
    """Return the factor by which a telescope reduces the scintillation index of a downlink.

    The ratio of int Cn^2 dh int kappa^(-8/3) (1 - cos(kappa^2 z / k)) F(kappa D) dkappa with the aperture filter
    F = [2 J1(kappa D / 2) / (kappa D / 2)]^2 to the same without it; z = (h - h0) sec(zenith), Kolmogorov spectrum,
    plane wave, weak fluctuations. For large apertures it tends to 17.34 D^(-7/3) sec^3 int Cn^2 (h - h0)^2 dh over
    the Rytov variance. The closed form in common use (H. T. Yura and W. G. McKinley 1983), with one scale height
    for the whole profile, is up to 40 % above it at 10 cm.

    Source: V. I. Tatarskii, Wave Propagation in a Turbulent Medium, McGraw-Hill 1961, chapter 13; Andrews and
    Phillips, Laser Beam Propagation through Random Media, 2nd ed., section 10.3 and chapter 12.

    Args:
        diameter_m: Diameter D of the telescope in m, 0 to 10, [...].
        wavelength_m: Wavelength in m, positive.
        zenith_rad: Zenith angle in rad, 0 to 75 deg, [...].
        low_m: Height of the telescope in m.
        wind_m_s: Wind of the profile in m/s.
        ground_cn2: Ground value of the profile in m^(-2/3).

    Returns:
        Factor in (0, 1], [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("diameter_m", diameter_m, 0.0, 10.0, "m")
    require_range("zenith_rad", zenith_rad, 0.0, math.radians(75.0), "rad", "flat layers hold to 75 deg")
    require_range("low_m", low_m, 0.0, _TOP_M, "m")
    u = 0.5 * (_NODES + 1.0)
    above = _TOP_M * u**4
    weight = 0.5 * _WEIGHTS * u**3 * hufnagel_valley_cn2(low_m + above, wind_m_s, ground_cn2) * above ** (5.0 / 6.0)
    distance_m = above / np.cos(np.asarray(zenith_rad, dtype=np.float64))[..., None]
    q = np.asarray(diameter_m, dtype=np.float64)[..., None] * np.sqrt(2.0 * math.pi / (wavelength_m * distance_m))
    log_q = np.log(np.maximum(q, 1e-300))
    table = _layer_table()
    log_g = np.interp(log_q, np.linspace(_LOG_Q_LOW, _LOG_Q_HIGH, _N_Q), table)
    # Below the table G = 1 to 1e-3 and is joined linearly in q^(5/3); above it falls as q^(-7/3).
    log_g = np.where(log_q < _LOG_Q_LOW, table[0] * np.exp((log_q - _LOG_Q_LOW) * 5.0 / 3.0), log_g)
    log_g = np.where(log_q > _LOG_Q_HIGH, table[-1] - 7.0 / 3.0 * (log_q - _LOG_Q_HIGH), log_g)
    factor: FloatArray = np.exp(log_g) @ weight / weight.sum()
    return factor
