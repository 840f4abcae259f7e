"""Speed: every row is measured once per sweep, and the sweeps follow each other, so that load hits all rows alike.

``make benchmark`` runs this and prints the table; ``--sweeps`` says how often. Nothing here runs by default.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .ledger import Ledger

HERE = Path(__file__).parent
LEDGER = pytest.StashKey[Ledger]()
OUT = "runs/benchmarks"
SWEEPS = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sweeps", type=int, default=SWEEPS, help=f"how often the speed table is measured (default {SWEEPS})"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEDGER] = Ledger()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "sweep" in metafunc.fixturenames:
        metafunc.parametrize("sweep", range(metafunc.config.getoption("sweeps", SWEEPS)))


def _sweep_of(item: pytest.Item) -> int:
    callspec = getattr(item, "callspec", None)
    return 0 if callspec is None else callspec.params.get("sweep", 0)


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.benchmark)
    in_order = iter(sorted(ours, key=_sweep_of))
    items[:] = [next(in_order) if HERE in item.path.parents else item for item in items]


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """Where results go."""
    if LEDGER not in request.config.stash:
        request.config.stash[LEDGER] = Ledger()
    return request.config.stash[LEDGER]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    collected = config.stash.get(LEDGER, None)
    if collected is None or not (collected.values or collected.notes):
        return
    folder = config.rootpath / OUT
    collected.write(folder)
    terminalreporter.section("speed")
    terminalreporter.write_line(collected.text())
    terminalreporter.write_line(f"written to {OUT}/speed.md and speed.json")
