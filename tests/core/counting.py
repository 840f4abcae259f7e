"""The smallest task there is: the world counts, the state adds up what was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.core.task import Arrays, FieldSpec, KpiSpec, Now, Outcome, TermSpec


@dataclass
class WorldState:
    name: np.ndarray
    step: np.ndarray
    noise: list[np.random.Generator]


@dataclass
class CountingWorld:
    """Field ``label`` is 1000 (seed + 100 episode) + step, so that every slice says where it comes from."""

    begun: list[list[WorldKey]] = field(default_factory=list)
    advanced: list[tuple[int, int]] = field(default_factory=list)
    fields: ClassVar = {
        "label": FieldSpec("label", (), "float64", "1", 0, 1e9, "where this slice comes from"),
        "noise": FieldSpec("noise", (), "float64", "1", -20, 20, "random number"),
    }

    def begin(self, keys: Sequence[WorldKey]) -> WorldState:
        self.begun.append(list(keys))
        names = np.array([1000.0 * (key.seed + 100 * key.episode) for key in keys])
        return WorldState(names, np.zeros(len(keys)), process_generators(keys, "noise"))

    def advance(self, state: WorldState, n_steps: int) -> tuple[WorldState, Arrays]:
        self.advanced.append((len(state.name), n_steps))
        steps = state.step[:, None] + np.arange(n_steps)
        noise = np.stack([generator.standard_normal(n_steps) for generator in state.noise])
        arrays = {"label": state.name[:, None] + steps, "noise": noise}
        return WorldState(state.name, state.step + n_steps, state.noise), arrays


@dataclass(frozen=True)
class TaskState:
    total: np.ndarray


@dataclass
class CountingTask:
    """Two agents; the reward of an agent is its choice times 10, minus one; ends early when told to."""

    episode_steps: int = 10
    ends_at: int | None = None
    padding: int = 0
    world: CountingWorld = field(default_factory=CountingWorld)
    n_agents = 2
    agent_name = "clerk"
    dt_s = 1.0
    agent_action_space = spaces.Discrete(3)
    agent_observation_space = spaces.Box(0.0, 1e9, (2,), np.float32)
    reward_terms = (TermSpec("gain", "1", 10.0, "choice"), TermSpec("cost", "1", -1.0, "one"))
    kpis = (KpiSpec("choice", "1", "mean", "higher", "choice"),)

    def make_world(self) -> CountingWorld:
        return self.world

    def compile(self, carry: Any, raw: Arrays) -> tuple[Any, Arrays]:
        padding = np.zeros((*raw["label"].shape, self.padding), dtype=np.uint8)
        return carry, {"label": raw["label"].copy(), "noise": raw["noise"].copy(), "padding": padding}

    def initial(self, now: Now) -> TaskState:
        return TaskState(np.zeros((len(now.rows), 2)))

    def step(self, state: TaskState, action: np.ndarray, now: Now) -> tuple[TaskState, Outcome]:
        terms = np.stack([action, np.ones_like(action)], axis=-1).astype(np.float64)
        ended = now["label"] % 1000 + 1 == (self.ends_at or -1)
        return TaskState(state.total + action), Outcome(terms, action[..., None].astype(np.float64), ended)

    def observe(self, state: TaskState, now: Now) -> np.ndarray:
        label = np.broadcast_to(now["label"][:, None], state.total.shape)
        return np.stack([label, state.total], axis=-1).astype(np.float32)

    def action_mask(self, state: TaskState, now: Now) -> None:
        return None
