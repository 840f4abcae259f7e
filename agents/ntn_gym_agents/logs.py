"""Logs that continue where a killed training resumes: rows after the checkpoint are dropped, then written again."""

from __future__ import annotations

import csv
import io
import logging
import numbers
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stable_baselines3.common.logger import KVWriter, Logger, TensorBoardOutputFormat
from torch.utils.tensorboard import SummaryWriter

from ntn_gym.evaluation.files import write_whole

STEP_COLUMN = "time/total_timesteps"


class CsvLog:
    """A table of numbers whose first column is the number of steps; new columns may come at any time."""

    def __init__(self, path: Path, step_column: str = "steps", keep_until: int = 0) -> None:
        """Open or begin the table.

        Args:
            path: The file.
            step_column: Name of the first column.
            keep_until: Rows of more steps, from a run that went on after its last checkpoint, are dropped.
        """
        self._path = path
        self._columns = [step_column]
        self.rows: list[dict[str, str]] = []
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                self._columns = list(reader.fieldnames or self._columns)
                for row in reader:
                    # A row that a killed process left unfinished lacks its last columns; it also is past the
                    # checkpoint.
                    if None not in row.values() and float(row[step_column]) <= keep_until:
                        self.rows.append(row)
        self._rewrite()

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one row; it is in the file when this returns."""
        added = [key for key in sorted(row) if key not in self._columns]
        self.rows.append({key: str(value) for key, value in row.items()})
        if added:
            self._columns += added
            self._rewrite()
        else:
            with self._path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, self._columns, restval="").writerow(self.rows[-1])

    def _rewrite(self) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_whole(self._path, text.getvalue())


class ProgressCsv(KVWriter):
    """`CsvLog` as an output of SB3's logger."""

    def __init__(self, log: CsvLog) -> None:
        """Write to the given table."""
        self._log = log

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0) -> None:
        """Write one row of numbers."""
        row: dict[str, Any] = {STEP_COLUMN: step}
        for key, value in key_values.items():
            if isinstance(value, numbers.Real) and "csv" not in (key_excluded.get(key) or ()):
                row[key] = value
        self._log.append(row)

    def close(self) -> None:
        """Nothing is open between rows."""


class _ResumingTensorBoard(TensorBoardOutputFormat):
    """TensorBoard events; those after ``keep_until`` steps are hidden from the plots."""

    def __init__(self, folder: Path, keep_until: int) -> None:
        self.writer = SummaryWriter(log_dir=str(folder), purge_step=keep_until + 1)
        self._is_closed = False


def training_logger(out: Path, keep_until: int) -> Logger:
    """Return a logger for SB3 that writes ``progress.csv`` and TensorBoard events, and continues both."""
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    table = CsvLog(out / "progress.csv", STEP_COLUMN, keep_until)
    outputs = [ProgressCsv(table), _ResumingTensorBoard(out / "tensorboard", keep_until)]
    return Logger(folder=str(out), output_formats=outputs)
