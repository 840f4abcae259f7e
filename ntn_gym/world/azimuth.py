"""A random field over azimuth: what the skyline and the shadowing around a user are made of.

g(az) = sum_m w_m (a_m cos m az + b_m sin m az) for m = 0..M-1, with independent standard normal a_m, b_m and
sum w_m^2 = 1. At every azimuth g is standard normal, and the correlation between two azimuths is sum_m w_m^2 cos(m
separation). Where a_m and b_m are Gauss-Markov processes, the field changes with time and keeps these properties.

Source: spectral representation of a stationary Gaussian field on the circle, e.g. G. Christakos, Random Field Models in
Earth Sciences, 1992, chapter 2 (discrete spectrum).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[Any]

_FEW_USERS = 3  # up to here summing the series for each link is faster than a matrix product


@dataclass(frozen=True, eq=False)
class AzimuthField:
    """A stationary field over azimuth.

    Attributes:
        weight: w_m of the harmonics 0..M-1, float64 [M] with M at least 2; the squares sum to 1.
    """

    weight: NDArray[np.float64]

    @property
    def n_coefficients(self) -> int:
        """Standard normal numbers per field: a_0, b_0, a_1, b_1, ... (b_0 has no effect)."""
        return 2 * len(self.weight)

    def correlation(self, separation_rad: FloatArray | float) -> FloatArray:
        """Return the correlation of the field between two azimuths, [...]."""
        order = np.arange(len(self.weight))
        correlation: FloatArray = np.cos(np.multiply.outer(separation_rad, order)) @ self.weight**2
        return correlation

    def evaluate(self, coefficients: FloatArray, azimuth_rad: FloatArray) -> FloatArray:
        """Return the fields of users towards nodes.

        The bits of one value depend on U and K only, not on B and n.

        Args:
            coefficients: Fields of the users, float32 [B, n, U, n_coefficients].
            azimuth_rad: Azimuth of the nodes, [B, n, K] when the users of a world share them, or [B, n, U, K].

        Returns:
            g, float32 [B, n, U, K].
        """
        azimuth = np.asarray(azimuth_rad, dtype=np.float32)
        n_worlds, n_steps, n_users, _ = coefficients.shape
        if azimuth.ndim == 3 and n_users <= _FEW_USERS:
            azimuth = np.repeat(azimuth[:, :, None], n_users, axis=2)
        if azimuth.ndim == 4:
            n_nodes = azimuth.shape[-1]
            rows = self._sum(coefficients.reshape(-1, self.n_coefficients), azimuth.reshape(-1, n_nodes))
            return rows.reshape(n_worlds, n_steps, n_users, n_nodes)
        # One small matrix product for each world and step serves many users.
        shared: FloatArray = np.matmul(coefficients, np.swapaxes(self._basis(azimuth), -1, -2))
        return shared

    def _basis(self, azimuth: FloatArray) -> FloatArray:
        """Weighted harmonics [..., n_coefficients]; their product with the coefficients is the field."""
        harmonics = np.empty((len(self.weight), 2, *azimuth.shape), dtype=np.float32)
        harmonics[0, 0], harmonics[0, 1] = 1.0, 0.0
        np.cos(azimuth, out=harmonics[1, 0])
        np.sin(azimuth, out=harmonics[1, 1])
        # cos (m + 1)x = 2 cos x cos mx - cos (m - 1)x, and the same for the sine.
        twice = 2 * harmonics[1, 0]
        for lower, middle, upper in zip(harmonics[:-2], harmonics[1:-1], harmonics[2:], strict=True):
            np.multiply(twice, middle, out=upper)
            upper -= lower
        harmonics *= self.weight.astype(np.float32).reshape(-1, *[1] * (harmonics.ndim - 1))
        # C order: the product then meets one memory layout, hence one order of summation, whatever the sizes.
        rows = np.ascontiguousarray(np.moveaxis(harmonics, (0, 1), (-2, -1)))
        return rows.reshape(*azimuth.shape, self.n_coefficients)

    def _sum(self, coefficients: FloatArray, azimuth: FloatArray) -> FloatArray:
        """Add up the series for rows of their own coefficients [N, n_coefficients] and azimuths [N, K].

        Clenshaw's recurrence u_m = c_m + 2 cos(az) u_(m+1) - u_(m+2), for the cosines and the sines at once; the sums
        are a_0 + u_1 cos(az) - u_2 and u_1 sin(az). (Elementary operations only: those on complex numbers round
        differently for one element and for many.)
        """
        # Harmonics first and rows last: then every operation runs along one long block of memory.
        pairs = coefficients.reshape(len(azimuth), -1, 2).transpose(1, 2, 0)
        pairs = np.multiply(pairs, self.weight.astype(np.float32)[:, None, None], order="C")
        turned = np.ascontiguousarray(azimuth.T)
        cosine, sine = np.cos(turned), np.sin(turned)
        twice = 2 * cosine
        new, one, two = (np.zeros((2, *turned.shape), dtype=np.float32) for _ in range(3))
        for pair in pairs[:0:-1]:
            np.multiply(twice, one, out=new)
            new -= two
            new += pair[:, None]
            new, one, two = two, new, one
        total = one[0] * cosine
        total += one[1] * sine
        total -= two[0]
        total += pairs[0, 0]
        return np.ascontiguousarray(total.T)
