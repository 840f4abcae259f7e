"""What happens beside learning: KPIs in the log, evaluation on validation worlds, checkpoints."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.callbacks import BaseCallback

from ntn_gym.core.task import KpiSpec, Task
from ntn_gym.evaluation.pool import WorldPool
from ntn_gym.evaluation.rollout import evaluate_in, reduce_kpi
from ntn_gym_agents.logs import CsvLog
from ntn_gym_agents.players import player
from ntn_gym_agents.training_env import TrainingVecEnv

WINDOW_STEPS = 4096
"""KPIs are averaged over at least so many steps of all environments together."""


def window_kpi(
    spec: KpiSpec, values: NDArray[np.float64], task: Task, counts: NDArray[np.float64] | None = None
) -> float:
    """Summarise a KPI over any steps of any agents, [n], in the unit and meaning of an episode's summary.

    ``counts`` is the KPI that ``spec.per`` names.
    """
    if counts is not None:
        return float(reduce_kpi(spec, values[None, :, None], np.ones(1), counts[None, :, None])[0])
    match spec.reduction:
        case "mean":
            return float(values.mean())
        case "sum":
            return float(values.mean()) * task.episode_steps * task.n_agents
        case "per_minute":
            return float(values.mean()) / task.dt_s * 60.0
        case "p5" | "p95":
            return float(np.percentile(values, 5 if spec.reduction == "p5" else 95))
        case "max":
            return float(values.max())


class KpiLog(BaseCallback):
    """Logs ``kpi/*`` and the weighted reward terms ``reward/*`` per step, as seen by the exploring policy."""

    def __init__(self, env: TrainingVecEnv) -> None:
        """Read the numbers of this environment."""
        super().__init__()
        self._env = env
        self._kpis: list[NDArray[np.float64]] = []
        self._terms: list[NDArray[np.float64]] = []

    def _on_step(self) -> bool:
        outcome = self._env.outcome
        assert outcome is not None
        self._kpis.append(outcome.kpis)
        self._terms.append(outcome.reward_terms)
        return True

    def _on_rollout_end(self) -> None:
        if len(self._kpis) * self._env.num_envs < WINDOW_STEPS:
            return
        task = self._env.task
        kpis, terms = np.concatenate(self._kpis), np.concatenate(self._terms)
        place = {spec.name: i for i, spec in enumerate(task.kpis)}
        for i, spec in enumerate(task.kpis):
            counts = kpis[..., place[spec.per]].ravel() if spec.per else None
            self.logger.record(f"kpi/{spec.name}", window_kpi(spec, kpis[..., i].ravel(), task, counts))
        for i, term in enumerate(task.reward_terms):
            self.logger.record(f"reward/{term.name}", term.weight * float(terms[..., i].mean()))
        self._kpis.clear()
        self._terms.clear()


class Validation(BaseCallback):
    """Plays the deterministic policy in the same validation worlds again and again: the learning curve.

    Attributes:
        best: Highest mean return so far.
    """

    def __init__(
        self,
        pool: WorldPool,
        control: str,
        log: CsvLog,
        every_steps: int,
        keep_best: Callable[[int, dict[str, float]], None],
    ) -> None:
        """Prepare.

        Args:
            pool: Worlds with validation seeds.
            control: Whether the policy decides for one agent (``shared``) or for all (``central``).
            log: Where the curve goes; its rows so far are of this training, too.
            every_steps: Steps between two evaluations.
            keep_best: Called with steps and numbers when the policy is better than ever before.
        """
        super().__init__()
        self._pool = pool
        self._control = control
        self._log = log
        self._every = every_steps
        self._keep_best = keep_best
        self._next = max((int(row["steps"]) for row in log.rows), default=-every_steps) + every_steps
        self.best = max((float(row["return_mean"]) for row in log.rows), default=-np.inf)

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.num_timesteps >= self._next:
            self.evaluate()
            self._next = self.num_timesteps + self._every

    def _on_training_end(self) -> None:
        if not self._log.rows or int(self._log.rows[-1]["steps"]) < self.num_timesteps:
            self.evaluate()

    def evaluate(self) -> None:
        """Evaluate the policy as it is now."""
        played = evaluate_in(self._pool, player(self.model.policy, self._control))
        n_worlds = len(played.returns)
        row = {
            "steps": self.num_timesteps,
            "return_mean": float(played.returns.mean()),
            "return_sem": float(played.returns.std(ddof=1) / np.sqrt(n_worlds)) if n_worlds > 1 else 0.0,
            **{f"kpi/{name}": float(values.mean()) for name, values in played.kpis.items()},
        }
        for key in ("return_mean", "return_sem"):
            self.logger.record(f"validation/{key}", row[key])
        if row["return_mean"] > self.best:
            self.best = row["return_mean"]
            self._keep_best(self.num_timesteps, {"return_mean": row["return_mean"], "return_sem": row["return_sem"]})
        self._log.append(row)


class Checkpoints(BaseCallback):
    """Saves the training between two rollouts, after the policy was updated with the previous one."""

    def __init__(self, every_steps: int, save: Callable[[int], None], last_step: int) -> None:
        """Save by calling ``save(steps)`` every so many steps; ``last_step`` was saved already."""
        super().__init__()
        self._every = every_steps
        self._save = save
        self._next = last_step + every_steps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.num_timesteps >= self._next:
            self._save(self.num_timesteps)
            self._next = self.num_timesteps + self._every
