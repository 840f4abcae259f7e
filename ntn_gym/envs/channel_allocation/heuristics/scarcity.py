"""Rules that value a free channel the more, the fewer a cell has left; and who is let in at all."""

from __future__ import annotations

import numpy as np
from pydantic import Field, field_validator

from ntn_gym.envs.channel_allocation.heuristics.choice import Floats, Mask, Parameters, Scores, specify
from ntn_gym.envs.channel_allocation.observation import View
from ntn_gym.envs.channel_allocation.packing import DRIFT_SCALE_M_S
from ntn_gym.envs.channel_allocation.plan import SCARCITY

_ROUNDING = 1e-7


class ScarcityParameters(Parameters):
    """Parameters of the scarcity rules."""

    base: float = Field(0.5, description="b: the next channel is worth b^f in a cell with f free ones.")

    @field_validator("base")
    @classmethod
    def _observed(cls, value: float) -> float:
        if value not in SCARCITY:
            raise ValueError(
                f"base = {value}: allowed are {', '.join(map(str, SCARCITY))}, which the observation holds"
            )
        return value


def _gain(view: View, base: float, loaded: bool) -> Floats:
    return view.slot(f"{'loaded' if loaded else 'value'}_{SCARCITY.index(base)}")


def _moves(gain: Floats) -> Floats:
    return np.where(gain > _ROUNDING, gain, 0.0)


def scarcity(view: View, parameters: ScarcityParameters) -> Scores:
    """Take the channel that costs the cells around least."""
    return Scores(_gain(view, parameters.base, loaded=False))


def scarcity_r(view: View, parameters: ScarcityParameters) -> Scores:
    """The same, and move the call whose channel is worth most to them."""
    gain = _gain(view, parameters.base, loaded=False)
    return Scores(gain, _moves(gain))


def loaded_scarcity_r(view: View, parameters: ScarcityParameters) -> Scores:
    """The same, with each cell weighted by its predicted load."""
    gain = _gain(view, parameters.base, loaded=True)
    return Scores(gain, _moves(gain))


class GuardParameters(Parameters):
    """Parameters of `guard`."""

    channels: int = Field(2, ge=0, le=60, description="A new call needs more free channels than this.")


def guard(view: View, parameters: GuardParameters) -> Scores:
    """MAXAVAIL-R that keeps channels free for hand-overs."""
    gain = view.slot("available")
    return Scores(gain, _moves(gain), _free(view) > parameters.channels)


def _free(view: View) -> Floats:
    return np.rint(view.of_cell("free") * view.channels.shape[1])


class CompositeParameters(ScarcityParameters):
    """Parameters of `composite`."""

    loaded: bool = Field(False, description="Weight each cell by its predicted load.")
    guard: int = Field(0, ge=0, le=60, description="A new call needs more free channels than this, ...")
    guard_per_m_s: float = Field(0.0, ge=0, le=20, description="... and this many for each m/s of drift.")
    limit: float = Field(
        19.0, gt=0, le=19, description="Largest loss of the cells around for which a new call is let in."
    )


def composite(view: View, parameters: CompositeParameters) -> Scores:
    """Scarcity-R with admission: guard channels that follow the drift, and a limit on what a call may cost others."""
    gain = _gain(view, parameters.base, parameters.loaded)
    drift_m_s = view.of_cell("drift") * DRIFT_SCALE_M_S
    admit: Mask = _free(view) > parameters.guard + parameters.guard_per_m_s * drift_m_s
    legal = view.slot("valid") > 0
    least_loss = np.where(legal, -gain, np.inf).min(axis=1) * 19.0
    return Scores(gain, _moves(gain), admit & (least_loss <= parameters.limit + _ROUNDING))


SPECS = {
    **specify(
        "scarcity",
        scarcity,
        ScarcityParameters,
        {"base": SCARCITY},
        "single",
        "the channel whose loss costs the cells around least, b^(f - 1) in a cell with f free ones; no moves",
        "chosen: MAXAVAIL with values that fall with the number of free channels",
    ),
    **specify(
        "scarcity-r",
        scarcity_r,
        ScarcityParameters,
        {"base": SCARCITY},
        "composite",
        "scarcity, and on a departure the move that gives back the channel worth most: the rule to beat",
        "chosen: MAXAVAIL-R with values that fall with the number of free channels",
    ),
    **specify(
        "loaded-scarcity-r",
        loaded_scarcity_r,
        ScarcityParameters,
        {"base": SCARCITY},
        "forecast",
        "scarcity-r with each cell weighted by its predicted load",
        "chosen",
    ),
    **specify(
        "guard",
        guard,
        GuardParameters,
        {"channels": [0, 1, 2, 3, 4, 6, 8, 10]},
        "single",
        "MAXAVAIL-R that refuses new calls where few channels are free, for the sake of hand-overs",
        "R. Ramjee, D. Towsley, R. Nagarajan, Wireless Networks 3(1), 1997",
    ),
    **specify(
        "composite",
        composite,
        CompositeParameters,
        {
            "base": [0.2, 0.35, 0.5],
            "loaded": [False, True],
            "guard": [0, 1, 2, 3, 5],
            "guard_per_m_s": [0.0, 0.5, 1.0],
            "limit": [19.0, 8.0, 5.0, 3.0, 2.0],
        },
        "forecast",
        "scarcity-r with guard channels that follow the drift and a limit on what a new call may cost the cells around",
        "chosen: union of scarcity-r and guard channels",
    ),
}
