"""The picture: a map with who sends where on the left, queues, fates of tasks and costs over time on the right."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ntn_gym.envs.task_offloading.scenario import Scenario
from ntn_gym.envs.task_offloading.story import NAMES, Story
from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas
from ntn_gym.rendering.strips import TimeStrips, nice_ceiling

WIDTH_PX, HEIGHT_PX = 960, 600
LOOKS = {
    "device": (style.INK, "o"),
    "ground": (style.GREEN, "^"),
    "haps": (style.BLUE, "D"),
    "leo": (style.ORANGE, "s"),
    "cloud": (style.PURPLE, "P"),
}
"""Colour and marker of each target."""
COST_COLOURS = (style.BLUE, style.VERMILLION, style.GREEN, style.MUTED)


class Picture:
    """Artists of one scenario, drawn again and again."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.canvas = Canvas(WIDTH_PX, HEIGHT_PX)
        self.title = self.canvas.text(14, 10, fontsize=style.TITLE_PT + 1, fontweight="bold")
        self.clock = self.canvas.text(14, 30)
        self.now = self.canvas.text(14, 48)
        self._map()
        self._load()
        self._series()

    def _map(self) -> None:
        """East and north of the region; what stands beyond is drawn at the rim, with its elevation."""
        half = self.scenario.devices.region_radius_m / 1e3 * 1.45
        self.half_km = half
        axes = self.canvas.axes((56, 96, 330, 330))
        axes.set_title("Where the newest task of each device went", pad=4, **style.TITLE)
        axes.set_aspect("equal")
        axes.set_xlim(-half, half)
        axes.set_ylim(-half, half)
        axes.set_xlabel("east in km", labelpad=1)
        axes.set_ylabel("north in km", labelpad=0)
        self.links = LineCollection([], linewidths=1.1, alpha=0.75, zorder=2)
        axes.add_collection(self.canvas.moving(self.links))
        self.waiting = self._dots(axes, "o", style.PAPER, 8.5, 3, edge=style.VERMILLION, width=1.8)
        self.devices = {
            name: self._dots(axes, LOOKS[name][1], LOOKS[name][0], 5.5, 4) for name in self.scenario.targets
        }
        self.idle = self._dots(axes, "o", style.PAPER, 5.5, 4, edge=style.MUTED)
        self.nodes = {name: self._dots(axes, LOOKS[name][1], LOOKS[name][0], 13, 5) for name in self.scenario.nodes}
        self.labels = {
            name: self.canvas.moving(
                axes.annotate(
                    "", (0, 0), xytext=(0, -10), textcoords="offset points", ha="center", va="top", zorder=6,
                    path_effects=style.HALO, fontsize=style.TEXT_PT - 0.5, annotation_clip=False,
                )
            )
            for name in self.scenario.nodes
        }  # fmt: skip

    def _dots(
        self, axes: Any, marker: str, colour: str, size: float, order: float, edge: str = style.INK, width: float = 0.6
    ) -> Line2D:
        (line,) = axes.plot([], [], marker, ms=size, color=colour, mec=edge, mew=width, ls="none", zorder=order)
        return self.canvas.moving(line)

    def _load(self) -> None:
        """A bar per target: tasks on their way now."""
        self.target_axes = self.canvas.axes((110, 488, 276, 17 * len(self.scenario.targets)))
        axes = self.target_axes
        axes.set_title("Tasks on their way, by target", pad=4, **style.TITLE)
        names = [NAMES[name] for name in self.scenario.targets]
        if self.scenario.ground is not None and self.scenario.ground.kind == "uav":
            names = ["UAV" if name == "base station" else name for name in names]
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(0, 2 * self.scenario.devices.count)
        axes.grid(axis="y", visible=False)
        self.bars = [
            self.canvas.moving(bar)
            for bar in axes.barh(
                range(len(names)), 0.0, 0.66, color=[LOOKS[name][0] for name in self.scenario.targets]
            ).patches
        ]
        self.counts = [
            self.canvas.moving(axes.text(0, i, "", va="center", ha="left", path_effects=style.HALO))
            for i in range(len(names))
        ]

    def _series(self) -> None:
        scenario = self.scenario
        self.strips = TimeStrips(
            self.canvas, (462, 62, 484, 496), scenario.steps * scenario.dt_s, (1.5, 1.0, 1.0), gap_px=34
        )
        strips = self.strips
        strips.title(0, "Queues in s")
        self.waits = [strips.line(0, LOOKS[name][0], width=1.3) for name in scenario.targets]
        names = [NAMES[name] for name in scenario.targets]
        names[0] = "device (longest)"
        if scenario.ground is not None and scenario.ground.kind == "uav":
            names = ["UAV" if name == "base station" else name for name in names]
        strips.key(0, list(zip(self.waits, names, strict=True)))
        strips.title(1, "Tasks that ended so far")
        self.completed = strips.line(1, style.BLUE)
        self.dropped = strips.line(1, style.VERMILLION)
        strips.key(1, [(self.completed, "in time"), (self.dropped, "too late")])
        strips.title(2, "Cost per device so far")
        self.costs = [strips.line(2, colour) for colour in COST_COLOURS]
        strips.key(2, list(zip(self.costs, ("delay", "drops", "device energy", "server energy"), strict=True)))

    def draw(self, story: Story) -> NDArray[np.uint8]:
        """Draw a story, uint8 [600, 960, 3]."""
        task = story.task
        self.title.set_text(story.title)
        self.clock.set_text(
            f"slot {round(story.time_s[-1] / task.dt_s)} of {task.episode_steps}   t = {story.time_s[-1]:.1f} s   "
            f"return {story.episode_return:.2f}"
        )
        done, late = int(story.completed.sum()), int(story.dropped.sum())
        self.now.set_text(
            f"{int(story.new.sum())} new tasks (ringed)   {done} in time, mean {story.delay_s:.2f} s   {late} late"
        )
        self._show_map(story)
        for bar, count, number in zip(self.bars, self.counts, story.on_way, strict=True):
            bar.set_width(float(number))
            count.set_text(f" {number}")
            count.set_x(float(number))
        self._show_series(story)
        return self.canvas.picture()

    def _place_of(self, story: Story, node: int) -> NDArray[np.float64]:
        """Where a node is drawn, in km: its sub-point, or the rim in its direction if that is beyond."""
        azimuth = np.radians(story.raw["azimuth_deg"][-1, node])
        elevation = np.radians(story.raw["elevation_deg"][-1, node])
        altitude_m = {"haps": getattr(self.scenario.haps, "altitude_m", 0.0)}.get(self.scenario.nodes[node], np.inf)
        if self.scenario.nodes[node] == "ground":
            return np.zeros(2)
        flat_km = min(altitude_m / np.tan(elevation) / 1e3, 0.9 * self.half_km) if elevation > 0 else 0.9 * self.half_km
        return flat_km * np.array([np.sin(azimuth), np.cos(azimuth)])

    def _show_map(self, story: Story) -> None:
        east, north = story.raw["east_m"][-1] / 1e3, story.raw["north_m"][-1] / 1e3
        places = np.stack([east, north], axis=-1)
        node_of = story.task.plant.target_node
        segments, colours = [], []
        for i, name in enumerate(self.scenario.targets):
            here = story.to == i
            self.devices[name].set_data(east[here], north[here])
            if i == 0:
                continue
            end = self._place_of(story, int(node_of[i]))
            segments += [np.stack([place, end]) for place in places[here]]
            colours += [LOOKS[name][0]] * int(here.sum())
        self.links.set_segments(segments)
        self.links.set_color(colours or [style.INK])
        idle = story.to < 0
        self.idle.set_data(east[idle], north[idle])
        self.waiting.set_data(east[story.new], north[story.new])
        names = dict(zip(self.scenario.targets, story.targets, strict=True))
        for node, name in enumerate(self.scenario.nodes):
            place = self._place_of(story, node)
            visible = bool(story.visible[node + 1])
            self.nodes[name].set_data(*(([place[0]], [place[1]]) if visible else ([], [])))
            words = names[name]
            if name != "ground":
                words += f" {story.raw['elevation_deg'][-1, node]:.0f}° up"
            self.labels[name].xy = tuple(place)
            self.labels[name].set_text(words if visible else "")

    def _show_series(self, story: Story) -> None:
        time_s = story.time_s
        for line, waits in zip(self.waits, story.waits_s.T, strict=True):
            line.set_data(time_s, waits)
        self.strips.limits(0, 0.0, nice_ceiling(max(float(story.waits_s.max()), 1.0)))
        after = time_s[1:]
        self.completed.set_data(after, story.completed.cumsum())
        self.dropped.set_data(after, story.dropped.cumsum())
        self.strips.limits(1, 0.0, nice_ceiling(max(float(story.completed.sum() + story.dropped.sum()), 5.0)))
        top = 1.0
        for line, cost in zip(self.costs, story.costs.values(), strict=True):
            line.set_data(after, cost)
            top = max(top, float(cost.max(initial=0.0)))
        self.strips.limits(2, 0.0, nice_ceiling(top))
        self.strips.now(float(time_s[-1]))
