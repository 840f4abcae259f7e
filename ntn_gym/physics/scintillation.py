"""Irradiance of a laser beam behind turbulence: scintillation index and the distributions fitted to it.

Irradiance is normalised to its mean. Log-normal serves weak turbulence, gamma-gamma weak to strong turbulence
behind small apertures; the exponentiated Weibull, for averaging apertures, is in `exponentiated_weibull`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammainccinv, gammaincinv, gammaln, ndtr, xlogy

from ntn_gym.physics.validity import require_range

FloatArray = NDArray[Any]

_NODES = 400
_SHAPE_LOW, _SHAPE_HIGH = 0.2, 1e4


def gamma_gamma_shapes(rytov_variance: FloatArray | float) -> tuple[FloatArray, FloatArray]:
    """Return the shapes (alpha, beta) of the gamma-gamma model for a plane wave and a point receiver.

    With s2 the Rytov variance: alpha = 1 / (exp[0.49 s2 / (1 + 1.11 s2^(6/5))^(7/6)] - 1),
    beta = 1 / (exp[0.51 s2 / (1 + 0.69 s2^(6/5))^(5/6)] - 1). (s2^(6/5) is the sigma^(12/5) of the source.)

    Source: M. A. Al-Habash, L. C. Andrews and R. L. Phillips, "Mathematical model for the irradiance probability
    density function of a laser beam propagating through turbulent media", Optical Engineering 40 (8), 2001 (no
    inner scale).

    Args:
        rytov_variance: Rytov variance, 1e-4 to 100, [...].

    Returns:
        alpha (large scale) and beta (small scale), each [...].

    Raises:
        ValueError: If the Rytov variance is outside its range; below it the irradiance hardly fluctuates.
    """
    require_range("rytov_variance", rytov_variance, 1e-4, 100.0, "")
    s2 = np.asarray(rytov_variance, dtype=np.float64)
    large = 1.0 / np.expm1(0.49 * s2 / (1.0 + 1.11 * s2**1.2) ** (7.0 / 6.0))
    small = 1.0 / np.expm1(0.51 * s2 / (1.0 + 0.69 * s2**1.2) ** (5.0 / 6.0))
    return large, small


def scintillation_index(rytov_variance: FloatArray | float) -> FloatArray:
    """Return the scintillation index <I^2>/<I>^2 - 1 of a plane wave at a point, 1/a + 1/b + 1/(a b).

    Source: Al-Habash et al. 2001, with the shapes of `gamma_gamma_shapes`; about the Rytov variance
    where that is small, with a maximum near 1.2 and a slow fall to 1 in saturation.

    Args:
        rytov_variance: Rytov variance, 1e-4 to 100, [...].

    Returns:
        Scintillation index, [...].

    Raises:
        ValueError: If the Rytov variance is outside its range.
    """
    large, small = gamma_gamma_shapes(rytov_variance)
    index: FloatArray = 1.0 / large + 1.0 / small + 1.0 / (large * small)
    return index


def _log_variance(index: FloatArray | float) -> FloatArray:
    require_range("scintillation_index", index, 1e-8, 10.0, "")
    variance: FloatArray = np.log1p(np.asarray(index, dtype=np.float64))
    return variance


def lognormal_pdf(irradiance: FloatArray | float, scintillation_index: FloatArray | float) -> FloatArray:
    """Return the density of a log-normal irradiance of unit mean, ln I ~ N(-s^2/2, s^2), s^2 = ln(1 + index).

    Source: Andrews and Phillips, Laser Beam Propagation through Random Media, 2nd ed., section 9.9.1; weak
    turbulence (index below about 0.3).

    Args:
        irradiance: Irradiance over its mean, positive, [...].
        scintillation_index: Scintillation index, 1e-8 to 10, [...].

    Returns:
        Density, [...].

    Raises:
        ValueError: If the scintillation index is outside its range.
    """
    variance = _log_variance(scintillation_index)
    log_i = np.log(np.asarray(irradiance, dtype=np.float64))
    density: FloatArray = np.exp(-((log_i + 0.5 * variance) ** 2) / (2.0 * variance) - log_i)
    return density / np.sqrt(2.0 * math.pi * variance)


def lognormal_cdf(irradiance: FloatArray | float, scintillation_index: FloatArray | float) -> FloatArray:
    """Return the probability that a log-normal irradiance is below a value.

    Source, arguments, errors: as `lognormal_pdf`.

    Source: L. C. Andrews and R. L. Phillips, Laser Beam Propagation through Random Media, 2nd ed., section 9.4
    (integral of `lognormal_pdf`).

    Args:
        irradiance: Irradiance over its mean, not negative, [...].
        scintillation_index: Scintillation index, 1e-8 to 10, [...].

    Returns:
        Probability, [...].

    Raises:
        ValueError: If the scintillation index is outside its range.
    """
    variance = _log_variance(scintillation_index)
    with np.errstate(divide="ignore"):
        log_i = np.log(np.asarray(irradiance, dtype=np.float64))
    probability: FloatArray = ndtr((log_i + 0.5 * variance) / np.sqrt(variance))
    return probability


def sample_lognormal(
    generator: np.random.Generator, shape: tuple[int, ...], scintillation_index: FloatArray | float
) -> FloatArray:
    """Draw log-normal irradiances of unit mean.

    Source: as `lognormal_pdf`.

    Args:
        generator: Source of random numbers.
        shape: Shape of the result.
        scintillation_index: Scintillation index, 1e-8 to 10, broadcastable to `shape`.

    Returns:
        Irradiances, of the given shape.

    Raises:
        ValueError: If the scintillation index is outside its range.
    """
    variance = _log_variance(scintillation_index)
    samples: FloatArray = np.exp(np.sqrt(variance) * generator.standard_normal(shape) - 0.5 * variance)
    return samples


def _gamma_gamma_mixture(alpha: float, beta: float) -> tuple[float, FloatArray, FloatArray]:
    """Return the smaller shape, and values and weights of the other factor Y ~ Gamma(larger) / larger.

    The trapezoidal rule in ln y converges geometrically, because the integrand is smooth and vanishes at both
    ends; taking the narrower factor as Y keeps the step small against the width of the other.
    """
    require_range("alpha", alpha, _SHAPE_LOW, _SHAPE_HIGH, "")
    require_range("beta", beta, _SHAPE_LOW, _SHAPE_HIGH, "")
    smaller, larger = sorted((alpha, beta))
    low, high = math.log(gammaincinv(larger, 1e-40)), math.log(gammainccinv(larger, 1e-30))
    log_g = np.linspace(low, high, _NODES)
    weight = np.exp(larger * log_g - np.exp(log_g) - gammaln(larger)) * (log_g[1] - log_g[0])
    return smaller, np.exp(log_g) / larger, weight


def gamma_gamma_pdf(irradiance: FloatArray | float, alpha: float, beta: float) -> FloatArray:
    """Return the density of the product of two gamma variables of unit mean.

    Equals 2 (a b)^((a+b)/2) / (G(a) G(b)) I^((a+b)/2-1) K_(a-b)(2 sqrt(a b I)), here as the integral of one gamma
    density over the other, which does not overflow for weak turbulence (large shapes).

    Source: Al-Habash et al. 2001.

    Args:
        irradiance: Irradiance over its mean, positive, [...].
        alpha: Shape of the large scale, 0.2 to 1e4.
        beta: Shape of the small scale, 0.2 to 1e4.

    Returns:
        Density, [...].

    Raises:
        ValueError: If a shape is outside its range.
    """
    shape, y, weight = _gamma_gamma_mixture(alpha, beta)
    x = np.asarray(irradiance, dtype=np.float64)[..., None] * shape / y
    log_density = xlogy(shape - 1.0, x) - x - gammaln(shape)
    density: FloatArray = (np.exp(log_density) * shape / y) @ weight
    return density


def gamma_gamma_cdf(irradiance: FloatArray | float, alpha: float, beta: float) -> FloatArray:
    """Return the probability that a gamma-gamma irradiance is below a value.

    The mean of the incomplete gamma function P(a, a I / Y) over Y ~ Gamma(b) / b.

    Source: the integral of Al-Habash et al. 2001.

    Args:
        irradiance: Irradiance over its mean, not negative, [...].
        alpha: Shape of the large scale, 0.2 to 1e4.
        beta: Shape of the small scale, 0.2 to 1e4.

    Returns:
        Probability, [...].

    Raises:
        ValueError: If a shape is outside its range.
    """
    shape, y, weight = _gamma_gamma_mixture(alpha, beta)
    probability: FloatArray = gammainc(shape, np.asarray(irradiance, dtype=np.float64)[..., None] * shape / y) @ weight
    return np.clip(probability, 0.0, 1.0)


def sample_gamma_gamma(
    generator: np.random.Generator, shape: tuple[int, ...], alpha: FloatArray | float, beta: FloatArray | float
) -> FloatArray:
    """Draw gamma-gamma irradiances of unit mean: the product of two gamma variables of unit mean.

    Source: Al-Habash et al. 2001. The two factors are drawn one after the other.

    Args:
        generator: Source of random numbers.
        shape: Shape of the result.
        alpha: Shape of the large scale, positive, broadcastable to `shape`.
        beta: Shape of the small scale, positive, broadcastable to `shape`.

    Returns:
        Irradiances, of the given shape.
    """
    large = generator.standard_gamma(alpha, size=shape) / alpha
    samples: FloatArray = large * generator.standard_gamma(beta, size=shape) / beta
    return samples
