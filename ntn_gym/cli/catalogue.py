"""What the registry holds, collected for lists and pages."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gymnasium import spaces

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.registry import EnvEntry, entries, find_entry, make_task, resolve
from ntn_gym.core.task import Task


@dataclass(frozen=True)
class ListedPreset:
    """One preset: its scenario and what follows from it."""

    name: str
    scenario: Any
    task: Task
    description: str
    remarks: tuple[str, ...]
    n_agents: int
    actions: str
    observation_size: int
    steps: int
    dt_s: float


@dataclass(frozen=True)
class Listed:
    """One environment with its presets (the default one first) and rules."""

    entry: EnvEntry
    presets: tuple[ListedPreset, ...]
    heuristics: Mapping[str, HeuristicSpec]

    @property
    def default(self) -> ListedPreset:
        """The preset that is used when none is named."""
        return self.presets[0]


def catalogue(environment: str | None = None) -> list[Listed]:
    """Collect one environment, or all of them.

    Raises:
        ValueError: If there is none of this name.
    """
    chosen = list(entries().values()) if environment is None else [find_entry(environment)]
    return [_listed(entry) for entry in chosen]


def _listed(entry: EnvEntry) -> Listed:
    scenarios = importlib.import_module(entry.scenarios)
    names = sorted(scenarios.preset_names(), key=lambda name: (name != entry.default_preset, name))
    heuristics: Mapping[str, HeuristicSpec] = resolve(entry.heuristics)
    return Listed(entry, tuple(_preset(entry, scenarios, name) for name in names), heuristics)


def _preset(entry: EnvEntry, scenarios: Any, name: str) -> ListedPreset:
    scenario = scenarios.load_preset(name)
    task = make_task(entry.name, scenario=scenario)
    remarks = []
    if name == entry.default_preset:
        remarks.append("default")
    if name in entry.trivial_presets:
        remarks.append("trivial: a one-line rule solves it")
    # A description that says itself that it is the default need not be told twice.
    description = str(scenario.description).strip().replace(" (default)", "")
    return ListedPreset(
        name=name,
        scenario=scenario,
        task=task,
        description=description,
        remarks=tuple(remarks),
        n_agents=task.n_agents,
        actions=describe_space(task.agent_action_space),
        observation_size=int(task.agent_observation_space.shape[0]),
        steps=task.episode_steps,
        dt_s=task.dt_s,
    )


def describe_space(space: spaces.Space[Any]) -> str:
    """Name a space of one agent in a few characters."""
    if isinstance(space, spaces.Discrete):
        return f"Discrete({space.n})"
    if isinstance(space, spaces.Box):
        return f"Box({space.shape[0]})"
    return str(space)
