"""Probability that one point is within an angle of a user, for each kind of point process.

With the law of the number of points (`count_laws`) these give contact angles, availability and K-availability.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.stochastic.checks import require_range
from ntn_gym.physics.stochastic.latitude import LatitudeProfile, shell_latitude_cdf

FloatArray = NDArray[Any]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


def cap_probability(angle_rad: ArrayLike, deployed_half_angle_rad: float = math.pi) -> Array:
    """Return the probability that a uniform point of a sphere, or of a cap about the user, is within an angle of it.

    (1 - cos theta) / (1 - cos theta_c) = sin^2(theta / 2) / sin^2(theta_c / 2), 1 beyond the edge; theta_c = pi is the
    sphere. It is also the distribution of the angle to a random one of the visible points (random association of a
    cell-free network) when theta_c is the largest visible angle.

    Source: WKA section III-B2, equation 8, and section III-C1, equation 15.

    Args:
        angle_rad: Central angle in rad in [0, pi], [...].
        deployed_half_angle_rad: Central angle to the edge of the cap on which the points are, in rad, in (0, pi].

    Returns:
        Probability, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range.
    """
    _require_angle(angle_rad)
    require_range("deployed_half_angle_rad", deployed_half_angle_rad, 1e-9, math.pi, "rad")
    xp, angle = promote(angle_rad)
    ratio = xp.sin(angle / 2.0) / math.sin(deployed_half_angle_rad / 2.0)
    return xp.clip(ratio * ratio, 0.0, 1.0)


def orbit_cap_probability(angle_rad: ArrayLike, plane_offset_rad: ArrayLike) -> Array:
    """Return the probability that a uniform point of a circular orbit is within an angle of the user.

    arccos(cos theta / cos delta) / pi with delta the user's angle from the orbital plane, 0 for theta < delta; it is
    the user's latitude for the geostationary belt. Evaluated by its half-angle form, which does not cancel.

    Source: D.-H. Jung et al., "Modeling and analysis of GEO satellite networks", 2023 (WKA section II-D).

    Args:
        angle_rad: Central angle in rad in [0, pi], [...].
        plane_offset_rad: Angle between the user's direction and the orbital plane in rad in [-pi/2, pi/2], [...].

    Returns:
        Probability, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range.
    """
    _require_angle(angle_rad)
    require_range("plane_offset_rad", plane_offset_rad, -math.pi / 2.0, math.pi / 2.0, "rad")
    xp, angle, offset = promote(angle_rad, plane_offset_rad)
    square = xp.sin((angle - offset) / 2.0) * xp.sin((angle + offset) / 2.0) / xp.cos(offset)
    return (2.0 / math.pi) * xp.asin(xp.sqrt(xp.clip(square, 0.0, 1.0)))


def shell_cap_probability(
    angle_rad: FloatArray | float, user_lat_rad: FloatArray | float, inclination_rad: float
) -> FloatArray:
    """Return the probability that a satellite of an inclined shell is within an angle of a user at a latitude.

    The mean over the satellite's latitude phi of Delta / pi, where the circle about the user spans the longitudes
    +-Delta at phi: sin^2(Delta / 2) = sin((theta - d) / 2) sin((theta + d) / 2) / (cos phi cos phi_u), d = phi - phi_u.
    The integral over u (sin phi = sin i sin u) is split where Delta leaves 0 or reaches pi, and each piece is
    integrated by Gauss-Legendre quadrature after x = m + h sin t, which removes its square-root ends; error below
    1e-12, but 1e-7 for polar orbits where the circle passes within 0.1 degrees of a pole.

    Source: WKA section II-A3 (performance as a function of latitude); derived from the density of
    `latitude.shell_latitude_cdf`. NumPy only.

    Args:
        angle_rad: Central angle in rad in [0, pi], [...].
        user_lat_rad: Geocentric latitude of the user in rad in [-pi/2, pi/2], [...].
        inclination_rad: Inclination of the orbits in rad, in (0, pi).

    Returns:
        Probability, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    _require_angle(angle_rad)
    require_range("user_lat_rad", user_lat_rad, -math.pi / 2.0, math.pi / 2.0, "rad")
    angle, user_lat = np.broadcast_arrays(np.asarray(angle_rad, dtype=np.float64), user_lat_rad)
    # The share of the orbit south of the edges of the band of latitudes, as an argument of latitude in [-pi/2, pi/2].
    edges = np.clip(_band_edges(angle, user_lat), -math.pi / 2.0, math.pi / 2.0)
    breaks = math.pi * (shell_latitude_cdf(edges, inclination_rad) - 0.5)

    def share(argument: FloatArray) -> FloatArray:
        lat = np.arcsin(math.sin(inclination_rad) * np.sin(argument))
        return _longitude_share(lat, angle[..., None, None], user_lat[..., None, None]) / math.pi

    return _integrate(breaks, -math.pi / 2.0, math.pi / 2.0, share)


