"""One episode of one world that is watched or played: the engine, its pictures, and the score so far."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.policy import Policy
from ntn_gym.core.registry import resolve
from ntn_gym.core.seeding import seed_purpose
from ntn_gym.evaluation.problem import Problem
from ntn_gym.evaluation.rollout import reduce_kpi
from ntn_gym.evaluation.uniform import SeededPolicy
from ntn_gym.interfaces.build import Built, build


class Match:
    """One world, stepped by a policy or by hand."""

    def __init__(self, problem: Problem, built: Built, seed: int) -> None:
        """Keep the parts; `begin` starts the episode."""
        self.problem = problem
        self.seed = seed
        self.n_steps = built.engine.episode_steps
        self.steps_played = 0
        self.over = False
        self._built = built
        self._rewards: list[float] = []
        self._kpis: list[NDArray[np.float64]] = []
        self._action: int | None = None

    # ------------------------------------------------------------------ stepping

    def begin(self, policy: Policy | None) -> None:
        """Start the episode."""
        self._built.engine.reset(seeds=[self.seed])
        if self._built.recorder is not None:
            self._built.recorder.restart()
        if isinstance(policy, SeededPolicy):
            policy.reset_worlds([self.seed])
        elif policy is not None:
            policy.reset(1)

    def step(self, policy: Policy) -> None:
        """Let a policy decide."""
        engine = self._built.engine
        self._apply(policy.act(engine.observe(), engine.action_mask(), np.array([self.steps_played == 0])))

    def decide(self, action: int) -> None:
        """Apply the discrete action of the only agent."""
        self._action = action
        self._apply(np.array([[action]], dtype=np.int64))

    def _apply(self, actions: NDArray[Any]) -> None:
        result = self._built.engine.step(actions)
        if self._built.recorder is not None:
            self._built.recorder.record(actions, result)
        self.steps_played += 1
        self._rewards.append(float(result.reward[0].mean()))
        self._kpis.append(result.outcome.kpis[0])
        self.over = bool(result.terminated[0] or result.truncated[0])

    # ------------------------------------------------------------------ what a player needs

    def require_playable(self) -> None:
        """Refuse what cannot be played by hand.

        Raises:
            ValueError: If there are several agents or continuous actions.
        """
        task = self.problem.task
        if task.n_agents > 1:
            raise ValueError(
                f"{self.problem.entry.id} with preset {self.problem.preset} has {task.n_agents} agents, too many to "
                "play by hand: watch a policy (--policy NAME), or choose a preset with one agent"
            )
        if not hasattr(task.agent_action_space, "n"):
            raise ValueError(
                f"{self.problem.entry.id} has continuous actions {task.agent_action_space}: watch a policy "
                "(--policy NAME)"
            )

    @property
    def n_actions(self) -> int:
        """Number of actions of an agent."""
        return int(self.problem.task.agent_action_space.n)  # type: ignore[attr-defined]

    def legal_actions(self) -> list[int]:
        """Legal actions of the only agent."""
        mask = self._built.engine.action_mask()
        return list(range(self.n_actions)) if mask is None else np.flatnonzero(mask[0, 0]).tolist()

    def legal(self, action: int) -> bool:
        """Whether an action is legal now."""
        return action in self.legal_actions()

    def stay(self) -> int:
        """The action that changes nothing: the chosen slot, else the last action, else the first legal one."""
        layout = getattr(self.problem.task, "slot_layout", None)
        if layout is not None and layout.serving_index is not None:
            observation = self._built.engine.observe()[0, 0]
            slots = observation[: layout.n_slots * layout.slot_size].reshape(layout.n_slots, layout.slot_size)
            chosen = np.flatnonzero(slots[:, layout.serving_index] > 0.5)
            if len(chosen):
                return int(chosen[0]) + int(layout.first_slot_action)
        if self._action is not None and self.legal(self._action):
            return self._action
        return self.legal_actions()[0]

    def something_happened(self) -> bool:
        """Whether the last step counted an event (a KPI per minute), or was the first to earn nothing."""
        before, now = ([0.0, *self._rewards])[-2:]
        specs = self.problem.task.kpis
        counted = any(spec.reduction == "per_minute" and self._kpis[-1][0, i] > 0 for i, spec in enumerate(specs))
        return counted or now <= 0.0 < before

    def invitation(self) -> str:
        """Say what is played."""
        entry = self.problem.entry
        return (
            f"{entry.title}.\n{entry.id}, preset {self.problem.preset}, world {self.seed} "
            f"({seed_purpose(self.seed)} range), {self.n_steps} steps of {self.problem.task.dt_s:g} s."
        )

    # ------------------------------------------------------------------ pictures and scores

    @property
    def episode_return(self) -> float:
        """Sum of the rewards, mean over the agents."""
        return float(sum(self._rewards))

    def text(self) -> str:
        """Text picture."""
        return str(self._recorder.draw(0, "ansi"))

    def picture(self) -> NDArray[np.uint8]:
        """Picture [height, width, 3]."""
        picture: NDArray[np.uint8] = self._recorder.draw(0, "rgb_array")
        return picture

    def show_window(self) -> None:
        """Show the picture in the window."""
        self._recorder.render()

    @property
    def _recorder(self) -> Any:
        assert self._built.recorder is not None
        return self._built.recorder

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._built.recorder is not None:
            self._built.recorder.close()

    def kpis(self) -> dict[str, float]:
        """KPIs of the steps played, reduced as their specifications say."""
        task = self.problem.task
        values = np.stack(self._kpis)[None]
        duration_s = np.array([self.steps_played * task.dt_s])
        return {spec.name: float(reduce_kpi(spec, values[..., i], duration_s)[0]) for i, spec in enumerate(task.kpis)}

    def bound(self) -> float | None:
        """Upper bound on the return in this world, if the whole episode was played."""
        task, engine = self.problem.task, self._built.engine
        if self.steps_played < task.episode_steps or engine.buffer.chunk_steps < engine.buffer.n_slices:
            return None
        row = int(engine.rows[0])
        arrays = {name: array[row : row + 1] for name, array in engine.buffer.arrays.items()}
        return float(resolve(self.problem.entry.bound)(task, arrays).value[0])


def open_match(problem: Problem, seed: int, steps: int | None, *, window: bool = False, pictures: bool = True) -> Match:
    """Build a world to play in.

    Args:
        problem: Environment and preset.
        seed: Which world.
        steps: Steps to play; None plays the whole episode.
        window: Draw into a window.
        pictures: Keep what pictures need.

    Raises:
        ValueError: If the seed or the number of steps is out of range.
    """
    seed_purpose(seed)
    mode = None if not pictures else "human" if window else "ansi"
    built = build(problem.entry.name, 1, preset=problem.preset, render_mode=mode, max_episode_steps=steps)
    return Match(problem, built, seed)
