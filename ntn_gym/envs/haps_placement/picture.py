"""The picture of HAPSPlacement: a map of the region, and the day so far in three strips."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.collections import EllipseCollection, LineCollection, PathCollection
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from ntn_gym.envs.haps_placement.radio import radio_maps
from ntn_gym.envs.haps_placement.scenario import Scenario
from ntn_gym.envs.haps_placement.story import Story, wind_arrows
from ntn_gym.envs.haps_placement.world import lattice_m
from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas
from ntn_gym.rendering.ground import GroundPlot
from ntn_gym.rendering.strips import TimeStrips, nice_ceiling

WIDTH_PX, HEIGHT_PX = 960, 600
WIND_KM_PER_M_S = 4.0
"""Length of a wind arrow."""
TRAIL_H = 3.0


class Picture:
    """Prepared picture of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Draw what never changes."""
        self._scenario = scenario
        self._canvas = canvas = Canvas(WIDTH_PX, HEIGHT_PX)
        self._title = canvas.text(14, 10, fontsize=style.TITLE_PT + 2, fontweight="bold")
        self._words = canvas.text(14, 33, fontsize=style.TITLE_PT)
        self._map(canvas, scenario)
        self._strips_of(canvas, scenario)

    def _map(self, canvas: Canvas, scenario: Scenario) -> None:
        half_km = scenario.region.half_width_m / 1e3
        self._plot = GroundPlot(canvas, (56, 74, 468, 468), half_km * 1.12, title="Region, wind and footprints")
        axes = self._plot.axes
        axes.add_patch(
            Rectangle((-half_km, -half_km), 2 * half_km, 2 * half_km, fc="none", ec=style.MUTED, ls="--", zorder=1)
        )
        nodes = lattice_m(scenario) / 1e3
        grid = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)
        self._arrows = canvas.moving(
            axes.quiver(
                grid[:, 0],
                grid[:, 1],
                np.zeros(len(grid)),
                np.zeros(len(grid)),
                color=style.GRID,
                angles="xy",
                scale_units="xy",
                scale=1.0 / WIND_KM_PER_M_S,
                width=0.006,
                zorder=1.5,
            )
        )
        axes.quiverkey(
            self._arrows,
            0.76,
            1.022,
            10.0,
            "wind 10 m/s",
            labelpos="E",
            color=style.MUTED,
            fontproperties={"size": style.TEXT_PT - 0.5},
        )
        self._edge_km = float(radio_maps(scenario).edge_m[0]) / 1e3
        self._trails = canvas.moving(LineCollection([], linewidths=1.4, alpha=0.7, zorder=3))
        axes.add_collection(self._trails, autolim=False)
        self._rings = canvas.moving(
            EllipseCollection(
                [2 * self._edge_km] * scenario.fleet.count,
                [2 * self._edge_km] * scenario.fleet.count,
                [0.0] * scenario.fleet.count,
                units="xy",
                offsets=np.zeros((scenario.fleet.count, 2)),
                offset_transform=axes.transData,
                facecolors="none",
                linewidths=1.6,
                zorder=3,
            )
        )
        axes.add_collection(self._rings, autolim=False)
        self._groups: PathCollection = canvas.moving(
            axes.scatter([], [], edgecolors=style.INK, linewidths=0.6, zorder=2)
        )
        (self._gateways,) = axes.plot([], [], "^", color=style.INK, ms=8, ls="none", zorder=4, label="gateway")
        canvas.moving(self._gateways)
        self._names = []
        for index in range(scenario.fleet.count):
            name = axes.text(
                0,
                0,
                str(index),
                ha="center",
                va="center",
                fontsize=style.TITLE_PT,
                fontweight="bold",
                color=style.PAPER,
                zorder=7,
                clip_on=True,
                bbox={"boxstyle": "round,pad=0.25", "facecolor": style.colour(index), "edgecolor": style.INK},
            )
            self._names.append(canvas.moving(name))
        canvas.text(
            56,
            580,
            "demand (area): orange towns, blue moving, red surprises   numbers: platforms, × without service   "
            "▲ gateway   dashed: geofence",
            fontsize=style.TEXT_PT - 0.5,
            color=style.MUTED,
        )

    def _strips_of(self, canvas: Canvas, scenario: Scenario) -> None:
        hours = scenario.duration_s / 3600.0
        self._strips = strips = TimeStrips(canvas, (606, 74, 338, 474), hours, (1.1, 1.0, 1.0))
        strips.axes[-1].set_xlabel(f"hours since {scenario.region.start_hour:g} h local solar time", labelpad=1)
        strips.title(0, "Traffic in Mbit/s")
        strips.title(1, "State of charge")
        strips.title(2, "Airspeed in m/s" if scenario.flies else "Level, 0 is the lowest")
        strips.limits(1, 0.0, 1.02)
        asked = strips.line(0, style.MUTED)
        carried = strips.line(0, style.BLUE, width=2.2)
        self._traffic = (asked, carried)
        strips.key(0, [(asked, "asked"), (carried, "carried")])
        self._charge = [strips.line(1, style.colour(i)) for i in range(scenario.fleet.count)]
        self._speed = [strips.line(2, style.colour(i)) for i in range(scenario.fleet.count)]
        top = (
            scenario.fleet.vehicle.max_airspeed_m_s
            if scenario.fleet.vehicle.kind != "balloon"
            else len(scenario.fleet.levels_pa) - 1
        )
        strips.limits(2, 0.0, 1.08 * top)
        self._night: list[Any] = []

    def draw(self, story: Story) -> NDArray[np.uint8]:
        """Draw one moment."""
        self._title.set_text(story.title)
        sun = float(story.raw["sun_w_m2"][-1])
        served = f"served now {story.kpis['served_share'][-1, 0]:.0%}" if len(story.time_h) > 1 else "nobody served yet"
        light = f"sun {sun:.0f} W/m²" if sun > 0 else "night"
        self._words.set_text(f"{story.clock} local solar time   {light}   {served}   return {story.episode_return:.2f}")
        self._draw_map(story)
        self._draw_strips(story)
        return self._canvas.picture()

    def _draw_map(self, story: Story) -> None:
        _, wind = wind_arrows(story)
        self._arrows.set_UVC(wind[:, 0], wind[:, 1])
        demand, raw = story.task.scenario.demand, story.raw
        asked = raw["demand_mbit_s"][-1]
        shown = asked > 0
        unit = story.task.per_demand * demand.towns
        self._groups.set_offsets(raw["group_m"][-1][shown] / 1e3)
        self._groups.set_sizes(110.0 * asked[shown] * unit)
        colours = np.where(
            np.arange(demand.groups) < demand.towns,
            0,
            np.where(np.arange(demand.groups) < demand.towns + demand.movers, 1, 2),
        )
        palette = np.array([style.ORANGE, style.SKY_BLUE, style.VERMILLION])
        self._groups.set_facecolor(palette[colours[shown]].tolist())
        self._gateways.set_data(*(raw["gateway_m"][-1].T / 1e3))
        place_km = story.place_m / 1e3
        self._rings.set_offsets(place_km[-1])
        dead = [story.condition(i) != "serves" for i in range(story.task.n_agents)]
        colour = [style.colour(i) for i in range(story.task.n_agents)]
        self._rings.set_edgecolor(colour)
        self._rings.set_linestyle([":" if gone else "-" for gone in dead])
        first = int(np.searchsorted(story.time_h, story.time_h[-1] - TRAIL_H))
        self._trails.set_segments([place_km[first:, i] for i in range(story.task.n_agents)])
        self._trails.set_colors(colour)
        for index, name in enumerate(self._names):
            name.set_position(tuple(place_km[-1, index]))
            name.set_text(f"{index}" + (" ×" if dead[index] else ""))

    def _draw_strips(self, story: Story) -> None:
        raw, time = story.raw, story.time_h
        asked = raw["demand_mbit_s"].sum(axis=1)
        carried = story.kpis["carried_mbit_s"].sum(axis=1)
        self._traffic[0].set_data(time, asked)
        self._traffic[1].set_data(time[1:], carried)
        self._strips.limits(0, 0.0, nice_ceiling(max(float(asked.max()), 2.0 / story.task.per_demand)))
        for index in range(story.task.n_agents):
            self._charge[index].set_data(time, story.charge[:, index])
            if story.task.scenario.flies:
                self._speed[index].set_data(time[1:], story.kpis["airspeed_m_s"][:, index])
            else:
                self._speed[index].set_data(time, story.level[:, index])
        for old in self._night:
            self._canvas.remove(old)
        dark = raw["sun_w_m2"] <= 0
        self._night = []
        edges = np.flatnonzero(np.diff(np.concatenate([[0], dark.astype(np.int8), [0]])))
        step_h = story.task.dt_s / 3600.0
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            for axes in self._strips.axes:
                span = axes.axvspan(time[begin], time[end - 1] + step_h, color=style.GRID, alpha=0.6, zorder=0, lw=0)
                self._night.append(self._canvas.moving(span))
        self._strips.now(float(time[-1]))
