"""Line of sight with memory: a random skyline around each user, with the marginals of TR 38.811.

Around every user stands a Gaussian skyline over azimuth, g(az) = sum_m w_m (a_m cos m az + b_m sin m az) with
harmonics m = 0..12, w_m proportional to exp(-(m theta_c)^2 / 4), theta_c = 20 deg, and unit variance at every
azimuth (`azimuth.AzimuthField`). The coefficients a_m, b_m are independent unit Gauss-Markov processes: the
skyline changes as the user moves. A link is in line of sight exactly when Phi(g(azimuth)) < P_LoS(elevation). Hence

- the marginal probability is the table's (3GPP TR 38.811 Table 6.6.1-1) at every azimuth and time, exactly;
- satellites close to each other in azimuth are blocked together (correlation `FIELD.correlation`);
- blockage persists, and what is blocked at some elevation is blocked at every lower one.

The construction (a threshold on a correlated Gaussian field, a "Gaussian copula") is this package's own; TR
38.811 gives the marginals and leaves the correlation of the LoS state open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ntn_gym.physics.pathloss import Environment, Lookup, los_probability
from ntn_gym.world import processes
from ntn_gym.world.azimuth import AzimuthField

FloatArray = NDArray[Any]

CORRELATION_ANGLE_RAD = math.radians(20.0)
LIFETIME_S = 300.0
"""The skyline of a user who stands still changes at this scale (traffic, people, the device in the hand)."""

_CELLS_PER_RAD = 50 * 180 / math.pi
"""Elevation cells of 0.02 deg: P_LoS at the middle of the cell is within 1.7e-4 of the interpolated table."""


def _field(n_harmonics: int) -> AzimuthField:
    power = np.exp(-((np.arange(n_harmonics) * CORRELATION_ANGLE_RAD) ** 2) / 2)
    return AzimuthField(np.sqrt(power / power.sum()))


FIELD = _field(n_harmonics=13)
"""The skyline as a field over azimuth: `FIELD.evaluate` gives g towards the nodes.

Its correlation is about 0.90 at 10 deg and 0.24 at 40 deg. The constant harmonic leaves 0.12 at 180 deg: a narrow
street is narrow on both sides.
"""


def rate_per_s(
    speed_m_s: FloatArray | float, decorrelation_m: FloatArray | float, lifetime_s: float = LIFETIME_S
) -> FloatArray | float:
    """Return the rate at which a skyline is forgotten, v / d_cor + 1 / lifetime, in 1/s.

    Source: exponential decorrelation with distance (Gudmundson, Electronics Letters 27(23), 1991); for the
    distance see 3GPP TR 38.901 Table 7.6.3.1-2, row LOS/NLOS state: 50 m in cities, 60 m in rural areas.

    Args:
        speed_m_s: Speed of the user in m/s, [...].
        decorrelation_m: Distance in m after which the correlation has fallen to 1/e, positive, [...].
        lifetime_s: Time in s after which a standing user's skyline has changed to 1/e, positive.

    Returns:
        Rate in 1/s, [...].
    """
    return speed_m_s / decorrelation_m + 1.0 / lifetime_s


def start(generators: processes.Generators, n_users: int) -> FloatArray:
    """Draw the skylines of all users.

    Args:
        generators: One generator per world, length B.
        n_users: Users U of a world.

    Returns:
        Coefficients [B, U, n_coefficients], float32.
    """
    return processes.start_gauss_markov(generators, (n_users, FIELD.n_coefficients))


def advance(
    generators: processes.Generators,
    state: FloatArray,
    n_steps: int,
    rate: FloatArray | float,
    dt_s: float,
) -> tuple[FloatArray, FloatArray]:
    """Draw the next skylines.

    Args:
        generators: One generator per world, length B.
        state: Coefficients before the first step, [B, U, n_coefficients].
        n_steps: Number of steps n, at least 1.
        rate: Rate of change in 1/s (see `rate_per_s`); a number or broadcastable to [B, n, U].
        dt_s: Step in s.

    Returns:
        The new state [B, U, n_coefficients] and the coefficients [B, n, U, n_coefficients].
    """
    rho = processes.correlation(rate, dt_s)
    return processes.advance_gauss_markov(generators, state, n_steps, rho[..., None] if np.ndim(rho) else rho)


def canyon_term(azimuth_rad: FloatArray, street_rad: FloatArray | float, contrast: float) -> FloatArray:
    """Return what a street adds to the skyline, -contrast sqrt(2) cos 2(azimuth - street).

    Open along the street, closed across it. Add it to g, and compare with a table made for the same contrast.

    Args:
        azimuth_rad: Azimuth of the link in rad, [...].
        street_rad: Azimuth of the street's axis in rad, [...].
        contrast: Root mean square of the term over azimuth, 0 (no street) or more; 1 equals the skyline's
            own.

    Returns:
        Term to add to g, [...].
    """
    term: FloatArray = (-contrast * math.sqrt(2.0)) * np.cos(2.0 * (azimuth_rad - street_rad))
    return term


@cache
def canyon_quantile(contrast: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the monotone map from g with a street to a standard normal score.

    With the street's axis uniform, g + term is a mixture with distribution function F(x) = mean over phi of
    Phi(x + contrast sqrt(2) cos phi); the score is Phi^-1(F(x)). The mean is taken at 512 midpoints (it
    converges exponentially for a periodic function). Interpolate linearly: the grid step of 0.005 leaves an
    error below 1e-5 for contrasts up to 3.

    Args:
        contrast: As in `canyon_term`, 0 to 3.

    Returns:
        g with the street (ascending) and its score, read-only float64 arrays of one length.

    Raises:
        ValueError: If the contrast is outside 0 to 3.
    """
    if not 0.0 <= contrast <= 3.0:
        raise ValueError(f"contrast: got {contrast}; must be 0 (no street canyon) to 3, in sigma of g")
    reach = 5.0 + contrast * math.sqrt(2.0)
    total = np.linspace(-reach, reach, 2 * math.ceil(reach / 0.005) + 1)
    phase = (np.arange(512) + 0.5) * (math.pi / 512)
    score = ndtri(ndtr(np.add.outer(total, contrast * math.sqrt(2.0) * np.cos(phase))).mean(axis=1))
    total.setflags(write=False)
    score.setflags(write=False)
    return total, score


