"""What central rules share: they know which node stands in which slot of every user, and who is linked to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.multi_connectivity.heuristics.choice import Floats, Rule, Situation


@dataclass(frozen=True)
class Network:
    """All links of B worlds.

    Attributes:
        resource: Node and band of each port, [B, U, P]; R for none.
        rate_mbit_s: Expected rate alone of each port, [B, U, P].
        users: Users linked to each resource at present, [B, R + 1].
    """

    resource: NDArray[np.int64]
    rate_mbit_s: Floats
    users: Floats


class CentralRule(Rule):
    """A rule that decides for all users of a world together."""

    def __init__(self, task: Any) -> None:
        """Keep the task's tables."""
        super().__init__(task)
        self.n_resources = len(self.limit)
        self.limits = np.append(self.limit, 0)

    def network(self, s: Situation, prediction_s: float) -> Network:
        """Put the reports of all users together."""
        node = s.view.node
        resource = np.concatenate(
            [
                np.where(node < 0, self.n_resources, node + m * self.scenario.n_nodes)
                for m in range(len(self.scenario.modes))
            ],
            axis=-1,
        )
        rate = s.view.rate_alone_mbit_s.astype(np.float64)
        if prediction_s > 0:
            rate = rate * np.where(self.in_sky, np.minimum(s.view.remaining_s / prediction_s, 1.0), 1.0)
        rate = np.where(s.valid, rate, 0.0)
        return Network(resource, rate, self.count(resource, s.linked))

    def count(self, resource: NDArray[np.int64], linked: NDArray[np.bool_]) -> Floats:
        """Users linked to each resource, [B, R + 1]."""
        n_worlds, width = len(resource), self.n_resources + 1
        flat = resource + (np.arange(n_worlds) * width)[:, None, None]
        return np.bincount(flat[linked], minlength=n_worlds * width).reshape(n_worlds, width).astype(np.float64)

    def add(self, amounts: Floats, resource: NDArray[np.int64], values: Floats) -> Floats:
        """Add values [B, P] of one user to amounts of resources [B, R + 1]; returns a new array."""
        result = amounts.copy()
        worlds = np.arange(len(result))[:, None]
        np.add.at(result, (worlds, resource), values)
        return result
