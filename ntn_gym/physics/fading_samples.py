"""Random draws of the faded powers whose distributions are in `fading`.

Time is the leading axis of the result: drawing n1 and then n2 steps gives the numbers of n1 + n2 steps, for
every family but shadowed Rician, which draws its two components one after the other.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.fading import ShadowedRician

FloatArray = NDArray[Any]
FloatType = type[np.float32] | type[np.float64]


def _two_normals(generator: np.random.Generator, shape: tuple[int, ...], dtype: FloatType) -> FloatArray:
    """In-phase and quadrature parts on a last axis, so that a longer leading axis extends the same stream."""
    normals: FloatArray = generator.standard_normal((*shape, 2), dtype=dtype)
    return normals


def sample_rayleigh_power(
    generator: np.random.Generator, shape: tuple[int, ...], dtype: FloatType = np.float32
) -> FloatArray:
    """Draw Rayleigh-faded powers of unit mean.

    Source: Simon and Alouini, Digital Communication over Fading Channels, 2nd ed., section 2.2.1.1 (two normal
    components).

    Args:
        generator: Source of random numbers.
        shape: Shape of the result.
        dtype: float32 or float64.

    Returns:
        Powers, of the given shape.
    """
    powers: FloatArray = 0.5 * np.square(_two_normals(generator, shape, dtype)).sum(axis=-1)
    return powers


def sample_rician_power(
    generator: np.random.Generator,
    shape: tuple[int, ...],
    k_factor: FloatArray | float,
    dtype: FloatType = np.float32,
) -> FloatArray:
    """Draw Rician-faded powers of unit mean.

    Source: Simon and Alouini, Digital Communication over Fading Channels, 2nd ed., section 2.2.1.2 (a constant and
    two normal components).

    Args:
        generator: Source of random numbers.
        shape: Shape of the result.
        k_factor: Direct over scattered power as a ratio, broadcastable to `shape`.
        dtype: float32 or float64.

    Returns:
        Powers, of the given shape.
    """
    k: FloatArray = np.asarray(k_factor, dtype=dtype)
    scattered = _two_normals(generator, shape, dtype) * np.sqrt(0.5 / (1.0 + k))[..., None]
    powers: FloatArray = np.square(scattered[..., 0] + np.sqrt(k / (1.0 + k))) + np.square(scattered[..., 1])
    return powers


def sample_nakagami_power(
    generator: np.random.Generator,
    shape: tuple[int, ...],
    m: FloatArray | float,
    dtype: FloatType = np.float32,
) -> FloatArray:
    """Draw Nakagami-m-faded powers of unit mean (gamma distribution of shape m).

    Source: Simon and Alouini, Digital Communication over Fading Channels, 2nd ed., equation 2.21 (the power is
    gamma distributed).

    Args:
        generator: Source of random numbers.
        shape: Shape of the result.
        m: Shape of the fading, at least 0.5, broadcastable to `shape`.
        dtype: float32 or float64.

    Returns:
        Powers, of the given shape.
    """
    shape_parameter = np.asarray(m, dtype=np.float64)
    return (generator.standard_gamma(shape_parameter, size=shape) / shape_parameter).astype(dtype)


def sample_shadowed_rician_power(
    generator: np.random.Generator,
    shape: tuple[int, ...],
    parameters: ShadowedRician,
    dtype: FloatType = np.float32,
) -> FloatArray:
    """Draw shadowed-Rician powers with mean 2 b + omega.

    The direct component is a Nakagami amplitude of shape m and power omega, the scattered one complex normal
    with power 2b (Abdi et al. 2003, section II); the phase between them does not matter for the power.

    Source: Abdi et al., IEEE Transactions on Wireless Communications 2(3), 2003, section II.

    Args:
        generator: Source of random numbers.
        shape: Shape of the result.
        parameters: Channel parameters.
        dtype: float32 or float64.

    Returns:
        Powers, of the given shape.
    """
    direct = np.sqrt(parameters.omega * sample_nakagami_power(generator, shape, parameters.m, dtype))
    scattered = _two_normals(generator, shape, dtype) * dtype(math.sqrt(parameters.b))
    powers: FloatArray = np.square(scattered[..., 0] + direct) + np.square(scattered[..., 1])
    return powers
