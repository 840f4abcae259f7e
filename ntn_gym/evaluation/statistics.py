"""Scores and differences with intervals; everything is paired by world, because every policy meets the same worlds.

Returns are arrays [runs, worlds]: one row per training run. A heuristic has one row. All numbers of a report are
instances of one statistic, the ratio of means

    (mean policy - mean reference) / mean scale

so that a score, a share of a gap and a difference of two policies have comparable intervals. A ratio of means, not a
mean of ratios: a world in which random play comes close to the bound would otherwise decide the result.

Worlds and training runs are resampled as two crossed factors (Owen, "The pigeonhole bootstrap", Ann. Appl. Stat. 1(2),
2007): the numbers of one run share its weights, the numbers of one world its weather. With a handful of runs the
percentiles of such a bootstrap are too close together (three runs: 80 % coverage instead of 95 % where runs differ
most), so that they are stretched about the estimate as Hesterberg proposes ("What teachers should know about the
bootstrap", Am. Stat. 69(4), 2015: Student's t instead of the normal quantile, n - 1 instead of n), with the degrees of
freedom of Satterthwaite (Biometrics Bulletin 2(6), 1946) for the two factors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]

RESAMPLES = 4000
RUNS_FOR_STATISTICS = 3


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval.

    ``over_runs`` says whether training runs were resampled too. If not, the interval speaks of these very policies on
    other worlds; it says nothing about what another training run would give.
    """

    value: float
    low: float
    high: float
    n_worlds: int
    n_runs: int = 1
    over_runs: bool = False

    @property
    def sign(self) -> int:
        """1 or -1 where the whole interval is on one side of zero, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def _rows(values: ArrayLike, name: str) -> Floats:
    """Return values as [runs, worlds]."""
    array = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if array.ndim != 2 or array.shape[1] < 2:
        raise ValueError(f"{name}: shape {list(np.shape(values))}, expected [worlds] or [runs, worlds], 2 or more")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: contains numbers that are not finite; the record is damaged")
    return array


@lru_cache(maxsize=8)
def _weights(n: int, resamples: int, *seed: int) -> Floats:
    """Share of each of n things in a resample with replacement, [resamples, n]."""
    shares = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=resamples) / n
    shares.flags.writeable = False
    return shares


def contrast(
    policy: ArrayLike,
    reference: ArrayLike,
    scale: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Estimate (mean policy - mean reference) / mean scale with a paired bootstrap interval.

    Args:
        policy: Returns, [worlds] or [runs, worlds].
        reference: Returns of what it is compared with, [worlds] or [runs, worlds]; the same worlds in the same order.
        scale: What one unit of the result is, [worlds]; None: the unit of the returns.
        confidence: Coverage of the interval.
        resamples: Number of bootstrap resamples.
        seed: Seed of the resampling; the same arguments give the same interval.

    Returns:
        The estimate and its interval. Training runs count as the unit of statistics where a policy has at least three
        of them; with fewer the runs are averaged and only worlds are resampled.

    Raises:
        ValueError: If worlds do not match, a number is not finite, or the mean scale is not positive.
    """
    a, b = _rows(policy, "policy"), _rows(reference, "reference")
    unit = np.ones(a.shape[1]) if scale is None else _rows(scale, "scale").mean(axis=0)
    if not a.shape[1] == b.shape[1] == len(unit):
        raise ValueError(
            f"policy, reference and scale have {a.shape[1]}, {b.shape[1]} and {len(unit)} worlds; a paired comparison "
            "needs the same worlds"
        )
    if unit.mean() <= 0:
        raise ValueError(
            f"mean scale = {unit.mean():g}: must be positive; the bound does not exceed the zero of the score here"
        )
    n_worlds = a.shape[1]
    worlds = _weights(n_worlds, resamples, seed, 0)
    estimate = (a.mean() - b.mean()) / unit.mean()

    resampled, run_variances = [], []
    for side, rows in enumerate((a, b), start=1):
        many = len(rows) >= RUNS_FOR_STATISTICS
        runs = _weights(len(rows), resamples, seed, side) if many else np.full((resamples, len(rows)), 1.0 / len(rows))
        resampled.append(np.einsum("nr,rw,nw->n", runs, rows, worlds, optimize=True))
        if many:
            run_variances.append((rows.mean(axis=1).var(ddof=1) / len(rows) / unit.mean() ** 2, len(rows) - 1))
    # A handful of worlds in which nothing can be gained may be drawn alone: there the ratio has no value.
    scales = worlds @ unit
    usable = scales > 0
    draws = (resampled[0] - resampled[1])[usable] / scales[usable]
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])

    # What one world adds to the error of the ratio (its influence function), averaged over runs.
    influence = (a.mean(axis=0) - b.mean(axis=0) - estimate * unit) / unit.mean()
    components = [(influence.var(ddof=1) / n_worlds, n_worlds - 1), *run_variances]
    stretch = _stretch(components, tail)
    return Interval(
        value=float(estimate),
        low=float(estimate + stretch * (low - estimate)),
        high=float(estimate + stretch * (high - estimate)),
        n_worlds=n_worlds,
        n_runs=max(len(a), len(b)),
        over_runs=bool(run_variances),
    )


