"""The results block of the README: made from the score tables that lie beside the trained baselines."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from ntn_gym.cli.docs_pages import between_marks, table
from ntn_gym.evaluation.report.tables import NOTHING

START, END = "<!-- results:start -->", "<!-- results:end -->"
ZOO = Path("agents") / "zoo"
RULES = {"single": "best single-criterion rule", "composite": "best composite rule", "forecast": "best forecast rule"}

Line = Mapping[str, str]


def readme_with_results(text: str, folder: Path, name: str) -> str:
    """Return the README with one table per environment that has published scores.

    Args:
        text: The README.
        folder: Where it lies; scores are read from ``agents/zoo/<environment>/*.csv`` below it.
        name: What to call it in an error.

    Raises:
        ValueError: If the marks are missing, doubled or in the wrong order.
    """
    blocks = [block for path in sorted(folder.glob(str(ZOO / "*" / "*scores.csv"))) for block in _block(path, folder)]
    return between_marks(text, START, END, "\n\n".join(blocks), name)


def _block(path: Path, folder: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    families = [family for family in RULES if any(line["kind"] == family for line in lines)]
    rows = [_row(preset, list(found), families) for preset, found in groupby(lines, lambda line: line["preset"])]
    header = ["preset", *(RULES[family] for family in families), "best learned policy", "learned − best now-cast"]
    if "forecast" in families:
        header.append("learned − best forecast")
    report = path.with_name(path.name.replace("scores.csv", "results.md"))
    trainings = sorted({int(line["trainings"]) for line in lines if line["trainings"]})
    worlds = "/".join(sorted({line["worlds"] for line in lines}, key=int))
    told = f"; {'/'.join(map(str, trainings))} trainings each" if trainings else ""
    link = report.relative_to(folder).as_posix()
    yield f"**{lines[0]['environment']}**, {worlds} reporting worlds per preset{told} ([all numbers]({link})):"
    yield table(header, rows)


def _row(preset: str, lines: Sequence[Line], families: Sequence[str]) -> list[str]:
    def best(*kinds: str) -> Line | None:
        chosen = [line for line in lines if line["kind"] in kinds]
        return max(chosen, key=lambda line: float(line["score"]), default=None)

    learned = best("agent")
    cells = [preset, *(_named(best(family)) for family in families), _named(learned)]
    rivals = [best("single", "composite"), *([best("forecast")] if "forecast" in families else [])]
    return [*cells, *(_difference(learned, rival) for rival in rivals)]


def _named(line: Line | None) -> str:
    return NOTHING if line is None else f"{line['policy']} {float(line['score']):.3f}"


def _difference(learned: Line | None, rival: Line | None) -> str:
    if learned is None or rival is None:
        return NOTHING
    value, low, high = (float(learned[f"over_best_{rival['kind']}{end}"]) for end in ("", "_low", "_high"))
    text = f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"
    return f"**{text}**" if low > 0 else text
