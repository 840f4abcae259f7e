"""Rules that people use to decide handovers, by name, with the grids over which they are tuned.

One file per family: `simple`, `events` (A3, A4, A5), `conditional` (location and time), `predictive` (LMS, adaptive
threshold), `capacity`, `composite` (load-aware, hybrid, weighted sum) and `planner` (on a forecast).
"""

from __future__ import annotations

from collections.abc import Mapping

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.envs.handover.heuristics import (
    capacity,
    composite,
    conditional,
    events,
    planner,
    predictive,
    simple,
)

HEURISTICS: Mapping[str, HeuristicSpec] = {
    **simple.SPECS,
    **events.SPECS,
    **conditional.SPECS,
    **capacity.SPECS,
    **predictive.SPECS,
    **composite.SPECS,
    **planner.SPECS,
}
