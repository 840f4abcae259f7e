"""Visible numbers of satellites on random, isotropic orbits: the dual stochastic binomial (DSBPP) and Cox processes.

Their mean is that of independent satellites, but the satellites of one orbit depend on each other. Given the angle
delta between the user and an orbital plane they are independent, and sin(delta) is uniform in [0, 1] for isotropic
orbits; every result below is a mean over delta. NumPy only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ntn_gym.physics.stochastic.checks import require_range
from ntn_gym.physics.stochastic.visibility import Detection, checked_detection

FloatArray = NDArray[Any]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(128)
_TURN = (_NODES + 1.0) * (math.pi / 4.0)  # on [0, pi/2]
_TURN_WEIGHTS = _WEIGHTS * (math.pi / 4.0)


def dual_stochastic_contact_angle_cdf(angle_rad: FloatArray | float, n_points: int, n_per_orbit: int) -> FloatArray:
    """Return the probability that the nearest satellite of a DSBPP is within a central angle of the user.

    1 - E[(1 - q)^M]^L E[(1 - q)^m], with q the share of an orbit within the angle, L full orbits of M satellites and
    one of the remaining m. With the angle of the horizon it is the availability.

    Source: derived for the process of WKA section II-B2 from its Algorithm 2.

    Args:
        angle_rad: Central angle in rad in [0, pi], [...].
        n_points: Number of satellites, at least 0.
        n_per_orbit: Number of satellites on an orbit, at least 1; the last orbit has fewer if it does not divide.

    Returns:
        Probability, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    n_orbits, rest = _orbits(n_points, n_per_orbit)
    empty = _mean_over_orbits(angle_rad, lambda q: (1.0 - q) ** n_per_orbit) ** n_orbits
    probability: FloatArray = 1.0 - empty * _mean_over_orbits(angle_rad, lambda q: (1.0 - q) ** rest)
    return probability


def cox_contact_angle_cdf(angle_rad: FloatArray | float, mean_orbits: float, mean_per_orbit: float) -> FloatArray:
    """Return the probability that the nearest satellite of a Cox process is within a central angle of the user.

    1 - exp(-L (1 - E[exp(-M q)])), with q the share of an orbit within the angle. It ends below 1, as there may be no
    satellite at all. With the angle of the horizon it is the availability.

    Source: C.-S. Choi and F. Baccelli, "A novel analytical model for LEO satellite constellations leveraging Cox point
    processes", 2022 (void probability; WKA section II-B1).

    Args:
        angle_rad: Central angle in rad in [0, pi], [...].
        mean_orbits: Mean number L of orbits, at least 0.
        mean_per_orbit: Mean number M of satellites on an orbit, at least 0.

    Returns:
        Probability, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    _require_cox(mean_orbits, mean_per_orbit)
    probability: FloatArray = -np.expm1(
        -mean_orbits * _mean_over_orbits(angle_rad, lambda q: -np.expm1(-mean_per_orbit * q))
    )
    return probability


def dual_stochastic_visible_variance(max_angle_rad: FloatArray | float, n_points: int, n_per_orbit: int) -> FloatArray:
    """Return the variance of the visible number of satellites of a DSBPP.

    For each orbit of M satellites M E[q] + M (M - 1) E[q^2] - M^2 E[q]^2; orbits are independent.

    Source: law of total variance for the process of WKA section II-B2.

    Args:
        max_angle_rad: Largest visible central angle in rad in [0, pi], [...].
        n_points: Number of satellites, at least 0.
        n_per_orbit: Number of satellites on an orbit, at least 1; the last orbit has fewer if it does not divide.

    Returns:
        Variance, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    n_orbits, rest = _orbits(n_points, n_per_orbit)
    mean = _mean_over_orbits(max_angle_rad, lambda q: q)
    square = _mean_over_orbits(max_angle_rad, lambda q: q**2)

    def of_orbit(m: int) -> FloatArray:
        variance: FloatArray = m * mean + m * (m - 1) * square - (m * mean) ** 2
        return variance

    return n_orbits * of_orbit(n_per_orbit) + of_orbit(rest)


