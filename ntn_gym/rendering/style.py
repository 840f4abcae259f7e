"""Colours, markers and sizes of all pictures, in one place.

The categorical colours are those of Okabe and Ito (Color Universal Design, 2008), which readers with any common
colour vision tell apart; a meaning is never carried by colour alone but also by shape, hatch, number or position.
The sequential map is ``viridis``, whose lightness rises evenly, so that it survives any colour vision and grey print.
"""

from __future__ import annotations

from typing import Any, Final

from matplotlib.patheffects import withStroke

PAPER: Final = "#ffffff"
INK: Final = "#1a1a1a"
MUTED: Final = "#5f6368"
GRID: Final = "#d5d8dc"
LAND: Final = "#e9e4d4"
SEA: Final = "#f4f8fb"

BLUE: Final = "#0072b2"
ORANGE: Final = "#e69f00"
GREEN: Final = "#009e73"
VERMILLION: Final = "#d55e00"
PURPLE: Final = "#cc79a7"
SKY_BLUE: Final = "#56b4e9"
CATEGORICAL: Final = (BLUE, ORANGE, GREEN, PURPLE, SKY_BLUE, VERMILLION)

SEQUENTIAL: Final = "viridis"

MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "p", "<", ">", "h", "*", "d", "H", "8", "$+$")

TEXT_PT: Final = 8.5
TITLE_PT: Final = 9.5

HALO: Final = (withStroke(linewidth=2.0, foreground=PAPER),)
"""Path effects that keep a label legible on top of marks and lines."""

OUTLINE: Final = (withStroke(linewidth=6.0, foreground=INK),)
"""Path effects of the edge of something chosen: it stands out on dark and on light ground."""

TITLE: Final[dict[str, Any]] = {"fontsize": TITLE_PT, "fontweight": "bold", "loc": "left", "color": INK}
"""Arguments for ``Axes.set_title``."""

RC: Final[Any] = {
    "font.family": "DejaVu Sans",
    "font.size": TEXT_PT,
    "axes.titlesize": TITLE_PT,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": TEXT_PT,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.labelsize": TEXT_PT - 0.5,
    "ytick.labelsize": TEXT_PT - 0.5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.fontsize": TEXT_PT - 0.5,
    "legend.frameon": False,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
}


def colour(index: int) -> str:
    """Colour of the ``index``-th thing (they repeat; the marker then tells them apart)."""
    return CATEGORICAL[index % len(CATEGORICAL)]


def marker(index: int) -> str:
    """Marker of the ``index``-th thing."""
    return MARKERS[index % len(MARKERS)]
