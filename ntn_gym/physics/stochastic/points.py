"""Realisations of point processes: positions with leading batch axes, and which of them exist.

A batch of Poisson processes has a different number of points in each realisation. It is stored in one array as wide as
the largest of them; places without a point hold NaN, so that a forgotten mask shows instead of counting a phantom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.stochastic.count_laws import Law, require_law

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Points:
    """A batch of realisations of a point process.

    Attributes:
        position_m: Positions in m, [..., n, 3]; NaN where there is no point.
        present: True where there is a point, [..., n].
    """

    position_m: FloatArray
    present: BoolArray

    def __post_init__(self) -> None:
        """Check the shapes.

        Raises:
            ValueError: If the shapes do not belong together.
        """
        if self.position_m.shape != (*self.present.shape, 3):
            raise ValueError(
                f"position_m: shape {self.position_m.shape} does not fit present of shape {self.present.shape}; "
                "must be the shape of present with a last axis of 3"
            )

    @property
    def count(self) -> NDArray[np.int64]:
        """Number of points in each realisation, [...]."""
        number: NDArray[np.int64] = self.present.sum(axis=-1)
        return number


def draw_present(generator: np.random.Generator, mean_n: float, law: Law, shape: tuple[int, ...] = ()) -> BoolArray:
    """Draw how many points each realisation has.

    Source: WKA section II-A (binomial and Poisson numbers of points).

    Args:
        generator: Source of random numbers (the binomial law draws none).
        mean_n: Mean number of points; under the binomial law the number itself.
        law: "binomial" (fixed number) or "poisson".
        shape: Batch shape.

    Returns:
        True for the points that exist, the first ones of each realisation, [*shape, n] with n the largest number.

    Raises:
        ValueError: If the law is unknown, the mean negative, or not whole under the binomial law.
    """
    require_law(law, mean_n)
    if law == "binomial":
        return np.ones((*shape, int(mean_n)), dtype=np.bool_)
    numbers = np.asarray(generator.poisson(mean_n, size=shape))
    width = int(numbers.max()) if numbers.size else 0
    present: BoolArray = np.arange(width) < numbers[..., None]
    return present


def place(position_m: NDArray[Any], present: BoolArray) -> Points:
    """Return the points that exist, with NaN in the places without one.

    Source: WKA section II-A.

    Args:
        position_m: Candidate positions in m, [..., n, 3].
        present: True where there is a point, [..., n].

    Returns:
        The points.
    """
    return Points(np.where(present[..., None], position_m, np.nan), present)


def join(*tiers: Points) -> tuple[Points, NDArray[np.int64]]:
    """Put the points of several tiers (LEO, HAPS, base stations) into one array, for association across tiers.

    Source: WKA section II-A (superposition of independent point processes: tiers).

    Args:
        *tiers: Points of the same batch shape, in Earth-centred axes.

    Returns:
        The points, [..., n1 + n2 + ...], and the number of the tier of each place, [n1 + n2 + ...].
    """
    joined = Points(
        np.concatenate([tier.position_m for tier in tiers], axis=-2),
        np.concatenate([tier.present for tier in tiers], axis=-1),
    )
    return joined, np.repeat(np.arange(len(tiers)), [tier.present.shape[-1] for tier in tiers])
