"""One piece of a benchmark: one policy of one preset, played and recorded, unless its record is there already."""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ntn_gym.core.registry import resolve
from ntn_gym.core.seeding import VALIDATION_SEEDS
from ntn_gym.evaluation import provenance
from ntn_gym.evaluation.benchmark_config import AgentSpec
from ntn_gym.evaluation.files import write_whole
from ntn_gym.evaluation.pool import WorldPool
from ntn_gym.evaluation.problem import Problem, find_candidate, load_agent, load_problem
from ntn_gym.evaluation.records import Identity, Kind, find_record, make_record, write_record
from ntn_gym.evaluation.rollout import EpisodeResults, ReplayPolicy, evaluate_in

TRAIN = "ntn_gym_agents.training:train"
TRAIN_JOB = "ntn_gym_agents.jobs:TrainJob"
AGENT_PACKAGES = ("torch", "stable-baselines3", "sb3-contrib")
REPLAY_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Work:
    """One policy in one preset on one list of worlds; can be sent to another process.

    Attributes:
        environment: Name or id.
        preset: Name of the preset.
        policy: ``random``, ``bound``, a rule, or the name of an agent.
        kind: What it is.
        first_seed: First reporting seed.
        n_worlds: Number of consecutive seeds.
        agent: How an agent is trained.
        training_seed: With which seed.
    """

    environment: str
    preset: str
    policy: str
    kind: Literal["rule", "bound", "agent"]
    first_seed: int
    n_worlds: int
    agent: AgentSpec | None = None
    training_seed: int | None = None

    @property
    def label(self) -> str:
        """Name for people."""
        seed = "" if self.training_seed is None else f" (seed {self.training_seed})"
        return f"{self.preset}: {self.policy}{seed}"


@dataclass(frozen=True)
class Done:
    """What became of a piece of work.

    Attributes:
        file: Name of the record's file.
        made: False where a valid record was there already.
        note: Why an old file was not used; empty if there is nothing to say.
    """

    file: str
    made: bool
    note: str = ""


@lru_cache(maxsize=1)
def shared_worlds(environment: str, preset: str, first_seed: int, n_worlds: int) -> tuple[Problem, WorldPool]:
    """The worlds of a preset, kept until another preset is asked for: policies of one preset follow each other."""
    problem = load_problem(environment, preset)
    return problem, WorldPool(problem.task, range(first_seed, first_seed + n_worlds))


Play = Callable[[], tuple[EpisodeResults, dict[str, Any]]]
"""Plays a policy; returns what happened and further fields of its record."""


def perform(work: Work, out: Path, *, show_training: bool = False) -> Done:
    """Do one piece of work, unless its record is in ``out/records`` already.

    Args:
        work: What to do.
        out: Folder of the benchmark.
        show_training: Show the progress bar of a training.

    Raises:
        OSError: If the disk is full; what was finished before is intact.
        ValueError: If something is wrong with the policy.
    """
    problem, pool = shared_worlds(work.environment, work.preset, work.first_seed, work.n_worlds)
    match work.kind:
        case "rule":
            identity, play = _rule(problem, pool, work)
        case "bound":
            identity, play = _bound(problem, pool, work)
        case "agent":
            identity, play = _agent(problem, pool, work, out / "training", show_training)
    found, note = find_record(out / "records", identity)
    if found is not None:
        return Done(identity.file_name, made=False)
    begun = time.perf_counter()
    results, fields = play()
    record = make_record(identity, results, wall_s=time.perf_counter() - begun, **fields)
    write_record(out / "records", record)
    return Done(identity.file_name, made=True, note=note)


def _identity(problem: Problem, work: Work, kind: Kind, **more: Any) -> Identity:
    return problem.identity(work.policy, kind, work.first_seed, work.n_worlds, recorded_seed=work.first_seed, **more)


def _rule(problem: Problem, pool: WorldPool, work: Work) -> tuple[Identity, Play]:
    candidate = find_candidate(problem, work.policy)
    identity = _identity(problem, work, candidate.kind, params=dict(candidate.params))

    def play() -> tuple[EpisodeResults, dict[str, Any]]:
        results = evaluate_in(pool, candidate.build(), record=work.first_seed, lanes=problem.lanes)
        fields = {
            "family": candidate.family,
            "description": candidate.description,
            "params_from": candidate.params_from,
        }
        return results, fields

    return identity, play