@dataclass(frozen=True)
class LosTable:
    """Threshold of the skyline by elevation, for `los`.

    Attributes:
        threshold: float32, read-only, one value for each elevation cell from 0 to 90 deg.
        cells_per_rad: Cells per rad of elevation.
    """

    threshold: NDArray[np.float32]
    cells_per_rad: float


@cache
def los_table(environment: Environment, mode: Lookup = "linear", contrast: float = 0.0) -> LosTable:
    """Return the thresholds below which g means line of sight.

    Args:
        environment: "dense_urban", "urban", "suburban" or "rural".
        mode: "linear" between the reference angles of TR 38.811, or "nearest" as it is written there.
        contrast: Street canyon, as in `canyon_term`; 0 for none.

    Returns:
        The table. Elevations below 10 deg take the value of 10 deg.

    Raises:
        ValueError: If the environment, the mode or the contrast is not allowed.
    """
    n_cells = round(_CELLS_PER_RAD * math.pi / 2)
    elev_rad = (np.arange(n_cells) + 0.5) / _CELLS_PER_RAD
    score = ndtri(los_probability(elev_rad, environment, mode))
    total, total_score = canyon_quantile(contrast)
    threshold = np.interp(score, total_score, total).astype(np.float32)
    threshold.setflags(write=False)
    return LosTable(threshold, _CELLS_PER_RAD)


def los(g: FloatArray, elev_rad: FloatArray, table: LosTable) -> NDArray[np.bool_]:
    """Return the line-of-sight state.

    Args:
        g: Skyline towards the node (plus `canyon_term`, if the table has a contrast), [..., U, K].
        elev_rad: Elevation of the link in rad, finite, broadcastable to `g`; clamped to 0..90 deg.
        table: From `los_table`.

    Returns:
        True in line of sight, [..., U, K].
    """
    cell = np.multiply(elev_rad, elev_rad.dtype.type(table.cells_per_rad)).astype(np.intp)
    clear: NDArray[np.bool_] = g < table.threshold.take(cell, mode="clip")
    return clear
