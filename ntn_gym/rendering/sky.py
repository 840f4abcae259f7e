"""The sky above one place: azimuth around, elevation from the horizon (rim) to the zenith (centre)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from numpy.typing import NDArray

from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas

HEADROOM_DEG = 5.0
FAN_PX = 26.0
FAN_OVERLAP_PX = 17.0


def fan_out(
    x: NDArray[np.float64], y: NDArray[np.float64], shown: NDArray[np.bool_], reach: float, near: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Spread points that (nearly) coincide on a small circle, so that each can be seen.

    Args:
        x: Abscissae [n].
        y: Ordinates [n].
        shown: Which points exist, [n].
        reach: Radius of the circle, in the unit of x and y.
        near: Points closer than this to another one are spread.

    Returns:
        New abscissae and ordinates, and which points were moved. A point's direction depends only on its index, so
        that it does not jump when another one comes or goes.
    """
    distance = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :])
    both = shown[:, None] & shown[None, :] & ~np.eye(len(x), dtype=bool)
    crowded = np.asarray(((distance < near) & both).any(axis=1))
    angle = 2.0 * np.pi * np.arange(len(x)) / max(len(x), 1)
    new_x = np.where(crowded, x + reach * np.sin(angle), x)
    new_y = np.where(crowded, y + reach * np.cos(angle), y)
    return new_x, new_y, crowded


@dataclass
class _Body:
    """Artists of one object in the sky."""

    mark: Line2D
    label: Annotation
    leader: Line2D
    trail: Line2D


