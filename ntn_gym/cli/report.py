"""``ntn-gym report``: records of a benchmark as one HTML file, one Markdown file and a table for programs."""

from __future__ import annotations

from pathlib import Path

import tyro


def run(folder: tyro.conf.Positional[Path], out: Path | None = None, figures: bool = False) -> None:
    """Write report.html, which needs no other file, report.md, and scores.csv with the normalised scores.

    Args:
        folder: Folder that `ntn-gym benchmark` wrote.
        out: Folder for the report; by default the same.
        figures: Also write every picture as a PNG file into figures/.
    """
    from ntn_gym.evaluation.report.write import write_report

    for path in write_report(folder, out, figures=figures):
        print(path)
