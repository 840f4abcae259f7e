"""The report as Markdown that is readable in a terminal, too."""

from __future__ import annotations

from collections.abc import Sequence

from ntn_gym.evaluation.report.document import Document
from ntn_gym.evaluation.report.tables import Table


def to_markdown(document: Document) -> str:
    """Write all text and tables; pictures are in the HTML file."""
    parts = [f"# {document.title}", *document.introduction]
    parts += [markdown_table(table) for table in document.overview]
    for section in document.sections:
        parts.append(f"## {section.title}")
        parts += section.sentences
        parts += [markdown_table(block) for block in (*section.blocks, *section.details) if isinstance(block, Table)]
    parts += [markdown_table(table) for table in document.closing]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown_table(table: Table) -> str:
    """Write a table with columns of equal width."""
    rows = [
        [f"**{cell}**" if (i, j) in table.strong else cell for j, cell in enumerate(row)]
        for i, row in enumerate(table.rows)
    ]
    header = list(table.columns)
    widths = [max(3, *(len(row[j]) for row in [header, *rows])) for j in range(len(header))]
    left = [j == 0 or j in table.left for j in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.replace("|", r"\|").ljust(width) if is_left else cell.replace("|", r"\|").rjust(width)
            for cell, width, is_left in zip(cells, widths, left, strict=True)
        ]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join(
        ":" + "-" * (w + 1) if is_left else "-" * (w + 1) + ":" for w, is_left in zip(widths, left, strict=True)
    )
    lines = [line(header), rule + "|", *(line(row) for row in rows)]
    heading = [f"### {table.title}", ""] if table.title else []
    return "\n".join([*heading, *lines, *(["", table.note] if table.note else [])])
