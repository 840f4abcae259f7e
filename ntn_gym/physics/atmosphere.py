"""Clouds and scintillation, and how the parts of slant-path attenuation combine (gas: `gases`; rain: `rain`).

Frequencies are those of the single Recommendations; elevations 5 to 90 deg.
"""

from __future__ import annotations

import math
from functools import cache

from ntn_gym.data import read_json
from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.pathloss import Lookup, table_lookup
from ntn_gym.physics.validity import refuse_non_positive, require_range

GEOMAGNETIC_POLE_LAT_RAD = math.radians(80.65)
GEOMAGNETIC_POLE_LON_RAD = math.radians(-72.68)
"""North geomagnetic (dipole) pole of IGRF-13 for 2020."""

IONOSPHERIC_BELT_RAD = math.radians(20.0)


def cloud_liquid_absorption_db_m2_kg(freq_hz: ArrayLike, temperature_k: ArrayLike = 273.15) -> Array:
    """Return the absorption of cloud water per columnar mass, K_l, in dB/(kg/m^2) = (dB/km)/(g/m^3).

    Rayleigh absorption with the double-Debye permittivity of water.

    Source: ITU-R P.840-7 section 2; frequencies up to 200 GHz. Columns of reduced liquid
    water (the maps of P.840) refer to 0 deg C, the default.

    Args:
        freq_hz: Frequency in Hz, [...].
        temperature_k: Temperature of the liquid in K, [...].

    Returns:
        Absorption coefficient, [...].
    """
    _, frequency, temperature = promote(freq_hz, temperature_k)
    require_range("freq_hz", frequency, 1e9, 200e9, "Hz", "ITU-R P.840")
    require_range("temperature_k", temperature, 233.15, 373.15, "K")
    f = frequency / 1e9
    inverse = 300.0 / temperature - 1.0
    epsilon0 = 77.66 + 103.3 * inverse
    epsilon1 = 0.0671 * epsilon0
    epsilon2 = 3.52
    fp = 20.20 - 146.0 * inverse + 316.0 * inverse**2
    fs = 39.8 * fp
    principal, secondary = 1.0 + (f / fp) ** 2, 1.0 + (f / fs) ** 2
    real = (epsilon0 - epsilon1) / principal + (epsilon1 - epsilon2) / secondary + epsilon2
    imaginary = f * (epsilon0 - epsilon1) / (fp * principal) + f * (epsilon1 - epsilon2) / (fs * secondary)
    eta = (2.0 + real) / imaginary
    return 0.819 * f / (imaginary * (1.0 + eta**2))


def cloud_attenuation_db(freq_hz: ArrayLike, elev_rad: ArrayLike, liquid_kg_m2: ArrayLike) -> Array:
    """Return the cloud attenuation L K_l / sin(elevation) in dB.

    Source: ITU-R P.840-7 section 3; 5 to 90 deg.

    Args:
        freq_hz: Frequency in Hz, [...].
        elev_rad: Elevation in rad, [...].
        liquid_kg_m2: Columnar content of reduced liquid water in kg/m^2, at the wanted exceedance, [...].

    Returns:
        Attenuation in dB, [...].
    """
    xp, frequency, elevation, liquid = promote(freq_hz, elev_rad, liquid_kg_m2)
    return liquid * cloud_liquid_absorption_db_m2_kg(frequency) / xp.sin(elevation)


def scintillation_sigma_db(
    freq_hz: ArrayLike,
    elev_rad: ArrayLike,
    wet_refractivity: ArrayLike,
    diameter_m: ArrayLike,
    efficiency: float = 0.5,
    turbulence_height_m: float = 1000.0,
) -> Array:
    """Return the standard deviation of tropospheric scintillation in dB.

    Source: ITU-R P.618-13 section 2.4.1, steps 1 to 7; 4 to 55 GHz, elevations of 5 deg and more.

    Args:
        freq_hz: Frequency in Hz, [...].
        elev_rad: Elevation in rad, [...].
        wet_refractivity: Wet term of the surface refractivity in N units, [...].
        diameter_m: Diameter of the antenna in m, [...].
        efficiency: Aperture efficiency of the antenna.
        turbulence_height_m: Height of the turbulent layer in m.

    Returns:
        Standard deviation in dB, [...].
    """
    xp, frequency, elevation, wet, diameter = promote(freq_hz, elev_rad, wet_refractivity, diameter_m)
    f, sine = frequency / 1e9, xp.sin(elevation)
    reference = 3.6e-3 + 1e-4 * wet
    length_m = 2.0 * turbulence_height_m / (xp.sqrt(sine**2 + 2.35e-4) + sine)
    x = 1.22 * efficiency * diameter**2 * f / length_m
    x = xp.clip(x, 1e-9, 7.0)  # from 7 on the aperture averages everything out (step 6)
    averaging = 3.86 * (x**2 + 1.0) ** (11.0 / 12.0) * xp.sin(11.0 / 6.0 * xp.atan(1.0 / x))
    averaging = xp.sqrt(xp.clip(averaging - 7.08 * x ** (5.0 / 6.0), 0.0, None))
    averaging = xp.where(x < 7.0, averaging, xp.zeros_like(averaging))
    return reference * f ** (7.0 / 12.0) * averaging / sine**1.2


