"""Charts of one preset: scores, learning curves, trade-off of two KPIs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ntn_gym.core.task import KpiSpec
from ntn_gym.evaluation.report.comparison import Comparison, Row
from ntn_gym.evaluation.report.style import FAMILY_COLOURS, FAMILY_MARKERS, FAMILY_WORDS, drawing, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLAYERS = ("single", "composite", "forecast", "agent")


def score_chart(comparison: Comparison) -> Figure | None:
    """Dot and interval for every policy, best on top; small dots are single trainings."""
    rows = [row for row in comparison.rows if row.policy.family in PLAYERS]
    if not rows:
        return None
    preset = comparison.preset
    with drawing():
        figure = new_figure(7.6, 0.9 + 0.24 * len(rows))
        axes = figure.add_subplot()
        random, bound = preset.random.returns[0], preset.bound.returns[0]
        for place, row in enumerate(reversed(rows)):
            colour = FAMILY_COLOURS[row.policy.family]
            ends = [row.score.low, row.score.high]
            axes.plot(ends, [place, place], color=colour, linewidth=1.5, marker="|", markersize=7)
            axes.plot(row.score.value, place, FAMILY_MARKERS[row.policy.family], color=colour, markersize=5)
            text = f"{row.score.value:.3f}"
            axes.text(1.035, place, text, va="center", fontsize=8, transform=axes.get_yaxis_transform())
            if len(row.policy.records) > 1:
                runs = (row.policy.returns.mean(axis=1) - random.mean()) / (bound.mean() - random.mean())
                axes.plot(runs, np.full(len(runs), place), ".", color="black", markersize=3, zorder=4)
        axes.set_yticks(range(len(rows)), [row.policy.name for row in reversed(rows)])
        axes.set_ylim(-0.7, len(rows) - 0.3)
        low = min(row.score.low for row in rows)
        # Where all policies are close together, an axis from zero would show that only.
        start = math.floor(20 * low) / 20 if low > 0.25 else min(0.0, low) - 0.02
        axes.set_xlim(start, 1.0 + 0.01 * (1.0 - start))
        axes.axvline(1.0, color=FAMILY_COLOURS["bound"], linewidth=1)
        if start < 0:
            axes.axvline(0.0, color=FAMILY_COLOURS["random"], linewidth=1)
        axes.grid(axis="x")
        axes.set_xlabel(f"normalised score (0 random, 1 bound), 95 % intervals, {preset.n_worlds} worlds")
        _family_legend(axes, rows)
    return figure


def _family_legend(axes: Axes, rows: Sequence[Row]) -> None:
    from matplotlib.lines import Line2D

    families = [family for family in FAMILY_WORDS if any(row.policy.family == family for row in rows)]
    handles = [
        Line2D([], [], linestyle="", marker=FAMILY_MARKERS[f], color=FAMILY_COLOURS[f], label=FAMILY_WORDS[f])
        for f in families
    ]
    if any(len(row.policy.records) > 1 for row in rows):
        handles.append(Line2D([], [], linestyle="", marker=".", color="black", label="one training"))
    axes.figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), fontsize=8, handletextpad=0.2)


def learning_chart(comparison: Comparison) -> Figure | None:
    """Score on validation worlds over environment steps: every training as a thin line, their mean as a thick one."""
    agents = [row for row in comparison.agents if all(record.notes.get("curve") for record in row.policy.records)]
    if not agents:
        return None
    with drawing():
        figure = new_figure(7.6, 3.4)
        axes = figure.add_subplot()
        styles = ("-", "--", ":", "-.")
        shown: list[np.ndarray] = []
        for row, style in zip(agents, (styles[i % len(styles)] for i in range(len(agents))), strict=True):
            curves = [_scored(record.notes["curve"]) for record in row.policy.records]
            shown += [scores for _, scores in curves]
            for steps, scores in curves:
                axes.plot(steps, scores, color=FAMILY_COLOURS["agent"], linewidth=0.8, alpha=0.6, linestyle=style)
            axes.plot(*_mean_curve(curves), color=FAMILY_COLOURS["agent"], linewidth=2, linestyle=style)
            axes.plot([], [], color=FAMILY_COLOURS["agent"], linewidth=2, linestyle=style, label=_agent_label(row))
        for family, best in comparison.rivals.items():
            label = f"{best.policy.name} (reporting worlds)"
            colour = FAMILY_COLOURS[family]
            axes.axhline(best.score.value, color=colour, linewidth=1.2, linestyle=(0, (5, 2)), label=label)
        axes.axhline(1.0, color=FAMILY_COLOURS["bound"], linewidth=1, label="bound")
        axes.set_xlim(left=0)
        # The first steps of a training are far below everything else; what matters is where it ends.
        lowest, ends = min(scores.min() for scores in shown), min(scores[-1] for scores in shown)
        axes.set_ylim(max(lowest, ends - 0.3) - 0.02, 1.03)
        axes.set_xlabel("environment steps")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        worlds = agents[0].policy.first.notes["curve"]["worlds"]
        axes.set_ylabel(f"score on {worlds} validation worlds")
        axes.grid()
        figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure


def _agent_label(row: Row) -> str:
    runs = len(row.policy.records)
    return f"{row.policy.name}: mean of {runs} trainings" if runs > 1 else row.policy.name


def _scored(curve: dict[str, Any]) -> tuple[list[int], np.ndarray]:
    scores = (np.array(curve["return_mean"]) - curve["random"]) / (curve["bound"] - curve["random"])
    return curve["steps"], scores


def _mean_curve(curves: list[tuple[list[int], np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean of curves over the steps that all of them cover."""
    last = min(steps[-1] for steps, _ in curves)
    first = max(steps[0] for steps, _ in curves)
    grid = np.array([step for step in curves[0][0] if first <= step <= last])
    return grid, np.mean([np.interp(grid, steps, scores) for steps, scores in curves], axis=0)


