"""Which functions each test calls, and how far from its oracle each comparison is."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import math
import pkgutil
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any

import numpy as np
import pytest

import ntn_gym.physics

HERE = Path(__file__).parent
PACKAGE = str(Path(ntn_gym.physics.__file__).parents[1])
TABLE = HERE / "README.md"
TESTS_PER_FUNCTION = 2
# Tests of form rather than of values; they count only where a function has no other.
FORM = re.compile(r"float32|torch|tensor|types|shapes|refused|broadcast|same_object|messages|library")
# Tests against numbers or methods from elsewhere come first.
ORACLE = re.compile(
    r"reference|skyfield|sgp4|vallado|3gpp|tr_?38|ts_?38|p_?[68]\d\d|m_?2101|f_?1[28]|itu|scipy|quadrature|integral|monte"
    r"|sample|by_hand|closed_form|published|printed|numeric|brute|dense|example|paper|table|nrel|pvlib|derivative|(?<!ar)rays"
)
DEVIATION = re.compile(r"abs\(|norm\(|hypot|error|statistic|differ|deviat|worst|off_deg|excess|\bgap")
# A full stop after these does not end the sentence.
ABBREVIATIONS = set(
    "al am appl ch commun ed eds eng inf int lett math no numer opt phys pp proc rev sci soc technol trans veh"
    " vol".split()
)
_NUMBER = r"(?:np\.float\d+\()?(-?[\d.]+(?:e[+-]?\d+)?)\)?"
_BELOW = re.compile(rf"^{_NUMBER} <=? {_NUMBER}$")
_ABOVE = re.compile(rf"^{_NUMBER} >=? {_NUMBER}$")


@dataclass(frozen=True)
class Deviation:
    """One comparison: deviation and tolerance, both in the same kind ("abs", "rel", "below", "p")."""

    kind: str
    deviation: float
    tolerance: float

    @property
    def share(self) -> float:
        """Share of the tolerance that is used up."""
        if self.kind == "p":
            return self.tolerance / max(self.deviation, 1e-300)
        return self.deviation / self.tolerance if self.tolerance > 0.0 else math.inf * (self.deviation > 0.0)


@dataclass
class TestRecord:
    """What one test function (over all its parameters) called and compared."""

    file: str
    name: str
    text: str | None
    tolerance: str | None
    functions: set[str] = field(default_factory=set)
    worst: Deviation | None = None

    def compare(self, deviation: Deviation) -> None:
        """Keep the comparison that is nearest to its tolerance."""
        if math.isfinite(deviation.share) and (self.worst is None or deviation.share > self.worst.share):
            self.worst = deviation

    @property
    def words(self) -> str:
        """The oracle: the text of the marker, or the name of the test in words."""
        return self.text or self.name.removeprefix("test_").replace("_", " ")


@functools.cache
def physics_modules() -> tuple[Any, ...]:
    """All modules below ntn_gym.physics."""
    names = [info.name for info in pkgutil.walk_packages(ntn_gym.physics.__path__, "ntn_gym.physics.")]
    return tuple(importlib.import_module(name) for name in sorted(names))


@functools.cache
def public_functions() -> dict[str, FunctionType]:
    """Public functions of ntn_gym.physics by their name without that prefix, cached ones unwrapped."""
    found = {}
    for module in physics_modules():
        for name, value in vars(module).items():
            function = inspect.unwrap(value) if callable(value) else value
            if (
                not name.startswith("_")
                and isinstance(function, FunctionType)
                and function.__module__ == module.__name__
            ):
                found[f"{module.__name__.removeprefix('ntn_gym.physics.')}.{name}"] = function
    return found


def source_of(function: FunctionType) -> str:
    """The paragraph "Source:" of a docstring in one line."""
    match = re.search(r"Source: (.+?)(?:\n\s*\n|\Z)", inspect.getdoc(function) or "", re.DOTALL)
    if match is None:
        match = re.search(r"Source: (.+?)(?:\n\s*\n|\Z)", inspect.getdoc(inspect.getmodule(function)) or "", re.DOTALL)
    if match is None:
        # Some name the document in passing.
        words = " ".join((inspect.getdoc(function) or "").split("\n\nArgs:")[0].split())
        match = re.search(r"\(((?:ITU-R |3GPP )?(?:P\.|TR |TS )\d[^()]*|Kepler[^()]*|haversine[^()]*)\)", words)
    if match is None:
        return "definition"
    words = _first_sentence(" ".join(match[1].split())).replace("|", "\\|")
    return words if len(words) <= 160 else words[:160].rsplit(" ", 1)[0] + " ..."


def _first_sentence(words: str) -> str:
    for end in re.finditer(r"([\w)]+)\.\s(?=[A-Z])", words):
        last = end[1].lower()
        if len(last) > 1 and last not in ABBREVIATIONS:
            return words[: end.end(1)]
    return words.rstrip(".")


class Recorder:
    """Collects records over a session."""

    def __init__(self) -> None:
        """Start with no records."""
        self.records: dict[tuple[str, str], TestRecord] = {}
        self.current: TestRecord | None = None
        self.test_file = ""

    @contextmanager
    def test(self, item: pytest.Item) -> Iterator[None]:
        """Record one test."""
        path = Path(str(item.path)).relative_to(HERE).as_posix()
        name = getattr(item, "originalname", item.name)
        marker = item.get_closest_marker("oracle")
        text = marker.args[0] if marker and marker.args else None
        options = marker.kwargs if marker else {}
        record = self.records.setdefault((path, name), TestRecord(path, name, text, options.get("tolerance")))
        record.functions.update(options.get("functions", ()))
        saved = pytest.approx, np.testing.assert_allclose, np.testing.assert_array_equal
        pytest.approx = self._approx(saved[0])
        np.testing.assert_allclose = self._allclose(saved[1])
        self.current, self.test_file = record, str(item.path)
        try:
            yield
        finally:
            self.current = None
            pytest.approx, np.testing.assert_allclose, np.testing.assert_array_equal = saved

    def install(self) -> None:
        """Put a counting wrapper around every public function, where tests find it: its module and its packages.

        To be called before the tests are imported, because they keep functions in their parameters. (A profile would
        need no wrappers, but costs every call of every library: twice the time of the tests.)
        """
        for name, function in public_functions().items():
            module = sys.modules[function.__module__]
            original = getattr(module, name.rpartition(".")[2])
            counting = self._counting(name, original)
            for place in physics_modules():
                if (place is module or hasattr(place, "__path__")) and vars(place).get(function.__name__) is original:
                    setattr(place, function.__name__, counting)

    def _counting(self, name: str, original: Any) -> Any:
        @functools.wraps(original)
        def counting(*arguments: Any, **options: Any) -> Any:
            if self.current is not None and name not in self.current.functions:
                # Functions that a test hands to SciPy are called from there; those that the package calls do not count.
                caller: FrameType | None = sys._getframe(1)
                while caller is not None and PACKAGE not in caller.f_code.co_filename:
                    if caller.f_code.co_filename == self.test_file:
                        self.current.functions.add(name)
                        break
                    caller = caller.f_back
            return original(*arguments, **options)

        if hasattr(original, "cache_clear"):
            counting.cache_clear = original.cache_clear
        return counting

    def _approx(self, original: Any) -> Any:
        def approx(expected: Any, rel: Any = None, abs: Any = None, nan_ok: bool = False) -> Any:
            return _Approx(original(expected, rel=rel, abs=abs, nan_ok=nan_ok), expected, rel, abs, self.current)

        return approx

    def _allclose(self, original: Any) -> Any:
        def assert_allclose(actual: Any, desired: Any, rtol: float = 1e-7, atol: float = 0.0, **options: Any) -> None:
            original(actual, desired, rtol=rtol, atol=atol, **options)
            if self.current is not None:
                _record(self.current, actual, desired, rtol, atol)

        return assert_allclose

    def assertion(self, item: pytest.Item, expression: str, explanation: str) -> None:
        """Take `deviation < limit` and `p-value > limit` from the explanation of a passed assertion of the test."""
        # Plugins of pytest assert, too.
        if self.current is None or expression.strip() not in _text_of(item.path):
            return
        first = explanation.split("\n", 1)[0]
        # An assertion that a value is small is a comparison only where the value is a deviation.
        if (match := _BELOW.match(first)) and DEVIATION.search(expression):
            deviation, limit = float(match[1]), float(match[2])
            if deviation >= 0.0 and 0.0 < limit:
                self.current.compare(Deviation("below", deviation, limit))
        elif (match := _ABOVE.match(first)) and "pvalue" in explanation:
            self.current.compare(Deviation("p", float(match[1]), float(match[2])))

    def write(self) -> None:
        """Write the table."""
        rows = []
        for name, function in sorted(public_functions().items()):
            tests = [record for record in self.records.values() if name in record.functions]
            tests.sort(
                key=lambda r: (
                    r.text is None,
                    bool(FORM.search(r.name)),
                    r.worst is None,
                    r.file == "test_properties.py",  # laws, not values
                    ORACLE.search(r.name) is None,
                    len(r.functions),
                    r.file,
                    r.name,
                )
            )
            if tests and any(not FORM.search(r.name) for r in tests):
                tests = [r for r in tests if not FORM.search(r.name)]
            for index, record in enumerate(tests[:TESTS_PER_FUNCTION]):
                head = (f"`{name}`", source_of(function)) if index == 0 else ("", "")
                words = f"{record.words} ([{Path(record.file).stem}]({record.file}))"
                rows.append((*head, words, *_numbers(record)))
        text = (HERE / "oracles_head.md").read_text(encoding="utf-8")
        lines = [" | ".join(("", *row, "")).strip() for row in rows]
        TABLE.write_text(text + "\n".join(lines) + "\n", encoding="utf-8")


@functools.cache
def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _numbers(record: TestRecord) -> tuple[str, str]:
    worst = record.worst
    if worst is None:
        return record.tolerance or "exact", "none"
    found = "< 1e-12" if worst.deviation < 1e-12 else f"{worst.deviation:.2g}"
    kind = {"abs": "", "rel": "relative ", "below": "below ", "p": "p above "}[worst.kind]
    words = f"{kind}{worst.tolerance:.3g}"
    return record.tolerance or words, f"p = {found}" if worst.kind == "p" else found


class _Approx:
    """Stands for pytest.approx and notes each successful comparison."""

    __array_ufunc__ = None
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, inner: Any, expected: Any, rel: Any, absolute: Any, record: TestRecord | None) -> None:
        self.inner, self.expected, self.rel, self.absolute, self.record = inner, expected, rel, absolute, record

    def __eq__(self, actual: object) -> bool:
        equal = self.inner == actual
        if equal and self.record is not None:
            rel = self.rel if self.rel is not None else (1e-6 if self.absolute is None else 0.0)
            _record(self.record, actual, self.expected, rel, 1e-12 if self.absolute is None else self.absolute)
        return bool(equal)

    def __ne__(self, actual: object) -> bool:
        return not self == actual

    def __repr__(self) -> str:
        return repr(self.inner)


def _record(record: TestRecord, actual: Any, desired: Any, rtol: float, atol: float) -> None:
    if isinstance(desired, dict):
        actual, desired = [actual[key] for key in desired], list(desired.values())
    try:
        got, want = np.broadcast_arrays(np.asarray(actual, dtype=float), np.asarray(desired, dtype=float))
    except (TypeError, ValueError):
        return  # not numbers
    finite = np.isfinite(got) & np.isfinite(want)
    if not finite.any():
        return
    got, want = got[finite], want[finite]
    difference, allowed = np.abs(got - want), atol + rtol * np.abs(want)
    index = int(np.argmax(difference / np.maximum(allowed, 1e-300)))
    scale = abs(float(want[index]))
    if rtol * scale > atol:
        record.compare(Deviation("rel", float(difference[index]) / scale, rtol))
    elif atol > 0.0:
        record.compare(Deviation("abs", float(difference[index]), atol))


def function_names_in(path: Path) -> set[str]:
    """Names of the test functions of a file, those of classes included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
