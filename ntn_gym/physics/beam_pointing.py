"""Pointing error of an optical link: the power a detector loses to the jitter of the beam.

The displacement of the beam's centre has two independent normal components of equal deviation, so that its
radius r is Rayleigh distributed; a wide beam then passes h = A0 exp(-2 r^2 / w_eq^2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import i0e

from ntn_gym.physics.validity import require_range

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class PointingError:
    """Parameters of the pointing loss of one link.

    Attributes:
        v: sqrt(pi) a / (sqrt(2) w), dimensionless.
        max_fraction: A0 = erf(v)^2, the share of the power collected without displacement.
        equivalent_radius_m: w_eq, the radius of the equivalent Gaussian loss in m.
        gamma2: (w_eq / (2 sigma))^2; large means little jitter.
    """

    v: float
    max_fraction: float
    equivalent_radius_m: float
    gamma2: float

    @property
    def mean_fraction(self) -> float:
        """Mean share of the power that is collected, A0 gamma^2 / (1 + gamma^2)."""
        return self.max_fraction * self.gamma2 / (1.0 + self.gamma2)

    @property
    def mean_loss_db(self) -> float:
        """The mean share as a loss in dB (loss of the mean power, not mean of the dB)."""
        return -10.0 * math.log10(self.mean_fraction)


def pointing_error(beam_radius_m: float, aperture_radius_m: float, jitter_sigma_m: float) -> PointingError:
    """Return the pointing-error parameters of a circular detector in a Gaussian beam.

    v = sqrt(pi) a / (sqrt(2) w); A0 = erf(v)^2; w_eq^2 = w^2 sqrt(pi) erf(v) / (2 v exp(-v^2));
    gamma = w_eq / (2 sigma).

    Source: A. A. Farid and S. Hranilovic, "Outage capacity optimization for free-space optical links with
    pointing errors", Journal of Lightwave Technology 25 (7), 2007, section II. The form is within 5 %
    of the exact overlap integral for w >= 5 a (the authors ask for w > 6 a).

    Args:
        beam_radius_m: 1/e^2 radius w of the beam at the receiver in m, positive, at least twice the aperture's.
        aperture_radius_m: Radius a of the aperture in m, positive.
        jitter_sigma_m: Standard deviation of the displacement along one axis at the receiver in m (range times
            the angular jitter in rad), positive.

    Returns:
        The parameters.

    Raises:
        ValueError: If a length is not positive, or the beam is narrower than twice the aperture's radius, where
            the form does not hold.
    """
    for field, value in (("aperture_radius_m", aperture_radius_m), ("jitter_sigma_m", jitter_sigma_m)):
        require_range(field, value, 1e-9, 1e9, "m")
    require_range(
        "beam_radius_m", beam_radius_m, 2.0 * aperture_radius_m, 1e9, "m", "twice the aperture's radius and wider"
    )
    v = math.sqrt(math.pi / 2.0) * aperture_radius_m / beam_radius_m
    centre = math.erf(v)
    equivalent2 = beam_radius_m**2 * math.sqrt(math.pi) * centre / (2.0 * v * math.exp(-(v**2)))
    return PointingError(v, centre**2, math.sqrt(equivalent2), equivalent2 / (4.0 * jitter_sigma_m**2))


def displaced_fraction(displacement_m: FloatArray | float, error: PointingError) -> FloatArray:
    """Return the share of the power collected from a displaced beam, A0 exp(-2 r^2 / w_eq^2).

    Source: Farid and Hranilovic 2007, section II.

    Args:
        displacement_m: Radial displacement r of the beam's centre in m, [...].
        error: From `pointing_error`.

    Returns:
        Share in [0, A0], [...].
    """
    fraction: FloatArray = error.max_fraction * np.exp(
        -2.0 * np.square(np.divide(displacement_m, error.equivalent_radius_m))
    )
    return fraction


def pointing_fraction_pdf(fraction: FloatArray | float, error: PointingError) -> FloatArray:
    """Return the density of the collected share, gamma^2 / A0^(gamma^2) h^(gamma^2 - 1) on (0, A0].

    Source: Farid and Hranilovic 2007, section II.

    Args:
        fraction: Share h, [...].
        error: From `pointing_error`.

    Returns:
        Density, zero outside (0, A0], [...].
    """
    ratio = np.divide(fraction, error.max_fraction)
    inside = (ratio > 0.0) & (ratio <= 1.0)
    density = error.gamma2 / error.max_fraction * np.where(inside, ratio, 1.0) ** (error.gamma2 - 1.0)
    result: FloatArray = np.where(inside, density, 0.0)
    return result


def pointing_fraction_cdf(fraction: FloatArray | float, error: PointingError) -> FloatArray:
    """Return the probability that the collected share is below a value, (h / A0)^(gamma^2).

    Source: the integral of Farid and Hranilovic 2007, section II.

    Args:
        fraction: Share h, [...].
        error: From `pointing_error`.

    Returns:
        Probability, [...].
    """
    probability: FloatArray = np.clip(np.divide(fraction, error.max_fraction), 0.0, 1.0) ** error.gamma2
    return probability


def sample_pointing_fraction(
    generator: np.random.Generator, shape: tuple[int, ...], error: PointingError
) -> NDArray[np.float64]:
    """Draw collected shares: a Rayleigh displacement through `displaced_fraction`, A0 U^(1 / gamma^2).

    Source: as `pointing_fraction_cdf` (inverse transform). Drawing n1 and then n2 steps gives the numbers of
    n1 + n2 steps.

    Args:
        generator: Source of random numbers.
        shape: Shape of the result.
        error: From `pointing_error`.

    Returns:
        Shares in (0, A0], of the given shape.
    """
    return error.max_fraction * (1.0 - generator.random(shape)) ** (1.0 / error.gamma2)


def exact_displaced_fraction(
    displacement_m: float, beam_radius_m: float, aperture_radius_m: float, n_nodes: int = 64
) -> float:
    """Return the share of a displaced Gaussian beam in a circular aperture by quadrature, without approximation.

    The overlap integral in polar coordinates about the aperture, with the angle integrated to a Bessel function:
    (4 / w^2) exp(-2 r^2 / w^2) times the integral over rho in [0, a] of rho exp(-2 rho^2 / w^2) I0(4 r rho / w^2).

    Source: Farid and Hranilovic 2007, section II.

    Args:
        displacement_m: Displacement r of the beam's centre in m, not negative.
        beam_radius_m: 1/e^2 radius w in m, positive.
        aperture_radius_m: Radius a of the aperture in m, positive.
        n_nodes: Nodes of the Gauss-Legendre rule.

    Returns:
        Share in [0, 1].
    """
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    rho = 0.5 * aperture_radius_m * (nodes + 1.0)
    argument = 4.0 * displacement_m * rho / beam_radius_m**2
    # i0e carries exp(-argument): the exponents are joined, so that nothing overflows.
    exponent = argument - 2.0 * (rho**2 + displacement_m**2) / beam_radius_m**2
    total = np.sum(weights * rho * i0e(argument) * np.exp(exponent))
    return float(4.0 / beam_radius_m**2 * 0.5 * aperture_radius_m * total)
