"""A forecast of the sky over stations whose skill is stated and can be measured.

The forecast says clear or cloudy for every station and instant of the episode; it is issued before its start. Time is
cut into blocks. In a block the forecast is *informed* with probability s and then says the truth; otherwise it shows
an independent sky of the same statistics. Hence the probability of detection is POD = s + (1 - s) pi and the
probability of false detection POFD = (1 - s) pi, with pi the long-run share of clear sky: the Peirce skill score
POD - POFD of the forecast is s, at every lead time. Nobody is told which blocks are informed.

Sources: C. S. Peirce, Science 4, 1884; I. T. Jolliffe and D. B. Stephenson, Forecast Verification, 2nd ed., 2012,
section 3.3 (POD, POFD and the Peirce score). The blocks are an assumption; without them a forecast of an on/off sky
would flicker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.world import processes
from ntn_gym.world.clouds import CloudPlan, CloudTimes, cloud_plan

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class SkyPath:
    """Clear or cloudy at one station, piecewise constant: state ``clear[k]`` from ``since_s[k]`` on, both [n]."""

    since_s: Floats
    clear: Bools

    def clear_at(self, time_s: NDArray[Any]) -> Bools:
        """Return whether the path is clear at times within the episode, [...]."""
        state: Bools = self.clear[np.searchsorted(self.since_s, time_s, side="right") - 1]
        return state

    def next_clear_s(self, time_s: NDArray[Any], never_s: float) -> Floats:
        """Return when the path is clear next, at or after times [...]; ``never_s`` where it is not any more."""
        starts = np.append(self.since_s[self.clear], never_s)
        later = starts[np.searchsorted(starts[:-1], time_s, side="left")]
        result: Floats = np.where(self.clear_at(time_s), time_s, later)
        return result


def path_of(plan: CloudPlan, world: int, station: int) -> SkyPath:
    """Return the sky of one station of a plan."""
    changes = plan.change_s[world, station]
    changes = changes[changes < plan.horizon_s]
    first = bool(plan.cloudy_at_start[world, station])
    cloudy = (np.arange(len(changes) + 1) % 2 == 1) ^ first
    return SkyPath(np.concatenate(([0.0], changes)), ~cloudy)


@dataclass(frozen=True)
class SkyForecast:
    """Forecasts of all stations of one world.

    Attributes:
        skill: Peirce skill score s.
        block_s: Length of a block.
        paths: What is forecast, one path per station.
    """

    skill: float
    block_s: float
    paths: tuple[SkyPath, ...]


def draw_forecasts(
    plan: CloudPlan,
    times: CloudTimes,
    skill: float,
    block_s: float,
    other_sky: processes.Generators,
    luck: processes.Generators,
) -> list[SkyForecast]:
    """Draw the forecasts of a true sky.

    Args:
        plan: The true sky of B worlds and S stations.
        times: Mean holding times of the sky.
        skill: Peirce skill score, 0 (climatology) to 1 (perfect).
        block_s: Time in which the forecast is informed throughout, or not at all, in s.
        other_sky: Generators of the independent sky, one per world.
        luck: Generators of which blocks are informed, one per world.

    Returns:
        One forecast per world.

    Raises:
        ValueError: If the skill is outside 0 to 1 or the block is not positive.
    """
    if not 0.0 <= skill <= 1.0:
        raise ValueError(f"skill: got {skill}; must be 0 (climatology) to 1 (perfect)")
    if not block_s > 0.0:
        raise ValueError(f"block_s: got {block_s} s; must be above 0 s")
    n_worlds, n_stations, _ = plan.change_s.shape
    stranger = cloud_plan(other_sky, n_stations, times, plan.horizon_s)
    n_blocks = int(np.ceil(plan.horizon_s / block_s))
    forecasts = []
    for world in range(n_worlds):
        informed = luck[world].random((n_blocks, n_stations)) < skill
        paths = [
            _mixed(path_of(plan, world, s), path_of(stranger, world, s), informed[:, s], block_s)
            for s in range(n_stations)
        ]
        forecasts.append(SkyForecast(skill, block_s, tuple(paths)))
    return forecasts


def _mixed(truth: SkyPath, other: SkyPath, informed: Bools, block_s: float) -> SkyPath:
    """Truth in informed blocks, the other sky elsewhere."""
    since = np.unique(np.concatenate((truth.since_s, other.since_s, np.arange(len(informed)) * block_s)))
    block = np.minimum((since / block_s).astype(np.intp), len(informed) - 1)
    clear = np.where(informed[block], truth.clear_at(since), other.clear_at(since))
    kept = np.ones(len(since), dtype=bool)
    kept[1:] = clear[1:] != clear[:-1]
    return SkyPath(since[kept], clear[kept])


def clear_belief(clear: NDArray[Any], lead_s: NDArray[Any], times: CloudTimes) -> Floats:
    """Return the probability of clear sky some time after a sky is seen, by climatology alone.

    p = pi + (1{clear} - pi) exp(-(1/TCC + 1/TCS) t).

    Source: D. R. Cox and H. D. Miller, The Theory of Stochastic Processes, 1965, section 4.3.

    Args:
        clear: Whether it is clear now, [...].
        lead_s: Time ahead in s, not negative, [...].
        times: Mean holding times (one number each).

    Returns:
        Probability, [...].
    """
    share = float(times.clear_probability)
    rate = 1.0 / float(np.asarray(times.clear_s)) + 1.0 / float(np.asarray(times.cloudy_s))
    probability: Floats = share + (np.asarray(clear, dtype=np.float64) - share) * np.exp(-rate * lead_s)
    return probability


def combine(prior: NDArray[Any], says_clear: NDArray[Any], skill: NDArray[Any] | float, clear_share: float) -> Floats:
    """Return the probability of clear sky after hearing a forecast (Bayes' rule).

    P(says clear | clear) = s + (1 - s) pi, P(says clear | cloudy) = (1 - s) pi.

    Args:
        prior: Probability before, [...].
        says_clear: What the forecast says, [...].
        skill: Peirce skill score of the forecast, [...].
        clear_share: Long-run share of clear sky, pi.

    Returns:
        Probability, [...].
    """
    prior, skill = np.asarray(prior, dtype=np.float64), np.asarray(skill, dtype=np.float64)
    says = np.asarray(says_clear, dtype=bool)
    hit, false = skill + (1.0 - skill) * clear_share, (1.0 - skill) * clear_share
    if_clear = prior * np.where(says, hit, 1.0 - hit)
    if_cloudy = (1.0 - prior) * np.where(says, false, 1.0 - false)
    total = if_clear + if_cloudy
    # A perfect forecast and a certain prior that disagree leave nothing to weigh: the prior stays.
    probability: Floats = np.where(total > 0.0, if_clear / np.where(total > 0.0, total, 1.0), prior)
    return probability


def skill_after_check(agrees: NDArray[Any], skill: float, share_of_state: NDArray[Any]) -> Floats:
    """Return the probability that the present block is informed, given whether its forecast agrees with the sky now.

    A disagreement proves that it is not; an agreement speaks for it: s / (s + (1 - s) P(agree by chance)).

    Args:
        agrees: Whether the forecast shows the present sky, [...].
        skill: Probability before the look.
        share_of_state: Long-run share of the sky seen now, [...].

    Returns:
        Probability, [...].
    """
    chance = (1.0 - skill) * np.asarray(share_of_state, dtype=np.float64)
    total = skill + chance
    informed: Floats = np.where(
        np.asarray(agrees, dtype=bool) & (total > 0.0), skill / np.where(total > 0, total, 1), 0
    )
    return informed
