"""The picture: who is linked to what on the map and in the sky, how full the nodes are, and how users fare."""

from __future__ import annotations

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ntn_gym.envs.multi_connectivity.admission import limits_of_resources
from ntn_gym.envs.multi_connectivity.places import ABSENT_M, side_m
from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.envs.multi_connectivity.story import MODES, Story
from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas
from ntn_gym.rendering.ground import GroundPlot
from ntn_gym.rendering.sky import SkyPlot
from ntn_gym.rendering.strips import TimeStrips, nice_ceiling

WIDTH_PX, HEIGHT_PX = 960, 600
MODE_COLOURS = (style.PAPER, style.BLUE, style.ORANGE, style.GREEN)
MODE_MARKERS = ("X", "o", "s", "D")
STATION_LANES = 6
"""Stations shown in the bars: the fullest ones."""


class Picture:
    """Artists of one scenario, drawn again and again."""

    def __init__(self, scenario: Scenario) -> None:
        """Lay out the picture."""
        canvas = self.canvas = Canvas(WIDTH_PX, HEIGHT_PX)
        self.scenario = scenario
        self.reach_km = side_m(scenario) / 2e3
        self._title = canvas.text(14, 10, fontsize=style.TITLE_PT + 2, fontweight="bold")
        self._words = canvas.text(14, 33, fontsize=style.TITLE_PT)
        self.ground = GroundPlot(canvas, (52, 84, 300, 300), self.reach_km, title="Users, stations (triangles), links")
        axes = self.ground.axes
        self.lines = canvas.moving(LineCollection([], colors=style.ORANGE, linewidths=1.0, alpha=0.8, zorder=3))
        axes.add_collection(self.lines, autolim=False)
        (self.stations,) = axes.plot([], [], "^", color=style.GRID, mec=style.INK, mew=0.7, ms=7, ls="none", zorder=4)
        canvas.moving(self.stations)
        self._key(canvas)
        n_sky = scenario.n_sky_slots
        limit = limits_of_resources(scenario)
        top = max(1, int(limit[:n_sky].max()))
        lowest = min([tier.min_elevation_deg for tier in scenario.satellites], default=0.0)
        self.sky = SkyPlot(
            canvas,
            (395, 76, 220, 266),
            n_sky,
            lowest_elevation_deg=lowest,
            value_label="users linked to a node of the sky",
            scale=ScalarMappable(Normalize(0, top, clip=True), cmap=style.SEQUENTIAL),
            title="Sky",
        )
        self._bars(canvas, n_sky, max(top, int(limit.max())))
        self.strips = TimeStrips(canvas, (672, 84, 270, 470), scenario.steps * scenario.dt_s, (1.5, 1.2, 1.2, 1.0))
        self._series(scenario)

    def _key(self, canvas: Canvas) -> None:
        handles = [
            Line2D([], [], ls="none", marker=m, color=c, mec=style.INK, mew=0.7, ms=7, label=name)
            for name, m, c in zip(MODES, MODE_MARKERS, MODE_COLOURS, strict=True)
        ]
        axes = canvas.axes((52, 420, 300, 110))
        axes.axis("off")
        axes.legend(
            handles=handles, loc="upper left", ncols=2, columnspacing=1.5, handletextpad=0.3, fontsize=style.TEXT_PT
        )
        if self.scenario.architecture.kind != "ss-sbs":
            axes.text(0.02, 0.42, "* in the bars: the controlling satellite", fontsize=style.TEXT_PT, va="top")

    def _bars(self, canvas: Canvas, n_sky: int, top: int) -> None:
        lanes = n_sky + (STATION_LANES if self.scenario.stations is not None else 0)
        axes = canvas.axes((440, 400, 175, 154))
        axes.set_title("Users per node", pad=3, **style.TITLE)
        axes.set_xlim(0, top * 1.15)
        axes.set_ylim(lanes - 0.4, -0.6)
        axes.set_yticks([])
        axes.grid(False, axis="y")
        axes.set_xlabel("users", labelpad=1)
        axes.tick_params(length=2, pad=2)
        colours = [style.BLUE] * n_sky + [style.ORANGE] * (lanes - n_sky)
        self.bars = [canvas.moving(bar) for bar in axes.barh(range(lanes), [0] * lanes, height=0.7, color=colours)]
        side = axes.get_yaxis_transform()
        self.names = [
            canvas.moving(
                axes.text(-0.02, lane, "", ha="right", va="center", transform=side, fontsize=style.TEXT_PT - 1)
            )
            for lane in range(lanes)
        ]
        (self.limits,) = axes.plot([], [], "|", color=style.VERMILLION, ms=9, mew=1.8, ls="none")
        canvas.moving(self.limits)
        axes.annotate(
            "| limit",
            (1, 1),
            xycoords="axes fraction",
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
            va="bottom",
            color=style.VERMILLION,
            fontsize=style.TEXT_PT - 0.5,
        )

    def _series(self, scenario: Scenario) -> None:
        strips = self.strips
        strips.title(0, "Rate in Mbit/s")
        self.mean = strips.line(0, style.BLUE)
        self.low = strips.line(0, style.VERMILLION, width=1.0)
        strips.key(0, [(self.mean, "mean"), (self.low, "5th percentile")])
        strips.title(1, "Users by mode in %")
        strips.limits(1, 0.0, 100.0)
        colours = (style.INK, *MODE_COLOURS[1:])
        self.modes = [strips.line(1, colour) for colour in colours]
        strips.title(2, "In outage in %")
        strips.limits(2, 0.0, 100.0)
        self.outage = strips.line(2, style.INK)
        strips.title(3, "So far, per user")
        self.totals = [strips.line(3, style.BLUE), strips.line(3, style.VERMILLION)]
        strips.key(3, [(self.totals[0], "links added"), (self.totals[1], "refused")])

    # ------------------------------------------------------------------ one picture

    def draw(self, story: Story) -> NDArray[np.uint8]:
        """Draw the story, uint8 [600, 960, 3]."""
        linked = story.now_linked
        self._title.set_text(story.title)
        served = int(linked.any(axis=-1).sum())
        self._words.set_text(
            f"t = {story.time_s:g} s of {story.duration_s:g} s   return {story.episode_return:.1f}   "
            f"{served} of {story.task.n_agents} users linked, {linked.sum()} links"
        )
        self._show_ground(story, linked)
        self._show_nodes(story, linked)
        self._show_series(story)
        return self.canvas.picture()

    def _show_ground(self, story: Story, linked: NDArray[np.bool_]) -> None:
        n_sky = self.scenario.n_sky_slots
        place = story.raw["user_m"][-1] / 1e3 - self.reach_km
        mode = linked[:, :n_sky].any(axis=-1) + 2 * linked[:, n_sky:].any(axis=-1)
        self.ground.show_users(place, [MODE_COLOURS[m] for m in mode], [MODE_MARKERS[m] for m in mode], 6.5)
        stations = story.raw["station_m"][-1]
        there = stations[:, 0] < ABSENT_M / 2
        at = stations / 1e3 - self.reach_km
        self.stations.set_data(at[there, 0], at[there, 1])
        user, slot = np.nonzero(linked[:, n_sky:])
        node = story.raw["node"][-1, user, slot + n_sky] - n_sky
        self.lines.set_segments(list(np.stack([place[user], at[node]], axis=1)))

    def _show_nodes(self, story: Story, linked: NDArray[np.bool_]) -> None:
        n_sky = self.scenario.n_sky_slots
        node = story.raw["node"][-1]
        users = (
            np.bincount(node[linked], minlength=self.scenario.n_nodes)
            if linked.any()
            else np.zeros(self.scenario.n_nodes, dtype=int)
        )
        there = node[0, :n_sky] >= 0
        self.sky.show(
            story.raw["azimuth_deg"][-1],
            story.raw["elevation_deg"][-1],
            users[:n_sky],
            shown=there,
            hollow=np.zeros(n_sky, dtype=bool),
            chosen=None,
        )
        order = n_sky + np.argsort(-users[n_sky:], kind="stable")[: len(self.bars) - n_sky]
        shown = np.concatenate([np.arange(n_sky), order])
        limit = limits_of_resources(self.scenario)
        control = int(story.raw["controller"][-1, 0])
        for lane, (bar, name) in enumerate(zip(self.bars, self.names, strict=True)):
            exists = lane < len(shown)
            bar.set_visible(exists)
            name.set_visible(exists)
            if not exists:
                continue
            number = int(shown[lane])
            bar.set_width(int(users[number]))
            words = f"sky {number}" if number < n_sky else f"station {number - n_sky}"
            star = "*" if number == control and self._has_cluster(story) else ""
            name.set_text(words + star)
        self.limits.set_data(limit[shown], np.arange(len(shown)))

    @staticmethod
    def _has_cluster(story: Story) -> bool:
        return bool(story.task.sets.controlled.any())

    def _show_series(self, story: Story) -> None:
        time_s = story.step_time_s
        self.strips.now(story.time_s)
        lines = [self.mean, self.low, self.outage, *self.modes, *self.totals]
        for line in lines:
            line.set_visible(bool(len(time_s)))
        if not len(time_s):
            for strip in (0, 3):
                self.strips.limits(strip, 0.0, 1.0)
            return
        rate = story.kpis["rate_mbit_s"]
        mean = rate.mean(axis=1)
        self.strips.limits(0, 0.0, nice_ceiling(float(mean.max())))
        self.mean.set_data(time_s, mean)
        self.low.set_data(time_s, np.percentile(rate, 5, axis=1))
        for mode, line in enumerate(self.modes):
            line.set_data(time_s, 100.0 * (story.mode == mode).mean(axis=1))
        self.outage.set_data(time_s, 100.0 * story.kpis["outage"].mean(axis=1))
        totals = [story.kpis[name].mean(axis=1).cumsum() for name in ("changes", "refused_links")]
        self.strips.limits(3, 0.0, nice_ceiling(max(float(total[-1]) for total in totals)))
        for line, total in zip(self.totals, totals, strict=True):
            line.set_data(time_s, total)
