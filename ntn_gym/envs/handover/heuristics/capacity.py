"""Maximum serving capacity: at each forced handover the pass that will carry most per second while it lasts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.handover.heuristics.choice import Mask, Parameters, choose, look, rescue, specify
from ntn_gym.envs.handover.heuristics.forecast import (
    SnrCourse,
    connection_s,
    efficiency,
    measurement_lag_steps,
    shifted_sinr,
)
from ntn_gym.envs.handover.scenario import Scenario

POINTS = (np.arange(8, dtype=np.float32) + np.float32(0.5)) / np.float32(8)
"""Middle points of the intervals over which the capacity is averaged."""


class CapacityParameters(Parameters):
    """Parameters of `ServingCapacity`."""

    leave_sinr_db: float = Field(2.0, ge=-30, le=40, description="Leave when the serving SINR falls below this.")
    leave_remaining_s: float = Field(2.0, ge=0, le=600, description="Leave when the pass sets within this time.")
    horizon_s: float = Field(10.0, gt=0, le=600, description="Average over the remaining time, at most this.")
    cost_factor: float = Field(1.0, ge=0, le=100, description="Weight of the interruption and price of a handover.")
    with_load: bool = Field(True, description="Count only the free share of the cell.")


class ServingCapacity:
    """At each forced handover take argmax_s (1 / tau_s) int_0^tau_s C_s(t) dt - c / tau_s.

    tau_s is the predicted remaining time (at most the horizon), C_s the spectral efficiency of the measured SINR moved
    along the predicted SNR (`forecast`), times the free share of the cell. c is the mean efficiency times
    ``cost_factor`` times the seconds lost by the interruption and by the price of the handover. A handover is forced
    when the pass is about to set or the serving SINR is too low.
    """

    def __init__(self, scenario: Scenario, parameters: CapacityParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._p = scenario, parameters
        self._lost_s = parameters.cost_factor * (connection_s(scenario) + scenario.reward.handover_utility_s)
        self.reset(0)

    def reset(self, n_worlds: int) -> None:
        """Forget the courses of the passes."""
        self._course = SnrCourse()

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the serving slot, or the best pass when it must be left."""
        p, scenario = self._p, self._scenario
        s = look(scenario, observation, mask, restarted)
        remaining, sinr = s.view.remaining_s, s.view.sinr_db
        span_s = np.maximum(np.minimum(remaining, p.horizon_s), scenario.dt_s)
        lag = measurement_lag_steps(scenario, s)
        change = self._course.change_db(s, lag[..., None] + span_s[..., None] / np.float32(scenario.dt_s) * POINTS)
        mean = efficiency(scenario, shifted_sinr(scenario, sinr[..., None], change)).mean(axis=-1)
        if p.with_load:
            mean = mean * (1.0 - s.view.load)
        score = mean * (1.0 - self._lost_s / np.maximum(remaining, scenario.dt_s))
        serving_remaining = s.of_serving(remaining)
        sets = s.last_chance | (serving_remaining <= p.leave_remaining_s)
        weak = s.of_serving(sinr) < p.leave_sinr_db
        eligible = (weak & (score > s.of_serving(score))) | (sets & (remaining > serving_remaining))
        eligible, score = rescue(s, eligible & (score > 0), score)
        return choose(s, eligible, score)


SPECS = specify(
    "serving_capacity",
    ServingCapacity,
    CapacityParameters,
    {
        "leave_sinr_db": (-8.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0),
        "leave_remaining_s": (0.0, 1.0, 2.0, 5.0, 10.0),
        "horizon_s": (5.0, 10.0, 30.0, 120.0),
        "cost_factor": (0.5, 1.0, 2.0, 4.0),
        "with_load": (False, True),
    },
    "single",
    "Keep until the pass sets or fades, then take the one with the highest mean capacity while it lasts.",
    "After McBain, Hong, Viterbo, arXiv:2512.02449 (maximising serving capacity); forecast defined here",
)
