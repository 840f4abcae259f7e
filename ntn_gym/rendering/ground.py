"""The ground around a place, in kilometres east and north: cells, users and links."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.patches import RegularPolygon
from numpy.typing import NDArray

from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas


class GroundPlot:
    """A square piece of ground with users and, optionally, a fixed number of hexagonal cells."""

    def __init__(
        self,
        canvas: Canvas,
        box_px: tuple[float, float, float, float],
        reach_km: float,
        *,
        n_cells: int = 0,
        cell_radius_km: float = 1.0,
        title: str = "",
    ) -> None:
        """Draw the frame.

        Args:
            canvas: Where to draw.
            box_px: Left, top, width and height in pixels of the plotting area.
            reach_km: Distance from the centre to the nearer edges.
            n_cells: Number of cells.
            cell_radius_km: Their radius (centre to corner).
            title: Title.
        """
        self._canvas = canvas
        self.axes = axes = canvas.axes(box_px)
        wide = box_px[2] / box_px[3]
        axes.set_xlim(-reach_km * max(wide, 1.0), reach_km * max(wide, 1.0))
        axes.set_ylim(-reach_km * max(1 / wide, 1.0), reach_km * max(1 / wide, 1.0))
        axes.set_xlabel("east in km", labelpad=1)
        axes.set_ylabel("north in km", labelpad=1)
        axes.tick_params(length=2, pad=2)
        if title:
            axes.set_title(title, pad=4, **style.TITLE)
        self._links = canvas.moving(LineCollection([], colors=style.INK, linewidths=2.4, zorder=4))
        axes.add_collection(self._links, autolim=False)
        self._cells = []
        self._names = []
        for index in range(n_cells):
            cell = RegularPolygon((0, 0), 6, radius=cell_radius_km, ec=style.MUTED, lw=0.8, zorder=2)
            axes.add_patch(cell)
            self._cells.append(canvas.moving(cell))
            name = axes.text(
                0,
                0,
                str(index),
                ha="center",
                va="center",
                fontsize=style.TITLE_PT,
                fontweight="bold",
                color=style.INK,
                zorder=5,
                clip_on=True,
                bbox={"boxstyle": "circle,pad=0.25", "facecolor": style.PAPER, "edgecolor": "none", "alpha": 0.85},
            )
            self._names.append(canvas.moving(name))
        self._users: list[PathCollection] = []

    def still_cells(self, centres_km: NDArray[np.floating], cell_radius_km: float) -> None:
        """Draw cells that never change, in outline, [n, 2]."""
        for centre in centres_km:
            self.axes.add_patch(
                RegularPolygon(tuple(centre), 6, radius=cell_radius_km, fc="none", ec=style.GRID, lw=0.8, zorder=1)
            )

    def show_cells(
        self,
        centres_km: NDArray[np.floating],
        *,
        shown: NDArray[np.bool_],
        face: Sequence[str] | NDArray[np.floating],
        hollow: NDArray[np.bool_],
        chosen: int | None,
    ) -> None:
        """Place the cells [n, 2]: blocked ones hollow with a dashed edge, the chosen one with a thick orange edge."""
        for index, (cell, name) in enumerate(zip(self._cells, self._names, strict=True)):
            cell.set_visible(bool(shown[index]))
            name.set_visible(bool(shown[index]))
            if not shown[index]:
                continue
            picked = index == chosen
            cell.xy = tuple(centres_km[index])
            cell.set_facecolor(style.PAPER if hollow[index] else face[index])
            cell.set_edgecolor(style.ORANGE if picked else style.VERMILLION if hollow[index] else style.INK)
            cell.set_path_effects(style.OUTLINE if picked else [])
            cell.set_linestyle("--" if hollow[index] else "-")
            cell.set_linewidth(3.0 if picked else 1.4 if hollow[index] else 0.8)
            cell.set_zorder(3 if picked else 2)
            name.set_position(tuple(centres_km[index]))

    def show_links(self, from_km: NDArray[np.floating], to_km: NDArray[np.floating]) -> None:
        """Draw thick links between points [n, 2]."""
        self._links.set_segments(list(np.stack([np.asarray(from_km, float), np.asarray(to_km, float)], axis=1)))

    def show_users(
        self,
        places_km: NDArray[np.floating],
        face: Sequence[str],
        markers: Sequence[str],
        size_pt: float = 8.0,
    ) -> None:
        """Place the users [n, 2], one colour and one marker each."""
        for old in self._users:
            self._canvas.remove(old)
        self._users = []
        for symbol in dict.fromkeys(markers):
            which = [i for i, m in enumerate(markers) if m == symbol]
            at = np.asarray(places_km, dtype=np.float64)[which]
            points = self.axes.scatter(
                at[:, 0],
                at[:, 1],
                s=size_pt**2,
                marker=symbol,
                c=[face[i] for i in which],
                edgecolors=style.INK,
                linewidths=0.7,
                zorder=6,
            )
            self._users.append(self._canvas.moving(points))
