"""Play one episode in each of many worlds and say what happened, world by world."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.engine import Engine
from ntn_gym.core.policy import Policy
from ntn_gym.core.result import StepResult
from ntn_gym.core.task import KpiSpec, Now, Task
from ntn_gym.evaluation.pool import Purpose, WorldPool
from ntn_gym.evaluation.uniform import SeededPolicy

Floats = NDArray[np.float64]
Lanes = Callable[[Task, Any, Now], Mapping[str, NDArray[Any]]]
"""Optional hook of an environment: (task, state, now) before a decision -> {lane: labels [B, A]}; -1 means none."""


@dataclass(frozen=True)
class Recording:
    """One episode of the first agent, step by step: what a time line shows.

    Attributes:
        seed: Which world.
        dt_s: Length of a step.
        lanes: What the agent was attached to, as integer labels [T]; -1 means nothing. The action where the
            environment says nothing better.
        reward: [T].
        kpis: {name: [T]}.
    """

    seed: int
    dt_s: float
    lanes: dict[str, list[int]]
    reward: list[float]
    kpis: dict[str, list[float]]


@dataclass(frozen=True)
class EpisodeResults:
    """What a policy reached, world by world.

    Attributes:
        seeds: [W].
        returns: Undiscounted sum of rewards, mean over agents, [W].
        steps: Length of each episode, [W].
        terms: Reward terms in their units, unweighted: sum over steps, mean over agents, {name: [W]}.
        kpis: KPIs reduced over the steps and agents of an episode as their `KpiSpec` says, {name: [W]}.
        recording: One episode in detail, if asked for.
    """

    seeds: NDArray[np.int64]
    returns: Floats
    steps: NDArray[np.int64]
    terms: dict[str, Floats]
    kpis: dict[str, Floats]
    recording: Recording | None = None


def evaluate(
    task: Task,
    policy: Policy,
    seeds: Sequence[int],
    *,
    purpose: Purpose = "reporting",
    block_worlds: int | None = None,
    record: int | None = None,
    lanes: Lanes | None = None,
) -> EpisodeResults:
    """Play episode 0 of each seed.

    Args:
        task: The decision problem.
        policy: Any decision maker.
        seeds: One world each.
        purpose: What the numbers are for; seeds of another range are refused.
        block_worlds: Worlds stepped together; None chooses. It changes no number (for a neural network: up to the
            rounding of matrix products).
        record: Seed of an episode to record in detail.
        lanes: What to draw over time in it.

    Raises:
        ValueError: If a seed is for another purpose.
    """
    pool = WorldPool(task, seeds, purpose=purpose, block_worlds=block_worlds)
    return evaluate_in(pool, policy, record=record, lanes=lanes)


def evaluate_in(
    pool: WorldPool,
    policy: Policy,
    *,
    record: int | None = None,
    lanes: Lanes | None = None,
    progress: Callable[[int], None] | None = None,
) -> EpisodeResults:
    """Play in worlds that other policies share; see `evaluate`. ``progress`` is called with finished worlds."""
    if record is not None and record not in pool.seeds:
        raise ValueError(f"seed {record} is to be recorded but is not among the seeds that are played")
    returns, steps, terms, kpis = [], [], [], []
    recording = None
    for part, engine in pool.blocks():
        seeds = pool.seeds[part]
        recorder = None
        if record is not None and record in seeds:
            recorder = _Recorder(int(np.flatnonzero(seeds == record)[0]), int(record), lanes)
        played = _play(engine, policy, seeds.tolist(), recorder)
        returns.append(played.returns)
        steps.append(played.steps)
        terms.append(played.terms)
        kpis.append(played.kpis)
        if recorder is not None:
            recording = recorder.finish(pool.task)
        if progress is not None:
            progress(part.stop - part.start)
    all_terms, all_kpis = np.concatenate(terms), np.concatenate(kpis)
    return EpisodeResults(
        seeds=pool.seeds.copy(),
        returns=np.concatenate(returns),
        steps=np.concatenate(steps),
        terms={spec.name: all_terms[:, i] for i, spec in enumerate(pool.task.reward_terms)},
        kpis={spec.name: all_kpis[:, i] for i, spec in enumerate(pool.task.kpis)},
        recording=recording,
    )


@dataclass(frozen=True)
class _Played:
    """Results of one block: returns [B], steps [B], terms [B, n_terms], kpis [B, n_kpis]."""

    returns: Floats
    steps: NDArray[np.int64]
    terms: Floats
    kpis: Floats


def _play(engine: Engine, policy: Policy, seeds: Sequence[int], recorder: _Recorder | None) -> _Played:
    task, n_worlds = engine.task, engine.n_parallel
    # A policy may be called once per block: it must not remember the block before.
    if isinstance(policy, SeededPolicy):
        policy.reset_worlds(seeds)
    else:
        policy.reset(n_worlds)
    running = np.ones(n_worlds, dtype=bool)
    restarted = np.ones(n_worlds, dtype=bool)
    returns = np.zeros(n_worlds)
    steps = np.zeros(n_worlds, dtype=np.int64)
    terms = np.zeros((n_worlds, len(task.reward_terms)))
    # Percentiles need every step; NaN marks the steps after the end of an episode.
    kpis = np.full((len(task.kpis), n_worlds, engine.episode_steps, task.n_agents), np.nan)
    for step in range(engine.episode_steps):
        action = policy.act(engine.observe(), engine.action_mask(), restarted)
        watching = recorder if recorder is not None and running[recorder.world] else None
        if watching is not None:
            watching.before(engine, action)
        result = engine.step(action)
        restarted = np.zeros(n_worlds, dtype=bool)
        returns += np.where(running, result.reward.mean(axis=1), 0.0)
        terms += np.where(running[:, None], result.outcome.reward_terms.mean(axis=1), 0.0)
        kpis[:, running, step] = np.moveaxis(result.outcome.kpis[running], -1, 0)
        steps += running
        if watching is not None:
            watching.after(result)
        running &= ~result.terminated
        if not running.any():
            break
    if not np.isfinite(returns).all():
        seed = seeds[int(np.flatnonzero(~np.isfinite(returns))[0])]
        raise ValueError(f"the return of seed {seed} is not finite: an environment must never give such a reward")
    place = {spec.name: i for i, spec in enumerate(task.kpis)}
    reduced = [
        reduce_kpi(spec, kpis[i], steps * task.dt_s, kpis[place[spec.per]] if spec.per else None)
        for i, spec in enumerate(task.kpis)
    ]
    return _Played(returns, steps, terms, np.stack(reduced, axis=1) if reduced else np.zeros((n_worlds, 0)))


def reduce_kpi(
    spec: KpiSpec, values: Floats, duration_s: NDArray[np.floating[Any]], counts: Floats | None = None
) -> Floats:
    """Summarise a KPI over the steps and agents of each episode.

    Args:
        spec: Which summary.
        values: [B, T, A]; NaN after the end of an episode.
        duration_s: Length of each episode, [B].
        counts: The KPI that ``spec.per`` names, [B, T, A].

    Returns:
        [B].
    """
    # One contiguous row per world: then the order of additions does not depend on the number of worlds.
    rows = np.ascontiguousarray(values).reshape(len(values), -1)
    if counts is not None:
        return _per_thing(spec, rows, np.nan_to_num(np.ascontiguousarray(counts).reshape(len(values), -1)))
    match spec.reduction:
        case "mean":
            reduced = np.nanmean(rows, axis=1)
        case "sum":
            reduced = np.nansum(rows, axis=1)
        case "per_minute":
            reduced = np.nansum(rows, axis=1) / values.shape[2] / (duration_s / 60.0)
        case "p5" | "p95":
            reduced = np.nanpercentile(rows, 5 if spec.reduction == "p5" else 95, axis=1)
        case "max":
            reduced = np.nanmax(rows, axis=1)
    return np.asarray(reduced, dtype=np.float64)


def _per_thing(spec: KpiSpec, totals: Floats, counts: Floats) -> Floats:
    """Summarise totals over what was counted, both [B, n]; see `KpiSpec`."""
    some = counts > 0
    if spec.reduction == "mean":
        summed = np.where(some, totals, 0.0).sum(axis=1)
        return np.asarray(summed / np.maximum(counts.sum(axis=1), 1e-300), dtype=np.float64)
    each = np.where(some, totals, np.nan) / np.where(some, counts, 1.0)
    each[~some.any(axis=1)] = 0.0
    if spec.reduction == "max":
        return np.asarray(np.nanmax(each, axis=1), dtype=np.float64)
    return np.asarray(np.nanpercentile(each, 5 if spec.reduction == "p5" else 95, axis=1), dtype=np.float64)


class _Recorder:
    """Collects the steps of one world's first agent."""

    def __init__(self, world: int, seed: int, lanes: Lanes | None) -> None:
        self.world = world
        self._seed = seed
        self._lanes = lanes
        self._labels: dict[str, list[int]] = {}
        self._rewards: list[float] = []
        self._kpis: list[Floats] = []

    def before(self, engine: Engine, action: NDArray[Any]) -> None:
        """Note what the agent is attached to when it decides."""
        if self._lanes is not None:
            labels = self._lanes(engine.task, engine.state, engine.now)
        else:
            labels = {"action": action} if action.ndim == 2 and action.dtype.kind in "iu" else {}
        for name, values in labels.items():
            self._labels.setdefault(name, []).append(int(values[self.world, 0]))

    def after(self, result: StepResult) -> None:
        """Note what the step gave."""
        self._rewards.append(float(result.reward[self.world, 0]))
        self._kpis.append(result.outcome.kpis[self.world, 0].copy())

    def finish(self, task: Task) -> Recording:
        """Return what was collected."""
        kpis = np.array(self._kpis)
        series = {spec.name: kpis[:, i].tolist() for i, spec in enumerate(task.kpis)}
        return Recording(self._seed, task.dt_s, self._labels, self._rewards, series)


class ReplayPolicy:
    """Plays given actions [W, T, A, ...] of the worlds with given seeds, whatever it sees."""

    def __init__(self, actions: NDArray[Any], seeds: Sequence[int]) -> None:
        """Keep the actions by seed."""
        self._actions = actions
        self._row = {int(seed): row for row, seed in enumerate(seeds)}
        self._rows = np.zeros(0, dtype=np.intp)
        self._step = 0

    def reset(self, n_worlds: int) -> None:
        """Begin with the first worlds."""
        self._rows, self._step = np.arange(n_worlds), 0

    def reset_worlds(self, seeds: Sequence[int]) -> None:
        """Begin in the worlds with these seeds."""
        self._rows, self._step = np.array([self._row[int(seed)] for seed in seeds], dtype=np.intp), 0

    def act(
        self, observation: NDArray[np.float32], mask: NDArray[np.bool_] | None, restarted: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Return the next actions."""
        self._step += 1
        action: NDArray[Any] = self._actions[self._rows, self._step - 1]
        return action
