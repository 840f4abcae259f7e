"""The picture of one user: sky and map (or the cells of a platform) on the left, time series on the right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.handover.layout import (
    EVENT_STYLES,
    HEIGHT_PX,
    TRAIL_S,
    WIDTH_PX,
    CellView,
    Header,
    show_nodes,
    sinr_scale,
)
from ntn_gym.envs.handover.scenario import HapsSky, Scenario
from ntn_gym.envs.handover.story import Story, trail
from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas
from ntn_gym.rendering.map import MapPlot
from ntn_gym.rendering.sky import SkyPlot
from ntn_gym.rendering.strips import Lanes, TimeStrips, nice_ceiling


class OneUserPicture:
    """Artists of one scenario, drawn again and again."""

    def __init__(self, scenario: Scenario) -> None:
        canvas = Canvas(WIDTH_PX, HEIGHT_PX)
        n_slots = scenario.slots.count
        self.canvas = canvas
        self.header = Header(canvas)
        self.scale = sinr_scale(scenario)
        self.cells: CellView | None = None
        if isinstance(scenario.sky, HapsSky):
            self.cells = CellView(canvas, (58, 84, 350, 416), scenario, self.scale)
        else:
            self.sky = SkyPlot(
                canvas,
                (14, 66, 400, 338),
                n_slots,
                lowest_elevation_deg=scenario.slots.min_elevation_deg,
                value_label="SINR now in dB (hollow: line of sight blocked)",
                scale=self.scale,
                title="Sky above the user",
            )
            self.map = MapPlot(canvas, (52, 432, 356, 140), n_slots, title="Sub-satellite points")
        self.strips = TimeStrips(canvas, (474, 100, 468, 468), scenario.steps * scenario.dt_s, (2.6, 1.7, 1.2, 2.4))
        self._series(scenario)

    def _series(self, scenario: Scenario) -> None:
        strips = self.strips
        self.events = strips.events(0, EVENT_STYLES, height=0.93)
        strips.legend_above(0, EVENT_STYLES)
        strips.title(0, "SINR in dB")
        strips.limits(0, -20.0, 20.0)
        strips.level(0, scenario.protocol.qout_db, f"Qout = {scenario.protocol.qout_db:g} dB", style.VERMILLION)
        self.best = strips.line(0, style.MUTED, width=0.9, order=2.5)
        self.sinr = strips.line(0, style.INK)
        strips.key(0, [(self.sinr, "serving slot"), (self.best, "best slot")])
        strips.title(1, "Rate in Mbit/s")
        self.rate = strips.line(1, style.BLUE)
        strips.title(2, "Load of the serving cell in %")
        strips.limits(2, 0.0, 100.0)
        self.load = strips.line(2, style.GREEN)
        strips.title(3, "Slots: grey = a pass is there, blue = it serves")
        self.lanes = Lanes(self.canvas, strips.axes[3], scenario.slots.count)

    def draw(self, story: Story) -> NDArray[np.uint8]:
        """Draw the story of a single user, uint8 [600, 960, 3]."""
        raw = story.raw
        mine = int(story.serving[-1, 0]) if story.alive[0] else None
        sinr_db = raw["sinr_db"][-1, 0]
        blocked = ~raw["los"][-1, 0]
        words = story.condition(0)
        if mine is not None:
            words += f"   SINR {sinr_db[mine]:.1f} dB"
        self.header.show(story, words)
        if self.cells is not None:
            self.cells.show(story, sinr_db, blocked, mine)
        else:
            self._sky_and_map(story, sinr_db, blocked, mine)
        self._show_series(story)
        return self.canvas.picture()

    def _sky_and_map(
        self, story: Story, sinr_db: NDArray[np.floating], blocked: NDArray[np.bool_], mine: int | None
    ) -> None:
        raw = story.raw
        n_trail = max(2, round(TRAIL_S / story.task.dt_s))
        paths = [trail(story, slot, n_trail) for slot in range(story.task.n_slots)]
        self.sky.show(
            raw["azimuth_deg"][-1],
            raw["elevation_deg"][-1, 0],
            sinr_db,
            shown=story.valid,
            hollow=blocked,
            chosen=mine,
            trails=[
                (raw["azimuth_deg"][path, slot], raw["elevation_deg"][path, 0, slot]) for slot, path in enumerate(paths)
            ],
        )
        place = raw["user_lat_deg"][-1], raw["user_lon_deg"][-1]
        face = [
            "white" if hidden else colour for hidden, colour in zip(blocked, self.scale.to_rgba(sinr_db), strict=True)
        ]
        show_nodes(self.map, story, face, mine)
        at = np.stack(place, axis=-1)
        self.map.show_users(*place, [style.VERMILLION], ["*"])
        served = [] if mine is None else [mine]
        nodes = np.stack([raw["node_lat_deg"][-1, served], raw["node_lon_deg"][-1, served]], axis=-1)
        self.map.show_links(at[: len(served)], nodes, thick=True)

    def _show_series(self, story: Story) -> None:
        time_s = story.step_time_s
        raw = story.raw
        valid = raw["pass_id"][:-1] >= 0
        best = np.where(valid, raw["sinr_db"][:-1, 0], -np.inf).max(axis=-1)
        self.best.set_data(time_s, np.where(np.isfinite(best), best, np.nan))
        self.sinr.set_data(time_s, story.sinr_db[:, 0])
        rate = story.rate_mbit_s[:, 0]
        self.strips.limits(1, 0.0, nice_ceiling(float(rate.max(initial=1.0))))
        self.rate.set_data(time_s, rate)
        self.load.set_data(time_s, 100.0 * story.load[:, 0])
        self.strips.set_events(self.events, {kind.name: time_s[story.events[kind.name][:, 0]] for kind in EVENT_STYLES})
        slots = np.arange(story.task.n_slots)
        used = story.carried[:, :1] & (story.serving[1:, :1] == slots)
        self.lanes.show(raw["pass_id"] >= 0, used, story.task.dt_s, story.first_s)
        self.strips.now(story.time_s)
