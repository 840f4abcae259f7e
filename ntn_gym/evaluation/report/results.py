"""The records of a benchmark, sorted by preset and policy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import KpiSpec, TermSpec
from ntn_gym.evaluation.benchmark import Manifest, plan, read_manifest
from ntn_gym.evaluation.problem import Problem, load_problem
from ntn_gym.evaluation.records import DamagedRecord, Record, read_record

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PolicyResult:
    """One policy on one preset: one record, or one per training seed."""

    name: str
    family: str
    records: tuple[Record, ...]

    @property
    def returns(self) -> Floats:
        """Returns [runs, worlds]."""
        return np.array([record.returns for record in self.records])

    def kpi(self, name: str) -> Floats | None:
        """A KPI [runs, worlds]; None where nothing was played, as for a relaxation."""
        if any(name not in record.kpis for record in self.records):
            return None
        return np.array([record.kpis[name] for record in self.records])

    @property
    def first(self) -> Record:
        """The only record, or that of the first training seed."""
        return self.records[0]


@dataclass(frozen=True)
class PresetResult:
    """All policies on one preset."""

    preset: str
    description: str
    trivial: bool
    kpis: tuple[KpiSpec, ...]
    terms: tuple[TermSpec, ...]
    policies: tuple[PolicyResult, ...]

    def find(self, name: str) -> PolicyResult | None:
        """Return a policy by name."""
        return next((policy for policy in self.policies if policy.name == name), None)

    @property
    def random(self) -> PolicyResult:
        """Zero of the scores."""
        return self._needed("random")

    @property
    def bound(self) -> PolicyResult:
        """One of the scores."""
        return self._needed("bound")

    def _needed(self, name: str) -> PolicyResult:
        found = self.find(name)
        if found is None:
            raise ValueError(
                f"preset {self.preset}: the result of {name!r} is missing; give the benchmark command again"
            )
        return found

    @property
    def n_worlds(self) -> int:
        """Worlds that everybody met."""
        return self.random.first.identity.n_worlds


@dataclass(frozen=True)
class BenchmarkResult:
    """Everything that a report is made of.

    Attributes:
        manifest: What was asked for.
        expected: Number of results of a finished benchmark.
        presets: Results by preset; a preset without its random policy or bound is left out.
        problems: Files that could not be used, in words.
    """

    manifest: Manifest
    expected: int
    presets: tuple[PresetResult, ...]
    problems: tuple[str, ...]

    @property
    def records(self) -> list[Record]:
        """All records."""
        return [record for preset in self.presets for policy in preset.policies for record in policy.records]

    @property
    def complete(self) -> bool:
        """Whether every result is there."""
        return len(self.records) == self.expected


def load_results(folder: Path) -> BenchmarkResult:
    """Read the folder of a benchmark.

    Raises:
        FileNotFoundError: If it is none.
        ValueError: If it holds no preset that can be scored.
    """
    manifest = read_manifest(folder)
    records, problems = [], []
    for name in manifest.files:
        try:
            records.append(read_record(folder / "records" / name))
        except (DamagedRecord, FileNotFoundError) as error:
            problems.append(f"{error}; give the benchmark command again to make it again")
    presets = []
    for preset in manifest.config.presets:
        found = [record for record in records if record.identity.preset == preset]
        names = {record.identity.policy for record in found}
        if not {"random", "bound"} <= names:
            problems.append(
                f"preset {preset} has no result of random play or of the bound yet, so that nothing is scored"
            )
            continue
        worlds = {(r.identity.first_seed, r.identity.n_worlds, r.identity.scenario, r.identity.code) for r in found}
        if len(worlds) > 1:
            raise ValueError(
                f"preset {preset}: the records are of different worlds, scenarios or code; give the benchmark command "
                "again, which replaces the old ones"
            )
        presets.append(_preset_result(load_problem(manifest.config.environment, preset), found))
    if not presets:
        raise ValueError(f"{folder} holds nothing to report: " + "; ".join(problems))
    return BenchmarkResult(manifest, len(plan(manifest.config)), tuple(presets), tuple(problems))


def _preset_result(problem: Problem, records: list[Record]) -> PresetResult:
    by_name: dict[str, list[Record]] = {}
    for record in records:
        by_name.setdefault(record.identity.policy, []).append(record)
    policies = [
        PolicyResult(name, found[0].family, tuple(sorted(found, key=_training_seed))) for name, found in by_name.items()
    ]
    return PresetResult(
        preset=problem.preset,
        description=problem.description,
        trivial=problem.preset in problem.entry.trivial_presets,
        kpis=problem.task.kpis,
        terms=problem.task.reward_terms,
        policies=tuple(policies),
    )


def _training_seed(record: Record) -> Any:
    return record.identity.training_seed or 0
