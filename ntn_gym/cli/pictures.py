"""Pictures and animated GIFs of matches, as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ntn_gym.cli.match import Match

COLOURS = 255
LAST_S = 2.0


class Reel:
    """Collects pictures and writes them as one file."""

    def __init__(self, path: Path, fps: float, every: int) -> None:
        """Prepare an empty reel.

        Raises:
            ValueError: If the name does not end in .gif, or ``every`` is below 1.
        """
        if path.suffix.lower() != ".gif":
            raise ValueError(f"--gif {path}: the name must end in .gif")
        if every < 1:
            raise ValueError(f"--gif-every {every}: must be 1 step or more")
        self._path = path
        self._fps = fps
        self._every = every
        self._pictures: list[Image.Image] = []

    def take(self, match: Match) -> None:
        """Take a picture of every n-th step, and of the last one."""
        if match.steps_played % self._every == 0 or match.over:
            picture = Image.fromarray(match.picture())
            # This method keeps rare colours (an event, a level), which matter more here than smooth shades.
            method = Image.Quantize.MAXCOVERAGE
            self._pictures.append(picture.quantize(COLOURS, method=method, dither=Image.Dither.NONE))

    def save(self) -> str:
        """Write the file; say what it holds."""
        first, *rest = self._pictures
        frame_ms = round(1000 / self._fps)
        durations = [frame_ms] * len(rest) + [round(1000 * LAST_S)]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        first.save(self._path, save_all=True, append_images=rest, duration=durations, loop=0, optimize=True)
        return f"{self._path}: {len(self._pictures)} pictures, {self._path.stat().st_size / 1e6:.1f} MB"


def write_png(path: Path, picture: NDArray[np.uint8]) -> str:
    """Write one picture [height, width, 3]; say how large the file is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, format="PNG", optimize=True)
    return f"{path}: {path.stat().st_size / 1e3:.0f} kB"
