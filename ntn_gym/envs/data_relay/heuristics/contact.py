"""Rules that look at contacts and the sky now: first, longest, HAGS first, direct, residual volume."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.data_relay.heuristics.choice import (
    Floats,
    Mask,
    NoParameters,
    Parameters,
    Situation,
    look,
    name_best,
    specify,
)
from ntn_gym.envs.data_relay.scenario import Scenario

_KEEP = np.float32(1e6)


class _ContactRule:
    """Keep the receiver that is pointed to while it is eligible; otherwise the eligible one with the best score."""

    def __init__(self, scenario: Scenario, parameters: NoParameters) -> None:
        """Keep the scenario."""
        self._scenario = scenario

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def eligible(self, s: Situation) -> Mask:
        """Which receivers may be named."""
        return s.usable

    def score(self, s: Situation) -> Floats:
        """Which is preferred; above 0."""
        raise NotImplementedError

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Keep, or name the best."""
        s = look(self._scenario, observation)
        score = np.where(self.eligible(s) & s.has_data, self.score(s) + _KEEP * s.pointed, np.float32(0.0))
        return name_best(score)


class FirstContact(_ContactRule):
    """Take whatever receiver takes bits now, the first by number of the slot; keep it to its end."""

    def score(self, s: Situation) -> Floats:
        """All alike: the first one is named."""
        return np.ones(s.valid.shape, dtype=np.float32)


class LongestContact(_ContactRule):
    """Take the receiver that stays in view longest; keep it to its end."""

    def score(self, s: Situation) -> Floats:
        """Remaining time."""
        return s.view.remaining_s


class HagsFirst(_ContactRule):
    """Take a HAGS whatever the sky, a clear station otherwise; among equals the longest."""

    def score(self, s: Situation) -> Floats:
        """Remaining time, HAGS far above."""
        return s.view.remaining_s + np.float32(1e4) * s.view.flag("hags")


class Direct(_ContactRule):
    """Send only where the sky is clear, the longest contact first; otherwise wait. Buffers are never used."""

    def eligible(self, s: Situation) -> Mask:
        """Clear receivers."""
        return s.usable & s.clear

    def score(self, s: Situation) -> Floats:
        """Remaining time."""
        return s.view.remaining_s


class ResidualParameters(Parameters):
    """Parameters of `MaxResidual`."""

    stored_weight: float = Field(0.3, ge=0, le=2, description="Worth of a bit in a buffer over one on the ground.")


class MaxResidual:
    """Name the receiver that can still take most bits, those into a buffer above clouds counting less.

    Volume = min(rate (remaining - acquisition), free buffer, bits on board).
    """

    def __init__(self, scenario: Scenario, parameters: ResidualParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._weight = scenario, np.float32(parameters.stored_weight)

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the largest weighted volume."""
        s = look(self._scenario, observation)
        return name_best(np.where(s.usable, residual_bits(s) * np.where(s.stores, self._weight, 1), 0))


def residual_bits(s: Situation) -> Floats:
    """Return the bits that can still be sent to each slot, [B, S, K]."""
    lasting_s = np.maximum(s.view.remaining_s - s.acquisition_s, 0)
    volume = np.minimum(s.rate_bit_s * lasting_s, s.view.volume_bits)
    result: Floats = np.minimum(volume, s.view.queue_bits[..., None])
    return result


class ThresholdParameters(Parameters):
    """Parameters of `Threshold`."""

    stored_weight: float = Field(0.3, ge=0, le=2, description="Worth of a bit in a buffer over one on the ground.")
    min_gap_s: float = Field(600.0, ge=0, le=3600, description="Store only if no pass begins within this time.")
    min_files: float = Field(1.0, ge=0, le=100, description="... or if more files than this wait on board.")
    turn_s: float = Field(60.0, ge=0, le=600, description="Time that another receiver must win to turn to it.")


class Threshold:
    """Largest weighted volume, but bits go into a buffer above clouds only if nothing better is near.

    A HAGS over clouds is used when the next pass begins later than ``min_gap_s`` or more than ``min_files`` files wait.
    The receiver that is pointed to gets a bonus of ``turn_s`` of its rate.
    """

    def __init__(self, scenario: Scenario, parameters: ThresholdParameters) -> None:
        """Keep the parameters."""
        self._scenario, self._p = scenario, parameters

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[np.intp]:
        """Name the largest weighted volume."""
        p, s = self._p, look(self._scenario, observation)
        gap_s = s.view.user("gap_0")[..., None] * np.float32(3600.0)
        files = s.view.queue_bits[..., None] / np.float32(self._scenario.file_bits)
        store = s.stores & ((gap_s >= p.min_gap_s) | (files > p.min_files))
        bits = residual_bits(s) + np.float32(p.turn_s) * s.rate_bit_s * s.pointed
        weight = np.where(s.clear, 1.0, np.where(store, p.stored_weight, 0.0))
        return name_best(np.where(s.usable & s.has_data, bits * weight, 0))


SPECS = {
    **specify(
        "first_contact",
        FirstContact,
        NoParameters,
        {},
        "single",
        "Whatever receiver takes bits now, to the end of its contact.",
        "First contact: Jain, Fall, Patra, Routing in a delay tolerant network, SIGCOMM 2004",
    ),
    **specify(
        "longest_contact",
        LongestContact,
        NoParameters,
        {},
        "single",
        "The receiver that stays in view longest.",
        "Maximum contact time, a common rule of ground segments; defined here",
    ),
    **specify(
        "hags_first",
        HagsFirst,
        NoParameters,
        {},
        "single",
        "A HAGS whatever the sky, otherwise a clear station.",
        "Madoery et al., arXiv:2403.15659, section III (HAGS model)",
    ),
    **specify(
        "direct",
        Direct,
        NoParameters,
        {},
        "single",
        "Only where the sky is clear; buffers are never used.",
        "Madoery et al., arXiv:2403.15659, section III (traditional model)",
    ),
    **specify(
        "max_residual",
        MaxResidual,
        ResidualParameters,
        {"stored_weight": (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)},
        "single",
        "The receiver that can still take most bits; bits in a buffer count less.",
        "Residual volume of a contact: CCSDS 734.3-B-1, Schedule-Aware Bundle Routing",
    ),
    **specify(
        "threshold",
        Threshold,
        ThresholdParameters,
        {
            "stored_weight": (0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
            "min_gap_s": (0.0, 300.0, 600.0, 1200.0, 2400.0, 3600.0),
            "min_files": (0.0, 1.0, 2.0, 5.0, 10.0, 100.0),
            "turn_s": (0.0, 20.0, 60.0, 200.0, 600.0),
        },
        "composite",
        "Largest weighted volume; into a buffer above clouds only if no pass is near or much waits.",
        "Defined here, from the rules above",
    ),
}
