"""The day-ahead forecast: how fast the battery may be spent so that it just lasts, with the sun known and mean wind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.resource_allocation.observation import SPEND_HIGH_KW
from ntn_gym.envs.resource_allocation.packing import SCALAR
from ntn_gym.envs.resource_allocation.scenario import Scenario
from ntn_gym.envs.resource_allocation.surroundings import local_hour, propulsion_power_w, solar_power_w
from ntn_gym.world.packets import daily_profile

FloatArray = NDArray[Any]

_QUADRATURE = np.polynomial.hermite_e.hermegauss(24)
"""Nodes of the mean over the wind's two normal components."""


def mean_propulsion_w(scenario: Scenario) -> float:
    """Mean power of the engines over the wind's distribution, in W."""
    nodes, weights = _QUADRATURE
    weights = weights / weights.sum()
    pairs = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1)
    power = propulsion_power_w(scenario.energy.wind, scenario.platform.altitude_m, pairs)
    return float(weights @ power @ weights)


class Planner:
    """Payload power that the battery sustains.

    At step t the payload may draw L w(s) in every later step s, with w the square root of the daily profile of traffic.
    L is the largest number with which the stored energy stays above the lower limit at every later step and reaches
    the final target: L = min over h > t of (E - E_low(h) + net(t..h)) / sum of w(t..h), where net is the sun's energy
    less hotel and mean propulsion. Spilled and lost energy is not foreseen.
    """

    def __init__(self, scenario: Scenario) -> None:
        """Tabulate the forecast of the whole episode."""
        battery = scenario.energy.battery
        assert battery is not None
        dt_s, steps = scenario.dt_s, scenario.steps
        time_s = np.arange(steps) * dt_s
        solar = solar_power_w(scenario.energy.sun, scenario.platform.altitude_m, time_s)
        net_j = (solar - battery.hotel_w - mean_propulsion_w(scenario)) * dt_s
        daily = scenario.traffic.daily
        weight = np.sqrt(daily_profile(local_hour(scenario.energy.sun, time_s))) if daily else np.ones(steps)
        self.weight = weight
        target_j = np.full(steps, battery.low_share * battery.capacity_kwh * 3.6e6)
        target_j[-1] = max(target_j[-1], scenario.reward.final_share * battery.capacity_kwh * 3.6e6)
        gain, load = (np.concatenate([[0.0], np.cumsum(values)]) for values in (net_j, weight * dt_s))
        # Row t, column h: from the beginning of step t to the end of step h >= t.
        ahead = np.arange(steps)[None, :] >= np.arange(steps)[:, None]
        net = gain[None, 1:] - gain[:-1, None] - target_j
        spread = load[None, 1:] - load[:-1, None]
        self._net_j = np.where(ahead, net, np.inf)
        self._per_w = np.where(ahead, 1.0 / np.where(ahead, spread, 1.0), 1.0)

    def spend_kw(self, energy_j: FloatArray, now: Now) -> FloatArray:
        """Return the sustainable payload power of the current step in kW, 0 to 4, [B]."""
        step = np.minimum(now["scalars"][:, SCALAR["step"]].astype(np.intp), len(self.weight) - 1)
        level = ((energy_j[:, None] + self._net_j[step]) * self._per_w[step]).min(axis=1)
        result: FloatArray = np.clip(level * self.weight[step] * 1e-3, 0.0, SPEND_HIGH_KW)
        return result
