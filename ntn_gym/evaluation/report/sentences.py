"""What the numbers say, in words that follow from the signs of the intervals and from nothing else."""

from __future__ import annotations

from ntn_gym.evaluation.report.comparison import Comparison, Row
from ntn_gym.evaluation.report.tables import interval_text
from ntn_gym.evaluation.statistics import RUNS_FOR_STATISTICS, Interval, score_difference


def verdicts(comparison: Comparison) -> list[str]:
    """One sentence per trained policy and rule it is compared with, and warnings."""
    sentences = []
    preset = comparison.preset
    if preset.trivial:
        sentences.append("This preset is trivial: a one-line rule solves it. It is for teaching and tests.")
    for row in comparison.agents:
        sentences.append(_about(row, comparison))
    if not comparison.agents and comparison.single is not None and comparison.composite is not None:
        found = _difference(comparison.composite, comparison.single, comparison)
        sentences.append(
            f"No policy was trained here. {_relation(comparison.composite.policy.name, comparison.single, found)}"
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
    compared: list[Row] = []
    for other in (comparison.single, comparison.rule, comparison.composite):
        if other is not None and all(other.policy.name != seen.policy.name for seen in compared):
            compared.append(other)
            words.append(_relation("It", other, _difference(row, other, comparison)))
    if runs < RUNS_FOR_STATISTICS:
        words.append(
            "With fewer than three trainings the interval is about other worlds, not about what another training gives."
        )
    return " ".join(words)


def _difference(row: Row, other: Row, comparison: Comparison) -> Interval:
    preset = comparison.preset
    return score_difference(row.policy.returns, other.policy.returns, preset.random.returns[0], preset.bound.returns[0])


KINDS = {"single": "best single-criterion rule", "composite": "composite rule", "forecast": "forecast rule"}


def _relation(who: str, other: Row, difference: Interval) -> str:
    whom = f"the {KINDS[other.policy.family]} {other.policy.name}"
    numbers = interval_text(difference, signed=True)
    if difference.sign > 0:
        return f"{who} beats {whom} by {numbers}."
    if difference.sign < 0:
        return f"{who} does not beat {whom}, it is worse: {numbers}."
    return f"{who} does not beat {whom}: the difference {numbers} cannot be told from zero."
