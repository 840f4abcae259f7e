"""Outage probability and ergodic rate of any fading law, from the distribution function of its power."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad_vec

FloatArray = NDArray[Any]
PowerCdf = Callable[[FloatArray], FloatArray]
"""Probability that the fading power is below a value, for arrays of values."""

_SMALLEST_TAIL = 1e-14
_LARGEST_LOG_POWER = 60.0


def outage_probability(
    power_cdf: PowerCdf, threshold_snr: FloatArray | float, mean_snr: FloatArray | float
) -> FloatArray:
    """Return the probability that the SNR of a fading link is below a threshold, F(threshold / mean).

    Source: Simon and Alouini, Digital Communication over Fading Channels, 2nd ed., section 1.1.2.

    Args:
        power_cdf: Distribution function of the fading power, such as `lambda x: rician_power_cdf(x, 10.0)`.
        threshold_snr: Threshold as a ratio, not negative, [...].
        mean_snr: SNR at a fading power of 1 as a ratio, positive, [...].

    Returns:
        Probability, [...].

    Raises:
        ValueError: If a threshold is negative or an SNR is not positive.
    """
    threshold, mean = np.asarray(threshold_snr, dtype=np.float64), _positive_snr(mean_snr)
    if not np.all(threshold >= 0.0):
        raise ValueError(f"threshold_snr: got {float(np.min(threshold))}; must be a ratio of 0 or more")
    return np.asarray(power_cdf(threshold / mean))


def ergodic_rate_bit_s_hz(power_cdf: PowerCdf, mean_snr: FloatArray | float, tolerance: float = 1e-10) -> FloatArray:
    """Return the ergodic rate of a fading link, E[log2(1 + snr x)].

    Integration by parts gives int (1 - F(x)) snr / (1 + snr x) dx / ln 2, taken over ln x by adaptive quadrature; only
    the distribution function is needed. One call serves all SNRs.

    Source: A. J. Goldsmith and P. P. Varaiya, "Capacity of fading channels with channel side information", IEEE Trans.
    Inf. Theory 43 (6), 1997 (receiver side information).

    Args:
        power_cdf: Distribution function of the fading power.
        mean_snr: SNR at a fading power of 1 as a ratio, positive, [...].
        tolerance: Relative tolerance of the quadrature.

    Returns:
        Rate in bit/s/Hz, [...].

    Raises:
        ValueError: If an SNR is not positive, or the distribution never reaches 1 (a tail of more than 1e-14 beyond
            a power of 1e26: not a fading law of finite mean).
    """
    snr = _positive_snr(mean_snr)
    high = 0.0
    while 1.0 - float(power_cdf(np.array(math.exp(high)))) > _SMALLEST_TAIL:
        high += 1.0
        if high > _LARGEST_LOG_POWER:
            raise ValueError("power_cdf: does not reach 1 up to a power of 1e26; is it a distribution function?")
    # Below `low` the integrand is at most snr x dx / x: 1e-16 of the rate that a power of 1 gives.
    low = -math.log(max(float(snr.max()), 1.0)) - 37.0

    def integrand(log_power: float) -> FloatArray:
        x = math.exp(log_power)
        value: FloatArray = (1.0 - np.asarray(power_cdf(np.array(x)))) * (snr * x / (1.0 + snr * x))
        return value

    total, _ = quad_vec(integrand, low, high, epsabs=1e-300, epsrel=tolerance, norm="max", limit=2000)
    rate: FloatArray = total / math.log(2.0)
    return rate


def _positive_snr(mean_snr: FloatArray | float) -> FloatArray:
    snr: FloatArray = np.asarray(mean_snr, dtype=np.float64)
    if not (np.all(np.isfinite(snr)) and np.all(snr > 0.0)):
        raise ValueError(f"mean_snr: got {mean_snr}; must be finite ratios above 0 (not dB)")
    return snr
