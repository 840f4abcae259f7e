"""What produced a number: code, versions, machine."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import ntn_gym
from ntn_gym.core.registry import EnvEntry

PACKAGE = Path(ntn_gym.__file__).parent
DECISIVE_LAYERS = ("data", "physics", "world", "core")
NOT_DECISIVE = ("tuned", "__pycache__")
DECISIVE_SUFFIXES = (".py", ".csv", ".json", ".npz", ".txt", ".yaml")


def canonical(values: Any) -> str:
    """Return JSON text that is equal for equal values."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(values: Any) -> str:
    """Return a short hash of JSON-able values."""
    return hashlib.sha256(canonical(values).encode()).hexdigest()[:16]


def scenario_digest(scenario: Any) -> str:
    """Return a hash of everything that a scenario sets, names and descriptions apart."""
    return digest(scenario.model_dump(mode="json", exclude={"name", "description"}))


def environment_folder(entry: EnvEntry) -> Path:
    """Folder of an environment's package."""
    module = importlib.import_module(entry.task.partition(":")[0])
    assert module.__file__ is not None
    return Path(module.__file__).parent


@cache
def code_digest(environment: Path) -> str:
    """Return a hash of the source files and data that decide a result in an environment.

    A commit hash would not do: it changes with every note in a README, and does not change with an edit that is not yet
    committed.
    """
    result = hashlib.sha256()
    for folder in (*(PACKAGE / layer for layer in DECISIVE_LAYERS), environment):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.suffix in DECISIVE_SUFFIXES and not set(inside.parts) & set(NOT_DECISIVE):
                result.update(f"{folder.name}/{inside.as_posix()}".encode())
                result.update(path.read_bytes())
    return result.hexdigest()[:16]


@cache
def commit() -> str:
    """Return the commit of the source tree, with ``+changes`` if files differ from it; ``unknown`` outside git."""
    try:
        head, changes = (
            subprocess.run(
                ["git", "-C", str(PACKAGE), *words], capture_output=True, text=True, check=True, timeout=20
            ).stdout.strip()
            for words in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--", "."))
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{head}+changes" if changes else head


def versions(*more: str) -> dict[str, str]:
    """Versions of Python, this package and what numbers depend on; names that are not installed are left out."""
    found = {"python": platform.python_version(), "ntn_gym": ntn_gym.__version__}
    for name in ("numpy", "scipy", "sgp4", *more):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """What the run was timed on."""
    return {"cores": os.cpu_count(), "processor": platform.machine(), "system": platform.system()}


def describe_versions(found: Mapping[str, str]) -> str:
    """One line for people."""
    return ", ".join(f"{name} {version}" for name, version in found.items())
