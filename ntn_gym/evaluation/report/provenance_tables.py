"""What was run: worlds, budgets, parameters, code, versions, machine."""

from __future__ import annotations

import json
from collections.abc import Iterable

from ntn_gym.evaluation.provenance import describe_versions
from ntn_gym.evaluation.report.comparison import Comparison
from ntn_gym.evaluation.report.results import BenchmarkResult
from ntn_gym.evaluation.report.tables import Table


def run_facts(result: BenchmarkResult) -> Table:
    """What everybody needs to repeat the benchmark."""
    manifest, records = result.manifest, result.records
    config = manifest.config
    seeds = config.seeds
    training_s = sum(record.notes["training"]["seconds"] for record in records if record.identity.kind == "agent")
    facts = [
        ("environment", _list(record.identity.environment for record in records)),
        ("command", manifest.command or "called from Python"),
        (
            "reporting worlds",
            f"{seeds.count} per preset: episode 0 of seeds {seeds.first} to {seeds.first + seeds.count - 1}; every "
            "policy meets the same worlds",
        ),
        ("results", f"{len(records)} of {result.expected}" + ("" if result.complete else " (not finished)")),
        ("wall-clock time", f"{manifest.wall_s / 60:.1f} min in all, {training_s / 60:.1f} min of it training"),
        ("commit", _list(record.commit for record in records)),
        ("versions", describe_versions(_versions(result))),
        (
            "machine",
            f"{manifest.machine['cores']} cores, {manifest.machine['processor']}, {manifest.machine['system']}",
        ),
        ("finished", max(record.finished for record in records)),
    ]
    trained = {
        record.notes["trained_with"]["commit"]
        for record in records
        if record.identity.kind == "agent" and record.notes["trained_with"]["code"] != record.identity.code
    }
    if trained:
        facts.append(("agents trained with other code", _list(trained)))
    return Table("What was run", ("", ""), tuple(facts), left=frozenset({1}))


def _versions(result: BenchmarkResult) -> dict[str, str]:
    found: dict[str, str] = {}
    for record in result.records:
        found |= record.versions
    return found


def _list(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values)))


def parameter_table(comparison: Comparison) -> Table:
    """Rules of a preset: what they do, with which parameters, and where those come from."""
    rows = []
    for row in comparison.rows:
        record = row.policy.first
        if record.identity.kind == "heuristic":
            params = ", ".join(f"{name} {json.dumps(value)}" for name, value in record.identity.params.items())
            rows.append((row.policy.name, record.description, params or "–", record.params_from))
    return Table(
        "Rules and their parameters",
        ("rule", "what it does", "parameters", "from"),
        tuple(rows),
        left=frozenset({1, 2, 3}),
        note="Rules are tuned on validation worlds (seeds from 1,000,000), never on the worlds of this report.",
    )