def cox_visible_variance(max_angle_rad: FloatArray | float, mean_orbits: float, mean_per_orbit: float) -> FloatArray:
    """Return the variance of the visible number of satellites of a Cox process, L (M E[q] + M^2 E[q^2]).

    Over the whole sphere (q = 1) it is L (M + M^2).

    Source: variance of a compound Poisson variable, for the process of WKA section II-B1.

    Args:
        max_angle_rad: Largest visible central angle in rad in [0, pi], [...].
        mean_orbits: Mean number L of orbits, at least 0.
        mean_per_orbit: Mean number M of satellites on an orbit, at least 0.

    Returns:
        Variance, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    _require_cox(mean_orbits, mean_per_orbit)
    return mean_orbits * _mean_over_orbits(max_angle_rad, lambda q: mean_per_orbit * q + (mean_per_orbit * q) ** 2)


def dual_stochastic_count_pmf(
    n_points: int, n_per_orbit: int, max_angle_rad: float, detection: Detection | None = None
) -> FloatArray:
    """Return the distribution of the number of visible (and detected) satellites of a DSBPP.

    Of one orbit it is the mean over delta of the binomial distribution of M and q(delta), with q the mean over the
    orbit of the detection probability within the visible angle; of all orbits it is the convolution. One minus the sum
    of the first K elements is the K-availability, with a detection probability the K-localizability.

    Source: derived for WKA sections II-B2 and V-E (whose case study takes 4 satellites on each orbit).

    Args:
        n_points: Number of satellites, at least 0.
        n_per_orbit: Number of satellites on an orbit, at least 1; the last orbit has fewer if it does not divide.
        max_angle_rad: Largest visible central angle in rad in [0, pi].
        detection: Probability of detection at a central angle, without interference; None for certain detection.

    Returns:
        Probabilities of 0, 1, ... n_points satellites, [n_points + 1].

    Raises:
        ValueError: If an argument is outside its range.
    """
    n_orbits, rest = _orbits(n_points, n_per_orbit)
    q, weight = _orbit_shares(max_angle_rad, detection)
    pmf = np.ones(1)
    for m in [n_per_orbit] * n_orbits + [rest]:
        count = np.arange(m + 1)
        log_pmf = special.xlogy(count, q[:, None]) + special.xlog1py(m - count, -q[:, None])
        pmf = np.convolve(pmf, special.comb(m, count) * (weight @ np.exp(log_pmf)))
    return pmf


def cox_count_pmf(
    mean_orbits: float, mean_per_orbit: float, max_angle_rad: float, n_max: int, detection: Detection | None = None
) -> FloatArray:
    """Return the distribution of the number of visible (and detected) satellites of a Cox process, up to a number.

    The number is compound Poisson: a Poisson number of orbits, each with a mixed Poisson number of visible satellites.
    Panjer's recursion: g_0 = exp(-L (1 - f_0)), g_n = (L / n) sum_j j f_j g_(n-j).

    Source: H. H. Panjer, "Recursive evaluation of a family of compound distributions", ASTIN Bulletin 12(1), 1981,
    for WKA section II-B1.

    Args:
        mean_orbits: Mean number L of orbits, from 0 to 700 (beyond, exp(-L) is below the smallest number).
        mean_per_orbit: Mean number M of satellites on an orbit, at least 0.
        max_angle_rad: Largest visible central angle in rad in [0, pi].
        n_max: Largest number to return, at least 0.
        detection: Probability of detection at a central angle, without interference; None for certain detection.

    Returns:
        Probabilities of 0, 1, ... n_max satellites, [n_max + 1].

    Raises:
        ValueError: If an argument is outside its range.
    """
    _require_cox(mean_orbits, mean_per_orbit)
    require_range("mean_orbits", mean_orbits, 0.0, 700.0)
    require_range("n_max", n_max, 0)
    q, weight = _orbit_shares(max_angle_rad, detection)
    count = np.arange(n_max + 1)
    mean = mean_per_orbit * q[:, None]
    of_orbit = weight @ np.exp(special.xlogy(count, mean) - mean - special.gammaln(count + 1.0))
    pmf = np.zeros(n_max + 1)
    pmf[0] = math.exp(-mean_orbits * (1.0 - of_orbit[0]))
    for n in range(1, n_max + 1):
        pmf[n] = mean_orbits / n * np.sum(count[1 : n + 1] * of_orbit[1 : n + 1] * pmf[n - 1 :: -1][:n])
    return pmf


def _orbits(n_points: int, n_per_orbit: int) -> tuple[int, int]:
    """Number of full orbits, and of satellites on the incomplete one."""
    require_range("n_points", n_points, 0)
    require_range("n_per_orbit", n_per_orbit, 1)
    return divmod(n_points, n_per_orbit)


def _require_cox(mean_orbits: float, mean_per_orbit: float) -> None:
    require_range("mean_orbits", mean_orbits, 0.0, 1e9)
    require_range("mean_per_orbit", mean_per_orbit, 0.0, 1e9)


def _visible_half_arc(angle: FloatArray) -> FloatArray:
    """Half the arc of an orbit within the angle, for sin(delta) = sin(angle) sin(t) at the nodes t, [..., nodes].

    cos(omega) = cos(angle) / cos(delta) becomes tan(omega) = sin(angle) cos(t) / cos(angle), smooth in t up to the
    orbit that only touches the circle.
    """
    arc: FloatArray = np.arctan2(np.sin(angle)[..., None] * np.cos(_TURN), np.cos(angle)[..., None])
    return arc


def _mean_over_orbits(angle_rad: FloatArray | float, function: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Mean over isotropic orbits of a function of the share of the orbit within an angle of the user, [...]."""
    require_range("angle_rad", angle_rad, 0.0, math.pi, "rad")
    angle = np.asarray(angle_rad, dtype=np.float64)
    sine = np.sin(angle)
    values = function(_visible_half_arc(angle) / math.pi)
    crossing = sine * np.sum(_TURN_WEIGHTS * np.cos(_TURN) * values, axis=-1)
    # Orbits that do not cross the circle lie wholly outside it, or inside when it is larger than a hemisphere.
    wholly = np.where(angle > math.pi / 2.0, 1.0, 0.0)
    mean: FloatArray = crossing + (1.0 - sine) * function(wholly)
    return mean


