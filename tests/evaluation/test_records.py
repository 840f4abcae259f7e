"""Records: whole or absent, read back exactly, refused when damaged."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ntn_gym.evaluation import files
from ntn_gym.evaluation.records import (
    DamagedRecord,
    Identity,
    Record,
    find_record,
    make_record,
    read_record,
    write_record,
)
from ntn_gym.evaluation.rollout import EpisodeResults, Recording

IDENTITY = Identity(
    environment="NTN/Tracking-v0",
    preset="pair",
    scenario="aa",
    code="bb",
    policy="follow me",
    kind="heuristic",
    params={"threshold_m": 0.5},
    first_seed=2_000_000,
    n_worlds=3,
)


def a_record(identity: Identity = IDENTITY) -> Record:
    results = EpisodeResults(
        seeds=np.arange(3),
        returns=np.array([0.1, 1 / 3, -2.5]),
        steps=np.array([40, 40, 40]),
        terms={"distance": np.array([1.0, 2.0, 3.0])},
        kpis={"on_target": np.array([0.1, 0.2, 0.3])},
        recording=Recording(2_000_000, 1.0, {"action": [0, 1]}, [0.0, -1.0], {"on_target": [1.0, 0.0]}),
    )
    return make_record(identity, results, family="single", wall_s=1.5)


def test_round_trip_is_exact(tmp_path: Path) -> None:
    record = a_record()
    path = write_record(tmp_path, record)
    assert path.name == "Tracking-v0__pair__follow-me__worlds2000000+3.json"
    assert read_record(path) == record
    assert find_record(tmp_path, IDENTITY) == (record, "")
    assert os.listdir(tmp_path) == [path.name]


def test_a_record_of_something_else_is_not_taken(tmp_path: Path) -> None:
    write_record(tmp_path, a_record())
    for change, words in (
        ({"scenario": "cc"}, "another scenario"),
        ({"code": "cc"}, "other code"),
        ({"params": {"threshold_m": 1.0}}, "other parameters"),
    ):
        found, why = find_record(tmp_path, IDENTITY.model_copy(update=change))
        assert found is None
        assert words in why
        assert "made again" in why
    assert find_record(tmp_path, IDENTITY.model_copy(update={"policy": "other"})) == (None, "")


def spoil(path: Path, how: str) -> None:
    text = path.read_text()
    values: dict[str, Any] = json.loads(text)
    if how == "truncated":
        path.write_text(text[: len(text) // 2])
    elif how == "empty":
        path.write_text("")
    else:
        if how == "a world is missing":
            values["returns"].pop()
        elif how == "not a number":
            values["returns"][0] = None
        elif how == "other parameters than the key says":
            values["identity"]["params"] = {}
        elif how == "a field is missing":
            del values["commit"]
        path.write_text(json.dumps(values))


@pytest.mark.parametrize(
    "how",
    [
        "truncated",
        "empty",
        "a world is missing",
        "not a number",
        "other parameters than the key says",
        "a field is missing",
    ],
)
def test_damage_is_noticed_and_named(tmp_path: Path, how: str) -> None:
    path = write_record(tmp_path, a_record())
    spoil(path, how)
    with pytest.raises(DamagedRecord, match=path.name.replace("+", r"\+")):
        read_record(path)
    found, why = find_record(tmp_path, IDENTITY)
    assert found is None
    assert "not a whole record" in why


def full_disk(monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, at, refuse)


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    path = write_record(tmp_path, a_record())
    before = path.read_bytes()
    full_disk(monkeypatch, at)
    with pytest.raises(OSError, match=r"No space left on device.*same command again") as error:
        write_record(tmp_path, a_record())
    assert error.value.errno == errno.ENOSPC
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]
