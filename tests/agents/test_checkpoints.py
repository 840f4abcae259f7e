"""Checkpoints are whole or absent, and damage is noticed before anything is read."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ntn_gym_agents import checkpoints as store


def content(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def save(root: Path, steps: int, data: bytes = b"weights") -> Path:
    folder = store.checkpoint_folder(root, steps)
    store.write_folder(folder, {"model.zip": content(data)}, {"steps": steps})
    return folder


def test_a_checkpoint_that_was_written_verifies(tmp_path: Path) -> None:
    folder = save(tmp_path, 500)
    manifest = store.read_manifest(folder)
    assert manifest["steps"] == 500 and manifest["files"]["model.zip"]["bytes"] == 7
    # sha256sum of the seven bytes "weights", computed with coreutils
    assert (
        manifest["files"]["model.zip"]["sha256"] == "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"
    )
    assert [path.name for path in tmp_path.iterdir()] == [folder.name], "nothing temporary is left"


def test_the_newest_whole_checkpoint_is_found_and_damage_is_reported(tmp_path: Path) -> None:
    assert store.newest_whole(tmp_path / "absent", pytest.fail) is None
    oldest, older, old, newest = (save(tmp_path, steps) for steps in (9, 80, 700, 6000))
    (newest / "model.zip").write_bytes(b"weigh")
    (old / "model.zip").write_bytes(b"weighty")
    (older / store.MANIFEST).write_text('{"format": 1, "fil')
    told: list[str] = []
    found = store.newest_whole(tmp_path, told.append)
    assert found is not None and found.folder == oldest and found.steps == 9
    assert len(told) == 3
    assert "model.zip has 5 bytes instead of 7: it was cut short" in told[0]
    assert "SHA-256 of model.zip is not that of the manifest" in told[1]
    assert "no readable manifest.json" in told[2]
    (oldest / "model.zip").unlink()
    assert store.newest_whole(tmp_path, told.append) is None
    assert "model.zip is missing" in told[-1]


def test_a_manifest_of_another_format_is_not_trusted(tmp_path: Path) -> None:
    folder = save(tmp_path, 1)
    manifest = json.loads((folder / store.MANIFEST).read_text())
    (folder / store.MANIFEST).write_text(json.dumps(manifest | {"format": 2}))
    with pytest.raises(ValueError, match="manifest format 2, this version reads 1"):
        store.read_manifest(folder)


def test_a_full_disk_leaves_the_previous_checkpoints_and_no_rubbish(tmp_path: Path) -> None:
    save(tmp_path, 100)

    def fill(path: Path) -> None:
        path.write_bytes(b"half of the wei")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"written \(No space left on device\).*intact.*make room") as caught:
        store.write_folder(
            store.checkpoint_folder(tmp_path, 200), {"a": content(b"1"), "model.zip": fill}, {"steps": 200}
        )
    assert caught.value.errno == errno.ENOSPC
    found = store.newest_whole(tmp_path, pytest.fail)
    assert found is not None and found.steps == 100
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_exists_is_replaced_or_kept_whole(tmp_path: Path) -> None:
    save(tmp_path, 5, b"old")
    save(tmp_path, 5, b"new")
    assert (store.checkpoint_folder(tmp_path, 5) / "model.zip").read_bytes() == b"new"

    def fail(path: Path) -> None:
        raise RuntimeError("the model cannot be saved")

    with pytest.raises(RuntimeError):
        store.write_folder(store.checkpoint_folder(tmp_path, 5), {"model.zip": fail}, {"steps": 5})
    assert (store.checkpoint_folder(tmp_path, 5) / "model.zip").read_bytes() == b"new"
    assert len(list(tmp_path.iterdir())) == 1


def test_pruning_keeps_the_newest_and_removes_what_killed_processes_left(tmp_path: Path) -> None:
    for steps in (1, 20, 300, 4000):
        save(tmp_path, steps)
    (tmp_path / ".part-abc").mkdir()
    store.prune(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_000000000300", "step_000000004000"]


def test_a_published_file_comes_before_its_manifest_and_has_the_facts_of_both(tmp_path: Path) -> None:
    source = save(tmp_path / "from", 7)
    target = tmp_path / "to"
    target.mkdir()
    store.publish(source, target, "model.zip", {"finished": True})
    manifest = store.read_manifest(target)
    assert manifest["steps"] == 7 and manifest["finished"] is True
    (source / "model.zip").write_bytes(b"")
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(ValueError, match="cut short"):
        store.publish(source, other, "model.zip", {})
    assert not list(other.iterdir())
