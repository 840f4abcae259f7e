"""Files that are either whole or absent, whatever happens while they are written."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4


def write_whole(path: Path, text: str) -> None:
    """Write a text file atomically: a reader sees the old content or the new one, never a part.

    The text goes to a temporary file in the same folder, is flushed to the disk, and takes the place of the old file
    in one operation of the file system. A process that is killed meanwhile leaves at most a ``*.part`` file.

    Raises:
        OSError: If the folder cannot be written or the disk is full; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{uuid4().hex}.part")
        try:
            with temporary.open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OSError(
            error.errno,
            f"{path} could not be written ({error.strerror or error}); nothing was left behind and finished files are "
            "kept: make room or choose another folder, then give the same command again",
        ) from error


def remove_leftovers(folder: Path) -> None:
    """Delete temporary files that killed processes left in a folder."""
    for leftover in folder.glob(".*.part"):
        leftover.unlink(missing_ok=True)
