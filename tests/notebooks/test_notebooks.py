"""Notebooks: the .py beside each .ipynb is its source, no outputs are kept, and each runs within a minute."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

jupytext = pytest.importorskip("jupytext", reason="the extra `dev` brings jupytext")

FOLDER = Path(__file__).parents[2] / "notebooks"
SOURCES = sorted(FOLDER.glob("*.py"))


def test_there_are_notebooks_in_pairs() -> None:
    assert SOURCES
    assert {path.stem for path in SOURCES} == {path.stem for path in FOLDER.glob("*.ipynb")}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_notebook_is_that_of_its_source(source: Path) -> None:
    notebook = jupytext.read(source.with_suffix(".ipynb"))
    expected = jupytext.read(source, fmt="py:percent")
    cells = [(cell.cell_type, cell.source) for cell in notebook.cells]
    assert cells == [(cell.cell_type, cell.source) for cell in expected.cells], (
        f"run: jupytext --to ipynb notebooks/{source.name}"
    )


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_no_output_is_kept(source: Path) -> None:
    raw = json.loads(source.with_suffix(".ipynb").read_text(encoding="utf-8"))
    for cell in raw["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_it_runs_in_less_than_a_minute(source: Path, tmp_path: Path) -> None:
    # As a script: the cells in their order, in a fresh interpreter; nbmake runs the .ipynb itself where Jupyter is.
    environment = {**os.environ, "MPLBACKEND": "agg"}
    # A picture that is shown without a window warns; everything else that warns is an error.
    command = [
        sys.executable,
        "-W",
        "error",
        "-W",
        "ignore:FigureCanvasAgg is non-interactive:UserWarning",
        str(source),
    ]
    before = os.times()
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    after = os.times()
    # Of the processor: the clock would count what else this machine does.
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    assert seconds < 60.0
