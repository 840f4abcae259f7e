"""The numbers of a report: scores, paired differences, and who the best of each kind is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ntn_gym.evaluation import statistics as st
from ntn_gym.evaluation.report.results import PolicyResult, PresetResult
from ntn_gym.evaluation.statistics import Interval

RULE_FAMILIES = ("single", "composite", "forecast")
"""Kinds of rules, see `ntn_gym.core.heuristic.HeuristicSpec`; the best of each is a rival of the learned policies."""
ABOVE_BOUND = 1e-6


@dataclass(frozen=True)
class Row:
    """One policy compared with the others of its preset. Intervals are None where they make no sense.

    Attributes:
        policy: Whose numbers these are.
        score: Normalised score: 0 random, 1 bound.
        mean_return: Mean return with its interval.
        over: Score difference to the best rule of each family that has one.
        gap: Share of the gap between a named rule and the bound.
        better: Share of worlds in which it returns more than the best rule of all.
    """

    policy: PolicyResult
    score: Interval
    mean_return: Interval
    over: Mapping[str, Interval | None]
    gap: Interval | None
    better: Interval | None


@dataclass(frozen=True)
class Comparison:
    """All policies of a preset, best first.

    Attributes:
        preset: Whose results these are.
        rows: Policies by falling score; the bound and random play are among them.
        rivals: Best rule of each family that has one: of those that look at one criterion (``single``), that weigh
            several (``composite``), and that are fed with a forecast (``forecast``).
        rule: Best rule of all.
        learned: Best trained policy.
        gap_over: Rule above which shares of the gap are given.
        above_bound: (policy, world) pairs that return more than the bound; there must be none.
    """

    preset: PresetResult
    rows: tuple[Row, ...]
    rivals: Mapping[str, Row]
    rule: Row | None
    learned: Row | None
    gap_over: str | None
    above_bound: int

    @property
    def agents(self) -> list[Row]:
        """Trained policies, best first."""
        return [row for row in self.rows if row.policy.family == "agent"]

    def row(self, name: str) -> Row:
        """Return the row of a policy."""
        return next(row for row in self.rows if row.policy.name == name)


def compare(preset: PresetResult, gap_over: str | None = None) -> Comparison:
    """Compare all policies of a preset; differences are paired by world.

    The best rules are chosen on these very worlds, which favours them against a trained policy.
    """
    mean = {policy.name: float(policy.returns.mean()) for policy in preset.policies}

    def best(*families: str) -> PolicyResult | None:
        candidates = [policy for policy in preset.policies if policy.family in families]
        return max(candidates, key=lambda policy: mean[policy.name], default=None)

    rivals = {family: found for family in RULE_FAMILIES if (found := best(family)) is not None}
    rule = best(*RULE_FAMILIES)
    named = None if gap_over is None else preset.find(gap_over)
    random, bound = preset.random.returns[0], preset.bound.returns[0]

    def difference(policy: PolicyResult, other: PolicyResult | None) -> Interval | None:
        if other is None or policy.name == other.name or policy.family in ("random", "bound"):
            return None
        return st.score_difference(policy.returns, other.returns, random, bound)

    rows = []
    for policy in sorted(preset.policies, key=lambda policy: -mean[policy.name]):
        gap = None
        if named is not None and policy.family not in ("random", "bound") and policy.name != named.name:
            gap = st.gap_share(policy.returns, named.returns, bound)
        better = None
        if rule is not None and difference(policy, rule) is not None:
            better = st.share_of_worlds_better(policy.returns, rule.returns)
        rows.append(
            Row(
                policy=policy,
                score=st.normalised_score(policy.returns, random, bound),
                mean_return=st.contrast(policy.returns, np.zeros(len(random))),
                over={family: difference(policy, rival) for family, rival in rivals.items()},
                gap=gap,
                better=better,
            )
        )
    by_name = {row.policy.name: row for row in rows}

    def row_of(policy: PolicyResult | None) -> Row | None:
        return None if policy is None else by_name[policy.name]

    above = sum(
        int((policy.returns > bound + ABOVE_BOUND).sum()) for policy in preset.policies if policy.name != "bound"
    )
    return Comparison(
        preset=preset,
        rows=tuple(rows),
        rivals={family: by_name[rival.name] for family, rival in rivals.items()},
        rule=row_of(rule),
        learned=row_of(best("agent")),
        gap_over=None if named is None else named.name,
        above_bound=above,
    )
