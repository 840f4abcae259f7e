"""The small environment of the contract suite, made discoverable for these tests."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ntn_gym.envs
from ntn_gym.core.registry import entries
from ntn_gym.evaluation import provenance, work

THROWAWAY = Path(__file__).parents[1] / "contract" / "throwaway"


@pytest.fixture
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of the environment ``Tracking``, a copy that a test may change."""
    folder = tmp_path_factory.mktemp("envs")
    shutil.copytree(THROWAWAY / "tracking", folder / "tracking")
    ntn_gym.envs.__path__.append(str(folder))
    importlib.invalidate_caches()
    _forget()
    yield folder / "tracking"
    ntn_gym.envs.__path__.remove(str(folder))
    _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name.startswith("ntn_gym.envs.tracking")]:
        del sys.modules[name]
    if hasattr(ntn_gym.envs, "tracking"):
        del ntn_gym.envs.tracking
    entries.cache_clear()
    provenance.code_digest.cache_clear()
    work.shared_worlds.cache_clear()
