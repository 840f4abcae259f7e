"""Tables as plain data, laid out once and written as Markdown and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from ntn_gym.core.task import KpiSpec
from ntn_gym.evaluation.report.comparison import Comparison, Row
from ntn_gym.evaluation.statistics import Interval, contrast

NOTHING = "–"


@dataclass(frozen=True)
class Table:
    """Cells of text. The first column is left-aligned, the others right-aligned unless said otherwise.

    Attributes:
        title: Heading; may be empty.
        columns: Names, with units.
        rows: Text of the cells.
        strong: Cells (row, column) to stand out.
        left: Columns besides the first that are left-aligned.
        note: What has to be known to read it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: frozenset[tuple[int, int]] = field(default_factory=frozenset)
    left: frozenset[int] = field(default_factory=frozenset)
    note: str = ""


def interval_text(interval: Interval | None, *, signed: bool = False, digits: int = 3, percent: bool = False) -> str:
    """Write ``0.917 [0.911, 0.923]``; with a sign for differences."""
    if interval is None:
        return NOTHING
    factor, digits = (100, 0) if percent else (1, digits)
    style = f"{'+' if signed else ''}.{digits}f"
    value, low, high = (format(factor * x, style) for x in (interval.value, interval.low, interval.high))
    return f"{value}{' %' if percent else ''} [{low}, {high}]"


def number_text(value: float) -> str:
    """Write a KPI with three significant digits and without an exponent where that is readable."""
    if value == 0:
        return "0"
    if 0.001 <= abs(value) < 1e5:
        digits = max(0, 2 - int(f"{value:.2e}".partition("e")[2]))
        return f"{value:.{min(digits, 4)}f}"
    return f"{value:.2e}"


RIVALS = {"single": "best single-criterion rule", "composite": "best composite rule", "forecast": "best forecast rule"}
OVER_RIVALS = {"single": "− best single", "composite": "− best composite", "forecast": "− best forecast"}


def overview(comparisons: Sequence[Comparison]) -> Table:
    """One line per preset: the best rule of each kind, the best learned policy, the bound, and what was learned."""
    families = [family for family in RIVALS if any(family in comparison.rivals for comparison in comparisons)]
    rows, strong = [], set()
    for number, comparison in enumerate(comparisons):
        learned = comparison.learned
        cells = [comparison.preset.preset, *(_named(comparison.rivals.get(family)) for family in families)]
        cells += [_named(learned), "1"]
        for family in families:
            interval = None if learned is None else learned.over.get(family)
            if interval is not None and interval.sign > 0:
                strong.add((number, len(cells)))
            cells.append(interval_text(interval, signed=True))
        rows.append(tuple(cells))
    columns = ["preset", *(RIVALS[family] for family in families), "best learned policy", "bound"]
    columns += [f"learned {OVER_RIVALS[family]}" for family in families]
    return Table(
        "Overview",
        tuple(columns),
        tuple(rows),
        frozenset(strong),
        frozenset(range(1, len(families) + 2)),
        "Normalised scores (0 random, 1 bound) with 95 % intervals. Differences are paired by world; those whose "
        "interval lies above zero are bold. The best rules are chosen on these very worlds, which favours them.",
    )


def _named(row: Row | None) -> str:
    return NOTHING if row is None else f"{row.policy.name} {interval_text(row.score)}"


