"""Sunlight on a platform and what its panels make of it: attenuation, incidence, cell temperature, power."""

from __future__ import annotations

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.sun import horizon_dip_rad

REFERENCE_CELL_TEMPERATURE_K = 298.15
"""Temperature at which cells are rated (IEC 60904-3 standard test conditions, 25 deg C)."""


def relative_air_mass(elev_rad: ArrayLike) -> Array:
    """Return the length of the sun's path through the air over that of the zenith.

    sqrt(1229 + (614 sin e)^2) - 614 sin e: a shell of uniform density, 35 at the horizon; it holds a few degrees
    below the horizontal, too.

    Source: F. Kreith and J. F. Kreider, Principles of Solar Engineering, McGraw-Hill 1978, section 2.4.

    Args:
        elev_rad: Elevation of the sun in rad, -10 to 90 deg, [...].

    Returns:
        Air mass, dimensionless, [...].
    """
    xp, elevation = promote(elev_rad)
    vertical = 614.0 * xp.sin(elevation)
    # Both forms are equal; above the horizon this one does not cancel.
    return xp.where(
        vertical > 0.0,
        1229.0 / (xp.sqrt(1229.0 + vertical**2) + xp.abs(vertical)),
        xp.sqrt(1229.0 + vertical**2) - vertical,
    )


def direct_transmittance(elev_rad: ArrayLike, pressure_pa: ArrayLike) -> Array:
    """Return the share of direct sunlight that reaches a pressure level in clear air.

    (exp(-0.65 m) + exp(-0.95 m)) / 2 with m = 0.34764 (p / 101325 Pa) times `relative_air_mass`.

    Source: Balloon Learning Environment 1.0 (Google, Apache-2.0), `solar.py`: the model with which its balloons'
    solar power was simulated. It descends from Kreith and Kreider 1978, who have no factor 0.34764 and 0.095
    instead of 0.95. At 20 km this function is above theirs by 1 % at 30 deg of elevation, 3 % at 10 deg and 6 % at
    the horizon; at the ground (0.76 against 0.72 at the zenith) it is not meant to be used.

    Args:
        elev_rad: Elevation of the sun in rad, -10 to 90 deg, [...].
        pressure_pa: Pressure of the air at the platform in Pa, 0 to 101,325, [...].

    Returns:
        Share in (0, 1], [...].
    """
    xp, pressure, mass = promote(pressure_pa, relative_air_mass(elev_rad))
    path = 0.347_64 * (pressure / 101_325.0) * mass
    return 0.5 * (xp.exp(-0.65 * path) + xp.exp(-0.95 * path))


def irradiance_at_altitude_w_m2(
    extraterrestrial_w_m2: ArrayLike, elev_rad: ArrayLike, alt_m: ArrayLike, pressure_pa: ArrayLike
) -> Array:
    """Return the direct irradiance on a surface facing the sun at a platform; zero when the Earth hides the sun.

    Source: `direct_transmittance`; the horizon lies acos(R / (R + h)) below the horizontal (`horizon_dip_rad`).
    Diffuse light and light from below (up to a tenth over bright cloud) are left out.

    Args:
        extraterrestrial_w_m2: Irradiance above the atmosphere in W/m^2, [...].
        elev_rad: Elevation of the sun in rad, [...].
        alt_m: Height of the platform in m, not negative, [...].
        pressure_pa: Pressure of the air at the platform in Pa, [...].

    Returns:
        Irradiance in W/m^2, [...].
    """
    xp, outside, elevation, dip = promote(extraterrestrial_w_m2, elev_rad, horizon_dip_rad(alt_m))
    visible = xp.where(elevation > -dip, elevation, -dip)
    irradiance = outside * direct_transmittance(visible, pressure_pa)
    return xp.where(elevation > -dip, irradiance, xp.zeros_like(irradiance))


def incidence_cosine(
    sun_elev_rad: ArrayLike, sun_azimuth_rad: ArrayLike, tilt_rad: ArrayLike = 0.0, panel_azimuth_rad: ArrayLike = 0.0
) -> Array:
    """Return the cosine of the angle between the sun and the normal of a panel, zero for light from behind.

    sin e cos t + cos e sin t cos(a_sun - a_panel).

    Source: Duffie and Beckman, Solar Engineering of Thermal Processes, 4th ed., equation 1.6.3.

    Args:
        sun_elev_rad: Elevation of the sun in rad, [...].
        sun_azimuth_rad: Azimuth of the sun in rad, clockwise from north, [...].
        tilt_rad: Tilt of the panel from the horizontal in rad; 0 faces the zenith, pi/2 the horizon, [...].
        panel_azimuth_rad: Azimuth that the tilted panel faces in rad, [...].

    Returns:
        Cosine in [0, 1], [...].
    """
    xp, elevation, azimuth, tilt, facing = promote(sun_elev_rad, sun_azimuth_rad, tilt_rad, panel_azimuth_rad)
    cosine = xp.sin(elevation) * xp.cos(tilt) + xp.cos(elevation) * xp.sin(tilt) * xp.cos(azimuth - facing)
    return xp.clip(cosine, 0.0, 1.0)


def cell_temperature_k(air_temperature_k: ArrayLike, irradiance_w_m2: ArrayLike, rise_k_m2_w: float = 0.03) -> Array:
    """Return the temperature of a solar cell, air temperature + k times the irradiance on the panel.

    Source: R. G. Ross, "Interface design considerations for terrestrial solar cell modules", 12th IEEE Photovoltaic
    Specialists Conference, 1976; k is 0.02 to 0.04 K m^2/W at the ground. Thin air cools less and a moving
    aircraft more: the factor for a platform is an assumption of the caller.

    Args:
        air_temperature_k: Temperature of the air in K, [...].
        irradiance_w_m2: Irradiance on the panel in W/m^2, [...].
        rise_k_m2_w: Temperature rise k in K m^2/W.

    Returns:
        Temperature in K, [...].
    """
    _, air, irradiance = promote(air_temperature_k, irradiance_w_m2)
    return air + rise_k_m2_w * irradiance


def panel_power_w(
    irradiance_w_m2: ArrayLike,
    area_m2: ArrayLike,
    efficiency: ArrayLike,
    cell_temperature_k: ArrayLike = REFERENCE_CELL_TEMPERATURE_K,
    temperature_coefficient_per_k: float = 0.002,
    conversion_efficiency: float = 1.0,
) -> Array:
    """Return the electrical power of a panel, G A eta (1 - beta (T - 298.15 K)) eta_conversion.

    Source: D. L. Evans, "Simplified method for predicting photovoltaic array output", Solar Energy 27, 1981
    (linear in the cell temperature). Cold cells are better than rated. beta is 0.004 1/K for silicon and 0.002 for
    multi-junction gallium arsenide.

    Args:
        irradiance_w_m2: Irradiance on the panel (times `incidence_cosine`) in W/m^2, not negative, [...].
        area_m2: Area of the cells in m^2, [...].
        efficiency: Efficiency of the cells at 25 deg C, in (0, 1], [...].
        cell_temperature_k: Temperature of the cells in K, [...].
        temperature_coefficient_per_k: beta in 1/K.
        conversion_efficiency: Efficiency of the power tracker and wiring, in (0, 1].

    Returns:
        Power in W, not negative, [...].
    """
    xp, irradiance, area, rated, temperature = promote(irradiance_w_m2, area_m2, efficiency, cell_temperature_k)
    derating = 1.0 - temperature_coefficient_per_k * (temperature - REFERENCE_CELL_TEMPERATURE_K)
    return xp.clip(irradiance * area * rated * derating * conversion_efficiency, 0.0, None)
