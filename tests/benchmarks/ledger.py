"""Collects what was measured and writes the table: terminal, Markdown and JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from .rows import PEER, PEER_STEPS_PER_S, Row

COLUMNS = ("work", "face", "B", "worlds", "median", "per CPU", "unit", "x peer", "target", "target x peer", "holds")


@dataclass
class Ledger:
    """Values of every row by sweep (by the clock, and by CPU time), notes on rows without value, the machine's load."""

    values: dict[Row, dict[int, float]] = field(default_factory=dict)
    cpu_values: dict[Row, dict[int, float]] = field(default_factory=dict)
    notes: dict[Row, str] = field(default_factory=dict)
    load: dict[int, float] = field(default_factory=dict)

    def add(self, row: Row, sweep: int, value: float, cpu_value: float | None = None) -> None:
        """Enter one value, and the same with the time of the processor instead of the clock's."""
        self.values.setdefault(row, {})[sweep] = value
        if cpu_value is not None:
            self.cpu_values.setdefault(row, {})[sweep] = cpu_value
        self.load.setdefault(sweep, os.getloadavg()[0])

    def note(self, row: Row, why: str) -> None:
        """Say why a row has no value."""
        self.notes[row] = why

    # ------------------------------------------------------------------ judgement

    def ratio(self, row: Row) -> float | None:
        """Speed in units of the peer's, by CPU time: the median over sweeps of the ratio within each sweep.

        For a time it is the time in units of one step of the peer; None without a peer, and for shares and sizes.
        """
        peer = self.cpu_values.get(PEER, {})
        scale = _in_peer_units(row)
        pairs = [(value, peer[sweep]) for sweep, value in self.cpu_values.get(row, {}).items() if sweep in peer]
        if not pairs or scale is None:
            return None
        return median(value / steps if row.is_rate else value * scale * steps for value, steps in pairs)

    def target_ratio(self, row: Row) -> float | None:
        """Return the target in the same units."""
        scale = _in_peer_units(row)
        if row.target is None or scale is None:
            return None
        return row.target / PEER_STEPS_PER_S if row.is_rate else row.target * scale * PEER_STEPS_PER_S

    def holds(self, row: Row) -> str:
        """Say whether the target is met: as a value, as a ratio to the peer, or both ("yes")."""
        if row.target is None or row not in self.values:
            return ""
        value, ratio, wanted = median(self.values[row].values()), self.ratio(row), self.target_ratio(row)
        by_value = _meets(row, value, row.target)
        if row.links_per_step and row.links_target:
            by_value |= value * row.links_per_step >= row.links_target
        if ratio is None or wanted is None:
            return "yes" if by_value else "no"
        by_ratio = _meets(row, ratio, wanted)
        if row.links_per_step and row.links_target:
            by_ratio |= ratio * row.links_per_step >= row.links_target / PEER_STEPS_PER_S
        return {(True, True): "yes", (True, False): "as value", (False, True): "as ratio"}.get(
            (by_value, by_ratio), "no"
        )

    # ------------------------------------------------------------------ output

    def table(self) -> list[tuple[str, ...]]:
        """Return the cells of all rows."""
        lines = []
        for row in [*self.values, *(row for row in self.notes if row not in self.values)]:
            head = (row.work, row.face, str(row.n_parallel), row.mode)
            if row not in self.values:
                lines.append((*head, f"not measured: {self.notes[row]}", "", "", "", "", "", ""))
                continue
            value = median(self.values[row].values())
            by_cpu = median(self.cpu_values[row].values()) if row in self.cpu_values else None
            bound = "" if row.target is None else f"{'>=' if row.is_rate else '<'} {_number(row.target)}"
            if row.links_target and row.links_per_step:
                bound += f" or {_number(row.links_target / row.links_per_step)}"
            ratios = [_number(ratio) for ratio in (self.ratio(row), self.target_ratio(row))]
            lines.append(
                (*head, _number(value), _number(by_cpu), row.unit, ratios[0], bound, ratios[1], self.holds(row))
            )
        return lines

    def machine(self) -> dict[str, Any]:
        """Return what the numbers were measured on."""
        return {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "cores": os.cpu_count(),
            "processor": platform.processor() or platform.machine(),
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "gymnasium")},
            "load_average_by_sweep": {str(sweep): round(load, 2) for sweep, load in self.load.items()},
        }

    def text(self) -> str:
        """Return the table as Markdown, with what is needed to read it."""
        machine = self.machine()
        cells = [COLUMNS, *self.table()]
        width = [max(len(line[i]) for line in cells) for i in range(len(COLUMNS))]
        rows = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, width, strict=True)) + " |" for line in cells]
        rows.insert(1, "|" + "|".join("-" * (w + 2) for w in width) + "|")
        loads = ", ".join(f"{load:.2f}" for load in machine["load_average_by_sweep"].values())
        head = (
            f"{machine['cores']} cores, load average {loads} in the {len(self.load)} sweeps; "
            f"Python {machine['python']}, NumPy {machine['numpy']}. "
            "Medians over sweeps; every sweep measures all rows. Resets are included.\n"
            "worlds: fresh = each episode draws a new world; pool = episodes come from n_worlds worlds.\n"
            "per CPU: the same by the time of the processor, which other programs on the machine disturb less.\n"
            "x peer: that speed over the speed of mobile-env's large scenario in the same sweep (times: in its steps). "
            f"Targets assume a peer of {PEER_STEPS_PER_S:.0f} steps/s.\n"
            "holds: yes, as value (of the clock) only, as ratio to the peer only, or no.\n"
        )
        return head + "\n" + "\n".join(rows) + "\n"

    def write(self, folder: Path) -> None:
        """Write speed.md and speed.json."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "speed.md").write_text(f"# Speed\n\n{self.text()}", encoding="utf-8")
        rows = [
            asdict(row)
            | {
                "values": list(values.values()),
                "values_by_cpu_time": list(self.cpu_values.get(row, {}).values()),
                "median": median(values.values()),
                "ratio_to_peer": self.ratio(row),
                "target_ratio_to_peer": self.target_ratio(row),
                "holds": self.holds(row),
            }
            for row, values in self.values.items()
        ]
        missing = [asdict(row) | {"not_measured": why} for row, why in self.notes.items()]
        content: Mapping[str, Any] = {"machine": self.machine(), "rows": rows + missing}
        (folder / "speed.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _in_peer_units(row: Row) -> float | None:
    """Seconds of one unit of a time; 1 for env-steps/s; None for what cannot be compared."""
    return {"env-steps/s": 1.0, "ms": 1e-3}.get(row.unit)


def _meets(row: Row, value: float, target: float) -> bool:
    return value >= target if row.is_rate else value < target


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
