"""One file per result: what was played, what came out, and what produced it.

The name of a file says which (environment, preset, policy, training seed, evaluation seeds) it is of; the key inside
is a hash of everything that decides the numbers. A file whose key is not the one asked for is of another scenario,
other parameters or other code, and is made again.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ntn_gym.evaluation import provenance
from ntn_gym.evaluation.files import write_whole
from ntn_gym.evaluation.rollout import EpisodeResults, Recording

Kind = Literal["random", "heuristic", "agent", "bound"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Identity(_Model):
    """Everything that decides the numbers of a record."""

    environment: str = Field(description="Id with version, NTN/Handover-v0.")
    preset: str
    scenario: str = Field(description="Hash of the scenario.")
    code: str = Field(description="Hash of the sources and data that a result depends on.")
    policy: str
    kind: Kind
    params: dict[str, Any] = {}
    training_seed: int | None = None
    training: dict[str, Any] = Field({}, description="Job and hash of the checkpoint of a trained agent.")
    first_seed: int
    n_worlds: int
    recorded_seed: int | None = None

    @property
    def key(self) -> str:
        """Hash of all of it."""
        return provenance.digest(self.model_dump(mode="json"))

    @property
    def file_name(self) -> str:
        """Name of the record's file."""
        parts = [self.environment.removeprefix("NTN/"), self.preset, self.policy]
        if self.training_seed is not None:
            parts.append(f"seed{self.training_seed}")
        parts.append(f"worlds{self.first_seed}+{self.n_worlds}")
        return "__".join(re.sub(r"[^A-Za-z0-9.+-]+", "-", part) for part in parts) + ".json"


class TimeLine(_Model):
    """One recorded episode of the first agent, see `rollout.Recording`."""

    seed: int
    dt_s: float
    lanes: dict[str, list[int]]
    reward: list[float]
    kpis: dict[str, list[float]]


class Record(_Model):
    """A result of one policy on one list of worlds."""

    format: Literal["ntn_gym-record-1"] = "ntn_gym-record-1"
    key: str
    identity: Identity
    family: str = Field(description="single, composite or forecast for heuristics; random, agent, bound.")
    description: str = ""
    params_from: str = Field("", description="Where the parameters of a heuristic come from.")
    returns: list[float] = Field(description="Undiscounted return, mean over agents, per world.")
    steps: list[int] = Field([], description="Length of the episode, per world; empty for a bound without actions.")
    terms: dict[str, list[float]] = Field({}, description="Sums of the reward terms, mean over agents, per world.")
    kpis: dict[str, list[float]] = Field({}, description="KPIs of the episode, per world.")
    time_line: TimeLine | None = None
    notes: dict[str, Any] = {}
    wall_s: float = Field(ge=0, description="Time that the evaluation took, training apart.")
    commit: str
    versions: dict[str, str]
    machine: dict[str, Any]
    finished: str = Field(description="UTC, ISO 8601.")

    @model_validator(mode="after")
    def _consistent(self) -> Record:
        if self.key != self.identity.key:
            raise ValueError(f"key {self.key} does not belong to what the record says it is of ({self.identity.key})")
        for name, values in {"returns": self.returns, **self.terms, **self.kpis}.items():
            if len(values) != self.identity.n_worlds:
                raise ValueError(f"{name} has {len(values)} worlds, expected {self.identity.n_worlds}")
        return self

    @property
    def label(self) -> str:
        """Name of the policy, with its training seed where it has one."""
        seed = self.identity.training_seed
        return self.identity.policy if seed is None else f"{self.identity.policy} (seed {seed})"


class DamagedRecord(ValueError):
    """A file that is no whole record."""


def make_record(
    identity: Identity,
    results: EpisodeResults,
    *,
    family: str,
    wall_s: float,
    packages: Sequence[str] = (),
    **more: Any,
) -> Record:
    """Build the record of a finished evaluation.

    Args:
        identity: What was evaluated.
        results: What came out.
        family: Family of the policy.
        wall_s: Time it took.
        packages: Distributions whose versions matter besides the core ones.
        more: Further fields of `Record`.
    """
    return Record(
        key=identity.key,
        identity=identity,
        family=family,
        returns=results.returns.tolist(),
        steps=results.steps.tolist(),
        terms={name: values.tolist() for name, values in results.terms.items()},
        kpis={name: values.tolist() for name, values in results.kpis.items()},
        time_line=None if results.recording is None else time_line(results.recording),
        wall_s=wall_s,
        commit=provenance.commit(),
        versions=provenance.versions(*packages),
        machine=provenance.machine(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        **more,
    )


def time_line(recording: Recording) -> TimeLine:
    """Convert a recorded episode to its stored form."""
    return TimeLine(**dataclasses.asdict(recording))


def write_record(folder: Path, record: Record) -> Path:
    """Write a record atomically into a folder; return its path.

    Raises:
        OSError: If the disk is full or the folder cannot be written.
    """
    path = folder / record.identity.file_name
    write_whole(path, json.dumps(record.model_dump(mode="json"), allow_nan=False) + "\n")
    return path


def read_record(path: Path) -> Record:
    """Read a record.

    Raises:
        DamagedRecord: If the file is truncated or anything in it is wrong.
    """
    try:
        return Record.model_validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise DamagedRecord(f"{path}: not a whole record ({where + ': ' if where else ''}{problem['msg']})") from None


def find_record(folder: Path, identity: Identity) -> tuple[Record | None, str]:
    """Look for a valid record of exactly this identity.

    Returns:
        The record, or None with the reason why there is none (empty if there is simply no file).
    """
    path = folder / identity.file_name
    if not path.exists():
        return None, ""
    try:
        record = read_record(path)
    except DamagedRecord as error:
        return None, f"{error}; it is made again"
    if record.key != identity.key:
        return None, f"{path}: of {_difference(record.identity, identity)}; it is made again"
    return record, ""


def _difference(found: Identity, wanted: Identity) -> str:
    names = {"scenario": "another scenario", "code": "other code", "params": "other parameters"}
    different = [name for name in Identity.model_fields if getattr(found, name) != getattr(wanted, name)]
    return ", ".join(names.get(name, f"another {name.replace('_', ' ')}") for name in different)
