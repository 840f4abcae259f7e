"""The picture: map of the cells and the channel plan on the left, time series on the right."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.patches import RegularPolygon
from numpy.typing import NDArray

from ntn_gym.envs.channel_allocation.loads import topology_of
from ntn_gym.envs.channel_allocation.plan import make_plan
from ntn_gym.envs.channel_allocation.scenario import Scenario
from ntn_gym.envs.channel_allocation.story import Story
from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas
from ntn_gym.rendering.strips import EventStyle, TimeStrips, nice_ceiling

WIDTH_PX, HEIGHT_PX = 960, 600
EVENT_STYLES = (
    EventStyle("blocked", "x", style.VERMILLION),
    EventStyle("dropped hand-over", "v", style.INK),
    EventStyle("moved", "|", style.GREEN),
    EventStyle("forbidden", "+", style.PURPLE),
)
SPAN_HOLDINGS = 2.0
"""The time series show so many mean holding times."""


class Picture:
    """Artists of one scenario, drawn again and again."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.plan = make_plan(scenario.cells)
        self.canvas = Canvas(WIDTH_PX, HEIGHT_PX)
        self.title = self.canvas.text(14, 10, fontsize=style.TITLE_PT + 1, fontweight="bold")
        self.clock = self.canvas.text(14, 30)
        self.question = self.canvas.text(14, 48)
        self._map()
        self._channels()
        self._series()

    def _map(self) -> None:
        topology = topology_of(self.scenario)
        centres = topology.centres()
        axes = self.canvas.axes((14, 98, 400, 300))
        axes.set_title("Free channels by colour, carried calls as number", pad=3, **style.TITLE)
        axes.set_aspect("equal")
        axes.set_axis_off()
        (left, bottom), (right, top) = centres.min(axis=0) - 0.7, centres.max(axis=0) + 0.7
        axes.set_xlim(left, right)
        axes.set_ylim(bottom, top)
        hexagons = [RegularPolygon((x, y), 6, radius=1 / np.sqrt(3)) for x, y in centres]
        self.cells = PatchCollection(hexagons, cmap=style.SEQUENTIAL, edgecolor=style.PAPER, linewidth=1.0)
        self.cells.set_clim(0, self.scenario.cells.channels / topology.n_labels * 2)
        axes.add_collection(self.canvas.moving(self.cells))
        bar_axes = self.canvas.axes((384, 130, 8, 230))
        self.canvas.figure.colorbar(self.cells, cax=bar_axes, extend="max")
        bar_axes.set_title("free", fontsize=style.TEXT_PT - 0.5, pad=8)
        self.rim = [
            self.canvas.moving(axes.add_patch(RegularPolygon((x, y), 6, radius=0.5, fill=False, lw=2.0, zorder=4)))
            for x, y in centres
        ]
        self.words = [
            self.canvas.moving(
                axes.text(x, y, "", ha="center", va="center", zorder=5, path_effects=style.HALO, color=style.INK)
            )
            for x, y in centres
        ]

    def _channels(self) -> None:
        n_cells, n_channels = self.plan.topology.n_cells, self.plan.n_channels
        axes = self.canvas.axes((46, 436, 350, 126))
        axes.set_title("In use: blue by plan, orange borrowed, black: this cell", pad=3, **style.TITLE)
        axes.set_xlabel("channel", labelpad=1)
        axes.set_ylabel("cell", labelpad=1)
        axes.grid(False)
        colours = ListedColormap([style.PAPER, style.SKY_BLUE, style.ORANGE, style.INK, style.GRID])
        self.image = self.canvas.moving(
            axes.imshow(
                np.zeros((n_cells, n_channels)),
                aspect="auto",
                interpolation="nearest",
                cmap=colours,
                norm=BoundaryNorm(np.arange(-0.5, 5), 5),
                extent=(-0.5, n_channels - 0.5, n_cells - 0.5, -0.5),
            )
        )

    def _series(self) -> None:
        span_s = SPAN_HOLDINGS * self.scenario.load.holding_s
        self.strips = TimeStrips(self.canvas, (474, 118, 468, 444), span_s, (2.2, 1.3, 1.3))
        strips = self.strips
        strips.axes[-1].set_xlabel(f"time in s, the last {span_s:g} s", labelpad=1)
        strips.title(0, "Calls")
        strips.legend_above(0, EVENT_STYLES)
        self.events = strips.events(0, EVENT_STYLES, height=0.94)
        self.offered = strips.line(0, style.MUTED, width=1.0)
        self.carried = strips.line(0, style.BLUE)
        strips.key(0, [(self.offered, "offered"), (self.carried, "carried")])
        strips.title(1, "Refused so far in %")
        self.blocking = strips.line(1, style.VERMILLION)
        self.dropping = strips.line(1, style.INK, width=1.1)
        strips.key(1, [(self.blocking, "new calls"), (self.dropping, "hand-overs")])
        if self.scenario.drift is not None:
            strips.title(2, "Drift of the platform in m/s")
        else:
            strips.title(2, "Offered calls of the busiest and the mean cell")
        self.high = strips.line(2, style.GREEN)
        self.mean = strips.line(2, style.MUTED, width=1.0)

    def draw(self, story: Story) -> NDArray[np.uint8]:
        """Draw a story, uint8 [600, 960, 3]."""
        task = story.task
        self.title.set_text(story.title)
        self.clock.set_text(
            f"event {story.step} of {task.episode_steps}   t = {story.time_s[-1]:.1f} s   "
            f"return {story.episode_return:.2f} calls"
        )
        self.question.set_text(story.question)
        self._show_cells(story)
        self._show_series(story)
        return self.canvas.picture()

    def _show_cells(self, story: Story) -> None:
        near = self.plan.topology.distance[story.cell] < self.scenario.cells.reuse_distance
        self.cells.set_array(story.free.astype(float))
        calls = story.uses.sum(axis=1)
        for i, (rim, words) in enumerate(zip(self.rim, self.words, strict=True)):
            rim.set_visible(bool(near[i]))
            rim.set_edgecolor(style.VERMILLION if i == story.cell else style.INK)
            rim.set_linewidth(3.0 if i == story.cell else 1.0)
            words.set_text(str(calls[i]))
            words.set_fontweight("bold" if i == story.cell else "normal")
        colour = np.where(story.uses, np.where(self.plan.nominal, 1, 2), 0)
        colour[story.cell] = np.where(story.uses[story.cell], 3, 4)
        self.image.set_data(colour)

    def _show_series(self, story: Story) -> None:
        begin = max(0.0, story.time_s[-1] - self.strips.duration_s)
        time_s = story.time_s - begin
        shown = time_s >= 0
        offered = story.raw["offered"].sum(axis=1)
        self.offered.set_data(time_s[shown], offered[shown])
        self.carried.set_data(time_s[shown], story.carried[shown])
        low = min(int(story.carried[shown].min()), int(offered[shown].min()))
        high = int(offered[shown].max())
        self.strips.limits(0, max(0, 10 * (low // 10) - 10), 10 * (high // 10) + 30)
        past = time_s[: len(story.carried) - 1]
        self.strips.set_events(
            self.events, {kind.name: past[story.events[kind.name] & (past >= 0)] for kind in EVENT_STYLES}
        )
        rates = [self._running_share(story, name) for name in ("blocked", "dropped hand-over")]
        for line, rate in zip((self.blocking, self.dropping), rates, strict=True):
            line.set_data(past[past >= 0], rate[past >= 0])
        top = max((float(np.nanmax(rate[past >= 0], initial=0.0)) for rate in rates), default=1.0)
        self.strips.limits(1, 0.0, nice_ceiling(max(top, 1.0)))
        if self.scenario.drift is not None:
            speed = np.hypot(*story.raw["drift_m_s"].T)
            self.high.set_data(time_s[shown], speed[shown])
            self.strips.limits(2, 0.0, nice_ceiling(float(speed.max())))
        else:
            busiest = story.raw["offered"].max(axis=1)
            self.high.set_data(time_s[shown], busiest[shown])
            self.mean.set_data(time_s[shown], story.raw["offered"].mean(axis=1)[shown])
            self.strips.limits(2, 0.0, nice_ceiling(float(busiest.max())))
        self.strips.now(float(time_s[-1]))

    def _running_share(self, story: Story, name: str) -> NDArray[np.float64]:
        """Share refused since the record began, in %, after each finished step; 0 before the first call."""
        kind = story.raw["kind"][: len(story.carried) - 1]
        asked = kind == 0 if name == "blocked" else np.isin(kind, (1, 2))
        total = np.cumsum(asked)
        refused = np.cumsum(story.events[name])
        share: NDArray[np.float64] = 100.0 * refused / np.maximum(total, 1)
        return share
