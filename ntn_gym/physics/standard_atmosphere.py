"""The standard atmosphere: temperature, pressure and density of dry air up to 80 km."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.validity import require_range

FloatArray = NDArray[Any]

GRAVITY_M_S2 = 9.806_65
"""Standard acceleration of gravity (SI, 3rd CGPM 1901)."""

DRY_AIR_GAS_CONSTANT_J_KG_K = 8.314_32 / 0.028_964_4
"""Specific gas constant of dry air with the constants of the U.S. Standard Atmosphere 1976, 287.053 J/kg/K."""

SEA_LEVEL_PRESSURE_PA = 101_325.0
SEA_LEVEL_TEMPERATURE_K = 288.15

_EARTH_RADIUS_M = 6_356_766.0
_BASE_M = np.array([0.0, 11e3, 20e3, 32e3, 47e3, 51e3, 71e3])
_LAPSE_K_M = np.array([-6.5e-3, 0.0, 1e-3, 2.8e-3, 0.0, -2.8e-3, -2e-3])
_SLOPE_K_M = GRAVITY_M_S2 / DRY_AIR_GAS_CONSTANT_J_KG_K


def _pressure_ratio(height_m: FloatArray, base_k: FloatArray, lapse: FloatArray) -> FloatArray:
    """Return p / p_base at a height above a layer's base, with or without a lapse rate."""
    isothermal = lapse == 0.0
    safe = np.where(isothermal, 1.0, lapse)
    power = (1.0 + np.where(isothermal, 0.0, lapse) * height_m / base_k) ** (-_SLOPE_K_M / safe)
    ratio: FloatArray = np.where(isothermal, np.exp(-_SLOPE_K_M * height_m / base_k), power)
    return ratio


def _bases() -> tuple[FloatArray, FloatArray]:
    thickness = np.diff(_BASE_M)
    temperature = SEA_LEVEL_TEMPERATURE_K + np.concatenate(([0.0], np.cumsum(_LAPSE_K_M[:-1] * thickness)))
    ratios = _pressure_ratio(thickness, temperature[:-1], _LAPSE_K_M[:-1])
    return temperature, SEA_LEVEL_PRESSURE_PA * np.concatenate(([1.0], np.cumprod(ratios)))


_BASE_K, _BASE_PA = _bases()


def geopotential_height_m(alt_m: FloatArray | float) -> FloatArray:
    """Return the geopotential height r z / (r + z), r = 6356.766 km.

    Source: U.S. Standard Atmosphere 1976 (NOAA-S/T 76-1562), equation 18.

    Args:
        alt_m: Geometric height above sea level in m, [...].

    Returns:
        Geopotential height in m, [...].
    """
    alt = np.asarray(alt_m, dtype=np.float64)
    height: FloatArray = _EARTH_RADIUS_M * alt / (_EARTH_RADIUS_M + alt)
    return height


def air_temperature_k(alt_m: FloatArray | float) -> FloatArray:
    """Return the temperature of the standard atmosphere: linear in the geopotential height, layer by layer.

    Source: U.S. Standard Atmosphere 1976, equation 23 and table 4 (to 32 km the same as ISO 2533 and ICAO).

    Args:
        alt_m: Geometric height above sea level in m, -500 to 80,000, [...].

    Returns:
        Temperature in K, [...].

    Raises:
        ValueError: If the height is outside its range.
    """
    require_range("alt_m", alt_m, -500.0, 80e3, "m")
    height = geopotential_height_m(alt_m)
    layer = np.clip(np.searchsorted(_BASE_M, height, side="right") - 1, 0, None)
    temperature: FloatArray = _BASE_K[layer] + _LAPSE_K_M[layer] * (height - _BASE_M[layer])
    return temperature


def air_pressure_pa(alt_m: FloatArray | float) -> FloatArray:
    """Return the pressure of the standard atmosphere (hydrostatic balance in each layer).

    Source: U.S. Standard Atmosphere 1976, equations 33a and 33b.

    Args:
        alt_m: Geometric height above sea level in m, -500 to 80,000, [...].

    Returns:
        Pressure in Pa, [...].

    Raises:
        ValueError: If the height is outside its range.
    """
    require_range("alt_m", alt_m, -500.0, 80e3, "m")
    height = geopotential_height_m(alt_m)
    layer = np.clip(np.searchsorted(_BASE_M, height, side="right") - 1, 0, None)
    pressure: FloatArray = _BASE_PA[layer] * _pressure_ratio(height - _BASE_M[layer], _BASE_K[layer], _LAPSE_K_M[layer])
    return pressure


def air_density_kg_m3(alt_m: FloatArray | float) -> FloatArray:
    """Return the density of the standard atmosphere, p / (R T).

    Source: U.S. Standard Atmosphere 1976, equation 42.

    Args:
        alt_m: Geometric height above sea level in m, -500 to 80,000, [...].

    Returns:
        Density in kg/m^3, [...].

    Raises:
        ValueError: If the height is outside its range.
    """
    return air_pressure_pa(alt_m) / (DRY_AIR_GAS_CONSTANT_J_KG_K * air_temperature_k(alt_m))


def altitude_of_pressure_m(pressure_pa: FloatArray | float) -> FloatArray:
    """Return the geometric height at which the standard atmosphere has a pressure.

    The inverse of `air_pressure_pa`, in closed form within each layer.

    Source: U.S. Standard Atmosphere 1976, equations 33a and 33b solved for the height.

    Args:
        pressure_pa: Pressure in Pa, 1.1 (79.8 km) to 107,000 (-450 m), [...].

    Returns:
        Height above sea level in m, [...].

    Raises:
        ValueError: If the pressure is outside its range.
    """
    require_range("pressure_pa", pressure_pa, 1.1, 107e3, "Pa")
    pressure = np.asarray(pressure_pa, dtype=np.float64)
    layer = np.clip(np.searchsorted(-_BASE_PA, -pressure, side="right") - 1, 0, None)
    base_k, lapse = _BASE_K[layer], _LAPSE_K_M[layer]
    log_ratio = np.log(pressure / _BASE_PA[layer])
    isothermal = lapse == 0.0
    safe = np.where(isothermal, 1.0, lapse)
    sloped = base_k / safe * np.expm1(-np.where(isothermal, 0.0, lapse) / _SLOPE_K_M * log_ratio)
    height = _BASE_M[layer] + np.where(isothermal, -base_k / _SLOPE_K_M * log_ratio, sloped)
    altitude: FloatArray = _EARTH_RADIUS_M * height / (_EARTH_RADIUS_M - height)
    return altitude


def speed_of_sound_m_s(alt_m: FloatArray | float) -> FloatArray:
    """Return the speed of sound in the standard atmosphere, sqrt(1.4 R T).

    Source: U.S. Standard Atmosphere 1976, equation 50.

    Args:
        alt_m: Geometric height above sea level in m, -500 to 80,000, [...].

    Returns:
        Speed in m/s, [...].

    Raises:
        ValueError: If the height is outside its range.
    """
    speed: FloatArray = np.sqrt(1.4 * DRY_AIR_GAS_CONSTANT_J_KG_K * air_temperature_k(alt_m))
    return speed
