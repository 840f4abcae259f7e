"""Environments are found, not listed: every folder of ``ntn_gym/envs`` with an ``entry.py`` is one.

`entry.py` holds an `EnvEntry` named ``ENTRY``: strings and numbers only, so that registering costs
nothing. What an entry names is imported when an environment is made.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

NAMESPACE = "NTN"


@dataclass(frozen=True, slots=True)
class EnvEntry:
    """What the suite needs to know of one environment. References are ``"module:attribute"`` strings.

    Attributes:
        name: CamelCase name; the id is ``NTN/<name>-v<version>``.
        version: Raised whenever a fixed seed and action list gives another trajectory.
        title: One line for tables.
        task: Class of the task; called with a scenario. Its docstring is the documentation page.
        scenarios: Module with ``load_preset(name)``, ``preset_names()`` and ``with_overrides(scenario,
            values)``.
        heuristics: Mapping from policy name to policy factory.
        bound: Function giving an upper bound on the return of every world of a trace.
        renderer: Function drawing one world; None uses no pictures.
        default_preset: Preset used when none is named.
        trivial_presets: Presets that a one-line rule solves; their page says so.
        agents: What one agent is, for tables ("user", "platform", ...).
    """

    name: str
    version: int
    title: str
    task: str
    scenarios: str
    heuristics: str
    bound: str
    renderer: str | None
    default_preset: str
    agents: str
    trivial_presets: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Id in the Gymnasium and PettingZoo registries."""
        return f"{NAMESPACE}/{self.name}-v{self.version}"

    @property
    def vector_reward_id(self) -> str:
        """Id of the variant whose reward is the vector of reward terms."""
        return f"{NAMESPACE}/{self.name}-MO-v{self.version}"


def resolve(reference: str) -> Any:
    """Import what a ``"module:attribute"`` string names."""
    module, _, attribute = reference.partition(":")
    return getattr(importlib.import_module(module), attribute)


def discover(package: str = "ntn_gym.envs") -> dict[str, EnvEntry]:
    """Find all environments of a package by their ``entry`` modules, in alphabetical order.

    Raises:
        ValueError: If two entries have the same name, or an ``entry.py`` has no ``ENTRY``.
    """
    found: dict[str, EnvEntry] = {}
    root = importlib.import_module(package)
    for module_info in sorted(pkgutil.iter_modules(root.__path__), key=lambda info: info.name):
        if not module_info.ispkg:
            continue
        name = f"{package}.{module_info.name}.entry"
        if importlib.util.find_spec(name) is None:
            continue
        module: ModuleType = importlib.import_module(name)
        entry = getattr(module, "ENTRY", None)
        if not isinstance(entry, EnvEntry):
            raise ValueError(f"{name} has no ENTRY of type EnvEntry; see CONTRIBUTING.md")
        if entry.name in found:
            raise ValueError(f"two environments are named {entry.name!r}; names must be unique")
        found[entry.name] = entry
    return found


@cache
def entries() -> Mapping[str, EnvEntry]:
    """Return the environments of the suite by name."""
    return discover()


def find_entry(name: str) -> EnvEntry:
    """Return the entry of ``Handover``, ``NTN/Handover-v0`` or ``ntn_gym:NTN/Handover-v0``.

    Raises:
        ValueError: If there is none, listing what exists.
    """
    for entry in entries().values():
        if name.removeprefix("ntn_gym:") in (entry.name, entry.id, entry.vector_reward_id):
            return entry
    known = ", ".join(entry.id for entry in entries().values())
    raise ValueError(f"unknown environment {name!r}; known are {known}")


def make_task(name: str, preset: str | None = None, scenario: Any = None) -> Any:
    """Build the task of an environment.

    Args:
        name: Name or id of the environment.
        preset: Name of a preset; None uses the default one.
        scenario: A scenario object, or a mapping of values that replace those of the preset (nested).

    Raises:
        ValueError: If the preset is unknown or a value is out of its range.
    """
    entry = find_entry(name)
    scenarios = importlib.import_module(entry.scenarios)
    if scenario is not None and not isinstance(scenario, Mapping):
        if preset is not None:
            raise ValueError("give a preset (with a mapping of changes) or a whole scenario, not both")
        chosen = scenario
    else:
        chosen = scenarios.load_preset(preset or entry.default_preset)
        if scenario:
            chosen = scenarios.with_overrides(chosen, scenario)
    factory: Callable[[Any], Any] = resolve(entry.task)
    return factory(chosen)
