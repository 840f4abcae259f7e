"""Rain attenuation as a time series with the long-run statistics of ITU-R P.618.

Maseng and Bakken's model: behind the attenuation of a user stands a stationary Gauss-Markov process X of unit
variance and rate beta = 2e-4 1/s, and the attenuation is an increasing function of X. They take A = exp(mu +
sigma X), a log-normal fit to the exceedance curve. Here A(X) is the curve itself: with p = 100 Q(X) the
percentage of time that X is exceeded (Q: tail of the standard normal distribution),

- A = A_p of P.618-13 for 0.001 % <= p <= p_wet = min(5 %, 0.8 p_rain), with p_rain the rain probability of P.837,
- A falls linearly in X from A(p_wet) to 0 between p_wet and p_rain,
- A = 0 for p > p_rain: it does not rain,
- A stays at its 0.001 % value for rarer p, for which P.618 gives nothing.

The long-run exceedance is then P.618's by construction. (Log-normal fits to the same points, conditional on
rain, are up to 34 % off at 0.01 % of the time and 76 % at 1 % over the shipped sites.) All links of a user
share X, each with the curve of its own elevation: a pass through rain is attenuated at one quantile all the
way.

Sources: Maseng and Bakken, "A stochastic dynamic model of rain attenuation", IEEE Transactions on
Communications 29(5), 1981; ITU-R P.1853-2 Annex 1 section 2.2 (beta); P.618-13 section 2.2.1.1 (curve).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ntn_gym.physics.climate import SiteClimate
from ntn_gym.physics.rain import CIRCULAR_TILT_RAD, rain_attenuation_db
from ntn_gym.world import processes

FloatArray = NDArray[Any]

RATE_PER_S = 2e-4
"""Rate of the underlying process: a correlation time of 5000 s (ITU-R P.1853-2)."""
DECORRELATION_M = 30e3
"""Distance at which the rain of two places has lost most of its correlation (ITU-R P.618-13 section 2.2.4.1)."""

_LOWEST_ELEVATION_DEG = 5
_RAREST_PERCENT = 0.001
_N_SCORES = 256


@dataclass(frozen=True)
class RainTable:
    """Rain attenuation over elevation and the score X, for one carrier; read by `attenuation_db`.

    Attributes:
        attenuation_db: float32, read-only, [elevations, scores] of one site or [S, elevations, scores] of S sites:
            elevations 5, 6, ..., 90 deg.
        first_score: Score of the first column, a number or [S]: below it there is no rain.
        scores_per_unit: Columns per unit of the score, a number or [S].
    """

    attenuation_db: NDArray[np.float32]
    first_score: float | NDArray[np.float32]
    scores_per_unit: float | NDArray[np.float32]


@lru_cache(maxsize=256)
def rain_table(site: SiteClimate, freq_hz: float, tilt_rad: float = CIRCULAR_TILT_RAD) -> RainTable:
    """Tabulate the attenuation of a site and carrier over elevation and score.

    Interpolation between the entries is within 2 % of P.618, and within 5 % in the last degree before the
    zenith, where P.618 has a cusp.

    Args:
        site: Climate of the site.
        freq_hz: Carrier frequency in Hz, 1e9 to 55e9.
        tilt_rad: Polarisation tilt in rad.

    Returns:
        The table.

    Raises:
        ValueError: If the frequency is outside the range of P.618.
    """
    elev_rad = np.radians(np.arange(_LOWEST_ELEVATION_DEG, 91))[:, None]
    last_score = -ndtri(_RAREST_PERCENT / 100.0)
    rain_pct = min(max(site.rain_probability_pct, _RAREST_PERCENT * 1.5), 99.0)
    wet_pct = min(5.0, 0.8 * rain_pct)
    first_score, wet_score = -ndtri(rain_pct / 100.0), -ndtri(wet_pct / 100.0)
    score = np.linspace(first_score, last_score, _N_SCORES)
    p = np.clip(100.0 * ndtr(-score), _RAREST_PERCENT, wet_pct)
    ramp = np.clip((score - first_score) / (wet_score - first_score), 0.0, 1.0)
    exceeded = rain_attenuation_db(p, elev_rad, freq_hz, site, tilt_rad) * ramp
    if site.rain_probability_pct < _RAREST_PERCENT:
        exceeded = np.zeros_like(exceeded)  # a place where P.837 sees no rain at all
    # Below 10 deg and 0.01 % the fit of P.618 can fall again; a heavier rain never attenuates less.
    attenuation = np.maximum.accumulate(exceeded, axis=1).astype(np.float32)
    attenuation.setflags(write=False)
    return RainTable(attenuation, float(first_score), (_N_SCORES - 1) / float(last_score - first_score))


@lru_cache(maxsize=4)
def rain_tables(sites: tuple[SiteClimate, ...], freq_hz: float, tilt_rad: float = CIRCULAR_TILT_RAD) -> RainTable:
    """Stack the tables of several sites, 88 KB each; arguments and errors are those of `rain_table`."""
    tables = [rain_table(site, freq_hz, tilt_rad) for site in sites]
    attenuation = np.stack([table.attenuation_db for table in tables])
    attenuation.setflags(write=False)
    first, per_unit = (
        np.array([getattr(table, field) for table in tables], dtype=np.float32)
        for field in ("first_score", "scores_per_unit")
    )
    return RainTable(attenuation, first, per_unit)


def start(generators: processes.Generators, n_users: int) -> FloatArray:
    """Draw the weather of all users from its long-run distribution.

    Args:
        generators: One generator per world, length B.
        n_users: Users U of a world (or places that share one weather).

    Returns:
        Scores X before the first step, [B, U], float32.
    """
    return processes.start_gauss_markov(generators, (n_users,))


def advance(
    generators: processes.Generators,
    state: FloatArray,
    n_steps: int,
    dt_s: float,
    rate_per_s: float = RATE_PER_S,
) -> tuple[FloatArray, FloatArray]:
    """Draw the next scores.

    Args:
        generators: One generator per world, length B.
        state: Scores before the first step, [B, U].
        n_steps: Number of steps n, at least 1.
        dt_s: Step in s.
        rate_per_s: Rate of change in 1/s.

    Returns:
        The new state [B, U] and the scores [B, n, U]: independent from user to user, see `correlate`.
    """
    return processes.advance_gauss_markov(generators, state, n_steps, processes.correlation(rate_per_s, dt_s))


def spatial_correlation(distance_m: FloatArray | float) -> FloatArray:
    """Return the correlation of (the scores of) rain attenuation between two places.

    0.94 exp(-d / 30 km) + 0.06 exp(-(d / 500 km)^2).

    Source: ITU-R P.618-13 section 2.2.4.1 (site diversity). The document has a second correlation, of whether
    it rains at all; one score serves both purposes here.

    Args:
        distance_m: Distance in m, [...].

    Returns:
        Correlation in [0, 1], [...].
    """
    near = np.exp(-np.divide(distance_m, DECORRELATION_M))
    correlation: FloatArray = 0.94 * near + 0.06 * np.exp(-(np.divide(distance_m, 500e3) ** 2))
    return correlation


def mixing_matrix(distance_m: FloatArray) -> FloatArray:
    """Return the matrix that gives users the spatial correlation of rain, for `correlate`.

    Args:
        distance_m: Distances between all users in m, [..., U, U], zero on the diagonal.

    Returns:
        Lower Cholesky factor of `spatial_correlation`, [..., U, U], float32.
    """
    correlation = spatial_correlation(distance_m)
    # Users at one place make the matrix singular; 1e-6 of variance of their own keeps it positive.
    identity = np.eye(correlation.shape[-1])
    return np.linalg.cholesky((correlation + 1e-6 * identity) / (1.0 + 1e-6)).astype(np.float32)


def correlate(scores: FloatArray, mixing: FloatArray) -> FloatArray:
    """Mix independent scores so that users near each other meet the same rain.

    Args:
        scores: Independent scores, [B, n, U].
        mixing: From `mixing_matrix`, [U, U] or broadcastable to [B, n, U, U].

    Returns:
        Correlated scores, each still standard normal, [B, n, U].
    """
    mixed: FloatArray = np.matmul(mixing, scores[..., None])[..., 0]
    return mixed


def attenuation_db(
    scores: FloatArray, elev_rad: FloatArray, table: RainTable, site: NDArray[np.integer[Any]] | None = None
) -> FloatArray:
    """Return the rain attenuation of links.

    Args:
        scores: Score of the user, [..., U, 1] or any shape that broadcasts with `elev_rad`.
        elev_rad: Elevation of the link in rad, finite, [..., U, K]; below 5 deg the value of 5 deg is
            returned.
        table: From `rain_table`, or from `rain_tables`.
        site: Which site of `rain_tables`, broadcastable to `scores`.

    Returns:
        Attenuation in dB, not negative, float32, broadcast shape.
    """
    values, first, per_unit = table.attenuation_db, table.first_score, table.scores_per_unit
    n_elevations, n_scores = values.shape[-2:]
    row, row_part = _cell(elev_rad, math.radians(_LOWEST_ELEVATION_DEG), 180.0 / math.pi, n_elevations)
    corner = row * n_scores
    if site is not None:
        first, per_unit = np.asarray(first)[site], np.asarray(per_unit)[site]
        corner = corner + site * (n_elevations * n_scores)
    column, column_part = _cell(scores, first, per_unit, n_scores)
    corner = corner + column
    flat = values.reshape(-1)
    lower, upper = flat.take(corner), flat.take(corner + n_scores)
    lower = lower + (flat.take(corner + 1) - lower) * column_part
    upper = upper + (flat.take(corner + n_scores + 1) - upper) * column_part
    attenuation: FloatArray = lower + (upper - lower) * row_part
    return attenuation


def _cell(
    values: FloatArray, first: FloatArray | float, per_unit: FloatArray | float, n_points: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Locate values on a uniform grid: index of the point below and the part of the step beyond it."""
    position = (np.asarray(values, dtype=np.float32) - np.asarray(first, np.float32)) * np.asarray(per_unit, np.float32)
    position = np.clip(position, 0.0, n_points - 1.0)
    index = np.minimum(position.astype(np.intp), n_points - 2)
    return index, position - index.astype(np.float32)
