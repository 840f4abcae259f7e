"""What ephemeris and the last measurement say about the next seconds of every slot.

The clear-sky SNR of a pass is a smooth function of time that ephemeris and beam pattern give; a node that knows the
orbit knows it ahead. The observation holds its present value, so its course is continued from the last three values by
a parabola (in dB the main lobe of a beam that passes over is a parabola to good accuracy).
"""

from __future__ import annotations

import numpy as np

from ntn_gym.envs.handover.heuristics.choice import Floats, NewPass, Situation
from ntn_gym.envs.handover.observation import AGE_SCALE_S
from ntn_gym.envs.handover.scenario import Scenario

ROUND_TRIP_S = 0.01
"""Round trip reckoned with (a slant range of 1500 km); the observation does not give the range."""
CHANGE_LIMIT_DB = np.float32(15.0)
"""A parabola is not followed further than this from the present value."""


class SnrCourse:
    """Continues the predicted SNR of each pass; forgets with the pass."""

    def __init__(self) -> None:
        self._new = NewPass()
        self._last: Floats | None = None
        self._before: Floats | None = None

    def change_db(self, situation: Situation, lead_steps: Floats) -> Floats:
        """Take this step's values and return the change of the SNR in dB after ``lead_steps`` steps.

        Args:
            situation: Present situation.
            lead_steps: Lead times in steps, [n] or [B, U, K, n].

        Returns:
            Changes [B, U, K, n], float32; zero in the first step of a pass, a straight line in the second.
        """
        now = situation.view.predicted_snr_db
        fresh = self._new.update(situation)
        last = now if self._last is None else np.where(fresh, now, self._last)
        # A pass seen twice has no curvature yet: continue the line backwards.
        young = np.isnan(self._before) | fresh if self._before is not None else np.ones(fresh.shape, dtype=bool)
        before = 2 * last - now if self._before is None else np.where(young, 2 * last - now, self._before)
        curvature = now - 2 * last + before
        slope = now - last + curvature / 2
        self._before = np.where(fresh | ~situation.view.valid, np.float32(np.nan), last)
        self._last = now
        lead = lead_steps.astype(np.float32)
        change = slope[..., None] * lead + curvature[..., None] / 2 * lead**2
        return np.clip(change, -CHANGE_LIMIT_DB, CHANGE_LIMIT_DB)


def measurement_lag_steps(scenario: Scenario, situation: Situation) -> Floats:
    """Return by how many steps the measured SINR of each slot lags behind the present, [B, U, K].

    Its age, and the mean delay (1 - w) / w of the filter F = (1 - w) F + w M. A slot that was never measured shows its
    predicted SNR, which does not lag.
    """
    age = situation.view.slot("age")
    weight = scenario.measurement.filter_weight
    lag = age * np.float32(AGE_SCALE_S / scenario.dt_s) + np.float32((1 - weight) / weight)
    return np.where(age < 1, lag, np.float32(0))


def shifted_sinr(scenario: Scenario, sinr_db: Floats, snr_change_db: Floats) -> Floats:
    """Return the linear SINR after the SNR has changed, the rest of the interference staying what it is.

    1/SINR = 1/SNR' + a with a the interference of the same node's other beams, which rises and falls with the signal
    (`intra_satellite_isolation_db`); the remainder scales with the change.
    """
    own = np.float32(10 ** (-scenario.link.intra_satellite_isolation_db / 10))
    inverse = 10 ** (-sinr_db / np.float32(10))
    remainder = np.maximum(inverse - own, np.float32(1e-3)) * 10 ** (-snr_change_db / np.float32(10))
    return np.asarray(1.0 / (remainder + own))


def efficiency(scenario: Scenario, sinr: Floats) -> Floats:
    """Spectral efficiency of a linear SINR in bit/s/Hz (attenuated Shannon), 0 below Qout."""
    link = scenario.link
    rate = np.minimum(link.efficiency_gap * np.log2(1.0 + sinr), link.efficiency_cap_bit_s_hz)
    return np.where(sinr >= 10 ** (scenario.protocol.qout_db / 10), rate, 0.0)


def connection_s(scenario: Scenario) -> float:
    """Seconds of service that a connection is expected to cost."""
    return scenario.protocol.interruption_s + scenario.protocol.interruption_round_trips * ROUND_TRIP_S
