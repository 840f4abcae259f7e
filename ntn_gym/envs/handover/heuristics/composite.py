"""Rules that weigh several things: load-aware utility, the published hybrid score, and the tuned weighted sum.

Utility is what the user expects from measured SINR and broadcast load (an entry of the observation). Where many users
share cells it is the utility of an equal share: with n users expected in the slot, those it carried in the last step
and this user, R/R0 = ((1 + Rmax/R0)^u - 1) / n.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.handover.heuristics.choice import (
    Floats,
    Mask,
    Parameters,
    Situation,
    arbitrary,
    choose,
    look,
    rescue,
    specify,
)
from ntn_gym.envs.handover.scenario import Scenario

MOVE_PROBABILITY: Any = Field(
    None,
    gt=0,
    le=1,
    description="Share of those who want to move that may, so that not all run to one cell. None: 1/sqrt(users), "
    "which is 1 for one user.",
)


def shared_utility(scenario: Scenario, situation: Situation) -> Floats:
    """Return the utility of an equal share of each slot, [B, U, K]; negative values (dead links) stay as they are."""
    utility = situation.view.utility
    n_users = scenario.users.count
    if n_users == 1:
        return utility
    attached = situation.view.slot("attached") * np.float32(n_users)
    crowd = np.maximum(attached + ~situation.serving, np.float32(1.0))
    whole = np.log1p(scenario.max_rate_bit_s / scenario.reward.reference_rate_bit_s)
    shared = np.log1p(np.expm1(np.maximum(utility, 0) * whole) / crowd) / whole
    return np.where(utility > 0, shared, utility).astype(np.float32)


def may_move(scenario: Scenario, situation: Situation, probability: float | None) -> Mask:
    """Return which users may move in this step, [B, U, 1]; always those whose pass is about to set.

    Users decide at the same time on the same broadcast; if all who see a better cell went there, it would be the worse
    one. With ``probability`` None one over the square root of the number of users moves.
    """
    share = scenario.users.count**-0.5 if probability is None else probability
    if share >= 1.0:
        return np.ones((*situation.served.shape, 1), dtype=bool)
    return (arbitrary(situation)[..., :1] < share) | situation.last_chance


class LoadAwareParameters(Parameters):
    """Parameters of `LoadAware`."""

    hysteresis: float = Field(0.05, ge=0, le=1, description="Utility by which a target must be better.")
    candidate_remaining_s: float = Field(5.0, ge=0, le=600, description="Targets set later than this.")
    move_probability: float | None = MOVE_PROBABILITY


class LoadAware:
    """Highest expected utility of rate: measured SINR, broadcast load and, with many users, users attached.

    u_k > u_serving + hysteresis, and the target stays longer than ``candidate_remaining_s``. In the last step of the
    serving pass any longer pass will do (`choice.rescue`).
    """

    def __init__(self, scenario: Scenario, parameters: LoadAwareParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._p = scenario, parameters

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the slot of the highest utility if it is worth the change."""
        p = self._p
        s = look(self._scenario, observation, mask, restarted)
        utility = shared_utility(self._scenario, s)
        eligible = (utility > s.of_serving(utility) + p.hysteresis) & (s.view.remaining_s > p.candidate_remaining_s)
        eligible, score = rescue(s, eligible & may_move(self._scenario, s, p.move_probability), utility)
        return choose(s, eligible, score, idle_score=utility)


class HybridParameters(Parameters):
    """Parameters of `Hybrid`."""

    sinr_weight: float = Field(1.0, ge=0, le=10, description="w1, per 20 dB.")
    elevation_weight: float = Field(0.3, ge=0, le=10, description="w2, per 90 deg.")
    load_weight: float = Field(0.5, ge=0, le=10, description="w3, per unit of load.")
    bonus: float = Field(0.1, ge=0, le=10, description="Bonus of the serving slot right after a handover.")
    bonus_half_s: float = Field(10.0, ge=0, le=600, description="t0: the bonus has fallen to one half.")
    bonus_scale_s: float = Field(3.0, gt=0, le=600, description="T: time scale of the decay.")


