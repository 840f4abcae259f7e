"""Rules of one user that look at signals only: fixed modes, best single link, all links, threshold add/drop."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.multi_connectivity.heuristics.choice import (
    CLOSED,
    Floats,
    Mask,
    Parameters,
    Rule,
    Situation,
    best_set,
    specify,
)

LEAST_DB = -6.0


class SignalParameters(Parameters):
    """Parameters of rules that compare signals."""

    hysteresis_db: float = Field(3.0, ge=0, le=30, description="Another node must be stronger by this.")
    station_offset_db: float = Field(0.0, ge=-30, le=30, description="Added to the signal of stations.")
    leave_remaining_s: float = Field(0.0, ge=0, le=200, description="Nodes that set within this time do not count.")


class Signals(Rule):
    """What the rules of this file share: the signal of every port as they compare it."""

    def __init__(self, task: Any, parameters: SignalParameters) -> None:
        """Keep the parameters."""
        super().__init__(task)
        self.p: Any = parameters

    def compared_db(self, s: Situation) -> Floats:
        """Measured SINR with offset and hysteresis, above the least usable one; not above 0: no use, [B, U, P]."""
        p = self.p
        value = s.sinr_db - LEAST_DB + p.hysteresis_db * s.linked
        usable = s.valid & (s.sinr_db > LEAST_DB - p.hysteresis_db * s.linked)
        usable &= ~self.in_sky | (s.view.remaining_s > p.leave_remaining_s)
        value = np.maximum(value + np.where(self.in_sky, 0.0, p.station_offset_db), 0.01)
        return np.where(usable, value, CLOSED)

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Choose the best set."""
        s = self.look(observation, mask)
        score = self.score(s)
        return best_set(s.legal, np.where(self.first_band | (self.sets.size == 0), score, CLOSED))

    def score(self, s: Situation) -> Floats:
        """Score of every set, [B, U, S]."""
        raise NotImplementedError


class BestSingle(Signals):
    """Be served by the strongest node; event A3 of 3GPP TS 38.331 with an offset between the tiers."""

    tier: str | None = None

    def score(self, s: Situation) -> Floats:
        """Signal of the single sets."""
        of_tier = np.ones(self.sets.n_ports, dtype=bool)
        if self.tier is not None:
            chosen = self.in_sky if self.tier == "sky" else ~self.in_sky
            of_tier = chosen if chosen.any() else of_tier
        value = np.where(of_tier, self.compared_db(s), CLOSED)
        return np.where(self.sets.size <= 1, self.sum_over(value), CLOSED)


class SkyOnly(BestSingle):
    """Mode 2 of SS-SBS at all times."""

    tier = "sky"


class StationOnly(BestSingle):
    """Mode 3 of SS-SBS at all times."""

    tier = "station"


class AllLinks(Signals):
    """As many links as the architecture allows, of both kinds if it knows both."""

    def score(self, s: Situation) -> Floats:
        """Size first, then both kinds, then the signals."""
        value = self.compared_db(s)
        both = 1e3 * self.is_mixed
        return self.sum_over(value) + 1e4 * self.sets.size * self.all_of(value > 0) + both


class ThresholdParameters(SignalParameters):
    """Parameters of `Threshold`."""

    add_db: float = Field(3.0, ge=-20, le=40, description="A node is added above this SINR (event A4).")
    drop_db: float = Field(4.0, ge=0, le=20, description="It is dropped so far below that (event A2).")


class Threshold(Signals):
    """The best single link, and further ones while their signal is good: A4 adds, A2 drops (3GPP TS 38.331)."""

    def score(self, s: Situation) -> Floats:
        """Sets of the best node and of further good ones; the larger the better."""
        value = self.compared_db(s)
        first_band = np.where(self.mode_of_port == 0, value, CLOSED)
        best = np.argmax(first_band, axis=-1)
        good = s.sinr_db > self.p.add_db - self.p.drop_db * s.linked
        good &= value > 0
        mine = np.arange(self.sets.n_ports) == best[..., None]
        fits = self.all_of(good | mine) & self.has(best)
        score = np.where(fits, 1e4 * self.sets.size + self.sum_over(value), CLOSED)
        return np.where(self.sets.size == 0, 0.0, score)


_SIGNAL_GRID = {
    "hysteresis_db": (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0),
    "station_offset_db": (-6.0, -3.0, 0.0, 3.0, 6.0, 9.0, 12.0),
    "leave_remaining_s": (0.0, 2.0, 5.0),
}
_OWN_GRID = {name: _SIGNAL_GRID[name] for name in ("hysteresis_db", "leave_remaining_s")}

SPECS = {
    **specify(
        "sky_only",
        SkyOnly,
        SignalParameters,
        _OWN_GRID,
        "single",
        "The strongest node in the sky (any node where there are none).",
        "Mode 2 of SS-SBS (Li and Shang, section II-B); event A3 of 3GPP TS 38.331 clause 5.5.4.4",
    ),
    **specify(
        "station_only",
        StationOnly,
        SignalParameters,
        {"hysteresis_db": _SIGNAL_GRID["hysteresis_db"]},
        "single",
        "The strongest base station (any node where there are none).",
        "Mode 3 of SS-SBS (Li and Shang, section II-B); event A3 of 3GPP TS 38.331 clause 5.5.4.4",
    ),
    **specify(
        "best_single",
        BestSingle,
        SignalParameters,
        _SIGNAL_GRID,
        "single",
        "The strongest node, with an offset between sky and ground.",
        "Event A3 of 3GPP TS 38.331 clause 5.5.4.4, cell individual offset as tier bias",
    ),
    **specify(
        "all_links",
        AllLinks,
        SignalParameters,
        _SIGNAL_GRID,
        "single",
        "As many of the strongest nodes as allowed, from sky and ground.",
        "Mode 1 of SS-SBS at all times (Li and Shang, section II-B)",
    ),
    **specify(
        "threshold",
        Threshold,
        ThresholdParameters,
        {
            **_SIGNAL_GRID,
            "add_db": (-6.0, -3.0, 0.0, 3.0, 6.0, 9.0, 12.0, 15.0),
        },
        "single",
        "The strongest node, and further links while their SINR is above a threshold.",
        "Events A3, A4 (add) and A2 (drop) of 3GPP TS 38.331 clause 5.5.4; 3GPP TS 37.340 (secondary node addition)",
    ),
}
