"""Absorption by oxygen and water vapour (ITU-R P.676-12), for frequencies of 1 to 350 GHz.

Specific attenuation is the sum over the spectral lines of Annex 1; the zenith attenuation multiplies it by
the equivalent heights of Annex 2; a slant path divides by the sine of the elevation (5 to 90 deg). Against
the layer-by-layer integral of Annex 1 this stays within 7 % below 50 GHz for the standard atmosphere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.data import read_json
from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.validity import refuse_non_positive, require_range

FloatArray = NDArray[Any]

STANDARD_DRY_PRESSURE_HPA = 1013.25
STANDARD_TEMPERATURE_K = 288.15
STANDARD_VAPOUR_DENSITY_G_M3 = 7.5

# Reference conditions of Annex 2 section 2.3 (attenuation from the integrated water vapour).
_VAPOUR_REFERENCE_GHZ = 20.6
_VAPOUR_REFERENCE_HPA = 845.0


@dataclass(frozen=True)
class _Lines:
    """Columns of the tables of P.676-12."""

    oxygen: tuple[FloatArray, ...]
    vapour: tuple[FloatArray, ...]
    oxygen_height: tuple[FloatArray, ...]
    vapour_height: tuple[FloatArray, ...]


@cache
def _lines() -> _Lines:
    table = read_json("tables/p676_12.json")

    def columns(name: str) -> tuple[FloatArray, ...]:
        return tuple(np.asarray(table[name], dtype=np.float64).T)

    return _Lines(
        columns("oxygen_lines"),
        columns("water_vapour_lines"),
        columns("oxygen_height_lines"),
        columns("water_vapour_height_lines"),
    )


def vapour_pressure_hpa(vapour_density_g_m3: FloatArray | float, temperature_k: FloatArray | float) -> FloatArray:
    """Return the partial pressure of water vapour rho T / 216.7 in hPa (P.676-12 equation 4).

    Args:
        vapour_density_g_m3: Water vapour density in g/m^3, [...].
        temperature_k: Temperature in K, [...].

    Returns:
        Pressure in hPa, [...].
    """
    pressure: FloatArray = np.multiply(vapour_density_g_m3, temperature_k) / 216.7
    return pressure


def standard_pressure_hpa(alt_m: FloatArray | float) -> FloatArray:
    """Return the pressure of the mean annual global reference atmosphere in hPa.

    Source: ITU-R P.835-6, Annex 1, equation for geopotential heights of 0 to 11 km.

    Args:
        alt_m: Height above sea level in m, 0 to 11,000, [...].

    Returns:
        Pressure in hPa, [...].
    """
    geopotential_km = np.asarray(alt_m) / 1e3
    geopotential_km = 6356.766 * geopotential_km / (6356.766 + geopotential_km)
    pressure: FloatArray = 1013.25 * (288.15 / (288.15 - 6.5 * geopotential_km)) ** (-34.1632 / 6.5)
    return pressure


def specific_attenuation_db_km(
    freq_hz: FloatArray | float,
    dry_pressure_hpa: FloatArray | float = STANDARD_DRY_PRESSURE_HPA,
    temperature_k: FloatArray | float = STANDARD_TEMPERATURE_K,
    vapour_density_g_m3: FloatArray | float = STANDARD_VAPOUR_DENSITY_G_M3,
) -> tuple[FloatArray, FloatArray]:
    """Return the specific attenuation of oxygen (with dry-air continuum) and of water vapour.

    gamma = 0.1820 f N''(f), with N'' the sum of line strength times line shape (P.676-12 Annex 1, equations 1
    to 9).

    Args:
        freq_hz: Frequency in Hz, 1e9 to 1e12, [...].
        dry_pressure_hpa: Pressure of the dry air in hPa, [...].
        temperature_k: Temperature in K, [...].
        vapour_density_g_m3: Water vapour density in g/m^3, [...].

    Returns:
        Oxygen and water vapour in dB/km, each [...].
    """
    require_range("freq_hz", freq_hz, 1e9, 1e12, "Hz", "ITU-R P.676 Annex 1")
    f = np.asarray(freq_hz, dtype=np.float64)[..., None] / 1e9
    p = np.asarray(dry_pressure_hpa, dtype=np.float64)[..., None]
    t = np.asarray(temperature_k, dtype=np.float64)[..., None]
    theta = 300.0 / t
    e = vapour_pressure_hpa(np.asarray(vapour_density_g_m3, dtype=np.float64)[..., None], t)

    f0, a1, a2, a3, a4, a5, a6 = _lines().oxygen
    width = a3 * 1e-4 * (p * theta ** (0.8 - a4) + 1.1 * e * theta)
    width = np.sqrt(width**2 + 2.25e-6)  # Zeeman splitting
    interference = (a5 + a6 * theta) * 1e-4 * (p + e) * theta**0.8
    strength = a1 * 1e-7 * p * theta**3 * np.exp(a2 * (1.0 - theta))
    shape = (width - interference * (f0 - f)) / ((f0 - f) ** 2 + width**2)
    shape = shape + (width - interference * (f0 + f)) / ((f0 + f) ** 2 + width**2)
    debye = 5.6e-4 * (p + e) * theta**0.8
    continuum = f * p * theta**2
    continuum = continuum * (
        6.14e-5 / (debye * (1.0 + (f / debye) ** 2)) + 1.4e-12 * p * theta**1.5 / (1.0 + 1.9e-5 * f**1.5)
    )
    oxygen = (strength * shape * f / f0).sum(axis=-1) + continuum[..., 0]

    f0, b1, b2, b3, b4, b5, b6 = _lines().vapour
    width = b3 * 1e-4 * (p * theta**b4 + b5 * e * theta**b6)
    width = 0.535 * width + np.sqrt(0.217 * width**2 + 2.1316e-12 * f0**2 / theta)  # Doppler broadening
    strength = b1 * 1e-1 * e * theta**3.5 * np.exp(b2 * (1.0 - theta))
    shape = width / ((f0 - f) ** 2 + width**2) + width / ((f0 + f) ** 2 + width**2)
    vapour = (strength * shape * f / f0).sum(axis=-1)

    scale = 0.1820 * f[..., 0]
    return scale * oxygen, scale * vapour


def equivalent_heights_km(
    freq_hz: FloatArray | float,
    dry_pressure_hpa: FloatArray | float = STANDARD_DRY_PRESSURE_HPA,
    temperature_k: FloatArray | float = STANDARD_TEMPERATURE_K,
    vapour_density_g_m3: FloatArray | float = STANDARD_VAPOUR_DENSITY_G_M3,
) -> tuple[FloatArray, FloatArray]:
    """Return the equivalent heights of oxygen and of water vapour: zenith attenuation = specific x height.

    Source: P.676-12 Annex 2, equations 30 to 38, with Tables 3 and 4.

    Args:
        freq_hz: Frequency in Hz, 1e9 to 350e9, [...].
        dry_pressure_hpa: Pressure of the dry air at the surface in hPa, [...].
        temperature_k: Temperature at the surface in K, [...].
        vapour_density_g_m3: Water vapour density at the surface in g/m^3, [...].

    Returns:
        Heights of oxygen and water vapour in km, each [...].
    """
    require_range("freq_hz", freq_hz, 1e9, 350e9, "Hz", "ITU-R P.676 Annex 2")
    f = np.asarray(freq_hz, dtype=np.float64) / 1e9
    rho = np.asarray(vapour_density_g_m3, dtype=np.float64)
    celsius = np.asarray(temperature_k, dtype=np.float64) - 273.15
    rp = (np.asarray(dry_pressure_hpa) + vapour_pressure_hpa(rho, celsius + 273.15)) / 1013.25

    c, fi = _lines().oxygen_height
    t1 = 5.1040 / (1.0 + 0.066 * rp**-2.3) * np.exp(-(((f - 59.7) / (2.87 + 12.4 * np.exp(-7.9 * rp))) ** 2))
    scale = np.exp(2.12 * rp)[..., None]
    t2 = (c * scale / ((f[..., None] - fi) ** 2 + 0.025 * np.exp(2.2 * rp)[..., None])).sum(axis=-1)
    t3 = 0.0114 * f / (1.0 + 0.14 * rp**-2.6)
    t3 = t3 * (15.02 * f**2 - 1353.0 * f + 5.333e4) / (f**3 - 151.3 * f**2 + 9629.0 * f - 6803.0)
    oxygen = 6.1 * (0.7832 + 0.00709 * celsius) / (1.0 + 0.17 * rp**-1.1) * (1.0 + t1 + t2 + t3)
    oxygen = np.where(f < 70.0, np.minimum(oxygen, 10.7 * rp**0.3), oxygen)

    fi, a, b = _lines().vapour_height
    sigma = (1.013 / (1.0 + np.exp(-8.6 * (rp - 0.57))))[..., None]
    resonances = (a * sigma / ((f[..., None] - fi) ** 2 + b * sigma)).sum(axis=-1)
    vapour = 1.9298 - 0.04166 * celsius + 0.0517 * rho
    vapour = vapour + (1.1674 - 0.00622 * celsius + 0.0063 * rho) * resonances
    return oxygen, vapour


def zenith_gas_attenuation_db(
    freq_hz: FloatArray | float,
    dry_pressure_hpa: FloatArray | float = STANDARD_DRY_PRESSURE_HPA,
    temperature_k: FloatArray | float = STANDARD_TEMPERATURE_K,
    vapour_density_g_m3: FloatArray | float = STANDARD_VAPOUR_DENSITY_G_M3,
) -> FloatArray:
    """Return the gaseous attenuation towards the zenith from conditions at the surface.

    Source: P.676-12 Annex 2 section 2.2. The defaults are the conditions of 3GPP TR 38.811 clause 6.6.4.

    Args:
        freq_hz: Frequency in Hz, 1e9 to 350e9, [...].
        dry_pressure_hpa: Pressure of the dry air at the surface in hPa, [...].
        temperature_k: Temperature at the surface in K, [...].
        vapour_density_g_m3: Water vapour density at the surface in g/m^3, [...].

    Returns:
        Attenuation in dB, [...].
    """
    oxygen, vapour = specific_attenuation_db_km(freq_hz, dry_pressure_hpa, temperature_k, vapour_density_g_m3)
    h_oxygen, h_vapour = equivalent_heights_km(freq_hz, dry_pressure_hpa, temperature_k, vapour_density_g_m3)
    zenith_db: FloatArray = oxygen * h_oxygen + vapour * h_vapour
    return zenith_db


def zenith_vapour_attenuation_db(
    freq_hz: FloatArray | float, vapour_kg_m2: FloatArray | float, alt_m: FloatArray | float
) -> FloatArray:
    """Return the zenith attenuation of water vapour from the integrated vapour content.

    Source: P.676-12 Annex 2 section 2.3: 0.0176 V gamma_w(f) / gamma_w(20.6 GHz) at reference conditions,
    times a correction for the height of the site (0 to 4 km) from 20 GHz on.

    Args:
        freq_hz: Frequency in Hz, 1e9 to 350e9, [...].
        vapour_kg_m2: Integrated water vapour in kg/m^2 (mm), positive, at the wanted exceedance (ITU-R
            P.836), [...].
        alt_m: Height of the site above sea level in m, [...].

    Returns:
        Attenuation in dB, [...].
    """
    f = np.asarray(freq_hz, dtype=np.float64) / 1e9
    vapour = np.asarray(vapour_kg_m2, dtype=np.float64)
    density = vapour / 2.38
    temperature_k = 14.0 * np.log(0.22 * density) + 3.0 + 273.15
    _, at_frequency = specific_attenuation_db_km(f * 1e9, _VAPOUR_REFERENCE_HPA, temperature_k, density)
    _, at_reference = specific_attenuation_db_km(
        _VAPOUR_REFERENCE_GHZ * 1e9, _VAPOUR_REFERENCE_HPA, temperature_k, density
    )
    a = 0.2048 * np.exp(-(((f - 22.43) / 3.097) ** 2)) + 0.2326 * np.exp(-(((f - 183.5) / 4.096) ** 2))
    a = a + 0.2073 * np.exp(-(((f - 325.0) / 3.651) ** 2)) - 0.1113
    # The correction starts at 20 GHz; far below, its exponent would overflow at sites above 1 km.
    used = np.maximum(f, 20.0)
    b = 8.741e4 * np.exp(-0.587 * used) + 312.2 * used**-2.38 + 0.723
    height_km = np.clip(np.asarray(alt_m) / 1e3, 0.0, 4.0)
    height_factor = np.where(f < 20.0, 1.0, a * height_km**b + 1.0)
    attenuation: FloatArray = 0.0176 * vapour * at_frequency / at_reference * height_factor
    return attenuation


def slant_gas_attenuation_db(zenith_db: ArrayLike, elev_rad: ArrayLike) -> Array:
    """Return the attenuation on a slant path, zenith attenuation / sin(elevation), in dB.

    Source: P.676-12 Annex 2 section 2.2.1 (flat layers; valid from 5 to 90 deg of elevation).

    Args:
        zenith_db: Zenith attenuation in dB, [...].
        elev_rad: Elevation in rad, at least 5 deg, [...].

    Returns:
        Attenuation in dB, [...].
    """
    xp, zenith, elevation = promote(zenith_db, elev_rad)
    refuse_non_positive("elev_rad", elevation, "rad")
    return zenith / xp.sin(elevation)


def tr38811_gas_attenuation_db(freq_hz: float, elev_rad: ArrayLike) -> Array:
    """Return the atmospheric absorption as 3GPP TR 38.811 applies it.

    A zenith attenuation for 288.15 K, 1013.25 hPa and 7.5 g/m^3, with the cosecant law; only above 10 GHz at
    any elevation, or above 1 GHz below 10 deg of elevation, and zero otherwise.

    Source: 3GPP TR 38.811 V15.4.0, clause 6.6.4. (The link budgets of TR 38.821 include the term at 2 GHz,
    too; for them use `slant_gas_attenuation_db`.)

    Args:
        freq_hz: Carrier frequency in Hz, 0.5e9 to 100e9.
        elev_rad: Elevation in rad, at least 5 deg, [...].

    Returns:
        Attenuation in dB, [...].
    """
    xp, elevation = promote(elev_rad)
    if freq_hz <= 1e9:
        return xp.zeros_like(elevation)
    attenuation = slant_gas_attenuation_db(float(zenith_gas_attenuation_db(freq_hz)), elevation)
    if freq_hz > 10e9:
        return attenuation
    return xp.where(elevation < np.radians(10.0), attenuation, xp.zeros_like(attenuation))
