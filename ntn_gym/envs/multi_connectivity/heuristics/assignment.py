"""Central rules that solve the association of first links: Hungarian method and dual prices; second links by signal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.optimize import linear_sum_assignment

from ntn_gym.envs.multi_connectivity.heuristics.central import CentralRule, Network
from ntn_gym.envs.multi_connectivity.heuristics.choice import Floats, Mask, Parameters, Situation, specify


class AssignmentParameters(Parameters):
    """Parameters of rules that assign first links."""

    period_steps: int = Field(5, ge=1, le=100, description="The association is solved anew after so many steps.")
    hysteresis: float = Field(
        0.2, ge=0, le=3, description="A first link is worth so much more (natural log) if it exists."
    )
    second_gain: float = Field(0.05, ge=0, le=1, description="Utility that a second link must add.")
    prediction_s: float = Field(5.0, ge=0, le=200, description="A satellite that sets earlier counts for less.")


def equal_share_cost(users: NDArray[np.int64]) -> Floats:
    """Cost of the j-th port of a node, j ln j - (j - 1) ln(j - 1): the sum over K ports is K ln K.

    With it a linear assignment maximises the sum of log equal-share rates exactly.
    """
    j = np.asarray(users, dtype=np.float64)
    before = np.maximum(j - 1, 1)
    return np.asarray(j * np.log(j) - (j - 1) * np.log(before))


def dual_prices(
    weight: Floats, limit: NDArray[np.int64], price: Floats, iterations: int
) -> tuple[Floats, NDArray[np.intp], Floats]:
    """Associate users by prices of the nodes: maximise the sum of weight - ln K over users with one link each.

    User: argmax of weight - mu. Node: K = min(limit, exp(mu - 1)). mu moves along K - users. The value
    sum_u max(weight - mu) + sum_s max_K (K mu - K ln K) bounds the best association at every step.

    Source: Q. Ye et al., "User association for load balancing in heterogeneous cellular networks", IEEE Trans.
    Wireless Commun. 12 (6), 2013, equations 19 to 22.

    Args:
        weight: ln of the rates alone, [B, U, R]; -inf where there is no link.
        limit: Limits of the nodes, [R].
        price: Prices to begin with, [B, R].
        iterations: Number of steps.

    Returns:
        Prices; best association found, [B, U]; lowest dual value, [B].
    """
    n_worlds, n_users, n_nodes = weight.shape
    best = np.full(n_worlds, -np.inf)
    bound = np.full(n_worlds, np.inf)
    association = np.zeros((n_worlds, n_users), dtype=np.intp)
    offset = (np.arange(n_worlds) * n_nodes)[:, None]
    for k in range(1, iterations + 1):
        chosen = np.argmax(weight - price[:, None], axis=-1)
        own = np.take_along_axis(weight, chosen[..., None], axis=-1)[..., 0]
        users = np.bincount((chosen + offset).ravel(), minlength=n_worlds * n_nodes).reshape(n_worlds, n_nodes)
        wished = np.minimum(limit, np.exp(np.minimum(price - 1.0, 50.0)))
        linked = np.isfinite(own)
        primal = np.where(linked, own, 0.0).sum(axis=1) - (users * np.log(np.maximum(users, 1))).sum(axis=1)
        value = np.where(linked, own - np.take_along_axis(price, chosen, axis=1), 0.0).sum(axis=1)
        value += (wished * price - wished * np.log(np.maximum(wished, 1e-300))).sum(axis=1)
        bound = np.minimum(bound, value)
        better = (primal > best) & (users <= limit).all(axis=1)
        association[better] = chosen[better]
        best = np.maximum(best, np.where((users <= limit).all(axis=1), primal, -np.inf))
        association = np.where(np.isfinite(best)[:, None], association, chosen)
        price = price - 0.5 / np.sqrt(k) * (wished - users)
    return price, association, bound


class Assigned(CentralRule):
    """First links by an association of all users, second links where they add enough utility."""

    def __init__(self, task: Any, parameters: AssignmentParameters) -> None:
        """Keep the parameters."""
        super().__init__(task)
        self.p = parameters
        reward = self.scenario.reward
        self._reference, self._scale = reward.reference_rate_mbit_s, 1.0 / np.log1p(reward.rate_span)
        self._first_ports = np.flatnonzero(self.mode_of_port == 0)
        self.reset(0)

    def reset(self, n_worlds: int) -> None:
        """Forget what was planned."""
        self._age = np.zeros(n_worlds, dtype=np.int64)

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Solve the association when it is time to; between, users keep their links if they can."""
        s = self.look(observation, mask)
        self._age = np.where(restarted, 0, self._age + 1)
        # A present cluster that is out of reach cannot be named: its user is free for the next plan.
        action = self.stay_if_possible(s, s.current, np.zeros_like(s.current))
        due = np.flatnonzero((self._age % self.p.period_steps == 0) | (self.sets.size[s.current] == 0).any(axis=1))
        if len(due):
            part = self.look(observation[due], None if mask is None else mask[due])
            net = self.network(part, self.p.prediction_s)
            action[due] = self._second_links(part, net, self._first_links(part, net))
        return action

    def _weights(self, s: Situation, net: Network) -> tuple[Floats, NDArray[np.int64]]:
        """Return ln of the rates of the links [B, U, R], and the port of each, [B, U, R]; -inf where there is none."""
        n_worlds, n_users = s.current.shape
        weight = np.full((n_worlds, n_users, self.n_resources + 1), -np.inf)
        port = np.zeros(weight.shape, dtype=np.int64)
        worlds, users = np.arange(n_worlds)[:, None], np.arange(n_users)[None]
        for p in self._first_ports.tolist():
            rate = net.rate_mbit_s[..., p]
            value = np.where(rate > 0, np.log(np.maximum(rate, 1e-12)) + self.p.hysteresis * s.linked[..., p], -np.inf)
            weight[worlds, users, net.resource[..., p]] = value
            port[worlds, users, net.resource[..., p]] = p
        return weight[..., :-1], port[..., :-1]

    def _first_links(self, s: Situation, net: Network) -> NDArray[np.intp]:
        """Return single sets, [B, U]."""
        raise NotImplementedError

    def _second_links(self, s: Situation, net: Network, first: NDArray[np.intp]) -> NDArray[np.intp]:
        """Let users in turn add the link that adds most utility for them, if it is enough and not at others' cost."""
        action = first.copy()
        bits = 1 << np.arange(self.sets.n_ports)
        worlds = np.arange(len(first))
        users = self.count(net.resource, self.sets.members[first])
        rate = net.rate_mbit_s
        for user in range(first.shape[1]):
            here, mine = net.resource[:, user], self.sets.members[action[:, user]]
            at = users[worlds[:, None], here]
            own = np.where(mine, rate[:, user] / np.maximum(at, 1.0), 0.0).sum(axis=-1)
            more = rate[:, user] / (at + 1.0)
            gain = (
                np.log1p((own[:, None] + more) / self._reference) - np.log1p(own[:, None] / self._reference)
            ) * self._scale
            # Those who are there lose about what the newcomer takes; count them at the newcomer's own value of a rate.
            gain = gain / (1.0 + 0.5 * at) + self.p.second_gain * s.linked[:, user]
            together = self.sets.of_bits[np.where(mine, 0, bits) + (mine @ bits)[:, None]]
            legal = np.take_along_axis(s.legal[:, user], np.maximum(together, 0), axis=-1) & (together > 0) & ~mine
            legal &= (at < self.limits[here]) & mine.any(axis=-1, keepdims=True)
            value = np.where(legal, gain, -np.inf)
            best = np.argmax(value, axis=-1)
            adds = value[worlds, best] > self.p.second_gain + self.price_link
            action[:, user] = np.where(adds, together[worlds, best], action[:, user])
            users[worlds, here[worlds, best]] += adds
        return action

    def _single_sets(self, s: Situation, port: NDArray[np.int64], exists: Mask) -> NDArray[np.intp]:
        single = self.sets.of_bits[1 << port]
        legal = np.take_along_axis(s.legal, single[..., None], axis=-1)[..., 0]
        return np.where(exists & legal, single, 0)


