"""Measurement events of 3GPP TS 38.331 clause 5.5.4: A3, A4 and A5, each followed by a handover to the best cell.

An event is entered when its condition has held for the time-to-trigger; ``ttt_steps`` further steps are counted after
the first one, so 0 means at once. L3 filtering is already in the measured SINR; ``slow`` chooses the slower filter of
the observation. Cell-specific offsets (Ofn, Ocn, Ofp, Ocp) are zero.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.handover.heuristics.choice import (
    Floats,
    HoldTimer,
    Mask,
    Parameters,
    choose,
    look,
    specify,
)
from ntn_gym.envs.handover.observation import SINR_CENTRE_DB, SINR_SCALE_DB
from ntn_gym.envs.handover.scenario import Scenario

HYSTERESIS = Field(1.0, ge=0, le=30, description="Hys in dB.")
TTT_STEPS = Field(0, ge=0, le=100, description="Steps for which the condition must hold after the first one.")
SLOW = Field(False, description="Compare the slowly filtered SINR.")


class Event(Protocol):
    """An event with its parameters."""

    ttt_steps: int
    slow: bool

    def enters(self, neighbour_db: Floats, serving_db: Floats) -> Mask:
        """Entering condition for neighbours [B, U, K] and the serving cell [B, U, 1]."""


class A3(Parameters):
    """Neighbour becomes offset better than serving: Mn - Hys > Mp + Off (clause 5.5.4.4)."""

    hysteresis_db: float = HYSTERESIS
    ttt_steps: int = TTT_STEPS
    slow: bool = SLOW
    offset_db: float = Field(0.0, ge=-15, le=30, description="Off in dB.")

    def enters(self, neighbour_db: Floats, serving_db: Floats) -> Mask:
        """Entering condition A3-1."""
        return np.asarray(neighbour_db - self.hysteresis_db > serving_db + self.offset_db)


class A4(Parameters):
    """Neighbour becomes better than a threshold: Mn - Hys > Thresh (clause 5.5.4.5).

    The report alone would send users round among all good cells, so the network accepts it only if the reported cell
    is also measured stronger than the serving one.
    """

    hysteresis_db: float = HYSTERESIS
    ttt_steps: int = TTT_STEPS
    slow: bool = SLOW
    target_threshold_db: float = Field(2.0, ge=-30, le=40, description="Thresh in dB.")

    def enters(self, neighbour_db: Floats, serving_db: Floats) -> Mask:
        """Entering condition A4-1, and the neighbour is the stronger one."""
        return (neighbour_db - self.hysteresis_db > self.target_threshold_db) & (neighbour_db > serving_db)


class A5(Parameters):
    """Serving below one threshold, neighbour above another: Mp + Hys < Thresh1, Mn - Hys > Thresh2 (clause 5.5.4.6)."""

    hysteresis_db: float = HYSTERESIS
    ttt_steps: int = TTT_STEPS
    slow: bool = SLOW
    serving_threshold_db: float = Field(6.0, ge=-30, le=40, description="Thresh1 in dB.")
    target_threshold_db: float = Field(2.0, ge=-30, le=40, description="Thresh2 in dB.")

    def enters(self, neighbour_db: Floats, serving_db: Floats) -> Mask:
        """Entering conditions A5-1 and A5-2."""
        weak = serving_db + self.hysteresis_db < self.serving_threshold_db
        return weak & (neighbour_db - self.hysteresis_db > self.target_threshold_db)


class EventHandover:
    """Hand over to the strongest of the cells whose event is entered, as soon as it is."""

    def __init__(self, scenario: Scenario, event: Event) -> None:
        """Keep the event."""
        self._scenario, self._event = scenario, event
        self._timer = HoldTimer()

    def reset(self, n_worlds: int) -> None:
        """Forget all timers."""
        self._timer = HoldTimer()

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the strongest cell whose event is entered, else the serving one."""
        s = look(self._scenario, observation, mask, restarted)
        measured = s.view.sinr_db
        if self._event.slow:
            measured = s.view.slot("sinr_slow") * np.float32(SINR_SCALE_DB) + np.float32(SINR_CENTRE_DB)
        condition = self._event.enters(measured, s.of_serving(measured)) & s.others
        held = self._timer.held(s, condition)
        return choose(s, held > self._event.ttt_steps, measured)


_TTT = (0, 1, 2, 4, 7)
_THRESHOLDS = (-6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0)

SPECS = {
    **specify(
        "a3",
        EventHandover,
        A3,
        {
            "hysteresis_db": (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0),
            "ttt_steps": _TTT,
            "slow": (False, True),
        },
        "single",
        "Event A3: a neighbour is stronger by an offset for the time-to-trigger.",
        "3GPP TS 38.331 clause 5.5.4.4",
    ),
    **specify(
        "a4",
        EventHandover,
        A4,
        {"target_threshold_db": _THRESHOLDS, "hysteresis_db": (0.0, 1.0, 2.0), "ttt_steps": _TTT},
        "single",
        "Event A4: a neighbour is above a threshold (and stronger than the serving cell).",
        "3GPP TS 38.331 clause 5.5.4.5",
    ),
    **specify(
        "a5",
        EventHandover,
        A5,
        {
            "serving_threshold_db": _THRESHOLDS,
            "target_threshold_db": _THRESHOLDS,
            "hysteresis_db": (0.0, 1.0, 2.0),
            "ttt_steps": _TTT,
        },
        "single",
        "Event A5: the serving cell is below one threshold and a neighbour above another.",
        "3GPP TS 38.331 clause 5.5.4.6",
    ),
}
