"""Pieces of text pictures: bars, sparklines, highlighting and plain tables.

Highlighting uses SGR escape sequences (ECMA-48, 8.3.117); `plain` takes them away for files and pipes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"
_PARTS = " ▏▎▍▌▋▊▉█"
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_CODES = {
    "bold": "1",
    "dim": "2",
    "inverse": "7",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
}


def paint(text: str, *styles: str) -> str:
    """Wrap text in escape sequences: bold, dim, inverse, red, green, yellow, blue, cyan."""
    codes = ";".join(_CODES[style] for style in styles)
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text


def plain(text: str) -> str:
    """Return the text without escape sequences."""
    return _ESCAPE.sub("", text)


def width(text: str) -> int:
    """Number of columns of a text on a terminal (all our characters are one column wide)."""
    return len(plain(text))


def bar(value: float, low: float, high: float, columns: int) -> str:
    """Return a horizontal bar of fixed width, in eighths of a column; empty for NaN."""
    share = 0.0 if math.isnan(value) else min(max((value - low) / (high - low), 0.0), 1.0)
    eighths = round(share * columns * 8)
    full, rest = divmod(eighths, 8)
    text = "█" * full + (_PARTS[rest] if rest else "")
    return text.ljust(columns)


def sparkline(values: Sequence[float], low: float, high: float) -> str:
    """Return one block character per value; a blank for NaN."""
    marks = []
    for value in values:
        if math.isnan(value):
            marks.append(" ")
        else:
            share = min(max((value - low) / (high - low), 0.0), 1.0)
            marks.append(_BLOCKS[min(int(share * len(_BLOCKS)), len(_BLOCKS) - 1)])
    return "".join(marks)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], align: str = "") -> str:
    """Return an aligned table.

    Args:
        header: Titles of the columns.
        rows: Cells, which may hold escape sequences.
        align: One letter per column, ``l`` or ``r``; the default is ``r`` for all.
    """
    columns = len(header)
    align = align or "r" * columns
    widths = [max(width(row[i]) for row in [list(header), *map(list, rows)]) for i in range(columns)]

    def line(cells: Sequence[str]) -> str:
        padded = []
        for cell, size, side in zip(cells, widths, align, strict=True):
            space = " " * (size - width(cell))
            padded.append(cell + space if side == "l" else space + cell)
        return "  ".join(padded).rstrip()

    return "\n".join([line([paint(title, "bold") for title in header]), *(line(row) for row in rows)])
