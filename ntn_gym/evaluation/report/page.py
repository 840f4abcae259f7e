"""The report as one HTML file that needs nothing else: style and pictures are inside."""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files

from ntn_gym.evaluation.report.document import Document, Picture, Section
from ntn_gym.evaluation.report.style import data_uri
from ntn_gym.evaluation.report.tables import Table


def to_html(document: Document) -> str:
    """Write the whole page."""
    css = (files(__package__) / "page.css").read_text(encoding="utf-8")
    links = "".join(f'<a href="#{escape(s.title)}">{escape(s.title)}</a>' for s in document.sections)
    body = [
        f"<h1>{escape(document.title)}</h1>",
        *(_paragraph(text) for text in document.introduction),
        f"<nav>{links}</nav>" if len(document.sections) > 1 else "",
        *(html_table(table) for table in document.overview),
        *(_section(section) for section in document.sections),
        *(html_table(table) for table in document.closing),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(document.title)}</title>\n<style>\n{css}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def _paragraph(text: str) -> str:
    kind = "warning" if text.startswith(("WARNING", "NOT FINISHED", "Left out")) else "text"
    return f'<p class="{kind}">{escape(text)}</p>'


def _section(section: Section) -> str:
    details = (
        f"<details><summary>{escape(table.title)}</summary>{html_table(table, heading=False)}</details>"
        for table in section.details
    )
    return "\n".join(
        [
            f'<section id="{escape(section.title)}">',
            f"<h2>{escape(section.title)}</h2>",
            *(_paragraph(text) for text in section.sentences),
            *(_picture(block) if isinstance(block, Picture) else html_table(block) for block in section.blocks),
            *details,
            "</section>",
        ]
    )


def _picture(picture: Picture) -> str:
    title, caption = escape(picture.title), escape(picture.caption)
    return (
        f'<figure><img alt="{title}: {caption}" src="{data_uri(picture.figure)}">'
        f"<figcaption><b>{title}.</b> {caption}</figcaption></figure>"
    )


def html_table(table: Table, *, heading: bool = True) -> str:
    """Write one table."""

    def cell(tag: str, i: int, j: int, text: str) -> str:
        classes = "" if j == 0 or j in table.left else ' class="number"'
        strong = (i, j) in table.strong
        text = re.sub(r"(?<=\[)([^\]]*)(?=\])", lambda found: found[0].replace(" ", "\u00a0"), text)
        content = f"<b>{escape(text)}</b>" if strong else escape(text)
        return f"<{tag}{classes}>{content}</{tag}>"

    title = f"<h3>{escape(table.title)}</h3>" if heading and table.title else ""
    head = "".join(cell("th", -1, j, text) for j, text in enumerate(table.columns))
    rows = "".join(
        "<tr>" + "".join(cell("td", i, j, text) for j, text in enumerate(row)) + "</tr>"
        for i, row in enumerate(table.rows)
    )
    header = f"<thead><tr>{head}</tr></thead>" if any(table.columns) else ""
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return f'{title}<div class="scroll"><table>{header}<tbody>{rows}</tbody></table></div>{note}'
