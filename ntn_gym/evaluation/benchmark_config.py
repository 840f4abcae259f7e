"""What a benchmark file may say: ``configs/benchmark/*.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ntn_gym.core.scenario import parse
from ntn_gym.core.seeding import REPORTING_SEEDS, TRAINING_SEEDS
from ntn_gym.evaluation.pool import check_purpose
from ntn_gym.evaluation.problem import Problem, candidate_names, load_problem, preset_names


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SeedRange(_Part):
    """Worlds to report on: consecutive reporting seeds."""

    first: int = REPORTING_SEEDS.start
    count: int = Field(ge=2, le=100_000)

    @model_validator(mode="after")
    def _reporting(self) -> SeedRange:
        check_purpose([self.first, self.first + self.count - 1], "reporting")
        return self

    @property
    def seeds(self) -> range:
        """All of them."""
        return range(self.first, self.first + self.count)


class AgentSpec(_Part):
    """A learned policy: how it is trained, and with which seeds."""

    name: str = Field(min_length=1, description="Name in the tables.")
    algorithm: str = Field("ppo", description="Name of a training configuration, configs/train/<env>/<name>.yml.")
    config: str | None = Field(None, description="Path of a configuration file of your own.")
    overrides: dict[str, Any] = Field({}, description="Values that replace single ones of the configuration.")
    steps: int | None = Field(None, ge=1, description="Environment steps; None takes those of the configuration.")
    seeds: tuple[int, ...] = Field((0,), min_length=1, description="Training seeds, one training each.")
    presets: tuple[str, ...] | None = Field(None, description="Only on these presets; None: on all.")
    eval_every: int = Field(50_000, ge=0, description="Steps between two points of the learning curve.")
    eval_worlds: int = Field(32, ge=2, description="Validation worlds of the learning curve.")

    @field_validator("seeds")
    @classmethod
    def _training(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) != len(seeds):
            raise ValueError("a training seed occurs twice: that would be the same agent twice")
        for seed in seeds:
            if seed not in TRAINING_SEEDS:
                raise ValueError(
                    f"training seed {seed}: allowed are {TRAINING_SEEDS.start} to {TRAINING_SEEDS.stop - 1}"
                )
        return seeds


class BenchmarkConfig(_Part):
    """Which policies are compared on which worlds."""

    title: str
    environment: str
    presets: tuple[str, ...] = Field(min_length=1)
    seeds: SeedRange = Field(default_factory=lambda: SeedRange(count=200))
    policies: tuple[str, ...] | Literal["all"] = Field("all", description="Rules to play; random is always played.")
    bound: Literal[True] = Field(True, description="The bound is the 1 of the scores, so that it is always needed.")
    gap_over: str | None = Field(None, description="A rule; the report says how much of the gap above it is closed.")
    trade_off: tuple[str, str] | None = Field(None, description="KPIs on the x and y axes of the trade-off chart.")
    agents: tuple[AgentSpec, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> BenchmarkConfig:
        names = [agent.name for agent in self.agents]
        for what, values in (("preset", self.presets), ("agent name", names)):
            if len(set(values)) != len(values):
                raise ValueError(f"a {what} occurs twice in {', '.join(values)}")
        for agent in self.agents:
            unknown = sorted(set(agent.presets or ()) - set(self.presets))
            if unknown:
                raise ValueError(f"agent {agent.name!r} names presets that the benchmark lacks: {', '.join(unknown)}")
        return self

    def agents_of(self, preset: str) -> list[AgentSpec]:
        """Agents that play a preset."""
        return [agent for agent in self.agents if agent.presets is None or preset in agent.presets]

    def rules_of(self, problem: Problem) -> list[str]:
        """Rules that play a preset, ``random`` first."""
        wanted = candidate_names(problem) if self.policies == "all" else list(self.policies)
        return ["random", *(name for name in wanted if name != "random")]


def load_benchmark(path: Path) -> BenchmarkConfig:
    """Read a benchmark file and check every name in it.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming every wrong field, unknown environment, preset or policy.
    """
    if not path.is_file():
        raise FileNotFoundError(f"benchmark file {path} does not exist; the shipped ones are in configs/benchmark")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not readable YAML: {error}") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold keys and values: title, environment, presets, ...")
    config = parse(BenchmarkConfig, values, f"benchmark {path}")
    check_names(config)
    return config


def check_names(config: BenchmarkConfig) -> None:
    """Refuse unknown presets and policies before anything runs.

    Raises:
        ValueError: Naming what is unknown and what exists.
    """
    known = preset_names(config.environment)
    unknown = [preset for preset in config.presets if preset not in known]
    if unknown:
        raise ValueError(f"unknown presets {', '.join(unknown)} of {config.environment}; known are {', '.join(known)}")
    problem = load_problem(config.environment, config.presets[0])
    policies = candidate_names(problem)
    for agent in config.agents:
        if agent.name in (*policies, "bound"):
            raise ValueError(f"agent name {agent.name!r} is the name of another policy; choose another")
    if config.gap_over is not None and config.gap_over not in config.rules_of(problem):
        raise ValueError(
            f"gap_over = {config.gap_over!r} is not played; played are {', '.join(config.rules_of(problem))}"
        )
    kpis = [spec.name for spec in problem.task.kpis]
    for name in config.trade_off or ():
        if name not in kpis:
            raise ValueError(f"trade_off names the unknown KPI {name!r}; known are {', '.join(kpis)}")
    missing = [name for name in config.rules_of(problem) if name not in policies]
    if missing:
        raise ValueError(f"unknown policies {', '.join(missing)}; known are {', '.join(policies)}")
