"""A picture of fixed size in pixels whose still parts are drawn only once."""

from __future__ import annotations

from typing import Any, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ntn_gym.rendering import style

ArtistT = TypeVar("ArtistT", bound=Artist)

DPI = 100


class Canvas:
    """An off-screen figure, laid out in pixels.

    Axes, ticks, grids and labels are drawn once and kept as a background; each picture then costs only the artists
    declared as moving. Call `invalidate` after changing anything that is not moving (a limit of an axis, a title).
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        """Create an empty white picture.

        Args:
            width_px: Width, at least 16.
            height_px: Height, at least 16.

        Raises:
            ValueError: If the picture is smaller.
        """
        if width_px < 16 or height_px < 16:
            raise ValueError(f"picture of {width_px} x {height_px} pixels: allowed is 16 x 16 or more")
        self.width_px = width_px
        self.height_px = height_px
        with mpl.rc_context(style.RC):
            self.figure = Figure(figsize=(width_px / DPI, height_px / DPI), dpi=DPI)
        self._agg = FigureCanvasAgg(self.figure)
        self._moving: list[Artist] = []
        self._background: Any = None

    def axes(self, box_px: tuple[float, float, float, float], **options: Any) -> Axes:
        """Add axes.

        Args:
            box_px: Left, top, width and height of the plotting area in pixels, from the upper left corner.
            **options: Passed to ``Figure.add_axes`` (``projection``, ...).
        """
        left, top, width, height = box_px
        box = (
            left / self.width_px,
            1.0 - (top + height) / self.height_px,
            width / self.width_px,
            height / self.height_px,
        )
        with mpl.rc_context(style.RC):
            return self.figure.add_axes(box, **options)

    def text(self, left_px: float, top_px: float, words: str = "", **options: Any) -> Any:
        """Add a moving line of text whose upper left corner is at the given pixel."""
        with mpl.rc_context(style.RC):
            label = self.figure.text(
                left_px / self.width_px,
                1.0 - top_px / self.height_px,
                words,
                **{"va": "top", "ha": "left", **options},
            )
        return self.moving(label)

    def heading(self, left_px: float, top_px: float, words: str, size_pt: float = style.TITLE_PT) -> None:
        """Add a still bold line whose upper left corner is at the given pixel."""
        with mpl.rc_context(style.RC):
            self.figure.text(
                left_px / self.width_px,
                1.0 - top_px / self.height_px,
                words,
                va="top",
                ha="left",
                fontsize=size_pt,
                fontweight="bold",
            )

    def moving(self, artist: ArtistT) -> ArtistT:
        """Declare that an artist changes from picture to picture; they are drawn by rising ``zorder``."""
        artist.set_animated(True)
        self._moving.append(artist)
        self._moving.sort(key=lambda one: one.get_zorder())
        return artist

    def remove(self, artist: Artist) -> None:
        """Take a moving artist away."""
        self._moving.remove(artist)
        artist.remove()

    def invalidate(self) -> None:
        """Draw the still parts again at the next picture."""
        self._background = None

    def picture(self) -> NDArray[np.uint8]:
        """Draw; return a fresh array [height, width, 3]."""
        with mpl.rc_context(style.RC):
            if self._background is None:
                self._agg.draw()
                self._background = self._agg.copy_from_bbox(self.figure.bbox)
            self._agg.restore_region(self._background)
            renderer = self._agg.get_renderer()
            for artist in self._moving:
                if artist.get_visible():
                    artist.draw(renderer)
            return np.asarray(self._agg.buffer_rgba())[..., :3].copy()
