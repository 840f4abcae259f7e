"""A picture of a trace: every array of one world over time, one panel each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ntn_gym.core.task import FieldSpec
from ntn_gym.core.trace import Trace
from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas

COLUMNS = 3
PANEL_WIDTH_PX, PANEL_HEIGHT_PX, GAP_X_PX, GAP_Y_PX = 330, 120, 70, 46
MAX_LINES = 16


def plot_trace(trace: Trace, fields: Mapping[str, FieldSpec], world: int, dt_s: float, path: Path) -> None:
    """Draw one world of a trace into a PNG file.

    Arrays with several entries per slice are drawn as that many lines (the first 16).
    """
    from PIL import Image

    names = [name for name in fields if name in trace.arrays]
    n_rows = math.ceil(len(names) / COLUMNS)
    canvas = Canvas(COLUMNS * (PANEL_WIDTH_PX + GAP_X_PX) + 20, 60 + n_rows * (PANEL_HEIGHT_PX + GAP_Y_PX))
    words = f"{trace.environment}, world {world}: one line per entry of each array (the first {MAX_LINES})"
    canvas.heading(14, 10, words, style.TITLE_PT + 2)
    time_s = np.arange(trace.n_slices) * dt_s
    for index, name in enumerate(names):
        row, column = divmod(index, COLUMNS)
        axes = canvas.axes(
            (
                GAP_X_PX + column * (PANEL_WIDTH_PX + GAP_X_PX),
                58 + row * (PANEL_HEIGHT_PX + GAP_Y_PX),
                PANEL_WIDTH_PX,
                PANEL_HEIGHT_PX,
            )
        )
        series = trace.arrays[name][world].reshape(trace.n_slices, -1)[:, :MAX_LINES]
        for line in range(series.shape[1]):
            axes.plot(time_s, series[:, line], color=style.colour(line), lw=1.0)
        axes.set_xlim(0.0, time_s[-1])
        axes.tick_params(length=2, pad=2)
        axes.ticklabel_format(axis="y", useOffset=False)
        axes.set_title(f"{name} in {fields[name].unit}", pad=3, **style.TITLE)
        if row == n_rows - 1 or index + COLUMNS >= len(names):
            axes.set_xlabel("time in s", labelpad=1)
        else:
            axes.tick_params(labelbottom=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(canvas.picture()).save(path, format="PNG")