class Hungarian(Assigned):
    """Linear assignment of users to the ports of nodes whose costs make it exact for log equal-share rates."""

    def _first_links(self, s: Situation, net: Network) -> NDArray[np.intp]:
        weight, port = self._weights(s, net)
        n_users = weight.shape[1]
        node = np.repeat(np.arange(self.n_resources), np.minimum(self.limit, n_users))
        number = np.concatenate([np.arange(1, min(limit, n_users) + 1) for limit in self.limit.tolist()])
        cost = equal_share_cost(number)
        action = np.zeros(s.current.shape, dtype=np.intp)
        users = np.arange(n_users)
        for world in range(len(weight)):
            used = np.isfinite(weight[world]).any(axis=0)[node]
            value = np.where(np.isfinite(weight[world]), weight[world], -1e6)[:, node[used]] - cost[used]
            # A user whom nobody can serve takes one of these and stays without a link.
            value = np.concatenate([value, np.full((n_users, n_users), -1e5)], axis=1)
            row, column = linear_sum_assignment(value, maximize=True)
            served = column < used.sum()
            chosen = np.where(served, node[used][np.minimum(column, used.sum() - 1)] if used.any() else 0, 0)
            exists = served & np.isfinite(weight[world, users, chosen])
            action[world, row] = self._single_sets_of(s, world, port[world, users, chosen], exists)
        return action

    def _single_sets_of(self, s: Situation, world: int, port: NDArray[np.int64], exists: Mask) -> NDArray[np.intp]:
        single = self.sets.of_bits[1 << port]
        return np.where(exists & s.legal[world, np.arange(len(port)), single], single, 0)


