"""The distributed load-aware rule: every user answers the broadcast loads as is best for itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.core.coin import arbitrary
from ntn_gym.envs.multi_connectivity.heuristics.choice import (
    Floats,
    Mask,
    Parameters,
    Rule,
    Situation,
    best_set,
    specify,
)


class ResponseParameters(Parameters):
    """Parameters of `BestResponse`."""

    hysteresis: float = Field(0.03, ge=0, le=1, description="Utility by which another set must be better.")
    move_probability: float = Field(0.3, gt=0, le=1, description="Chance to move: if all move at once, they herd.")
    change_weight: float = Field(2.0, ge=0, le=100, description="Weight of the price of new links.")
    link_weight: float = Field(1.0, ge=0, le=20, description="Weight of the price of links.")
    least_db: float = Field(-6.0, ge=-20, le=20, description="Nodes below this measured SINR are not used.")
    prediction_s: float = Field(5.0, ge=0, le=200, description="A satellite that sets earlier counts for less.")
    load_weight: float = Field(1.0, ge=0, le=5, description="Weight of the broadcast load.")


class BestResponse(Rule):
    """Take the set with the best expected utility less prices; move only if it is better by the hysteresis.

    The rate expected of a node is its rate alone over (weight x broadcast users + 1), for a linked node over the
    broadcast users; a satellite's counts by the share of the prediction time that it stays. Full nodes are left out.
    """

    def __init__(self, task: Any, parameters: ResponseParameters) -> None:
        """Keep the parameters."""
        super().__init__(task)
        self.p = parameters

    def value(self, s: Situation) -> Floats:
        """Expected utility of every set less prices, [B, U, S]."""
        p, rule = self.p, self.scenario.combining.rule
        stays = np.ones_like(s.sinr_db)
        if p.prediction_s > 0:
            remaining = np.minimum(s.view.remaining_s / np.float32(p.prediction_s), 1.0)
            stays = np.where(self.in_sky, remaining, 1.0)
        reward = self.scenario.reward
        if rule == "split" and self.scenario.spectrum.kind == "reserved":
            users = np.maximum(p.load_weight * s.view.load + (1.0 - s.linked), 1.0)
            rate = self.sum_over(s.view.rate_alone_mbit_s / users * stays)
            utility = np.log1p(rate / reward.reference_rate_mbit_s) / np.log1p(reward.rate_span)
        else:
            # The rules in which members depend on each other are reckoned by the environment for every set.
            utility = s.view.of_set("utility") * self.least_over(stays, 1.0)
        added = s.view.of_set("added") * self.scenario.architecture.max_links
        value = utility - p.link_weight * self.price_link * self.sets.size - p.change_weight * self.price_added * added
        return np.asarray(value - self.price_set)

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Stay, or move to the best set."""
        p = self.p
        s = self.look(observation, mask)
        value = self.value(s)
        usable = self.all_of(self.open_ports(s) & (s.sinr_db >= p.least_db))
        best = best_set(s.legal & usable, value)
        present = np.take_along_axis(value, s.current[..., None], axis=-1)[..., 0]
        gain = np.take_along_axis(value, best[..., None], axis=-1)[..., 0] - present
        alone = self.sets.size[s.current] == 0
        moves = (gain > p.hysteresis) & (arbitrary(observation, 1)[..., 0] < p.move_probability)
        moves |= alone & (gain > 0) & restarted[:, None]
        return self.stay_if_possible(s, np.where(moves, best, s.current), best)


SPECS = specify(
    "best_response",
    BestResponse,
    ResponseParameters,
    {
        "hysteresis": (0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12),
        "move_probability": (0.05, 0.1, 0.2, 0.3, 0.5, 1.0),
        "change_weight": (0.5, 1.0, 2.0, 4.0, 6.0),
        "link_weight": (0.5, 1.0, 1.5),
        "least_db": (-6.0, -4.0, -2.0),
        "prediction_s": (0.0, 5.0, 10.0, 20.0),
        "load_weight": (0.8, 1.0, 1.2),
    },
    "composite",
    "Distributed, load-aware: the set with the best expected utility, with hysteresis and a chance to wait.",
    "Load-aware best response with random revision (H. P. Young, Econometrica 61, 1993, adaptive play); defined here",
)
