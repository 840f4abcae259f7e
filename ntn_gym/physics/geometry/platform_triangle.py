"""The triangle of the Earth's centre, a terminal on a spherical Earth and a platform above it."""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.physics.validity import refuse_negative, refuse_non_positive


def slant_range_m(elev_rad: ArrayLike, alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M) -> Array:
    """Return the distance from a terminal on a spherical Earth to a platform seen at an elevation.

    d = sqrt(R^2 sin^2 a + h^2 + 2 h R) - R sin a, evaluated as (h^2 + 2 h R) / (sqrt(...) + R sin a) where
    sin a > 0, which does not cancel at low altitudes.

    Source: 3GPP TR 38.811 clause 6.6.2, equation 6.6-3.

    Args:
        elev_rad: Elevation in rad, at or above the horizon, [...].
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Slant range in m, [...].

    Raises:
        ValueError: If an elevation is below the horizon or an altitude not positive.
    """
    xp, elev, alt = promote(elev_rad, alt_m)
    refuse_non_positive("alt_m", alt, "m")
    refuse_negative("elev_rad", elev, "rad", tolerance=1e-6)
    rise_m = earth_radius_m * xp.sin(elev)
    square_m2 = alt * (alt + 2.0 * earth_radius_m)
    return square_m2 / (xp.sqrt(rise_m**2 + square_m2) + rise_m)


def central_angle_rad(elev_rad: ArrayLike, alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M) -> Array:
    """Return the angle at the Earth's centre between a terminal and the point below a platform.

    psi = acos(R cos a / (R + h)) - a, evaluated as atan2(d cos a, R + d sin a) with the slant range d, which
    keeps its precision near the zenith.

    Source: J. R. Wertz and W. J. Larson, Space Mission Analysis and Design, 3rd ed., section 5.2.

    Args:
        elev_rad: Elevation in rad in [0, pi/2], [...].
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Central angle in rad, [...].
    """
    xp, elev, alt = promote(elev_rad, alt_m)
    distance_m = slant_range_m(elev, alt, earth_radius_m)
    return xp.atan2(distance_m * xp.cos(elev), earth_radius_m + distance_m * xp.sin(elev))


def elevation_from_central_angle_rad(
    central_rad: ArrayLike, alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M
) -> Array:
    """Return the elevation of a platform from the angle at the Earth's centre; negative below the horizon.

    tan a = (cos psi - R / (R + h)) / sin psi, evaluated with 1 - cos psi = 2 sin^2(psi / 2). Valid for every
    psi in [0, pi]: the result runs from pi/2 (overhead) to -pi/2 (other side of the Earth).

    Source: Wertz and Larson, Space Mission Analysis and Design, 3rd ed., section 5.2 (spherical Earth).

    Args:
        central_rad: Central angle in rad in [0, pi], [...].
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Elevation in rad, [...].
    """
    xp, central, alt = promote(central_rad, alt_m)
    refuse_non_positive("alt_m", alt, "m")
    above = alt / (earth_radius_m + alt) - 2.0 * xp.sin(central / 2.0) ** 2
    return xp.atan2(above, xp.sin(central))


def nadir_angle_rad(elev_rad: ArrayLike, alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M) -> Array:
    """Return the angle at the platform between the nadir and a terminal that sees it at an elevation.

    sin eta = R cos a / (R + h).

    Source: Wertz and Larson, Space Mission Analysis and Design, 3rd ed., section 5.2.

    Args:
        elev_rad: Elevation in rad in [0, pi/2], [...].
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Nadir angle in rad, [...].
    """
    # atan2 of the same triangle: asin() loses half of the digits where the Earth's limb is at 90 degrees (alt
    # -> 0).
    _, elev, alt = promote(elev_rad, alt_m)
    xp, central = promote(central_angle_rad(elev, alt, earth_radius_m))
    return xp.atan2(
        earth_radius_m * xp.sin(central) * xp.ones_like(alt),
        alt + 2.0 * earth_radius_m * xp.sin(central / 2.0) ** 2,
    )


def horizon_half_angle_rad(alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M) -> Array:
    """Return the nadir angle of the Earth's limb, sin rho = R / (R + h).

    Source: Wertz and Larson, Space Mission Analysis and Design, 3rd ed., section 5.2 (angular radius of the
    Earth).

    Args:
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Half-angle in rad, [...].
    """
    return nadir_angle_rad(0.0, alt_m, earth_radius_m)


def coverage_half_angle_rad(
    min_elev_rad: ArrayLike, alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M
) -> Array:
    """Return the central angle from the sub-platform point to the edge of coverage.

    The same quantity as `central_angle_rad` at the smallest usable elevation; the name states the intent.

    Source: J. R. Wertz and W. J. Larson, Space Mission Analysis and Design, 3rd ed., section 5.2 (Earth central
    angle of the edge of coverage).

    Args:
        min_elev_rad: Smallest usable elevation in rad in [0, pi/2], [...].
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Central angle in rad, [...].
    """
    return central_angle_rad(min_elev_rad, alt_m, earth_radius_m)


def footprint_area_m2(min_elev_rad: ArrayLike, alt_m: ArrayLike, earth_radius_m: float = EARTH_MEAN_RADIUS_M) -> Array:
    """Return the area of the spherical cap that a platform covers.

    2 pi R^2 (1 - cos psi) = 4 pi R^2 sin^2(psi / 2), psi the coverage half-angle at the Earth's centre.

    Source: J. R. Wertz and W. J. Larson, Space Mission Analysis and Design, 3rd ed., section 7.2 (area of a
    spherical cap).

    Args:
        min_elev_rad: Smallest usable elevation in rad in [0, pi/2], [...].
        alt_m: Height of the platform above the sphere in m, > 0, [...].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Area on the sphere in m^2, [...].
    """
    xp, half_angle = promote(coverage_half_angle_rad(min_elev_rad, alt_m, earth_radius_m))
    return 4.0 * math.pi * earth_radius_m**2 * xp.sin(half_angle / 2.0) ** 2
