"""Independent points with uniform density: binomial and Poisson point processes on a sphere and on a spherical cap."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.stochastic.checks import require_positive, require_range
from ntn_gym.physics.stochastic.count_laws import Law
from ntn_gym.physics.stochastic.points import Points, draw_present, place
from ntn_gym.physics.stochastic.sphere import offset_direction


def mean_number_on_sphere(density_per_m2: float, radius_m: float) -> float:
    """Return the mean number of points on a sphere, N = lambda 4 pi r^2.

    Source: WKA section II-A1, equation 2.

    Args:
        density_per_m2: Density in 1/m^2, at least 0.
        radius_m: Radius of the sphere in m, > 0.

    Returns:
        Mean number.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("density_per_m2", density_per_m2, 0.0, unit="1/m^2")
    require_positive("radius_m", radius_m, "m")
    return density_per_m2 * 4.0 * math.pi * radius_m**2


def sample_sphere(
    generator: np.random.Generator, mean_n: float, radius_m: float, law: Law = "binomial", shape: tuple[int, ...] = ()
) -> Points:
    """Draw a homogeneous binomial (BPP) or Poisson (PPP) point process on a sphere.

    Azimuth phi = 2 pi u, polar angle theta = arccos(1 - 2 v), so that cos theta is uniform in [-1, 1].

    Source: WKA section II-A1 (PPP), II-A2 and Algorithm 1 (BPP), equations 1 and 3. Equation 4 prints
    theta = 1 - arccos(1 - 2 v); the "1 -" is a misprint, Algorithm 1 has it right.

    Args:
        generator: Source of random numbers.
        mean_n: Number of points, whole (binomial), or mean number (Poisson).
        radius_m: Distance of the points from the Earth's centre in m, > 0.
        law: "binomial" or "poisson".
        shape: Batch shape.

    Returns:
        Points in Earth-centred axes, [*shape, n].

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_positive("radius_m", radius_m, "m")
    present = draw_present(generator, mean_n, law, shape)
    uniform = generator.random((*present.shape, 2))
    azimuth, cosine = 2.0 * math.pi * uniform[..., 0], 1.0 - 2.0 * uniform[..., 1]
    across = np.sqrt((1.0 - cosine) * (1.0 + cosine))
    direction = np.stack((across * np.cos(azimuth), across * np.sin(azimuth), cosine), axis=-1)
    return place(radius_m * direction, present)


def sample_cap(
    generator: np.random.Generator,
    mean_n: float,
    radius_m: float,
    centre: NDArray[np.float64],
    half_angle_rad: float,
    law: Law = "binomial",
    shape: tuple[int, ...] = (),
) -> Points:
    """Draw a homogeneous binomial or Poisson point process on a spherical cap: HAPS or base stations of a region.

    theta = arccos(1 - u (1 - cos theta_c)) about the centre, evaluated as 2 arcsin(sqrt(u) sin(theta_c / 2)).

    Source: WKA section III-C1, equation 15; HAP models of WKA table V.

    Args:
        generator: Source of random numbers.
        mean_n: Number of points in the cap, whole (binomial), or mean number (Poisson).
        radius_m: Distance of the points from the Earth's centre in m, > 0.
        centre: Direction of the centre of the cap from the Earth's centre, broadcastable to [*shape, 3].
        half_angle_rad: Central angle from the centre of the cap to its edge in rad, in [0, pi].
        law: "binomial" or "poisson".
        shape: Batch shape.

    Returns:
        Points in Earth-centred axes, [*shape, n].

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_positive("radius_m", radius_m, "m")
    require_range("half_angle_rad", half_angle_rad, 0.0, math.pi, "rad")
    present = draw_present(generator, mean_n, law, shape)
    uniform = generator.random((*present.shape, 2))
    angle = 2.0 * np.arcsin(np.sqrt(uniform[..., 0]) * math.sin(half_angle_rad / 2.0))
    axis = np.asarray(centre, dtype=np.float64)[..., None, :]
    direction = offset_direction(axis, angle, 2.0 * math.pi * uniform[..., 1])
    return place(radius_m * direction, present)
