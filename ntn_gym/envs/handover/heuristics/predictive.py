"""Rules that predict the signal from its own past: LMS prediction, and a threshold that follows the rate of change.

Both were proposed for the cells of a HAPS, which swing with the platform.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.handover.heuristics.choice import (
    Floats,
    Mask,
    NewPass,
    Parameters,
    Situation,
    choose,
    look,
    specify,
)
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.world.users import USUAL_SPEED_M_S

SAMPLES = 8
"""Past differences from which the next one is predicted."""
STEP_SIZE = np.float32(0.5)
"""NLMS step mu; 0 < mu < 2 converges (Haykin, Adaptive Filter Theory)."""
FLOOR = np.float32(1e-6)
FORGET = np.float32(0.9)
START_VARIANCE_DB2 = np.float32(4.0)
LIMIT_DB = np.float32(40.0)
"""Predictions beyond the range of the measurements are not believed."""


class LmsParameters(Parameters):
    """Parameters of `PredictedRss`."""

    offset_db: float = Field(1.0, ge=-15, le=30, description="The target must be predicted stronger by this.")
    ahead_steps: int = Field(2, ge=1, le=20, description="How far ahead is predicted.")
    confidence: float = Field(0.5, ge=0, le=5, description="Standard deviations of the prediction error to allow for.")


@dataclass
class _LmsMemory:
    """Last SINR samples and filter weights [B, U, K, SAMPLES] (newest last), error variance, clock and server."""

    samples: Floats
    weights: Floats
    variance: Floats
    clock: NDArray[np.int64]
    current: NDArray[np.intp]


class PredictedRss:
    """Predict the difference to the serving signal by NLMS and hand over when it will be large enough.

    For every slot y_n = SINR_slot - SINR_serving, x_n = the last 8 of them, yhat_{n+1} = w.x_n, and after each step
    w += mu e x / (1e-6 + |x|^2) with the error e = y_{n+1} - w.x_n and mu = 0.5. Predictions are iterated
    ``ahead_steps`` times; a slot is eligible when yhat_{n+h} - z sigma_e > offset, sigma_e^2 being a running mean of
    e^2. The user looks every clip(2 m / speed, 0.2 s, 2 s), as fast as its surroundings change. Weights start at
    persistence (yhat = y) and are forgotten with the pass; after a handover the differences are formed anew from the
    stored signals.
    """

    def __init__(self, scenario: Scenario, parameters: LmsParameters) -> None:
        """Keep the parameters and set the detection period."""
        self._scenario, self._p = scenario, parameters
        speed = scenario.users.speed_m_s
        speed_m_s = USUAL_SPEED_M_S[scenario.users.motion] if speed is None else speed
        period_s = 2.0 if speed_m_s == 0 else min(max(2.0 / speed_m_s, 0.2), 2.0)
        self.period_steps = max(1, round(period_s / scenario.dt_s))
        self.reset(0)

    def reset(self, n_worlds: int) -> None:
        """Forget all signals."""
        self._memory: _LmsMemory | None = None
        self._new = NewPass()

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the slot that will be strongest if its lead is predicted safely."""
        s = look(self._scenario, observation, mask, restarted)
        memory = self._remember(s)
        ahead = _differences(memory.samples, s)
        for _ in range(self._p.ahead_steps):
            following = np.clip(np.sum(memory.weights * ahead, axis=-1), -LIMIT_DB, LIMIT_DB)
            ahead = np.concatenate([ahead[..., 1:], following[..., None]], axis=-1)
        lead_db = ahead[..., -1] - self._p.confidence * np.sqrt(memory.variance)
        looks = (memory.clock % self.period_steps == 0)[:, None, None]
        return choose(s, looks & (lead_db > self._p.offset_db), lead_db, idle_score=s.view.sinr_db)

    def _remember(self, s: Situation) -> _LmsMemory:
        """Take this step's samples, learn from the error of the last prediction and return the memory."""
        sinr = s.view.sinr_db
        fresh = self._new.update(s)[..., None]
        persistence = np.zeros(SAMPLES, dtype=np.float32)
        persistence[-1] = 1.0
        old = self._memory
        if old is None:
            everywhere = np.broadcast_to(sinr[..., None], (*sinr.shape, SAMPLES)).copy()
            self._memory = _LmsMemory(
                samples=everywhere,
                weights=np.broadcast_to(persistence, everywhere.shape).copy(),
                variance=np.full(sinr.shape, START_VARIANCE_DB2),
                clock=np.zeros(len(s.restarted), dtype=np.int64),
                current=s.current,
            )
            return self._memory
        samples = np.concatenate([old.samples[..., 1:], sinr[..., None]], axis=-1)
        samples = np.where(fresh, sinr[..., None], samples)
        before = _differences(old.samples, s)
        now = sinr - s.of_serving(sinr)
        comparable = s.served & (old.current == s.current)
        serving_is_fresh = (fresh[..., 0] & s.serving).any(axis=-1)
        learn = (comparable & ~serving_is_fresh)[..., None] & ~fresh[..., 0] & s.view.valid
        error = np.where(learn, now - np.sum(old.weights * before, axis=-1), np.float32(0))
        power = FLOOR + np.sum(before * before, axis=-1)
        weights = old.weights + (STEP_SIZE * error / power)[..., None] * before
        variance = np.where(learn, FORGET * old.variance + (1 - FORGET) * error * error, old.variance)
        self._memory = _LmsMemory(
            samples=samples,
            weights=np.where(fresh, persistence, weights).astype(np.float32),
            variance=np.where(fresh[..., 0], START_VARIANCE_DB2, variance).astype(np.float32),
            clock=np.where(s.restarted, 0, old.clock + 1),
            current=s.current,
        )
        return self._memory


