"""Greedy coordinate search on a model of one step: the rule to beat; and the same under the day-ahead forecast."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.resource_allocation.heuristics.base import Parameters, PowerRule, specify
from ntn_gym.envs.resource_allocation.heuristics.model import StepModel, coordinate_search
from ntn_gym.envs.resource_allocation.heuristics.shares import DemandParameters, DemandProportional
from ntn_gym.envs.resource_allocation.observation import View
from ntn_gym.envs.resource_allocation.task import ResourceAllocationTask

FloatArray = NDArray[Any]


class GreedyParameters(Parameters):
    """Parameters of `Greedy`."""

    patience: float = Field(0.2, ge=0, le=1, description="Worth now of a bit that can wait, over its value.")
    shadow_price: float = Field(
        0.8, ge=0, le=10, description="Price of the reference supply power where a battery gives no price."
    )
    sweeps: int = Field(1, ge=1, le=5)


class Greedy(PowerRule):
    """From demand-proportional powers, change one radio at a time to the level with the best expected step.

    The score is (1 + drop price) times the value of the expiring bits served, plus patience times that of the others,
    less the price of the supply power.
    """

    def __init__(self, task: ResourceAllocationTask, parameters: GreedyParameters) -> None:
        """Prepare levels."""
        super().__init__(task)
        self._parameters = parameters
        levels = task.constants.levels_w[: task.n_radios].astype(np.float64)
        if task.scenario.action.kind == "box":  # twice as many levels where they are free
            between = np.sqrt(levels[:, 1:-1] * levels[:, 2:])
            levels = np.sort(np.concatenate([levels, between], axis=1), axis=1)
        self._levels = levels
        self._start = DemandProportional(task, DemandParameters())
        self._urgent = 1.0 + task.scenario.reward.drop_price
        self._per_w = 1.0 / task.scenario.energy.reference_w

    def search(self, view: View, restarted: NDArray[np.bool_], price: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return powers [B, R] and the supply power that the model expects of them, [B]."""
        model = StepModel(self.task, view)
        waiting = self._parameters.patience * self._urgent

        def score(candidates: FloatArray) -> FloatArray:
            estimate = model.estimate(candidates)
            value = self._urgent * estimate.urgent + waiting * estimate.other
            result: FloatArray = value - (price * self._per_w)[:, None] * estimate.payload_w
            return result

        start = np.minimum(self._start.powers(view, restarted), self.highest_w)
        chosen = coordinate_search(score, start, self._levels, self._parameters.sweeps)
        return chosen, model.estimate(chosen[:, None]).payload_w[:, 0]

    def price(self, view: View) -> FloatArray:
        """Price of the reference supply power, [B]."""
        if self.task.battery is None:
            return view.price
        return view.price + self._parameters.shadow_price

    def powers(self, view: View, restarted: NDArray[np.bool_]) -> FloatArray:
        """Search at the price."""
        return self.search(view, restarted, self.price(view))[0]


class PlannedParameters(GreedyParameters):
    """Parameters of `GreedyPlanned`."""

    spend_factor: float = Field(1.4, gt=0, le=5, description="Supply power over what the forecast sustains.")


class GreedyPlanned(Greedy):
    """Coordinate search at the lowest price of energy whose supply power the day-ahead forecast sustains."""

    _STEPS = np.array([0.5, 1.0, 2.0, 4.0])

    def __init__(self, task: ResourceAllocationTask, parameters: PlannedParameters) -> None:
        """Keep the parameters."""
        super().__init__(task, parameters)
        self._spend = parameters.spend_factor

    def powers(self, view: View, restarted: NDArray[np.bool_]) -> FloatArray:
        """Search at every price of a ladder around the shadow price."""
        if self.task.battery is None:
            return super().powers(view, restarted)
        prices = view.price[:, None] + self._parameters.shadow_price * self._STEPS
        n_worlds, n_prices = prices.shape
        many = View(np.repeat(view.observation, n_prices, axis=0))
        chosen, supply = self.search(many, np.repeat(restarted, n_prices), prices.ravel())
        budget = self._spend * 1e3 * view.context("spend").astype(np.float64)
        within = supply.reshape(n_worlds, n_prices) <= budget[:, None]
        within[:, -1] = True
        return chosen.reshape(n_worlds, n_prices, -1)[np.arange(n_worlds), np.argmax(within, axis=1)]


_GRID: dict[str, tuple[Any, ...]] = {
    "patience": (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8),
    "shadow_price": (0.4, 0.8, 1.6),
    "sweeps": (1,),
}
SPECS = {
    **specify(
        "greedy",
        Greedy,
        GreedyParameters,
        _GRID,
        "composite",
        "Coordinate search over the levels on a model of the step, with the price of energy.",
        "coordinate ascent on the one-step value; the comparator to beat",
    ),
    **specify(
        "greedy-planned",
        GreedyPlanned,
        PlannedParameters,
        {**_GRID, "spend_factor": (1.0, 1.4, 1.8)},
        "forecast",
        "As greedy at the lowest price of energy that a day-ahead forecast of the sun sustains.",
        "coordinate ascent with energy-neutral operation (A. Kansal et al., 2007)",
    ),
}