def trade_off_chart(comparison: Comparison, pair: tuple[str, str] | None = None) -> Figure | None:
    """Two KPIs of every policy against each other; random play, which is far away, is left out.

    Args:
        comparison: The policies.
        pair: Names of the KPIs on the x and y axes; None chooses the first one that is counted per minute and the first
            of all.
    """
    chosen = _pair(comparison.preset.kpis, pair)
    if chosen is None:
        return None
    points = []
    for row in comparison.rows:
        values = [row.policy.kpi(spec.name) for spec in chosen]
        if row.policy.family != "random" and values[0] is not None and values[1] is not None:
            points.append((row, float(values[0].mean()), float(values[1].mean())))
    if len(points) < 2:
        return None
    with drawing():
        figure = new_figure(7.6, max(3.6, 0.21 * len(points) + 0.8))
        axes = figure.add_subplot()
        for row, x, y in points:
            family = row.policy.family
            axes.plot(
                x, y, FAMILY_MARKERS[family], color=FAMILY_COLOURS[family], markersize=8 if family == "bound" else 6
            )
        for axis, spec in zip((axes.xaxis, axes.yaxis), chosen, strict=True):
            axis.set_label_text(f"{spec.description} [{spec.unit}]" + _direction(spec))
        axes.margins(0.06)
        axes.grid()
        _label_column(axes, [(row.policy.name, row.policy.family, x, y) for row, x, y in points])
    return figure


def _direction(spec: KpiSpec) -> str:
    return {"higher": ", more is better", "lower": ", less is better", "neither": ""}[spec.better]


def _pair(specs: Sequence[KpiSpec], names: tuple[str, str] | None) -> tuple[KpiSpec, KpiSpec] | None:
    by_name = {spec.name: spec for spec in specs}
    if names is not None:
        return by_name[names[0]], by_name[names[1]]
    cost = next((spec for spec in specs if spec.reduction == "per_minute"), None)
    value = next((spec for spec in specs if spec is not cost), None)
    return None if cost is None or value is None else (cost, value)


def _label_column(axes: Axes, points: list[tuple[str, str, float, float]]) -> None:
    """Write the names in a column on the right, each with a thin line to its point, so that none hides another."""
    ordered = sorted(points, key=lambda point: -point[3])
    heights = np.linspace(0.99, 0.01, len(ordered))
    for (name, family, x, y), height in zip(ordered, heights, strict=True):
        axes.annotate(
            name,
            xy=(x, y),
            xytext=(1.06, height),
            textcoords="axes fraction",
            va="center",
            fontsize=8,
            color=FAMILY_COLOURS[family],
            arrowprops={"arrowstyle": "-", "color": "#bbbbbb", "linewidth": 0.6, "shrinkB": 3, "relpos": (0, 0.5)},
            annotation_clip=False,
        )
