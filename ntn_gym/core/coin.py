"""Coins for rules: numbers that look random but follow from what a rule sees."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def arbitrary(observation: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """Return ``n`` numbers in [0, 1) per observation that follow from it alone.

    A rule that needs a coin thereby plays the same in any batch and any repetition. The bits of the observation are
    mixed by the finaliser of MurmurHash3 (A. Appleby, public domain).

    Args:
        observation: float32 [..., obs].
        n: How many.

    Returns:
        [..., n].
    """
    bits: NDArray[Any] = np.ascontiguousarray(observation).view(np.uint32).astype(np.uint64)
    weights = np.arange(1, bits.shape[-1] + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (bits * weights).sum(axis=-1, dtype=np.uint64)[..., None]
    mixed = mixed + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0xD1B54A32D192ED03)
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        mixed ^= mixed >> np.uint64(33)
        mixed = mixed * np.uint64(factor)
    mixed ^= mixed >> np.uint64(33)
    return np.asarray((mixed >> np.uint64(40)) * 2.0**-24, dtype=np.float32)
