"""What every rule shares: parameters, memory of targets, and the pilot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.policy import Policy
from ntn_gym.core.scenario import parse
from ntn_gym.envs.haps_placement.heuristics.pilot import Pilot
from ntn_gym.envs.haps_placement.observation import View
from ntn_gym.envs.haps_placement.scenario import Scenario

FloatArray = NDArray[Any]
BUDGETS = (0.0, 0.7, 1.0, 1.3, 1.7, 2.5)
LEADS_H = (0.75, 1.5, 2.25, 3.0)
FORECAST = {"lead_h": 1.5}
"""Default of the rules that are fed with the forecast."""


class Parameters(BaseModel):
    """Parameters of a rule, validated when it is built."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    budget: float = Field(1.0, ge=0, le=10, description="Share of the battery for the night, see `Pilot`; 0: none.")


class ForecastParameters(Parameters):
    """Parameters of a rule that reckons with demand to come."""

    lead_h: float = Field(0.0, ge=0, le=3, description="How far ahead demand is looked at.")
    averaged: bool = Field(False, description="Take the mean until then.")


class TargetRule:
    """A rule that names a place for every platform.

    Targets are made anew every `replan_steps` steps of a world, and kept in between; 0: only when an episode begins.
    """

    replan_steps: int = 1

    def __init__(self, scenario: Scenario, parameters: Parameters) -> None:
        """Keep scenario and pilot."""
        self.scenario = scenario
        self.pilot = Pilot(scenario, parameters.budget)
        self._target: FloatArray = np.empty(0)
        self._age: NDArray[np.intp] = np.empty(0, dtype=np.intp)

    def reset(self, n_worlds: int) -> None:
        """Forget all targets."""
        self._target = np.zeros((n_worlds, self.scenario.fleet.count, 2))
        self._age = np.zeros(n_worlds, dtype=np.intp)

    def act(
        self, observation: NDArray[np.float32], mask: NDArray[np.bool_] | None, restarted: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Fly towards the targets."""
        self._age = np.where(restarted, 0, self._age)
        view = View(self.scenario, observation)
        due = np.flatnonzero(self._age % self.replan_steps == 0) if self.replan_steps else np.flatnonzero(restarted)
        if len(due) == len(observation):
            self._target = self.targets(view, self._target, restarted)
        elif len(due):
            some = View(self.scenario, observation[due])
            self._target = self._target.copy()
            self._target[due] = self.targets(some, self._target[due], restarted[due])
        self._age = self._age + 1
        # A platform that has lost its way to a gateway turns back towards one until it has found it again.
        lost = ~view.reached & view.radio_on
        target = np.where(lost[..., None], view.place_m + view.gateway_m, self._target)
        return self.pilot.action(view, target)

    def targets(self, view: View, before: FloatArray, restarted: NDArray[np.bool_]) -> FloatArray:
        """Return the places to fly to, [B, M, 2].

        Args:
            view: What is known.
            before: Targets so far, meaningless where an episode begins.
            restarted: Where an episode begins, [B].
        """
        raise NotImplementedError


def specify(
    name: str,
    rule: Callable[[Scenario, Any], Policy],
    parameters: type[Parameters],
    grid: Mapping[str, Sequence[Any]],
    family: Literal["single", "composite", "forecast"],
    description: str,
    source: str,
    defaults: Mapping[str, Any] | None = None,
) -> dict[str, HeuristicSpec]:
    """Describe a rule for the table of heuristics; its factory validates parameters by name, range and unit.

    ``defaults`` replace those of the class of parameters, for a rule that comes in two versions.
    """

    def factory(task: Any, params: Mapping[str, Any]) -> Policy:
        values = {**(defaults or {}), **params}
        return rule(task.scenario, parse(parameters, values, f"parameters of heuristic {name!r}"))

    return {name: HeuristicSpec(factory, grid, family, description, source)}
