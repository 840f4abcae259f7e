"""Conditional handover of 3GPP TS 38.331 (Rel-17): location or time condition and event A4, prepared in advance.

The network prepares a few candidates and gives each its conditions; the user executes as soon as all conditions of a
candidate hold. Here the candidates are the ``prepared`` legal slots with the longest predicted visibility, renewed
every step. In this environment execution still needs what the scenario says every handover needs, so a conditional
handover gains timing and no robustness of the command.

Location condition. The distance of a user to the reference location of a cell is not in the observation, but the
clear-sky SNR that ephemeris and beam pattern predict is, and it falls steadily with that distance: to the beam centre
on the ground for a beam, to the sub-satellite point for a satellite. So "distance to the serving reference above
Thresh1" is written as "predicted SNR of the serving cell below ``leave_snr_db``", and "distance to the target reference
below Thresh2" as "predicted SNR of the target above ``enter_snr_db``".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.handover.heuristics.choice import (
    HoldTimer,
    Mask,
    Parameters,
    Situation,
    best_good,
    choose,
    look,
    rescue,
    specify,
)
from ntn_gym.envs.handover.scenario import Scenario

PREPARED = Field(3, ge=1, le=64, description="Number of candidates prepared, by longest predicted visibility.")
A4_DB = Field(0.0, ge=-30, le=40, description="Event A4: measured SINR of the target above this.")


def prepared_slots(situation: Situation, count: int) -> Mask:
    """Return the ``count`` handover candidates with the longest predicted visibility, [B, U, K]."""
    remaining = np.where(situation.others, situation.view.remaining_s, -1.0)
    rank = np.argsort(np.argsort(-remaining, axis=-1, kind="stable"), axis=-1, kind="stable")
    return situation.others & (rank < count)


class DistanceParameters(Parameters):
    """Parameters of `DistanceCho` and `TimeToExit`."""

    prepared: int = PREPARED
    a4_db: float = A4_DB
    leave_snr_db: float = Field(8.0, ge=-30, le=60, description="Predicted SNR of the serving cell below this.")
    enter_snr_db: float = Field(6.0, ge=-30, le=60, description="Predicted SNR of the target above this.")
    ttt_steps: int = Field(0, ge=0, le=100, description="Steps for which all conditions must hold after the first.")


class DistanceCho:
    """Conditions D1 and A4 (clauses 5.5.4.15, 5.5.4.5); of several triggered candidates the strongest is taken."""

    def __init__(self, scenario: Scenario, parameters: DistanceParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._p = scenario, parameters
        self._timer = HoldTimer()

    def reset(self, n_worlds: int) -> None:
        """Forget all timers."""
        self._timer = HoldTimer()

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the strongest triggered candidate."""
        s = look(self._scenario, observation, mask, restarted)
        triggered = distance_triggered(s, self._p, self._timer)
        eligible, score = rescue(s, triggered, s.view.sinr_db)
        return choose(s, eligible, score)


def distance_triggered(situation: Situation, p: DistanceParameters, timer: HoldTimer) -> Mask:
    """Prepared candidates whose D1 and A4 have held for the time-to-trigger."""
    location = situation.view.predicted_snr_db
    near = (situation.of_serving(location) < p.leave_snr_db) & (location > p.enter_snr_db)
    condition = prepared_slots(situation, p.prepared) & near & (situation.view.sinr_db > p.a4_db)
    return timer.held(situation, condition) > p.ttt_steps


