"""Sun and wind at the platform: what the panels give and what the engines take."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.resource_allocation.scenario_energy import Sun, Wind
from ntn_gym.physics.propulsion import airship_drag_n, shaft_power_w
from ntn_gym.physics.solar_power import (
    cell_temperature_k,
    incidence_cosine,
    irradiance_at_altitude_w_m2,
    panel_power_w,
)
from ntn_gym.physics.standard_atmosphere import air_density_kg_m3, air_pressure_pa, air_temperature_k
from ntn_gym.physics.sun import extraterrestrial_irradiance_w_m2, sun_angles_rad

FloatArray = NDArray[Any]


def local_hour(sun: Sun, time_s: FloatArray) -> FloatArray:
    """Local mean solar time in h, 0 to 24."""
    hour: FloatArray = (sun.start_hour + time_s / 3600.0) % 24.0
    return hour


def solar_power_w(sun: Sun, altitude_m: float, time_s: FloatArray) -> FloatArray:
    """Return the power of horizontal panels at times since the first step in W, [n].

    Source: `physics.sun` (VSOP87) and `physics.solar_power`; cells at the temperature of the air plus 0.03 K m^2/W.
    """
    fraction = (sun.start_hour - sun.longitude_deg / 15.0) / 24.0 + time_s / 86_400.0
    jd = np.full_like(fraction, sun.julian_date)
    elevation, azimuth = sun_angles_rad(math.radians(sun.latitude_deg), math.radians(sun.longitude_deg), jd, fraction)
    outside = extraterrestrial_irradiance_w_m2(jd, fraction)
    direct = irradiance_at_altitude_w_m2(outside, elevation, altitude_m, float(air_pressure_pa(altitude_m)))
    on_panel = np.asarray(direct * incidence_cosine(elevation, azimuth))
    temperature = cell_temperature_k(float(air_temperature_k(altitude_m)), on_panel)
    return np.asarray(panel_power_w(on_panel, sun.panel_m2, sun.panel_efficiency, temperature, 0.002, 0.95))


def propulsion_power_w(wind: Wind, altitude_m: float, deviation: FloatArray) -> FloatArray:
    """Return the power of the engines that hold the platform against the wind in W, [...].

    Source: `physics.propulsion` (drag of an airship, power T v / eta).

    Args:
        wind: Settings.
        altitude_m: Height in m.
        deviation: Two unit-variance components of the wind, [..., 2].
    """
    speed = np.hypot(wind.mean_m_s + wind.deviation_m_s * deviation[..., 0], wind.deviation_m_s * deviation[..., 1])
    density = float(air_density_kg_m3(altitude_m))
    drag = airship_drag_n(speed, density, wind.volume_m3, wind.drag_coefficient)
    return np.asarray(shaft_power_w(drag, speed, wind.efficiency))
