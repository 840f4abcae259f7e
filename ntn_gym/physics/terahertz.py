"""Molecular absorption of sub-terahertz links through the upper air, from the spectral lines of ITU-R P.676."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.physics.gases import specific_attenuation_db_km, vapour_pressure_hpa
from ntn_gym.physics.standard_atmosphere import air_pressure_pa, air_temperature_k
from ntn_gym.physics.validity import require_range

FloatArray = NDArray[Any]

_LEAST_MIXING_RATIO = 2e-6
"""ITU-R P.835-6: the partial pressure of water vapour does not fall below 2e-6 of the total pressure."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


def standard_vapour_density_g_m3(alt_m: FloatArray | float, surface_g_m3: float = 7.5) -> FloatArray:
    """Return the water vapour density of the mean annual global reference atmosphere.

    rho_0 exp(-h / 2 km), and a constant mixing ratio e / p = 2e-6 where that is more (from about 23 km).

    Source: Recommendation ITU-R P.835-6, Annex 1, section 1.2.

    Args:
        alt_m: Height above sea level in m, 0 to 80,000, [...].
        surface_g_m3: Density at the surface rho_0 in g/m^3.

    Returns:
        Density in g/m^3, [...].

    Raises:
        ValueError: If the height is outside its range.
    """
    require_range("alt_m", alt_m, 0.0, 80e3, "m")
    falling = surface_g_m3 * np.exp(-np.asarray(alt_m, dtype=np.float64) / 2e3)
    least = _LEAST_MIXING_RATIO * air_pressure_pa(alt_m) / 100.0 * 216.7 / air_temperature_k(alt_m)
    density: FloatArray = np.maximum(falling, least)
    return density


def molecular_absorption_db_km(
    freq_hz: FloatArray | float, alt_m: FloatArray | float, surface_vapour_g_m3: float = 7.5
) -> FloatArray:
    """Return the specific attenuation of the standard air at a height, oxygen and water vapour.

    Source: Recommendation ITU-R P.676-12, Annex 1, in the standard atmosphere (dry pressure: total less vapour).
    Below 1 THz. Above 40 km the Doppler width, which the line shapes hardly have, exceeds the pressure width: there
    the loss between the lines, which is negligible, holds, but not that on a line.

    Args:
        freq_hz: Frequency in Hz, 1e9 to 1e12, [...].
        alt_m: Height above sea level in m, 0 to 80,000, [...].
        surface_vapour_g_m3: Water vapour density at the surface in g/m^3.

    Returns:
        Attenuation in dB/km, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("freq_hz", freq_hz, 1e9, 1e12, "Hz", "the lines of P.676 end there")
    vapour = standard_vapour_density_g_m3(alt_m, surface_vapour_g_m3)
    temperature = air_temperature_k(alt_m)
    dry_hpa = air_pressure_pa(alt_m) / 100.0 - vapour_pressure_hpa(vapour, temperature)
    oxygen, water = specific_attenuation_db_km(*np.broadcast_arrays(freq_hz, dry_hpa, temperature, vapour))
    total: FloatArray = oxygen + water
    return total


def path_absorption_db(
    freq_hz: FloatArray | float,
    alt_a_m: FloatArray | float,
    alt_b_m: FloatArray | float,
    range_m: FloatArray | float,
    surface_vapour_g_m3: float = 7.5,
) -> FloatArray:
    """Return the absorption along a straight path between two heights over a spherical Earth.

    The integral of `molecular_absorption_db_km` along the chord, by a Gauss-Legendre rule of 64 points. The chord
    between two platforms sags: 400 km apart at 20 km it passes at 16.9 km, where the air is denser.

    Source: ITU-R P.676-12, Annex 1, section 2.1 (terrestrial path: specific attenuation times length, here along a
    path of changing height); law of cosines for the height. No refraction.

    Args:
        freq_hz: Frequency in Hz, 1e9 to 1e12, [...].
        alt_a_m: Height of one end in m, 0 to 80,000, [...].
        alt_b_m: Height of the other in m, 0 to 80,000, [...].
        range_m: Length of the path in m, at least the difference of the heights, [...].
        surface_vapour_g_m3: Water vapour density at the surface in g/m^3.

    Returns:
        Attenuation in dB, [...].

    Raises:
        ValueError: If an argument is outside its range, or the path meets the ground.
    """
    radius_a = EARTH_MEAN_RADIUS_M + np.asarray(alt_a_m, dtype=np.float64)
    radius_b = EARTH_MEAN_RADIUS_M + np.asarray(alt_b_m, dtype=np.float64)
    length = np.asarray(range_m, dtype=np.float64)
    if not np.all(length >= np.abs(radius_a - radius_b) * (1.0 - 1e-9)):
        raise ValueError(
            f"range_m: got {float(length.min()):g} m; must be at least the difference of the heights, "
            f"{float(np.abs(radius_a - radius_b).max()):g} m"
        )
    share = 0.5 * (_NODES + 1.0)
    square = (
        (1.0 - share) * np.square(radius_a)[..., None]
        + share * np.square(radius_b)[..., None]
        - share * (1.0 - share) * np.square(length)[..., None]
    )
    alt = np.sqrt(square) - EARTH_MEAN_RADIUS_M
    if not np.all(alt >= 0.0):
        raise ValueError(f"range_m: a path of {float(length.max()):g} m meets the ground; shorten it or raise its ends")
    specific = molecular_absorption_db_km(np.asarray(freq_hz, dtype=np.float64)[..., None], alt, surface_vapour_g_m3)
    absorption: FloatArray = specific @ (0.5 * _WEIGHTS) * length / 1e3
    return absorption