def _stretch(components: list[tuple[float, int]], tail: float) -> float:
    """Factor on bootstrap percentiles for few samples, from (variance, degrees of freedom) of each factor."""
    unbiased = sum(variance for variance, _ in components)
    if unbiased == 0:
        return 1.0
    freedom = unbiased**2 / sum(variance**2 / dof for variance, dof in components)
    of_bootstrap = sum(variance * dof / (dof + 1) for variance, dof in components)
    return float(stats.t.isf(tail, freedom) / stats.norm.isf(tail) * np.sqrt(unbiased / of_bootstrap))


def normalised_score(policy: ArrayLike, random: ArrayLike, bound: ArrayLike, **options: Any) -> Interval:
    """Score of a policy: 0 is random play, 1 the upper bound; see `contrast` for shapes and options."""
    return contrast(policy, random, np.subtract(bound, random), **options)


def gap_share(policy: ArrayLike, named: ArrayLike, bound: ArrayLike, **options: Any) -> Interval:
    """Share of the gap between a named policy and the bound that a policy closes; negative if it is worse."""
    return contrast(policy, named, np.subtract(bound, named), **options)


def score_difference(
    policy: ArrayLike, other: ArrayLike, random: ArrayLike, bound: ArrayLike, **options: Any
) -> Interval:
    """Difference of the normalised scores of two policies on the same worlds."""
    return contrast(policy, other, np.subtract(bound, random), **options)


def share_of_worlds_better(policy: ArrayLike, other: ArrayLike, **options: Any) -> Interval:
    """Probability that the policy returns more than the other in a world; ties count half.

    With several training runs, the mean over all pairs of runs.
    """
    a, b = _rows(policy, "policy"), _rows(other, "other")
    wins = ((a[:, None] > b) + 0.5 * (a[:, None] == b)).mean(axis=1)
    found = contrast(wins, np.zeros(a.shape[1]), **options)
    return replace(found, low=max(found.low, 0.0), high=min(found.high, 1.0))


def probability_of_improvement(scores: ArrayLike, others: ArrayLike) -> float:
    """Probability that a training run of one algorithm scores above one of another: Mann-Whitney U over n m.

    Source: Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice", NeurIPS 2021,
    section 4.3.
    """
    a, b = np.ravel(scores), np.ravel(others)
    return float(stats.mannwhitneyu(a, b, method="asymptotic").statistic / (len(a) * len(b)))


def interquartile_mean(
    scores: ArrayLike, *, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Mean of the middle half of all scores [runs, tasks], with an interval from resampling the runs of each task.

    Source: Agarwal et al., NeurIPS 2021, section 4.3 (stratified bootstrap).

    Raises:
        ValueError: If there are fewer than two runs.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] < 2:
        raise ValueError(f"scores: shape {list(values.shape)}, expected [runs, tasks] with 2 runs or more")

    def middle_mean(*tasks: Floats, axis: int = -1) -> Any:
        return stats.trim_mean(np.concatenate(tasks, axis=axis), 0.25, axis=axis)

    tasks = tuple(values.T)
    estimate = float(middle_mean(*tasks))
    if (np.ptp(values, axis=0) == 0).all():
        return Interval(estimate, estimate, estimate, 0, values.shape[0], True)
    found = stats.bootstrap(
        tasks,
        middle_mean,
        n_resamples=resamples,
        confidence_level=confidence,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(estimate, float(found.low), float(found.high), 0, values.shape[0], True)
