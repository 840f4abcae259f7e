"""Radio climate of sites: what the ITU-R maps say there, as constants."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from ntn_gym.data import read_csv
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M


@dataclass(frozen=True)
class SiteClimate:
    """Constants of one site for rain, cloud, gas and scintillation.

    Attributes:
        name: Name of the site.
        lat_rad: Latitude in rad.
        lon_rad: Longitude in rad.
        alt_m: Height above mean sea level in m (ITU-R P.1511).
        rain_rate_001_mm_h: Rain rate exceeded 0.01 % of an average year in mm/h (P.837).
        rain_probability_pct: Share of an average year with rain in % (P.837).
        rain_height_m: Mean annual rain height above mean sea level in m (P.839).
        temperature_k: Mean annual surface temperature in K (P.1510).
        vapour_density_g_m3: Surface water vapour density exceeded 50 % of the year in g/m^3 (P.836).
        vapour_1pct_kg_m2: Integrated water vapour exceeded 1 % of the year in kg/m^2 (P.836).
        cloud_liquid_1pct_kg_m2: Reduced liquid water of clouds exceeded 1 % of the year in kg/m^2 (P.840).
        wet_refractivity: Wet term of the surface refractivity exceeded 50 % of the year, N units (P.453).
    """

    name: str
    lat_rad: float
    lon_rad: float
    alt_m: float
    rain_rate_001_mm_h: float
    rain_probability_pct: float
    rain_height_m: float
    temperature_k: float
    vapour_density_g_m3: float
    vapour_1pct_kg_m2: float
    cloud_liquid_1pct_kg_m2: float
    wet_refractivity: float

    def __post_init__(self) -> None:
        allowed = {
            "lat_rad": (-math.pi / 2, math.pi / 2, "rad"),
            "lon_rad": (-2 * math.pi, 2 * math.pi, "rad"),
            "alt_m": (-500.0, 9000.0, "m"),
            "rain_rate_001_mm_h": (0.0, 300.0, "mm/h"),
            "rain_probability_pct": (0.0, 100.0, "%"),
            "rain_height_m": (0.0, 6000.0, "m"),
            "temperature_k": (200.0, 330.0, "K"),
            "vapour_density_g_m3": (0.0, 40.0, "g/m^3"),
            "vapour_1pct_kg_m2": (0.0, 120.0, "kg/m^2"),
            "cloud_liquid_1pct_kg_m2": (0.0, 20.0, "kg/m^2"),
            "wet_refractivity": (0.0, 250.0, "N units"),
        }
        for field, (low, high, unit) in allowed.items():
            value = getattr(self, field)
            if not low <= value <= high:
                raise ValueError(f"SiteClimate.{field}: got {value}; must be {low:g} to {high:g} {unit}")


_COLUMNS = {
    "alt_m": ("alt_km_P1511", 1e3),
    "rain_rate_001_mm_h": ("R001_mm_h_P837", 1.0),
    "rain_probability_pct": ("rain_prob_pct_P837", 1.0),
    "rain_height_m": ("rain_height_km_P839", 1e3),
    "temperature_k": ("T_mean_K_P1510", 1.0),
    "vapour_density_g_m3": ("rho_median_g_m3_P836", 1.0),
    "cloud_liquid_1pct_kg_m2": ("Lred_1pct_kg_m2_P840", 1.0),
    "wet_refractivity": ("Nwet_median_P453", 1.0),
}


@cache
def _sites() -> dict[str, SiteClimate]:
    table = read_csv("site_rain_climate.csv")
    vapour = read_csv("tables/site_water_vapour.csv")
    vapour_1pct = vapour["vapour_1pct_kg_m2_P836"].tolist()
    vapour_by_site = dict(zip(vapour["site"].tolist(), vapour_1pct, strict=True))
    sites = {}
    for row, name in enumerate(table["site"].tolist()):
        constants = {field: float(table[column][row]) * scale for field, (column, scale) in _COLUMNS.items()}
        sites[name] = SiteClimate(
            name=name,
            lat_rad=math.radians(table["lat_deg"][row]),
            lon_rad=math.radians(table["lon_deg"][row]),
            vapour_1pct_kg_m2=vapour_by_site[name],
            **constants,
        )
    return sites


def site_names() -> tuple[str, ...]:
    """Return the names of all sites: "city:<name>" for cities, "gs:<network>:<name>" for ground stations.

    Source: sites of `data/site_rain_climate.csv`; see `data/PROVENANCE.md`.
    """
    return tuple(_sites())


def site_climate(name: str) -> SiteClimate:
    """Return the climate of a site.

    Source: maps of ITU-R P.837-7, P.839-4, P.1510-1, P.836-6, P.840-7, P.453-13 and P.1511-2, read at the sites by
    the package itur 0.4.0; see `data/PROVENANCE.md`.

    Args:
        name: One of `site_names`.

    Returns:
        The constants.

    Raises:
        ValueError: If no such site ships.
    """
    try:
        return _sites()[name]
    except KeyError:
        part = name.split(":")[-1].lower()
        like = [known for known in _sites() if part in known.lower()] or list(_sites())[:5]
        raise ValueError(f"site: got {name!r}; known are {len(_sites())} sites, e.g. {', '.join(like)}") from None


def nearest_site_climate(lat_rad: float, lon_rad: float, max_distance_m: float = 500e3) -> SiteClimate:
    """Return the climate of the site nearest to a place.

    The climate of a place between sites is that of the nearest one: good where sites are dense, crude
    elsewhere, hence the limit on the distance.

    Source: the constants as `site_climate`; distance by R. W. Sinnott, "Virtues of the haversine", Sky and
    Telescope 68 (2), 1984.

    Args:
        lat_rad: Latitude in rad.
        lon_rad: Longitude in rad.
        max_distance_m: Refuse when the nearest site is farther away than this, in m.

    Returns:
        The constants of the nearest site.

    Raises:
        ValueError: If no site is within `max_distance_m`.
    """
    sites = list(_sites().values())
    lat = np.array([site.lat_rad for site in sites])
    lon = np.array([site.lon_rad for site in sites])
    haversine = np.cos(lat) * math.cos(lat_rad) * np.sin((lon - lon_rad) / 2) ** 2
    haversine = haversine + np.sin((lat - lat_rad) / 2) ** 2
    distance_m = 2 * EARTH_MEAN_RADIUS_M * np.arcsin(np.sqrt(np.clip(haversine, 0.0, 1.0)))
    nearest = int(np.argmin(distance_m))
    if not distance_m[nearest] <= max_distance_m:
        raise ValueError(
            f"place at {math.degrees(lat_rad):.2f}, {math.degrees(lon_rad):.2f} deg: the nearest site with a "
            f"rain climate, {sites[nearest].name}, is {distance_m[nearest] / 1e3:.0f} km away; the limit is "
            f"{max_distance_m / 1e3:.0f} km. Name a site or pass a SiteClimate of your own"
        )
    return sites[nearest]
