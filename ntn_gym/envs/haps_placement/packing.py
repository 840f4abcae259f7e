"""From a raw trace to the arrays that a step and an observation read: what is known when, and forecasts.

Demand is known as of the last step (it is reported, not seen). The forecast multiplies the usual demand at the lead
time by how much the last step was above the usual, within limits; nobody expects a surprise to begin or to end, or a
mover to be elsewhere. In the first step the present demand stands in for the last one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.haps_placement.observation import DEMAND_SCALE
from ntn_gym.envs.haps_placement.scenario import Scenario
from ntn_gym.envs.haps_placement.world import mean_demand_mbit_s

FloatArray = NDArray[Any]

RATIO_LIMITS = (0.5, 2.0)
"""The forecast follows a deviation from the usual demand this far."""
SUN_SCALE_W_M2 = 1400.0


class Packer:
    """Packs traces of one scenario, and says where what stands.

    `drive` holds what a step needs: points and their demand, that of the groups, gateways, failures, the sun, and
    whether it is the last step. `clock` holds four numbers of the observation that all platforms share, `groups` its
    list of groups, `asked` their demand in mean towns over `DEMAND_SCALE` for the probes, [G, horizons], and `centre`
    their places in m.
    """

    def __init__(self, scenario: Scenario) -> None:
        """Lay out the columns of `drive`."""
        self._scenario = scenario
        demand, fleet = scenario.demand, scenario.fleet
        widths = {
            "points": 2 * demand.groups * demand.points,
            "asked": demand.groups * demand.points,
            "demand": demand.groups,
            "gateways": 2 * scenario.backhaul.gateways,
            "failed": fleet.count,
            "sun": 1,
            "last": 1,
        }
        ends = np.cumsum(list(widths.values())).tolist()
        self.columns = {name: slice(end - width, end) for (name, width), end in zip(widths.items(), ends, strict=True)}
        self._unit = DEMAND_SCALE * mean_demand_mbit_s(scenario) / demand.towns

    def compile(self, carry: Arrays | None, raw: Arrays) -> tuple[Arrays, Arrays]:
        """Pack the next steps; ``carry`` holds demand, usual demand and centres of the last slice."""
        scenario, demand = self._scenario, self._scenario.demand
        lagged = {}
        for name in ("demand_mbit_s", "usual_mbit_s", "group_m"):
            before = raw[name][:, :1] if carry is None else carry[name]
            lagged[name] = np.concatenate([before, raw[name][:, :-1]], axis=1)
        n_worlds, n_steps = raw["hour"].shape
        shape = (n_worlds, n_steps)
        # Usual demand now and ahead, seen from now; what was above it one step ago is expected to stay.
        before = lagged["usual_mbit_s"][:, :, 0]
        ratio = np.where(before > 0, lagged["demand_mbit_s"] / np.maximum(before, 1e-9), 1.0)
        ahead = raw["usual_mbit_s"][:, :, 1:] * np.clip(ratio, *RATIO_LIMITS)[:, :, None]
        unexpected = before <= 0
        ahead = np.where(unexpected[:, :, None], lagged["demand_mbit_s"][:, :, None], ahead)
        asked = np.concatenate([lagged["demand_mbit_s"][:, :, None], ahead], axis=2) / self._unit
        asked = np.clip(np.moveaxis(asked, 2, 3), 0.0, 4.0).astype(np.float32)
        centre = lagged["group_m"]
        scaled = np.clip(centre / scenario.region.half_width_m, -1.5, 1.5)
        mean = np.clip(raw["mean_mbit_s"] / self._unit, 0.0, 4.0)
        groups = np.concatenate([scaled, mean[..., None], asked], axis=-1).astype(np.float32)
        angle = raw["hour"] * (2 * math.pi / 24)
        clock = np.stack(
            [
                np.sin(angle),
                np.cos(angle),
                np.minimum(raw["sun_w_m2"] / SUN_SCALE_W_M2, 1.0),
                raw["night_h"] / 12.0,
            ],
            axis=-1,
        )
        last = np.abs(raw["elapsed_s"] - (scenario.steps - 1) * scenario.dt_s) < scenario.dt_s / 2
        drive = np.concatenate(
            [
                raw["point_m"].reshape(*shape, -1),
                np.repeat(raw["demand_mbit_s"], demand.points, axis=2) / np.float32(demand.points),
                raw["demand_mbit_s"],
                raw["gateway_m"].reshape(*shape, -1),
                raw["failed"],
                raw["sun_w_m2"][..., None],
                last[..., None],
            ],
            axis=-1,
            dtype=np.float32,
        )
        arrays: Arrays = {
            "wind": raw["wind_m_s"],
            "drive": drive,
            "clock": clock.astype(np.float32),
            "groups": groups.reshape(*shape, -1),
            "asked": asked,
            "centre": centre,
            "start": np.concatenate([raw["start_m"], raw["start_level"][..., None]], axis=-1),
        }
        carry = {name: raw[name][:, -1:].copy() for name in lagged}
        return carry, arrays
