"""Saved worlds: round trip, damage, and every way in which somebody's own arrays can be wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ntn_gym.core.engine import Engine
from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.task import FieldSpec
from ntn_gym.core.trace import ReplayWorld, Trace, draw_trace, validate_arrays

from .counting import CountingTask, CountingWorld

FIELDS = {
    "sinr_db": FieldSpec("sinr_db", (2,), "float32", "dB", -50, 80, "signal over interference and noise"),
    "count": FieldSpec("count", (), "int64", "1", 0, 5, "how many"),
    "on": FieldSpec("on", (), "bool", "0/1", 0, 1, "on or off"),
}


def _arrays() -> dict[str, np.ndarray]:
    return {
        "sinr_db": np.zeros((3, 4, 2), dtype=np.float64),
        "count": np.ones((3, 4), dtype=np.int32),
        "on": np.ones((3, 4), dtype=bool),
    }


def test_round_trip(tmp_path: Path) -> None:
    trace = draw_trace(CountingWorld(), [WorldKey(2, 1), WorldKey(3)], 11, "Counting", {"name": "x"})
    path = trace.save(tmp_path / "deep" / "trace.npz")
    loaded = Trace.load(path)
    assert loaded.keys == (WorldKey(2, 1), WorldKey(3)) and loaded.scenario == {"name": "x"}
    assert loaded.n_worlds == 2 and loaded.n_slices == 11 and loaded.environment == "Counting"
    assert all(np.array_equal(loaded.arrays[name], array) for name, array in trace.arrays.items())
    assert [p.name for p in path.parent.iterdir()] == ["trace.npz"], "no temporary file stays"
    brought = Trace(trace.arrays, "Counting", {}, None, {"source": "measured"})
    assert Trace.load(brought.save(tmp_path / "own.npz")).notes == {"source": "measured"}


def test_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "trace.npz"
    with pytest.raises(FileNotFoundError):
        Trace.load(path)
    path.write_bytes(b"not an archive")
    with pytest.raises(ValueError, match="not a readable trace file"):
        Trace.load(path)
    np.savez(path, x=np.zeros(3))
    with pytest.raises(ValueError, match="not a readable trace file"):
        Trace.load(path)
    np.savez(path, __header__=np.array('{"format": "other"}'))
    with pytest.raises(ValueError, match="format 'other', expected"):
        Trace.load(path)
    np.savez(path, __header__=np.array([object()], dtype=object))
    with pytest.raises(ValueError, match="not a readable trace file"):
        Trace.load(path)


def test_good_arrays_get_the_declared_types() -> None:
    checked = validate_arrays(_arrays(), FIELDS, 4)
    assert checked["sinr_db"].dtype == np.float32 and checked["count"].dtype == np.int64


def test_all_problems_are_listed_at_once() -> None:
    arrays = _arrays()
    del arrays["on"]
    arrays["extra"] = np.zeros((3, 4))
    arrays["count"][0, 0] = 9
    arrays["sinr_db"][1, 2, 0] = np.nan
    with pytest.raises(ValueError, match="does not fit") as error:
        validate_arrays(arrays, FIELDS, 4)
    text = str(error.value)
    for part in (
        "missing arrays: on",
        "unknown arrays: extra",
        "count: values from 1 to 9 1, allowed 0 to 5 1",
        "sinr_db: not finite at index [1, 2, 0]; every value must be a number in dB",
    ):
        assert part in text, text


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("sinr_db", np.zeros((3, 4, 3)), r"shape \[3, 4, 3\], expected \[worlds, 4, 2\]"),
        ("sinr_db", np.zeros((3, 5, 2)), r"expected \[worlds, 4, 2\]"),
        ("count", np.zeros((2, 4), int), r"disagree on the number of worlds"),
        ("count", np.zeros((3, 4)), r"type float64, expected int64"),
        ("sinr_db", np.full((3, 4, 2), 99.0), r"allowed -50 to 80 dB"),
    ],
)
def test_each_problem(name: str, array: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        validate_arrays({**_arrays(), name: array}, FIELDS, 4)


def test_replay_goes_through_the_worlds_of_the_trace() -> None:
    trace = draw_trace(CountingWorld(), [WorldKey(5), WorldKey(6), WorldKey(7)], 11, "Counting", {})
    task = CountingTask()
    engine = Engine(task, 2, world=ReplayWorld(trace, CountingWorld.fields, 11), chunk_steps=4)
    engine.reset(seeds=[0, 4])
    assert engine.observe()[:, 0, 0].tolist() == [5000, 6000], "seed modulo the number of worlds"
    for _ in range(9):
        engine.step(np.ones((2, 2), dtype=np.int64))
    assert engine.observe()[:, 0, 0].tolist() == [5009, 6009]
    engine.reset()
    assert engine.observe()[:, 0, 0].tolist() == [6000, 7000], "the next episode is the next world"
    assert not task.world.begun, "nothing is drawn"
