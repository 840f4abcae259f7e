"""A picture of the satellites over a place: counts and elevations over time, and their tracks on the sky."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ntn_gym.physics.geometry import look_angles
from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas

if TYPE_CHECKING:
    from ntn_gym.cli.visibility import Visibility

WIDTH_PX, HEIGHT_PX = 1180, 560
SKY_PASSES = 60
POINTS_PER_PASS = 60


def plot_visibility(found: Visibility, min_elevation_deg: float, path: Path) -> None:
    """Draw counts, elevations and the sky map into a PNG file."""
    import matplotlib as mpl
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import LineCollection
    from matplotlib.colors import Normalize
    from PIL import Image

    canvas = Canvas(WIDTH_PX, HEIGHT_PX)
    canvas.heading(14, 10, f"{found.title}, from {found.start:%Y-%m-%d %H:%M} UTC", style.TITLE_PT + 2)
    hours = found.time_s / 3600.0
    scale, colours = Normalize(min_elevation_deg, 90.0), mpl.colormaps[style.SEQUENTIAL]

    passes = found.passes
    share = np.linspace(0.0, 1.0, POINTS_PER_PASS)
    time_s = passes.rise_s[:, None] + passes.duration_s[:, None] * share
    position, _ = found.grid.interpolate(passes.satellite[:, None], time_s)
    azimuth, elevation, _ = look_angles(
        found.station.position_m[0], found.station.lat_rad[0], found.station.lon_rad[0], position
    )
    elevation_deg = np.degrees(elevation)
    highest = np.degrees(passes.max_elev_rad)

    axes = canvas.axes((70, 66, 600, 170))
    axes.step(hours, found.count, where="post", color=style.BLUE, lw=1.2)
    axes.fill_between(hours, found.count, step="post", color=style.BLUE, alpha=0.15, lw=0)
    axes.set_xlim(0.0, hours[-1])
    axes.set_ylim(0.0, max(1.0, 1.08 * found.count.max()))
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.tick_params(labelbottom=False)
    axes.set_title(f"visible satellites (mean {found.count.mean():.1f})", pad=4, **style.TITLE)

    axes = canvas.axes((70, 276, 600, 220))
    order = np.argsort(highest)
    lines = LineCollection(
        [np.stack((time_s[i] / 3600.0, elevation_deg[i]), axis=-1) for i in order],
        colors=[colours(scale(highest[i])) for i in order],
        linewidths=1.0 if len(order) <= 100 else 0.6,
    )
    axes.add_collection(lines)
    axes.axhline(min_elevation_deg, color=style.MUTED, lw=0.8, ls="--")
    axes.set_xlim(0.0, hours[-1])
    axes.set_ylim(0.0, 90.0)
    axes.set_yticks(range(0, 91, 30))
    axes.set_xlabel("hours since the start")
    axes.set_title(f"elevation in deg, {len(passes)} passes", pad=4, **style.TITLE)

    sky = canvas.axes((750, 90, 380, 380), projection="polar")
    sky.set_theta_zero_location("N")
    sky.set_theta_direction(-1)
    shown = np.argsort(passes.rise_s, kind="stable")[:SKY_PASSES]
    for i in shown[np.argsort(highest[shown])]:
        sky.plot(azimuth[i], 90.0 - elevation_deg[i], color=colours(scale(highest[i])), lw=1.0)
        sky.plot(azimuth[i, 0], 90.0 - elevation_deg[i, 0], "o", ms=2.5, color=colours(scale(highest[i])))
    sky.set_ylim(0.0, 90.0 - 0.999 * min(min_elevation_deg, 10.0))
    sky.set_yticks([30, 60, 90 - min(min_elevation_deg, 10.0)])
    sky.set_yticklabels(["60", "30", f"{min(min_elevation_deg, 10.0):g} deg"], color=style.MUTED)
    sky.set_xticks(np.arange(0, 2 * math.pi, math.pi / 4))
    sky.set_xticklabels(["N", "NE", "E", "SE", "S", "SW", "W", "NW"])
    words = "sky" if len(passes) <= SKY_PASSES else f"sky, first {SKY_PASSES} passes"
    canvas.heading(750, 44, f"{words} (dot: rise)")
    bar = canvas.axes((790, 520, 300, 8))
    canvas.figure.colorbar(ScalarMappable(scale, colours), cax=bar, orientation="horizontal")
    bar.set_title(
        "largest elevation of the pass in deg", pad=3, fontsize=style.TEXT_PT, loc="center", fontweight="normal"
    )
    bar.tick_params(length=2, pad=2)

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(canvas.picture()).save(path, format="PNG")
