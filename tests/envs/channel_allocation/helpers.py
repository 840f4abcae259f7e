"""Play many worlds and count, and worlds of a few events written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ntn_gym.core.engine import Engine
from ntn_gym.core.registry import make_task
from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.task import Arrays, Now
from ntn_gym.envs.channel_allocation.heuristics import HEURISTICS
from ntn_gym.envs.channel_allocation.packing import EVENT
from ntn_gym.envs.channel_allocation.task import ChannelAllocationTask
from ntn_gym.world.calls import Kind


def task_of(preset: str = "hex-49", **changes: Any) -> ChannelAllocationTask:
    """A preset with changed values."""
    task = make_task("ChannelAllocation", preset, changes)
    assert isinstance(task, ChannelAllocationTask)
    return task


def line_task(
    cells: int, channels: int, erlang: float, steps: int = 400, reuse_distance: int = 2, **more: Any
) -> ChannelAllocationTask:
    """Cells in a row that disturb their neighbours (by default); no moves. Times are in holding times."""
    values: dict[str, Any] = {
        "steps": steps,
        "moves": "none",
        "cells": {"rows": 1, "columns": cells, "reuse_distance": reuse_distance, "channels": channels},
        "load": {"offered_erlang": erlang, "holding_s": 1.0},
    }
    return task_of("tiny", **{**values, **more})


@dataclass(frozen=True)
class Counts:
    """New calls and refused ones, hand-overs and dropped ones, by world (and cell): [B, N]."""

    new: np.ndarray
    blocked: np.ndarray
    asks: np.ndarray
    dropped: np.ndarray

    @property
    def blocking(self) -> float:
        return float(self.blocked.sum() / self.new.sum())

    @property
    def dropping(self) -> float:
        return float(self.dropped.sum() / self.asks.sum())

    def z_of(self, probability: float) -> np.ndarray:
        """Standard normal deviate of blocking from a probability by cell, with the spread over worlds, [N]."""
        left = self.blocked - probability * self.new
        return left.sum(axis=0) / np.sqrt((left**2).sum(axis=0))

    def whole(self) -> Counts:
        """All cells together, [B, 1]."""
        return Counts(*(x.sum(axis=1, keepdims=True) for x in (self.new, self.blocked, self.asks, self.dropped)))


def play(
    task: ChannelAllocationTask, policy: Any, seeds: Sequence[int], warm_steps: int, engine: Engine | None = None
) -> Counts:
    """Play whole episodes and count after the first steps."""
    engine = engine or Engine(task, len(seeds))
    engine.reset(seeds=list(seeds))
    policy.reset(len(seeds))
    column = {kpi.name: index for index, kpi in enumerate(task.kpis)}
    kept = [column[name] for name in ("new_calls", "blocking", "handovers", "dropping")]
    totals = np.zeros((4, len(seeds), task.scenario.n_cells))
    worlds = np.arange(len(seeds))
    for step in range(task.episode_steps):
        cell = engine.now["event"][:, EVENT["cell"]]
        action = policy.act(engine.observe(), engine.action_mask(), np.full(len(seeds), step == 0))
        outcome = engine.step(action).outcome
        if step >= warm_steps:
            totals[:, worlds, cell] += outcome.kpis[:, 0, kept].T
    return Counts(*totals)


def rule(task: ChannelAllocationTask, name: str, **parameters: Any) -> Any:
    """A rule by name."""
    return HEURISTICS[name].factory(task, parameters)


def draw(task: ChannelAllocationTask, seeds: Sequence[int]) -> Arrays:
    """Packed arrays of whole episodes."""
    world = task.make_world()
    raw = world.advance(world.begin([WorldKey(seed) for seed in seeds]), task.episode_steps + 1)[1]
    return task.compile(None, raw)[1]


def by_hand(task: ChannelAllocationTask, events: Sequence[tuple[float, Kind, int, int]]) -> Arrays:
    """Packed arrays of one world with events (time since the one before, kind, cell, rank) and no calls at first."""
    assert len(events) == task.episode_steps
    rows = [*events, (1.0, Kind.NEW, 0, 0)]
    raw: Mapping[str, np.ndarray] = {
        name: np.zeros((1, len(rows), *spec.shape), dtype=spec.dtype) for name, spec in task.make_world().fields.items()
    }
    offered = np.zeros(task.scenario.n_cells, dtype=np.int16)
    for k, (dt_s, kind, cell, rank) in enumerate(rows):
        raw["dt_s"][0, k], raw["kind"][0, k], raw["cell"][0, k] = dt_s, kind, cell
        raw["offered"][0, k] = offered
        arrives = kind < Kind.END
        raw["rank"][0, k] = offered[cell] if arrives else rank
        offered[cell] += 1 if arrives else -1
    return task.compile(None, dict(raw))[1]


class Player:
    """Steps packed worlds without an engine."""

    def __init__(self, task: ChannelAllocationTask, packed: Arrays) -> None:
        self.task, self.packed = task, packed
        self.rows = np.arange(len(packed["event"]))
        self.step_index = 0
        self.now = Now(packed, self.rows, np.zeros(len(self.rows), dtype=np.intp))
        self.state = task.initial(self.now)
        self.weights = np.array([term.weight for term in task.reward_terms])
        self.value = np.zeros(len(self.rows))

    def legal(self) -> list[int]:
        """Channels that may be named in the first world."""
        return np.flatnonzero(self.task.action_mask(self.state, self.now)[0, 0, :-1]).tolist()

    def step(self, action: Any) -> dict[str, float]:
        """Apply actions (one number, or one per world); return the KPIs of the first world."""
        actions = np.broadcast_to(np.asarray(action).reshape(-1, 1), (len(self.rows), 1)).copy()
        self.state, outcome = self.task.step(self.state, actions, self.now)
        self.value += outcome.reward_terms[:, 0] @ self.weights
        self.step_index += 1
        self.now = Now(self.packed, self.rows, np.full(len(self.rows), self.step_index))
        return {kpi.name: float(outcome.kpis[0, 0, i]) for i, kpi in enumerate(self.task.kpis)}

    def ask(self, policy: Any) -> int:
        """What a rule would do in the first world."""
        action = policy.act(
            self.task.observe(self.state, self.now),
            self.task.action_mask(self.state, self.now),
            np.ones(len(self.rows), bool),
        )
        return int(action[0, 0])
