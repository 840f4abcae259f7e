"""Trackers move left, stay or move right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from ntn_gym.core.task import Arrays, KpiSpec, Now, Outcome, TermSpec
from ntn_gym.envs.tracking.scenario import Scenario
from ntn_gym.envs.tracking.world import TrackingWorld


@dataclass(frozen=True)
class State:
    place_m: np.ndarray


class TrackingTask:
    """Follow wandering targets on a line.

    ## Description
    Each tracker stands on an integer between -W and W and follows its own target.

    ## Action Space
    | action | meaning |
    |---|---|
    | 0 | one to the left |
    | 1 | stay |
    | 2 | one to the right |

    ## Observation Space
    | index | meaning | unit | min | max |
    |---|---|---|---|---|
    | 0 | own place over W | 1 | -1 | 1 |
    | 1 | measured target over W, clipped, averaged over two steps | 1 | -2 | 2 |

    ## Rewards
    Minus the distance (m), minus 0.1 per metre moved.

    ## Starting State
    In the middle.

    ## Episode End
    Truncated after `steps`.

    ## Arguments
    `trackers`, `steps`, `half_width`.

    ## Physics and References
    A reflected random walk.

    ## Heuristics
    `follow`.

    ## Version History
    v0: first.
    """

    agent_name = "tracker"
    dt_s = 1.0
    agent_action_space = spaces.Discrete(3)
    agent_observation_space = spaces.Box(np.float32([-1, -2]), np.float32([1, 2]))
    reward_terms = (TermSpec("distance", "m", -1.0, "distance"), TermSpec("moved", "m", -0.1, "way"))
    kpis = (
        KpiSpec("distance_m", "m", "mean", "lower", "distance to the target"),
        KpiSpec("on_target", "1", "mean", "higher", "share of steps on the target"),
        KpiSpec("illegal", "1", "sum", "lower", "moves off the line"),
    )

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.n_agents = scenario.trackers
        self.episode_steps = scenario.steps
        self.w = scenario.half_width

    def make_world(self) -> TrackingWorld:
        return TrackingWorld(self.n_agents, self.w)

    def compile(self, carry: Any, raw: Arrays) -> tuple[Any, Arrays]:
        measured = raw["measured_m"]
        before = measured[:, :1] if carry is None else carry[:, None]
        lagged = np.concatenate([before, measured[:, :-1]], axis=1)
        seen = np.clip((measured + lagged) / 2 / self.w, -2, 2).astype(np.float32)
        return measured[:, -1].copy(), {"target": raw["target_m"], "seen": seen}

    def initial(self, now: Now) -> State:
        return State(np.zeros(now["target"].shape))

    def step(self, state: State, action: np.ndarray, now: Now) -> tuple[State, Outcome]:
        wanted = state.place_m + (action - 1)
        place = np.clip(wanted, -self.w, self.w)
        distance = np.abs(place - now["target"])
        kpis = np.stack([distance, distance == 0, place != wanted], axis=-1).astype(np.float64)
        terms = np.stack([distance, np.abs(place - state.place_m)], axis=-1)
        return State(place), Outcome(terms, kpis, np.zeros(len(place), dtype=np.bool_))

    def observe(self, state: State, now: Now) -> np.ndarray:
        return np.stack([state.place_m / self.w, now["seen"]], axis=-1).astype(np.float32)

    def action_mask(self, state: State, now: Now) -> np.ndarray:
        mask = np.ones((*state.place_m.shape, 3), dtype=np.bool_)
        mask[..., 0] = state.place_m > -self.w
        mask[..., 2] = state.place_m < self.w
        return mask
