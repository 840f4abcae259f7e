"""What a platform knows before it decides: layout, limits, and the numbers in engineering units.

Probes tell what a platform would gain by being elsewhere: the demand that it could serve there and nobody else serves
better, now and at the lead times of the forecast. The list of groups at the end is what a planner needs for a map.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.haps_placement.scenario import Scenario
from ntn_gym.envs.haps_placement.world import FORECAST_H

FloatArray = NDArray[Any]

FIRST_WIND = 13
"""Numbers of the platform itself before the winds of the levels."""
OTHER_SIZE = 4
GROUP_SIZE = 2 + 1 + 1 + len(FORECAST_H)
HORIZONS = 1 + len(FORECAST_H)
OFFSET_SCALE_M = 100e3
WIND_SCALE_M_S = 20.0
DEMAND_SCALE = 3.0
"""Demand of a group is given in this many mean towns."""
PROBE_RINGS_M = (15e3, 40e3, 90e3)
PROBE_BEARINGS = 8
PROBES = 1 + PROBE_BEARINGS * len(PROBE_RINGS_M)


def probe_offsets_m() -> FloatArray:
    """Where the probes lie about the platform, float32 [P, 2]: itself, then the rings, clockwise from north."""
    bearing = 2 * np.pi * np.arange(PROBE_BEARINGS) / PROBE_BEARINGS
    circle = np.stack([np.sin(bearing), np.cos(bearing)], axis=-1)
    return np.concatenate([np.zeros((1, 2)), *(radius * circle for radius in PROBE_RINGS_M)]).astype(np.float32)


class Layout:
    """Where what stands in the observation of one platform, for a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Count."""
        self.levels = len(scenario.fleet.levels_pa)
        self.others = scenario.fleet.count - 1
        self.groups = scenario.demand.groups
        wind = FIRST_WIND + 2 * self.levels
        other = wind + OTHER_SIZE * self.others
        probe = other + HORIZONS * PROBES
        self.size = probe + GROUP_SIZE * self.groups
        self.wind = slice(FIRST_WIND, wind)
        self.other = slice(wind, other)
        self.probe = slice(other, probe)
        self.group = slice(probe, self.size)

    @property
    def symbols(self) -> dict[str, int]:
        """Letters of the page: levels L, other platforms O, probes P, groups G."""
        return {"L": self.levels, "O": self.others, "P": PROBES, "G": self.groups}

    def bounds(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Limits of the observation, as the page states them."""
        low, high = np.zeros(self.size, np.float32), np.ones(self.size, np.float32)
        low[0:2], high[0:2] = -2, 2
        high[4] = 3
        low[6:8], high[6:8] = -4, 4
        low[8:10] = -1
        high[11] = 2
        low[self.wind], high[self.wind] = -3, 3
        low[self.other] = np.tile([-4, -4, 0, 0], self.others)
        high[self.other] = np.tile([4, 4, 1, 1], self.others)
        high[self.probe] = 3
        low[self.group] = np.tile([-1.5, -1.5, *[0] * (GROUP_SIZE - 2)], self.groups)
        high[self.group] = np.tile([1.5, 1.5, *[4] * (GROUP_SIZE - 2)], self.groups)
        return low, high


class View:
    """An observation [B, M, obs] in engineering units; rules read it, nothing else."""

    def __init__(self, scenario: Scenario, observation: NDArray[np.float32]) -> None:
        """Keep the array; what is asked for is converted."""
        self._layout = Layout(scenario)
        self._scenario = scenario
        self._o = observation

    @property
    def place_m(self) -> FloatArray:
        """Places of the platforms, [B, M, 2]; clipped at twice the half width."""
        return self._o[..., 0:2].astype(np.float64) * self._scenario.region.half_width_m

    @property
    def charge(self) -> FloatArray:
        """State of charge, [B, M]."""
        return self._o[..., 2].astype(np.float64)

    @property
    def radio_on(self) -> NDArray[np.bool_]:
        """Whether the radio works, [B, M]."""
        return self._o[..., 3] > 0.5

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Whether the platform had a way to a gateway in the last step, [B, M]."""
        return self._o[..., 5] > 0.5

    @property
    def gateway_m(self) -> FloatArray:
        """The nearest gateway, relative to the platform, [B, M, 2]; clipped at 400 km."""
        return self._o[..., 6:8].astype(np.float64) * OFFSET_SCALE_M

    @property
    def hour(self) -> FloatArray:
        """Local solar time in h, [B]."""
        return np.mod(np.arctan2(self._o[:, 0, 8], self._o[:, 0, 9]) * (12 / np.pi), 24.0)

    @property
    def sun_w_m2(self) -> FloatArray:
        """Sunlight on a horizontal square metre, [B]."""
        return self._o[:, 0, 10].astype(np.float64) * 1400.0

    @property
    def night_h(self) -> FloatArray:
        """Hours of this or the next night that lie ahead, [B]."""
        return self._o[:, 0, 11].astype(np.float64) * 12.0

    @property
    def level(self) -> FloatArray:
        """Level of each platform, [B, M]."""
        return self._o[..., 12].astype(np.float64) * max(self._layout.levels - 1, 1)

    @property
    def wind_m_s(self) -> FloatArray:
        """Wind that each platform met in the last step, at every level, [B, M, L, 2]."""
        flat = self._o[..., self._layout.wind].astype(np.float64) * WIND_SCALE_M_S
        return flat.reshape(*flat.shape[:-1], self._layout.levels, 2)

    @property
    def probe(self) -> FloatArray:
        """Gain at each probe, in mean towns, [B, M, P, horizons]."""
        flat = self._o[..., self._layout.probe]
        return flat.reshape(*flat.shape[:-1], PROBES, HORIZONS).astype(np.float64) * DEMAND_SCALE

    @property
    def _groups(self) -> FloatArray:
        flat = self._o[:, 0, self._layout.group].astype(np.float64)
        return flat.reshape(len(flat), self._layout.groups, GROUP_SIZE)

    @property
    def group_m(self) -> FloatArray:
        """Centres of the groups, [B, G, 2]."""
        return self._groups[..., :2] * self._scenario.region.half_width_m

    @property
    def mean_demand(self) -> FloatArray:
        """Usual demand of the groups, mean over the day, in mean towns, [B, G]."""
        return self._groups[..., 2] * DEMAND_SCALE

    @property
    def demand(self) -> FloatArray:
        """Demand of the groups in the last step and as forecast, in mean towns, [B, G, horizons]."""
        return self._groups[..., 3:] * DEMAND_SCALE
