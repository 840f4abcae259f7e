"""Checkpoints that are whole or absent: a folder per checkpoint, with a manifest of what belongs in it.

A checkpoint is written into a temporary folder, flushed to the disk and renamed in one operation. Its
``manifest.json`` holds the SHA-256 of every file, so that a file that was cut short later (a full disk, a
broken copy) is noticed before anything is read from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ntn_gym.evaluation.files import write_whole

MANIFEST = "manifest.json"
FORMAT = 1
_PREFIX = "step_"
_PART = ".part-"

Writer = Callable[[Path], None]


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose files are as its manifest says."""

    folder: Path
    steps: int
    facts: dict[str, Any]


def write_folder(target: Path, files: Mapping[str, Writer], facts: Mapping[str, Any]) -> None:
    """Write files and their manifest as one folder, atomically.

    Args:
        target: The folder; one that exists is replaced.
        files: For every file name a function that writes it to a path.
        facts: JSON-able values to stand in the manifest.

    Raises:
        OSError: If the disk is full or not writable. Nothing is left behind and ``target`` is as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=_PART, dir=target.parent))
    try:
        sums = {}
        for name, write in files.items():
            write(part / name)
            _flush(part / name)
            sums[name] = {"sha256": sha256(part / name), "bytes": (part / name).stat().st_size}
        manifest = {"format": FORMAT, "files": sums, **facts}
        (part / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        _flush(part / MANIFEST)
        _flush(part)
        old = None
        if target.exists():  # a folder cannot take the place of a full one: move that one aside first
            old = Path(tempfile.mkdtemp(prefix=_PART, dir=target.parent)) / "old"
            os.replace(target, old)
        os.replace(part, target)
        _flush(target.parent)
        if old is not None:
            shutil.rmtree(old.parent, ignore_errors=True)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        if isinstance(error, OSError):
            raise OSError(
                error.errno,
                f"{target} could not be written ({error.strerror or error}); what was saved before is intact: "
                "make room, then give the same command again",
            ) from error
        raise


def publish(source: Path, target: Path, name: str, facts: Mapping[str, Any]) -> None:
    """Copy one file of a folder written by `write_folder` into ``target``, which may hold other things, too.

    The manifest comes last, so that a ``target`` with a manifest is complete; it has the facts of the source
    and those given here.

    Raises:
        ValueError: If the source is damaged.
        OSError: If the disk is full or not writable.
    """
    manifest = read_manifest(source)
    handle, part = tempfile.mkstemp(prefix=_PART, dir=target)
    os.close(handle)
    try:
        shutil.copyfile(source / name, part)
        _flush(Path(part))
        os.replace(part, target / name)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    whole = {**manifest, **facts, "files": {name: manifest["files"][name]}}
    write_whole(target / MANIFEST, json.dumps(whole, indent=1) + "\n")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a manifest and check every file against it.

    Raises:
        ValueError: If the manifest or a file is missing, cut short or changed.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = manifest["files"]
        format_number = manifest["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder}: no readable {MANIFEST} ({type(error).__name__}: {error})") from None
    if format_number != FORMAT:
        raise ValueError(f"{folder}: manifest format {format_number}, this version reads {FORMAT}")
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise ValueError(f"{folder}: {name} is missing")
        size = path.stat().st_size
        if size != expected["bytes"]:
            raise ValueError(f"{folder}: {name} has {size} bytes instead of {expected['bytes']}: it was cut short")
        if sha256(path) != expected["sha256"]:
            raise ValueError(f"{folder}: the SHA-256 of {name} is not that of the manifest: the file was changed")
    return manifest


def checkpoint_folder(root: Path, steps: int) -> Path:
    """Folder of the checkpoint after so many steps."""
    return root / f"{_PREFIX}{steps:012d}"


def newest_whole(root: Path, report: Callable[[str], None]) -> Checkpoint | None:
    """Return the newest checkpoint whose files verify; None if there is none.

    Args:
        root: Folder with checkpoints; it may be absent.
        report: Told about every checkpoint that had to be skipped.
    """
    for folder in sorted(root.glob(f"{_PREFIX}*"), reverse=True):
        try:
            facts = read_manifest(folder)
        except ValueError as error:
            report(f"checkpoint skipped: {error}")
            continue
        return Checkpoint(folder, int(facts["steps"]), facts)
    return None


def prune(root: Path, keep: int) -> None:
    """Delete all but the newest checkpoints, and what killed processes left behind."""
    for folder in sorted(root.glob(f"{_PREFIX}*"), reverse=True)[keep:]:
        shutil.rmtree(folder, ignore_errors=True)
    for folder in root.glob(f"{_PART}*"):
        shutil.rmtree(folder, ignore_errors=True)


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Bring a file or folder to the disk (Windows cannot open folders; renames are ordered there anyway)."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
