"""Colours and shapes of policy families, and how a figure becomes text; matplotlib is imported when one is made."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design", 2008: told apart with any kind of colour vision; the shapes help, too.
FAMILY_COLOURS = {
    "single": "#0072B2",
    "composite": "#009E73",
    "forecast": "#CC79A7",
    "agent": "#D55E00",
    "bound": "#000000",
    "random": "#808080",
}
FAMILY_MARKERS = {"single": "o", "composite": "s", "forecast": "^", "agent": "D", "bound": "*", "random": "x"}
FAMILY_WORDS = {
    "single": "single-criterion rule",
    "composite": "composite rule",
    "forecast": "forecast rule",
    "agent": "trained agent",
    "bound": "bound",
    "random": "random",
}
LANE_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F7F7F")

SETTINGS: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.hashsalt": "ntn_gym",  # equal records give an equal file
    "svg.fonttype": "path",
}


@contextmanager
def drawing() -> Iterator[None]:
    """Apply the style of the report while a figure is made.

    Raises:
        ValueError: If matplotlib is not installed.
    """
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        raise ValueError(f'a report needs the extra `render`: pip install "ntn-gym[render]" ({error})') from None
    with matplotlib.rc_context(SETTINGS):
        yield


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty figure that no window knows of."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), layout="constrained")


def data_uri(figure: Figure) -> str:
    """Return a figure as an SVG that can stand in the ``src`` of an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg_bytes(figure)).decode()


def svg_bytes(figure: Figure) -> bytes:
    """Return a figure as SVG."""
    buffer = io.BytesIO()
    with drawing():
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def png_bytes(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    buffer = io.BytesIO()
    with drawing():
        figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()