def _differences(samples: Floats, s: Situation) -> Floats:
    """Signals over that of the present serving slot, [B, U, K, SAMPLES]."""
    serving = np.where(s.serving[..., None], samples, np.float32(0)).sum(axis=2, keepdims=True)
    return np.asarray(samples - serving)


class AdaptiveParameters(Parameters):
    """Parameters of `AdaptiveThreshold`."""

    offset_db: float = Field(1.0, ge=0, le=30, description="Offset at rest, Off0.")
    swing_gain_s: float = Field(0.5, ge=0, le=20, description="k1: dB of offset per dB/s while the signal swings.")
    motion_gain_s: float = Field(0.5, ge=0, le=20, description="k2: dB of offset less per dB/s of steady change.")
    swing_period_s: float = Field(10.0, gt=0, le=600, description="The rate alternates within this time: a swing.")


@dataclass
class _RateMemory:
    """Last SINR [B, U, K], last sign of its rate and steps since the sign alternated."""

    sinr: Floats
    sign: Floats
    steps: NDArray[np.int64]


class AdaptiveThreshold:
    """Event A3 whose offset follows the rate of change of the neighbour's signal.

    Off = Off0 + k1 |dSINR/dt| where the sign of the rate alternated within the swing period (the platform swings, the
    neighbour's lead will pass), and Off0 - k2 |dSINR/dt|, not below zero, where it did not (real motion).
    """

    def __init__(self, scenario: Scenario, parameters: AdaptiveParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._p = scenario, parameters
        self.reset(0)

    def reset(self, n_worlds: int) -> None:
        """Forget all signals."""
        self._memory: _RateMemory | None = None
        self._new = NewPass()

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the strongest slot whose lead exceeds its offset."""
        p, dt_s = self._p, self._scenario.dt_s
        s = look(self._scenario, observation, mask, restarted)
        sinr = s.view.sinr_db
        fresh = self._new.update(s)
        never = np.int64(10**9)
        if self._memory is None:
            self._memory = _RateMemory(sinr, np.zeros_like(sinr), np.full(sinr.shape, never))
        old = self._memory
        # Becoming or ceasing to be the serving slot changes the age of the measurement, not the pass.
        rate = np.where(fresh, np.float32(0), (sinr - old.sinr) / np.float32(dt_s))
        sign = np.where(fresh, np.float32(0), np.where(rate != 0, np.sign(rate), old.sign))
        alternates = sign * old.sign < 0
        steps = np.where(fresh, never, np.where(alternates, 0, np.minimum(old.steps + 1, never)))
        self._memory = _RateMemory(sinr, sign, steps)
        swings = steps * dt_s <= p.swing_period_s
        offset = p.offset_db + np.where(swings, p.swing_gain_s, -p.motion_gain_s) * np.abs(rate)
        return choose(s, sinr > s.of_serving(sinr) + np.maximum(offset, 0.0), sinr)


SPECS = {
    **specify(
        "predicted_rss",
        PredictedRss,
        LmsParameters,
        {
            "offset_db": (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0),
            "ahead_steps": (1, 2, 3, 5),
            "confidence": (0.0, 0.5, 1.28, 2.0),
        },
        "single",
        "Hand over when NLMS predicts that the target will be stronger.",
        "After He et al. 2017 (prediction of the RSS difference by LMS); order, step and test defined here",
    ),
    **specify(
        "adaptive_threshold",
        AdaptiveThreshold,
        AdaptiveParameters,
        {
            "offset_db": (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0),
            "swing_gain_s": (0.0, 0.5, 1.0, 2.0),
            "motion_gain_s": (0.0, 0.5, 1.0, 2.0),
            "swing_period_s": (2.0, 5.0, 10.0, 30.0),
        },
        "single",
        "Event A3 with an offset that grows while the signal swings and shrinks while it moves.",
        "After adaptive handover thresholds for swinging HAPS cells (the threshold follows the rate of the RSS); "
        "formula defined here",
    ),
}