def _bound(problem: Problem, pool: WorldPool, work: Work) -> tuple[Identity, Play]:
    def play() -> tuple[EpisodeResults, dict[str, Any]]:
        values, actions = pool.bound(problem.entry)
        if actions is None:
            results = EpisodeResults(pool.seeds, values, np.zeros(0, dtype=np.int64), {}, {})
            return results, {"family": "bound", "description": "relaxation: no policy can return more"}
        replay = ReplayPolicy(actions, pool.seeds.tolist())
        results = evaluate_in(pool, replay, record=work.first_seed, lanes=problem.lanes)
        error = float(np.abs(results.returns - values).max())
        if error > REPLAY_TOLERANCE * max(1.0, float(np.abs(values).max())):
            raise ValueError(
                f"the bound of {problem.entry.id}, preset {problem.preset}, claims returns that its own actions miss "
                f"by {error:g}: one of the two is wrong, so that no score can be given"
            )
        fields = {
            "family": "bound",
            "description": "exact optimum with the whole future known",
            "notes": {"replay_error": error},
        }
        return replace(results, returns=values), fields

    return _identity(problem, work, "bound"), play


def _agent(problem: Problem, pool: WorldPool, work: Work, folder: Path, show_training: bool) -> tuple[Identity, Play]:
    assert work.agent is not None and work.training_seed is not None
    spec, training = work.agent, _train(problem, work, folder, show_training)
    identity = _identity(
        problem,
        work,
        "agent",
        training_seed=work.training_seed,
        training={"job": training.job, "policy": hashlib.sha256(training.policy.read_bytes()).hexdigest()},
    )

    def play() -> tuple[EpisodeResults, dict[str, Any]]:
        results = evaluate_in(pool, load_agent(training.policy), record=work.first_seed, lanes=problem.lanes)
        notes = {**training.facts, "curve": _curve(problem, training.policy.parent, spec.eval_worlds)}
        fields = {
            "family": "agent",
            "description": f"trained with {spec.algorithm}",
            "notes": notes,
            "packages": AGENT_PACKAGES,
        }
        return results, fields

    return identity, play


@dataclass(frozen=True)
class _Training:
    """A finished training: file of the policy, what was asked for, what it took."""

    policy: Path
    job: dict[str, Any]
    facts: dict[str, Any]


def _train(problem: Problem, work: Work, folder: Path, show: bool) -> _Training:
    """Train an agent, or take the finished training of the same job."""
    spec = work.agent
    assert spec is not None
    try:
        job_type, train = resolve(TRAIN_JOB), resolve(TRAIN)
    except ModuleNotFoundError as error:
        raise ValueError(
            f'agent {spec.name!r} needs the extra `agents`: pip install "ntn-gym[agents]" ({error})'
        ) from None
    asked = {
        "environment": problem.entry.id,
        "preset": problem.preset,
        "algorithm": spec.algorithm,
        "config": spec.config,
        "overrides": spec.overrides,
        "seed": work.training_seed,
        "steps": spec.steps,
        "eval_every": spec.eval_every,
        "eval_worlds": spec.eval_worlds,
    }
    # A preset whose numbers have changed is another training: it gets a folder of its own.
    mark = provenance.digest({**asked, "scenario": problem.scenario})[:8]
    target = folder / f"{problem.preset}__{spec.name.replace(' ', '-')}__seed{work.training_seed}__{mark}"
    result = train(job_type(**asked, out=str(target), progress=show))
    trained_with = target.with_name(target.name + ".json")
    if not trained_with.exists():
        code = provenance.code_digest(provenance.environment_folder(problem.entry))
        write_whole(trained_with, json.dumps({"commit": provenance.commit(), "code": code}) + "\n")
    facts = {"training": result.as_dict(), "trained_with": json.loads(trained_with.read_text(encoding="utf-8"))}
    return _Training(Path(result.policy), {**asked, "scenario": problem.scenario}, facts)


def _curve(problem: Problem, run: Path, n_worlds: int) -> dict[str, Any]:
    """Learning curve of a training on its validation worlds, with random play and the bound on the same worlds."""
    log = run / "evaluations.csv"
    if not log.exists():
        return {}
    with log.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    random, bound = _ends(problem.entry.name, problem.preset, n_worlds)
    return {
        "steps": [int(row["steps"]) for row in rows],
        "return_mean": [float(row["return_mean"]) for row in rows],
        "random": random,
        "bound": bound,
        "worlds": n_worlds,
    }


@lru_cache(maxsize=1)
def _ends(environment: str, preset: str, n_worlds: int) -> tuple[float, float]:
    """Mean return of random play and mean bound on the first validation worlds: the 0 and 1 of a learning curve."""
    problem = load_problem(environment, preset)
    first = VALIDATION_SEEDS.start
    pool = WorldPool(problem.task, range(first, first + n_worlds), purpose="validation")
    random = evaluate_in(pool, find_candidate(problem, "random").build()).returns
    return float(random.mean()), float(pool.bound(problem.entry)[0].mean())
