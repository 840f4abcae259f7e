"""The picture of many users: who is served from where, how many share a cell, and how they fare."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ntn_gym.envs.handover.layout import EVENT_STYLES, HEIGHT_PX, WIDTH_PX, Header, local_km, show_nodes
from ntn_gym.envs.handover.scenario import HapsSky, Scenario
from ntn_gym.envs.handover.story import Story
from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas
from ntn_gym.rendering.ground import GroundPlot
from ntn_gym.rendering.map import MapPlot
from ntn_gym.rendering.strips import TimeStrips, nice_ceiling
from ntn_gym.world.platform import hexagonal_cells_m


class ManyUsersPicture:
    """Artists of one scenario, drawn again and again."""

    def __init__(self, scenario: Scenario) -> None:
        canvas = Canvas(WIDTH_PX, HEIGHT_PX)
        n_slots = scenario.slots.count
        self.canvas = canvas
        self.header = Header(canvas)
        sky = scenario.sky
        self.haps = isinstance(sky, HapsSky)
        reach_km = max(scenario.users.region_radius_m / 1e3 * 1.3, 1.0)
        box = (58, 88, 306, 262) if not self.haps else (58, 88, 306, 400)
        if isinstance(sky, HapsSky):
            cells_km = hexagonal_cells_m(scenario.slots.rings, sky.cell_radius_m) / 1e3
            reach_km = max(reach_km, float(np.abs(cells_km).max()) + 1.2 * sky.cell_radius_m / 1e3)
        self.ground = GroundPlot(canvas, box, reach_km, title="Users by serving slot (white X: none)")
        if isinstance(sky, HapsSky):
            self.ground.still_cells(cells_km, sky.cell_radius_m / 1e3)
        else:
            self.map = MapPlot(canvas, (58, 412, 306, 160), n_slots, title="Sub-satellite points")
        self.bars = self._counts(canvas, n_slots)
        self.strips = TimeStrips(canvas, (560, 100, 382, 468), scenario.steps * scenario.dt_s, (1.6, 1.2, 1.4, 2.4))
        self._series(scenario)

    def _counts(self, canvas: Canvas, n_slots: int) -> Axes:
        axes = canvas.axes((436, 100, 66, 468))
        axes.set_ylim(n_slots - 0.4, -0.6)
        axes.set_yticks(range(n_slots))
        axes.grid(False, axis="y")
        axes.set_xlabel("users", labelpad=1)
        axes.set_title("Users per slot", pad=3, **style.TITLE)
        axes.tick_params(length=2, pad=14)
        axes.tick_params(axis="x", pad=2)
        for slot in range(n_slots):
            axes.plot(
                [-0.13],
                [slot],
                style.marker(slot),
                color=style.colour(slot),
                mec=style.INK,
                mew=0.6,
                ms=7,
                transform=axes.get_yaxis_transform(),
                clip_on=False,
            )
        bars = axes.barh(range(n_slots), [0] * n_slots, height=0.7, color=[style.colour(k) for k in range(n_slots)])
        self.count_bars = [canvas.moving(bar) for bar in bars]
        self.count_words = [
            canvas.moving(axes.text(0, slot, "", va="center", ha="left", fontsize=style.TEXT_PT))
            for slot in range(n_slots)
        ]
        return axes

    def _series(self, scenario: Scenario) -> None:
        strips = self.strips
        strips.title(0, "Rate per user in Mbit/s")
        self.mean = strips.line(0, style.BLUE)
        self.low = strips.line(0, style.VERMILLION, width=1.0)
        strips.key(0, [(self.mean, "mean"), (self.low, "5th percentile")])
        strips.title(1, "Users without service in %")
        strips.limits(1, 0.0, 100.0)
        self.outage = strips.line(1, style.INK)
        strips.title(2, "Events so far, per user")
        self.totals = [strips.line(2, kind.colour) for kind in EVENT_STYLES[:2]]
        strips.key(2, list(zip(self.totals, ("handovers", "link failures"), strict=True)))
        axes = strips.axes[3]
        strips.title(3, "Users per slot")
        axes.grid(False)
        axes.set_ylim(scenario.slots.count - 0.5, -0.5)
        axes.set_yticks(range(scenario.slots.count))
        if scenario.slots.count > 10:
            axes.tick_params(axis="y", labelsize=style.TEXT_PT - 2.5)
        self.heat = self.canvas.moving(
            axes.imshow(
                np.zeros((scenario.slots.count, 1)),
                aspect="auto",
                cmap="Blues",
                vmin=0,
                interpolation="nearest",
                extent=(0, 1, scenario.slots.count - 0.5, -0.5),
                zorder=1,
            )
        )
        axes.set_xlim(0, scenario.steps * scenario.dt_s)
        self.darkest = self.canvas.moving(
            axes.annotate(
                "",
                (1.0, 1.0),
                xycoords="axes fraction",
                xytext=(0, 3),
                textcoords="offset points",
                ha="right",
                va="bottom",
                fontsize=style.TEXT_PT - 0.5,
            )
        )

    def draw(self, story: Story) -> NDArray[np.uint8]:
        """Draw the story of many users, uint8 [600, 960, 3]."""
        n_users, n_slots = story.task.n_agents, story.task.n_slots
        serving = np.where(story.alive, story.serving[-1], -1)
        counts = (serving[:, None] == np.arange(n_slots)).sum(axis=0)
        without = int((serving < 0).sum())
        self.header.show(story, f"{n_users - without} of {n_users} users connected")
        face = [style.PAPER if slot < 0 else style.colour(slot) for slot in serving]
        markers = ["X" if slot < 0 else style.marker(slot) for slot in serving]
        self.ground.show_users(local_km(story), face, markers, 8.0)
        if not self.haps:
            show_nodes(self.map, story, [style.colour(slot) for slot in range(n_slots)], None)
            centre = [(float(story.raw[f"user_{axis}_deg"][-1].mean())) for axis in ("lat", "lon")]
            used = np.flatnonzero(counts)
            nodes = np.stack([story.raw["node_lat_deg"][-1, used], story.raw["node_lon_deg"][-1, used]], axis=-1)
            self.map.show_links(np.tile(centre, (len(used), 1)), nodes)
            self.map.show_users(np.array(centre[:1]), np.array(centre[1:]), [style.VERMILLION], ["*"])
        used_so_far = story.serving[..., None] == np.arange(n_slots)
        scale = nice_ceiling(float(used_so_far.sum(axis=1).max()))
        if self.bars.get_xlim() != (0.0, scale):
            self.bars.set_xlim(0.0, scale)
            self.canvas.invalidate()
        for bar, words, count in zip(self.count_bars, self.count_words, counts, strict=True):
            bar.set_width(count)
            words.set_text(str(count) if count else "")
            words.set_x(count + 0.02 * scale)
        self._show_series(story)
        return self.canvas.picture()

    def _show_series(self, story: Story) -> None:
        time_s = story.step_time_s
        rate = story.rate_mbit_s
        n_slots = story.task.n_slots
        if len(time_s):
            mean = rate.mean(axis=1)
            self.strips.limits(0, 0.0, nice_ceiling(float(mean.max())))
            self.mean.set_data(time_s, mean)
            self.low.set_data(time_s, np.percentile(rate, 5, axis=1))
            self.outage.set_data(time_s, 100.0 * (1.0 - story.carried.mean(axis=1)))
            totals = [story.events[kind.name].mean(axis=1).cumsum() for kind in EVENT_STYLES[:2]]
            self.strips.limits(2, 0.0, nice_ceiling(max(float(total[-1]) for total in totals)))
            for line, total in zip(self.totals, totals, strict=True):
                line.set_data(time_s, total)
            used = np.where(story.carried, story.serving[1:], -1)
            heat = (used[..., None] == np.arange(n_slots)).sum(axis=1).T
            self.heat.set_data(heat)
            most = max(1, int(heat.max()))
            self.heat.set_clim(0, most)
            self.darkest.set_text(f"white: 0, darkest: {most}")
            self.heat.set_extent((story.first_s, story.time_s, n_slots - 0.5, -0.5))
        self.heat.set_visible(bool(len(time_s)))
        for line in (self.mean, self.low, self.outage, *self.totals):
            line.set_visible(bool(len(time_s)))
        self.strips.now(story.time_s)
