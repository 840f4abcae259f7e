"""Exact bound by dynamic programming: trackers do not disturb each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from ntn_gym.core.bound import BoundResult
from ntn_gym.core.task import Arrays


def bound(task: Any, arrays: Arrays) -> BoundResult:
    target = arrays["target"][:, : task.episode_steps]
    n_worlds, n_steps, n_agents = target.shape
    places = np.arange(-task.w, task.w + 1.0)
    after = np.clip(places[:, None] + np.array([-1, 0, 1]), -task.w, task.w)
    index = (after + task.w).astype(int)
    value = np.zeros((n_worlds, n_agents, len(places)))
    best = np.empty((n_steps, *value.shape), dtype=np.int64)
    for t in reversed(range(n_steps)):
        gain = -np.abs(after - target[:, t, :, None, None]) - 0.1 * np.abs(after - places[:, None])
        total = gain + value[..., index]
        best[t], value = total.argmax(-1), total.max(-1)
    actions = np.empty((n_worlds, n_steps, n_agents), dtype=np.int64)
    here = np.full((n_worlds, n_agents), task.w)
    rows, columns = np.ogrid[:n_worlds, :n_agents]
    for t in range(n_steps):
        actions[:, t] = best[t][rows, columns, here]
        here = index[here, actions[:, t]]
    return BoundResult(value[..., task.w].mean(axis=1), actions)
