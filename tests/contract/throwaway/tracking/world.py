"""Targets that wander: reflected random walks on the integers -W..W."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.core.task import Arrays, FieldSpec


@dataclass
class _State:
    moves: list[np.random.Generator]
    noise: list[np.random.Generator]
    target: np.ndarray


class TrackingWorld:
    def __init__(self, n_trackers: int, half_width: int) -> None:
        self._n, self._w = n_trackers, half_width
        shape = (n_trackers,)
        self.fields = {
            "target_m": FieldSpec("target_m", shape, "float64", "m", -half_width, half_width, "true place"),
            "measured_m": FieldSpec("measured_m", shape, "float64", "m", -99, 99, "noisy place"),
        }

    def begin(self, keys: Sequence[WorldKey]) -> _State:
        start = process_generators(keys, "start")
        target = np.array([g.integers(-self._w, self._w + 1, self._n) for g in start], dtype=np.float64)
        return _State(process_generators(keys, "moves"), process_generators(keys, "noise"), target)

    def advance(self, state: _State, n_steps: int) -> tuple[_State, Arrays]:
        moves = np.stack([g.integers(-1, 2, (n_steps, self._n)) for g in state.moves])
        noise = np.stack([g.standard_normal((n_steps, self._n)) for g in state.noise])
        target, places = state.target, []
        for t in range(n_steps):
            target = np.clip(target + moves[:, t], -self._w, self._w)
            places.append(target)
        true = np.stack(places, axis=1)
        arrays = {"target_m": true, "measured_m": np.clip(true + 0.5 * noise, -99, 99)}
        return _State(state.moves, state.noise, target), arrays
