"""Small worlds with numbers that can be worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from ntn_gym.core.registry import make_task
from ntn_gym.core.task import Now
from ntn_gym.envs.resource_allocation.task import ResourceAllocationTask


def one_class(users: int = 1, deadline_s: float = 3.0, **more: Any) -> dict[str, Any]:
    """Traffic of one class, value 1."""
    return {
        "name": "data",
        "users": users,
        "share": 1.0,
        "value": 1.0,
        "deadline_s": deadline_s,
        "bursts": "smooth",
        **more,
    }


def small_task(users: int = 2, steps: int = 6, **changes: Any) -> ResourceAllocationTask:
    """Three cells in a row, one class; ``changes`` replace values of the scenario."""
    values: dict[str, Any] = {
        "steps": steps,
        "traffic": {"load": 0.3, "classes": [one_class(users)]},
        "platform": {"swing": None},
    }
    for name, value in changes.items():
        values[name] = {**values.get(name, {}), **value} if isinstance(value, dict) else value
    task = make_task("ResourceAllocation", "tiny", values)
    assert isinstance(task, ResourceAllocationTask)
    return task


def hand_made(task: ResourceAllocationTask, gain: Any, arrivals: Any) -> dict[str, np.ndarray]:
    """Raw trace of one world with given gains [U, R] (or [T, U, R]) and arrivals [T, U] in Mbit."""
    fields = task.make_world().fields
    n_slices = task.episode_steps + 1
    raw = {name: np.zeros((1, n_slices, *spec.shape), dtype=spec.dtype) for name, spec in fields.items()}
    raw["gain_per_w"][0] = np.asarray(gain, dtype=np.float32)
    arrivals = np.asarray(arrivals, dtype=np.float32)
    raw["arrival_mbit"][0, : len(arrivals)] = arrivals
    raw["price"][:] = task.scenario.energy.price
    return raw


class Player:
    """Steps packed worlds without an engine."""

    def __init__(self, task: ResourceAllocationTask, raw: dict[str, np.ndarray]) -> None:
        self.task = task
        self.raw = raw
        self.packed = task.compile(None, raw)[1]
        self.rows = np.arange(len(raw["price"]))
        self.step_index = 0
        self.state = task.initial(self.now)

    @property
    def now(self) -> Now:
        return Now(self.packed, self.rows, np.full(len(self.rows), self.step_index))

    @property
    def queue_mbit(self) -> np.ndarray:
        return self.now["cumulative"][:, 0] - self.state.departed_mbit

    def observe(self) -> np.ndarray:
        return self.task.observe(self.state, self.now)

    def step(self, action: Any) -> dict[str, np.ndarray]:
        """Apply actions [A] or [B, A]; return reward terms and KPIs of the first agent by name, and the reward."""
        actions = np.broadcast_to(np.asarray(action), (len(self.rows), *np.shape(action)[-self._rank() :]))
        self.state, outcome = self.task.step(self.state, actions.copy(), self.now)
        self.step_index += 1
        result = {term.name: outcome.reward_terms[:, 0, i] for i, term in enumerate(self.task.reward_terms)}
        result |= {kpi.name: outcome.kpis[:, 0, i] for i, kpi in enumerate(self.task.kpis)}
        weights = np.array([term.weight for term in self.task.reward_terms])
        result["reward"] = (outcome.reward_terms @ weights).mean(axis=1)
        return result

    def _rank(self) -> int:
        return 1 if self.task.scenario.action.kind == "levels" else 2
