"""Rules that people use to decide who serves whom, by name, with the grids over which they are tuned.

*Distributed* rules decide for each user from what that user knows (`simple`, `response`). *Central* rules know what
all users report and decide for all together (`weak_first`, `greedy`, `assignment`); their names begin with
``central_``. The two are never to be mixed in one "best rule".
"""

from __future__ import annotations

from collections.abc import Mapping

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.envs.multi_connectivity.heuristics import assignment, greedy, response, simple, weak_first

HEURISTICS: Mapping[str, HeuristicSpec] = {
    **simple.SPECS,
    **response.SPECS,
    **weak_first.SPECS,
    **greedy.SPECS,
    **assignment.SPECS,
}
