"""Every test here runs on every environment of the registry and on a throw-away one: nothing to edit for a new one.

A test asks for ``case`` (the ``tiny`` and the default preset), ``small_case`` (one cheap preset) or ``any_case`` (all
presets of the registered environments).
"""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ntn_gym.envs
from ntn_gym.core.registry import entries
from ntn_gym.interfaces.registration import register_environments, unregister_environment

from .cases import Case

THROWAWAY = Path(__file__).parent / "throwaway"
THROWAWAY_CASES = [Case("Tracking", "tiny"), Case("Tracking", "pair")]


@pytest.fixture(scope="module", autouse=True)
def throwaway_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make the environment of the folder ``throwaway`` discoverable while a module of this suite runs."""
    folder = tmp_path_factory.mktemp("envs")
    shutil.copytree(THROWAWAY / "tracking", folder / "tracking")
    ntn_gym.envs.__path__.append(str(folder))
    importlib.invalidate_caches()
    entries.cache_clear()
    register_environments()
    yield
    ntn_gym.envs.__path__.remove(str(folder))
    for name in [name for name in sys.modules if name.startswith("ntn_gym.envs.tracking")]:
        del sys.modules[name]
    if hasattr(ntn_gym.envs, "tracking"):
        del ntn_gym.envs.tracking
    entries.cache_clear()
    for env_id in ("NTN/Tracking-v0", "NTN/Tracking-MO-v0"):
        unregister_environment(env_id)


def _cases(kind: str) -> list[Case]:
    cases = []
    for entry in entries().values():
        presets = importlib.import_module(entry.scenarios).preset_names()
        small = "tiny" if "tiny" in presets else entry.default_preset
        chosen = {
            "small_case": [small],
            "case": dict.fromkeys([small, entry.default_preset]),
            "any_case": presets,
        }[kind]
        cases += [Case(entry.name, preset) for preset in chosen]
    return cases + (THROWAWAY_CASES[1:] if kind == "small_case" else THROWAWAY_CASES)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for kind in ("case", "small_case", "any_case"):
        if kind in metafunc.fixturenames:
            cases = _cases(kind)
            metafunc.parametrize(kind, cases, ids=[f"{case.name}-{case.preset}" for case in cases])
