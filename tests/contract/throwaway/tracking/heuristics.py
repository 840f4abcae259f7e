"""Rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ntn_gym.core.heuristic import HeuristicSpec


@dataclass
class Follow:
    """Walk towards the measured target when it is further than a threshold."""

    half_width: int
    threshold_m: float

    def reset(self, n_worlds: int) -> None:
        pass

    def act(self, observation: np.ndarray, mask: np.ndarray | None, restarted: np.ndarray) -> np.ndarray:
        gap_m = (observation[..., 1] - observation[..., 0]) * self.half_width
        return 1 + np.sign(gap_m).astype(np.int64) * (np.abs(gap_m) > self.threshold_m)


def _follow(task: Any, parameters: Mapping[str, Any]) -> Follow:
    return Follow(task.w, parameters.get("threshold_m", 0.5))


HEURISTICS = {
    "follow": HeuristicSpec(_follow, {"threshold_m": (0.3, 0.5, 1.0)}, "single", "Walk to the target.", "obvious"),
}
