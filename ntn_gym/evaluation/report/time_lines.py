"""Time lines: what the first agent was attached to in one episode, one row per policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ntn_gym.evaluation.records import TimeLine
from ntn_gym.evaluation.report.comparison import Comparison
from ntn_gym.evaluation.report.style import LANE_COLOURS, drawing, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR_HEIGHT = 0.5
SHADE_HEIGHT = 0.2


def time_line_chart(comparison: Comparison) -> Figure | None:
    """One strip per policy: colours say which slot (or other lane) it used, shades what each step was worth."""
    strips = [
        (row.policy.name, row.policy.first.time_line)
        for row in comparison.rows
        if row.policy.first.time_line is not None and row.policy.first.time_line.lanes
    ]
    if not strips:
        return None
    rewards = np.concatenate([line.reward for _, line in strips])
    low, high = float(rewards.min()), float(rewards.max())
    first = strips[0][1]
    with drawing():
        figure = new_figure(9.6, 1.1 + 0.3 * len(strips))
        axes = figure.add_subplot()
        for place, (_, line) in enumerate(reversed(strips)):
            _strip(axes, line, place, low, high)
        axes.set_yticks(range(len(strips)), [f"{name}  {sum(line.reward):.0f}" for name, line in reversed(strips)])
        axes.set_ylim(-0.6, len(strips) - 0.4)
        axes.set_xlim(0, len(first.reward) * first.dt_s)
        axes.set_xlabel(f"time [s], world {first.seed}; the number after each name is the return of this episode")
        axes.tick_params(axis="y", length=0)
        _legend(axes, strips)
    return figure


def _strip(axes: Axes, line: TimeLine, place: int, low: float, high: float) -> None:
    lane = np.array(next(iter(line.lanes.values())))
    steps = len(lane)
    changes = np.zeros(steps, dtype=bool)
    for labels in line.lanes.values():
        changes[1:] |= np.diff(labels) != 0
    begins = np.flatnonzero(changes | (np.arange(steps) == 0))
    ends = np.append(begins[1:], steps)
    for begin, end in zip(begins, ends, strict=True):
        if lane[begin] >= 0:
            axes.broken_barh(
                [(begin * line.dt_s, (end - begin) * line.dt_s)],
                (place - 0.15, BAR_HEIGHT),
                facecolor=LANE_COLOURS[lane[begin] % len(LANE_COLOURS)],
                edgecolor="white",
                linewidth=0.5,
            )
    shade = (np.array(line.reward) - low) / max(high - low, 1e-12)
    axes.imshow(
        shade[None],
        cmap="gray",
        vmin=0.0,
        vmax=1.0,
        aspect="auto",
        interpolation="nearest",
        extent=(0, steps * line.dt_s, place - 0.15 - SHADE_HEIGHT, place - 0.15),
        zorder=2,
    )


def _legend(axes: Axes, strips: list[tuple[str, TimeLine]]) -> None:
    from matplotlib.patches import Patch

    name = next(iter(strips[0][1].lanes))
    used = sorted({label for _, line in strips for label in next(iter(line.lanes.values())) if label >= 0})
    by_colour: dict[str, list[str]] = {}
    for label in used:
        by_colour.setdefault(LANE_COLOURS[label % len(LANE_COLOURS)], []).append(str(label))
    handles = [Patch(color=colour, label=f"{name} {', '.join(labels)}") for colour, labels in by_colour.items()]
    handles += [
        Patch(facecolor="white", edgecolor="#999999", label="none"),
        Patch(facecolor="#555555", label="below: reward of the step, dark is low"),
    ]
    axes.figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 6), fontsize=8)
