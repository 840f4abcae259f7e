"""What the pictures of one and of many users share: sizes, header, events, map of sub-points, cells of a platform."""

from __future__ import annotations

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from ntn_gym.envs.handover.scenario import HapsSky, Scenario
from ntn_gym.envs.handover.story import Story
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas
from ntn_gym.rendering.ground import GroundPlot
from ntn_gym.rendering.map import MapPlot
from ntn_gym.rendering.strips import EventStyle
from ntn_gym.world.platform import hexagonal_cells_m

WIDTH_PX, HEIGHT_PX = 960, 600
TRAIL_S = 120.0

EVENT_STYLES = (
    EventStyle("handover", "v", style.BLUE),
    EventStyle("link failure", "x", style.VERMILLION),
    EventStyle("failed handover", "s", style.ORANGE),
    EventStyle("lost command", "|", style.INK),
)


def sinr_scale(scenario: Scenario) -> ScalarMappable:
    """Colours of the SINR, from Qout (nothing is carried below it) to 20 dB more."""
    low = scenario.protocol.qout_db
    return ScalarMappable(Normalize(low, low + 20.0, clip=True), cmap=style.SEQUENTIAL)


class Header:
    """Two lines above the picture: what is shown, and how it goes."""

    def __init__(self, canvas: Canvas) -> None:
        """Make room for the two lines."""
        self._title = canvas.text(14, 10, fontsize=style.TITLE_PT + 2, fontweight="bold")
        self._words = canvas.text(14, 33, fontsize=style.TITLE_PT)

    def show(self, story: Story, words: str) -> None:
        """Fill them."""
        self._title.set_text(story.title)
        self._words.set_text(
            f"t = {story.time_s:g} s of {story.duration_s:g} s   return {story.episode_return:.1f}   {words}"
        )


def show_nodes(plot: MapPlot, story: Story, face: list[str], chosen: int | None) -> None:
    """Place the nodes of all slots on a map around the users; slots of one node share a mark.

    Shape and colour tell the slot; a number stands only beside the serving node and where slots share a mark.
    """
    raw = story.raw
    ever = raw["pass_id"] >= 0
    centre_lat = float(raw["user_lat_deg"][0].mean())
    centre_lon = float(raw["user_lon_deg"][0].mean())
    plot.frame(centre_lat, centre_lon, raw["node_lat_deg"][ever], raw["node_lon_deg"][ever])
    lat, lon = raw["node_lat_deg"][-1], raw["node_lon_deg"][-1]
    shown = story.valid.copy()
    labels = [""] * len(shown)
    place = np.round(np.stack([lat, lon], axis=-1), 3)
    _, group = np.unique(place, axis=0, return_inverse=True)
    for one in range(group.max() + 1):
        members = [int(slot) for slot in np.flatnonzero((group.ravel() == one) & story.valid)]
        if not members:
            continue
        first = chosen if chosen in members else members[0]
        shown[members] = False
        shown[first] = True
        labels[first] = ",".join(map(str, members)) if len(members) > 1 or first == chosen else ""
    plot.show_nodes(lat, lon, shown=shown, face=face, chosen=chosen, labels=labels)


def local_km(story: Story) -> NDArray[np.float64]:
    """Places of the users now, east and north of the centre of the region in km, [U, 2]."""
    raw = story.raw
    lat, lon = raw["user_lat_deg"][-1].astype(float), raw["user_lon_deg"][-1].astype(float)
    if story.task.scenario.sky.kind == "haps":
        lat_0, lon_0 = float(raw["node_lat_deg"][-1, 0]), float(raw["node_lon_deg"][-1, 0])
    else:
        lat_0, lon_0 = lat.mean(), lon.mean()
    radius_km = EARTH_MEAN_RADIUS_M / 1e3
    east = np.radians(lon - lon_0) * np.cos(np.radians(lat_0)) * radius_km
    return np.stack([east, np.radians(lat - lat_0) * radius_km], axis=-1)


class CellView:
    """The cells of a platform around one user.

    Cells are drawn where they lie when the platform is at rest; that they swing shows in the colours, which are the
    true SINR of the moment.
    """

    def __init__(
        self,
        canvas: Canvas,
        box_px: tuple[float, float, float, float],
        scenario: Scenario,
        scale: ScalarMappable,
    ) -> None:
        """Draw all cells in outline.

        Args:
            canvas: Where to draw.
            box_px: Left, top, width, height.
            scenario: A scenario with a HAPS sky.
            scale: Colours of the SINR.
        """
        sky = scenario.sky
        assert isinstance(sky, HapsSky)
        self._scale = scale
        self._centres_km = hexagonal_cells_m(scenario.slots.rings, sky.cell_radius_m) / 1e3
        radius_km = sky.cell_radius_m / 1e3
        reach_km = float(np.abs(self._centres_km).max()) + 1.2 * radius_km
        self._plot = GroundPlot(
            canvas,
            box_px,
            reach_km,
            n_cells=scenario.slots.count,
            cell_radius_km=radius_km,
            title="Cells on the ground (at rest) and the user",
        )
        self._plot.still_cells(self._centres_km, radius_km)
        left, top, width, height = box_px
        bar = canvas.axes((left + 0.1 * width, top + height + 44, 0.8 * width, 8))
        colours = canvas.figure.colorbar(scale, cax=bar, orientation="horizontal")
        colours.outline.set_visible(False)
        colours.set_label("SINR now in dB (dashed: line of sight blocked)", fontsize=style.TEXT_PT, labelpad=1)
        bar.tick_params(length=2, pad=1)
        bar.grid(False)

    def show(self, story: Story, sinr_db: NDArray[np.floating], blocked: NDArray[np.bool_], mine: int | None) -> None:
        """Colour the offered cells and place the user."""
        cell = np.maximum(story.raw["pass_id"][-1], 0)
        centres = self._centres_km[cell]
        self._plot.show_cells(
            centres, shown=story.valid, face=self._scale.to_rgba(sinr_db), hollow=blocked, chosen=mine
        )
        places = local_km(story)
        self._plot.show_users(places, [style.VERMILLION] * len(places), ["*"] * len(places), 13.0)
        served = [] if mine is None else [mine]
        self._plot.show_links(places[: len(served)], centres[served])
