"""Traces made by hand: one wind, one sun, a few points."""

from __future__ import annotations

from typing import Any

import numpy as np

from ntn_gym.core.task import Now
from ntn_gym.envs.haps_placement.presets import load_preset, with_overrides
from ntn_gym.envs.haps_placement.task import HAPSPlacementTask


def task_with(preset: str = "tiny", **changes: Any) -> HAPSPlacementTask:
    """The task of a preset with nested values replaced."""
    return HAPSPlacementTask(with_overrides(load_preset(preset), changes))


def raw_trace(
    task: HAPSPlacementTask,
    wind_m_s: tuple[float, float] = (0.0, 0.0),
    sun_w_m2: np.ndarray | float = 0.0,
    demand_mbit_s: np.ndarray | float = 0.0,
    group_m: np.ndarray | None = None,
    start_m: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """One world in which everything is as told and nothing else happens; groups are single places."""
    fields = task.make_world().fields
    n = task.episode_steps + 1
    raw = {name: np.zeros((1, n, *field.shape), dtype=field.dtype) for name, field in fields.items()}
    raw["wind_m_s"][...] = wind_m_s
    raw["sun_w_m2"][0] = sun_w_m2
    raw["elapsed_s"][0] = np.arange(n) * task.dt_s
    raw["hour"][0] = np.mod(task.scenario.region.start_hour + raw["elapsed_s"][0] / 3600, 24)
    raw["night_h"][...] = 12.0
    raw["demand_mbit_s"][...] = demand_mbit_s
    raw["usual_mbit_s"][...] = raw["demand_mbit_s"][:, :, None]
    raw["mean_mbit_s"][...] = raw["demand_mbit_s"]
    if group_m is not None:
        raw["group_m"][...] = group_m
    raw["point_m"][...] = raw["group_m"][..., None, :]
    if start_m is not None:
        raw["start_m"][...] = start_m
    return raw


class Player:
    """Steps one world of a task without any engine."""

    def __init__(self, task: HAPSPlacementTask, raw: dict[str, np.ndarray]) -> None:
        self.task, self.step_index = task, 0
        self._arrays = task.compile(None, raw)[1]
        self.state = task.initial(self._now())

    def _now(self) -> Now:
        return Now(self._arrays, np.zeros(1, dtype=np.intp), np.array([self.step_index]))

    def observe(self) -> np.ndarray:
        return self.task.observe(self.state, self._now())

    def step(self, action: Any) -> dict[str, np.ndarray]:
        """Take a step; return reward terms and KPIs by name, [M] each."""
        shape = (1, self.task.n_agents, *self.task.agent_action_space.shape)
        full = np.broadcast_to(np.asarray(action, dtype=np.float32), shape)
        self.state, outcome = self.task.step(self.state, full, self._now())
        self.step_index += 1
        values = {kpi.name: outcome.kpis[0, :, k] for k, kpi in enumerate(self.task.kpis)}
        terms = {f"{term.name}_term": outcome.reward_terms[0, :, k] for k, term in enumerate(self.task.reward_terms)}
        weights = [term.weight for term in self.task.reward_terms]
        return {**values, **terms, "reward": outcome.reward_terms[0] @ weights}
