"""What all rules share: reading the observation, admission, and choosing a channel or a move.

A rule scores channels. An arriving call takes the legal channel with the best score; on a departure the call on the
channel with the best score moves to the freed one if that score is positive. A rule sees what an agent sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ntn_gym.core import coin
from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.policy import Policy
from ntn_gym.core.scenario import parse
from ntn_gym.envs.channel_allocation.observation import View

Floats = NDArray[Any]
Mask = NDArray[np.bool_]
NOTHING = -np.inf
"""Score of a channel that a rule does not want."""


class Parameters(BaseModel):
    """Parameters of a rule, validated when the rule is built."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NoParameters(Parameters):
    """A rule without parameters."""


@dataclass(frozen=True)
class Scores:
    """What a rule thinks of B decisions.

    Attributes:
        arrival: Score of each channel for an arriving call, [B, C]; `NOTHING` rather refuses the call.
        departure: Score of moving the call on each channel to the freed one, [B, C]; None: never.
        admit: Whether a *new* call is let in, [B]; None: always.
    """

    arrival: Floats
    departure: Floats | None = None
    admit: Mask | None = None


Rule = Callable[[View, Parameters], Scores]


class RulePolicy:
    """A rule as a policy; nothing is remembered."""

    def __init__(self, rule: Rule, parameters: Parameters, n_channels: int) -> None:
        """Keep the rule."""
        self._rule, self._parameters, self._n_channels = rule, parameters, n_channels

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name a channel, or none."""
        view = View.of(observation, self._n_channels)
        scores = self._rule(view, self._parameters)
        departs = view.of_cell("freed") > 0
        legal = view.slot("valid") > 0
        if scores.departure is None:
            score = np.where(legal & ~departs[:, None], scores.arrival, NOTHING)
        else:
            wanted = np.where(scores.departure > 0, scores.departure, NOTHING)
            score = np.where(legal, np.where(departs[:, None], wanted, scores.arrival), NOTHING)
        best = score.argmax(axis=1)
        named = score[np.arange(len(best)), best] > NOTHING
        if scores.admit is not None:
            named &= scores.admit | ~(view.of_cell("new") > 0)
        return np.where(named, best, self._n_channels)[:, None]


def specify(
    name: str,
    rule: Callable[[View, Any], Scores],
    parameters: type[Parameters],
    grid: Mapping[str, Sequence[Any]],
    family: Literal["single", "composite", "forecast"],
    description: str,
    source: str,
) -> dict[str, HeuristicSpec]:
    """Describe a rule for the table of heuristics; its factory validates parameters by name and range."""

    def factory(task: Any, params: Mapping[str, Any]) -> Policy:
        chosen = parse(parameters, params, f"parameters of heuristic {name!r}")
        return RulePolicy(rule, chosen, task.n_channels)

    return {name: HeuristicSpec(factory, grid, family, description, source)}


def channel_numbers(view: View) -> NDArray[np.float64]:
    """Return 0, 1, ..., [C]."""
    return np.arange(view.channels.shape[1], dtype=np.float64)


def arbitrary(view: View) -> NDArray[np.float64]:
    """Coins in [0, 1) per channel, [B, C], see `ntn_gym.core.coin`."""
    return coin.arbitrary(view.cell, view.channels.shape[1]).astype(np.float64)