def profile_cap_probability(
    angle_rad: FloatArray | float, user_lat_rad: FloatArray | float, profile: LatitudeProfile
) -> FloatArray:
    """Return the probability that a point of a latitude profile is within an angle of a user at a latitude.

    As `shell_cap_probability`, with the density of the profile and also split at its nodes.

    Source: WKA section II-A3; N. Okati and T. Riihonen, VTC2021-Spring. NumPy only.

    Args:
        angle_rad: Central angle in rad in [0, pi], [...].
        user_lat_rad: Geocentric latitude of the user in rad in [-pi/2, pi/2], [...].
        profile: Density by latitude.

    Returns:
        Probability, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    _require_angle(angle_rad)
    require_range("user_lat_rad", user_lat_rad, -math.pi / 2.0, math.pi / 2.0, "rad")
    angle, user_lat = np.broadcast_arrays(np.asarray(angle_rad, dtype=np.float64), user_lat_rad)
    nodes = np.asarray(profile.lat_rad)
    edges = _band_edges(angle, user_lat)
    breaks = np.concatenate((edges, np.broadcast_to(nodes[1:-1], (*angle.shape, len(nodes) - 2))), axis=-1)
    sphere = 1.0 / math.sqrt(2.0 * math.pi)  # radius of a sphere on which the mean number is the integral over sin(lat)
    total = profile.mean_number(sphere)

    def share(lat: FloatArray) -> FloatArray:
        covered = _longitude_share(lat, angle[..., None, None], user_lat[..., None, None])
        return profile.density(lat) * np.cos(lat) / total * covered

    return _integrate(breaks, nodes[0], nodes[-1], share)


def _band_edges(angle: FloatArray, user_lat: FloatArray) -> FloatArray:
    """Latitudes where a circle about the user begins, ends or encloses a pole, [..., 4]; some may be off the sphere."""
    return np.stack(
        (user_lat - angle, user_lat + angle, math.pi - user_lat - angle, angle - math.pi - user_lat), axis=-1
    )


def _longitude_share(lat: FloatArray, angle: FloatArray, user_lat: FloatArray) -> FloatArray:
    """Share of a circle of latitude that lies within an angle of the user, [...]."""
    apart = lat - user_lat
    # At a pole the circle of latitude is a point: either sign of the numerator then gives the right share 0 or 1.
    across = np.maximum(np.cos(lat) * np.cos(user_lat), 1e-300)
    square = np.sin((angle - apart) / 2.0) * np.sin((angle + apart) / 2.0) / across
    share: FloatArray = (2.0 / math.pi) * np.arcsin(np.sqrt(np.clip(square, 0.0, 1.0)))
    return share


def _integrate(
    breaks: FloatArray, low: float, high: float, integrand: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Integral from low to high over the pieces between breaks, [...]; the integrand takes [..., pieces, nodes]."""
    inside = np.sort(np.clip(breaks, low, high), axis=-1)
    ends = np.broadcast_to(np.array([low, high]), (*inside.shape[:-1], 2))
    grid = np.concatenate((ends[..., :1], inside, ends[..., 1:]), axis=-1)
    middle, half = (grid[..., 1:] + grid[..., :-1]) / 2.0, (grid[..., 1:] - grid[..., :-1]) / 2.0
    turn = math.pi / 2.0 * _NODES
    x = middle[..., None] + half[..., None] * np.sin(turn)
    weights = half[..., None] * np.cos(turn) * (math.pi / 2.0 * _WEIGHTS)
    total: FloatArray = np.sum(weights * integrand(x), axis=(-2, -1))
    return np.clip(total, 0.0, 1.0)


def _require_angle(angle_rad: ArrayLike) -> None:
    require_range("angle_rad", angle_rad, 0.0, math.pi, "rad")
