"""``ntn-gym link-budget``: a link budget line by line, or the 60 calibration budgets of 3GPP TR 38.821."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from rich.table import Table

from ntn_gym.cli.drawing import require_drawing
from ntn_gym.cli.link_budget_lines import Choices, Line, put_together
from ntn_gym.physics.tr38821 import CalibrationRow, calibration_rows


@tyro.conf.configure(tyro.conf.OmitArgPrefixes)
def run(
    choices: Choices,
    table: Literal["tr38821"] | None = None,
    csv_file: Annotated[Path | None, tyro.conf.arg(name="csv", metavar="FILE")] = None,
    plot: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
) -> None:
    """Print a link budget line by line.

    Args:
        choices: The link.
        table: Instead of one link, all 60 rows of TR 38.821 Table 6.1.3.3-1, beside the values printed there.
        csv_file: Also write the lines, or the rows of the table, to this file.
        plot: Draw the steps from EIRP to CNR, or the table beside its print, into this picture (.png).
    """
    if plot is not None:
        require_drawing("--plot")
        if plot.suffix.lower() != ".png":
            raise ValueError(f"--plot {plot}: the picture is a PNG file; name it .png")
    console = Console()
    if not console.is_terminal:
        # A pipe has no width; long lines are then better long than cut.
        console = Console(width=160)
    if table is not None:
        if choices != Choices():
            raise ValueError(f"--table {table} has its own links; leave out the options of a single link")
        rows = calibration_rows()
        _show_table(console, rows)
        if csv_file is not None:
            _write(csv_file, [table_row(row) for row in rows])
        if plot is not None:
            from ntn_gym.cli.link_budget_plot import plot_table

            plot_table(rows, plot)
    else:
        budget, lines = put_together(choices)
        _show_lines(console, lines)
        if csv_file is not None:
            _write(csv_file, [_plain(line) for line in lines])
        if plot is not None:
            from ntn_gym.cli.link_budget_plot import plot_steps

            plot_steps(choices, budget, lines, plot)
    for written in (csv_file, plot):
        if written is not None:
            console.print(f"written: {written}", highlight=False)


def _show_lines(console: Console, lines: tuple[Line, ...]) -> None:
    shown = Table(box=None, pad_edge=False)
    shown.add_column("link budget")
    shown.add_column("value", justify="right")
    shown.add_column("unit")
    shown.add_column("source", style="dim")
    for line in lines:
        name = f"  of which {line.name}" if line.part else line.name
        bold = line.name in ("CNR", "throughput")
        shown.add_row(name, f"{line.value:.2f}", line.unit, line.source, style="bold" if bold else None)
    console.print(shown)


def _plain(line: Line) -> dict[str, Any]:
    return {
        "line": line.name,
        "value": round(line.value, 6),
        "unit": line.unit,
        "part": line.part,
        "source": line.source,
    }


def table_row(row: CalibrationRow) -> dict[str, Any]:
    """Return one calibration budget as a row of the CSV file; empty where the document's CNR is not known."""
    budget, satellite = row.budget, row.satellite
    return {
        "case": row.case,
        "direction": row.direction,
        "orbit": satellite.orbit,
        "param_set": satellite.param_set,
        "band": satellite.band,
        "reuse": row.reuse,
        "elevation_deg": row.elevation_deg,
        "freq_ghz": round(budget.freq_hz / 1e9, 6),
        "bandwidth_mhz": round(budget.bandwidth_hz / 1e6, 4),
        "range_km": round(budget.range_m / 1e3, 3),
        "eirp_dbw": round(budget.eirp_dbw, 3),
        "gt_db_k": round(budget.gt_db_k, 3),
        "fspl_db": round(budget.free_space_loss_db, 3),
        "gas_db": round(budget.atmospheric_loss_db, 3),
        "scintillation_db": round(budget.scintillation_loss_db, 3),
        "shadow_margin_db": round(budget.shadow_margin_db, 3),
        "cnr_db": round(budget.cnr_db, 3),
        "printed_fspl_db": row.printed_loss_db["fspl"],
        "printed_gas_db": row.printed_loss_db["gas"],
        "printed_scintillation_db": row.printed_loss_db["scintillation"],
        "printed_cnr_db": "" if row.printed_cnr_db is None else row.printed_cnr_db,
    }


def _show_table(console: Console, rows: tuple[CalibrationRow, ...]) -> None:
    shown = Table(
        box=None, pad_edge=False, title="3GPP TR 38.821 Table 6.1.3.3-1: computed (printed)", title_justify="left"
    )
    for header in ("case", "", "orbit", "set", "band", "reuse"):
        shown.add_column(header)
    for header in ("B MHz", "EIRP dBW", "G/T dB/K", "FSPL dB", "gas dB", "scint. dB", "shadow dB", "CNR dB"):
        shown.add_column(header, justify="right")
    for row in rows:
        budget, printed = row.budget, row.printed_loss_db
        cnr = f"{budget.cnr_db:.2f}"
        cnr += "       " if row.printed_cnr_db is None else f" ({row.printed_cnr_db:4.1f})"
        shown.add_row(
            row.case,
            row.direction,
            row.satellite.orbit,
            row.satellite.param_set[-1],
            row.satellite.band,
            row.reuse,
            f"{budget.bandwidth_hz / 1e6:.4g}",
            f"{budget.eirp_dbw:.2f}",
            f"{budget.gt_db_k:.2f}",
            f"{budget.free_space_loss_db:.2f} ({printed['fspl']:.1f})",
            f"{budget.atmospheric_loss_db:.2f} ({printed['gas']:.1f})",
            f"{budget.scintillation_loss_db:.2f} ({printed['scintillation']:.1f})",
            f"{budget.shadow_margin_db:.1f}",
            cnr,
        )
    console.print(shown)
    differences = {
        name: max(abs(ours(row.budget) - row.printed_loss_db[name]) for row in rows)
        for name, ours in (
            ("fspl", lambda budget: budget.free_space_loss_db),
            ("gas", lambda budget: budget.atmospheric_loss_db),
            ("scintillation", lambda budget: budget.scintillation_loss_db),
        )
    }
    known = [row for row in rows if row.printed_cnr_db is not None]
    cnr_db = max(abs(row.budget.cnr_db - row.printed_cnr_db) for row in known)
    losses = ", ".join(f"{name} {value:.3f} dB" for name, value in differences.items())
    words = f"Largest difference to the print: {losses} over {len(rows)} rows; "
    words += f"CNR {cnr_db:.3f} dB over the {len(known)} rows whose printed CNR is known."
    console.print(f"\n{words}", highlight=False)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
