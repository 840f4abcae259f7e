"""The swinging platform: stated amplitudes and periods, rigid turns, and what they do on the ground."""

import math

import numpy as np
import pytest

from ntn_gym.world import platform
from ntn_gym.world.joint import JointProcesses, Process

SWING = platform.Swing((150.0, 80.0, 100.0, 0.03, 0.02, 0.07), (120.0, 90.0, 300.0, 40.0, 25.0, 90.0), 300.0)


def motions(n_worlds, n_steps, dt_s, swing=SWING, seed=0):
    joint = JointProcesses({"swing": Process(swing.shape, 1.0 / swing.memory_s)}, dt_s)
    state = joint.start({"swing": [np.random.Generator(np.random.SFC64(seed + i)) for i in range(n_worlds)]})
    _, samples = joint.advance(state, n_steps)
    return platform.swing_motion(samples["swing"], swing, np.arange(n_steps) * dt_s)


def test_amplitudes_and_correlation_are_those_stated():
    """Mean square and autocorrelation rms^2 exp(-lag / memory) cos(2 pi lag / period), 4.5 standard errors."""
    n = 20_000
    motion = motions(n, 31, 5.0)
    error = 4.5 * math.sqrt(2 / n)
    rms, period = np.array(SWING.rms), np.array(SWING.period_s)
    for step in (0, 17, 30):
        np.testing.assert_allclose((motion[:, step] ** 2).mean(axis=0) / rms**2, 1.0, atol=error)
        lag_s = step * 5.0
        correlation = (motion[:, 0] * motion[:, step]).mean(axis=0) / rms**2
        expected = np.exp(-lag_s / SWING.memory_s) * np.cos(2 * math.pi * lag_s / period)
        np.testing.assert_allclose(correlation, expected, atol=error)
    covariance = np.cov(motion[:, 3].T / rms[:, None])
    np.testing.assert_allclose(covariance, np.eye(6), atol=error)


def test_the_spectrum_peaks_at_the_period():
    long = platform.Swing(SWING.rms, SWING.period_s, 3000.0)
    motion = motions(40, 6000, 1.0, long)
    power = (np.abs(np.fft.rfft(motion, axis=1)) ** 2).mean(axis=0)
    frequency = np.fft.rfftfreq(6000, 1.0)
    for axis, period in enumerate(SWING.period_s):
        assert frequency[power[:, axis].argmax()] == pytest.approx(1 / period, abs=1.5 / 6000)


def attitude(roll=0.0, pitch=0.0, yaw=0.0):
    return np.array([[[0.0, 0.0, 0.0, roll, pitch, yaw]]])


def test_turns_are_rigid():
    rng = np.random.default_rng(0)
    motion = np.concatenate([np.zeros((50, 4, 3)), rng.uniform(-0.6, 0.6, (50, 4, 3))], axis=-1)
    matrix = platform.rotate(np.eye(3), motion)  # rows: the turned axes
    np.testing.assert_allclose(
        matrix @ np.swapaxes(matrix, -1, -2), np.broadcast_to(np.eye(3), matrix.shape), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(matrix), 1.0, atol=1e-12)


@pytest.mark.parametrize("tilt_deg", [1.0, -5.0, 20.0])
def test_a_tilt_moves_the_footprint_by_h_tan_tilt(tilt_deg):
    h, tilt = 20e3, math.radians(tilt_deg)
    down = platform.cell_boresights(np.zeros((1, 2)), h)
    np.testing.assert_allclose(down, [[0, 0, -1]])
    rolled = platform.rotate(down, attitude(roll=tilt))[0, 0, 0]
    # By the right-hand rule a roll about the east axis swings nadir to the north, a pitch about north to the west.
    ground = rolled[:2] * (h / -rolled[2])
    np.testing.assert_allclose(ground, [0.0, h * math.tan(tilt)], atol=1e-6)
    pitched = platform.rotate(down, attitude(pitch=tilt))[0, 0, 0]
    ground = pitched[:2] * (h / -pitched[2])
    np.testing.assert_allclose(ground, [-h * math.tan(tilt), 0.0], atol=1e-6)


def test_yaw_turns_clockwise_seen_from_above():
    north_cell = platform.cell_boresights(np.array([[0.0, 5e3]]), 20e3)
    turned = platform.rotate(north_cell, attitude(yaw=math.pi / 2))[0, 0, 0]
    ground = turned[:2] * (20e3 / -turned[2])
    np.testing.assert_allclose(ground, [5e3, 0.0], atol=1e-6)  # what lay in the north lies in the east


@pytest.mark.parametrize("rings", [0, 1, 2, 4])
def test_cells_are_a_hexagonal_lattice(rings):
    cells = platform.hexagonal_cells_m(rings, 4e3)
    assert cells.shape == (1 + 3 * rings * (rings + 1), 2)
    np.testing.assert_allclose(cells[0], 0.0)
    np.testing.assert_allclose(cells.mean(axis=0), 0.0, atol=1e-9)
    distance = np.linalg.norm(cells[:, None] - cells, axis=-1)
    np.fill_diagonal(distance, np.inf)
    np.testing.assert_allclose(distance.min(axis=1), math.sqrt(3) * 4e3 if rings else np.inf)
    if rings:
        neighbours = (np.abs(distance - math.sqrt(3) * 4e3) < 1e-6).sum(axis=1)
        assert neighbours[0] == 6
        assert neighbours.min() == 3
