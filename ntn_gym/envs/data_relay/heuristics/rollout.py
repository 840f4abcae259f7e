"""Rollout: try every choice against sampled skies over the present and the next passes, and take the best mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.data_relay.heuristics.choice import (
    Floats,
    Mask,
    Parameters,
    Situation,
    look,
    name_best,
    specify,
)
from ntn_gym.envs.data_relay.heuristics.contact import residual_bits
from ntn_gym.envs.data_relay.observation import GAP_S, REMAINING_S
from ntn_gym.envs.data_relay.outlook import NEXT_PASSES
from ntn_gym.envs.data_relay.scenario import Scenario

_SAMPLES = 32
_SEED = 20_240_323


class RolloutParameters(Parameters):
    """Parameters of `Rollout`."""

    store_weight: float = Field(1.0, ge=0, le=5, description="Weight of waiting in a buffer.")
    later_weight: float = Field(1.0, ge=0, le=5, description="Weight of the expected wait after the last pass.")
    turn_min: float = Field(1.0, ge=0, le=60, description="A turned terminal must win so much on what it sends.")


class Rollout:
    """Simulate every choice against 32 sampled skies.

    A choice sends what its contact still takes; then come the next passes with skies drawn by their chances. There the
    base rule sends what fits, to the ground if it is clear, into the buffer of a HAGS otherwise (exponential wait), and
    what is left after them waits as long as declining is expected to take. All choices and worlds meet the same draws.
    """

    def __init__(self, scenario: Scenario, parameters: RolloutParameters) -> None:
        """Draw the skies."""
        self._scenario, self._p = scenario, parameters
        rng = np.random.default_rng(_SEED)
        self._sky = rng.random((NEXT_PASSES, _SAMPLES), dtype=np.float32)
        self._holding = rng.standard_exponential((NEXT_PASSES + 1, _SAMPLES), dtype=np.float32)

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the choice with the lowest mean cost."""
        s = look(self._scenario, observation)
        usable = s.usable & s.has_data
        action = np.full(usable.shape[:2], usable.shape[2], dtype=np.intp)
        rows = np.nonzero(usable.any(axis=2))
        if len(rows[0]):
            sent = np.where(usable, residual_bits(s), 0)[rows]
            waits_s = (s.view.wait_s * s.stores)[rows]
            cost = self._costs(s, rows, sent, waits_s)
            bonus = np.float32(60.0 * self._p.turn_min) * sent * s.pointed[rows]
            gain = cost[:, -1:] - cost[:, :-1] + bonus
            action[rows] = name_best(np.where(usable[rows], gain, 0))
        return action

    def _costs(
        self, s: Situation, rows: tuple[NDArray[np.intp], ...], sent: Floats, waits_s: Floats
    ) -> NDArray[np.float32]:
        """Mean cost of every choice and of waiting, [rows, K + 1], in bit s."""
        p, scenario = self._p, self._scenario
        links = scenario.links
        rate = np.float32(links.model.rate_bit_s)
        turn_s = np.float32(0.5 * (links.acquisition_min_s + links.acquisition_max_s))
        user = {
            name: s.view.user(name)[rows][:, None, None]
            for n in range(NEXT_PASSES)
            for name in (f"gap_{n}", f"duration_{n}", f"chance_{n}", f"next_hags_{n}")
        }
        cloudy_s = np.float32(scenario.clouds.tcs_h * 3600.0)
        room = np.float32(scenario.stations.buffer_bytes * 8) * (1 - s.view.user("stored")[rows])[:, None, None]
        bits = np.concatenate((sent, np.zeros((len(sent), 1), np.float32)), axis=1)[..., None]
        hold_s = np.concatenate((waits_s, np.zeros((len(sent), 1), np.float32)), axis=1)[..., None]
        left = s.view.queue_bits[rows][:, None, None] - bits
        cost = np.float32(p.store_weight) * bits * hold_s * self._holding[0]
        for n in range(NEXT_PASSES):
            clear = self._sky[n] < user[f"chance_{n}"]
            volume = rate * np.maximum(user[f"duration_{n}"] * np.float32(REMAINING_S) - turn_s, 0)
            stored = np.minimum(volume, room) * user[f"next_hags_{n}"]
            gone = np.minimum(left, np.where(clear, volume, stored))
            gap_s = user[f"gap_{n}"] * np.float32(GAP_S)
            wait_s = np.where(clear, np.float32(0), np.float32(p.store_weight) * cloudy_s * self._holding[n + 1])
            cost = cost + gone * (gap_s + wait_s)
            left = left - gone
        cost = cost + left * np.float32(p.later_weight) * s.view.decline_s[rows][:, None, None]
        mean: NDArray[np.float32] = cost.mean(axis=2)
        return mean


SPECS = {
    **specify(
        "rollout",
        Rollout,
        RolloutParameters,
        {
            "store_weight": (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5),
            "later_weight": (0.5, 1.0, 1.5, 2.0, 3.0),
            "turn_min": (0.0, 1.0, 5.0, 20.0),
        },
        "forecast",
        "Every choice against sampled skies over the next passes; the best mean.",
        "Bertsekas, Tsitsiklis, Wu, Rollout algorithms for combinatorial optimization, J. Heuristics 3, 1997",
    ),
}
