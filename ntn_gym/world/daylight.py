"""Sunlight on horizontal panels over a day, by latitude and local solar time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.solar_power import incidence_cosine, irradiance_at_altitude_w_m2
from ntn_gym.physics.sun import SOLAR_CONSTANT_W_M2, horizon_dip_rad, sun_apparent

FloatArray = NDArray[Any]

_JD_2025 = 2_460_676.5
"""Julian date of 2025-01-01 0 h UTC."""


def declination_and_distance(day_of_year: float) -> tuple[float, float]:
    """Return the declination of the sun in rad and its distance in au at noon of a day of the year 2025."""
    _, declination, distance = sun_apparent(_JD_2025 + day_of_year - 0.5)
    return float(declination), float(distance)


def sun_elevation_rad(lat_rad: FloatArray, declination_rad: float, hour: FloatArray) -> FloatArray:
    """Return the elevation of the sun, sin e = sin lat sin dec + cos lat cos dec cos H, [B, T].

    Source: J. Meeus, Astronomical Algorithms, 2nd ed., equation 13.6, with the declination held for the day.

    Args:
        lat_rad: Latitude of each world, [B].
        declination_rad: Declination.
        hour: Local apparent solar time in h, [T].
    """
    angle = (hour - 12.0) * (math.pi / 12.0)
    sine = math.sin(declination_rad) * np.sin(lat_rad)[:, None]
    elevation: FloatArray = np.arcsin(
        np.clip(sine + math.cos(declination_rad) * np.cos(lat_rad)[:, None] * np.cos(angle), -1.0, 1.0)
    )
    return elevation


def horizontal_irradiance_w_m2(elevation_rad: FloatArray, distance_au: float, alt_m: float, pressure_pa: float) -> Any:
    """Return the direct sunlight on a horizontal square metre of a platform, [...].

    Source: `irradiance_at_altitude_w_m2` times the cosine of the incidence; inverse square of the distance.
    """
    outside = SOLAR_CONSTANT_W_M2 / distance_au**2
    normal = irradiance_at_altitude_w_m2(outside, elevation_rad, alt_m, pressure_pa)
    return normal * incidence_cosine(elevation_rad, 0.0)


def night_hours_ahead(lat_rad: FloatArray, declination_rad: float, hour: FloatArray, alt_m: float) -> FloatArray:
    """Return how many hours of the present or the next night lie ahead, [B, T]: by day the whole night.

    Night is when the sun is behind the horizon of the platform (`horizon_dip_rad`).
    """
    dip = float(horizon_dip_rad(alt_m))
    cosine = (math.sin(-dip) - np.sin(lat_rad) * math.sin(declination_rad)) / (
        np.cos(lat_rad) * math.cos(declination_rad)
    )
    half_day_h = (np.arccos(np.clip(cosine, -1.0, 1.0)) * (12.0 / math.pi))[:, None]
    after_noon = np.mod(hour - 12.0 + 12.0, 24.0) - 12.0
    by_day = np.abs(after_noon) <= half_day_h
    # Hours until the sun rises at -half_day_h (of the next day if noon has passed).
    until_rise = np.mod(-half_day_h - after_noon, 24.0)
    ahead: FloatArray = np.where(by_day, 24.0 - 2 * half_day_h, np.minimum(until_rise, 24.0 - 2 * half_day_h))
    return ahead
