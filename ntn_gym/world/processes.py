"""Building blocks of exogenous processes: seeded draws and first-order Gauss-Markov (AR(1)) sequences.

Contract of a process: ``start(generators, shape) -> state`` and
``advance(generators, state, n_steps, ...) -> (state, samples)`` with ``samples`` of shape ``[B, n, ...]``
(world, time, rest). ``generators`` holds one generator per world, so that world ``i`` of a batch is the same
world alone. Every sequence here is the same, bit for bit, however it is cut into chunks and however many
worlds are drawn together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Generators = Sequence[np.random.Generator]
FloatArray = NDArray[Any]


def _empty_batch(n_worlds: int, n_steps: int, shape: tuple[int, ...], dtype: DTypeLike) -> FloatArray:
    """Allocate ``[B, n, *shape]`` after checking what a caller most easily gets wrong."""
    if n_worlds == 0:
        raise ValueError("generators: got none; pass one numpy Generator per world")
    if n_steps < 0:
        raise ValueError(f"n_steps: got {n_steps} steps; must be 0 or more")
    if np.dtype(dtype) not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueError(f"dtype: got {np.dtype(dtype)}; must be float32 or float64")
    return np.empty((n_worlds, n_steps, *shape), dtype=dtype)


def draw_normal(
    generators: Generators, n_steps: int, shape: tuple[int, ...] = (), dtype: DTypeLike = np.float32
) -> FloatArray:
    """Draw standard normal numbers, world by world from the world's own generator.

    Each world is filled in C order with time as its leading axis, so that drawing ``n1`` and then ``n2``
    steps gives the numbers of one draw of ``n1 + n2`` steps, as long as nothing else draws from the same
    generator in between.

    Args:
        generators: One generator per world, length B.
        n_steps: Number of time steps n, at least 0.
        shape: Shape of one step of one world.
        dtype: float32 or float64; the two give different numbers.

    Returns:
        Array ``[B, n, *shape]``.

    Raises:
        ValueError: If there is no generator, ``n_steps`` is negative or ``dtype`` is not a supported float.
    """
    samples = _empty_batch(len(generators), n_steps, shape, dtype)
    for generator, world in zip(generators, samples, strict=True):
        generator.standard_normal(out=world, dtype=samples.dtype)
    return samples


def draw_uniform(
    generators: Generators, n_steps: int, shape: tuple[int, ...] = (), dtype: DTypeLike = np.float32
) -> FloatArray:
    """Draw uniform numbers in [0, 1), world by world; layout and guarantees of :func:`draw_normal`.

    Args:
        generators: One generator per world, length B.
        n_steps: Number of time steps n, at least 0.
        shape: Shape of one step of one world.
        dtype: float32 or float64.

    Returns:
        Array ``[B, n, *shape]``.

    Raises:
        ValueError: If there is no generator, ``n_steps`` is negative or ``dtype`` is not a supported float.
    """
    samples = _empty_batch(len(generators), n_steps, shape, dtype)
    for generator, world in zip(generators, samples, strict=True):
        generator.random(out=world, dtype=samples.dtype)
    return samples


def correlation(rate_per_s: FloatArray | float, dt_s: FloatArray | float) -> FloatArray:
    """Return the one-step correlation ``rho = exp(-rate dt)`` of an exponentially correlated process.

    Source: Gudmundson, Electronics Letters 27(23), 1991 (shadowing: rate = speed / decorrelation distance).

    Args:
        rate_per_s: Decorrelation rate in 1/s, not negative. Rates of independent causes add.
        dt_s: Step in seconds.

    Returns:
        float64 correlation in (0, 1], shape broadcast from the arguments.
    """
    decay: FloatArray = np.exp(-np.multiply(rate_per_s, dt_s, dtype=np.float64))
    return decay


def ar1(
    previous: FloatArray,
    innovations: FloatArray,
    rho: FloatArray | float,
    fresh: NDArray[np.bool_] | None = None,
) -> FloatArray:
    """Run the first-order Gauss-Markov recursion ``y_t = rho_t y_{t-1} + sqrt(1 - rho_t^2) w_t``.

    With a standard normal start and standard normal ``w`` every ``y_t`` is standard normal, for any ``rho``.
    The arithmetic of one element does not depend on its neighbours: results are equal, bit for bit, for any
    chunk length and batch size (one multiplication and one addition per step, no reordered sums).

    Source: Gudmundson, Electronics Letters 27(23), 1991 (first-order autoregression with correlation rho).

    Args:
        previous: Value before the first step, ``[B, ...]``.
        innovations: Standard normal numbers ``w``, ``[B, n, ...]``.
        rho: Correlation with the step before, in [-1, 1]; broadcastable to ``innovations``.
        fresh: Where true the memory is lost and ``y_t = w_t`` (a new link took the place); broadcastable to
            ``innovations``. None means never.

    Returns:
        Samples ``y``, ``[B, n, ...]``, typed as ``innovations``; ``y[:, -1]`` is the state to go on from.
    """
    dtype = innovations.dtype
    decay = np.asarray(rho, dtype=dtype)
    if fresh is not None:
        decay = np.where(fresh, dtype.type(0), decay)
    # (1 - r)(1 + r) keeps its precision for r near 1, where 1 - r^2 in float32 would not.
    samples: FloatArray = innovations * np.sqrt((1 - decay) * (1 + decay))
    decay = np.broadcast_to(
        decay.reshape((1,) * (samples.ndim - decay.ndim) + decay.shape),
        np.broadcast_shapes(decay.shape, (1, samples.shape[1]) + (1,) * (samples.ndim - 2)),
    )
    kept = np.empty_like(previous, dtype=dtype)
    last = previous.astype(dtype, copy=False)
    for y, decay_t in zip(samples.swapaxes(0, 1), decay.swapaxes(0, 1), strict=True):
        np.multiply(last, decay_t, out=kept)
        np.add(y, kept, out=y)
        last = y
    return samples


def start_gauss_markov(
    generators: Generators, shape: tuple[int, ...] = (), dtype: DTypeLike = np.float32
) -> FloatArray:
    """Draw the stationary start of a unit-variance Gauss-Markov process.

    Args:
        generators: One generator per world, length B.
        shape: Shape of one step of one world.
        dtype: float32 or float64.

    Returns:
        State ``[B, *shape]``: the value one step before the first sample.
    """
    return draw_normal(generators, 1, shape, dtype)[:, 0]


def advance_gauss_markov(
    generators: Generators,
    state: FloatArray,
    n_steps: int,
    rho: FloatArray | float,
    fresh: NDArray[np.bool_] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Draw the next ``n_steps`` of a unit-variance Gauss-Markov process.

    Args:
        generators: One generator per world, length B.
        state: Value before the first step, ``[B, ...]``.
        n_steps: Number of steps n, at least 1.
        rho: As in :func:`ar1`.
        fresh: As in :func:`ar1`.

    Returns:
        The new state ``[B, ...]`` and the samples ``[B, n, ...]``.

    Raises:
        ValueError: If ``n_steps`` is below 1.
    """
    if n_steps < 1:
        raise ValueError(f"n_steps: got {n_steps} steps; must be 1 or more")
    samples = ar1(state, draw_normal(generators, n_steps, state.shape[1:], state.dtype), rho, fresh)
    return samples[:, -1].copy(), samples
