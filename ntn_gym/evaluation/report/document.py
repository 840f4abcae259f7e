"""What a report says, in order, before it becomes Markdown or HTML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntn_gym.core.registry import find_entry
from ntn_gym.evaluation import statistics as st
from ntn_gym.evaluation.report import charts, tables
from ntn_gym.evaluation.report.comparison import Comparison, compare
from ntn_gym.evaluation.report.export import scores_csv
from ntn_gym.evaluation.report.provenance_tables import parameter_table, run_facts
from ntn_gym.evaluation.report.results import BenchmarkResult
from ntn_gym.evaluation.report.sentences import verdicts
from ntn_gym.evaluation.report.tables import Table
from ntn_gym.evaluation.report.time_lines import time_line_chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A figure with what it is called and what it shows."""

    name: str
    title: str
    caption: str
    figure: Figure


@dataclass(frozen=True)
class Section:
    """One preset: sentences, then tables and pictures, and more tables for those who want to know all."""

    title: str
    sentences: tuple[str, ...]
    blocks: tuple[Table | Picture, ...]
    details: tuple[Table, ...]


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    introduction: tuple[str, ...]
    overview: tuple[Table, ...]
    sections: tuple[Section, ...]
    closing: tuple[Table, ...]
    scores_csv: str


SCORE = (
    "Every score is normalised per preset: 0 is random play, 1 is an upper bound that knows the future and that no "
    "policy can exceed. It is a ratio of mean returns over the same worlds for everybody; differences are paired world "
    "by world."
)


def make_document(result: BenchmarkResult) -> Document:
    """Compare, draw and put everything in order."""
    config = result.manifest.config
    comparisons = [compare(preset, config.gap_over) for preset in result.presets]
    introduction = [SCORE]
    if not result.complete:
        introduction.append(f"NOT FINISHED: {len(result.records)} of {result.expected} results are there.")
    introduction += [f"Left out: {problem}." for problem in result.problems]
    overview = [tables.overview(comparisons)]
    across = across_presets(comparisons)
    if across is not None:
        overview.append(across)
    return Document(
        title=config.title,
        introduction=tuple(introduction),
        overview=tuple(overview),
        sections=tuple(_section(comparison, config.trade_off) for comparison in comparisons),
        closing=(run_facts(result),),
        scores_csv=scores_csv(find_entry(config.environment).id, comparisons),
    )


def _section(comparison: Comparison, trade_off: tuple[str, str] | None) -> Section:
    preset = comparison.preset
    pictures = _pictures(comparison, trade_off)
    order = (
        pictures.get("scores"),
        tables.score_table(comparison),
        pictures.get("learning"),
        tables.kpi_table(comparison),
        pictures.get("trade-off"),
        pictures.get("time-line"),
    )
    runs = tables.run_table(comparison)
    about = (preset.description,) if preset.description else ()
    return Section(
        title=preset.preset,
        sentences=(*about, *verdicts(comparison)),
        blocks=tuple(block for block in order if block is not None),
        details=(*((runs,) if runs else ()), parameter_table(comparison)),
    )


def _pictures(comparison: Comparison, trade_off: tuple[str, str] | None) -> dict[str, Picture]:
    drawings: list[tuple[str, str, str, Callable[[], Figure | None]]] = [
        (
            "scores",
            "Scores",
            "Normalised score with 95 % interval; the number on the right is the score.",
            lambda: charts.score_chart(comparison),
        ),
        (
            "learning",
            "Learning curves",
            "Score of the greedy policy on validation worlds during training. Dashed: best rules of their kind, on the "
            "reporting worlds.",
            lambda: charts.learning_chart(comparison),
        ),
        (
            "trade-off",
            "Trade-off",
            "Two KPIs of every policy, means over worlds. Random play is left out.",
            lambda: charts.trade_off_chart(comparison, trade_off),
        ),
        (
            "time-line",
            "One episode",
            "What the first agent used over time in the same world, best policy on top. White gaps in the upper strip: "
            "it was attached to nothing.",
            lambda: time_line_chart(comparison),
        ),
    ]
    pictures = {}
    for name, title, caption, draw in drawings:
        figure = draw()
        if figure is not None:
            pictures[name] = Picture(f"{comparison.preset.preset}-{name}", title, caption, figure)
    return pictures


def across_presets(comparisons: list[Comparison]) -> Table | None:
    """Agents over all presets that each of them was trained on; None where there are fewer than two."""
    names = sorted({row.policy.name for comparison in comparisons for row in comparison.agents})
    rows = []
    for name in names:
        scored = []
        for comparison in comparisons:
            policy = comparison.preset.find(name)
            if policy is not None:
                zero, one = comparison.preset.random.returns.mean(), comparison.preset.bound.returns.mean()
                scored.append((policy.returns.mean(axis=1) - zero) / (one - zero))
        runs = min((len(scores) for scores in scored), default=0)
        if len(scored) < 2 or runs < 2 or any(len(scores) != runs for scores in scored):
            continue
        middle = st.interquartile_mean([[scores[run] for scores in scored] for run in range(runs)])
        rows.append((name, str(len(scored)), str(runs), tables.interval_text(middle)))
    if not rows:
        return None
    return Table(
        "Agents across presets",
        ("agent", "presets", "trainings each", "interquartile mean of scores"),
        tuple(rows),
        note="Mean of the middle half of all (training, preset) scores; the interval resamples the trainings of each "
        "preset.",
    )