def score_table(comparison: Comparison) -> Table:
    """All policies of a preset with scores and paired differences."""
    rule = comparison.rule
    columns = ["policy", "kind", "score", "return"]
    columns += [f"− {rival.policy.name}" for rival in comparison.rivals.values()]
    columns.append(f"better than {rule.policy.name} in" if rule else "better in")
    if comparison.gap_over:
        columns.append(f"gap over {comparison.gap_over}")
    rows, strong = [], set()
    for number, row in enumerate(comparison.rows):
        fixed = {"random": "0", "bound": "1"}.get(row.policy.name)
        cells = [
            row.policy.name,
            _kind(row),
            fixed or interval_text(row.score),
            f"{row.mean_return.value:.1f} ± {(row.mean_return.high - row.mean_return.low) / 2:.1f}",
        ]
        for interval in row.over.values():
            if interval is not None and interval.sign > 0:
                strong.add((number, len(cells)))
            cells.append(interval_text(interval, signed=True))
        cells.append(interval_text(row.better, percent=True))
        if comparison.gap_over:
            cells.append(interval_text(row.gap, percent=True))
        rows.append(tuple(cells))
    note = (
        "score: 0 random, 1 bound. Columns with − are paired differences of scores; bold where the whole interval is "
        f"above zero. Brackets: 95 % intervals over {comparison.preset.n_worlds} worlds, and over trainings where "
        "there are three or more."
    )
    if comparison.gap_over:
        note += f" gap: share of the way from {comparison.gap_over} to the bound."
    return Table("Scores", tuple(columns), tuple(rows), frozenset(strong), frozenset({1}), note)


def _kind(row: Row) -> str:
    runs = len(row.policy.records)
    return f"agent, {runs} run{'s' if runs > 1 else ''}" if row.policy.family == "agent" else row.policy.family


ARROWS = {"higher": " ↑", "lower": " ↓", "neither": ""}


def kpi_table(comparison: Comparison) -> Table:
    """KPIs of all policies (means over worlds), and whether the return ranks policies as each KPI does."""
    specs = comparison.preset.kpis
    columns = ["policy", *(f"{spec.name} [{spec.unit}]{ARROWS[spec.better]}" for spec in specs)]
    rows = []
    for row in comparison.rows:
        cells = [row.policy.name]
        for spec in specs:
            values = row.policy.kpi(spec.name)
            cells.append(NOTHING if values is None else number_text(float(values.mean())))
        rows.append(tuple(cells))
    agreement = (rank_agreement(comparison, spec) for spec in specs)
    rows.append(("rank agreement", *(NOTHING if rho is None else f"{rho:+.2f}" for rho in agreement)))
    meanings = "; ".join(f"{spec.name}: {spec.description}" for spec in specs)
    return Table(
        "Key performance indicators",
        tuple(columns),
        tuple(rows),
        note="Each KPI is reduced over an episode, then averaged over worlds and trainings. ↑ more is better, ↓ less "
        "is better. Rank agreement: Spearman's rank correlation between mean return and KPI over all policies played, "
        "positive where the reward ranks them as the KPI does; an operator who cares for a KPI with a negative one "
        f"should look at its column before the score. {meanings}.",
    )


def rank_agreement(comparison: Comparison, spec: KpiSpec) -> float | None:
    """Spearman's correlation of mean return with a KPI over policies, sign turned so that +1 is agreement.

    None for a KPI that is neither good nor bad, that does not differ, or with fewer than three policies.
    """
    if spec.better == "neither":
        return None
    pairs = [
        (row.policy.returns.mean(), values.mean())
        for row in comparison.rows
        if row.policy.family != "bound" and (values := row.policy.kpi(spec.name)) is not None
    ]
    if len(pairs) < 3 or any(np.ptp(side) == 0 for side in zip(*pairs, strict=True)):
        return None
    found = float(stats.spearmanr(*zip(*pairs, strict=True)).statistic)
    return found if spec.better == "higher" else -found


def run_table(comparison: Comparison) -> Table | None:
    """Every single training: none is left out."""
    preset = comparison.preset
    rows = []
    for row in comparison.agents:
        for record in row.policy.records:
            training = record.notes["training"]
            score = contrast(record.returns, preset.random.returns, preset.bound.returns[0] - preset.random.returns[0])
            rows.append(
                (
                    row.policy.name,
                    str(record.identity.training_seed),
                    f"{training['steps']:,}",
                    f"{training['policy_steps']:,}",
                    f"{training['seconds']:.0f}",
                    interval_text(score),
                )
            )
    if not rows:
        return None
    return Table(
        "Trainings",
        ("agent", "training seed", "steps", "kept after step", "seconds", "score"),
        tuple(rows),
        note="The policy that did best on validation worlds is kept. Seconds: last sitting of the training. Intervals "
        "here are over worlds.",
    )
