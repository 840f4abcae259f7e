"""Exponentiated Weibull irradiance: turbulence behind apertures that average the scintillation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from ntn_gym.physics.validity import require_range

FloatArray = NDArray[Any]

_NODES = 2000


@dataclass(frozen=True)
class ExponentiatedWeibull:
    """Parameters of an irradiance with F(I) = (1 - exp(-(I / eta)^beta))^alpha.

    Attributes:
        alpha: First shape, positive; 1 is the Weibull distribution.
        beta: Second shape, positive.
        eta: Scale, positive.
    """

    alpha: float
    beta: float
    eta: float

    def __post_init__(self) -> None:
        for field in ("alpha", "beta", "eta"):
            value = getattr(self, field)
            if not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"ExponentiatedWeibull.{field}: got {value}; must be finite and above 0")


def _log_moment(alpha: float, order: float) -> float:
    """Return ln E[T^order] for T with the distribution function (1 - exp(-t))^alpha, by the trapezoidal rule in ln t.

    The integrand falls as t^(alpha + order) towards 0 and as exp(-t) upwards, so that the rule converges
    geometrically; the range leaves out less than 1e-13 of it.
    """
    log_t = np.linspace(-32.0 / min(alpha + order, 8.0), math.log(60.0 + 4.0 * order + math.log1p(alpha)), _NODES)
    t = np.exp(log_t)
    log_integrand = math.log(alpha) + (alpha - 1.0) * np.log(-np.expm1(-t)) - t + (order + 1.0) * log_t
    largest = float(log_integrand.max())
    return largest + math.log(float(np.exp(log_integrand - largest).sum()) * float(log_t[1] - log_t[0]))


def exponentiated_weibull_from_index(scintillation_index: float, alpha: float) -> ExponentiatedWeibull:
    """Return the distribution of unit mean that has a scintillation index, for a given first shape.

    Beta solves E[I^2] / E[I]^2 = 1 + index, eta sets the mean to 1.

    Source: R. Barrios and F. Dios, "Exponentiated Weibull distribution family under aperture averaging for
    Gaussian beam waves", Optics Express 20 (12), 2012 (the family and the two conditions). Their regression of
    alpha on the aperture over the coherence radius is not used: alpha is the caller's choice, from about 1.5 for
    a large aperture to 6 for a point receiver.

    Args:
        scintillation_index: Aperture-averaged scintillation index, 1e-4 to 5.
        alpha: First shape, 0.5 to 20.

    Returns:
        The parameters.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("scintillation_index", scintillation_index, 1e-4, 5.0, "")
    require_range("alpha", alpha, 0.5, 20.0, "")
    target = math.log1p(scintillation_index)

    def excess(log_beta: float) -> float:
        order = math.exp(-log_beta)
        return _log_moment(alpha, 2.0 * order) - 2.0 * _log_moment(alpha, order) - target

    beta = math.exp(float(brentq(excess, math.log(0.15), math.log(300.0), xtol=1e-13)))
    return ExponentiatedWeibull(alpha, beta, math.exp(-_log_moment(alpha, 1.0 / beta)))


def exponentiated_weibull_cdf(irradiance: FloatArray | float, parameters: ExponentiatedWeibull) -> FloatArray:
    """Return the probability that the irradiance is below a value, (1 - exp(-(I / eta)^beta))^alpha.

    Source: Barrios and Dios 2012.

    Args:
        irradiance: Irradiance over its mean, not negative, [...].
        parameters: Parameters of the distribution.

    Returns:
        Probability, [...].
    """
    power = np.divide(irradiance, parameters.eta) ** parameters.beta
    probability: FloatArray = (-np.expm1(-power)) ** parameters.alpha
    return probability


def exponentiated_weibull_pdf(irradiance: FloatArray | float, parameters: ExponentiatedWeibull) -> FloatArray:
    """Return the density of the irradiance, the derivative of `exponentiated_weibull_cdf`.

    (alpha beta / eta) (I / eta)^(beta - 1) exp(-(I / eta)^beta) (1 - exp(-(I / eta)^beta))^(alpha - 1).

    Source: Barrios and Dios 2012.

    Args:
        irradiance: Irradiance over its mean, positive, [...].
        parameters: Parameters of the distribution.

    Returns:
        Density, [...].
    """
    ratio = np.divide(irradiance, parameters.eta)
    power = ratio**parameters.beta
    density: FloatArray = (
        (parameters.alpha * parameters.beta / parameters.eta)
        * ratio ** (parameters.beta - 1.0)
        * np.exp(-power)
        * (-np.expm1(-power)) ** (parameters.alpha - 1.0)
    )
    return density


def sample_exponentiated_weibull(
    generator: np.random.Generator, shape: tuple[int, ...], parameters: ExponentiatedWeibull
) -> FloatArray:
    """Draw irradiances by the inverse of the distribution function.

    Source: as `exponentiated_weibull_cdf`. Drawing n1 and then n2 steps gives the numbers of n1 + n2 steps.

    Args:
        generator: Source of random numbers.
        shape: Shape of the result.
        parameters: Parameters of the distribution.

    Returns:
        Irradiances, of the given shape.
    """
    uniform = 1.0 - generator.random(shape)  # in (0, 1]: the logarithm below stays finite
    # 1 - u^(1/alpha) without cancellation near u = 1; u = 1 itself is moved one rounding step down.
    tail = np.maximum(-np.expm1(np.log(uniform) / parameters.alpha), np.finfo(np.float64).tiny)
    samples: FloatArray = parameters.eta * (-np.log(tail)) ** (1.0 / parameters.beta)
    return samples
