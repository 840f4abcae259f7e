"""Particle swarm optimisation of all places together, on a snapshot of the demand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.haps_placement.heuristics.planning import assign, expected_demand
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

INERTIA, PULL = 0.7298, 1.49618


class ParticleParameters(ForecastParameters):
    """Parameters of `Particles`."""

    particles: int = Field(16, ge=2, le=200)
    iterations: int = Field(12, ge=1, le=500)
    hysteresis: float = Field(0.03, ge=0, le=1, description="Share by which new targets must be better than the old.")


class Particles(TargetRule):
    """v <- 0.7298 v + 1.49618 r1 (own best - x) + 1.49618 r2 (best of all - x), every half hour.

    A particle is the list of all places. One of them begins at the present targets. The random numbers are the same at
    every planning, so that a world's plan depends on nothing but the world.
    """

    replan_steps = 3

    def __init__(self, scenario: Scenario, parameters: ParticleParameters) -> None:
        """Draw the random numbers once."""
        super().__init__(scenario, parameters)
        self._p = parameters
        rng = np.random.default_rng(0)
        shape = (parameters.particles, scenario.fleet.count, 2)
        self._start = (2 * rng.random(shape) - 1) * scenario.region.half_width_m
        self._pulls = PULL * rng.random((parameters.iterations, 2, *shape))
        self._maps = radio_maps(scenario)

    def targets(self, view: View, before: FloatArray, restarted: NDArray[np.bool_]) -> FloatArray:
        """The best places found, the shortest ways in sum of squares."""
        half = self.scenario.region.half_width_m
        demand = expected_demand(view, self._p.lead_h, self._p.averaged).astype(np.float32)
        held = np.where(restarted[:, None, None], view.place_m, before)
        place = np.tile(self._start, (len(held), 1, 1, 1))
        place[:, 0] = held
        velocity = np.zeros_like(place)
        own, worth = place.copy(), self._worth(place, view.group_m, demand)
        present = worth[:, 0].copy()
        worlds = np.arange(len(held))
        for first, second in self._pulls:
            leader = own[worlds, worth.argmax(axis=1)][:, None]
            velocity = INERTIA * velocity + first * (own - place) + second * (leader - place)
            place = np.clip(place + velocity, -half, half)
            now = self._worth(place, view.group_m, demand)
            better = now > worth
            own = np.where(better[..., None, None], place, own)
            worth = np.maximum(worth, now)
        leader = own[worlds, worth.argmax(axis=1)]
        keep = ~restarted & (worth.max(axis=1) <= present * (1.0 + self._p.hysteresis))
        return np.where(keep[:, None, None], before, assign(view.place_m, leader))

    def _worth(self, place_m: FloatArray, group_m: FloatArray, demand: FloatArray) -> FloatArray:
        """Demand covered by every particle, [B, particles]."""
        offset = (group_m[:, None, None] - place_m[:, :, :, None]).astype(np.float32)
        best = self._maps.quality.take(self._maps.cells(offset)).max(axis=2)
        return np.asarray((best * demand[:, None]).sum(axis=-1))


_GRID = {"budget": BUDGETS, "hysteresis": (0.0, 0.03, 0.06, 0.1, 0.2), "particles": (16, 24), "iterations": (12, 24)}
_SOURCE = "J. Kennedy and R. Eberhart, Proc. IEEE Int. Conf. Neural Networks, 1995; weights of Clerc and Kennedy 2002"

SPECS = {
    **specify(
        "particles",
        Particles,
        ParticleParameters,
        _GRID,
        "composite",
        "Particle swarm optimisation of all places on the present demand.",
        _SOURCE,
    ),
    **specify(
        "particles_forecast",
        Particles,
        ParticleParameters,
        {**_GRID, "lead_h": LEADS_H, "averaged": (False, True)},
        "forecast",
        "Particle swarm optimisation on the demand that is forecast.",
        _SOURCE,
        FORECAST,
    ),
}
