"""Rules for the interference channel between beams: WMMSE, and power control to a load target."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ntn_gym.envs.resource_allocation.heuristics.base import Parameters, PowerRule, specify
from ntn_gym.envs.resource_allocation.observation import View
from ntn_gym.envs.resource_allocation.task import ResourceAllocationTask

FloatArray = NDArray[Any]


def beam_channels(view: View) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return queue [B, R], own gain [B, R] (log-mean) and cross gains [B, R, R], weighted by need."""
    bits = view.expiring_bit_hz + view.waiting_bit_hz
    queue = bits.sum(axis=-1)
    share = bits / np.maximum(queue, 1e-12)[..., None]
    own = np.exp((share * np.log(view.gain_per_w)).sum(axis=-1))
    coupling = (share[..., None] * view.coupling).sum(axis=2)
    return queue, own, coupling * own[..., None]


def wmmse(
    own: FloatArray, cross: FloatArray, weight: FloatArray, highest_w: FloatArray, total_w: float, rounds: int
) -> FloatArray:
    """Return powers of a local maximum of the weighted sum rate under power limits, [B, n].

    Scalar WMMSE: u = h v/(sum h^2 v^2 + 1), m = 1/(1 - u h v), v = alpha m u h/(sum alpha m u^2 h^2 + lambda), with
    lambda by bisection for the total. Noise is 1.

    Source: Q. Shi, M. Razaviyayn, Z.-Q. Luo, C. He, "An iteratively weighted MMSE approach to distributed sum-utility
    maximization for a MIMO interfering broadcast channel", IEEE Transactions on Signal Processing 59(9), 2011.

    Args:
        own: Gain of each link over noise, [B, n].
        cross: Gain from transmitter j to receiver b over noise, 0 for j = b, [B, n, n].
        weight: alpha of each link, [B, n].
        highest_w: Limit of each power, [n].
        total_w: Limit of the sum.
        rounds: Iterations.
    """
    amplitude = np.sqrt(own)
    power = np.broadcast_to(np.minimum(highest_w, total_w / own.shape[1]), own.shape)
    v = np.sqrt(power)
    for _ in range(rounds):
        received = (cross * np.square(v)[:, None, :]).sum(axis=-1) + own * np.square(v) + 1.0
        u = amplitude * v / received
        m = 1.0 / np.maximum(1.0 - u * amplitude * v, 1e-12)
        a = weight * m * np.square(u)
        denominator = a * own + (a[..., None] * cross).sum(axis=1)
        numerator = weight * m * u * amplitude

        def limited(price: FloatArray, top: FloatArray = numerator, low: FloatArray = denominator) -> FloatArray:
            root = top / np.maximum(low + price[:, None], 1e-30)
            result: FloatArray = np.minimum(np.maximum(root, 0.0), np.sqrt(highest_w))
            return result

        lower, upper = np.zeros(len(own)), np.full(len(own), 1e-6)
        for _ in range(60):
            over = np.square(limited(upper)).sum(axis=1) > total_w
            if not over.any():
                break
            upper = np.where(over, upper * 10.0, upper)
        within = np.square(limited(lower)).sum(axis=1) <= total_w
        for _ in range(30):
            middle = 0.5 * (lower + upper)
            over = np.square(limited(middle)).sum(axis=1) > total_w
            lower, upper = np.where(over, middle, lower), np.where(over, upper, middle)
        v = limited(np.where(within, 0.0, upper))
    return np.square(v)


class WmmseParameters(Parameters):
    """Parameters of `Wmmse`."""

    total_w: float = Field(40.0, gt=0, le=200)
    exponent: float = Field(1.0, ge=0, le=3, description="The weight of a beam is its queue to this exponent.")
    rounds: int = Field(8, ge=1, le=100)


class Wmmse(PowerRule):
    """WMMSE on the mean channel of each beam, weighted by queues."""

    def __init__(self, task: ResourceAllocationTask, parameters: WmmseParameters) -> None:
        """Keep the parameters."""
        super().__init__(task)
        self._parameters = parameters

    def powers(self, view: View, restarted: NDArray[np.bool_]) -> FloatArray:
        """Iterate."""
        queue, own, cross = beam_channels(view)
        settings = self._parameters
        weight = np.where(queue > 1e-6, np.maximum(queue, 1e-9) ** settings.exponent, 0.0)
        weight /= np.maximum(weight.max(axis=1, keepdims=True), 1e-12)
        return wmmse(own, cross, weight, self.highest_w, settings.total_w, settings.rounds)


class LoadParameters(Parameters):
    """Parameters of `LoadTarget`."""

    load: float = Field(0.9, gt=0, le=1, description="Share of the band that what is wanted shall fill.")
    waiting_share: float = Field(0.4, ge=0, le=1, description="Share of the bits that may wait but are wanted now.")
    rounds: int = Field(8, ge=1, le=100)


class LoadTarget(PowerRule):
    """Least powers with which every beam carries what it wants: Yates' fixed point with limits."""

    def __init__(self, task: ResourceAllocationTask, parameters: LoadParameters) -> None:
        """Keep the parameters."""
        super().__init__(task)
        self._parameters = parameters
        self._gap = task.scenario.radio.efficiency_gap / math.log(2.0)
        self._cap = task.scenario.radio.efficiency_cap_bit_s_hz

    def powers(self, view: View, restarted: NDArray[np.bool_]) -> FloatArray:
        """Iterate p = target (1 + interference)/gain from below."""
        settings = self._parameters
        wanted = (view.expiring_bit_hz + settings.waiting_share * view.waiting_bit_hz).sum(axis=-1)
        _, own, cross = beam_channels(view)
        target = np.expm1(np.minimum(wanted / settings.load, self._cap) / self._gap)
        power = np.zeros_like(own)
        for _ in range(settings.rounds):
            noise = 1.0 + (cross * power[:, None, :]).sum(axis=-1)
            power = np.minimum(target * noise / own, self.highest_w)
        # Who wants anything is on.
        return np.where(wanted > 1e-6, np.maximum(power, self.lowest_w), 0.0)


SPECS = {
    **specify(
        "wmmse",
        Wmmse,
        WmmseParameters,
        {"total_w": (10.0, 20.0, 40.0, 70.0), "exponent": (0.5, 1.0, 2.0)},
        "single",
        "WMMSE on the mean channel of each beam, weighted by queues.",
        "Q. Shi et al., IEEE Transactions on Signal Processing 59(9), 2011",
    ),
    **specify(
        "load-target",
        LoadTarget,
        LoadParameters,
        {"load": (0.5, 0.7, 0.9, 1.0), "waiting_share": (0.0, 0.1, 0.2, 0.4, 0.7)},
        "single",
        "Least powers with which every beam carries what is due and a share of the rest.",
        "R. D. Yates, IEEE Journal on Selected Areas in Communications 13(7), 1995",
    ),
}
