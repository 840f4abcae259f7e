"""Time series under each other on one time axis, with events and lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas


@dataclass(frozen=True)
class EventStyle:
    """How an event is marked: symbol, colour and name in the legend."""

    name: str
    marker: str
    colour: str


def nice_ceiling(value: float) -> float:
    """Smallest of 1, 1.5, 2, 3, 5 or 8 times a power of ten that is not below the value (1 for none)."""
    if not value > 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(m * power for m in (1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 10.0) if m * power >= value * (1 - 1e-9)))


class TimeStrips:
    """Strips that share the time axis of one episode."""

    def __init__(
        self,
        canvas: Canvas,
        box_px: tuple[float, float, float, float],
        duration_s: float,
        heights: Sequence[float],
        *,
        gap_px: float = 26.0,
    ) -> None:
        """Lay out the strips.

        Args:
            canvas: Where to draw.
            box_px: Left, top, width, height of all plotting areas together.
            duration_s: Length of the time axis.
            heights: Relative heights, from top to bottom.
            gap_px: Space between two strips (it holds the title of the lower one).
        """
        left, top, width, height = box_px
        self._canvas = canvas
        self._width_px = width
        self.duration_s = duration_s
        free = height - gap_px * (len(heights) - 1)
        self.axes: list[Axes] = []
        self._now: list[Line2D] = []
        for index, share in enumerate(heights):
            part = free * share / sum(heights)
            axes = canvas.axes((left, top, width, part))
            axes.set_xlim(0.0, duration_s)
            axes.tick_params(length=2, pad=2)
            if index < len(heights) - 1:
                axes.tick_params(labelbottom=False)
            else:
                axes.set_xlabel("time in s", labelpad=1)
            self.axes.append(axes)
            self._now.append(canvas.moving(axes.axvline(0.0, color=style.MUTED, lw=0.8, ls=":", zorder=1)))
            top += part + gap_px

    def title(self, strip: int, words: str) -> None:
        """Name a strip (say the unit)."""
        self.axes[strip].set_title(words, pad=3, **style.TITLE)

    def limits(self, strip: int, low: float, high: float) -> None:
        """Set the range of a strip; the still parts are drawn again if it changed."""
        if self.axes[strip].get_ylim() != (low, high):
            self.axes[strip].set_ylim(low, high)
            self._canvas.invalidate()

    def line(
        self, strip: int, colour: str, *, width: float = 1.6, label: str | None = None, order: float = 3
    ) -> Line2D:
        """Add a moving line, to be filled by ``set_data`` (NaN leaves a gap)."""
        (line,) = self.axes[strip].plot([], [], color=colour, lw=width, label=label, zorder=order)
        return self._canvas.moving(line)

    def level(self, strip: int, value: float, words: str, colour: str) -> None:
        """Draw a still level with its name at the right end."""
        axes = self.axes[strip]
        axes.axhline(value, color=colour, lw=1.0, ls="--", zorder=2)
        axes.annotate(
            words,
            (1.0, value),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 1.5),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=style.TEXT_PT - 1,
            color=colour,
        )

    def events(self, strip: int, kinds: Sequence[EventStyle], height: float = 1.0) -> dict[str, Line2D]:
        """Add marks for events at a height (axes fraction) of a strip, to be filled by `set_events`."""
        axes = self.axes[strip]
        marks: dict[str, Line2D] = {}
        for kind in kinds:
            (line,) = axes.plot(
                [],
                [],
                kind.marker,
                color=kind.colour,
                ms=6,
                mew=1.6 if kind.marker in "x+|" else 0.4,
                mec=kind.colour if kind.marker in "x+|" else style.INK,
                ls="none",
                transform=axes.get_xaxis_transform(),
                clip_on=False,
                zorder=6,
            )
            line.set_ydata([])
            marks[kind.name] = self._canvas.moving(line)
        self._event_height = height
        return marks

    def legend_above(self, strip: int, kinds: Sequence[EventStyle]) -> None:
        """Explain the events of a strip in a still line above it."""
        handles = [
            Line2D(
                [],
                [],
                ls="none",
                marker=kind.marker,
                color=kind.colour,
                ms=6,
                label=kind.name,
                mew=1.6 if kind.marker in "x+|" else 0.4,
                mec=kind.colour if kind.marker in "x+|" else style.INK,
            )
            for kind in kinds
        ]
        self.axes[strip].legend(
            handles=handles,
            loc="lower right",
            bbox_to_anchor=(1.01, 1.12),
            ncols=len(kinds),
            borderpad=0,
            handletextpad=0.1,
            columnspacing=0.9,
            frameon=False,
            fontsize=style.TEXT_PT - 0.5,
        )

    def key(self, strip: int, lines: Sequence[tuple[Line2D, str]]) -> None:
        """Name the lines of a strip, in their colours, on its right above the frame."""
        axes = self.axes[strip]
        right = 1.0
        for line, name in reversed(lines):
            words = axes.annotate(
                f"— {name}",
                (right, 1.0),
                xycoords="axes fraction",
                xytext=(0, 3),
                textcoords="offset points",
                ha="right",
                va="bottom",
                color=line.get_color(),
                fontsize=style.TEXT_PT - 0.5,
            )
            right -= (6.2 * len(words.get_text()) + 8) / self._width_px

    def set_events(self, marks: Mapping[str, Line2D], times_s: Mapping[str, NDArray[np.floating]]) -> None:
        """Place the events of each kind."""
        for name, line in marks.items():
            at = np.asarray(times_s.get(name, np.empty(0)), dtype=np.float64)
            line.set_data(at, np.full(len(at), self._event_height))

    def now(self, time_s: float) -> None:
        """Move the line that marks the present."""
        for line in self._now:
            line.set_xdata([time_s, time_s])


class Lanes:
    """A strip with one lane per thing: thin where it exists, thick where it is in use."""

    def __init__(self, canvas: Canvas, axes: Axes, n_lanes: int) -> None:
        """Number the lanes from the top."""
        self.axes = axes
        axes.set_ylim(n_lanes - 0.4, -0.6)
        axes.set_yticks(range(n_lanes))
        axes.grid(False)
        if n_lanes > 10:
            axes.tick_params(axis="y", labelsize=style.TEXT_PT - 2.5)
        self._present = canvas.moving(LineCollection([], colors=style.GRID, linewidths=2.0, zorder=2, capstyle="butt"))
        self._used = canvas.moving(LineCollection([], colors=style.BLUE, linewidths=6.0, zorder=3, capstyle="butt"))
        for collection in (self._present, self._used):
            axes.add_collection(collection, autolim=False)

    def show(self, present: NDArray[np.bool_], used: NDArray[np.bool_], dt_s: float, first_s: float = 0.0) -> None:
        """Draw what exists and what is used, [steps, lanes] each; every step lasts ``dt_s``."""
        for collection, flags in ((self._present, present), (self._used, used)):
            collection.set_segments(
                [
                    [(first_s + start * dt_s, lane), (first_s + end * dt_s, lane)]
                    for lane in range(flags.shape[1])
                    for start, end in runs(flags[:, lane])
                ]
            )


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (first, end) of every run of true values; ``end`` is the first index after it."""
    edges = np.diff(np.concatenate([[0], np.asarray(flags, dtype=np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))
