"""Cloud over optical ground stations: an on/off process with exponential holding times.

A station is clear for an exponential time of mean TCC (time to cloud cover), then covered for one of mean TCS (time
to clear sky), independently of all others. Two faces of one process: `start` and `advance` give the sky at equal
steps for ever (a Markov chain, exact at the steps); `cloud_plan` gives the instants of change up to a horizon, for
contact plans. Neither depends on how it is cut into chunks or on how many worlds are drawn together.

Sources: P. G. Madoery, J. A. Fraire et al., "A novel non-terrestrial networks architecture: all optical LEO
constellations with high-altitude ground stations", arXiv:2403.15659, section III (TCC 0.1 to 40 h, TCS 5 to 25 h);
D. R. Cox and H. D. Miller, The Theory of Stochastic Processes, 1965, section 4.3 (two-state Markov process).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntn_gym.world import processes

FloatArray = NDArray[Any]
BoolArray = NDArray[np.bool_]

_BLOCK = 32  # holding times drawn at once; any value gives the same plan


@dataclass(frozen=True)
class CloudTimes:
    """Mean holding times of the sky.

    Attributes:
        clear_s: Mean time that the sky stays clear, TCC, in s; one number or one for each station, [S].
        cloudy_s: Mean time that it stays covered, TCS, in s; one number or [S].
    """

    clear_s: float | tuple[float, ...]
    cloudy_s: float | tuple[float, ...]

    def __post_init__(self) -> None:
        for field in ("clear_s", "cloudy_s"):
            values = np.atleast_1d(getattr(self, field))
            if values.size == 0 or not np.all(np.isfinite(values) & (values > 0.0)):
                raise ValueError(
                    f"CloudTimes.{field}: got {getattr(self, field)} s; must be finite and above 0 s (use a very long "
                    "time for a sky that never changes)"
                )

    @property
    def clear_probability(self) -> FloatArray:
        """Long-run share of clear sky, TCC / (TCC + TCS), [] or [S]."""
        clear, cloudy = np.asarray(self.clear_s, dtype=np.float64), np.asarray(self.cloudy_s, dtype=np.float64)
        share: FloatArray = clear / (clear + cloudy)
        return share


def times_of_clear_share(clear_share: float, cycle_s: float) -> CloudTimes:
    """Return the holding times that give a share of clear sky, for a mean cycle of clear and cloudy together.

    Source: `CloudTimes.clear_probability` solved for the times. Published shares are those of whole nights at
    observatories (La Palma 0.63, San Pedro Martir 0.76: arXiv:1211.1520); the cycle is an assumption.

    Args:
        clear_share: Long-run share of clear sky, above 0 and below 1.
        cycle_s: Mean time from one clearing to the next in s, positive.

    Returns:
        The times.

    Raises:
        ValueError: If the share or the cycle is outside its range.
    """
    if not 0.0 < clear_share < 1.0:
        raise ValueError(f"clear_share: got {clear_share}; must be above 0 and below 1")
    return CloudTimes(clear_share * cycle_s, (1.0 - clear_share) * cycle_s)


def start(generators: processes.Generators, n_stations: int, times: CloudTimes) -> BoolArray:
    """Draw the sky of all stations from its long-run distribution.

    Args:
        generators: One generator per world, length B.
        n_stations: Stations S of a world.
        times: Mean holding times.

    Returns:
        True where it is cloudy, one step before the first sample, [B, S].
    """
    uniform = processes.draw_uniform(generators, 1, (n_stations,), np.float64)[:, 0]
    cloudy: BoolArray = uniform >= times.clear_probability
    return cloudy


def transition_probabilities(times: CloudTimes, dt_s: float) -> tuple[FloatArray, FloatArray]:
    """Return the probabilities of a cloudy sky a step after a clear and after a cloudy one.

    With pi the long-run share of cloud and e = exp(-(1/TCC + 1/TCS) dt): pi (1 - e) and pi + (1 - pi) e. Changes
    there and back within the step are counted.

    Source: Cox and Miller 1965, section 4.3.

    Args:
        times: Mean holding times.
        dt_s: Step in s, positive.

    Returns:
        Probability after a clear sky and after a cloudy one, each [] or [S].
    """
    rate = 1.0 / np.asarray(times.clear_s, dtype=np.float64) + 1.0 / np.asarray(times.cloudy_s, dtype=np.float64)
    share = 1.0 - times.clear_probability
    forgotten = -np.expm1(-rate * dt_s)
    return share * forgotten, share + (1.0 - share) * (1.0 - forgotten)


def advance(
    generators: processes.Generators, state: BoolArray, n_steps: int, dt_s: float, times: CloudTimes
) -> tuple[BoolArray, BoolArray]:
    """Draw the next steps of the sky.

    Args:
        generators: One generator per world, length B.
        state: Cloudy or not before the first step, [B, S].
        n_steps: Number of steps n, at least 1.
        dt_s: Step in s, positive.
        times: Mean holding times.

    Returns:
        The new state [B, S] and the samples, true where it is cloudy, [B, n, S].

    Raises:
        ValueError: If `n_steps` is below 1 or the step not positive.
    """
    if n_steps < 1:
        raise ValueError(f"n_steps: got {n_steps} steps; must be 1 or more")
    if not dt_s > 0.0:
        raise ValueError(f"dt_s: got {dt_s} s; must be above 0 s")
    after_clear, after_cloudy = transition_probabilities(times, dt_s)
    uniform = processes.draw_uniform(generators, n_steps, state.shape[1:], np.float64)
    samples = np.empty(uniform.shape, dtype=np.bool_)
    last = state
    for sample, number in zip(samples.swapaxes(0, 1), uniform.swapaxes(0, 1), strict=True):
        np.less(number, np.where(last, after_cloudy, after_clear), out=sample)
        last = sample
    return samples[:, -1].copy(), samples


@dataclass(frozen=True)
class CloudPlan:
    """The sky of all stations up to a horizon, as instants of change.

    Attributes:
        cloudy_at_start: Whether a station is covered at time 0, [B, S].
        change_s: Times of change in s, ascending and padded with infinity, [B, S, K]. At each the sky turns from
            clear to cloudy or back.
        horizon_s: End of the plan in s; later changes are not in it.
    """

    cloudy_at_start: BoolArray
    change_s: FloatArray
    horizon_s: float

    def cloudy(self, time_s: ArrayLike) -> BoolArray:
        """Return whether stations are covered at given times.

        Args:
            time_s: Times in s, 0 to the horizon, [n].

        Returns:
            True where it is cloudy, [B, n, S].

        Raises:
            ValueError: If a time is outside the plan.
        """
        times = np.atleast_1d(np.asarray(time_s, dtype=np.float64))
        if not np.all((times >= 0.0) & (times <= self.horizon_s)):
            raise ValueError(f"time_s: got {times.min():g} to {times.max():g} s; must be 0 to {self.horizon_s:g} s")
        n_worlds, n_stations, n_changes = self.change_s.shape
        rows = self.change_s.reshape(-1, n_changes)
        # One search a row: done when a world is built, not at every step.
        changed = np.stack([np.searchsorted(row, times, side="right") for row in rows], axis=-1)
        odd = (changed % 2 == 1).reshape(len(times), n_worlds, n_stations).swapaxes(0, 1)
        cloudy: BoolArray = odd ^ self.cloudy_at_start[:, None, :]
        return cloudy

    def clear_intervals_s(self, world: int, station: int) -> FloatArray:
        """Return begin and end of the clear periods of a station within the plan in s, [m, 2]."""
        changes = self.change_s[world, station]
        edges = np.concatenate(([0.0], changes[changes < self.horizon_s], [self.horizon_s]))
        first = int(self.cloudy_at_start[world, station])
        intervals: FloatArray = np.stack((edges[:-1], edges[1:]), axis=-1)[first::2]
        return intervals


def cloud_plan(generators: processes.Generators, n_stations: int, times: CloudTimes, horizon_s: float) -> CloudPlan:
    """Draw the instants of change of all stations up to a horizon, from the long-run distribution.

    The k-th holding times of all stations of a world are drawn together, so that a longer horizon only continues a
    shorter one.

    Args:
        generators: One generator per world, length B.
        n_stations: Stations S of a world.
        times: Mean holding times.
        horizon_s: End of the plan in s, positive and finite.

    Returns:
        The plan.

    Raises:
        ValueError: If the horizon is not positive and finite.
    """
    if not (math.isfinite(horizon_s) and horizon_s > 0.0):
        raise ValueError(f"horizon_s: got {horizon_s} s; must be finite and above 0 s")
    cloudy = start(generators, n_stations, times)
    means = [
        np.broadcast_to(np.asarray(value, dtype=np.float64), (n_stations,)) for value in (times.clear_s, times.cloudy_s)
    ]
    worlds = []
    for generator, first in zip(generators, cloudy, strict=True):
        changes = np.zeros((1, n_stations))
        while changes[-1].min() <= horizon_s:
            unit = generator.standard_exponential((_BLOCK, n_stations))
            covered = (np.arange(len(changes) - 1, len(changes) - 1 + _BLOCK)[:, None] % 2 == 1) ^ first
            steps = unit * np.where(covered, means[1], means[0])
            # One running sum from the start: the same roundings whatever the blocks.
            changes = np.concatenate((changes, np.add.accumulate(np.concatenate((changes[-1:], steps)))[1:]))
        worlds.append(np.where(changes[1:] < horizon_s, changes[1:], np.inf).T)
    n_changes = max(int(np.isfinite(world).sum(axis=-1).max()) for world in worlds) + 1
    padded = np.full((len(worlds), n_stations, n_changes), np.inf)
    for row, world in zip(padded, worlds, strict=True):
        width = min(n_changes, world.shape[1])
        row[:, :width] = world[:, :width]
    return CloudPlan(cloudy, padded, horizon_s)