class Hybrid:
    """w1 SINR + w2 elevation - w3 load, with a logistic bonus for the serving slot that decays after a handover.

    Bonus: b / (1 + exp((t - t0)/T)), t the time since the last handover. SINR counts in 20 dB, elevation in 90 deg.
    """

    def __init__(self, scenario: Scenario, parameters: HybridParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._p = scenario, parameters
        self.reset(0)

    def reset(self, n_worlds: int) -> None:
        """Forget when the serving slots were taken."""
        self._steps: NDArray[np.int64] | None = None
        self._current: NDArray[np.intp] | None = None

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the slot with the highest score."""
        p = self._p
        s = look(self._scenario, observation, mask, restarted)
        if self._steps is None or self._current is None:
            self._steps, self._current = np.zeros(s.current.shape, dtype=np.int64), s.current
        same = (self._current == s.current) & ~restarted[:, None]
        self._steps, self._current = np.where(same, self._steps + 1, 0), s.current
        score = p.sinr_weight * s.view.sinr_db / 20.0 + p.elevation_weight * s.view.elevation_deg / 90.0
        score = score - p.load_weight * s.view.load
        exponent = (self._steps * self._scenario.dt_s - p.bonus_half_s) / p.bonus_scale_s
        bonus = p.bonus / (1.0 + np.exp(np.minimum(exponent, 50.0)))
        return choose(s, score > s.of_serving(score) + bonus[..., None], score)


class CompositeParameters(Parameters):
    """Parameters of `Composite`."""

    hysteresis: float = Field(0.07, ge=0, le=2, description="Bonus of the serving slot.")
    remaining_weight: float = Field(0.3, ge=0, le=5, description="w: weight of the remaining time.")
    remaining_scale_s: float = Field(15.0, gt=0, le=600, description="R: longer remaining times do not count more.")
    elevation_weight: float = Field(0.2, ge=-1, le=5, description="e: weight of the elevation over 90 deg.")
    street_weight: float = Field(0.0, ge=0, le=5, description="Weight of standing in line with the user's way.")
    move_probability: float | None = MOVE_PROBABILITY


class Composite:
    """Weighted sum: utility + w min(remaining / R, 1) + e elevation / 90 deg + street term + hysteresis if serving.

    The street term is cos 2(azimuth - course): satellites in line with a street canyon are seen. In the last step of
    the serving pass any longer pass will do (`choice.rescue`). Tuned, this is the rule to beat.
    """

    def __init__(self, scenario: Scenario, parameters: CompositeParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._p = scenario, parameters

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the slot with the highest score."""
        p = self._p
        s = look(self._scenario, observation, mask, restarted)
        score = shared_utility(self._scenario, s)
        score = score + p.remaining_weight * np.minimum(s.view.remaining_s / p.remaining_scale_s, 1.0)
        score = score + p.elevation_weight * s.view.elevation_deg / 90.0
        if p.street_weight > 0:
            score = score + p.street_weight * alignment(self._scenario, s)
        eligible = score > s.of_serving(score) + p.hysteresis
        eligible, target = rescue(s, eligible & may_move(self._scenario, s, p.move_probability), score)
        return choose(s, eligible, target, idle_score=score)


def alignment(scenario: Scenario, situation: Situation) -> Floats:
    """Return cos 2(azimuth - course), [B, U, K]."""
    cosine = situation.view.slot("azimuth_cos")
    if scenario.blockage.street_canyon > 0:
        return cosine  # in a street the observation gives the doubled angle
    return 2 * cosine * cosine - 1


_HYSTERESIS = (0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3)

SPECS = {
    **specify(
        "load_aware",
        LoadAware,
        LoadAwareParameters,
        {
            "hysteresis": _HYSTERESIS,
            "candidate_remaining_s": (0.0, 2.0, 5.0, 10.0, 20.0, 40.0),
        },
        "single",
        "Highest utility of rate under measured SINR and broadcast load, with hysteresis.",
        "Marginal log utility of association: Ye et al., IEEE Trans. Wireless Commun. 12(6), 2013",
    ),
    **specify(
        "hybrid",
        Hybrid,
        HybridParameters,
        {
            "elevation_weight": (0.0, 0.1, 0.3, 0.6, 1.0),
            "load_weight": (0.0, 0.2, 0.4, 0.7, 1.0),
            "bonus": (0.05, 0.1, 0.2, 0.3, 0.5, 0.8),
            "bonus_half_s": (5.0, 10.0, 20.0, 60.0),
            "bonus_scale_s": (1.0, 3.0, 10.0),
        },
        "composite",
        "SINR, elevation and load, with a bonus for the serving slot that decays after a handover.",
        "After Aldubaikhy, hybrid handover (PMC12987173): logistic bonus; weights defined here",
    ),
    **specify(
        "composite",
        Composite,
        CompositeParameters,
        {
            "hysteresis": _HYSTERESIS,
            "remaining_weight": (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.1, 1.4),
            "remaining_scale_s": (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 240.0),
            "elevation_weight": (-0.1, 0.0, 0.1, 0.2, 0.4, 0.7, 1.0),
            "street_weight": (0.0, 0.05, 0.1, 0.2, 0.3),
        },
        "composite",
        "Utility, remaining time, elevation and street in one weighted sum, with hysteresis.",
        "Defined here: weighted sum of the criteria of the other rules",
    ),
}
