"""What the numbers say, in words that follow from the signs of the intervals and from nothing else."""

from __future__ import annotations

import numpy as np

from ntn_gym.evaluation.report.comparison import Comparison, Row
from ntn_gym.evaluation.report.tables import interval_text
from ntn_gym.evaluation.statistics import RUNS_FOR_STATISTICS, Interval, contrast, score_difference


def verdicts(comparison: Comparison) -> list[str]:
    """One sentence per trained policy and rule it is compared with, and warnings."""
    sentences = []
    preset = comparison.preset
    if preset.trivial:
        sentences.append("This preset is trivial: a one-line rule solves it. It is for teaching and tests.")
    for row in comparison.agents:
        sentences.append(_about(row, comparison))
    rule, single = comparison.rule, comparison.rivals.get("single")
    if not comparison.agents and rule is not None:
        words = ["No policy was trained here."]
        if single is not None and single is not rule:
            words.append(_relation(rule.policy.name, single, _difference(rule, single, comparison)))
        sentences.append(" ".join(words))
    if rule is not None:
        room = contrast(comparison.preset.bound.returns, rule.policy.returns, _scale(comparison))
        sentences.append(
            f"Head-room: the bound lies {interval_text(room)} of the normalised range above {rule.policy.name}, the "
            "best rule."
        )
    if comparison.above_bound:
        sentences.append(
            f"WARNING: {comparison.above_bound} returns lie above the bound. The bound or the environment is wrong, "
            "and the scores of this preset mean nothing."
        )
    return sentences


def _about(row: Row, comparison: Comparison) -> str:
    name, runs = row.policy.name, len(row.policy.records)
    trainings = "one training" if runs == 1 else f"{runs} trainings"
    words = [f"{name} ({trainings}) scores {interval_text(row.score)}."]
    for family, rival in comparison.rivals.items():
        difference = row.over[family]
        if difference is not None:
            words.append(_relation("It", rival, difference))
    if runs < RUNS_FOR_STATISTICS:
        words.append(
            "With fewer than three trainings the interval is about other worlds, not about what another training gives."
        )
    return " ".join(words)


def _difference(row: Row, other: Row, comparison: Comparison) -> Interval:
    preset = comparison.preset
    return score_difference(row.policy.returns, other.policy.returns, preset.random.returns[0], preset.bound.returns[0])


def _scale(comparison: Comparison) -> np.ndarray:
    preset = comparison.preset
    return preset.bound.returns[0] - preset.random.returns[0]


KINDS = {"single": "best single-criterion rule", "composite": "best composite rule", "forecast": "best forecast rule"}


def _relation(who: str, other: Row, difference: Interval) -> str:
    whom = f"the {KINDS[other.policy.family]} {other.policy.name}"
    numbers = interval_text(difference, signed=True)
    if difference.sign > 0:
        return f"{who} beats {whom} by {numbers}."
    if difference.sign < 0:
        return f"{who} does not beat {whom}, it is worse: {numbers}."
    return f"{who} does not beat {whom}: the difference {numbers} cannot be told from zero."
