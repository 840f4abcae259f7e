"""One environment with one preset, and the policies that can be named in it."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.policy import Policy
from ntn_gym.core.registry import EnvEntry, find_entry, make_task, resolve
from ntn_gym.core.task import Task
from ntn_gym.evaluation.provenance import code_digest, environment_folder, scenario_digest
from ntn_gym.evaluation.records import Identity, Kind
from ntn_gym.evaluation.rollout import Lanes
from ntn_gym.evaluation.tuned import read_tuned
from ntn_gym.evaluation.uniform import UniformPolicy

LOAD_POLICY = "ntn_gym_agents.zoo:load_policy"


@dataclass(frozen=True)
class Problem:
    """An environment with one of its presets.

    Attributes:
        entry: The environment.
        preset: Name of the preset.
        description: What the preset is about; may be empty.
        scenario: Hash of the scenario.
        task: The decision problem.
        heuristics: Its rules by name.
    """

    entry: EnvEntry
    preset: str
    description: str
    scenario: str
    task: Task
    heuristics: Mapping[str, HeuristicSpec]

    @property
    def lanes(self) -> Lanes | None:
        """What a time line shows: ``lanes`` of the module of that name, for an environment that has one."""
        module = f"{self.entry.task.partition(':')[0].rpartition('.')[0]}.lanes"
        return None if importlib.util.find_spec(module) is None else resolve(f"{module}:lanes")

    def identity(self, policy: str, kind: Kind, first_seed: int, n_worlds: int, **more: Any) -> Identity:
        """Say what decides the numbers of a policy in this problem; ``more`` are further fields of `Identity`."""
        return Identity(
            environment=self.entry.id,
            preset=self.preset,
            scenario=self.scenario,
            code=code_digest(environment_folder(self.entry)),
            policy=policy,
            kind=kind,
            first_seed=first_seed,
            n_worlds=n_worlds,
            **more,
        )


def load_problem(environment: str, preset: str | None = None) -> Problem:
    """Load an environment by name or id with one of its presets (None: its default one).

    Raises:
        ValueError: If either is unknown.
    """
    entry = find_entry(environment)
    chosen = preset or entry.default_preset
    scenario = importlib.import_module(entry.scenarios).load_preset(chosen)
    return Problem(
        entry=entry,
        preset=chosen,
        description=getattr(scenario, "description", ""),
        scenario=scenario_digest(scenario),
        task=make_task(entry.name, scenario=scenario),
        heuristics=resolve(entry.heuristics),
    )


def preset_names(environment: str) -> list[str]:
    """Names of the presets of an environment."""
    names: list[str] = importlib.import_module(find_entry(environment).scenarios).preset_names()
    return names


@dataclass(frozen=True)
class Candidate:
    """A policy that can be built: random play or a rule.

    Attributes:
        name: Name in tables.
        kind: Random or heuristic.
        family: ``random``, or the family of the rule.
        description: One sentence.
        build: Makes the policy.
        params: Parameters of a rule.
        params_from: Where they come from, for the report.
    """

    name: str
    kind: Kind
    family: str
    description: str
    build: Callable[[], Policy]
    params: Mapping[str, Any] = field(default_factory=dict)
    params_from: str = ""


def candidate_names(problem: Problem) -> list[str]:
    """``random`` and the rules of the environment."""
    return ["random", *problem.heuristics]


def find_candidate(problem: Problem, name: str) -> Candidate:
    """Return random play or a rule with the parameters tuned for the preset (its own ones if it was never tuned).

    Raises:
        ValueError: If there is no such policy.
    """
    if name == "random":
        return Candidate(
            name, "random", "random", "uniform over the legal actions", lambda: UniformPolicy(problem.task)
        )
    if name not in problem.heuristics:
        raise ValueError(
            f"unknown policy {name!r} of {problem.entry.id}; known are {', '.join(candidate_names(problem))}, "
            "or the path of a trained agent"
        )
    spec = problem.heuristics[name]
    params: Mapping[str, Any] = {}
    params_from = "no parameters"
    if spec.grid:
        tuned = read_tuned(environment_folder(problem.entry), problem.preset).get(name)
        params_from = "recommended values, not tuned for this preset"
        if tuned is not None:
            params = tuned.params
            params_from = f"tuned: {tuned.draws} draws on {tuned.episodes} validation episodes"
            if tuned.scenario != problem.scenario:
                params_from += ", on an earlier version of this preset"
    return Candidate(
        name,
        "heuristic",
        spec.family,
        spec.description,
        lambda: spec.factory(problem.task, params),
        params,
        params_from,
    )


def load_agent(path: Path) -> Policy:
    """Load a trained agent.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If agents are not installed, or the checkpoint is damaged.
    """
    try:
        load: Callable[[str], Policy] = resolve(LOAD_POLICY)
    except ModuleNotFoundError as error:
        raise ValueError(
            f'{path} is a trained agent, and loading one needs the extra `agents`: pip install "ntn-gym[agents]" '
            f"({error})"
        ) from None
    return load(str(path))
