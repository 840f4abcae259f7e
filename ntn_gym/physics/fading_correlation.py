"""Correlation of scattered channels in time: Jakes' Bessel function and autoregressions fitted to it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hankel, solve_toeplitz, toeplitz
from scipy.signal import lfilter
from scipy.special import j0

from ntn_gym.physics.constants import SPEED_OF_LIGHT_M_S

FloatArray = NDArray[Any]
ComplexArray = NDArray[np.complexfloating[Any, Any]]


def jakes_correlation(
    speed_m_s: FloatArray | float, freq_hz: FloatArray | float, lag_s: FloatArray | float
) -> FloatArray:
    """Return the correlation of a scattered channel after a time lag, J_0(2 pi f v lag / c).

    Source: R. H. Clarke, Bell System Technical Journal 47, 1968; W. C. Jakes, Microwave Mobile
    Communications, 1974, section 1.3 (isotropic scattering around the receiver).

    Args:
        speed_m_s: Speed of the receiver in m/s, [...].
        freq_hz: Carrier frequency in Hz, [...].
        lag_s: Time lag in s, [...].

    Returns:
        Correlation in [-0.403, 1], [...].
    """
    doppler_hz = np.multiply(speed_m_s, freq_hz) / SPEED_OF_LIGHT_M_S
    correlation: FloatArray = j0(2.0 * math.pi * doppler_hz * lag_s)
    return correlation


@dataclass(frozen=True, eq=False)
class Autoregression:
    """A complex channel h_t = sum_i a_i h_(t-i) + s w_t of unit mean power, w_t complex normal of unit power.

    Attributes:
        coefficients: a_1 to a_p, read-only, [p].
        innovation_std: s.
        correlation: Correlation at the lags 0 to p, read-only, [p + 1].
    """

    coefficients: FloatArray = field(repr=False)
    innovation_std: float
    correlation: FloatArray = field(repr=False)


def jakes_autoregression(doppler_per_step: float, order: int, loading: float = 1e-7) -> Autoregression:
    """Fit an autoregression to Jakes' correlation J_0(2 pi f_D T k).

    The Yule-Walker equations of the order p, with `loading` added to the variance: the spectrum of Jakes' channel is
    band-limited, so that without it the equations are singular to machine precision at high orders. The process then
    has the wanted correlation at the lags 1 to p, but for the factor 1 / (1 + loading). Beyond p it departs: at order
    50 by at most 0.002 up to the lag 2 p for f_D T = 0.01, and 0.1 for any f_D T.

    Source: K. E. Baddour and N. C. Beaulieu, "Autoregressive modeling for fading channel simulation", IEEE Trans.
    Wireless Commun. 4 (4), 2005, equations 5 to 11 and section III-B (loading).

    Args:
        doppler_per_step: Maximum Doppler shift times the step, f_D T = v f T / c, above 0 and below 0.5.
        order: Order p, 1 to 500.
        loading: Share of white noise added, 1e-10 to 1e-2.

    Returns:
        The autoregression.

    Raises:
        ValueError: If an argument is outside its range.
    """
    if not 0.0 < doppler_per_step < 0.5:
        raise ValueError(f"doppler_per_step: got {doppler_per_step}; must be above 0 and below 0.5 (sampling theorem)")
    if not 1 <= order <= 500:
        raise ValueError(f"order: got {order}; must be 1 to 500")
    if not 1e-10 <= loading <= 1e-2:
        raise ValueError(f"loading: got {loading}; must be 1e-10 to 1e-2")
    correlation: FloatArray = j0(2.0 * math.pi * doppler_per_step * np.arange(order + 1)) / (1.0 + loading)
    correlation[0] = 1.0
    coefficients: FloatArray = solve_toeplitz(correlation[:-1], correlation[1:])
    variance = 1.0 - float(coefficients @ correlation[1:])
    for array in (coefficients, correlation):
        array.setflags(write=False)
    return Autoregression(coefficients, math.sqrt(max(variance, 0.0)), correlation)


def autoregression_correlation(model: Autoregression, n_lags: int) -> FloatArray:
    """Return the correlation of the process at the lags 0 to n - 1, r_k = sum_i a_i r_(k-i) beyond the order.

    Source: the Yule-Walker equations; Baddour and Beaulieu 2005, equation 12.

    Args:
        model: From `jakes_autoregression`.
        n_lags: Number of lags n, at least 1.

    Returns:
        Correlation, [n].
    """
    order = len(model.coefficients)
    correlation = np.empty(max(n_lags, order + 1))
    correlation[: order + 1] = model.correlation
    for k in range(order + 1, n_lags):
        correlation[k] = model.coefficients @ correlation[k - order : k][::-1]
    return correlation[:n_lags]


def sample_autoregression(
    generator: np.random.Generator, n_steps: int, n_channels: int, model: Autoregression
) -> ComplexArray:
    """Draw independent time series of a scattered channel; the squared amplitude is Rayleigh fading of unit mean.

    The first p values are drawn from their joint normal distribution, so that the series is stationary from its start.

    Source: Baddour and Beaulieu 2005, section II.

    Args:
        generator: Source of random numbers.
        n_steps: Number of steps, at least the order of the model.
        n_channels: Number of independent channels.
        model: From `jakes_autoregression`.

    Returns:
        Complex amplitudes, [n_steps, n_channels].

    Raises:
        ValueError: If there are fewer steps than the order.
    """
    order = len(model.coefficients)
    if n_steps < order:
        raise ValueError(f"n_steps: got {n_steps}; must be at least the order of the model, {order}")
    normals = generator.standard_normal((n_steps, n_channels, 2)) * math.sqrt(0.5)
    white: ComplexArray = normals[..., 0] + 1j * normals[..., 1]
    gains = np.empty_like(white)
    gains[:order] = np.linalg.cholesky(toeplitz(model.correlation[:-1])) @ white[:order]
    denominator = np.concatenate(([1.0], -model.coefficients))
    # The state of an all-pole filter after the values h: sum_j a_(i+j) h_(-j), for all channels at once.
    memory = hankel(model.coefficients) @ gains[:order][::-1]
    gains[order:], _ = lfilter([1.0], denominator, model.innovation_std * white[order:], axis=0, zi=memory)
    return gains
