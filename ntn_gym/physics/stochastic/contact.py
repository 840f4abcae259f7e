"""Angle and distance to the nearest of independent, uniformly distributed platforms (contact angle and distance).

The user stands on the ground below a sphere of platforms. Every function takes the law of the number of platforms:
"binomial" (BPP of exactly N) or "poisson" (PPP of N on average). Under the Poisson law there may be no platform at all,
with probability e^-N: the contact angle is then infinite and the CDF ends at 1 - e^-N. With `within_rad` the
distributions are conditional on a platform within that angle (for example above the horizon), and end at 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.physics.stochastic.caps import cap_probability
from ntn_gym.physics.stochastic.checks import require_positive, require_range
from ntn_gym.physics.stochastic.count_laws import Law, any_probability, at_least_probability, require_law
from ntn_gym.physics.stochastic.sphere import central_angle_of_chord_rad

FloatArray = NDArray[Any]


def contact_angle_cdf(
    angle_rad: ArrayLike, mean_n: ArrayLike, law: Law = "binomial", within_rad: float = math.pi
) -> Array:
    """Return the probability that the nearest platform is within a central angle of the user.

    BPP: 1 - ((1 + cos theta) / 2)^N; PPP: 1 - exp(-N (1 - cos theta) / 2); divided by the value at `within_rad` where
    that is given.

    Source: WKA section III-B2, equation 9; it prints the event as theta <= theta_0, meant is theta_0 <= theta.

    Args:
        angle_rad: Central angle in rad in [0, pi], [...].
        mean_n: Number of platforms (binomial) or mean number (Poisson), [...].
        law: "binomial" or "poisson".
        within_rad: Condition: there is a platform within this angle, in rad in (0, pi]; pi for no condition.

    Returns:
        Probability, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range, or the condition has probability 0.
    """
    xp, angle, number = promote(angle_rad, mean_n)
    probability = any_probability(cap_probability(angle), number, law)
    if within_rad == math.pi:
        return probability
    return xp.clip(probability / _condition(number, law, within_rad), 0.0, 1.0)


def contact_angle_pdf(
    angle_rad: ArrayLike, mean_n: ArrayLike, law: Law = "binomial", within_rad: float = math.pi
) -> Array:
    """Return the density of the contact angle.

    BPP: (N / 2) sin theta ((1 + cos theta) / 2)^(N - 1); PPP: (N / 2) sin theta exp(-N (1 - cos theta) / 2).

    Source: WKA section III-B2, equation 10.

    Args:
        angle_rad: Central angle in rad in [0, pi], [...].
        mean_n: Number of platforms (binomial) or mean number (Poisson), [...].
        law: "binomial" or "poisson".
        within_rad: Condition: there is a platform within this angle, in rad in (0, pi]; pi for no condition.

    Returns:
        Density in 1/rad, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range, or the condition has probability 0.
    """
    require_law(law, mean_n)
    xp, angle, number = promote(angle_rad, mean_n)
    empty = _none_nearer(cap_probability(angle), number, law)
    density = 0.5 * number * xp.sin(angle) * empty
    if within_rad == math.pi:
        return density
    return xp.where(angle <= within_rad, density / _condition(number, law, within_rad), xp.zeros_like(density))


def contact_angle_quantile(probability: ArrayLike, mean_n: ArrayLike, law: Law = "binomial") -> Array:
    """Return the angle within which the nearest platform is with a probability, the inverse of `contact_angle_cdf`.

    theta = 2 arcsin(sqrt(p)), p = 1 - (1 - F)^(1 / N) (BPP) or -ln(1 - F) / N (PPP). Of a uniform random number it
    makes a contact angle.

    Source: inverse of WKA equation 9.

    Args:
        probability: Probability F in [0, 1]; below 1 - e^-N under the Poisson law, [...].
        mean_n: Number of platforms (binomial) or mean number (Poisson), above 0, [...].
        law: "binomial" or "poisson".

    Returns:
        Central angle in rad, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_law(law, mean_n)
    require_positive("mean_n", mean_n)
    xp, share, number = promote(probability, mean_n)
    require_range("probability", share, 0.0, 1.0)
    if law == "poisson" and bool(xp.any(share > -xp.expm1(-number))):
        raise ValueError(
            "probability: above 1 - exp(-mean_n), the probability that a Poisson process has a point at all"
        )
    # Clipped below 1, where the logarithm is infinite.
    exponent = -xp.log1p(-xp.clip(share, 0.0, 1.0 - xp.finfo(share.dtype).eps / 2.0)) / number
    p = -xp.expm1(-exponent) if law == "binomial" else exponent
    return 2.0 * xp.asin(xp.sqrt(xp.clip(p, 0.0, 1.0)))


def contact_distance_cdf(
    distance_m: ArrayLike,
    alt_m: ArrayLike,
    mean_n: ArrayLike,
    law: Law = "binomial",
    within_rad: float = math.pi,
    earth_radius_m: float = EARTH_MEAN_RADIUS_M,
) -> Array:
    """Return the probability that the nearest platform is within a distance of a user on the ground.

    The contact angle's CDF at the angle of the distance; BPP: 1 - (1/2 + (r^2 + R^2 - d^2) / (4 r R))^N. 0 below the
    altitude of the platforms, and constant beyond the other side of their sphere.

    Source: WKA section III-B2, equation 11.

    Args:
        distance_m: Distance in m, at least 0, [...].
        alt_m: Height of the platforms above the sphere of the Earth in m, > 0, [...].
        mean_n: Number of platforms (binomial) or mean number (Poisson), [...].
        law: "binomial" or "poisson".
        within_rad: Condition: there is a platform within this central angle, in rad; pi for no condition.
        earth_radius_m: Radius of the Earth in m.

    Returns:
        Probability, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range, or the condition has probability 0.
    """
    require_positive("alt_m", alt_m, "m")
    _, distance, alt, number = promote(distance_m, alt_m, mean_n)
    angle = central_angle_of_chord_rad(distance, earth_radius_m + alt, earth_radius_m)
    return contact_angle_cdf(angle, number, law, within_rad)


