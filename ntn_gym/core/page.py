"""The documentation page of an environment is the docstring of its task; this reads it back.

The docstring is Markdown with the sections of `SECTIONS`, in that order, each under a ``##`` heading (more
sections may stand anywhere between them). The first line, above all sections, is the summary. Two tables
describe the spaces of one agent and are compared with the real ones by the tests:

- *Observation Space*, and *Action Space* of continuous actions:
  ``| index | meaning | unit | min | max |``, one row per number or per family of numbers;
- *Action Space* of discrete actions: ``| action | meaning |``.

The first cell of a row says which indices it describes, as a sum of integers, capital letters and multiples
of one small letter: ``3``, ``15K + 2``, ``15k + 1``; or as a range of two such sums: ``0 to 6``. A capital
letter is a number of the scenario, given by the task's ``page_symbols``; a small letter runs from 0 below its
capital.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SECTIONS = (
    "Description",
    "Action Space",
    "Observation Space",
    "Rewards",
    "Starting State",
    "Episode End",
    "Arguments",
    "Physics and References",
    "Heuristics",
    "Version History",
)

_TERM = re.compile(r"(?P<factor>\d+)?\s*(?P<symbol>[A-Za-z])?")


@dataclass(frozen=True, slots=True)
class Page:
    """A docstring, cut into its summary and its sections (heading to Markdown text, in order)."""

    summary: str
    sections: Mapping[str, str]

    def table(self, section: str) -> list[dict[str, str]]:
        """Return the first table of a section: one mapping from column heading to cell per row.

        Raises:
            ValueError: If the section or its table is missing, or a row has another number of cells.
        """
        if section not in self.sections:
            raise ValueError(f"the page has no section {section!r}; it has {', '.join(self.sections)}")
        lines = [line.strip() for line in self.sections[section].splitlines()]
        first = next((i for i, line in enumerate(lines) if line.startswith("|")), None)
        if first is None:
            raise ValueError(f"section {section!r} has no table")
        rows = []
        for line in lines[first:]:
            if not line.startswith("|"):
                break
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        heading, _, *body = rows
        for row in body:
            if len(row) != len(heading):
                raise ValueError(f"section {section!r}: the row {row} has not the columns {heading}")
        return [dict(zip(heading, row, strict=True)) for row in body]


def parse_page(docstring: str | None) -> Page:
    """Cut the docstring of a task into its sections.

    Raises:
        ValueError: If there is no docstring, or a section of `SECTIONS` is missing or out of order.
    """
    if not docstring:
        raise ValueError("the task has no docstring; it is the page of the environment")
    head, *parts = re.split(r"^## +", inspect.cleandoc(docstring), flags=re.MULTILINE)
    sections = {}
    for part in parts:
        title, _, text = part.partition("\n")
        sections[title.strip()] = text.strip()
    found = [title for title in sections if title in SECTIONS]
    if found != list(SECTIONS):
        raise ValueError(f"the page has the sections {found}; it needs, in this order, {list(SECTIONS)}")
    return Page(head.strip(), sections)


def indices(cell: str, symbols: Mapping[str, int]) -> Iterator[int]:
    """Return the indices that the first cell of a table row describes.

    Args:
        cell: A sum such as ``15k + 1``, or a range ``0 to 6`` (both ends included).
        symbols: Values of the capital letters.

    Raises:
        ValueError: If the cell cannot be read or a letter is unknown.
    """
    first, to, last = cell.strip("` ").partition(" to ")
    if to:
        (start,), (end,) = indices(first, symbols), indices(last, symbols)
        yield from range(start, end + 1)
        return
    constant, loops = 0, []
    for text in first.split("+"):
        term = _TERM.fullmatch(text.strip())
        if term is None or not text.strip():
            raise ValueError(f"index {cell!r}: {text.strip()!r} is no integer, letter or multiple of a letter")
        factor, symbol = int(term["factor"] or 1), term["symbol"]
        if symbol is None:
            constant += factor
        elif symbol.upper() not in symbols:
            raise ValueError(f"index {cell!r}: letter {symbol.upper()!r} is not in page_symbols {dict(symbols)}")
        elif symbol.isupper():
            constant += factor * symbols[symbol]
        else:
            loops.append((factor, symbols[symbol.upper()]))
    if len(loops) > 1:
        raise ValueError(f"index {cell!r}: more than one small letter")
    factor, count = loops[0] if loops else (0, 1)
    yield from (constant + factor * k for k in range(count))
