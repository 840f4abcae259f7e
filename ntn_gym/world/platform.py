"""A high-altitude platform that sways, climbs and sinks, tilts and turns: its cells swing over the ground.

Each motion is a narrow-band Gaussian oscillation a(t) cos(2 pi t / P) + b(t) sin(2 pi t / P) with independent
Gauss-Markov a and b: stationary, of a stated root-mean-square amplitude and period P, with a bandwidth set by the
memory of a and b.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.world import processes


@dataclass(frozen=True)
class Swing:
    """Root-mean-square amplitudes and periods of the six motions (east, north, up in m; roll, pitch, yaw in rad)."""

    rms: tuple[float, float, float, float, float, float]
    period_s: tuple[float, float, float, float, float, float]
    memory_s: float


@dataclass(frozen=True)
class SwingState:
    """Amplitudes a and b of the six motions [B, 6, 2] and the time reached [B]."""

    amplitude: NDArray[np.float64]
    time_s: NDArray[np.float64]


def start_swing(generators: processes.Generators) -> SwingState:
    """Draw stationary amplitudes; the phase is then uniform."""
    amplitude = processes.start_gauss_markov(generators, (6, 2), np.float64)
    return SwingState(amplitude, np.zeros(len(amplitude)))


def advance_swing(
    generators: processes.Generators, state: SwingState, swing: Swing, n_steps: int, dt_s: float
) -> tuple[SwingState, NDArray[np.float64]]:
    """Draw the next motions, [B, n, 6]: east, north, up in m and roll, pitch, yaw in rad."""
    rho = processes.correlation(1.0 / swing.memory_s, dt_s)
    amplitude, samples = processes.advance_gauss_markov(generators, state.amplitude, n_steps, rho)
    step = np.rint(state.time_s / dt_s)[:, None] + np.arange(n_steps)
    phase = 2 * math.pi * (step * dt_s)[..., None] / np.asarray(swing.period_s)
    motion = np.asarray(swing.rms) * (samples[..., 0] * np.cos(phase) + samples[..., 1] * np.sin(phase))
    return SwingState(amplitude, state.time_s + n_steps * dt_s), motion


def hexagonal_cells_m(n_rings: int, cell_radius_m: float) -> NDArray[np.float64]:
    """Return the centres of hexagonal cells around the sub-platform point, east and north in m, [n, 2].

    Neighbouring centres are sqrt(3) cell radii apart.
    """
    centres = [
        (q + r / 2, r * math.sqrt(3) / 2)
        for q in range(-n_rings, n_rings + 1)
        for r in range(-n_rings, n_rings + 1)
        if abs(q + r) <= n_rings
    ]
    return np.array(sorted(centres, key=lambda c: (round(math.hypot(*c), 9), math.atan2(c[1], c[0])))) * (
        math.sqrt(3) * cell_radius_m
    )


def cell_boresights(cells_m: NDArray[np.float64], altitude_m: float) -> NDArray[np.float64]:
    """Return unit vectors from the platform at rest to the cells, east-north-up, [n, 3]."""
    vectors = np.concatenate([cells_m, np.full((len(cells_m), 1), -altitude_m)], axis=1)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def rotate(boresight: NDArray[np.float64], motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn boresights by the platform's attitude.

    Args:
        boresight: Unit vectors at rest, east-north-up, broadcastable to [B, n, K, 3].
        motion: From `advance_swing`, [B, n, 6]. Rotation about the east axis (roll), then north (pitch), then up (yaw,
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