def scintillation_fade_db(p_percent: ArrayLike, sigma_db: ArrayLike) -> Array:
    """Return the scintillation fade exceeded p percent of the time, a(p) sigma, in dB.

    Source: ITU-R P.618-13 section 2.4.1, steps 8 and 9; 0.01 to 50 %.

    Args:
        p_percent: Percentage of the time, [...].
        sigma_db: From `scintillation_sigma_db`, [...].

    Returns:
        Fade in dB, [...].
    """
    xp, p, sigma = promote(p_percent, sigma_db)
    log = xp.log10(p)
    return (((-0.061 * log + 0.072) * log - 1.71) * log + 3.0) * sigma


@cache
def _toulouse_table() -> tuple[float, ...]:
    return tuple(read_json("tables/tr38811.json")["tropospheric_scintillation_20ghz_99pct_toulouse_db"])


def tr38811_tropospheric_scintillation_db(elev_rad: ArrayLike, mode: Lookup = "nearest") -> Array:
    """Return the tropospheric scintillation loss of the 3GPP reference case, 20 GHz, 99 %, Toulouse.

    Source: 3GPP TR 38.811 V15.4.0, Table 6.6.6.2.1-1; used above 6 GHz (clause 6.6.6.2).

    Args:
        elev_rad: Elevation in rad, [...].
        mode: "nearest" or "linear", as in `pathloss.table_lookup`.

    Returns:
        Loss in dB, [...].
    """
    return table_lookup(_toulouse_table(), elev_rad, mode)


def magnetic_latitude_rad(lat_rad: ArrayLike, lon_rad: ArrayLike) -> Array:
    """Return the geomagnetic latitude in the centred dipole of IGRF-13 (2020).

    The magnetic equator proper (zero dip) leaves that of the dipole by up to 10 deg of latitude, most over
    Brazil.

    Source: Alken et al., "International Geomagnetic Reference Field: the thirteenth generation", Earth
    Planets Space 73, 2021 (position of the pole).

    Args:
        lat_rad: Geographic latitude in rad, [...].
        lon_rad: Longitude in rad, [...].

    Returns:
        Geomagnetic latitude in rad, [...].
    """
    xp, lat, lon = promote(lat_rad, lon_rad)
    sine = xp.sin(lat) * math.sin(GEOMAGNETIC_POLE_LAT_RAD)
    sine = sine + xp.cos(lat) * math.cos(GEOMAGNETIC_POLE_LAT_RAD) * xp.cos(lon - GEOMAGNETIC_POLE_LON_RAD)
    return xp.asin(xp.clip(sine, -1.0, 1.0))


def ionospheric_scintillation_db(freq_hz: ArrayLike, magnetic_lat_rad: ArrayLike) -> Array:
    """Return the ionospheric scintillation loss below 6 GHz, P_fluc / sqrt(2), in dB.

    P_fluc = 1.1 dB at 4 GHz, scaled with (f / 4 GHz)^-1.5: 2.2 dB at 2 GHz. The document applies it within 20
    deg of the magnetic equator (night, equinox, high sun activity) and takes it as negligible elsewhere up to
    60 deg; beyond 60 deg, where it says that scintillation can occur but gives no number, this function
    returns zero, too.

    Source: 3GPP TR 38.811 V15.4.0, clause 6.6.6.1 (after ITU-R P.531).

    Args:
        freq_hz: Frequency in Hz, 0.5e9 and more, [...].
        magnetic_lat_rad: Geomagnetic latitude of the user in rad, [...].

    Returns:
        Loss in dB, zero from 6 GHz on and outside the belt, [...].
    """
    xp, frequency, latitude = promote(freq_hz, magnetic_lat_rad)
    refuse_non_positive("freq_hz", frequency, "Hz")
    loss = 1.1 * (frequency / 4e9) ** -1.5 / math.sqrt(2.0)
    return xp.where((frequency < 6e9) & (xp.abs(latitude) <= IONOSPHERIC_BELT_RAD), loss, 0.0 * loss)


def total_attenuation_db(
    gas_db: ArrayLike, rain_db: ArrayLike, cloud_db: ArrayLike, scintillation_db: ArrayLike
) -> Array:
    """Return the total attenuation A_gas + sqrt((A_rain + A_cloud)^2 + A_scint^2) in dB.

    Source: ITU-R P.618-13 section 2.5. Below 1 % of the time gas and cloud are taken at 1 %: the
    rest is already in the rain prediction.

    Args:
        gas_db: Gaseous attenuation in dB, [...].
        rain_db: Rain attenuation in dB, [...].
        cloud_db: Cloud attenuation in dB, [...].
        scintillation_db: Scintillation fade in dB, [...].

    Returns:
        Attenuation in dB, [...].
    """
    xp, gas, rain, cloud, scintillation = promote(gas_db, rain_db, cloud_db, scintillation_db)
    return gas + xp.hypot(rain + cloud, scintillation)
