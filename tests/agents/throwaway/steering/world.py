"""Targets that wander on the plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.core.task import Arrays, FieldSpec


@dataclass
class _State:
    moves: list[np.random.Generator]
    target_m: np.ndarray


class SteeringWorld:
    def __init__(self, n_boats: int) -> None:
        self._shape = (n_boats, 2)
        self.fields = {"target_m": FieldSpec("target_m", self._shape, "float64", "m", -5, 5, "place of the target")}

    def begin(self, keys: Sequence[WorldKey]) -> _State:
        start = np.stack([g.uniform(-4, 4, self._shape) for g in process_generators(keys, "start")])
        return _State(process_generators(keys, "moves"), start)

    def advance(self, state: _State, n_steps: int) -> tuple[_State, Arrays]:
        moves = np.stack([g.normal(0.0, 0.2, (n_steps, *self._shape)) for g in state.moves])
        target, places = state.target_m, []
        for t in range(n_steps):
            target = np.clip(target + moves[:, t], -5, 5)
            places.append(target)
        return _State(state.moves, target), {"target_m": np.stack(places, axis=1)}
