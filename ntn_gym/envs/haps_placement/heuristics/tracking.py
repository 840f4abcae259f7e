"""Rules that follow the demand: Lloyd's clustering and greedy maximum coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.haps_placement.heuristics.planning import (
    Sites,
    assign,
    covered,
    expected_demand,
    quality,
)
from ntn_gym.envs.haps_placement.heuristics.rule import (
    BUDGETS,
    FORECAST,
    LEADS_H,
    ForecastParameters,
    TargetRule,
    specify,
)
from ntn_gym.envs.haps_placement.observation import View
from ntn_gym.envs.haps_placement.radio import radio_maps
from ntn_gym.envs.haps_placement.scenario import Scenario

FloatArray = NDArray[Any]


class LloydParameters(ForecastParameters):
    """Parameters of `Lloyd`."""

    reach: float = Field(2.0, ge=0.5, le=10, description="Groups further than this many coverage radii do not pull.")
    power: float = Field(1.0, ge=0, le=4, description="Exponent of the demand in the weights.")


class Lloyd(TargetRule):
    """Assign every group to the nearest platform and fly to the weighted centre of what one has."""

    def __init__(self, scenario: Scenario, parameters: LloydParameters) -> None:
        """Keep the parameters."""
        super().__init__(scenario, parameters)
        self._p = parameters
        self._reach_m = parameters.reach * float(radio_maps(scenario).edge_m[0])

    def targets(self, view: View, before: FloatArray, restarted: NDArray[np.bool_]) -> FloatArray:
        """Weighted centres; a platform without groups stays."""
        demand = expected_demand(view, self._p.lead_h, self._p.averaged) ** self._p.power
        gap = view.group_m[:, None] - view.place_m[:, :, None]
        away = np.sqrt((gap * gap).sum(axis=-1))
        mine = away.argmin(axis=1)[:, None] == np.arange(away.shape[1])[:, None]
        weight = np.where(mine & (away < self._reach_m), demand[:, None], 0.0)
        total = weight.sum(axis=-1, keepdims=True)
        pull = (weight[..., None] * gap).sum(axis=2)
        return view.place_m + np.where(total > 1e-9, pull / np.maximum(total, 1e-9), 0.0)


class GreedyParameters(ForecastParameters):
    """Parameters of `Greedy`."""

    hysteresis: float = Field(0.0, ge=0, le=1, description="Share by which new targets must be better than the old.")
    replan_steps: int = Field(1, ge=1, le=144, description="Steps between two plans.")
    spacing_m: float = Field(15e3, ge=2e3, le=100e3, description="Distance between sites of the grid.")


class Greedy(TargetRule):
    """Greedy maximum coverage on a grid of sites; platforms are assigned by the Hungarian method.

    Targets change only if the new ones cover more by a margin, because flying costs time and energy.
    """

    def __init__(self, scenario: Scenario, parameters: GreedyParameters) -> None:
        """Lay out candidate sites."""
        super().__init__(scenario, parameters)
        self._p = parameters
        self.replan_steps = parameters.replan_steps
        self._sites = Sites(scenario, parameters.spacing_m)
        self._maps = radio_maps(scenario)

    def targets(self, view: View, before: FloatArray, restarted: NDArray[np.bool_]) -> FloatArray:
        """Sites with the largest coverage."""
        demand = expected_demand(view, self._p.lead_h, self._p.averaged)
        chosen, offered = self._sites.choose(view, demand)
        worlds = np.arange(len(chosen))[:, None]
        new = covered(offered[worlds, chosen], demand)
        old = covered(quality(self._maps, before, view.group_m), demand)
        keep = ~restarted & (new <= old * (1.0 + self._p.hysteresis))
        plan = assign(view.place_m, self._sites.place_m[chosen], view.radio_on)
        return np.where(keep[:, None, None], before, plan)


_LLOYD = {"budget": BUDGETS, "reach": (1.0, 1.5, 2.0, 3.0, 5.0), "power": (0.5, 1.0, 2.0, 4.0)}
_GREEDY = {
    "budget": BUDGETS,
    "hysteresis": (0.0, 0.02, 0.06, 0.15),
    "replan_steps": (1, 3),
    "spacing_m": (10e3, 15e3),
}
_LEAD = {"lead_h": LEADS_H, "averaged": (False, True)}
_LLOYD_SOURCE = "S. P. Lloyd, IEEE Transactions on Information Theory 28, 1982"
_GREEDY_SOURCE = "Nemhauser, Wolsey and Fisher, Mathematical Programming 14, 1978; assignment by Kuhn 1955"

SPECS = {
    **specify(
        "lloyd",
        Lloyd,
        LloydParameters,
        _LLOYD,
        "single",
        "Towards the weighted centre of the groups for which one is the nearest platform.",
        _LLOYD_SOURCE,
    ),
    **specify(
        "lloyd_forecast",
        Lloyd,
        LloydParameters,
        {**_LLOYD, **_LEAD},
        "forecast",
        "Lloyd's rule on the demand that is forecast.",
        _LLOYD_SOURCE,
        FORECAST,
    ),
    **specify(
        "greedy",
        Greedy,
        GreedyParameters,
        _GREEDY,
        "composite",
        "Greedy maximum coverage on a grid, Hungarian assignment, with hysteresis.",
        _GREEDY_SOURCE,
    ),
    **specify(
        "greedy_forecast",
        Greedy,
        GreedyParameters,
        {**_GREEDY, **_LEAD},
        "forecast",
        "Greedy maximum coverage of the demand that is forecast.",
        _GREEDY_SOURCE,
        FORECAST,
    ),
}
