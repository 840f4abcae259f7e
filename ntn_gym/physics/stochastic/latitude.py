"""Independent points whose density depends on latitude: inclined shells, polar constellations, tabulated profiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.stochastic.checks import require_positive, require_range
from ntn_gym.physics.stochastic.count_laws import Law
from ntn_gym.physics.stochastic.points import Points, draw_present, place

FloatArray = NDArray[Any]


def shell_latitude_cdf(lat_rad: ArrayLike, inclination_rad: ArrayLike) -> Array:
    """Return the probability that a satellite of an inclined shell is south of a latitude.

    1/2 + arcsin(sin phi / sin i) / pi: sin phi = sin i sin u with a uniform argument of latitude u. A polar shell
    (i = 90 degrees) has a uniform latitude, which is the non-homogeneous BPP of WKA section II-A3.

    Source: N. Okati and T. Riihonen, "Nonhomogeneous stochastic geometry analysis of massive LEO communication
    constellations", IEEE Transactions on Communications 70(3), 2022.

    Args:
        lat_rad: Geocentric latitude in rad in [-pi/2, pi/2], [...].
        inclination_rad: Inclination of the orbits in rad, in (0, pi), [...].

    Returns:
        Probability, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("lat_rad", lat_rad, -math.pi / 2.0, math.pi / 2.0, "rad")
    _require_inclination(inclination_rad)
    xp, lat, inclination = promote(lat_rad, inclination_rad)
    return 0.5 + xp.asin(xp.clip(xp.sin(lat) / xp.sin(inclination), -1.0, 1.0)) / math.pi


