"""Rules that divide a total power: equally, by demand, by water-filling, by the state of charge, by the day ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.resource_allocation.heuristics.base import Parameters, PowerRule, shares_of_need, specify
from ntn_gym.envs.resource_allocation.heuristics.model import StepModel
from ntn_gym.envs.resource_allocation.observation import View
from ntn_gym.envs.resource_allocation.task import ResourceAllocationTask

FloatArray = NDArray[Any]


class EqualParameters(Parameters):
    """Parameters of `Equal`."""

    power_share: float = Field(0.25, gt=0, le=1, description="Power of every radio over its highest.")


class Equal(PowerRule):
    """The same power in all radios, always."""

    def __init__(self, task: ResourceAllocationTask, parameters: EqualParameters) -> None:
        """Keep the power."""
        super().__init__(task)
        self._share = parameters.power_share

    def powers(self, view: View, restarted: NDArray[np.bool_]) -> FloatArray:
        """All on."""
        return np.broadcast_to(self._share * self.highest_w, (len(restarted), len(self.highest_w))).copy()


def needs(view: View) -> FloatArray:
    """Bits waiting at each radio over the band, all of them, [B, R]."""
    result: FloatArray = (view.expiring_bit_hz + view.waiting_bit_hz).sum(axis=-1)
    return result


class DemandParameters(Parameters):
    """Parameters of `DemandProportional`."""

    total_w: float = Field(20.0, gt=0, le=200)
    exponent: float = Field(0.5, ge=0, le=2, description="Power goes as the queue to this exponent.")
    sleep_below: float = Field(0.2, ge=0, le=10, description="Radios with less waiting (bit/Hz) and nothing due sleep.")


class DemandProportional(PowerRule):
    """Power in proportion to a power of the queue; a radio with little to do sleeps."""

    def __init__(self, task: ResourceAllocationTask, parameters: DemandParameters) -> None:
        """Keep the parameters."""
        super().__init__(task)
        self._parameters = parameters

    def total_w(self, view: View) -> FloatArray | float:
        """Power to divide in W."""
        return self._parameters.total_w

    def powers(self, view: View, restarted: NDArray[np.bool_]) -> FloatArray:
        """Divide the total."""
        need = needs(view)
        idle = (need < self._parameters.sleep_below) & (view.expiring_bit_hz.sum(axis=-1) <= 0)
        weight = np.where(idle | (need <= 0), 0.0, need**self._parameters.exponent)
        power = shares_of_need(weight, self.total_w(view), self.highest_w)
        # A radio that has something to send is on.
        return np.where(weight > 0, np.maximum(power, self.lowest_w), 0.0)


class WaterParameters(Parameters):
    """Parameters of `WaterFilling`."""

    total_w: float = Field(30.0, gt=0, le=200)


def water_fill(gain: FloatArray, total: FloatArray | float) -> FloatArray:
    """Return the powers that maximise sum log(1 + p g) with sum p = P: p = max(0, mu - 1/g), [..., n].

    Source: T. Cover and J. Thomas, Elements of Information Theory, section 9.4 (exact, by sorting the channels).

    Args:
        gain: Gain over noise of each channel, not negative; 0 is a channel that is not used, [..., n].
        total: Power P, not negative, [...].
    """
    noise = np.where(gain > 0, 1.0 / np.maximum(gain, 1e-300), np.inf)
    ordered = np.sort(noise, axis=-1)
    counts = np.arange(1, noise.shape[-1] + 1)
    finite = np.isfinite(ordered)
    below = np.cumsum(np.where(finite, ordered, 0.0), axis=-1)
    levels = (np.asarray(total, dtype=np.float64)[..., None] + below) / counts
    # The water stands over the m best channels if its level is above the worst of them.
    wet = finite & (levels > ordered)
    n_wet = wet.sum(axis=-1, keepdims=True)
    level = np.take_along_axis(levels, np.maximum(n_wet - 1, 0), axis=-1)
    power: FloatArray = np.where(n_wet > 0, np.maximum(level - noise, 0.0), 0.0)
    return power


class WaterFilling(PowerRule):
    """Water-filling of a total over the radios with a queue, each a channel with the mean gain of its users."""

    def __init__(self, task: ResourceAllocationTask, parameters: WaterParameters) -> None:
        """Keep the parameters."""
        super().__init__(task)
        self._total_w = parameters.total_w

    def powers(self, view: View, restarted: NDArray[np.bool_]) -> FloatArray:
        """Fill."""
        bits = view.expiring_bit_hz + view.waiting_bit_hz
        need = bits.sum(axis=-1)
        log_gain = (bits * np.log(view.gain_per_w)).sum(axis=-1) / np.maximum(need, 1e-12)
        return water_fill(np.where(need > 1e-6, np.exp(log_gain), 0.0), np.full(len(need), self._total_w))


class ChargeParameters(Parameters):
    """Parameters of `StateOfCharge`."""

    full_w: float = Field(40.0, gt=0, le=200, description="Radiated power with a full battery.")
    exponent: float = Field(0.5, ge=0, le=2)
    sleep_below: float = Field(0.2, ge=0, le=10)


class StateOfCharge(DemandProportional):
    """Demand-proportional with a total in proportion to the state of charge (half of it without a battery)."""

    def __init__(self, task: ResourceAllocationTask, parameters: ChargeParameters) -> None:
        """Keep the parameters."""
        inner = DemandParameters(
            total_w=parameters.full_w, exponent=parameters.exponent, sleep_below=parameters.sleep_below
        )
        super().__init__(task, inner)

    def total_w(self, view: View) -> FloatArray:
        """Power to divide in W, [B]."""
        return np.maximum(self._parameters.total_w * view.battery_share, 1e-3)


class DayAheadParameters(Parameters):
    """Parameters of `DayAhead`."""

    spend_factor: float = Field(1.0, gt=0, le=5, description="Supply power over what the forecast sustains.")
    exponent: float = Field(0.5, ge=0, le=2)
    most_w: float = Field(40.0, gt=0, le=200, description="Radiated power is never above it.")
    sleep_below: float = Field(0.2, ge=0, le=10)


class DayAhead(PowerRule):
    """Demand-proportional with the largest total whose supply power the day-ahead forecast sustains."""

    def __init__(self, task: ResourceAllocationTask, parameters: DayAheadParameters) -> None:
        """Keep the parameters."""
        super().__init__(task)
        self._spend = parameters.spend_factor
        totals = parameters.most_w * np.array([1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.08])
        self._rules = [
            DemandProportional(
                task,
                DemandParameters(total_w=total, exponent=parameters.exponent, sleep_below=sleep),
            )
            for total, sleep in [(one, parameters.sleep_below) for one in totals]
            + [(totals[-1], min(10.0, parameters.sleep_below * factor)) for factor in (3.0, 10.0)]
        ]

    def powers(self, view: View, restarted: NDArray[np.bool_]) -> FloatArray:
        """Take the first candidate within the budget, else the last; without a battery the first."""
        candidates = np.stack([rule.powers(view, restarted) for rule in self._rules], axis=1)
        if self.task.battery is None:
            return candidates[:, 0]
        supply = StepModel(self.task, view).estimate(candidates).payload_w
        budget = self._spend * 1e3 * view.context("spend").astype(np.float64)
        within = supply <= budget[:, None]
        within[:, -1] = True
        return candidates[np.arange(len(candidates)), np.argmax(within, axis=1)]


_TOTALS_W = (10.0, 20.0, 40.0, 70.0)
_EXPONENTS = (0.3, 0.5, 1.0)
_SLEEP = (0.0, 0.1, 0.3, 1.0)
SPECS = {
    **specify(
        "equal",
        Equal,
        EqualParameters,
        {"power_share": (0.05, 0.1, 0.25, 0.5, 1.0)},
        "single",
        "The same power in all radios, always.",
        "the reference of most papers",
        naive=True,
    ),
    **specify(
        "demand-proportional",
        DemandProportional,
        DemandParameters,
        {"total_w": _TOTALS_W, "exponent": _EXPONENTS, "sleep_below": _SLEEP},
        "single",
        "Power in proportion to a power of the queue; a radio with little to do sleeps.",
        "J. Lei, M. A. Vazquez-Castro, IEEE Transactions on Communications 59(8), 2011 (traffic-matched allocation)",
    ),
    **specify(
        "water-filling",
        WaterFilling,
        WaterParameters,
        {"total_w": (5.0, 10.0, 20.0, 40.0, 70.0)},
        "single",
        "Water-filling over the radios with a queue.",
        "T. Cover, J. Thomas, Elements of Information Theory, section 9.4",
    ),
    **specify(
        "state-of-charge",
        StateOfCharge,
        ChargeParameters,
        {"full_w": (10.0, 20.0, 40.0, 80.0), "exponent": _EXPONENTS, "sleep_below": _SLEEP},
        "single",
        "Demand-proportional with a total in proportion to the state of charge.",
        "common practice of battery-powered stations",
    ),
    **specify(
        "day-ahead",
        DayAhead,
        DayAheadParameters,
        {
            "spend_factor": (0.8, 1.0, 1.25, 1.6),
            "exponent": (0.3, 0.5),
            "most_w": (20.0, 40.0, 80.0),
            "sleep_below": (0.1, 0.3, 1.0),
        },
        "forecast",
        "Demand-proportional with the supply power that a day-ahead forecast of the sun sustains.",
        "energy-neutral operation: A. Kansal et al., ACM Transactions on Embedded Computing Systems 6(4), 2007",
    ),
}
