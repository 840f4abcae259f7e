"""The picture of DataRelay: contact time line with clouds, data on board, buffers, and what has arrived."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ntn_gym.envs.data_relay.scenario import Scenario
from ntn_gym.envs.data_relay.story import Story
from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas
from ntn_gym.rendering.strips import TimeStrips, nice_ceiling, runs

WIDTH_PX, HEIGHT_PX = 960, 600
_CLOUD = "#b9c0c7"
_DASHES = ("-", "--", ":", "-.")


class Picture:
    """Artists of one scenario, drawn again and again."""

    def __init__(self, scenario: Scenario) -> None:
        """Lay out the strips."""
        self._scenario = scenario
        self.canvas = Canvas(WIDTH_PX, HEIGHT_PX)
        self.head = self.canvas.text(14, 8, fontsize=style.TITLE_PT + 1, fontweight="bold")
        self.line = self.canvas.text(14, 27, fontsize=style.TEXT_PT)
        names, hags = scenario.stations.names, scenario.stations.hags
        lanes = max(2.0, 0.55 * len(names))
        self.strips = TimeStrips(self.canvas, (112, 74, 700, 478), scenario.horizon_h, (lanes, 1.6, 1.4, 1.0))
        strips = self.strips
        strips.axes[-1].set_xlabel("time in h", labelpad=1)
        strips.title(0, "Contacts: cloud, receiver in view, terminal pointed to it")
        axes = strips.axes[0]
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_yticks(range(len(names)), [f"{name} ▲" if name in hags else name for name in names])
        axes.grid(False)
        step_h = next(step for step in (1, 2, 3, 6, 12, 24, 48) if scenario.horizon_h / step <= 9)
        for strip in strips.axes:
            strip.set_xticks(np.arange(0.0, scenario.horizon_h + 1e-9, step_h))
        self.cloud = self._bars(axes, _CLOUD, 7.0, 1)
        self.view = self._bars(axes, style.MUTED, 1.6, 2)
        count = scenario.satellites.count
        self.served = [self._bars(axes, style.colour(s), _width(s), 3) for s in range(count)]
        strips.title(1, "Data on board in Tbit")
        self.onboard = [strips.line(1, style.colour(s), width=1.3) for s in range(count)]
        for s, line in enumerate(self.onboard):
            line.set_linestyle(_DASHES[s // len(style.CATEGORICAL) % len(_DASHES)])
        strips.title(2, "HAGS buffers in % (▲)")
        strips.limits(2, 0.0, 105.0)
        self.fill = [strips.line(2, style.colour(h), width=1.5) for h in range(len(hags))]
        for h, line in enumerate(self.fill):
            line.set_linestyle(("-", "--", ":", "-.")[h % 4])
        strips.title(3, "Share of the episode's data in %")
        strips.limits(3, 0.0, 105.0)
        self.generated = strips.line(3, style.MUTED, width=1.0)
        self.delivered = strips.line(3, style.GREEN)
        self._legends(hags, count)

    def _bars(self, axes: Axes, colour: str, width: float, order: float) -> LineCollection:
        bars = LineCollection([], colors=colour, linewidths=width, zorder=order, capstyle="butt")
        axes.add_collection(bars, autolim=False)
        return self.canvas.moving(bars)

    def _legends(self, hags: tuple[str, ...], count: int) -> None:
        axes = self.strips.axes
        place: dict[str, Any] = {
            "loc": "upper left",
            "bbox_to_anchor": (1.005, 1.03),
            "borderpad": 0,
            "handlelength": 1.4,
        }
        place |= {"frameon": False, "fontsize": style.TEXT_PT - 0.5}
        shown = [
            Patch(color=_CLOUD, label="cloud"),
            Line2D([], [], color=style.MUTED, lw=1.6, label="in view"),
            *(Line2D([], [], color=style.colour(s), lw=0.8 * _width(s), label=f"satellite {s}") for s in range(count)),
            Line2D([], [], ls="none", marker="^", color=style.INK, ms=5, label="HAGS above"),
        ]
        axes[0].legend(handles=shown, **place)
        if hags:
            lines = [
                Line2D([], [], color=line.get_color(), ls=line.get_linestyle(), lw=1.5, label=name)
                for line, name in zip(self.fill, hags, strict=True)
            ]
            axes[2].legend(handles=lines, **place)
        ends = [
            Line2D([], [], color=style.MUTED, lw=1.0, label="generated"),
            Line2D([], [], color=style.GREEN, lw=1.6, label="on the ground"),
        ]
        axes[3].legend(handles=ends, **place)

    def draw(self, story: Story) -> NDArray[np.uint8]:
        """Draw a story, uint8 [600, 960, 3]."""
        raw, time_h = story.raw, story.time_h
        self.head.set_text(story.title)
        self.line.set_text(
            f"t = {time_h[-1]:.2f} h of {self._scenario.horizon_h:g} h    "
            f"on the ground {story.delivered_share[-1]:.1%}    refusals {story.refused}    "
            f"return {story.episode_return:.3f}"
        )
        n_epochs = len(time_h) - 1
        cloudy = ~raw["clear"][:n_epochs]
        receiver = raw["receiver"][:n_epochs]
        stations = np.arange(cloudy.shape[1])
        in_view = (receiver[..., None] == stations).any(axis=(1, 2))
        self.cloud.set_segments(_segments(cloudy, time_h))
        self.view.set_segments(_segments(in_view, time_h))
        for s, bars in enumerate(self.served):
            bars.set_segments(_segments(story.pointed[:, s, None] == stations, time_h))
        self.strips.limits(1, 0.0, nice_ceiling(float(story.onboard_tbit.max(initial=0.1))))
        for s, line in enumerate(self.onboard):
            line.set_data(time_h, story.onboard_tbit[:, s])
        for h, line in enumerate(self.fill):
            line.set_data(time_h, 100.0 * story.hags_share[:, h])
        self.generated.set_data(time_h, 100.0 * story.generated_share)
        self.delivered.set_data(time_h, 100.0 * story.delivered_share)
        self.strips.now(float(time_h[-1]))
        return self.canvas.picture()


def _width(satellite: int) -> float:
    """Width of the bars of a satellite: narrower where the colours begin again."""
    return 8.0 / (1 + satellite // len(style.CATEGORICAL))


def _segments(flags: NDArray[np.bool_], time_h: NDArray[np.float64]) -> list[list[tuple[float, float]]]:
    """Return a horizontal segment for every run of true values of [epochs, lanes]."""
    return [
        [(float(time_h[start]), lane), (float(time_h[end]), lane)]
        for lane in range(flags.shape[1])
        for start, end in runs(flags[:, lane])
    ]
