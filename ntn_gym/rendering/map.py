"""A small map: land, graticule, points and links, in an equirectangular projection true to shape at its centre.

Land is the land mask of the population grid that ships with the package (cells of 1 degree; Antarctica is not in it),
smoothed for the eye: good for orientation, not a coast line.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.contour import ContourSet
from numpy.typing import NDArray

from ntn_gym.data import read_npz
from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas

FRAMES_DEG = (2.0, 3.0, 4.5, 6.0, 7.5, 9.0, 12.0, 15.0, 18.0, 24.0, 30.0, 36.0, 48.0, 60.0, 85.0)
"""Half heights that a map may have: few, so that its still parts are rarely drawn again."""

_TICKS_DEG = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 45.0, 60.0)


@cache
def _land_mask() -> NDArray[np.bool_]:
    """Land of the Earth, [180, 360]; row 0 is 89.5 N and column 0 is 179.5 W."""
    mask: NDArray[np.bool_] = read_npz("gpw_v4_density_2020_1deg.npz")["land_mask"]
    return mask


def wrap_deg(longitude_deg: NDArray[np.floating] | float, centre_deg: float) -> NDArray[np.float64]:
    """Longitudes within 180 degrees of the centre, so that the date line does not tear a map."""
    offset = np.asarray(longitude_deg, dtype=np.float64) - centre_deg
    return centre_deg + (offset + 180.0) % 360.0 - 180.0


def _name(degrees: float, positive: str, negative: str) -> str:
    # The equator, the prime meridian and the date line belong to neither half.
    neither = abs(degrees) < 1e-9 or abs(degrees) > 180.0 - 1e-9
    letter = "" if neither else positive if degrees > 0 else negative
    return f"{abs(degrees):g}°{letter}"


class MapPlot:
    """A map around one place with a fixed number of nodes and users."""

    def __init__(
        self,
        canvas: Canvas,
        box_px: tuple[float, float, float, float],
        n_nodes: int,
        *,
        title: str = "",
        user_size_pt: float = 7.0,
    ) -> None:
        """Prepare the artists; `look_at` chooses the part of the Earth.

        Args:
            canvas: Where to draw.
            box_px: Left, top, width and height in pixels of the plotting area.
            n_nodes: Number of nodes (satellites, platforms, stations).
            title: Title.
            user_size_pt: Size of the users' marks.
        """
        self._canvas = canvas
        self._aspect = box_px[2] / box_px[3]
        self.axes = canvas.axes(box_px)
        self.axes.set_facecolor(style.SEA)
        for side in ("top", "right"):
            self.axes.spines[side].set_visible(True)
        self.axes.tick_params(length=2, pad=2)
        if title:
            self.axes.set_title(title, pad=4, **style.TITLE)
        self._user_size_pt = user_size_pt
        self._view: tuple[float, float, float] | None = None
        self._land: ContourSet | None = None
        self._links = canvas.moving(LineCollection([], colors=style.MUTED, linewidths=0.7, alpha=0.6, zorder=2))
        self._thick = canvas.moving(LineCollection([], colors=style.INK, linewidths=2.4, zorder=3))
        self.axes.add_collection(self._links, autolim=False)
        self.axes.add_collection(self._thick, autolim=False)
        self._nodes = []
        self._labels = []
        for index in range(n_nodes):
            (mark,) = self.axes.plot([], [], style.marker(index), ms=8, mec=style.INK, mew=0.8, zorder=5, ls="none")
            self._nodes.append(canvas.moving(mark))
            label = self.axes.annotate(
                str(index),
                (0, 0),
                xytext=(5, 4),
                textcoords="offset points",
                fontsize=style.TEXT_PT - 0.5,
                fontweight="bold",
                zorder=6,
                annotation_clip=True,
                path_effects=style.HALO,
            )
            self._labels.append(canvas.moving(label))
        self._users: list[PathCollection] = []

    @property
    def centre_lon_deg(self) -> float:
        """Longitude of the middle of the map."""
        return 0.0 if self._view is None else self._view[1]

    def look_at(self, lat_deg: float, lon_deg: float, half_height_deg: float) -> None:
        """Show the surroundings of a place; costs nothing when the view stays the same."""
        view = (round(lat_deg, 3), round(lon_deg, 3), half_height_deg)
        if view == self._view:
            return
        self._view = view
        half_width = half_height_deg * self._aspect / max(np.cos(np.deg2rad(lat_deg)), 0.2)
        half_width = min(half_width, 180.0)
        self.axes.set_xlim(lon_deg - half_width, lon_deg + half_width)
        self.axes.set_ylim(lat_deg - half_height_deg, lat_deg + half_height_deg)
        self._ticks(lon_deg, half_width, lat_deg, half_height_deg)
        self._draw_land(lon_deg)
        self._canvas.invalidate()

    def frame(
        self,
        lat_deg: float,
        lon_deg: float,
        lats_deg: NDArray[np.floating],
        lons_deg: NDArray[np.floating],
    ) -> None:
        """Look at a place from the smallest of `FRAMES_DEG` that has all given points inside."""
        lats = np.asarray(lats_deg, dtype=np.float64)
        lons = wrap_deg(lons_deg, lon_deg)
        needed = 1.0
        if lats.size:
            stretch = max(np.cos(np.deg2rad(lat_deg)), 0.2) / self._aspect
            needed = float(max(np.abs(lats - lat_deg).max(), np.abs(lons - lon_deg).max() * stretch)) * 1.08
        half = next((size for size in FRAMES_DEG if size >= needed), FRAMES_DEG[-1])
        self.look_at(lat_deg, lon_deg, half)

    def _ticks(self, lon: float, half_width: float, lat: float, half_height: float) -> None:
        def at(centre: float, half: float, wanted: int) -> NDArray[np.float64]:
            step = next((s for s in _TICKS_DEG if 2 * half / s <= wanted), _TICKS_DEG[-1])
            return np.arange(np.ceil((centre - half) / step), np.floor((centre + half) / step) + 1) * step

        x, y = at(lon, half_width, 6), at(lat, half_height, 5)
        y = y[np.abs(y) <= 90]
        self.axes.set_xticks(x, [_name(float(wrap_deg(v, 0.0)), "E", "W") for v in x])
        self.axes.set_yticks(y, [_name(float(v), "N", "S") for v in y])

    def _draw_land(self, centre_lon: float) -> None:
        if self._land is not None:
            self._land.remove()
        mask = _land_mask()
        # Three copies side by side: whatever the centre, no edge of the grid is in view.
        longitude = np.arange(-539.5, 540.0)
        latitude = np.arange(89.5, -90.0, -1.0)
        keep = np.abs(longitude - centre_lon) <= 182.0
        three = np.tile(mask, (1, 3))[:, keep].astype(np.float32)
        self._land = self.axes.contourf(
            longitude[keep], latitude, three, levels=[0.5, 1.5], colors=[style.LAND], zorder=0
        )

    def show_nodes(
        self,
        lat_deg: NDArray[np.floating],
        lon_deg: NDArray[np.floating],
        *,
        shown: NDArray[np.bool_],
        face: list[str] | NDArray[np.floating],
        chosen: int | None = None,
        labels: list[str] | None = None,
    ) -> None:
        """Place the nodes [n]; ``face`` holds one colour each, ``labels`` replaces their numbers ("" hides one)."""
        lon = wrap_deg(lon_deg, self.centre_lon_deg)
        for index, (mark, label) in enumerate(zip(self._nodes, self._labels, strict=True)):
            visible = bool(shown[index])
            mark.set_visible(visible)
            label.set_visible(visible and (labels is None or labels[index] != ""))
            if not visible:
                continue
            mark.set_data([lon[index]], [lat_deg[index]])
            mark.set_markerfacecolor(face[index])
            mark.set_markeredgewidth(2.0 if index == chosen else 0.8)
            if labels is not None:
                label.set_text(labels[index])
            label.xy = (float(lon[index]), float(lat_deg[index]))

    def show_links(self, from_deg: NDArray[np.floating], to_deg: NDArray[np.floating], *, thick: bool = False) -> None:
        """Draw links between (latitude, longitude) pairs, [n, 2] each; thin and thick ones are kept apart."""
        ends = np.stack([np.asarray(from_deg, float), np.asarray(to_deg, float)], axis=1)[..., ::-1].copy()
        ends[..., 0] = wrap_deg(ends[..., 0], self.centre_lon_deg)
        (self._thick if thick else self._links).set_segments(list(ends))

    def show_users(
        self, lat_deg: NDArray[np.floating], lon_deg: NDArray[np.floating], face: list[str], markers: list[str]
    ) -> None:
        """Place the users [n], one colour and one marker each."""
        for old in self._users:
            self._canvas.remove(old)
        self._users = []
        lon = wrap_deg(lon_deg, self.centre_lon_deg)
        for symbol in dict.fromkeys(markers):
            which = [i for i, m in enumerate(markers) if m == symbol]
            points = self.axes.scatter(
                lon[which],
                np.asarray(lat_deg)[which],
                s=self._user_size_pt**2,
                marker=symbol,
                c=[face[i] for i in which],
                edgecolors=style.INK,
                linewidths=0.6,
                zorder=7,
            )
            self._users.append(self._canvas.moving(points))