class SkyPlot:
    """A sky with a fixed number of objects, coloured by a value.

    North is up and east is right, as on a map (an observer looking up would see east on the left).
    """

    def __init__(
        self,
        canvas: Canvas,
        box_px: tuple[float, float, float, float],
        n_objects: int,
        *,
        lowest_elevation_deg: float,
        value_label: str,
        scale: ScalarMappable,
        title: str = "",
    ) -> None:
        """Draw rings, compass and colour scale.

        Args:
            canvas: Where to draw.
            box_px: Left, top, width, height of the disc and its labels; the colour scale takes 46 pixels below it.
            n_objects: Number of objects.
            lowest_elevation_deg: Elevation at the rim is 5 degrees below this (0 at least).
            value_label: Label of the colour scale, with unit.
            scale: Colours of the values.
            title: Title.
        """
        left, top, width, height = box_px
        self._canvas = canvas
        self._floor_deg = max(0.0, lowest_elevation_deg - HEADROOM_DEG)
        self._radius = 90.0 - self._floor_deg
        disc = min(width, height - 46.0)
        axes = canvas.axes((left + (width - disc) / 2, top, disc, disc))
        axes.set_aspect("equal")
        axes.axis("off")
        reach = self._radius * 1.14
        axes.set_xlim(-reach, reach)
        axes.set_ylim(-reach, reach)
        self.axes = axes
        self._compass()
        if title:
            canvas.heading(left, top, title)
        self._scale = scale
        bar_width = disc * 0.8
        bar = canvas.axes((left + (width - bar_width) / 2, top + disc + 6, bar_width, 8))
        colours = canvas.figure.colorbar(self._scale, cax=bar, orientation="horizontal")
        colours.outline.set_visible(False)
        colours.set_label(value_label, fontsize=style.TEXT_PT, color=style.INK, labelpad=1)
        bar.tick_params(length=2, pad=1)
        bar.grid(False)
        self._bodies = [self._body(index) for index in range(n_objects)]
        unit = 2.0 * reach / disc
        self._fan, self._near = FAN_PX * unit, FAN_OVERLAP_PX * unit

    def _compass(self) -> None:
        rim = np.linspace(0.0, 2.0 * np.pi, 181)
        rings = [ring for ring in (0, 15, 30, 45, 60, 75) if ring > self._floor_deg + 2]
        for ring in rings:
            radius = 90.0 - ring
            self.axes.plot(radius * np.sin(rim), radius * np.cos(rim), color=style.GRID, lw=0.8, zorder=0)
            at = np.deg2rad(22.5)
            self.axes.text(
                radius * np.sin(at),
                radius * np.cos(at),
                f"{ring}°",
                color=style.MUTED,
                fontsize=style.TEXT_PT - 1.5,
                ha="center",
                va="center",
                zorder=0.5,
                bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 0.6},
            )
        self.axes.plot(self._radius * np.sin(rim), self._radius * np.cos(rim), color=style.MUTED, lw=1.2, zorder=1)
        for azimuth in range(0, 360, 45):
            x, y = np.sin(np.deg2rad(azimuth)), np.cos(np.deg2rad(azimuth))
            self.axes.plot([0, x * self._radius], [0, y * self._radius], color=style.GRID, lw=0.6, zorder=0)
        for name, x, y in (("N", 0, 1), ("E", 1, 0), ("S", 0, -1), ("W", -1, 0)):
            self.axes.text(
                x * self._radius * 1.08,
                y * self._radius * 1.08,
                name,
                ha="center",
                va="center",
                fontsize=style.TITLE_PT,
                fontweight="bold",
                color=style.INK,
            )

    def _body(self, index: int) -> _Body:
        moving = self._canvas.moving
        (trail,) = self.axes.plot([], [], color=style.MUTED, lw=1.0, alpha=0.45, zorder=2, solid_capstyle="round")
        (leader,) = self.axes.plot([], [], color=style.MUTED, lw=0.7, zorder=3, marker="o", ms=2.5, markevery=[-2])
        (mark,) = self.axes.plot([], [], style.marker(index), ms=9, mec=style.INK, mew=0.9, zorder=5, ls="none")
        label = self.axes.annotate(
            str(index),
            (0, 0),
            xytext=(6, 5),
            textcoords="offset points",
            fontsize=style.TEXT_PT,
            fontweight="bold",
            color=style.INK,
            zorder=6,
            path_effects=style.HALO,
        )
        return _Body(moving(mark), moving(label), moving(leader), moving(trail))

    def _place(
        self, azimuth_deg: NDArray[np.floating], elevation_deg: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        radius = np.clip(90.0 - np.asarray(elevation_deg, dtype=np.float64), 0.0, self._radius)
        angle = np.deg2rad(np.asarray(azimuth_deg, dtype=np.float64))
        return radius * np.sin(angle), radius * np.cos(angle)

    def show(
        self,
        azimuth_deg: NDArray[np.floating],
        elevation_deg: NDArray[np.floating],
        values: NDArray[np.floating],
        *,
        shown: NDArray[np.bool_],
        hollow: NDArray[np.bool_],
        chosen: int | None,
        trails: Sequence[tuple[NDArray[np.floating], NDArray[np.floating]]] = (),
    ) -> None:
        """Place the objects.

        Args:
            azimuth_deg: Azimuth from north over east, [n].
            elevation_deg: Elevation, [n].
            values: What the colour shows, [n].
            shown: Which objects exist, [n].
            hollow: Objects drawn without filling (blocked), [n].
            chosen: Object linked to the observer by a thick line, or None.
            trails: Past azimuths and elevations of each object.
        """
        x, y = self._place(azimuth_deg, elevation_deg)
        far_x, far_y, moved = fan_out(x, y, shown, self._fan, self._near)
        colours = self._scale.to_rgba(np.asarray(values, dtype=np.float64))
        for index, body in enumerate(self._bodies):
            visible = bool(shown[index])
            for artist in (body.mark, body.label, body.trail):
                artist.set_visible(visible)
            linked = visible and index == chosen
            body.leader.set_visible(visible and (linked or bool(moved[index])))
            if not visible:
                continue
            body.mark.set_data([far_x[index]], [far_y[index]])
            body.mark.set_markerfacecolor(style.PAPER if hollow[index] else colours[index])
            body.mark.set_markeredgecolor(style.VERMILLION if hollow[index] else style.INK)
            body.mark.set_markersize(12.0 if linked else 9.0)
            body.mark.set_markeredgewidth(2.0 if linked or hollow[index] else 0.9)
            body.label.xy = (far_x[index], far_y[index])
            if linked:
                body.leader.set_data([0.0, x[index], far_x[index]], [0.0, y[index], far_y[index]])
            else:
                body.leader.set_data([x[index], far_x[index]], [y[index], far_y[index]])
            body.leader.set_linewidth(2.6 if linked else 0.7)
            body.leader.set_color(style.INK if linked else style.MUTED)
            if trails:
                path_x, path_y = self._place(*trails[index])
                body.trail.set_data(path_x, path_y)
                body.trail.set_linewidth(3.0 if linked else 1.0)
                body.trail.set_color(style.BLUE if linked else style.MUTED)
