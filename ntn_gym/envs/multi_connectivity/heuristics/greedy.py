"""Central greedy rule: users answer one after the other, and pay what they take from the others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.multi_connectivity.heuristics.central import CentralRule
from ntn_gym.envs.multi_connectivity.heuristics.choice import Floats, Mask, Parameters, Situation, specify
from ntn_gym.envs.multi_connectivity.sets import gather


class GreedyParameters(Parameters):
    """Parameters of `Greedy`."""

    hysteresis: float = Field(0.03, ge=0, le=1, description="Utility by which another set must be better.")
    change_weight: float = Field(2.0, ge=0, le=100, description="Weight of the price of new links.")
    externality_weight: float = Field(1.0, ge=0, le=5, description="Weight of what the others lose.")
    prediction_s: float = Field(5.0, ge=0, le=200, description="A satellite that sets earlier counts for less.")


class Greedy(CentralRule):
    """One pass over all users from the present links.

    Each takes the set with the best utility less prices and less what the others on its nodes lose to first order,
    u'(R) c (1/K - 1/(K + 1)) for everyone of K users there.
    """

    def __init__(self, task: Any, parameters: GreedyParameters) -> None:
        """Keep the parameters."""
        super().__init__(task)
        self.p = parameters
        reward = self.scenario.reward
        self._reference = reward.reference_rate_mbit_s
        self._scale = 1.0 / np.log1p(reward.rate_span)

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """One pass over the users."""
        s = self.look(observation, mask)
        net = self.network(s, self.p.prediction_s)
        users, resource, rate = net.users, net.resource, net.rate_mbit_s
        n_worlds, n_users = s.current.shape
        worlds = np.arange(n_worlds)[:, None]
        total = np.add.reduce(
            np.where(s.linked, rate / np.maximum(users[worlds[..., None], resource], 1.0), 0.0), axis=-1
        )
        loss = np.zeros_like(users)  # sum over users of u'(R) c
        slope = self._scale / (self._reference + total)
        for user in range(n_users):
            loss = self.add(
                loss, resource[:, user], np.where(s.linked[:, user], slope[:, user, None] * rate[:, user], 0)
            )
        action = s.current.copy()
        for user in range(n_users):
            mine = s.linked[:, user]
            here = resource[:, user]
            own_loss = np.where(mine, slope[:, user, None] * rate[:, user], 0.0)
            users = self.add(users, here, -mine.astype(np.float64))
            loss = self.add(loss, here, -own_loss)
            action[:, user] = self._answer(s, user, users[worlds, here], loss[worlds, here], rate[:, user])
            chosen = self.sets.members[action[:, user]]
            users = self.add(users, here, chosen.astype(np.float64))
            gained = np.add.reduce(np.where(chosen, rate[:, user] / np.maximum(users[worlds, here], 1.0), 0.0), axis=-1)
            slope[:, user] = self._scale / (self._reference + gained)
            loss = self.add(loss, here, np.where(chosen, slope[:, user, None] * rate[:, user], 0.0))
        return action

    def _answer(self, s: Situation, user: int, others: Floats, loss: Floats, rate: Floats) -> NDArray[np.intp]:
        """Best set of one user, [B], given the others on its ports, [B, P], and what they lose per share."""
        p, sets = self.p, self.sets
        shares = np.zeros((len(rate), sets.n_ports + 1))
        taken = np.zeros_like(shares)
        shares[:, :-1] = rate / (others + 1.0)
        taken[:, :-1] = loss * np.where(others > 0, 1.0 / np.maximum(others, 1.0) - 1.0 / (others + 1.0), 0.0)
        full = np.zeros_like(shares)
        full[:, :-1] = others >= np.append(self.limit, 0)[self._resources(s, user)]
        gained = np.add.reduce(gather(shares, sets.legs_once), axis=-2)
        cost = np.add.reduce(gather(taken, sets.legs_once), axis=-2) * p.externality_weight
        value = np.log1p(gained / self._reference) * self._scale - cost - self.price_link * sets.size - self.price_set
        added = s.view.of_set("added")[:, user] * self.scenario.architecture.max_links
        value = value - p.change_weight * self.price_added * added
        open_sets = s.legal[:, user] & (np.add.reduce(gather(full, sets.legs_once), axis=-2) == 0)
        best = np.argmax(np.where(open_sets, value, -np.inf), axis=-1)
        present = s.current[:, user]
        worlds = np.arange(len(best))
        better = value[worlds, best] > value[worlds, present] + p.hysteresis
        better |= ~s.legal[worlds, user, present]
        return np.where(better, best, present)

    def _resources(self, s: Situation, user: int) -> NDArray[np.int64]:
        node = s.view.node[:, user]
        modes = range(len(self.scenario.modes))
        return np.concatenate(
            [np.where(node < 0, len(self.limit), node + m * self.scenario.n_nodes) for m in modes], axis=-1
        )


SPECS = specify(
    "central_greedy",
    Greedy,
    GreedyParameters,
    {
        "hysteresis": (0.0, 0.02, 0.03, 0.05, 0.08, 0.12, 0.18),
        "change_weight": (0.5, 1.0, 2.0, 4.0, 6.0),
        "externality_weight": (0.7, 1.0, 1.3),
        "prediction_s": (0.0, 5.0, 10.0),
    },
    "composite",
    "Central: one pass over the users, each takes the best set and pays what the others lose.",
    "Greedy association with marginal utilities (Q. Ye et al., IEEE Trans. Wireless Commun. 12 (6), 2013, objective)",
)
