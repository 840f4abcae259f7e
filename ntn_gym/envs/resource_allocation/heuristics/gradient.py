"""Rules that maximise a weighted sum of rates: proportional fair, max-weight, M-LWDF and EXP over the beams.

At every step the powers maximise sum_b alpha_b log(1 + p_b g_b) with a given sum (interference is left out; `wmmse` has
it). The rules differ in the weight alpha. A beam with bits that are due, or with enough waiting, is on.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.resource_allocation.heuristics.base import Parameters, PowerRule, specify
from ntn_gym.envs.resource_allocation.heuristics.model import StepModel
from ntn_gym.envs.resource_allocation.observation import View
from ntn_gym.envs.resource_allocation.task import ResourceAllocationTask

FloatArray = NDArray[Any]

Metric = Literal["proportional-fair", "max-weight", "m-lwdf", "exp"]


class GradientParameters(Parameters):
    """Parameters of `WeightedRates`."""

    total_w: float = Field(40.0, gt=0, le=200, description="Highest sum of the powers of all radios.")
    memory_steps: float = Field(20.0, ge=1, le=1000, description="Memory of the average rate.")
    sleep_below: float = Field(0.2, ge=0, le=10, description="Radios with less waiting (bit/Hz) and nothing due sleep.")


def weighted_water_fill(gain: FloatArray, weight: FloatArray, total_w: float) -> FloatArray:
    """Return the powers that maximise sum alpha log(1 + p g) with sum p = P: p = max(0, alpha mu - 1/g), [B, n].

    Channel b is wet while mu > 1/(alpha g); sorted by that threshold, the level over the first m is
    mu = (P + sum 1/g)/sum alpha.

    Args:
        gain: Gain over noise, positive, [B, n].
        weight: alpha, not negative, [B, n].
        total_w: Power P.
    """
    noise = 1.0 / gain
    threshold = np.where(weight > 0, noise / np.maximum(weight, 1e-300), np.inf)
    order = np.argsort(threshold, axis=1, kind="stable")
    sorted_threshold, a, n = (np.take_along_axis(x, order, axis=1) for x in (threshold, weight, noise))
    finite = np.isfinite(sorted_threshold)
    level = (total_w + np.cumsum(np.where(finite, n, 0.0), axis=1)) / np.maximum(np.cumsum(a, axis=1), 1e-300)
    n_wet = (finite & (level > sorted_threshold)).sum(axis=1, keepdims=True)
    mu = np.take_along_axis(level, np.maximum(n_wet - 1, 0), axis=1)
    power: FloatArray = np.where(n_wet > 0, np.maximum(weight * mu - noise, 0.0), 0.0)
    return power


class WeightedRates(PowerRule):
    """Weighted water-filling with the weights of a scheduling rule."""

    def __init__(self, metric: Metric, task: ResourceAllocationTask, parameters: GradientParameters) -> None:
        """Keep the rule."""
        super().__init__(task)
        self._metric, self._parameters = metric, parameters
        self._urgency = -math.log(task.scenario.scheduler.violation)
        self._average: FloatArray | None = None

    def reset(self, n_worlds: int) -> None:
        """Forget the average rates."""
        self._average = None

    def powers(self, view: View, restarted: NDArray[np.bool_]) -> FloatArray:
        """Fill, and remember what the model expects of the choice."""
        model = StepModel(self.task, view)
        bits = view.expiring_bit_hz + view.waiting_bit_hz
        if self._average is None:
            self._average = np.ones(bits.shape[:2])
        average = np.where(restarted[:, None], 1.0, self._average)
        weight = self._weights(view, average)
        share = bits / np.maximum(bits.sum(axis=-1, keepdims=True), 1e-12)
        own = np.exp((share * np.log(view.gain_per_w)).sum(axis=-1))
        # Weighted water-filling: with q = p/alpha the levels alpha (mu - 1/(alpha g)) are those of plain water-filling.
        chosen = weighted_water_fill(own, weight, self._parameters.total_w)
        chosen = np.minimum(chosen, self.highest_w)
        waiting = (weight > 0) & (bits.sum(axis=-1) > self._parameters.sleep_below)
        due = view.expiring_bit_hz.sum(axis=-1) > 1e-6
        chosen = np.where(waiting | due, np.maximum(chosen, self.lowest_w), 0.0)
        served = model.estimate(chosen[:, None]).served[:, 0]
        self._average = average + (served - average) / self._parameters.memory_steps
        return chosen

    def _weights(self, view: View, average: FloatArray) -> FloatArray:
        due, rest = view.expiring_bit_hz.sum(axis=-1), view.waiting_bit_hz.sum(axis=-1)
        queue = due + rest
        if self._metric == "max-weight":
            return queue
        fair = 1.0 / np.maximum(average, 1e-3)
        if self._metric == "proportional-fair":
            return np.where(queue > 1e-6, fair, 0.0)
        # What is due has waited for its deadline, the rest for half of it on average.
        waited = self._urgency * (due + 0.5 * rest) / np.maximum(queue, 1e-9) * np.minimum(queue, 1.0)
        if self._metric == "m-lwdf":
            return waited * fair
        mean = waited.mean(axis=1, keepdims=True)
        return np.where(queue > 1e-6, fair * np.exp((waited - mean) / (1.0 + np.sqrt(mean))), 0.0)


_GRID = {"total_w": (10.0, 20.0, 40.0, 70.0), "memory_steps": (5.0, 20.0, 100.0), "sleep_below": (0.1, 0.3, 1.0)}
_SOURCES: dict[Metric, tuple[str, str]] = {
    "proportional-fair": (
        "Water-filling weighted by one over the average rate.",
        "F. P. Kelly, A. Maulloo, D. Tan, Journal of the Operational Research Society 49, 1998; A. Jalali et al., 2000",
    ),
    "max-weight": (
        "Water-filling weighted by the queue.",
        "L. Tassiulas, A. Ephremides, IEEE Transactions on Automatic Control 37(12), 1992",
    ),
    "m-lwdf": (
        "Water-filling weighted by waiting time over average rate.",
        "M. Andrews et al., IEEE Communications Magazine 39(2), 2001",
    ),
    "exp": (
        "As m-lwdf with an exponential weight of the waiting time above the mean.",
        "S. Shakkottai, A. Stolyar, Translations of the AMS, series 2, 207, 2002",
    ),
}


def _factory(metric: Metric) -> Any:
    return lambda task, parameters: WeightedRates(metric, task, parameters)


SPECS = {
    name: spec
    for metric, (description, source) in _SOURCES.items()
    for name, spec in specify(
        metric, _factory(metric), GradientParameters, _GRID, "single", description, source
    ).items()
}
