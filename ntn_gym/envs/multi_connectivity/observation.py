"""Layout of the observation of one user: numbers of each candidate set, then numbers of the user."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.envs.multi_connectivity.sets import SetTable

FloatArray = NDArray[Any]

SET_ENTRIES = (
    "valid",
    "current",
    "utility",  # expected with the broadcast load
    "utility_alone",  # expected if nobody else were served
    "added",
    "size",
    "sky",
    "shared",
    "aligned",
    "sinr_low",
    "excess",
    "sinr_high",
    "age",
    "remaining_short",
    "remaining",
    "change",
    "elevation",
    "load",
    "refused",
)
SET = {name: index for index, name in enumerate(SET_ENTRIES)}
SET_SIZE = len(SET_ENTRIES)

USER_ENTRIES = ("average", "links", "speed", "refused", "since", "controller")
USER = {name: index for index, name in enumerate(USER_ENTRIES)}
"""Followed by one number per slot that names the node in it."""

UTILITY_HIGH = 2.0
SINR_CENTRE_DB, SINR_SCALE_DB, SINR_LOW, SINR_HIGH = 5.0, 12.0, -2.5, 4.0
REMAINING_SHORT_S, REMAINING_LONG_S = 30.0, 200.0
LOAD_SCALE = 10.0
LOAD_HIGH = 20.0
AGE_SCALE_S = 8.0
CHANGE_SCALE_DB, EXCESS_SCALE_DB = 5.0, 12.0
SPEED_SCALE_M_S = 30.0
SPEED_HIGH = 5.0
SINCE_SCALE_S = 20.0
AVERAGE_WEIGHT = 0.2

_LIMITS = {
    "utility": (0.0, UTILITY_HIGH),
    "utility_alone": (0.0, UTILITY_HIGH),
    "sinr_low": (SINR_LOW, SINR_HIGH),
    "sinr_high": (SINR_LOW, SINR_HIGH),
    "load": (0.0, LOAD_HIGH),
    "change": (-1.0, 1.0),
    "excess": (-2.0, 2.0),
}


def user_size(scenario: Scenario) -> int:
    """Numbers of the user."""
    return len(USER_ENTRIES) + scenario.n_slots


def bounds(scenario: Scenario, n_sets: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lowest and highest values of an observation."""
    limits = [_LIMITS.get(name, (0.0, 1.0)) for name in SET_ENTRIES] * n_sets
    limits += [(-1.0, UTILITY_HIGH) if name == "average" else (0.0, 1.0) for name in USER_ENTRIES]
    limits[n_sets * SET_SIZE + USER["speed"]] = (0.0, SPEED_HIGH)
    limits += [(0.0, 1.0)] * scenario.n_slots
    low, high = np.array(limits, dtype=np.float32).T
    return low.copy(), high.copy()


def scaled_sinr(sinr_db: FloatArray) -> FloatArray:
    """Scale and clip a SINR as the observation does."""
    scaled = (sinr_db - np.float32(SINR_CENTRE_DB)) * np.float32(1 / SINR_SCALE_DB)
    return np.clip(scaled, np.float32(SINR_LOW), np.float32(SINR_HIGH))


class View:
    """An observation [B, U, obs] in engineering units, for rules: arrays over sets [B, U, S] or ports [B, U, P].

    What is known of a port stands in the entries of the set that consists of it alone.
    """

    def __init__(self, observation: NDArray[np.float32], scenario: Scenario, sets: SetTable) -> None:
        """Keep the observation."""
        n_sets = sets.n_sets
        self.observation = observation
        self._sets = observation[..., : n_sets * SET_SIZE].reshape(*observation.shape[:2], n_sets, SET_SIZE)
        self._user = observation[..., n_sets * SET_SIZE :]
        self._single = np.array(
            [int(np.flatnonzero((sets.size == 1) & sets.members[:, p])[0]) for p in range(sets.n_ports)]
        )
        self._scenario, self.sets = scenario, sets

    def of_set(self, name: str) -> NDArray[np.float32]:
        """An entry as it is, [B, U, S]."""
        return self._sets[..., SET[name]]

    def of_port(self, name: str) -> NDArray[np.float32]:
        """An entry of the single sets, [B, U, P]."""
        return self._sets[..., self._single, SET[name]]

    def of_user(self, name: str) -> NDArray[np.float32]:
        """An entry of the user, [B, U]."""
        return self._user[..., USER[name]]

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Ports that hold a node, [B, U, P]."""
        return self.of_port("valid") > 0.5

    @property
    def current(self) -> NDArray[np.intp]:
        """Present set, [B, U]."""
        return np.argmax(self.of_set("current"), axis=-1)

    @property
    def linked(self) -> NDArray[np.bool_]:
        """Linked ports, [B, U, P]."""
        return self.sets.members[self.current]

    @property
    def sinr_db(self) -> NDArray[np.float32]:
        """Measured SINR, [B, U, P]."""
        return self.of_port("sinr_high") * np.float32(SINR_SCALE_DB) + np.float32(SINR_CENTRE_DB)

    @property
    def load(self) -> NDArray[np.float32]:
        """Broadcast number of users, [B, U, P]."""
        return self.of_port("load") * np.float32(LOAD_SCALE)

    @property
    def remaining_s(self) -> NDArray[np.float32]:
        """Predicted remaining time, at most 200 s, [B, U, P]."""
        short = self.of_port("remaining_short") * np.float32(REMAINING_SHORT_S)
        return np.where(
            short < np.float32(0.999 * REMAINING_SHORT_S), short, self.of_port("remaining") * REMAINING_LONG_S
        )

    @property
    def rate_alone_mbit_s(self) -> NDArray[np.float32]:
        """Expected rate without other users, [B, U, P]."""
        reward = self._scenario.reward
        return np.expm1(self.of_port("utility_alone") * np.log1p(reward.rate_span)) * reward.reference_rate_mbit_s

    @property
    def node(self) -> NDArray[np.int64]:
        """Number of the node in each slot, [B, U, K]; -1 for none."""
        names = self._user[..., len(USER_ENTRIES) :]
        return np.rint(names * np.float32(self._scenario.n_nodes)).astype(np.int64) - 1
