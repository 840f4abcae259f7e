"""The one way to read a shipped file: by its name in the data folder, never by a path of the machine."""

from __future__ import annotations

import csv
import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SUFFIXES = {".csv", ".json", ".npz", ".txt", ".yaml", ".yml", ".md"}


def _root() -> Path:
    root = resources.files("ntn_gym.data")
    if not isinstance(root, Path):
        raise RuntimeError(
            f"ntn_gym is imported from {root!r}, not from a folder; install it unpacked (pip does), "
            "because its data files are opened by path"
        )
    return root


def names() -> tuple[str, ...]:
    """Return the names of all shipped files, relative to the data folder, with "/" as the separator."""
    root = _root()
    return tuple(sorted(file.relative_to(root).as_posix() for file in root.rglob("*") if file.suffix in _SUFFIXES))


def path(name: str) -> Path:
    """Return the path of a shipped file.

    Args:
        name: Name relative to the data folder, e.g. "ground_stations.csv" or "tables/constellations.json".

    Raises:
        FileNotFoundError: When no such file ships; the message lists what exists.
    """
    existing = names()
    if name not in existing:
        raise FileNotFoundError(f"data file {name!r} does not ship with ntn_gym; choose one of: {', '.join(existing)}")
    return _root() / name


def read_text(name: str) -> str:
    """Return the text of a shipped file (UTF-8)."""
    return path(name).read_text(encoding="utf-8")


def read_json(name: str) -> Any:
    """Return the content of a shipped JSON file."""
    return json.loads(read_text(name))


def read_npz(name: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a shipped .npz file by name; pickled content is refused."""
    with np.load(path(name), allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def _column(name: str, header: str, cells: list[str]) -> NDArray[Any]:
    try:
        return np.array([int(cell) for cell in cells], dtype=np.int64)
    except ValueError:
        pass
    try:
        values = np.array([float(cell) for cell in cells], dtype=np.float64)
    except ValueError:
        return np.array(cells, dtype=np.str_)
    if not np.all(np.isfinite(values)):
        raise ValueError(f"data file {name!r}, column {header!r}: numbers must be finite")
    return values


def read_csv(name: str) -> dict[str, NDArray[Any]]:
    """Return the columns of a shipped CSV file by header.

    A column becomes int64 when every cell is an integer, float64 when every cell is a number, else text. An
    empty cell makes its column text: no number is invented for a missing one.

    Args:
        name: Name relative to the data folder; the file has one header line.

    Returns:
        One array of shape [rows] for each header, in the order of the file.

    Raises:
        FileNotFoundError: When no such file ships.
        ValueError: When a row has not as many cells as the header, or a number is not finite.
    """
    with path(name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if not rows:
        raise ValueError(f"data file {name!r} is empty; expected a header line")
    header = rows[0]
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise ValueError(f"data file {name!r}, line {number}: {len(row)} cells, but the header has {len(header)}")
    return {title: _column(name, title, [row[i] for row in rows[1:]]) for i, title in enumerate(header)}
