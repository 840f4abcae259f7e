"""Packet arrivals: files that come as a Poisson process, smooth streams, and storms of many small messages.

Every function fills ``[B, n, ...]`` world by world from the world's own generators, time first, so that drawing n1 and
then n2 steps gives the numbers of n1 + n2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.world.processes import Generators

FloatArray = NDArray[Any]


def file_arrivals(counting: Generators, sizing: Generators, mean_files: FloatArray) -> FloatArray:
    """Return arrivals of a compound Poisson process with exponential files, in mean file sizes.

    The number of files of a step is Poisson; the sum of N exponential files is gamma(N). Mean m and variance 2 m for m
    files on average.

    Source: S. M. Ross, Introduction to Probability Models, 10th ed., section 5.4.2 (compound Poisson process).

    Args:
        counting: One generator per world for the numbers of files.
        sizing: One generator per world for their sizes.
        mean_files: Mean number of files in each step, not negative, [B, n, ...].

    Returns:
        Amounts, float64 [B, n, ...].
    """
    amounts = np.empty(mean_files.shape)
    for row, mean, count, size in zip(amounts, mean_files, counting, sizing, strict=True):
        row[...] = size.standard_gamma(count.poisson(mean))
    return amounts


def smooth_arrivals(generators: Generators, mean: FloatArray, shape: float = 4.0) -> FloatArray:
    """Return gamma distributed amounts with a given mean and squared coefficient of variation 1/shape.

    Args:
        generators: One generator per world.
        mean: Mean of each step, [B, n, ...].
        shape: Shape of the gamma distribution, positive.

    Returns:
        Amounts, float64 [B, n, ...].
    """
    amounts = np.empty(mean.shape)
    for row, generator in zip(amounts, generators, strict=True):
        row[...] = generator.standard_gamma(shape, size=row.shape)
    amounts *= mean / shape
    return amounts


def storm_arrivals(generators: Generators, mean: FloatArray, probability: float) -> FloatArray:
    """Return amounts that come to all sources at once in a share of the steps: mean/probability then, else 0.

    Source: alarm traffic of machines, all triggered by one event (3GPP TR 37.868 section 6.1.1, traffic model 2, with
    the burst inside one step).

    Args:
        generators: One generator per world.
        mean: Mean of each step, [B, n, sources].
        probability: Probability of a storm in a step, above 0 and at most 1.

    Returns:
        Amounts, float64 [B, n, sources].
    """
    amounts = np.empty(mean.shape)
    for row, generator in zip(amounts, generators, strict=True):
        row[...] = (generator.random(len(row)) < probability)[:, None]
    amounts *= mean / probability
    return amounts


def daily_profile(hour: FloatArray) -> FloatArray:
    """Return the intensity of traffic over the day, of mean 1: a base, a peak in the morning, a higher one at night.

    0.35 + 0.65 exp(-((h - 20.5)/3)^2/2) + 0.35 exp(-((h - 9)/2)^2/2), divided by its mean. Chosen; measured mobile
    traffic has this shape (F. Xu et al., "Understanding mobile traffic patterns of large scale cellular towers in urban
    environment", IEEE/ACM Transactions on Networking 25(2), 2017).

    Args:
        hour: Local time in h, [...].

    Returns:
        Intensity, [...].
    """
    return _profile(np.asarray(hour, dtype=np.float64)) / _MEAN_PROFILE


def _profile(hour: FloatArray) -> FloatArray:
    def peak(at: float, width: float) -> FloatArray:
        away = (hour - at + 12.0) % 24.0 - 12.0  # midnight is no wall
        return np.exp(-0.5 * (away / width) ** 2)

    result: FloatArray = 0.35 + 0.65 * peak(20.5, 3.0) + 0.35 * peak(9.0, 2.0)
    return result


_MEAN_PROFILE = float(_profile(np.arange(24 * 60) / 60.0).mean())