def shell_relative_density(lat_rad: ArrayLike, inclination_rad: ArrayLike) -> Array:
    """Return the areal density of an inclined shell as a multiple of the mean density N / (4 pi r^2).

    (2 / pi) / sqrt(sin^2 i - sin^2 phi) below the latitude of the inclination, 0 above it. The density of the latitude
    itself is this times cos(phi) / 2.

    Source: Okati and Riihonen 2022 (see `shell_latitude_cdf`): N / (sqrt(2) pi^2 r^2 sqrt(cos 2 phi - cos 2 i)).

    Args:
        lat_rad: Geocentric latitude in rad in [-pi/2, pi/2], [...]. At the very latitude of the inclination the density
            is infinite.
        inclination_rad: Inclination of the orbits in rad, in (0, pi), [...].

    Returns:
        Ratio, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("lat_rad", lat_rad, -math.pi / 2.0, math.pi / 2.0, "rad")
    _require_inclination(inclination_rad)
    xp, lat, inclination = promote(lat_rad, inclination_rad)
    # The smaller angle to the equator; sin^2 i - sin^2 phi = sin(i - phi) sin(i + phi) does not cancel.
    tilt = xp.atan2(xp.sin(inclination), xp.abs(xp.cos(inclination)))
    product = xp.sin(tilt - lat) * xp.sin(tilt + lat)
    occupied = product > 0.0
    root = xp.sqrt(xp.where(occupied, product, xp.ones_like(product)))
    at_edge = xp.where(product == 0.0, xp.full_like(product, math.inf), xp.zeros_like(product))
    return xp.where(occupied, (2.0 / math.pi) / root, at_edge)


def sample_shell(
    generator: np.random.Generator,
    mean_n: float,
    radius_m: float,
    inclination_rad: float,
    law: Law = "binomial",
    shape: tuple[int, ...] = (),
) -> Points:
    """Draw independent points with the latitudes of satellites on circular orbits of one inclination.

    sin phi = sin i sin u with u uniform; longitude uniform. With 90 degrees it is the non-homogeneous BPP of polar
    constellations (uniform polar angle), with the Poisson law the non-homogeneous PPP.

    Source: WKA section II-A3; Okati and Riihonen 2022 (see `shell_latitude_cdf`).

    Args:
        generator: Source of random numbers.
        mean_n: Number of points, whole (binomial), or mean number (Poisson).
        radius_m: Distance of the points from the Earth's centre in m, > 0.
        inclination_rad: Inclination of the orbits in rad, in (0, pi).
        law: "binomial" or "poisson".
        shape: Batch shape.

    Returns:
        Points in Earth-centred axes, [*shape, n].

    Raises:
        ValueError: If an argument is outside its range.
    """
    _require_inclination(inclination_rad)
    require_positive("radius_m", radius_m, "m")
    present = draw_present(generator, mean_n, law, shape)
    uniform = generator.random((*present.shape, 2))
    sin_lat = math.sin(inclination_rad) * np.sin(2.0 * math.pi * uniform[..., 0])
    return _at_sin_latitude(sin_lat, 2.0 * math.pi * uniform[..., 1], radius_m, present)


@dataclass(frozen=True)
class LatitudeProfile:
    """Areal density of points as a function of latitude: nodes, linear in between in the sine of the latitude.

    The area of a zone is proportional to the difference of the sines, so that the number of points north of a latitude
    is a piecewise quadratic function of the sine and can be inverted exactly. South of the first and north of the last
    node there are no points.

    Source: latitude-dependent PPP of N. Okati and T. Riihonen, "Modeling and analysis of LEO mega-constellations as
    nonhomogeneous Poisson point processes", VTC2021-Spring (WKA section II-A3).

    Attributes:
        lat_rad: Geocentric latitudes of the nodes in rad, increasing, in [-pi/2, pi/2], [n], n at least 2.
        density_per_m2: Density at the nodes in 1/m^2 on the sphere of the points, not negative, not all zero, [n].
    """

    lat_rad: tuple[float, ...]
    density_per_m2: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the nodes.

        Raises:
            ValueError: If they do not describe a density.
        """
        if len(self.lat_rad) < 2 or len(self.lat_rad) != len(self.density_per_m2):
            raise ValueError(
                f"lat_rad, density_per_m2: got {len(self.lat_rad)} and {len(self.density_per_m2)} nodes; "
                "must be equally many, at least 2"
            )
        require_range("lat_rad", self.lat_rad, -math.pi / 2.0, math.pi / 2.0, "rad")
        require_range("density_per_m2", self.density_per_m2, 0.0, 1e300, "1/m^2")
        if any(after <= before for before, after in pairwise(self.lat_rad)):
            raise ValueError(f"lat_rad: got {self.lat_rad}; must increase from node to node")
        if max(self.density_per_m2) == 0.0:
            raise ValueError("density_per_m2: is zero at every node; must be above 0 at one of them")

    def _zones(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sines of the nodes, density at the nodes, and its integral over the sine from the first node."""
        sine, density = np.sin(np.asarray(self.lat_rad)), np.asarray(self.density_per_m2)
        areas = np.diff(sine) * (density[1:] + density[:-1]) / 2.0
        return sine, density, np.concatenate(([0.0], np.cumsum(areas)))

    def mean_number(self, radius_m: float) -> float:
        """Return the mean number of points on the sphere, 2 pi r^2 times the integral of the density over sin(lat).

        Args:
            radius_m: Radius of the sphere in m, > 0.

        Returns:
            Mean number.
        """
        require_positive("radius_m", radius_m, "m")
        return float(2.0 * math.pi * radius_m**2 * self._zones()[2][-1])

    def density(self, lat_rad: FloatArray | float) -> FloatArray:
        """Return the density at latitudes.

        Args:
            lat_rad: Geocentric latitude in rad, [...].

        Returns:
            Density in 1/m^2, [...].
        """
        sine, density, _ = self._zones()
        values: FloatArray = np.interp(np.sin(lat_rad), sine, density, left=0.0, right=0.0)
        return values

    def latitude_cdf(self, lat_rad: FloatArray | float) -> FloatArray:
        """Return the probability that a point is south of a latitude.

        Args:
            lat_rad: Geocentric latitude in rad in [-pi/2, pi/2], [...].

        Returns:
            Probability, [...].
        """
        sine, density, integral = self._zones()
        s = np.clip(np.sin(lat_rad), sine[0], sine[-1])
        zone = np.clip(np.searchsorted(sine, s, side="right") - 1, 0, len(sine) - 2)
        part = (s - sine[zone]) * (density[zone] + np.interp(s, sine, density)) / 2.0
        probability: FloatArray = np.clip((integral[zone] + part) / integral[-1], 0.0, 1.0)
        return probability

    def latitude_quantile(self, probability: FloatArray | float) -> FloatArray:
        """Return the latitude south of which a point is with a probability, the inverse of `latitude_cdf`.

        Args:
            probability: Probability in [0, 1], [...].

        Returns:
            Geocentric latitude in rad, [...].
        """
        require_range("probability", probability, 0.0, 1.0)
        sine, density, integral = self._zones()
        target = np.asarray(probability, dtype=np.float64) * integral[-1]
        zone = np.clip(np.searchsorted(integral, target, side="right") - 1, 0, len(sine) - 2)
        rest = target - integral[zone]
        slope = (density[zone + 1] - density[zone]) / (sine[zone + 1] - sine[zone])
        root = np.sqrt(np.maximum(density[zone] ** 2 + 2.0 * slope * rest, 0.0))
        # The form of the quadratic formula without cancellation; 0 / 0 only where the rest is 0.
        below = density[zone] + root
        step = 2.0 * rest / np.where(below > 0.0, below, 1.0)
        latitude: FloatArray = np.arcsin(np.clip(np.minimum(sine[zone] + step, sine[zone + 1]), -1.0, 1.0))
        return latitude


def sample_profile(
    generator: np.random.Generator,
    profile: LatitudeProfile,
    radius_m: float,
    n: int | None = None,
    shape: tuple[int, ...] = (),
) -> Points:
    """Draw points with a density that depends on latitude.

    Source: WKA section II-A3 (non-homogeneous PPP: the distribution of the polar angle is changed).

    Args:
        generator: Source of random numbers.
        profile: Density by latitude.
        radius_m: Distance of the points from the Earth's centre in m, > 0.
        n: Fixed number of points (non-homogeneous BPP); None for a Poisson number with the mean of the profile (PPP).
        shape: Batch shape.

    Returns:
        Points in Earth-centred axes, [*shape, n].

    Raises:
        ValueError: If an argument is outside its range.
    """
    mean_n = profile.mean_number(radius_m)
    present = (
        draw_present(generator, mean_n, "poisson", shape)
        if n is None
        else draw_present(generator, n, "binomial", shape)
    )
    uniform = generator.random((*present.shape, 2))
    sin_lat = np.sin(profile.latitude_quantile(uniform[..., 0]))
    return _at_sin_latitude(sin_lat, 2.0 * math.pi * uniform[..., 1], radius_m, present)


def _require_inclination(inclination_rad: ArrayLike) -> None:
    require_range(
        "inclination_rad", inclination_rad, 1e-6, math.pi - 1e-6, "rad (an equatorial orbit is a line process)"
    )


def _at_sin_latitude(sin_lat: FloatArray, lon_rad: FloatArray, radius_m: float, present: NDArray[np.bool_]) -> Points:
    across = np.sqrt((1.0 - sin_lat) * (1.0 + sin_lat))
    direction = np.stack((across * np.cos(lon_rad), across * np.sin(lon_rad), sin_lat), axis=-1)
    return place(radius_m * direction, present)
