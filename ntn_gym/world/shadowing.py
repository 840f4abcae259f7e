"""Shadowing that remembers place and direction.

Around each user stands a second random field over azimuth, finer than the skyline. A link reads it in its own
direction, so two beams of one satellite share their shadowing, a moving satellite loses its correlation with the angle
it covers, and a moving user with the way. The field has unit variance everywhere; the standard deviation comes from
the tables of TR 38.811 for the link's elevation and LoS state, so the marginals are the document's.

The correlation over azimuth is about Gaussian in angle, with the given correlation angle (`azimuth_field`). Over
distance it is exponential (Gudmundson, Electronics Letters 27(23), 1991); 37 m is the correlation distance of shadow
fading in 3GPP TR 38.901 Table 7.5-6 for rural and urban macro cells in line of sight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.pathloss import LargeScaleTable
from ntn_gym.world.azimuth import AzimuthField

FloatArray = NDArray[Any]
_CELLS_PER_DEG = 10
_CELLS_PER_RAD = _CELLS_PER_DEG * 180 / math.pi


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
    return AzimuthField(np.sqrt(power))


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


def excess_loss_db(field: FloatArray, los: NDArray[np.bool_], elev_rad: FloatArray, table: ShadowTable) -> FloatArray:
    """Return shadowing plus clutter loss in dB (positive weakens the signal).

    Args:
        field: Unit-variance shadowing field in the direction of the link, [...].
        los: Line-of-sight state, [...].
        elev_rad: Elevation in rad, [...]; outside 0..90 deg it is clamped.
        table: From `shadow_table`.
    """
    n_cells = table.sigma_db.shape[1]
    cell = np.multiply(elev_rad, elev_rad.dtype.type(_CELLS_PER_RAD)).astype(np.intp)
    np.clip(cell, 0, n_cells - 1, out=cell)
    cell = cell + los * np.intp(n_cells)
    loss: FloatArray = table.sigma_db.ravel().take(cell) * field
    loss += table.loss_db.ravel().take(cell)
    return loss
