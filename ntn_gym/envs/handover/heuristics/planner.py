"""Receding-horizon planning on a forecast: the best sequence of slots for the next seconds, its first step taken.

This is the comparator that is fed with a forecast: it knows the protocol, the prices and the physics of the scenario,
and optimises over what ephemeris and the last measurements say, by dynamic programming over at most ``horizon_steps``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import ndtr

from ntn_gym.envs.handover.heuristics.choice import (
    Floats,
    Mask,
    Parameters,
    Situation,
    choose,
    look,
    specify,
)
from ntn_gym.envs.handover.heuristics.composite import MOVE_PROBABILITY, alignment, may_move
from ntn_gym.envs.handover.heuristics.forecast import (
    SnrCourse,
    connection_s,
    efficiency,
    measurement_lag_steps,
    shifted_sinr,
)
from ntn_gym.envs.handover.scenario import Scenario

# Gauss-Hermite quadrature with three points for the mean over a normal error.
NODES = np.array([-np.sqrt(3.0), 0.0, np.sqrt(3.0)], dtype=np.float32)
WEIGHTS = np.array([1 / 6, 2 / 3, 1 / 6], dtype=np.float32)


class PlannerParameters(Parameters):
    """Parameters of `Planner`."""

    horizon_steps: int = Field(5, ge=1, le=60, description="Steps planned ahead.")
    error_db: float = Field(1.0, ge=0, le=20, description="Standard deviation of the forecast of the SINR.")
    price_factor: float = Field(1.5, ge=0, le=20, description="Handovers are charged by this factor more.")
    risk_factor: float = Field(0.5, ge=0, le=10, description="Weight of the danger to lose a link that is held.")
    remaining_weight_s: float = Field(0.5, ge=0, le=60, description="Value of a pass that lasts beyond the horizon.")
    remaining_scale_s: float = Field(20.0, gt=0, le=600, description="Longer passes are not worth more than this.")
    elevation_weight: float = Field(0.1, ge=-1, le=5, description="Utility per step of a pass in the zenith.")
    street_weight: float = Field(0.0, ge=0, le=5, description="Utility per step of a pass in line with the way.")
    move_probability: float | None = MOVE_PROBABILITY


class Planner:
    """Plan by dynamic programming on forecast utilities and take the first step of the plan.

    Utility forecast u_k(t): expectation over a normal error of the measured SINR moved along the predicted SNR
    (`forecast`), with the broadcast load reverting to its mean at the scenario's rate, less ``risk_factor`` times the
    cost of a failure times the probability p_k(t) of being below Qout, plus a bonus for passes that are high or in line
    with the street (what stands so is blocked less in steps to come). With h the price and interruption of a handover,

        V_t(k) = u_k(t) + max(V_{t+1}(k), max_j V_{t+1}(j) - h)    while the pass lasts,

    a pass that has set costs a failure, and V at the horizon is ``remaining_weight_s`` min(remaining beyond it, R)/R.
    A handover is made now if the best target's u_j + V - h, less p_j times the cost of a failure, exceeds staying.
    """

    def __init__(self, scenario: Scenario, parameters: PlannerParameters) -> None:
        """Keep the parameters and the prices in utility per step."""
        self._scenario, self._p = scenario, parameters
        prices = scenario.reward
        self._handover = parameters.price_factor * (prices.handover_utility_s + connection_s(scenario)) / scenario.dt_s
        self._scale = 1.0 / np.log1p(scenario.max_rate_bit_s / prices.reference_rate_bit_s)
        self._per_reference = scenario.link.bandwidth_hz / prices.reference_rate_bit_s
        # A failure costs its price and the steps without service, at a utility of one half.
        self._failure = prices.failure_utility_s / scenario.dt_s + 0.5 * (1 + scenario.reestablishment_steps)
        self._mean_load = 1.0 / (1.0 + np.exp(-scenario.load.mean_logit))
        self._leads = np.arange(parameters.horizon_steps, dtype=np.float32)
        self._load_memory = np.exp(-self._leads * scenario.dt_s / scenario.load.memory_s)
        self.reset(0)

    def reset(self, n_worlds: int) -> None:
        """Forget the courses of the passes."""
        self._course = SnrCourse()

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the first slot of the best plan."""
        s = look(self._scenario, observation, mask, restarted)
        stay, go = self._values(s)
        eligible = (go - self._handover > s.of_serving(stay)) & may_move(self._scenario, s, self._p.move_probability)
        return choose(s, eligible, go)

    def _values(self, s: Situation) -> tuple[Floats, Floats]:
        """Return the value of serving from each slot now and of moving to it now, before its price, [B, U, K]."""
        p, dt_s = self._p, self._scenario.dt_s
        utility, blocked = self._forecast(s)
        outlook = p.elevation_weight * s.view.elevation_deg / 90.0
        if p.street_weight > 0:
            outlook = outlook + p.street_weight * alignment(self._scenario, s)
        utility[..., 1:] += outlook[..., None] - p.risk_factor * self._failure * blocked[..., 1:]
        lasts = s.view.remaining_s[..., None] > (self._leads + 0.5) * dt_s
        beyond_s = np.clip(s.view.remaining_s - p.horizon_steps * dt_s, 0, p.remaining_scale_s)
        value = p.remaining_weight_s / dt_s * beyond_s / p.remaining_scale_s
        value = np.where(s.view.valid, value, -self._failure)
        for t in range(p.horizon_steps - 1, 0, -1):
            best = np.where(lasts[..., t], value + utility[..., t], -np.inf).max(axis=-1, keepdims=True)
            here = np.where(lasts[..., t], value + utility[..., t], -self._failure)
            leaves = lasts[..., t] | (not self._scenario.protocol.needs_serving_link)
            value = np.maximum(here, np.where(leaves, best - self._handover, -self._failure))
        now = utility[..., 0] + value
        return now, now - self._failure * blocked[..., 0]

    def _forecast(self, s: Situation) -> tuple[Floats, Floats]:
        """Return the expected utility of each slot over the horizon and the probability of Qout, [B, U, K, n]."""
        scenario = self._scenario
        lag = measurement_lag_steps(scenario, s)
        change = self._course.change_db(s, lag[..., None] + self._leads)
        load = self._mean_load + (s.view.load[..., None] - self._mean_load) * self._load_memory
        free = self._per_reference * (1.0 - load)
        if scenario.users.count > 1:
            attached = s.view.slot("attached") * np.float32(scenario.users.count)
            free = free / np.maximum(attached + ~s.serving, 1.0)[..., None]
        expected: Floats = np.zeros_like(change)
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            shifted = s.view.sinr_db[..., None] + np.float32(self._p.error_db) * node
            rate = efficiency(scenario, shifted_sinr(scenario, shifted, change)) * free
            expected = expected + weight * self._scale * np.log1p(rate)
        sinr_db = 10 * np.log10(shifted_sinr(scenario, s.view.sinr_db[..., None], change))
        blocked = ndtr((scenario.protocol.qout_db - sinr_db) / max(self._p.error_db, 1e-3))
        return expected, blocked


SPECS = specify(
    "planner",
    Planner,
    PlannerParameters,
    {
        "horizon_steps": (2, 3, 5, 8, 12),
        "error_db": (0.5, 1.0, 2.0, 4.0),
        "price_factor": (0.5, 1.0, 1.5, 2.0, 3.0),
        "risk_factor": (0.0, 0.2, 0.5, 1.0),
        "remaining_weight_s": (0.0, 0.5, 1.0, 4.0, 8.0),
        "remaining_scale_s": (5.0, 20.0, 60.0),
        "elevation_weight": (0.0, 0.05, 0.1, 0.2, 0.4),
        "street_weight": (0.0, 0.05, 0.1, 0.2),
    },
    "forecast",
    "Plan the next seconds by dynamic programming on forecast utilities; take the first step.",
    "Receding-horizon control on the time graph of Hozayen et al., arXiv:2211.07872; forecast defined here",
)
