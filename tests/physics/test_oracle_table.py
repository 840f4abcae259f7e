"""The table of oracles names every public function of the physics, and tests that exist."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Public functions that no test calls by itself, with the reason.
UNLISTED = {
    "stochastic.checks.require_one_of": "refusals; tested by the functions that call it",
    "stochastic.checks.require_positive": "refusals; tested by the functions that call it",
    "stochastic.checks.require_range": "refusals; tested by the functions that call it",
    "stochastic.count_laws.require_law": "refusals; tested by the functions that call it",
    "stochastic.visibility.checked_detection": "refusals; tested by the functions that call it",
    "validity.require_range": "refusals; tested by the functions that call it",
}


@pytest.fixture(scope="module")
def recorder():
    spec = importlib.util.spec_from_file_location("oracle_recorder", HERE / "oracle_recorder.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["oracle_recorder"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, ...]]:
    """Rows with the function repeated where the table leaves it blank."""
    found, function = [], ""
    for line in (HERE / "README.md").read_text(encoding="utf-8").splitlines():
        cells = tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
        if len(cells) != 5 or cells[0] in ("function", "---"):
            continue
        function = cells[0].strip("`") or function
        found.append((function, *cells[1:]))
    return found


def test_every_public_function_is_in_the_table(recorder, rows) -> None:
    public = set(recorder.public_functions())
    listed = {row[0] for row in rows}
    missing = public - listed - set(UNLISTED)
    assert not missing, f"test them and run python tests/physics/write_oracles.py: {sorted(missing)}"
    assert listed <= public, f"the table names functions that are gone: {sorted(listed - public)}"
    assert set(UNLISTED) <= public


def test_every_function_has_a_source(recorder) -> None:
    functions = recorder.public_functions()
    missing = [name for name, f in functions.items() if name not in UNLISTED and recorder.source_of(f) == "definition"]
    assert not missing, f"add a paragraph 'Source: ...' to the docstring of {missing}"


def test_every_test_of_the_table_exists(recorder, rows) -> None:
    names = {}
    for function, _, oracle, *_ in rows:
        path = HERE / re.search(r"\]\((.+?)\)\)$", oracle)[1]
        words = oracle.rsplit(" ([", 1)[0]
        if path not in names:
            markers = re.findall(r'mark\.oracle\(\s*"(.+?)"', path.read_text(encoding="utf-8"))
            tests = recorder.function_names_in(path)
            names[path] = {n.removeprefix("test_").replace("_", " ") for n in tests} | set(markers)
        assert words in names[path], f"{function}: {path.name} has no test {words!r}; write the table again"


def test_no_deviation_is_above_its_tolerance(rows) -> None:
    numbers = 0
    for function, _, oracle, tolerance, deviation in rows:
        if deviation == "none" or deviation.startswith("<"):
            continue
        allowed, found = (re.search(r"[\d.]+(?:e[+-]?\d+)?$", cell) for cell in (tolerance, deviation))
        if allowed and found:
            numbers += 1
            # Both are rounded for printing.
            if "p above" in tolerance:
                assert float(found[0]) >= float(allowed[0]) * 0.99, (function, oracle)
            else:
                assert float(found[0]) <= float(allowed[0]) * 1.06, (function, oracle)
    assert numbers > 200
