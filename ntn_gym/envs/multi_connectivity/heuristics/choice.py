"""What all rules share: what is known, which sets are open, and how a set is chosen.

A rule sees what agents see, nothing else. Everything is batched over worlds B and users U; arrays over sets are
[B, U, S], over ports [B, U, P]. A rule gives every set a score and takes the best one that is legal; set 0 (no link) is
always open, with score 0 unless a rule says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.policy import Policy
from ntn_gym.core.scenario import parse
from ntn_gym.envs.multi_connectivity.admission import limits_of_resources
from ntn_gym.envs.multi_connectivity.observation import View
from ntn_gym.envs.multi_connectivity.sets import SetTable, gather

Floats = NDArray[Any]
Mask = NDArray[np.bool_]
CLOSED = np.float32(-1e9)
"""Score of a set that must not be chosen."""


class Parameters(BaseModel):
    """Parameters of a rule, validated when the rule is built."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def specify(
    name: str,
    rule: Callable[[Any, Any], Policy],
    parameters: type[Parameters],
    grid: Mapping[str, Sequence[Any]],
    family: Literal["single", "composite", "forecast"],
    description: str,
    source: str,
) -> dict[str, HeuristicSpec]:
    """Describe a rule for the table of heuristics; its factory validates parameters by name, range and unit."""

    def factory(task: Any, params: Mapping[str, Any]) -> Policy:
        return rule(task, parse(parameters, params, f"parameters of heuristic {name!r}"))

    return {name: HeuristicSpec(factory, grid, family, description, source)}


@dataclass(frozen=True)
class Situation:
    """One decision of B worlds and U users.

    Attributes:
        view: The observation in engineering units.
        legal: Sets that may be named, [B, U, S].
        valid: Ports that hold a node, [B, U, P].
        linked: Present links, [B, U, P].
        current: Present set, [B, U].
        sinr_db: Measured SINR, [B, U, P]; very low where a port is empty.
    """

    view: View
    legal: Mask
    valid: Mask
    linked: Mask
    current: NDArray[np.intp]
    sinr_db: Floats


class Rule:
    """What rules know of their task."""

    def __init__(self, task: Any) -> None:
        """Keep the task's tables."""
        self.scenario = task.scenario
        self.sets: SetTable = task.sets
        n_slots = self.scenario.n_slots
        self.in_sky = np.arange(self.sets.n_ports) % n_slots < self.scenario.n_sky_slots
        self.mode_of_port = np.arange(self.sets.n_ports) // n_slots
        self.limit = limits_of_resources(self.scenario)
        kinds = np.stack(
            [self.sets.members[:, self.in_sky].any(axis=1), self.sets.members[:, ~self.in_sky].any(axis=1)]
        )
        self.is_mixed = kinds.all(axis=0)
        prices = self.scenario.reward
        self.price_link = prices.link_utility
        self.price_added = prices.change_utility_s / self.scenario.dt_s
        self.price_set = prices.coordination_utility * self.sets.controlled
        self.first_band = self.sets.mode == 0
        """Sets of the first band: what rules without an opinion on bands choose among."""

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def look(self, observation: NDArray[np.float32], mask: Mask | None) -> Situation:
        """Read an observation [B, U, obs] and a mask of legal actions [B, U, S]."""
        view = View(observation, self.scenario, self.sets)
        legal = view.of_set("valid") > 0.5
        if mask is not None:
            legal = legal & mask
        valid = view.valid
        sinr_db = np.where(valid, view.sinr_db, np.float32(-100))
        return Situation(view, legal, valid, view.linked, view.current, sinr_db)

    def stay_if_possible(self, s: Situation, action: NDArray[np.intp], otherwise: NDArray[np.intp]) -> NDArray[np.intp]:
        """Replace a choice that is not legal (a present cluster that is out of reach)."""
        legal = np.take_along_axis(s.legal, action[..., None], axis=-1)[..., 0]
        return np.where(legal, action, otherwise)

    def sum_over(self, values: Floats) -> Floats:
        """Sum values [B, U, P] over the members of each set, [B, U, S]."""
        return np.asarray(np.add.reduce(self._legs(values, self.sets.legs_once, 0.0), axis=-2))

    def least_over(self, values: Floats, otherwise: float) -> Floats:
        """Least of values [B, U, P] over the members of each set; ``otherwise`` for set 0."""
        return np.asarray(np.minimum.reduce(self._legs(values, self.sets.legs, otherwise), axis=-2))

    def all_of(self, ports: Mask) -> Mask:
        """Sets all of whose members are among the ports, [B, U, S]."""
        return np.asarray(np.logical_and.reduce(self._legs(ports, self.sets.legs, True), axis=-2))

    def has(self, port: NDArray[np.intp]) -> Mask:
        """Sets that have a port [B, U], [B, U, S]."""
        return self.sets.members.T[port]

    def users_to_come(self, s: Situation) -> Floats:
        """Users of each port if one comes, as broadcast, [B, U, P]."""
        return np.asarray(np.maximum(s.view.load + (1.0 - s.linked), 1.0))

    def open_ports(self, s: Situation) -> Mask:
        """Ports whose node is not full as far as is known, [B, U, P]."""
        limit = np.where(self.in_sky, self._sky_limit(), self._station_limit())
        return np.asarray(s.valid & (s.linked | (s.view.load < limit)))

    def _sky_limit(self) -> NDArray[np.int64]:
        n_sky, n_slots = self.scenario.n_sky_slots, self.scenario.n_slots
        slot = np.minimum(np.arange(self.sets.n_ports) % n_slots, n_sky - 1)
        return np.asarray(self.limit[slot])

    def _station_limit(self) -> int:
        return 0 if self.scenario.stations is None else self.scenario.stations.node_limit

    def _legs(self, values: NDArray[Any], legs: NDArray[np.intp], filler: Any) -> NDArray[Any]:
        padded = np.empty((*values.shape[:-1], values.shape[-1] + 1), dtype=values.dtype)
        padded[..., :-1] = values
        padded[..., -1] = filler
        return gather(padded, legs)


def best_set(legal: Mask, score: Floats) -> NDArray[np.intp]:
    """Return the legal set with the best score, [B, U]."""
    return np.asarray(np.argmax(np.where(legal, score, -np.inf), axis=-1))
