"""Rules that place platforms, by name, with the grids over which they are tuned.

All fly by the same `pilot`, with a budget of energy for the night. `static`: stay, hexagonal grid, best static sites.
`tracking`: Lloyd and greedy coverage. `swarm`: local forces. `particles`: particle swarm optimisation. The tracking
rules come twice: on the demand last reported, and on its forecast.
"""

from __future__ import annotations

from collections.abc import Mapping

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.envs.haps_placement.heuristics import particles, static, swarm, tracking

HEURISTICS: Mapping[str, HeuristicSpec] = {**static.SPECS, **tracking.SPECS, **swarm.SPECS, **particles.SPECS}