class TimeToExit:
    """Of the candidates triggered by D1 and A4 take the one that is left last; ties by signal.

    Without a serving slot: the longest pass above the A4 threshold, or else the strongest.
    """

    def __init__(self, scenario: Scenario, parameters: DistanceParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._p = scenario, parameters
        self._timer = HoldTimer()

    def reset(self, n_worlds: int) -> None:
        """Forget all timers."""
        self._timer = HoldTimer()

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the triggered candidate with the longest time to exit."""
        s = look(self._scenario, observation, mask, restarted)
        # SINR within +-30 dB moves the score by less than a hundredth of a second: it decides ties only.
        longest = s.view.remaining_s + np.float32(1e-4) * s.view.sinr_db
        triggered = distance_triggered(s, self._p, self._timer)
        eligible, score = rescue(s, triggered, longest)
        good = s.view.sinr_db > self._p.a4_db
        return choose(s, eligible, score, idle_score=best_good(s, good, longest, s.view.sinr_db))


class TimeParameters(Parameters):
    """Parameters of `TimeCho`."""

    prepared: int = PREPARED
    a4_db: float = A4_DB
    window_s: float = Field(5.0, ge=0, le=600, description="T1 opens this long before the serving pass sets.")
    leave_sinr_db: float = Field(-30.0, ge=-30, le=40, description="Also leave when the serving SINR is below this.")
    candidate_remaining_s: float = Field(0.0, ge=0, le=600, description="Targets set later than this.")
    offset_db: float = Field(0.0, ge=-40, le=30, description="Target SINR over serving SINR.")


class TimeCho:
    """Conditions T1 and A4 (clauses 5.5.4.16, 5.5.4.5): T1 is the window [t_set - D, t_set] of the serving pass.

    ``leave_sinr_db`` opens the window early for a serving link that has become weak (A5 in place of T1), -30 never.
    Of several triggered candidates the strongest is taken.
    """

    def __init__(self, scenario: Scenario, parameters: TimeParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._p = scenario, parameters

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the strongest triggered candidate."""
        p = self._p
        s = look(self._scenario, observation, mask, restarted)
        sinr, remaining = s.view.sinr_db, s.view.remaining_s
        serving_sinr, serving_remaining = s.of_serving(sinr), s.of_serving(remaining)
        sets = (serving_remaining <= p.window_s) & (remaining > serving_remaining)
        leave = sets | (serving_sinr < p.leave_sinr_db)
        good = (sinr > p.a4_db) & (sinr > serving_sinr + p.offset_db) & (remaining > p.candidate_remaining_s)
        eligible, score = rescue(s, prepared_slots(s, p.prepared) & leave & good, sinr)
        return choose(s, eligible, score)


_SNR_DB = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0)
_A4_DB = (-6.0, -3.0, 0.0, 3.0, 6.0)
_DISTANCE_GRID = {
    "leave_snr_db": _SNR_DB,
    "enter_snr_db": _SNR_DB,
    "a4_db": _A4_DB,
    "ttt_steps": (0, 1),
    "prepared": (3, 8),
}

SPECS = {
    **specify(
        "cho_d1",
        DistanceCho,
        DistanceParameters,
        _DISTANCE_GRID,
        "single",
        "Conditional handover on location (D1) and A4; the strongest triggered candidate.",
        "3GPP TS 38.331 clauses 5.5.4.15 and 5.5.4.5",
    ),
    **specify(
        "cho_t1",
        TimeCho,
        TimeParameters,
        {
            "window_s": (2.0, 5.0, 10.0, 20.0),
            "leave_sinr_db": (-30.0, -12.5, -6.0, -3.0, 0.0, 3.0, 6.0),
            "candidate_remaining_s": (0.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0),
            "offset_db": (-20.0, 0.0, 1.0, 3.0, 5.0),
            "a4_db": (-6.0, 0.0, 3.0),
            "prepared": (3, 8),
        },
        "single",
        "Conditional handover on time before the predicted set (T1) and A4.",
        "3GPP TS 38.331 clauses 5.5.4.16 and 5.5.4.5",
    ),
    **specify(
        "cho_tte",
        TimeToExit,
        DistanceParameters,
        _DISTANCE_GRID,
        "single",
        "Of the candidates triggered by D1 and A4 the one with the longest time to exit.",
        "Noreen and Schotten, IEEE CCNC 2026",
    ),
}
