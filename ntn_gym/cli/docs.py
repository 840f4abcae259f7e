"""``ntn-gym docs``: pages of the environments, and the generated tables of the README."""

from __future__ import annotations

from pathlib import Path

from ntn_gym.cli.catalogue import catalogue
from ntn_gym.cli.docs_pages import environment_page, index_page, readme_with_table
from ntn_gym.cli.docs_results import readme_with_results
from ntn_gym.evaluation.files import write_whole


def run(out: Path | None = None, readme: Path | None = None, check: bool = False) -> None:
    """Write the documentation from the registry: what is registered is documented, and nothing else.

    Args:
        out: Folder for one Markdown page per environment and an index.
        readme: README whose tables of environments and of published scores are to be filled in.
        check: With ``--readme``: change nothing, but fail if the table is out of date.

    Raises:
        ValueError: If there is nothing to do, the README has no place for a table, or one is out of date.
    """
    if out is None and readme is None:
        raise ValueError("nothing to do: give --out DIR for the pages or --readme FILE for the table")
    if check and readme is None:
        raise ValueError("--check compares the table of a README: give --readme FILE, too")
    listed = catalogue()
    if out is not None:
        for one in listed:
            write_whole(out / f"{one.entry.name}.md", environment_page(one))
            print(out / f"{one.entry.name}.md")
        write_whole(out / "index.md", index_page(listed))
        print(out / "index.md")
    if readme is not None:
        old = readme.read_text(encoding="utf-8")
        new = readme_with_table(old, listed, str(readme))
        new = readme_with_results(new, readme.parent, str(readme))
        if check and new != old:
            raise ValueError(f"{readme}: a generated table is out of date; run `ntn-gym docs --readme {readme}`")
        if not check and new != old:
            write_whole(readme, new)
            print(readme)
