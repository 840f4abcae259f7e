"""One rule, which is nearly the best there is, and a bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ntn_gym.core.bound import BoundResult
from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.task import Arrays


class Straight:
    """Full speed towards the target on each axis, and no further."""

    def reset(self, n_worlds: int) -> None:
        pass

    def act(self, observation: np.ndarray, mask: np.ndarray | None, restarted: np.ndarray) -> np.ndarray:
        return np.clip(4 * observation[..., 2:], -1, 1).astype(np.float32)


def _straight(task: Any, parameters: Mapping[str, Any]) -> Straight:
    return Straight()


HEURISTICS = {"straight": HeuristicSpec(_straight, {}, "single", "Steer straight to the target.", "obvious")}


def bound(task: Any, arrays: Arrays) -> BoundResult:
    """No distance is below zero."""
    return BoundResult(np.zeros(len(arrays["target"])), None)
