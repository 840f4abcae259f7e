"""What an engine gives back: the result of a step, and a snapshot to return to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.task import Outcome


class StepResult(NamedTuple):
    """What a step gave: outcome, terminated [B], truncated [B], and the weights of the reward terms."""

    outcome: Outcome
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    weights: tuple[float, ...]

    @property
    def reward(self) -> NDArray[np.float64]:
        """Reward of every agent, [B, A]."""
        return weighted_sum(self.outcome.reward_terms, self.weights)


def weighted_sum(terms: NDArray[np.float64], weights: Sequence[float]) -> NDArray[np.float64]:
    """Scalar reward of reward terms [..., n_terms].

    The terms are added one after the other, so that no result depends on the size of the batch (the order within a
    matrix product may) and plain numbers added in the same order give the same bits.
    """
    total: NDArray[np.float64] = terms[..., 0] * weights[0]
    for k in range(1, len(weights)):
        total += terms[..., k] * weights[k]
    return total


@dataclass(frozen=True)
class Snapshot:
    """Everything that decides the future of an engine; a few hundred bytes per world."""

    keys: tuple[WorldKey, ...]
    row_keys: tuple[WorldKey, ...]
    steps: NDArray[np.intp]
    task_state: Any
