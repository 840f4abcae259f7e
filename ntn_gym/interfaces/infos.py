"""What every face reports beside observation and reward: KPIs, reward terms, the step length and action masks.

Keys of an ``info``: each KPI by its name and ``reward_terms`` (a mapping by name, unweighted, in engineering
units), both averaged over the agents where one decision maker stands for all of them; ``dt_s``; ``action_mask``
(int8) for discrete actions. A reset reports ``dt_s`` and ``action_mask`` only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.engine import Engine
from ntn_gym.core.task import Outcome, Task

Info = dict[str, Any]
RESERVED_KEYS = frozenset({"dt_s", "reward_terms", "action_mask", "final_obs", "final_info", "episode"})


def agent_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the agents: [B, A, ...] to [B, ...]."""
    if values.shape[1] == 1:
        return values[:, 0]
    mean: NDArray[np.float64] = np.add.reduce(values, axis=1) / values.shape[1]
    return mean


def agent_means(outcome: Outcome) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return reward terms [B, n_terms] and KPIs [B, n_kpis], averaged over the agents."""
    if outcome.side_by_side is None:
        return agent_mean(outcome.reward_terms), agent_mean(outcome.kpis)
    both, n_terms = agent_mean(outcome.side_by_side), outcome.reward_terms.shape[-1]
    return both[:, :n_terms], both[:, n_terms:]


def legal_actions(engine: Engine, worlds: NDArray[np.intp] | None = None) -> NDArray[np.bool_] | None:
    """Return the mask [B, A, n] of legal actions, all true where the task has none; None for continuous ones."""
    space = engine.task.agent_action_space
    if not isinstance(space, spaces.Discrete):
        return None
    mask = engine.action_mask(worlds)
    if mask is None:
        n_worlds = engine.n_parallel if worlds is None else len(worlds)
        return np.ones((n_worlds, engine.task.n_agents, int(space.n)), dtype=np.bool_)
    return mask


class InfoLayout:
    """Names of the KPIs and reward terms of a task, and the ways to put their values into infos."""

    def __init__(self, task: Task) -> None:
        """Keep the names.

        Raises:
            ValueError: If a KPI has the name of something else in an info, or begins with an underscore.
        """
        self.kpis = tuple(kpi.name for kpi in task.kpis)
        self.terms = tuple(term.name for term in task.reward_terms)
        self.dt_s = float(task.dt_s)
        self._several = task.n_agents > 1
        wrong = [name for name in self.kpis if name in RESERVED_KEYS or name.startswith("_")]
        if wrong or len(set(self.kpis)) < len(self.kpis):
            raise ValueError(f"KPI names {self.kpis}: must differ from each other and from {sorted(RESERVED_KEYS)}")

    # ------------------------------------------------------------------ one info per world or agent

    def step(self, kpis: list[float], terms: list[float], mask: NDArray[np.bool_] | None) -> Info:
        """Info of one step, from plain numbers in the order of the names; ``mask`` is [A, n] or [n]."""
        info: Info = dict(zip(self.kpis, kpis, strict=True))
        info["dt_s"] = self.dt_s
        info["reward_terms"] = dict(zip(self.terms, terms, strict=True))
        if mask is not None:
            info["action_mask"] = self._mask(mask)
        return info

    def reset(self, mask: NDArray[np.bool_] | None) -> Info:
        """Info of a reset."""
        info: Info = {"dt_s": self.dt_s}
        if mask is not None:
            info["action_mask"] = self._mask(mask)
        return info

    def world_mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mask of one world, [A, n], or [n] where there is only one agent."""
        return mask if self._several else mask[0]

    def _mask(self, mask: NDArray[np.bool_]) -> NDArray[np.int8] | tuple[NDArray[np.int8], ...]:
        """Mask as ``space.sample(mask=...)`` wants it: an array, or for MultiDiscrete a tuple of arrays."""
        copied = mask.astype(np.int8)
        return copied if copied.ndim == 1 else tuple(copied)

    def steps(
        self,
        kpis: NDArray[np.float64],
        terms: NDArray[np.float64],
        masks: NDArray[np.bool_] | None,
        more: Mapping[str, list[Any]],
    ) -> list[Info]:
        """Infos of many worlds or agents.

        A thousand dictionaries per step cost more than the step: each is made by one call, from values side by side.

        Args:
            kpis: KPIs, [N, n_kpis].
            terms: Reward terms, [N, n_terms].
            masks: Legal actions, [N, n] or [N, A, n], or None.
            more: Further entries, N values each.
        """
        columns: dict[str, Iterable[Any]] = {**more, **dict(zip(self.kpis, kpis.T.tolist(), strict=True))}
        columns["dt_s"] = repeat(self.dt_s)
        columns["reward_terms"] = [dict(zip(self.terms, row, strict=False)) for row in terms.tolist()]
        if masks is not None:
            # One copy of all; the rows are views that nobody else has.
            rows = masks.astype(np.int8)
            columns["action_mask"] = rows if rows.ndim == 2 else map(tuple, rows)
        names = tuple(columns)
        # Not strict: dt_s repeats for ever, and the check would cost a third more.
        return [dict(zip(names, row, strict=False)) for row in zip(*columns.values(), strict=False)]

    # ------------------------------------------------------------------ one info for a batch

    def batch_step(
        self,
        kpis: NDArray[np.float64],
        terms: NDArray[np.float64],
        mask: NDArray[np.bool_] | None,
        stepped: NDArray[np.bool_],
        present: NDArray[np.bool_],
    ) -> Info:
        """Info of one step of B worlds in the layout of Gymnasium's vector environments.

        Args:
            kpis: KPIs of all worlds, agents averaged, [B, n_kpis].
            terms: Reward terms likewise, [B, n_terms].
            mask: Legal actions, [B, A, n], or None.
            stepped: [B], which worlds report KPIs and reward terms.
            present: [B], which worlds report anything. The others show zeros that their ``_key`` disowns.
        """
        info = self.batch_reset(mask, present)
        nested: Info = {}
        for target, names, values in (
            (info, self.kpis, kpis),
            (nested, self.terms, terms),
        ):
            shown = np.where(stepped[:, None], values, 0.0).T
            for name, column in zip(names, shown, strict=True):
                target[name] = column
                target[f"_{name}"] = stepped.copy()
        info["reward_terms"], info["_reward_terms"] = nested, stepped.copy()
        return info

    def batch_reset(self, mask: NDArray[np.bool_] | None, present: NDArray[np.bool_]) -> Info:
        """Info of the reset of those of B worlds that are ``present``; masks stay one array [B, (A,) n]."""
        info: Info = {"dt_s": np.where(present, self.dt_s, 0.0), "_dt_s": present.copy()}
        if mask is not None:
            by_world = mask if self._several else mask[:, 0]
            shown = by_world & present.reshape(-1, *[1] * (by_world.ndim - 1))
            info["action_mask"], info["_action_mask"] = shown.astype(np.int8), present.copy()
        return info
