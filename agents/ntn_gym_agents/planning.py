"""From a job to a plan: everything is looked up and checked before anything is created."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass, replace
from typing import Any

from ntn_gym.core.registry import EnvEntry, find_entry, make_task, resolve
from ntn_gym.core.seeding import VALIDATION_SEEDS
from ntn_gym.core.task import Task
from ntn_gym.evaluation.provenance import scenario_digest
from ntn_gym_agents.config import algorithm_of, check_config, load_config
from ntn_gym_agents.fitting import Control, check_actions, complete_policy_kwargs, control_of
from ntn_gym_agents.hyperparameters import TrainConfig
from ntn_gym_agents.jobs import TrainJob
from ntn_gym_agents.pretrain import check_pretrain


@dataclass(frozen=True)
class Plan:
    """A job of which everything has been checked."""

    job: TrainJob
    entry: EnvEntry
    preset: str
    scenario: dict[str, Any]
    scenario_digest: str
    task: Task
    algorithm: str
    config: TrainConfig
    control: Control
    policy_kwargs: dict[str, Any]
    n_parallel: int

    @property
    def total_steps(self) -> int:
        """Steps to train for."""
        return self.config.n_timesteps

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the result, as plain JSON values."""
        asked = self.job.identity() | {
            "environment": self.entry.id,
            "preset": self.preset,
            "scenario": self.scenario,
            "config": self.config.model_dump(exclude_none=True),
            # A preset or an observation that has changed since is another problem.
            "scenario_digest": self.scenario_digest,
            "policy_kwargs": self.policy_kwargs,
            "observation_size": int(self.task.agent_observation_space.shape[0]),
        }
        return json.loads(json.dumps(asked))


def plan(job: TrainJob) -> Plan:
    """Check a job and fill in what it leaves open; nothing is created.

    Raises:
        ValueError: If a name, key or value is not allowed.
        FileNotFoundError: If the configuration file does not exist.
    """
    entry = find_entry(job.environment)
    algorithm = algorithm_of(job.algorithm)
    config = load_config(job.environment, job.algorithm, job.preset, job.config)
    values = config.model_dump(exclude_unset=True) | dict(job.overrides)
    if job.steps is not None:
        values["n_timesteps"] = job.steps
    config = check_config(algorithm, values, "configuration with your changes")
    preset = job.preset or config.env_kwargs.preset or entry.default_preset
    scenario = dict(job.scenario) or dict(config.env_kwargs.scenario or {})
    scenarios = importlib.import_module(entry.scenarios)
    chosen = scenarios.load_preset(preset)
    if scenario:
        chosen = scenarios.with_overrides(chosen, scenario)
    task: Task = make_task(entry.name, scenario=chosen)
    control = control_of(config)
    check_actions(algorithm, task, control)
    if config.team and control == "central":
        raise ValueError(
            f"team = {config.team}: only several agents that share a policy have a reward of their own to mix with "
            "that of all; leave it out"
        )
    policy_kwargs = complete_policy_kwargs(algorithm, config, task, entry.id)
    if job.n_worlds is None:
        job = replace(job, n_worlds=config.env_kwargs.n_worlds)
    if len(VALIDATION_SEEDS) < job.eval_worlds:
        raise ValueError(f"eval_worlds = {job.eval_worlds}: there are {len(VALIDATION_SEEDS)} validation seeds")
    n_parallel = config.n_envs if control == "central" else max(1, config.n_envs // task.n_agents)
    if config.pretrain is not None:
        check_pretrain(task, resolve(entry.heuristics), config.pretrain.heuristic)
    digest = scenario_digest(chosen)
    return Plan(job, entry, preset, scenario, digest, task, algorithm, config, control, policy_kwargs, n_parallel)
