"""Weak-first multi-connectivity: second links go to the users in the worst radio state."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.multi_connectivity.heuristics.central import CentralRule
from ntn_gym.envs.multi_connectivity.heuristics.choice import Mask, specify
from ntn_gym.envs.multi_connectivity.heuristics.simple import LEAST_DB, BestSingle, SignalParameters


class WeakFirstParameters(SignalParameters):
    """Parameters of `WeakFirst`."""

    need_db: float = Field(6.0, ge=-20, le=40, description="Users whose best signal is below this get a second link.")
    least_db: float = Field(0.0, ge=-20, le=40, description="A second link needs this SINR.")
    second_links: int = Field(4, ge=1, le=1000, description="Second links of a node.")


class WeakFirst(CentralRule):
    """First links as `BestSingle`, then second links for the weak.

    Users in rising order of their signal take their best second node while it has room for one more second link.
    Because all are served again at each step, a weaker user takes the place of a better one.
    """

    def __init__(self, task: Any, parameters: WeakFirstParameters) -> None:
        """Keep the parameters."""
        super().__init__(task)
        self.p = parameters
        first = SignalParameters(**{name: getattr(parameters, name) for name in SignalParameters.model_fields})
        self._single = BestSingle(task, first)

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """First links, then second links for the weak."""
        p = self.p
        s = self.look(observation, mask)
        action = self._single.act(observation, mask, restarted)
        first = self.sets.members[action]
        net = self.network(s, 0.0)
        users = self.count(net.resource, first)
        seconds = np.zeros_like(users)
        signal = np.where(first, s.sinr_db, -np.inf).max(axis=-1)
        order = np.argsort(np.where(np.isfinite(signal), signal, np.inf), axis=-1, kind="stable")
        worlds = np.arange(len(action))
        bits = 1 << np.arange(self.sets.n_ports)
        for place in range(order.shape[1]):
            user = order[:, place]
            ports = net.resource[worlds, user]
            mine = first[worlds, user]
            room = (users[worlds[:, None], ports] < self.limits[ports]) & (
                seconds[worlds[:, None], ports] < p.second_links
            )
            value = s.sinr_db[worlds, user] + p.hysteresis_db * s.linked[worlds, user]
            open_ports = room & ~mine & s.valid[worlds, user] & (value > max(p.least_db, LEAST_DB))
            # Only second nodes that make a legal set with the first one.
            together = self.sets.of_bits[(mine @ bits)[:, None] + np.where(open_ports, bits, 0)]
            legal = np.take_along_axis(s.legal[worlds, user], np.maximum(together, 0), axis=-1) & (together > 0)
            open_ports &= legal & mine.any(axis=-1, keepdims=True)
            weak = (signal[worlds, user] < p.need_db) & open_ports.any(axis=-1)
            best = np.argmax(np.where(open_ports, value, -np.inf), axis=-1)
            action[worlds, user] = np.where(weak, together[worlds, best], action[worlds, user])
            users[worlds, ports[worlds, best]] += weak
            seconds[worlds, ports[worlds, best]] += weak
        return action


SPECS = specify(
    "central_weak_first",
    WeakFirst,
    WeakFirstParameters,
    {
        "hysteresis_db": (1.0, 3.0, 6.0, 10.0),
        "station_offset_db": (-6.0, 0.0, 6.0, 12.0),
        "need_db": (-3.0, 0.0, 3.0, 6.0, 9.0, 12.0, 20.0),
        "least_db": (-6.0, -3.0, 0.0, 3.0),
        "second_links": (2, 4, 8),
    },
    "composite",
    "Central: the strongest node, and second links for those with the weakest signals.",
    "M. Majamaa et al., multi-connectivity activation in satellite-terrestrial networks (worst radio state first)",
)
