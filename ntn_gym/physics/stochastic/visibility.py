"""How many independent platforms a user sees: mean and variance, availability, K-availability, K-localizability."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.physics.geometry import coverage_half_angle_rad
from ntn_gym.physics.stochastic.caps import cap_probability
from ntn_gym.physics.stochastic.checks import require_positive, require_range
from ntn_gym.physics.stochastic.count_laws import Law, any_probability, at_least_probability, require_law

FloatArray = NDArray[Any]

Detection = Callable[[FloatArray], FloatArray]
"""Probability that a platform at a central angle in rad is detected, [...] -> [...]; say, that its SNR suffices."""


def visible_angle_rad(
    alt_m: ArrayLike, min_elev_rad: ArrayLike = 0.0, earth_radius_m: float = EARTH_MEAN_RADIUS_M
) -> Array:
    """Return the largest central angle at which a platform is visible, theta_c^max.

    Source: WKA section III-A (only platforms above the horizon can be associated); `geometry.coverage_half_angle_rad`.

    Args:
        alt_m: Height of the platforms in m, > 0, [...].
        min_elev_rad: Smallest usable elevation in rad in [0, pi/2], [...].
        earth_radius_m: Radius of the Earth in m.

    Returns:
        Central angle in rad, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_positive("alt_m", alt_m, "m")
    require_range("min_elev_rad", min_elev_rad, 0.0, math.pi / 2.0, "rad")
    return coverage_half_angle_rad(min_elev_rad, alt_m, earth_radius_m)


def mean_visible(mean_n: ArrayLike, max_angle_rad: ArrayLike) -> Array:
    """Return the mean number of visible platforms, N (1 - cos theta_max) / 2; the same for every homogeneous process.

    Source: WKA section III-B2, equation 8 (also for PPP, Cox and DSBPP, which have the same mean density everywhere).

    Args:
        mean_n: Mean number of platforms on the sphere, at least 0, [...].
        max_angle_rad: Largest visible central angle in rad in [0, pi], [...].

    Returns:
        Mean number, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("mean_n", mean_n, 0.0)
    _, number, angle = promote(mean_n, max_angle_rad)
    return number * cap_probability(angle)


def visible_variance(mean_n: ArrayLike, max_angle_rad: ArrayLike, law: Law = "binomial") -> Array:
    """Return the variance of the number of visible platforms, N p (1 - p) (binomial) or N p (Poisson).

    Source: variances of the binomial and the Poisson distribution.

    Args:
        mean_n: Number of platforms (binomial) or mean number (Poisson), [...].
        max_angle_rad: Largest visible central angle in rad in [0, pi], [...].
        law: "binomial" or "poisson".

    Returns:
        Variance, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_law(law, mean_n)
    _, number, angle = promote(mean_n, max_angle_rad)
    p = cap_probability(angle)
    return number * p * (1.0 - p) if law == "binomial" else number * p


def availability(mean_n: ArrayLike, max_angle_rad: ArrayLike, law: Law = "binomial") -> Array:
    """Return the probability that at least one platform is visible.

    1 - ((1 + cos theta_max) / 2)^N (BPP) or 1 - exp(-N (1 - cos theta_max) / 2) (PPP).

    Source: WKA section III-B3, equation 12.

    Args:
        mean_n: Number of platforms (binomial) or mean number (Poisson), [...].
        max_angle_rad: Largest visible central angle in rad in [0, pi], [...].
        law: "binomial" or "poisson".

    Returns:
        Probability, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range.
    """
    _, number, angle = promote(mean_n, max_angle_rad)
    return any_probability(cap_probability(angle), number, law)


def k_availability(
    k: FloatArray | int,
    mean_n: FloatArray | float,
    max_angle_rad: FloatArray | float,
    law: Law = "binomial",
) -> FloatArray:
    """Return the probability that at least K platforms are visible.

    Source: WKA section III-B3, equation 13. NumPy only.

    Args:
        k: Number of platforms asked for, [...].
        mean_n: Number of platforms (binomial) or mean number (Poisson), [...].
        max_angle_rad: Largest visible central angle in rad in [0, pi], [...].
        law: "binomial" or "poisson".

    Returns:
        Probability, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    return at_least_probability(k, cap_probability(max_angle_rad), mean_n, law)


def detected_probability(detection: Detection, max_angle_rad: float) -> float:
    """Return the probability that one uniform platform of the sphere is visible and detected.

    The integral of detection(theta) sin(theta) / 2 from 0 to theta_max, by adaptive quadrature. NumPy only.

    Source: WKA equations 1 (density of the angle) and 39 (event SINR > threshold, SINR 0 below the horizon).

    Args:
        detection: Probability of detection at a central angle; between 0 and 1.
        max_angle_rad: Largest visible central angle in rad in (0, pi].

    Returns:
        Probability.

    Raises:
        ValueError: If the angle is outside its range, or `detection` returns something that is no probability.
    """
    require_range("max_angle_rad", max_angle_rad, 1e-12, math.pi, "rad")

    def integrand(angle: float) -> float:
        return float(checked_detection(detection, np.asarray(angle))) * math.sin(angle) / 2.0

    return float(quad(integrand, 0.0, max_angle_rad, epsabs=1e-11, epsrel=1e-10, limit=200)[0])


def localizability(
    k: FloatArray | int,
    mean_n: FloatArray | float,
    detection: Detection,
    max_angle_rad: float,
    law: Law = "binomial",
) -> FloatArray:
    """Return the probability that a user detects at least K of independent platforms without mutual interference.

    The number of detected platforms is binomial (or Poisson) with the probability of `detected_probability`.

    Source: WKA section V-E3, which describes this event. Equation 39 prints a product over k of P[SINR_k > gamma]
    instead; the events of ranked platforms are not independent, so that the product is not the probability of the
    event. For orbits see `orbit_statistics`. NumPy only.

    Args:
        k: Number of platforms asked for, [...].
        mean_n: Number of platforms (binomial) or mean number (Poisson), [...].
        detection: Probability of detection at a central angle; between 0 and 1.
        max_angle_rad: Largest visible central angle in rad in (0, pi].
        law: "binomial" or "poisson".

    Returns:
        Probability, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    return at_least_probability(k, detected_probability(detection, max_angle_rad), mean_n, law)


def checked_detection(detection: Detection, angle_rad: FloatArray) -> FloatArray:
    """Return the detection probability at angles after a check of what the caller's function returned.

    Args:
        detection: Probability of detection at a central angle.
        angle_rad: Central angles in rad, [...].

    Returns:
        Probability, [...].

    Raises:
        ValueError: If it is no probability.
    """
    probability = np.asarray(detection(angle_rad), dtype=np.float64)
    require_range("detection", probability, 0.0, 1.0)
    return probability
