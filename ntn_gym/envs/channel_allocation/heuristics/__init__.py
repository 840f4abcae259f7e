"""Rules that people use to assign channels, by name, with the grids over which they are tuned.

One file per family: `simple`, `borrowing` and `scarcity`. What they share is in `choice`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.envs.channel_allocation.heuristics import borrowing, scarcity, simple

HEURISTICS: Mapping[str, HeuristicSpec] = {**simple.SPECS, **borrowing.SPECS, **scarcity.SPECS}
