"""Rules that people use to route data down, by name, with the grids over which they are tuned.

`contact`: rules that look at contacts and the sky now. `expected`: contact-graph routing and expected
values. `rollout`: simulation of the next passes.
"""

from __future__ import annotations

from collections.abc import Mapping

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.envs.data_relay.heuristics import contact, expected, rollout

HEURISTICS: Mapping[str, HeuristicSpec] = {**contact.SPECS, **expected.SPECS, **rollout.SPECS}
