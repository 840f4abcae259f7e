"""Swarm rules: every platform follows demand that others do not cover, keeps away from others and in the region."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.haps_placement.heuristics.pilot import Pilot
from ntn_gym.envs.haps_placement.heuristics.planning import expected_demand, quality
from ntn_gym.envs.haps_placement.heuristics.rule import BUDGETS, FORECAST, LEADS_H, ForecastParameters, specify
from ntn_gym.envs.haps_placement.observation import View
from ntn_gym.envs.haps_placement.radio import radio_maps
from ntn_gym.envs.haps_placement.scenario import Scenario

FloatArray = NDArray[Any]


class SwarmParameters(ForecastParameters):
    """Parameters of `Swarm`."""

    attraction_m: float = Field(45e3, gt=0, le=1e6, description="Range of the pull of demand.")
    repulsion_m: float = Field(50e3, gt=0, le=1e6, description="Range of the push of other platforms.")
    repulsion: float = Field(0.7, ge=0, le=20, description="Strength of that push, against the pull.")
    gain: float = Field(3.0, gt=0, le=100, description="Speed over full speed for a pull of one mean town's demand.")


class Swarm:
    """Local forces instead of a plan.

    Demand pulls with d_j (1 - q_j) u exp(-|r|^2 / 2 s^2) r / s, where q_j is the best quality that another platform
    offers it; another platform pushes with exp(-|r| / p). The sum is the wanted velocity, limited to full speed.
    """

    def __init__(self, scenario: Scenario, parameters: SwarmParameters) -> None:
        """Keep scenario and pilot."""
        self._scenario, self._p = scenario, parameters
        self._pilot = Pilot(scenario, parameters.budget)
        self._maps = radio_maps(scenario)

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(
        self, observation: NDArray[np.float32], mask: NDArray[np.bool_] | None, restarted: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Follow the forces."""
        p, view = self._p, View(self._scenario, observation)
        place = view.place_m
        n = place.shape[1]
        demand = expected_demand(view, p.lead_h, p.averaged)
        offered = quality(self._maps, place, view.group_m) * view.radio_on[..., None]
        best = np.where(np.eye(n, dtype=bool)[..., None], 0.0, offered[:, None]).max(axis=2)
        gap = view.group_m[:, None] - place[:, :, None]
        away2 = (gap * gap).sum(axis=-1)
        pull = demand[:, None] * (1.0 - best) * np.exp(-away2 / (2 * p.attraction_m**2)) / p.attraction_m
        force = (pull[..., None] * gap).sum(axis=2)
        apart = place[:, :, None] - place[:, None]
        distance = np.sqrt((apart * apart).sum(axis=-1))
        push = p.repulsion * np.exp(-distance / p.repulsion_m) / np.maximum(distance, 1.0)
        force = force + (push[..., None] * apart).sum(axis=2)
        half = self._scenario.region.half_width_m
        force = force - np.sign(place) * np.maximum(np.abs(place) - 0.95 * half, 0.0) / (0.05 * half)
        size = np.sqrt((force * force).sum(axis=-1, keepdims=True))
        wanted = force * np.minimum(p.gain, 1.0 / np.maximum(size, 1e-12))
        # A platform that has lost its way to a gateway turns back towards one.
        back = view.gateway_m / np.maximum(np.sqrt((view.gateway_m**2).sum(axis=-1, keepdims=True)), 1.0)
        wanted = np.where((~view.reached & view.radio_on)[..., None], back, wanted)
        if not self._scenario.flies:
            return self._pilot.action(view, place + wanted * p.attraction_m)
        return self._pilot.steer(view, wanted * self._pilot.fastest_m_s)


_GRID = {
    "budget": BUDGETS,
    "attraction_m": (25e3, 40e3, 60e3, 80e3),
    "repulsion_m": (30e3, 60e3, 100e3),
    "repulsion": (0.3, 0.7, 1.5, 3.0),
    "gain": (1.0, 3.0, 10.0),
}
_SOURCE = (
    "C. W. Reynolds, Computer Graphics 21 (4), 1987 (separation and cohesion); the pull of uncovered demand is defined "
    "here"
)

SPECS = {
    **specify(
        "swarm",
        Swarm,
        SwarmParameters,
        _GRID,
        "single",
        "Local forces: uncovered demand pulls, other platforms push.",
        _SOURCE,
    ),
    **specify(
        "swarm_forecast",
        Swarm,
        SwarmParameters,
        {**_GRID, "lead_h": LEADS_H, "averaged": (False, True)},
        "forecast",
        "Local forces on the demand that is forecast.",
        _SOURCE,
        FORECAST,
    ),
}