class DualPriceParameters(AssignmentParameters):
    """Parameters of `DualPrice`."""

    iterations: int = Field(60, ge=1, le=1000, description="Steps of the prices.")


class DualPrice(Assigned):
    """Users follow the prices of the nodes, see `dual_prices`."""

    p: DualPriceParameters

    def _first_links(self, s: Situation, net: Network) -> NDArray[np.intp]:
        weight, port = self._weights(s, net)
        price = np.ones((len(weight), self.n_resources))
        _, chosen, _ = dual_prices(weight, self.limit, price, self.p.iterations)
        own = np.take_along_axis(weight, chosen[..., None], axis=-1)[..., 0]
        first = np.take_along_axis(port, chosen[..., None], axis=-1)[..., 0]
        return self._single_sets(s, first, np.isfinite(own))


_GRID = {
    "period_steps": (1, 5, 10, 20),
    "hysteresis": (0.0, 0.2, 0.4, 0.8, 1.5),
    "second_gain": (0.0, 0.02, 0.05, 0.1, 0.5),
    "prediction_s": (0.0, 5.0, 10.0),
}
SPECS = {
    **specify(
        "central_hungarian",
        Hungarian,
        AssignmentParameters,
        _GRID,
        "composite",
        "Central: first links by linear assignment (exact for log equal-share rates), then second links.",
        "H. W. Kuhn, Naval Research Logistics 2, 1955; port costs j ln j - (j - 1) ln(j - 1) derived here",
    ),
    **specify(
        "central_dual_price",
        DualPrice,
        DualPriceParameters,
        _GRID,
        "composite",
        "Central: first links by prices of the nodes, then second links.",
        "Q. Ye et al., IEEE Trans. Wireless Commun. 12 (6), 2013",
    ),
}
