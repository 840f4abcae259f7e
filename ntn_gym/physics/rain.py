"""Rain (ITU-R P.838-3, P.618-13), and the whole atmosphere of a site (P.618-13 section 2.5)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.data import read_json
from ntn_gym.physics import atmosphere, gases
from ntn_gym.physics.climate import SiteClimate

FloatArray = NDArray[Any]

CIRCULAR_TILT_RAD = math.pi / 4
"""Polarisation tilt that stands for circular polarisation."""

_EFFECTIVE_EARTH_RADIUS_KM = 8500.0


@cache
def _regression(name: str) -> tuple[FloatArray, FloatArray, FloatArray, float, float]:
    row = read_json("tables/p838_3.json")[name]
    a, b, c = (np.asarray(row[key], dtype=np.float64) for key in "abc")
    return a, b, c, row["slope"], row["offset"]


def _curve(name: str, log_f: FloatArray) -> FloatArray:
    a, b, c, slope, offset = _regression(name)
    bumps: FloatArray = (a * np.exp(-(((log_f[..., None] - b) / c) ** 2))).sum(axis=-1)
    return bumps + slope * log_f + offset


def specific_attenuation_coefficients(
    freq_hz: FloatArray | float,
    elev_rad: FloatArray | float,
    tilt_rad: FloatArray | float = CIRCULAR_TILT_RAD,
) -> tuple[FloatArray, FloatArray]:
    """Return k and alpha of the power law gamma = k R^alpha, with gamma in dB/km and R in mm/h.

    Source: ITU-R P.838-3, equations 2 to 5 and Tables 1 to 4; 1 to 1000 GHz.

    Args:
        freq_hz: Frequency in Hz, [...].
        elev_rad: Elevation of the path in rad, [...].
        tilt_rad: Polarisation tilt in rad: 0 horizontal, pi/2 vertical, pi/4 circular, [...].

    Returns:
        k and alpha, each [...].
    """
    frequency = _check("freq_hz", freq_hz, 1e9, 1e12, "Hz (ITU-R P.838)")
    log_f = np.log10(frequency / 1e9)
    k_h, k_v = 10.0 ** _curve("k_h", log_f), 10.0 ** _curve("k_v", log_f)
    ka_h, ka_v = k_h * _curve("alpha_h", log_f), k_v * _curve("alpha_v", log_f)
    mixing = np.cos(elev_rad) ** 2 * np.cos(np.multiply(2.0, tilt_rad))
    k = (k_h + k_v + (k_h - k_v) * mixing) / 2.0
    return k, (ka_h + ka_v + (ka_h - ka_v) * mixing) / (2.0 * k)


def _check(field: str, values: FloatArray | float, low: float, high: float, unit: str) -> FloatArray:
    array: FloatArray = np.asarray(values, dtype=np.float64)
    if not np.all((array >= low) & (array <= high)):
        raise ValueError(f"{field}: got {np.min(array):g} to {np.max(array):g}; must be {low:g} to {high:g} {unit}")
    return array


def rain_attenuation_001_db(
    elev_rad: FloatArray | float,
    freq_hz: FloatArray | float,
    site: SiteClimate,
    tilt_rad: FloatArray | float = CIRCULAR_TILT_RAD,
) -> FloatArray:
    """Return the rain attenuation exceeded 0.01 % of an average year in dB.

    Source: ITU-R P.618-13 section 2.2.1.1, steps 1 to 9.

    Args:
        elev_rad: Elevation in rad, above 0, [...].
        freq_hz: Frequency in Hz, 1e9 to 55e9, [...].
        site: Climate of the site.
        tilt_rad: Polarisation tilt in rad, [...].

    Returns:
        Attenuation in dB, zero where it never rains or the site is above the rain, [...].

    Raises:
        ValueError: If the frequency or the elevation is outside the range of the Recommendation.
    """
    elevation = _check("elev_rad", elev_rad, 1e-3, math.pi / 2 + 1e-6, "rad")
    f = _check("freq_hz", freq_hz, 1e9, 55e9, "Hz") / 1e9
    sine, cosine = np.sin(elevation), np.cos(elevation)
    height_km = (site.rain_height_m - site.alt_m) / 1e3
    if height_km <= 0.0 or site.rain_rate_001_mm_h <= 0.0:
        return np.zeros(np.broadcast_shapes(elevation.shape, f.shape, np.shape(tilt_rad)))
    low = 2.0 * height_km / (np.sqrt(sine**2 + 2.0 * height_km / _EFFECTIVE_EARTH_RADIUS_KM) + sine)
    slant_km = np.where(elevation >= math.radians(5.0), height_km / sine, low)
    ground_km = slant_km * cosine
    k, alpha = specific_attenuation_coefficients(f * 1e9, elevation, tilt_rad)
    gamma = k * site.rain_rate_001_mm_h**alpha
    horizontal = 1.0 / (1.0 + 0.78 * np.sqrt(ground_km * gamma / f) - 0.38 * (1.0 - np.exp(-2.0 * ground_km)))
    zeta = np.arctan2(height_km, ground_km * horizontal)
    # At the zenith the first branch is not taken; the maximum keeps it from dividing by zero there.
    path_km = np.where(zeta > elevation, ground_km * horizontal / np.maximum(cosine, 1e-9), height_km / sine)
    lat_deg = abs(math.degrees(site.lat_rad))
    chi = max(36.0 - lat_deg, 0.0)
    vertical = 31.0 * (1.0 - np.exp(-np.degrees(elevation) / (1.0 + chi))) * np.sqrt(path_km * gamma) / f**2
    exceeded: FloatArray = gamma * path_km / (1.0 + np.sqrt(sine) * (vertical - 0.45))
    return exceeded


def rain_attenuation_db(
    p_percent: FloatArray | float,
    elev_rad: FloatArray | float,
    freq_hz: FloatArray | float,
    site: SiteClimate,
    tilt_rad: FloatArray | float = CIRCULAR_TILT_RAD,
) -> FloatArray:
    """Return the rain attenuation exceeded p percent of an average year in dB.

    Source: ITU-R P.618-13 section 2.2.1.1, steps 1 to 10; up to 55 GHz and 0.001 to 5 %.

    Args:
        p_percent: Percentage of the year, 0.001 to 5, [...].
        elev_rad: Elevation in rad, above 0, [...].
        freq_hz: Frequency in Hz, 1e9 to 55e9, [...].
        site: Climate of the site.
        tilt_rad: Polarisation tilt in rad, [...].

    Returns:
        Attenuation in dB, [...].

    Raises:
        ValueError: If an argument is outside the range of the Recommendation.
    """
    p = _check("p_percent", p_percent, 0.001, 5.0, "%")
    at_001 = rain_attenuation_001_db(elev_rad, freq_hz, site, tilt_rad)
    sine = np.sin(elev_rad)
    lat_deg = abs(math.degrees(site.lat_rad))
    if lat_deg >= 36.0:
        beta = np.zeros_like(sine)
    else:
        beta = np.full_like(sine, -0.005 * (lat_deg - 36.0))
        beta = np.where(np.asarray(elev_rad) >= math.radians(25.0), beta, beta + 1.8 - 4.25 * sine)
    beta = np.where(p >= 1.0, 0.0, beta)
    positive = np.maximum(at_001, 1e-30)  # keeps the logarithm finite where there is no rain
    exponent = 0.655 + 0.033 * np.log(p) - 0.045 * np.log(positive) - beta * (1.0 - p) * sine
    exceeded: FloatArray = at_001 * (p / 0.01) ** -exponent
    return exceeded


@dataclass(frozen=True)
class SlantPathAttenuation:
    """Attenuation exceeded some percentage of the year, by cause; arrays of one shape, in dB.

    Attributes:
        gas_db: Oxygen and water vapour (P.676).
        cloud_db: Clouds (P.840).
        rain_db: Rain (P.618).
        scintillation_db: Tropospheric scintillation (P.618).
        total_db: Their combination (P.618 section 2.5).
    """

    gas_db: FloatArray
    cloud_db: FloatArray
    rain_db: FloatArray
    scintillation_db: FloatArray
    total_db: FloatArray


def slant_path_attenuation(
    p_percent: FloatArray | float,
    elev_rad: FloatArray | float,
    freq_hz: FloatArray | float,
    site: SiteClimate,
    diameter_m: float,
    efficiency: float = 0.5,
    tilt_rad: float = CIRCULAR_TILT_RAD,
) -> SlantPathAttenuation:
    """Return the attenuation exceeded p percent of an average year at a site, with all its parts.

    Gas and cloud are taken at 1 %, as P.618-13 section 2.5 says for p up to 1 %; the site constants hold no
    other percentage, so larger p are refused.

    Source: ITU-R P.618-13 sections 2.2.1.1, 2.4.1 and 2.5 with P.676-12 and P.840-7.

    Args:
        p_percent: Percentage of the year, 0.01 to 1, [...].
        elev_rad: Elevation in rad, 5 to 90 deg, [...].
        freq_hz: Frequency in Hz, 1e9 to 55e9 (scintillation is meant for 4e9 and more), [...].
        site: Climate of the site.
        diameter_m: Diameter of the ground antenna in m.
        efficiency: Aperture efficiency of the ground antenna.
        tilt_rad: Polarisation tilt in rad.

    Returns:
        The parts and their total.

    Raises:
        ValueError: If an argument is outside the range of the Recommendations.
    """
    p = _check("p_percent", p_percent, 0.01, 1.0, "%")
    elevation = _check("elev_rad", elev_rad, math.radians(5.0) - 1e-9, math.pi / 2 + 1e-6, "rad")
    f_hz = _check("freq_hz", freq_hz, 1e9, 55e9, "Hz")
    pressure_hpa = gases.standard_pressure_hpa(site.alt_m)
    surface = (pressure_hpa, site.temperature_k, site.vapour_density_g_m3)
    oxygen_db_km, _ = gases.specific_attenuation_db_km(f_hz, *surface)
    oxygen_km, _ = gases.equivalent_heights_km(f_hz, *surface)
    vapour_db = gases.zenith_vapour_attenuation_db(f_hz, site.vapour_1pct_kg_m2, site.alt_m)
    gas = gases.slant_gas_attenuation_db(oxygen_db_km * oxygen_km + vapour_db, elevation)
    cloud = atmosphere.cloud_attenuation_db(f_hz, elevation, site.cloud_liquid_1pct_kg_m2)
    rain = rain_attenuation_db(p, elevation, f_hz, site, tilt_rad)
    sigma = atmosphere.scintillation_sigma_db(f_hz, elevation, site.wet_refractivity, diameter_m, efficiency)
    fade = atmosphere.scintillation_fade_db(p, sigma)
    total = atmosphere.total_attenuation_db(gas, rain, cloud, fade)
    return SlantPathAttenuation(*np.broadcast_arrays(gas, cloud, rain, fade, total))
