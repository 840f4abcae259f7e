"""Shadowing that remembers place and direction.

Around each user stands a second random field over azimuth, finer than the skyline. A link reads it in its own
direction, so two beams of one satellite share their shadowing, a moving satellite loses its correlation with the angle
it covers, and a moving user with the way. The field has unit variance everywhere; the standard deviation comes from
the tables of TR 38.811 for the link's elevation and LoS state, so the marginals are the document's.

The correlation over azimuth is exp(-(m theta)^2 / 2) in the harmonics, i.e. about Gaussian in angle, with the given
correlation angle; over distance it is exponential (Gudmundson, Electronics Letters 27(23), 1991), with the 37 m of
3GPP TR 38.811 Table 6.7.2 for rural and 38.901 for large cells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.pathloss import LargeScaleTable
from ntn_gym.world import processes

FloatArray = NDArray[Any]
_CELLS_PER_DEG = 10


@dataclass(frozen=True)
class AzimuthField:
    """Weights of the harmonics cos m az, sin m az of a unit-variance Gaussian field over azimuth."""

    weight: NDArray[np.float32]

    @property
    def n_coefficients(self) -> int:
        """Random numbers per field: harmonics 0..M once for the cosine, 1..M for the sine."""
        return 2 * len(self.weight) - 1

    def basis(self, azimuth_rad: FloatArray) -> FloatArray:
        """Return weighted harmonics [..., n_coefficients], float32; their squares sum to 1."""
        order = np.arange(len(self.weight), dtype=np.float32)
        angle = np.multiply.outer(np.asarray(azimuth_rad, dtype=np.float32), order)
        harmonics = np.empty((*angle.shape[:-1], self.n_coefficients), dtype=np.float32)
        np.multiply(np.cos(angle), self.weight, out=harmonics[..., : len(order)])
        np.multiply(np.sin(angle[..., 1:]), self.weight[1:], out=harmonics[..., len(order) :])
        return harmonics

    def correlation(self, separation_rad: FloatArray | float) -> FloatArray:
        """Return the correlation between two azimuths."""
        order = np.arange(len(self.weight))
        return np.asarray(np.cos(np.multiply.outer(separation_rad, order)) @ self.weight.astype(np.float64) ** 2)


def azimuth_field(correlation_angle_rad: float) -> AzimuthField:
    """Build a field whose correlation over azimuth is about exp(-(separation / angle)^2 / 2).

    Harmonics are kept until 99.5 % of the power of the wrapped Gaussian is reached and then normalised.

    Args:
        correlation_angle_rad: Standard deviation of the Gaussian correlation, 2 deg to 180 deg.

    Raises:
        ValueError: If the angle is outside this range.
    """
    if not math.radians(2) <= correlation_angle_rad <= math.pi:
        raise ValueError(f"correlation angle = {math.degrees(correlation_angle_rad):g} deg: allowed are 2 to 180 deg")
    order = np.arange(200)
    power = np.exp(-((order * correlation_angle_rad) ** 2) / 2)
    power[1:] *= 2  # a harmonic above 0 stands for m and -m
    kept = int(np.searchsorted(np.cumsum(power) / power.sum(), 0.995)) + 1
    power = power[:kept] / power[:kept].sum()
    return AzimuthField(np.sqrt(power).astype(np.float32))


def start(generators: processes.Generators, n_users: int, field: AzimuthField) -> FloatArray:
    """Draw the fields of all users, [B, U, n_coefficients] float32."""
    return processes.start_gauss_markov(generators, (n_users, field.n_coefficients))


@dataclass(frozen=True)
class ShadowTable:
    """Standard deviation and clutter loss by elevation cell of 0.1 deg: [2, cells], row 0 blocked, row 1 LoS."""

    sigma_db: NDArray[np.float32]
    loss_db: NDArray[np.float32]


def shadow_table(table: LargeScaleTable) -> ShadowTable:
    """Spread the TR 38.811 table over elevation cells, linearly between its reference angles."""
    elevation = (np.arange(90 * _CELLS_PER_DEG + 1) + 0.5) / _CELLS_PER_DEG
    reference = np.arange(10, 91, 10)
    sigma = [
        np.interp(elevation, reference, column) for column in (table.shadow_sigma_nlos_db, table.shadow_sigma_los_db)
    ]
    loss = [np.interp(elevation, reference, table.clutter_loss_db), np.zeros_like(elevation)]
    return ShadowTable(np.array(sigma, dtype=np.float32), np.array(loss, dtype=np.float32))


def excess_loss_db(
    field: FloatArray, los: NDArray[np.bool_], elevation_deg: FloatArray, table: ShadowTable
) -> FloatArray:
    """Return shadowing plus clutter loss in dB (positive weakens the signal).

    Args:
        field: Unit-variance shadowing field in the direction of the link, [...].
        los: Line-of-sight state, [...].
        elevation_deg: Elevation, [...]; outside 0..90 it is clamped.
        table: From `shadow_table`.
    """
    n_cells = table.sigma_db.shape[1]
    cell = (elevation_deg * np.float32(_CELLS_PER_DEG)).astype(np.intp)
    np.clip(cell, 0, n_cells - 1, out=cell)
    cell += los * np.intp(n_cells)
    return table.sigma_db.ravel().take(cell) * field + table.loss_db.ravel().take(cell)
