"""Loo's land-mobile-satellite channel: a log-normally shadowed direct wave plus a Rayleigh-distributed scattered one.

The amplitude is |z e^(j phi) + w| with ln z normal (mean mu, variance d0) and w complex normal of power 2 b0. Given z
the power is Rician; the distributions here are that law averaged over the normal distribution of ln z.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chndtr, i0e

from ntn_gym.data import read_json

FloatArray = NDArray[Any]

_LAST_SCORE = 8.5  # the normal tail beyond is 1e-17


@dataclass(frozen=True)
class Loo:
    """Parameters of Loo's channel.

    Attributes:
        b0: Half the mean scattered power, positive.
        mu: Mean of the natural logarithm of the direct amplitude.
        sqrt_d0: Standard deviation of that logarithm, positive.
    """

    b0: float
    mu: float
    sqrt_d0: float

    def __post_init__(self) -> None:
        for field, low, high in (("b0", 1e-6, 1e3), ("mu", -20.0, 10.0), ("sqrt_d0", 1e-6, 3.0)):
            value = getattr(self, field)
            if not low <= value <= high:
                raise ValueError(f"Loo.{field}: got {value}; must be {low:g} to {high:g}")

    @property
    def mean_power(self) -> float:
        """Mean power 2 b0 + exp(2 mu + 2 d0)."""
        return 2.0 * self.b0 + math.exp(2.0 * self.mu + 2.0 * self.sqrt_d0**2)


@cache
def loo_parameters(name: str) -> Loo:
    """Return a fitted parameter set.

    Source: Loo 1985; Abdi et al., IEEE Transactions on Wireless Communications 2(3), 2003, Table III, where the same
    measurements give the shadowed-Rician sets of `fading.shadowed_rician` (equal b, nearly equal mean power).

    Args:
        name: "infrequent_light", "average" or "frequent_heavy" (shadowing).

    Returns:
        The parameters.

    Raises:
        ValueError: If the name is unknown.
    """
    table = read_json("tables/loo.json")["parameters"]
    if name not in table:
        raise ValueError(f"shadowing: got {name!r}; must be one of {', '.join(table)}")
    return Loo(**table[name])


def _average(conditional: Callable[[FloatArray], FloatArray], parameters: Loo) -> FloatArray:
    """Average a function of the direct power over its log-normal distribution, by the trapezoidal rule.

    For smooth integrands that vanish at both ends the rule converges geometrically once its step is below the width
    of the narrowest feature: here the Rician law around a direct amplitude z, sqrt(b0) / (z sqrt_d0) in scores.
    """
    strongest = math.exp(parameters.mu + 3.0 * parameters.sqrt_d0)
    width = math.sqrt(parameters.b0) / (strongest * parameters.sqrt_d0)
    step = min(0.1, max(width / 2.0, 2e-3))
    score = np.arange(-math.ceil(_LAST_SCORE / step), math.ceil(_LAST_SCORE / step) + 1) * step
    weight = np.exp(-0.5 * score**2) * step / math.sqrt(2.0 * math.pi)
    average: FloatArray = conditional(np.exp(2.0 * (parameters.mu + parameters.sqrt_d0 * score))) @ weight
    return average


def loo_power_cdf(power: FloatArray | float, parameters: Loo) -> FloatArray:
    """Return the probability that the power of Loo's channel is below a value.

    Source: C. Loo, "A statistical model for a land mobile satellite link", IEEE Trans. Veh. Technol. 34 (3), 1985; the
    inner integral is the non-central chi-square distribution of the Rician power.

    Args:
        power: Power, not negative, [...].
        parameters: Channel parameters.

    Returns:
        Probability, [...].
    """
    x = np.asarray(power, dtype=np.float64)[..., None] / parameters.b0
    return _average(lambda direct: chndtr(x, 2.0, direct / parameters.b0), parameters)


def loo_power_pdf(power: FloatArray | float, parameters: Loo) -> FloatArray:
    """Return the density of the power of Loo's channel.

    The average over the direct power D of exp(-(x + D) / 2 b0) I_0(sqrt(x D) / b0) / 2 b0.

    Source: C. Loo 1985, equation 3 (density of the amplitude, here of its square).

    Args:
        power: Power, not negative, [...].
        parameters: Channel parameters.

    Returns:
        Density, [...].
    """
    x = np.asarray(power, dtype=np.float64)[..., None]

    def rician(direct: FloatArray) -> FloatArray:
        apart = np.square(np.sqrt(x) - np.sqrt(direct))
        density: FloatArray = np.exp(-apart / (2.0 * parameters.b0)) * i0e(np.sqrt(x * direct) / parameters.b0)
        return density / (2.0 * parameters.b0)

    return _average(rician, parameters)


def sample_loo_power(generator: np.random.Generator, shape: tuple[int, ...], parameters: Loo) -> FloatArray:
    """Draw powers of Loo's channel.

    Source: C. Loo 1985 (sum of the two components; the phase between them does not matter for the power).

    Args:
        generator: Source of random numbers.
        shape: Shape of the result.
        parameters: Channel parameters.

    Returns:
        Powers, of the given shape, float64.
    """
    normals = generator.standard_normal((*shape, 3))
    direct = np.exp(parameters.mu + parameters.sqrt_d0 * normals[..., 0])
    scattered = math.sqrt(parameters.b0) * normals[..., 1:]
    powers: FloatArray = np.square(direct + scattered[..., 0]) + np.square(scattered[..., 1])
    return powers
