"""What a Handover task remembers between two steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.handover.rules import Rules

PING_PONG_S = 5.0
"""A handover back to the previous pass within this time is a ping-pong."""
NEVER_STEPS = 10**6
"""Steps since the last handover, where there was none."""


@dataclass(frozen=True)
class State:
    """State of B worlds with U users.

    Attributes:
        users: Integers of each user, [B, U, 4]: serving slot (-1 without one), protocol status (see `rules`), steps
            since the last handover or connection, and the pass that served before the present one (-1 without one).
        average: Running average of the service utility, [B, U].
        attached: Users that each slot carried in the last step, [B, K]; not used for one user.
    """

    users: NDArray[np.int64]
    average: NDArray[np.float64]
    attached: NDArray[np.float32]

    @property
    def serving(self) -> NDArray[np.int64]:
        """Serving slot, [B, U]."""
        return self.users[..., 0]

    @property
    def status(self) -> NDArray[np.int64]:
        """Protocol status, [B, U]."""
        return self.users[..., 1]

    @property
    def since(self) -> NDArray[np.int64]:
        """Steps since the last handover or connection, [B, U]."""
        return self.users[..., 2]

    @property
    def last_pass(self) -> NDArray[np.int64]:
        """Pass that served before the present one, [B, U]."""
        return self.users[..., 3]


def status_entries(rules: Rules) -> NDArray[Any]:
    """Observation entries (re-establishment left, T310 share) of every protocol status, [statuses, 2] float32."""
    status = np.arange(rules.n_status)
    left = np.maximum(status - rules.idle, 0) / rules.reestablishment_steps
    counted = np.where(status < rules.idle, status, 0) / rules.t310_steps
    return np.stack([left, counted], axis=1).astype(np.float32)
