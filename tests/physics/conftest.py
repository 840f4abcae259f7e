"""Recording what the tests compare, for the table in README.md; only when NTN_WRITE_ORACLES is set.

`python tests/physics/write_oracles.py` sets it, runs these tests in one process and writes the table.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

WRITING = bool(os.environ.get("NTN_WRITE_ORACLES"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "oracle(text, tolerance=None, functions=()): what a test compares with; for tests/physics/README.md",
    )
    if WRITING:
        if hasattr(config, "workerinput"):
            raise pytest.UsageError("the table of oracles is written by one process; leave out -n")
        import hypothesis

        # The same examples in every run, so that the table changes only when the code does.
        hypothesis.settings.register_profile("oracles", derandomize=True, database=None)
        hypothesis.settings.load_profile("oracles")


if WRITING:
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parent))
    from oracle_recorder import Recorder

    recorder = Recorder()
    recorder.install()  # before the tests are imported

    @pytest.fixture(autouse=True)
    def _recorded(request: pytest.FixtureRequest) -> Iterator[None]:
        with recorder.test(request.node):
            yield

    def pytest_assertion_pass(item: pytest.Item, lineno: int, orig: str, expl: str) -> None:
        recorder.assertion(item, orig, expl)

    def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
        if exitstatus == 0:
            recorder.write()
