"""What all rules share: reading the observation, and turning scores into actions.

A rule sees what an agent sees, nothing else. Everything is batched over worlds B and satellites S; arrays over slots
are [B, S, K]. A rule gives every slot a score; the best slot with a positive one is named, otherwise the satellite
waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.policy import Policy
from ntn_gym.core.scenario import parse
from ntn_gym.envs.data_relay.observation import View
from ntn_gym.envs.data_relay.scenario import Scenario

Floats = NDArray[Any]
Mask = NDArray[np.bool_]


class Parameters(BaseModel):
    """Parameters of a rule, validated when the rule is built."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NoParameters(Parameters):
    """A rule without parameters."""


def specify(
    name: str,
    rule: Callable[[Scenario, Any], Policy],
    parameters: type[Parameters],
    grid: Mapping[str, Sequence[Any]],
    family: Literal["single", "composite", "forecast"],
    description: str,
    source: str,
) -> dict[str, HeuristicSpec]:
    """Describe a rule for the table of heuristics; its factory validates parameters by name, range and unit."""

    def factory(task: Any, params: Mapping[str, Any]) -> Policy:
        return rule(task.scenario, parse(parameters, params, f"parameters of heuristic {name!r}"))

    return {name: HeuristicSpec(factory, grid, family, description, source)}


@dataclass(frozen=True)
class Situation:
    """One decision of B worlds and S satellites.

    Attributes:
        view: The observation in engineering units.
        scenario: The scenario.
    """

    view: View
    scenario: Scenario

    @cached_property
    def valid(self) -> Mask:
        """A receiver is in view."""
        return self.view.flag("valid")

    @cached_property
    def pointed(self) -> Mask:
        """The terminal points to it."""
        return self.view.flag("pointed")

    @cached_property
    def clear(self) -> Mask:
        """Bits sent there go to the ground at once (or to a neighbour)."""
        return self.view.flag("clear")

    @cached_property
    def ground(self) -> Mask:
        """It is a station or a HAGS, no satellite."""
        return self.valid & ~self.view.flag("neighbour")

    @cached_property
    def stores(self) -> Mask:
        """It is a HAGS over clouds: bits wait there."""
        return self.view.flag("hags") & ~self.clear

    @cached_property
    def usable(self) -> Mask:
        """A station or HAGS that takes bits now, is not taken by another satellite, and has room.

        Of two slots of one receiver only the one that sends urgent data first counts.
        """
        free = ~self.view.flag("taken") | self.pointed
        takes = (self.clear | self.stores) & (self.view.volume_bits > 0)
        return self.ground & free & takes & ~self.view.flag("routine_first")

    @cached_property
    def has_data(self) -> Mask:
        """Something is on board, [B, S, 1]."""
        return (self.view.user("queue") > 0)[..., None]

    @cached_property
    def acquisition_s(self) -> Floats:
        """Expected time until bits flow: what is left where the terminal points, a mean acquisition elsewhere."""
        links = self.scenario.links
        mean = np.float32(0.5 * (links.acquisition_min_s + links.acquisition_max_s))
        left = self.view.user("acquiring")[..., None] * np.float32(60.0)
        return np.where(self.pointed, left, mean)

    @cached_property
    def rate_bit_s(self) -> Floats:
        """Rate under clear sky."""
        links = self.scenario.links
        return self.view.slot("rate") * np.float32(max(links.model.rate_bit_s, links.isl_rate_bit_s))


def look(scenario: Scenario, observation: NDArray[np.float32]) -> Situation:
    """Read an observation."""
    return Situation(View(observation), scenario)


def name_best(score: Floats, routine_first: Mask | None = None) -> NDArray[np.intp]:
    """Return the action of the best slot with a positive score, else of waiting.

    Args:
        score: Score of each slot, not positive where it must not be named, [B, S, K].
        routine_first: Where the slot of the same receiver that sends routine data first is to be named, [B, S, K];
            None: nowhere.

    Returns:
        Actions, [B, S].
    """
    n_slots = score.shape[-1]
    best = np.argmax(score, axis=-1)
    worth = np.take_along_axis(score, best[..., None], axis=-1)[..., 0] > 0
    if routine_first is not None:
        shift = np.take_along_axis(routine_first, best[..., None], axis=-1)[..., 0]
        best = best + shift * (n_slots // 2)
    action: NDArray[np.intp] = np.where(worth, best, n_slots)
    return action
