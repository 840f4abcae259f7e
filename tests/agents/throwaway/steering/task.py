"""Boats steer towards their targets; they share the speed that a current leaves them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from ntn_gym.core.task import Arrays, KpiSpec, Now, Outcome, TermSpec
from ntn_gym.envs.steering.scenario import Scenario
from ntn_gym.envs.steering.world import SteeringWorld


@dataclass(frozen=True)
class State:
    place_m: np.ndarray


class SteeringTask:
    """Steer into wandering targets; an action is a velocity in m/s per axis."""

    agent_name = "boat"
    dt_s = 1.0
    agent_action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    agent_observation_space = spaces.Box(-3.0, 3.0, (4,), np.float32)
    reward_terms = (TermSpec("distance", "m", -1.0, "distance to the target"),)
    kpis = (KpiSpec("distance_m", "m", "mean", "lower", "distance to the target"),)

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.n_agents = scenario.boats
        self.episode_steps = scenario.steps

    def make_world(self) -> SteeringWorld:
        return SteeringWorld(self.n_agents)

    def compile(self, carry: Any, raw: Arrays) -> tuple[Any, Arrays]:
        return None, {"target": raw["target_m"]}

    def initial(self, now: Now) -> State:
        return State(np.zeros(now["target"].shape))

    def step(self, state: State, action: np.ndarray, now: Now) -> tuple[State, Outcome]:
        place = np.clip(state.place_m + action, -5, 5)
        distance = np.linalg.norm(place - now["target"], axis=-1)[..., None]
        return State(place), Outcome(distance, distance.copy(), np.zeros(len(place), dtype=np.bool_))

    def observe(self, state: State, now: Now) -> np.ndarray:
        gap = (now["target"] - state.place_m) / 4
        return np.concatenate((state.place_m / 5, np.clip(gap, -3, 3)), axis=-1).astype(np.float32)

    def action_mask(self, state: State, now: Now) -> None:
        return None