def _orbit_shares(max_angle_rad: float, detection: Detection | None) -> tuple[FloatArray, FloatArray]:
    """Probability that a satellite of an orbit is visible and detected, and the orbit's weight, each [nodes + 1]."""
    require_range("max_angle_rad", max_angle_rad, 0.0, math.pi, "rad")
    sine = math.sin(max_angle_rad)
    half_arc = np.append(
        _visible_half_arc(np.asarray(max_angle_rad)), math.pi if max_angle_rad > math.pi / 2.0 else 0.0
    )
    weight = np.append(sine * _TURN_WEIGHTS * np.cos(_TURN), 1.0 - sine)
    if detection is None:
        return half_arc / math.pi, weight
    if max_angle_rad > math.pi / 2.0:
        raise ValueError(
            "max_angle_rad: with a detection probability it must be at most pi/2 rad (a visible platform is)"
        )
    offset = np.append(np.arcsin(sine * np.sin(_TURN)), math.pi / 2.0)[:, None]
    arc = half_arc[:, None] * (_NODES + 1.0) / 2.0
    angle = 2.0 * np.arcsin(np.sqrt(np.sin(offset / 2.0) ** 2 + np.cos(offset) * np.sin(arc / 2.0) ** 2))
    share = half_arc / math.pi * np.sum(_WEIGHTS / 2.0 * checked_detection(detection, angle), axis=-1)
    return share, weight
