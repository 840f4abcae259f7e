"""Small-scale fading of the received power: Rayleigh, Rician, Nakagami-m and shadowed Rician.

Random draws are in `fading_samples`, correlation in time in `fading_correlation`, outage and mean rates in
`fading_rates`; further laws in `loo` and `shadowing_mixture`.

Powers are ratios to the free-space (or mean) power. Rician and shadowed-Rician powers are mixtures of gamma
distributions, sum_n w_n Gamma(n + 1, s), with Poisson and negative-binomial weights; the sums below are these
series, cut where the remaining weight is below 1e-14.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaln, i0e, xlogy

from ntn_gym.data import read_json

FloatArray = NDArray[Any]

_REMAINING_WEIGHT = 1e-14


def rayleigh_power_cdf(power: FloatArray | float, mean_power: FloatArray | float = 1.0) -> FloatArray:
    """Return the probability that a Rayleigh-faded power is below a value, 1 - exp(-x / mean).

    Source: Simon and Alouini, Digital Communication over Fading Channels, 2nd ed., equation 2.7.

    Args:
        power: Power, not negative, [...].
        mean_power: Mean power, positive, [...].

    Returns:
        Probability, [...].
    """
    probability: FloatArray = -np.expm1(-np.divide(power, mean_power))
    return probability


def rayleigh_power_pdf(power: FloatArray | float, mean_power: FloatArray | float = 1.0) -> FloatArray:
    """Return the density of a Rayleigh-faded power, exp(-x / mean) / mean.

    Source: Simon and Alouini, 2nd ed., equation 2.7.

    Args:
        power: Power, not negative, [...].
        mean_power: Mean power, positive, [...].

    Returns:
        Density, [...].
    """
    density: FloatArray = np.exp(-np.divide(power, mean_power)) / mean_power
    return density


def rician_power_cdf(power: FloatArray | float, k_factor: float, mean_power: float = 1.0) -> FloatArray:
    """Return the probability that a Rician-faded power is below a value, 1 - Q_1(sqrt(2K), sqrt(2(1+K)x/mean)).

    Source: Simon and Alouini, 2nd ed., section 2.2.1.2 (Marcum's Q written as its Poisson mixture).

    Args:
        power: Power, not negative, [...].
        k_factor: Direct over scattered power as a ratio, 0 (Rayleigh) or more.
        mean_power: Mean power, positive.

    Returns:
        Probability, [...].
    """
    n = np.arange(math.ceil(k_factor + 12.0 * math.sqrt(k_factor) + 30.0))
    weight = np.exp(xlogy(n, k_factor) - k_factor - gammaln(n + 1.0))
    return _mixture_cdf(np.asarray(power, dtype=np.float64) * (1.0 + k_factor) / mean_power, weight)


def rician_power_pdf(power: FloatArray | float, k_factor: float, mean_power: float = 1.0) -> FloatArray:
    """Return the density of a Rician-faded power, with y = (1+K)x/mean: (1+K)/mean e^(-K-y) I_0(2 sqrt(K y)).

    Source: Simon and Alouini, 2nd ed., equation 2.16.

    Args:
        power: Power, not negative, [...].
        k_factor: Direct over scattered power as a ratio, 0 or more.
        mean_power: Mean power, positive.

    Returns:
        Density, [...].
    """
    scale = (1.0 + k_factor) / mean_power
    y = np.asarray(power, dtype=np.float64) * scale
    argument = 2.0 * np.sqrt(k_factor * y)
    density: FloatArray = scale * np.exp(argument - k_factor - y) * i0e(argument)
    return density


def nakagami_power_cdf(
    power: FloatArray | float, m: FloatArray | float, mean_power: FloatArray | float = 1.0
) -> FloatArray:
    """Return the probability that a Nakagami-m-faded power is below a value, P(m, m x / mean).

    Source: Simon and Alouini, 2nd ed., equation 2.21 (gamma distribution of the power).

    Args:
        power: Power, not negative, [...].
        m: Shape, at least 0.5; 1 is Rayleigh, [...].
        mean_power: Mean power, positive, [...].

    Returns:
        Probability, [...].
    """
    probability: FloatArray = gammainc(m, np.multiply(m, power) / mean_power)
    return probability


def nakagami_power_pdf(
    power: FloatArray | float, m: FloatArray | float, mean_power: FloatArray | float = 1.0
) -> FloatArray:
    """Return the density of a Nakagami-m-faded power, the gamma density of shape m.

    Source: Simon and Alouini, 2nd ed., equation 2.21.

    Args:
        power: Power, positive, [...].
        m: Shape, at least 0.5, [...].
        mean_power: Mean power, positive, [...].

    Returns:
        Density, [...].
    """
    y = np.multiply(m, power) / mean_power
    density: FloatArray = np.exp(xlogy(np.subtract(m, 1.0), y) - y - gammaln(m)) * m / mean_power
    return density


@dataclass(frozen=True)
class ShadowedRician:
    """Parameters of the shadowed-Rician land-mobile-satellite channel.

    Attributes:
        b: Half the mean scattered power (the scattered power is 2b), positive.
        m: Nakagami shape of the direct component; infinite would be Rician, positive.
        omega: Mean power of the direct component, not negative.
    """

    b: float
    m: float
    omega: float

    def __post_init__(self) -> None:
        for field, value in (("b", self.b), ("m", self.m)):
            if not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"ShadowedRician.{field}: got {value}; must be finite and above 0")
        if not (math.isfinite(self.omega) and self.omega >= 0.0):
            raise ValueError(f"ShadowedRician.omega: got {self.omega}; must be finite and 0 or more")

    @property
    def mean_power(self) -> float:
        """Mean power 2 b + omega."""
        return 2.0 * self.b + self.omega


@cache
def shadowed_rician(name: str) -> ShadowedRician:
    """Return a fitted parameter set.

    Source: Abdi et al., IEEE Transactions on Wireless Communications 2(3), 2003, Table III.

    Args:
        name: "infrequent_light", "average" or "frequent_heavy" (shadowing).

    Returns:
        The parameters.

    Raises:
        ValueError: If the name is unknown.
    """
    table = read_json("tables/shadowed_rician.json")
    names = [key for key in table if key not in ("source", "elevation_polynomials")]
    if name not in names:
        raise ValueError(f"shadowing: got {name!r}; must be one of {', '.join(names)}")
    return ShadowedRician(**table[name])


def shadowed_rician_at_elevation(elev_rad: float) -> ShadowedRician:
    """Return the parameters fitted to an elevation of 20 to 80 deg.

    Source: Abdi et al. 2003, section IV (polynomials in the elevation).

    Args:
        elev_rad: Elevation in rad, 20 to 80 deg.

    Returns:
        The parameters.

    Raises:
        ValueError: If the elevation is outside the range of the fit.
    """
    elev_deg = math.degrees(elev_rad)
    if not 20.0 - 1e-9 <= elev_deg <= 80.0 + 1e-9:
        raise ValueError(f"elev_rad: got {elev_rad} rad ({elev_deg:.2f} deg); the fit covers 20 to 80 deg")
    polynomials = read_json("tables/shadowed_rician.json")["elevation_polynomials"]
    return ShadowedRician(**{key: float(np.polyval(polynomials[key], elev_deg)) for key in ("b", "m", "omega")})


def _shadowed_weights(parameters: ShadowedRician) -> FloatArray:
    """Negative-binomial weights of the gamma mixture: Kummer's series of Abdi's density, term by term."""
    b, m, omega = parameters.b, parameters.m, parameters.omega
    p = 2.0 * b * m / (2.0 * b * m + omega)
    mean = m * (1.0 - p) / p
    spread = math.sqrt(mean / p)
    n_terms = 64
    if p < 1.0:  # else the direct power is nothing, to machine precision
        # Beyond mean + 12 spreads the tail falls at least as fast as (1 - p)^n.
        n_terms += math.ceil(mean + 12.0 * spread + math.log(_REMAINING_WEIGHT) / math.log1p(-p))
    n = np.arange(n_terms)
    log_weight = gammaln(n + m) - gammaln(m) - gammaln(n + 1.0) + m * math.log(p) + xlogy(n, 1.0 - p)
    weight: FloatArray = np.exp(log_weight)
    return weight


def _mixture_cdf(scaled: FloatArray, weight: FloatArray) -> FloatArray:
    """Sum_n w_n P(n + 1, x) over terms that matter."""
    n = np.flatnonzero(weight > _REMAINING_WEIGHT * 1e-6)
    cdf: FloatArray = gammainc(n + 1.0, scaled[..., None]) @ weight[n]
    return cdf


def shadowed_rician_power_cdf(power: FloatArray | float, parameters: ShadowedRician) -> FloatArray:
    """Return the probability that a shadowed-Rician power is below a value.

    Sum over n of NB(n; m, 2bm / (2bm + omega)) P(n + 1, x / 2b), with P the regularised incomplete gamma
    function: given the direct power the channel is Rician, and a gamma-distributed mean turns Poisson weights
    into negative-binomial ones.

    Source: the term-by-term integral of the density of Abdi et al. 2003, equation 6.

    Args:
        power: Power, not negative, [...].
        parameters: Channel parameters.

    Returns:
        Probability, [...].
    """
    return _mixture_cdf(np.asarray(power, dtype=np.float64) / (2.0 * parameters.b), _shadowed_weights(parameters))


def shadowed_rician_power_pdf(power: FloatArray | float, parameters: ShadowedRician) -> FloatArray:
    """Return the density of a shadowed-Rician power.

    (2bm / (2bm + omega))^m exp(-x / 2b) / 2b  1F1(m; 1; omega x / (2b (2bm + omega))), summed as Kummer's
    series.

    Source: Abdi et al. 2003, equation 6.

    Args:
        power: Power, not negative, [...].
        parameters: Channel parameters.

    Returns:
        Density, [...].
    """
    x = np.asarray(power, dtype=np.float64)[..., None] / (2.0 * parameters.b)
    weight = _shadowed_weights(parameters)
    n = np.flatnonzero(weight > _REMAINING_WEIGHT * 1e-6)
    density: FloatArray = np.exp(xlogy(n, x) - x - gammaln(n + 1.0)) @ weight[n] / (2.0 * parameters.b)
    return density
