"""Standard normal numbers from a table of quantiles, for worlds that need very many of them.

Sixteen random bits choose one of 65,536 equally likely values, the quantiles Phi^-1((i + 1/2) / 65536) scaled to unit
variance: inversion on a finite grid. It takes a quarter of the time of NumPy's rejection method. The distribution
function is right to 2^-17; values end at 4.3, which takes 0.003 from the fourth moment. Draw with it what is summed up
(innovations of a slow process) or small (an error of measurement), not what is asked for rare events.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ntn_gym.world.processes import Generators

_BITS = 16
_PER_WORD = 64 // _BITS
_TOGETHER = 16_384


@cache
def quantiles() -> NDArray[np.float32]:
    """Return the table, ascending, symmetric about 0, with unit variance; read-only."""
    n_values = 2**_BITS
    exact = ndtri((np.arange(n_values) + 0.5) / n_values)
    table = (exact / np.sqrt(np.mean(exact * exact))).astype(np.float32)
    table.setflags(write=False)
    return table


def draw_normal(generators: Generators, n_steps: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """Draw standard normal numbers, world by world; layout and guarantees of `processes.draw_normal`.

    Args:
        generators: One generator per world, length B; each must be of 64-bit words, as SFC64 and PCG64 are.
        n_steps: Number of time steps n, at least 0.
        shape: Shape of one step of one world.

    Returns:
        Array ``[B, n, *shape]``, float32.
    """
    size = int(np.prod(shape, dtype=np.int64))
    words = -(-size // _PER_WORD)
    at_once = max(1, _TOGETHER // max(1, size))
    table = quantiles()
    samples = np.empty((len(generators), n_steps, size), dtype=np.float32)
    for generator, world in zip(generators, samples, strict=True):
        # A few steps at a time stay in the cache; each step takes whole words, so that cutting changes no number.
        for first in range(0, n_steps, at_once):
            part = world[first : first + at_once]
            drawn = generator.bit_generator.random_raw(len(part) * words).view(np.uint16)
            chosen = drawn.reshape(len(part), words * _PER_WORD)[:, :size]
            # An index of 16 bits cannot leave the table: "wrap" never wraps, it spares a pass that would check.
            table.take(chosen, out=part, mode="wrap")
    return samples.reshape(len(generators), n_steps, *shape)
