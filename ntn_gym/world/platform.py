"""A high-altitude platform that sways, climbs and sinks, tilts and turns: its cells swing over the ground.

Each motion is a narrow-band Gaussian oscillation a(t) cos(2 pi t / P) + b(t) sin(2 pi t / P) with independent
Gauss-Markov a and b: stationary, of a stated root-mean-square amplitude and period P, with a bandwidth set by the
memory of a and b.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.antennas import hexagonal_beams_uv


@dataclass(frozen=True)
class Swing:
    """Root-mean-square amplitudes and periods of the six motions (east, north, up in m; roll, pitch, yaw in rad)."""

    rms: tuple[float, float, float, float, float, float]
    period_s: tuple[float, float, float, float, float, float]
    memory_s: float

    @property
    def shape(self) -> tuple[int, int]:
        """Random amplitudes per step: a and b of each motion."""
        return len(self.rms), 2


def swing_motion(amplitude: NDArray[Any], swing: Swing, time_s: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the motions: east, north, up in m and roll, pitch, yaw in rad, [B, n, 6].

    Args:
        amplitude: Unit-variance Gauss-Markov a and b with a memory of `swing.memory_s`, [B, n, 6, 2].
        swing: Amplitudes and periods.
        time_s: Time of each step, [n].
    """
    phase = 2 * math.pi * time_s[:, None] / np.asarray(swing.period_s)
    sway = amplitude[..., 0] * np.cos(phase) + amplitude[..., 1] * np.sin(phase)
    return np.asarray(np.asarray(swing.rms) * sway)


def hexagonal_cells_m(n_rings: int, cell_radius_m: float) -> NDArray[np.float64]:
    """Return the centres of hexagonal cells around the sub-platform point, east and north in m, [n, 2].

    Neighbouring centres are sqrt(3) cell radii apart.
    """
    return hexagonal_beams_uv(n_rings, math.sqrt(3) * cell_radius_m)


def cell_boresights(cells_m: NDArray[np.float64], altitude_m: float) -> NDArray[np.float64]:
    """Return unit vectors from the platform at rest to the cells, east-north-up, [n, 3]."""
    vectors = np.concatenate([cells_m, np.full((len(cells_m), 1), -altitude_m)], axis=1)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def rotate(boresight: NDArray[np.float64], motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn boresights by the platform's attitude.

    Args:
        boresight: Unit vectors at rest, east-north-up, broadcastable to [B, n, K, 3].
        motion: From `swing_motion`, [B, n, 6]. Rotation about the east axis (roll), then north (pitch), then up (yaw,
            clockwise from above).

    Returns:
        Unit vectors [B, n, K, 3].
    """
    roll, pitch, yaw = (motion[..., 3 + i, None] for i in range(3))
    x, y, z = boresight[..., 0], boresight[..., 1], boresight[..., 2]
    y, z = y * np.cos(roll) - z * np.sin(roll), y * np.sin(roll) + z * np.cos(roll)
    x, z = x * np.cos(pitch) + z * np.sin(pitch), -x * np.sin(pitch) + z * np.cos(pitch)
    x, y = x * np.cos(yaw) + y * np.sin(yaw), -x * np.sin(yaw) + y * np.cos(yaw)
    return np.stack(np.broadcast_arrays(x, y, z), axis=-1)
