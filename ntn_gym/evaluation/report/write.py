"""Write the report of a benchmark folder."""

from __future__ import annotations

from pathlib import Path

from ntn_gym.evaluation.files import write_whole
from ntn_gym.evaluation.report.document import Picture, make_document
from ntn_gym.evaluation.report.markdown import to_markdown
from ntn_gym.evaluation.report.page import to_html
from ntn_gym.evaluation.report.results import load_results
from ntn_gym.evaluation.report.style import png_bytes


def write_report(folder: Path, out: Path | None = None, *, figures: bool = False) -> tuple[Path, Path, Path]:
    """Turn the records of a benchmark into ``report.html``, ``report.md`` and ``scores.csv``.

    Args:
        folder: Folder of the benchmark; one that is not finished gives a report that says so.
        out: Folder for the report; None: the same.
        figures: Also write every picture as a PNG file into ``figures/``.

    Returns:
        Paths of the HTML file, of the Markdown file and of the table of scores.

    Raises:
        FileNotFoundError: If the folder holds no benchmark.
        ValueError: If nothing can be scored, or matplotlib is not installed.
        OSError: If a file cannot be written.
    """
    document = make_document(load_results(folder))
    target = out or folder
    page, text, scores = target / "report.html", target / "report.md", target / "scores.csv"
    write_whole(page, to_html(document))
    write_whole(text, to_markdown(document))
    write_whole(scores, document.scores_csv)
    if figures:
        pictures = target / "figures"
        pictures.mkdir(exist_ok=True)
        for section in document.sections:
            for picture in (block for block in section.blocks if isinstance(block, Picture)):
                (pictures / f"{picture.name}.png").write_bytes(png_bytes(picture.figure))
    return page, text, scores
