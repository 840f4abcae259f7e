"""The climate of a place between the shipped sites, interpolated on the sphere."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.climate import SiteClimate, site_climate, site_names
from ntn_gym.physics.geometry import great_circle_distance_m
from ntn_gym.physics.validity import require_range

_NEIGHBOURS = 4
_LOGARITHMIC = ("rain_rate_001_mm_h", "cloud_liquid_1pct_kg_m2", "wet_refractivity")
_WITH_HEIGHT = ("vapour_density_g_m3", "vapour_1pct_kg_m2")
_LINEAR = ("rain_probability_pct", "rain_height_m", "temperature_k")
_VAPOUR_SCALE_HEIGHT_M = 3e3
"""Halves the errors of both fields when sites are left out; the 2 km of ITU-R P.835 overshoot from highlands."""
_SAME_PLACE_M = 1.0


@cache
def _columns() -> dict[str, NDArray[np.float64]]:
    """All sites, field by field, in the form in which they are interpolated."""
    sites = [site_climate(name) for name in site_names()]
    fields = ("lat_rad", "lon_rad", "alt_m", *_LOGARITHMIC, *_WITH_HEIGHT, *_LINEAR)
    columns = {field: np.array([getattr(site, field) for site in sites]) for field in fields}
    for field in (*_LOGARITHMIC, *_WITH_HEIGHT):
        columns[field] = np.log(columns[field])
    for field in _WITH_HEIGHT:
        columns[field] = columns[field] + columns["alt_m"] / _VAPOUR_SCALE_HEIGHT_M
    return columns


def interpolated_site_climate(
    lat_rad: float,
    lon_rad: float,
    alt_m: float,
    max_distance_m: float = 500e3,
    left_out: tuple[str, ...] = (),
) -> SiteClimate:
    """Return the climate of a place, interpolated between the four nearest sites.

    Inverse-distance weights w_i = ((D - d_i) / (D d_i))^2 with d_i the great-circle distances and D that of the fifth
    site, so that the result is continuous and equals the site's own constants at a site. The rain rate, cloud water and
    wet refractivity are interpolated as logarithms, water vapour as the logarithm reduced to sea level with a scale
    height of 3 km, and the others as they are.

    Leaving each site out (with everything within 25 km of it) where another is within 500 km, 236 sites: the root mean
    square error of ln R_0.01 is 0.21 and nine of ten errors are below 0.23; the rain attenuation at 20 GHz, 30 deg
    and 0.01 % of the time is within 4 % for half and within 19 % for nine tenths of the sites. Steep gradients are
    missed: around Cairo and Alexandria, at Kabul and behind Cape Town by up to a factor of 3.6 in the rain rate.

    Source: R. Franke and G. Nielson, "Smooth interpolation of large sets of scattered data", Int. J. Numer. Methods
    Eng. 15, 1980 (modified weights of Shepard); the constants are those of ITU-R P.837, P.839, P.836, P.840, P.453
    and P.1510 at the shipped sites.

    Args:
        lat_rad: Latitude in rad, -pi/2 to pi/2.
        lon_rad: Longitude in rad, east positive.
        alt_m: Height of the place above mean sea level in m, -500 to 9000.
        max_distance_m: Refuse when the nearest site is farther away than this, in m.
        left_out: Names of sites that are not used (for validation).

    Returns:
        The constants, named "interpolated:<lat>,<lon>".

    Raises:
        ValueError: If the place is no place, or no site is within `max_distance_m`.
    """
    require_range("lat_rad", lat_rad, -math.pi / 2, math.pi / 2, "rad")
    require_range("lon_rad", lon_rad, -2 * math.pi, 2 * math.pi, "rad")
    require_range("alt_m", alt_m, -500.0, 9000.0, "m")
    columns = _columns()
    distance_m = great_circle_distance_m(lat_rad, lon_rad, columns["lat_rad"], columns["lon_rad"])
    names = site_names()
    distance_m = np.where(np.isin(names, left_out), np.inf, distance_m)
    order = np.argsort(distance_m)[: _NEIGHBOURS + 1]
    nearest_m = float(distance_m[order[0]])
    if not nearest_m <= max_distance_m:
        raise ValueError(
            f"place at {math.degrees(lat_rad):.2f}, {math.degrees(lon_rad):.2f} deg: the nearest site with a rain "
            f"climate, {names[order[0]]}, is {nearest_m / 1e3:.0f} km away; the limit is {max_distance_m / 1e3:.0f} "
            "km. Raise max_distance_m knowing what the error is, or pass a SiteClimate of your own"
        )
    near_m = np.maximum(distance_m[order[:-1]], _SAME_PLACE_M)
    reach_m = max(float(distance_m[order[-1]]), 2.0 * _SAME_PLACE_M)
    weight = ((reach_m - near_m) / (reach_m * near_m)) ** 2
    weight /= weight.sum()

    def mean(field: str) -> float:
        return float(weight @ columns[field][order[:-1]])

    values = {field: mean(field) for field in _LINEAR}
    values |= {field: math.exp(mean(field)) for field in _LOGARITHMIC}
    values |= {field: math.exp(mean(field) - alt_m / _VAPOUR_SCALE_HEIGHT_M) for field in _WITH_HEIGHT}
    return SiteClimate(
        name=f"interpolated:{math.degrees(lat_rad):.3f},{math.degrees(lon_rad):.3f}",
        lat_rad=lat_rad,
        lon_rad=lon_rad,
        alt_m=alt_m,
        **values,
    )
