"""Rules for beam powers, by name, with the grids over which they are tuned.

`shares` divides a total power (equal, demand, water-filling, state of charge, day ahead), `gradient` maximises
weighted rates (proportional fair, max-weight, M-LWDF, EXP), `interference` has WMMSE and power control to a load,
`greedy` the coordinate search on a model of the step.
"""

from __future__ import annotations

from collections.abc import Mapping

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.envs.resource_allocation.heuristics import gradient, greedy, interference, shares

HEURISTICS: Mapping[str, HeuristicSpec] = {
    **shares.SPECS,
    **gradient.SPECS,
    **interference.SPECS,
    **greedy.SPECS,
}
