"""How many points of a process have a property that each has independently with the same probability.

Of n independent points (binomial process) the number is binomial; of a Poisson number of points it is Poisson with
mean N p (thinning). Everything about contact, availability and localizability under independent points follows from
these two laws and the probability p of one point.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.stochastic.checks import require_one_of, require_range

Law: TypeAlias = Literal["binomial", "poisson"]
"""Law of the number of points: fixed ("binomial", as in a BPP) or Poisson (as in a PPP)."""

FloatArray = NDArray[Any]


def require_law(law: Law, mean_n: ArrayLike) -> None:
    """Check a law and its mean number of points.

    Args:
        law: "binomial" or "poisson".
        mean_n: Mean number of points, [...].

    Raises:
        ValueError: If the law is unknown, the mean negative, or not whole under the binomial law.
    """
    require_one_of("law", law, get_args(Law))
    require_range("mean_n", mean_n, 0.0, 1e15)
    xp, number = promote(mean_n)
    if law == "binomial" and not bool(xp.all(number == xp.floor(number))):
        raise ValueError(f"mean_n: got {mean_n}; must be a whole number under the binomial law, or use law='poisson'")


def any_probability(each_probability: ArrayLike, mean_n: ArrayLike, law: Law = "binomial") -> Array:
    """Return the probability that at least one point has the property: 1 - (1 - p)^N, or 1 - exp(-N p).

    Source: WKA section III-B, equations 9 and 12 (binomial); void probability of the Poisson process.

    Args:
        each_probability: Probability p that one point has the property, in [0, 1], [...].
        mean_n: Number of points (binomial) or mean number (Poisson), [...].
        law: "binomial" or "poisson".

    Returns:
        Probability, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_law(law, mean_n)
    require_range("each_probability", each_probability, 0.0, 1.0)
    xp, p, number = promote(each_probability, mean_n)
    if law == "poisson":
        return -xp.expm1(-number * p)
    # Clipped below 1: log1p(-1) is infinite, and 0 points times infinity would not be a number.
    return -xp.expm1(number * xp.log1p(-xp.clip(p, 0.0, 1.0 - xp.finfo(p.dtype).eps)))


def at_least_probability(
    k: FloatArray | int, each_probability: FloatArray | float, mean_n: FloatArray | float, law: Law = "binomial"
) -> FloatArray:
    """Return the probability that at least k points have the property.

    1 - sum_{j<k} C(N, j) p^j (1 - p)^(N - j) = I_p(k, N - k + 1), or 1 - sum_{j<k} e^(-Np) (Np)^j / j! = P(k, N p),
    with the regularised incomplete beta and gamma functions.

    Source: WKA section III-B3, equation 13 (binomial); NIST DLMF 8.17.5 and 8.4.10 for the closed sums. NumPy only.

    Args:
        k: Number of points asked for, whole, at least 0, [...].
        each_probability: Probability that one point has the property, in [0, 1], [...].
        mean_n: Number of points (binomial) or mean number (Poisson), [...].
        law: "binomial" or "poisson".

    Returns:
        Probability, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_law(law, mean_n)
    require_range("each_probability", each_probability, 0.0, 1.0)
    require_range("k", k, 0.0)
    asked, p, number = np.broadcast_arrays(np.asarray(k, dtype=np.float64), each_probability, mean_n)
    if np.any(asked != np.floor(asked)):
        raise ValueError(f"k: got {k}; must be a whole number")
    if law == "poisson":
        tail = special.gammainc(np.maximum(asked, 1.0), number * p)
    else:
        tail = special.betainc(np.maximum(asked, 1.0), np.maximum(number - asked + 1.0, 1.0), p)
        tail = np.where(asked > number, 0.0, tail)
    probability: FloatArray = np.where(asked == 0.0, 1.0, tail)
    return probability
