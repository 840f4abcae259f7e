"""Rules that look at one number of each slot: keep, strongest signal, highest satellite, longest visibility."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.handover.heuristics.choice import (
    Mask,
    Parameters,
    arbitrary,
    best_good,
    choose,
    look,
    rescue,
    specify,
)
from ntn_gym.envs.handover.scenario import Scenario


class StickyParameters(Parameters):
    """Parameters of `Sticky`."""

    connect: Literal["random", "first"] = Field("random", description="Which legal slot an idle user takes.")


class Sticky:
    """Take any slot and keep it until it is lost: what happens if nobody decides."""

    def __init__(self, scenario: Scenario, parameters: StickyParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._connect = scenario, parameters.connect

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the serving slot, or any legal one without it."""
        s = look(self._scenario, observation, mask, restarted)
        score = arbitrary(s) if self._connect == "random" else np.zeros(s.legal.shape, dtype=np.float32)
        return choose(s, np.zeros_like(s.legal), score)


class NoParameters(Parameters):
    """A rule without parameters."""


class Strongest:
    """Serve from the slot with the highest filtered SINR, always: argmax_k Ms_k."""

    def __init__(self, scenario: Scenario, parameters: NoParameters) -> None:
        """Keep the scenario."""
        self._scenario = scenario

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the slot with the highest measured SINR; on a tie stay."""
        s = look(self._scenario, observation, mask, restarted)
        sinr = s.view.sinr_db
        return choose(s, sinr > s.of_serving(sinr), sinr)


class ElevationParameters(Parameters):
    """Parameters of `Elevation`."""

    hysteresis_deg: float = Field(5.0, ge=0, le=90, description="How much higher another satellite must stand.")


class Elevation:
    """Highest satellite: change when another one stands ``hysteresis_deg`` higher, or when the serving pass sets."""

    def __init__(self, scenario: Scenario, parameters: ElevationParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._hysteresis_deg = scenario, parameters.hysteresis_deg

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the highest slot if it is higher by the hysteresis."""
        s = look(self._scenario, observation, mask, restarted)
        elevation = s.view.elevation_deg
        higher = elevation > s.of_serving(elevation) + self._hysteresis_deg
        longer = s.view.remaining_s > s.of_serving(s.view.remaining_s)
        return choose(s, higher | (s.last_chance & longer), elevation)


class VisibilityParameters(Parameters):
    """Parameters of `LongestVisibility`."""

    candidate_sinr_db: float = Field(-4.0, ge=-30, le=40, description="A target must be measured above this.")
    leave_sinr_db: float = Field(-6.0, ge=-30, le=40, description="Leave when the serving SINR falls below this.")
    leave_remaining_s: float = Field(0.0, ge=0, le=600, description="Leave when the pass sets within this time.")
    offset_db: float = Field(-20.0, ge=-40, le=20, description="Target SINR over serving SINR; -20: no condition.")


class LongestVisibility:
    """Keep until the pass sets or its SINR is too low, then take the pass that sets last.

    Leave when the predicted remaining time is at most ``leave_remaining_s`` (never later than the last step) or the
    measured SINR is below ``leave_sinr_db``. Targets are measured above ``candidate_sinr_db`` and above serving SINR +
    ``offset_db``; if the reason is the setting pass, they also set later than it. Where coverage is on or off this
    makes the smallest possible number of handovers (greedy interval covering).
    """

    def __init__(self, scenario: Scenario, parameters: VisibilityParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._p = scenario, parameters

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the serving slot, or the longest pass when it must be left."""
        p = self._p
        s = look(self._scenario, observation, mask, restarted)
        sinr, remaining = s.view.sinr_db, s.view.remaining_s
        serving_sinr, serving_remaining = s.of_serving(sinr), s.of_serving(remaining)
        sets = s.last_chance | (serving_remaining <= p.leave_remaining_s)
        leave = (serving_sinr < p.leave_sinr_db) | (sets & (remaining > serving_remaining))
        good = sinr > p.candidate_sinr_db
        eligible = leave & good & (sinr > serving_sinr + p.offset_db)
        eligible, score = rescue(s, eligible, remaining)
        # Without a serving slot the longest good pass, or else the strongest one.
        return choose(s, eligible, score, idle_score=best_good(s, good, remaining, sinr))


SPECS = {
    **specify(
        "sticky",
        Sticky,
        StickyParameters,
        {},
        "single",
        "Take any slot and keep it until it is lost.",
        "Defined here: reference without decisions",
    ),
    **specify(
        "strongest",
        Strongest,
        NoParameters,
        {},
        "single",
        "Always the slot with the highest filtered SINR.",
        "Event A3 without margins: 3GPP TS 38.331 clause 5.5.4.4",
    ),
    **specify(
        "elevation",
        Elevation,
        ElevationParameters,
        {"hysteresis_deg": (0.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0)},
        "single",
        "Highest satellite, with hysteresis.",
        "Minimum distance: Papapetrou et al., Int. J. Satellite Communications and Networking 22(2), 2004",
    ),
    **specify(
        "longest_visibility",
        LongestVisibility,
        VisibilityParameters,
        {
            "candidate_sinr_db": (-6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0),
            "leave_sinr_db": (-12.5, -8.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0),
            "leave_remaining_s": (0.0, 2.0, 5.0, 10.0),
            "offset_db": (-20.0, 0.0, 3.0),
        },
        "single",
        "Keep until the pass sets or fades, then take the one that sets last.",
        "Maximum service time: Papapetrou et al., Int. J. Satellite Communications and Networking 22(2), 2004",
    ),
}
