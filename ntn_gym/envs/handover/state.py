"""What a Handover task remembers between two steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.handover.observation import SINCE_LONG_S, SINCE_SHORT_S, USER, USER_SIZE
from ntn_gym.envs.handover.rules import Rules

PING_PONG_S = 5.0
"""A handover back to the previous pass within this time is a ping-pong."""
NEVER_STEPS = 10**6
"""Steps since the last handover, where there was none."""


@dataclass(frozen=True)
class State:
    """State of B worlds with U users.

    Attributes:
        users: Integers of each user, [B, 4, U]: serving slot (-1 without one), protocol status (see `rules`), steps
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
        return self.users[:, 0]

    @property
    def status(self) -> NDArray[np.int64]:
        """Protocol status, [B, U]."""
        return self.users[:, 1]

    @property
    def since(self) -> NDArray[np.int64]:
        """Steps since the last handover or connection, [B, U]."""
        return self.users[:, 2]

    @property
    def last_pass(self) -> NDArray[np.int64]:
        """Pass that served before the present one, [B, U]."""
        return self.users[:, 3]


def status_entries(rules: Rules) -> NDArray[np.float32]:
    """Observation of the user by protocol status, [statuses, user entries]; what does not follow from it is 0."""
    status = np.arange(rules.n_status)
    entries = np.zeros((rules.n_status, USER_SIZE), dtype=np.float32)
    entries[:, USER["connected"]] = status < rules.idle
    entries[:, USER["reestablishing"]] = np.maximum(status - rules.idle, 0) / rules.reestablishment_steps
    entries[:, USER["t310"]] = np.where(status < rules.idle, status, 0) / rules.t310_steps
    entries[:, USER["idle"]] = status == rules.idle
    return entries


def since_entries(dt_s: float) -> NDArray[np.float32]:
    """Observation entries since_long and since_short by elapsed steps, [steps, 2]; the last row holds ever after."""
    elapsed_s = np.arange(math.ceil(SINCE_LONG_S / dt_s) + 1) * dt_s
    scales_s = np.array([SINCE_LONG_S, SINCE_SHORT_S])
    return np.minimum(elapsed_s[:, None] / scales_s, 1.0).astype(np.float32)
