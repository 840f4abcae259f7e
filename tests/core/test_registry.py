"""Discovery: folders with an entry are environments, and mistakes are named."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ntn_gym.core.registry import EnvEntry, discover, entries, find_entry, make_task, resolve

ENTRY = """
from ntn_gym.core.registry import EnvEntry
ENTRY = EnvEntry(name={name!r}, version=2, title="t", task="m:T", scenarios="m", heuristics="m:H", bound="m:b",
                 renderer=None, default_preset="tiny", agents="user")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty package of environments named ``zoo_of_envs``."""
    root = tmp_path / "zoo_of_envs"
    root.mkdir()
    (root / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield root
    for name in [name for name in sys.modules if name.startswith("zoo_of_envs")]:
        del sys.modules[name]


def _add(package: Path, folder: str, text: str | None) -> None:
    (package / folder).mkdir()
    (package / folder / "__init__.py").write_text("")
    if text is not None:
        (package / folder / "entry.py").write_text(text)
    importlib.invalidate_caches()


def test_folders_with_an_entry_are_found(package: Path) -> None:
    _add(package, "zebra", ENTRY.format(name="Zebra"))
    _add(package, "ape", ENTRY.format(name="Ape"))
    _add(package, "helpers", None)
    (package / "module.py").write_text("raise RuntimeError('plain modules are not imported')")
    found = discover("zoo_of_envs")
    assert list(found) == ["Ape", "Zebra"]
    assert found["Ape"].id == "NTN/Ape-v2" and found["Ape"].vector_reward_id == "NTN/Ape-MO-v2"


def test_an_entry_that_is_none_is_named(package: Path) -> None:
    _add(package, "one", "ENTRY = 3")
    with pytest.raises(ValueError, match=r"zoo_of_envs\.one\.entry has no ENTRY of type EnvEntry"):
        discover("zoo_of_envs")


def test_two_of_one_name_are_refused(package: Path) -> None:
    _add(package, "one", ENTRY.format(name="Same"))
    _add(package, "two", ENTRY.format(name="Same"))
    with pytest.raises(ValueError, match="two environments are named 'Same'"):
        discover("zoo_of_envs")


def test_resolve_imports_what_is_named() -> None:
    assert resolve("ntn_gym.core.registry:EnvEntry") is EnvEntry
    with pytest.raises(ModuleNotFoundError):
        resolve("ntn_gym.core.nowhere:thing")


def test_find_by_any_name() -> None:
    for entry in entries().values():
        for name in (entry.name, entry.id, f"ntn_gym:{entry.id}", entry.vector_reward_id):
            assert find_entry(name) is entry
    with pytest.raises(ValueError, match="unknown environment 'NTN/Nothing-v0'"):
        find_entry("NTN/Nothing-v0")
    with pytest.raises(ValueError, match="unknown environment"):
        make_task("Nothing")