def contact_distance_pdf(
    distance_m: ArrayLike,
    alt_m: ArrayLike,
    mean_n: ArrayLike,
    law: Law = "binomial",
    within_rad: float = math.pi,
    earth_radius_m: float = EARTH_MEAN_RADIUS_M,
) -> Array:
    """Return the density of the distance to the nearest platform.

    f_theta(theta) dtheta / dd = N d / (2 r R) times the probability that no other platform is nearer.

    Source: derivative of WKA equation 11; A. Talgat, M. A. Kishk and M.-S. Alouini, "Nearest neighbor and contact
    distance distribution for binomial point process on spherical surfaces", IEEE Communications Letters 24(12), 2020.

    Args:
        distance_m: Distance in m, at least 0, [...].
        alt_m: Height of the platforms above the sphere of the Earth in m, > 0, [...].
        mean_n: Number of platforms (binomial) or mean number (Poisson), [...].
        law: "binomial" or "poisson".
        within_rad: Condition: there is a platform within this central angle, in rad; pi for no condition.
        earth_radius_m: Radius of the Earth in m.

    Returns:
        Density in 1/m, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range, or the condition has probability 0.
    """
    require_positive("alt_m", alt_m, "m")
    require_law(law, mean_n)
    xp, distance, alt, number = promote(distance_m, alt_m, mean_n)
    radius_m = earth_radius_m + alt
    angle = central_angle_of_chord_rad(distance, radius_m, earth_radius_m)
    empty = _none_nearer(cap_probability(angle), number, law)
    density = number * distance / (2.0 * radius_m * earth_radius_m) * empty
    possible = (distance >= alt) & (distance <= radius_m + earth_radius_m) & (angle <= within_rad)
    scale = 1.0 if within_rad == math.pi else _condition(number, law, within_rad)
    return xp.where(possible, density / scale, xp.zeros_like(density))


def kth_contact_angle_cdf(
    k: FloatArray | int, angle_rad: FloatArray | float, mean_n: FloatArray | float, law: Law = "binomial"
) -> FloatArray:
    """Return the probability that the k-th nearest platform is within a central angle: at least k are.

    Source: WKA section III-B3, equation 13 with the angle as the variable. NumPy only.

    Args:
        k: Rank of the platform, 1 for the nearest, [...].
        angle_rad: Central angle in rad in [0, pi], [...].
        mean_n: Number of platforms (binomial) or mean number (Poisson), [...].
        law: "binomial" or "poisson".

    Returns:
        Probability, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("k", k, 1)
    return at_least_probability(k, cap_probability(angle_rad), mean_n, law)


def kth_contact_angle_pdf(
    k: FloatArray | int, angle_rad: FloatArray | float, mean_n: FloatArray | float, law: Law = "binomial"
) -> FloatArray:
    """Return the density of the angle to the k-th nearest platform.

    With p = (1 - cos theta) / 2: sin(theta) / 2 times the beta density p^(k-1) (1 - p)^(N-k) / B(k, N - k + 1) (BPP),
    or times N (N p)^(k-1) e^(-Np) / (k - 1)! (PPP).

    Source: H. A. David and H. N. Nagaraja, Order Statistics, 3rd ed., equation 2.1.6, for WKA equation 8. NumPy only.

    Args:
        k: Rank of the platform, 1 for the nearest, at most N under the binomial law, [...].
        angle_rad: Central angle in rad in [0, pi], [...].
        mean_n: Number of platforms (binomial) or mean number (Poisson), [...].
        law: "binomial" or "poisson".

    Returns:
        Density in 1/rad, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_law(law, mean_n)
    require_range("k", k, 1)
    rank, number = np.asarray(k, dtype=np.float64), np.asarray(mean_n, dtype=np.float64)
    p = cap_probability(angle_rad)
    if law == "poisson":
        log_density = special.xlogy(rank, number) + special.xlogy(rank - 1.0, p) - number * p - special.gammaln(rank)
    else:
        if np.any(rank > number):
            raise ValueError(f"k: got {k}; must be at most mean_n ({mean_n}) under the binomial law")
        log_density = (
            special.xlogy(rank - 1.0, p)
            + special.xlog1py(number - rank, -p)
            - special.betaln(rank, number - rank + 1.0)
        )
    density: FloatArray = 0.5 * np.sin(angle_rad) * np.exp(log_density)
    return density


def _none_nearer(p: Array, number: Array, law: Law) -> Array:
    """Probability that none of the other platforms is within the cap, (1 - p)^(N - 1) or e^(-N p)."""
    xp, p, number = promote(p, number)
    if law == "poisson":
        return xp.exp(-number * p)
    return xp.exp((number - 1.0) * xp.log1p(-xp.clip(p, 0.0, 1.0 - xp.finfo(p.dtype).eps)))


def _condition(number: Array, law: Law, within_rad: float) -> Array:
    """Probability of a platform within the conditioning angle."""
    xp, probability = promote(any_probability(cap_probability(within_rad), number, law))
    if not bool(xp.all(probability > 0.0)):
        raise ValueError(f"within_rad: no platform can be within {within_rad:g} rad; must be larger, or mean_n above 0")
    return probability
