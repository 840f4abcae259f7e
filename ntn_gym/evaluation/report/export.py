"""The scores of a report as a table for programs: one line per preset and policy."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from ntn_gym.evaluation.report.comparison import RULE_FAMILIES, Comparison, Row
from ntn_gym.evaluation.statistics import Interval

COLUMNS = (
    "environment",
    "preset",
    "policy",
    "kind",
    "trainings",
    "worlds",
    "return_mean",
    "score",
    "score_low",
    "score_high",
    *(f"over_best_{family}{end}" for family in RULE_FAMILIES for end in ("", "_low", "_high")),
)


def scores_csv(environment: str, comparisons: Sequence[Comparison]) -> str:
    """Write all scores with their 95 % intervals, and the paired differences to the best rule of each kind."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for comparison in comparisons:
        writer.writerows(_cells(environment, comparison, row) for row in comparison.rows)
    return text.getvalue()


def _cells(environment: str, comparison: Comparison, row: Row) -> list[str]:
    policy = row.policy
    differences = [row.over.get(family) for family in RULE_FAMILIES]
    numbers = [row.mean_return.value, row.score.value, row.score.low, row.score.high]
    return [
        environment,
        comparison.preset.preset,
        policy.name,
        policy.family,
        str(len(policy.records)) if policy.family == "agent" else "",
        str(comparison.preset.n_worlds),
        *(f"{number:.6g}" for number in numbers),
        *(cell for over in differences for cell in _interval(over)),
    ]


def _interval(interval: Interval | None) -> tuple[str, str, str]:
    if interval is None:
        return "", "", ""
    return f"{interval.value:.6g}", f"{interval.low:.6g}", f"{interval.high:.6g}"
