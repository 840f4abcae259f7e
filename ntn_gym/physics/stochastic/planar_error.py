"""The error of treating a spherical cap of platforms as a flat disc."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.physics.stochastic.checks import require_positive, require_range
from ntn_gym.physics.stochastic.sphere import chord_m


def matched_distances_m(
    share: ArrayLike,
    half_angle_rad: ArrayLike,
    alt_m: ArrayLike,
    plane_height_m: ArrayLike,
    earth_radius_m: float = EARTH_MEAN_RADIUS_M,
) -> tuple[Array, Array]:
    """Return the distances from a user to a platform on a spherical cap and to its image on a disc.

    Both hold the same share u of all platforms nearer to the zenith: polar angle arccos(1 - u (1 - cos theta_c)) on the
    cap, radius sqrt(u) r sin theta_c on the disc.

    Source: WKA section III-C1, equations 14 to 16. It calls the central angle of the cap 2 theta_c, but the values that
    it prints in section III-C2 (4.5, 22 and 76 degrees to the horizon) are half angles.

    Args:
        share: Share u in [0, 1], uniform for random platforms, [...].
        half_angle_rad: Central angle theta_c from the zenith to the edge of the cap in rad, in [0, pi/2], [...].
        alt_m: Height of the platforms in m, > 0, [...].
        plane_height_m: Height of the disc above the user's horizontal plane in m; h_planar of WKA minus the Earth's
            radius, [...].
        earth_radius_m: Radius of the Earth in m.

    Returns:
        Distance on the sphere and in the plane in m, each [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("share", share, 0.0, 1.0)
    require_range("half_angle_rad", half_angle_rad, 0.0, math.pi / 2.0, "rad")
    require_positive("alt_m", alt_m, "m")
    xp, u, half_angle, alt, height = promote(share, half_angle_rad, alt_m, plane_height_m)
    radius_m = earth_radius_m + alt
    angle = 2.0 * xp.asin(xp.sqrt(u) * xp.sin(half_angle / 2.0))
    spherical_m = chord_m(angle, radius_m, xp.full_like(radius_m, earth_radius_m))
    planar_m = xp.hypot(xp.sqrt(u) * radius_m * xp.sin(half_angle), height)
    return spherical_m, planar_m


def mean_planar_error(
    half_angle_rad: float, alt_m: float, plane_height_m: float, earth_radius_m: float = EARTH_MEAN_RADIUS_M
) -> float:
    """Return the mean relative error of distance of the planar model, for many platforms.

    The mean over u of |d_spherical - d_planar| / d_spherical: WKA's average over N platforms for N to infinity. Both
    squared distances are linear in u, so that they cross at most once; the integral is split there. NumPy only.

    Source: WKA section III-C2, equation 17, as a ratio (not in per cent).

    Args:
        half_angle_rad: Central angle from the zenith to the edge of the cap in rad, in (0, pi/2].
        alt_m: Height of the platforms in m, > 0.
        plane_height_m: Height of the disc above the user's horizontal plane in m.
        earth_radius_m: Radius of the Earth in m.

    Returns:
        Mean relative error.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("half_angle_rad", half_angle_rad, 1e-9, math.pi / 2.0, "rad")
    require_positive("alt_m", alt_m, "m")
    radius_m = earth_radius_m + alt_m
    slope_spherical = 4.0 * radius_m * earth_radius_m * math.sin(half_angle_rad / 2.0) ** 2
    slope_planar = (radius_m * math.sin(half_angle_rad)) ** 2

    # Over the root of u, of which the distances are smooth functions even for a disc at the user's height.
    def error(root: float) -> float:
        planar = (slope_planar * root**2 + plane_height_m**2) / (slope_spherical * root**2 + alt_m**2)
        return 2.0 * root * abs(1.0 - math.sqrt(planar))

    turn = slope_planar - slope_spherical
    crossing = (alt_m**2 - plane_height_m**2) / turn if turn != 0.0 else 0.0
    # A disc at the edge of the cap crosses at u = 1 but for rounding; the sliver beyond has no area to integrate.
    ends = [0.0, math.sqrt(crossing), 1.0] if 1e-9 < crossing < 1.0 - 1e-9 else [0.0, 1.0]
    pieces = (quad(error, low, high, epsabs=1e-12, limit=200)[0] for low, high in pairwise(ends))
    return float(sum(pieces))


def least_planar_error(
    half_angle_rad: float, alt_m: float, earth_radius_m: float = EARTH_MEAN_RADIUS_M
) -> tuple[float, float]:
    """Return the smallest mean relative error of the planar model, over the height of the disc.

    The disc lies between the edge and the top of the cap, r cos theta_c < h < r. A grid finds the valley, bounded
    scalar minimisation its bottom. NumPy only.

    Source: WKA section III-C2 (h_planar is the value that minimises the error).

    Args:
        half_angle_rad: Central angle from the zenith to the edge of the cap in rad, in (0, pi/2].
        alt_m: Height of the platforms in m, > 0.
        earth_radius_m: Radius of the Earth in m.

    Returns:
        Mean relative error, and the height of the disc above the user's horizontal plane in m.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("half_angle_rad", half_angle_rad, 1e-9, math.pi / 2.0, "rad")
    require_positive("alt_m", alt_m, "m")
    depth_m = 2.0 * (earth_radius_m + alt_m) * math.sin(half_angle_rad / 2.0) ** 2
    heights_m = alt_m - depth_m * np.linspace(1.0, 0.0, 33)
    best = int(np.argmin([mean_planar_error(half_angle_rad, alt_m, float(h), earth_radius_m) for h in heights_m]))
    found = minimize_scalar(
        lambda h: mean_planar_error(half_angle_rad, alt_m, float(h), earth_radius_m),
        bounds=(float(heights_m[max(best - 1, 0)]), float(heights_m[min(best + 1, 32)])),
        method="bounded",
        options={"xatol": 1e-7 * depth_m},
    )
    return float(found.fun), float(found.x)
