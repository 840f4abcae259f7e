"""Pictures of link budgets: the steps of one budget from EIRP to CNR, and the sixty of TR 38.821 beside their print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ntn_gym.physics.constants import BOLTZMANN_DBW_PER_K_HZ
from ntn_gym.rendering import style
from ntn_gym.rendering.canvas import Canvas

if TYPE_CHECKING:
    from ntn_gym.cli.link_budget_lines import Choices, Line
    from ntn_gym.physics.link import LinkBudget
    from ntn_gym.physics.tr38821 import CalibrationRow

_LOSSES = (
    "free-space path loss",
    "atmospheric loss",
    "atmosphere",
    "scintillation loss",
    "shadow margin",
    "clutter loss",
    "polarisation loss",
    "additional loss",
)


def plot_steps(choices: Choices, budget: LinkBudget, lines: tuple[Line, ...], path: Path) -> None:
    """Draw one budget as steps: every gain lifts the level, every loss lowers it, the last level is the CNR."""
    steps = [("EIRP", budget.eirp_dbw)]
    steps += [(line.name, -line.value) for line in lines if line.name in _LOSSES and line.value != 0.0]
    steps += [
        ("G/T", budget.gt_db_k),
        ("Boltzmann", -BOLTZMANN_DBW_PER_K_HZ),
        ("bandwidth", -10.0 * float(np.log10(budget.bandwidth_hz))),
    ]
    change = np.array([value for _, value in steps])
    after = np.cumsum(change)
    before = after - change

    canvas = Canvas(900, 120 + 34 * (len(steps) + 1))
    link = "downlink" if choices.direction == "dl" else "uplink"
    words = f"{choices.orbit.upper()} {link}, {budget.freq_hz / 1e9:g} GHz, {choices.elevation_deg:g} deg elevation"
    canvas.heading(14, 10, f"{words}: CNR {budget.cnr_db:.1f} dB", style.TITLE_PT + 2)
    axes = canvas.axes((190, 50, 640, 34 * (len(steps) + 1)))
    rows = np.arange(len(steps))
    axes.barh(
        rows, change, left=before, height=0.62, color=[style.BLUE if c > 0.0 else style.VERMILLION for c in change]
    )
    axes.barh([len(steps)], [budget.cnr_db], height=0.62, color=style.GREEN)
    for row, level in zip(rows, after, strict=True):
        axes.plot([level, level], [row - 0.31, row + 1.31], color=style.MUTED, lw=0.8)
    for row, (start, end, value) in enumerate(zip(before, after, change, strict=True)):
        axes.text(max(start, end) + 3.0, row, f"{value:+.1f}", va="center", fontsize=style.TEXT_PT, color=style.INK)
    axes.text(max(budget.cnr_db, 0.0) + 3.0, len(steps), f"{budget.cnr_db:.1f} dB", va="center", fontweight="bold")
    axes.set_yticks([*rows, len(steps)])
    axes.set_yticklabels([*(name for name, _ in steps), "CNR"])
    axes.invert_yaxis()
    low, high = min(before.min(), after.min()), max(before.max(), after.max())
    axes.set_xlim(low - 8.0, high + 26.0)
    axes.axvline(0.0, color=style.INK, lw=0.8)
    axes.set_xlabel("level in dB (blue: gain, red: loss)")
    _save(canvas, path)


def plot_table(rows: tuple[CalibrationRow, ...], path: Path) -> None:
    """Draw the CNR of the sixty budgets, and how far each loss is from its print."""
    canvas = Canvas(1180, 640)
    canvas.heading(14, 10, "3GPP TR 38.821 Table 6.1.3.3-1: computed beside the print", style.TITLE_PT + 2)
    looks = {"DL": (style.BLUE, -0.15, "downlink"), "UL": (style.ORANGE, 0.15, "uplink")}
    cases = sorted({row.case for row in rows}, key=lambda case: int(case.removeprefix("SC")))
    place = {case: number for number, case in enumerate(cases)}

    top = canvas.axes((70, 66, 1080, 290))
    for direction, (colour, shift, words) in looks.items():
        own = [row for row in rows if row.direction == direction]
        x = np.array([place[row.case] for row in own]) + shift
        top.vlines(x, 0.0, [row.budget.cnr_db for row in own], color=colour, lw=2.0)
        top.plot(x, [row.budget.cnr_db for row in own], "o", ms=4, color=colour, label=words)
        known = [(at, row.printed_cnr_db) for at, row in zip(x, own, strict=True) if row.printed_cnr_db is not None]
        label = "as published" if direction == "DL" else None
        top.plot(*np.array(known).T, "D", ms=8, mfc="none", color=style.INK, label=label)
    top.axhline(0.0, color=style.INK, lw=0.8)
    top.set_xlim(-0.6, len(cases) - 0.4)
    top.set_xticks(range(len(cases)))
    top.tick_params(labelbottom=False)
    top.set_ylabel("CNR in dB")
    top.legend(loc="upper right", ncols=3)

    bottom = canvas.axes((70, 400, 1080, 180))
    terms = (
        ("free space", "fspl", lambda row: row.budget.free_space_loss_db, "o", style.GREEN),
        ("gas", "gas", lambda row: row.budget.atmospheric_loss_db, "s", style.PURPLE),
        ("scintillation", "scintillation", lambda row: row.budget.scintillation_loss_db, "^", style.VERMILLION),
    )
    for words, key, ours, marker, colour in terms:
        x = [place[row.case] + looks[row.direction][1] for row in rows]
        gap = [ours(row) - row.printed_loss_db[key] for row in rows]
        bottom.plot(x, gap, marker, ms=4, color=colour, ls="none", label=words)
    bottom.axhspan(-0.1, 0.1, color=style.GRID, alpha=0.4, lw=0, label="0.1 dB")
    bottom.set_xlim(-0.6, len(cases) - 0.4)
    bottom.set_ylim(-0.14, 0.14)
    bottom.set_xticks(range(len(cases)))
    bottom.set_xticklabels(cases, rotation=90)
    bottom.set_ylabel("ours less print, dB")
    bottom.legend(loc="upper right", ncols=4)
    _save(canvas, path)


def _save(canvas: Canvas, path: Path) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(canvas.picture()).save(path, format="PNG")
