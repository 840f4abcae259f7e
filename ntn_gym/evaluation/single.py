"""One policy beside random play and the bound, as a table for the terminal."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from ntn_gym.core.task import Task
from ntn_gym.evaluation.pool import Purpose, WorldPool
from ntn_gym.evaluation.problem import Candidate, Problem, candidate_names, find_candidate, load_agent, load_problem
from ntn_gym.evaluation.rollout import EpisodeResults, evaluate_in
from ntn_gym.evaluation.statistics import Interval, contrast, normalised_score


@dataclass(frozen=True)
class SingleResult:
    """What one policy, random play and the bound reached on the same worlds."""

    title: str
    task: Task
    policy: str
    params: Mapping[str, Any]
    params_from: str
    played: EpisodeResults
    random: EpisodeResults
    bound: np.ndarray
    bound_is_exact: bool


def evaluate_named(
    environment: str,
    policy: str,
    preset: str | None,
    seeds: Sequence[int],
    *,
    purpose: Purpose = "reporting",
    params: str | None = None,
) -> SingleResult:
    """Evaluate a policy given by name or path.

    Args:
        environment: Name or id.
        policy: ``random``, a rule, or the path of a trained agent.
        preset: Name of the preset; None: the default one.
        seeds: At least two worlds.
        purpose: What the seeds are for.
        params: Parameters of a rule as JSON; None takes the tuned ones.

    Raises:
        ValueError: If a name, a seed or a parameter is wrong.
    """
    if len(seeds) < 2:
        raise ValueError(f"worlds = {len(seeds)}: an interval needs 2 or more")
    problem = load_problem(environment, preset)
    chosen = _find(problem, policy, params)
    pool = WorldPool(problem.task, seeds, purpose=purpose)
    values, actions = pool.bound(problem.entry)
    return SingleResult(
        title=f"{problem.entry.id}, {problem.preset}, {len(seeds)} worlds from seed {seeds[0]}",
        task=problem.task,
        policy=chosen.name,
        params=chosen.params,
        params_from=chosen.params_from,
        played=evaluate_in(pool, chosen.build()),
        random=evaluate_in(pool, find_candidate(problem, "random").build()),
        bound=values,
        bound_is_exact=actions is not None,
    )


def _find(problem: Problem, policy: str, params: str | None) -> Candidate:
    known = policy in candidate_names(problem)
    if params is not None:
        if policy not in problem.heuristics:
            raise ValueError(f"params are for rules, {policy!r} is none; rules are {', '.join(problem.heuristics)}")
        try:
            values = json.loads(params)
        except ValueError as error:
            raise ValueError(f"params = {params!r} is not JSON: {error}") from None
        spec = problem.heuristics[policy]
        return Candidate(
            policy,
            "heuristic",
            spec.family,
            spec.description,
            lambda: spec.factory(problem.task, values),
            values,
            "given",
        )
    if not known and Path(policy).exists():
        return Candidate("agent", "agent", "agent", policy, lambda: load_agent(Path(policy)), {}, f"trained: {policy}")
    return find_candidate(problem, policy)


def result_table(result: SingleResult) -> Table:
    """Lay the result out: one row per quantity, one column per policy, means with 95 % intervals."""
    kind = "exact optimum" if result.bound_is_exact else "relaxation"
    caption = f"means over worlds, 95 % intervals; bound: {kind}"
    table = Table(title=result.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, caption=caption)
    for name in ("quantity", "unit"):
        table.add_column(name, no_wrap=True)
    for name in (result.policy, "random", "bound"):
        table.add_column(name, justify="right", no_wrap=True)
    zero = np.zeros(len(result.bound))
    score = normalised_score(result.played.returns, result.random.returns, result.bound)
    table.add_row("score", "1", _text(score), "0", "1")
    table.add_row(
        "return",
        "reward",
        *(_text(contrast(x, zero)) for x in (result.played.returns, result.random.returns, result.bound)),
    )
    table.add_section()
    for kind in ("terms", "kpis"):
        specs = result.task.reward_terms if kind == "terms" else result.task.kpis
        for spec in specs:
            cells = [_text(contrast(getattr(x, kind)[spec.name], zero)) for x in (result.played, result.random)]
            unit = f"{spec.unit}, sum" if kind == "terms" else spec.unit
            table.add_row(spec.name, unit, *cells, "")
        table.add_section()
    return table


def _text(interval: Interval) -> str:
    """Write an estimate with as many decimals as its interval supports: two digits of the half-width."""
    half = (interval.high - interval.low) / 2
    if half == 0:
        return f"{interval.value:.4g}"
    decimals = max(0, 1 - math.floor(math.log10(half)))
    return f"{interval.value:.{decimals}f} ± {half:.{decimals}f}"
