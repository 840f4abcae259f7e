"""Who is served by whom: association, SINR, capacity, backhaul and fairness."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.haps_placement.flight import flight
from ntn_gym.envs.haps_placement.radio import RadioMaps, radio_maps
from ntn_gym.envs.haps_placement.scenario import Scenario
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.physics.geometry import central_angle_rad

FloatArray = NDArray[Any]


class Service(NamedTuple):
    """What the platforms carry.

    Attributes:
        carried_mbit_s: Carried by each platform, [B, M].
        load: Asked of each platform over its capacity, [B, M].
        group_mbit_s: Carried of each group, [B, G].
    """

    carried_mbit_s: FloatArray
    load: FloatArray
    group_mbit_s: FloatArray


class Server:
    """Serves points on the ground from platforms.

    A point asks the serving platform with the highest expected spectral efficiency. The share of its users who see the
    platform well enough (in sight or not, SINR above the least) is asked for; each needs bandwidth by its own
    efficiency. A platform that is asked for more than its bandwidth gives everybody the same share.
    """

    def __init__(self, scenario: Scenario) -> None:
        """Prepare maps and constants."""
        radio = scenario.radio
        self.maps: RadioMaps = radio_maps(scenario)
        self._bandwidth_mhz = radio.bandwidth_hz / 1e6
        self._activity = np.float32(radio.activity)
        self._least = np.float32(10 ** (radio.min_sinr_db / 10))
        self._factor = np.float32(radio.efficiency_factor / math.log(2.0))
        self._cap = np.float32(radio.efficiency_cap_bit_s_hz)
        self._alone = scenario.fleet.count == 1
        self._columns = np.arange(scenario.fleet.count)[:, None]
        self._shape = (scenario.demand.groups, scenario.demand.points)

    def serve(
        self,
        place_m: FloatArray,
        level: NDArray[np.intp] | None,
        on: FloatArray,
        point_m: FloatArray,
        demand: FloatArray,
    ) -> Service:
        """Associate points and share capacity.

        Args:
            place_m: Platforms, float32 [B, M, 2].
            level: Level of each platform, [B, M]; None where there is one level.
            on: 1 where the platform serves, 0 otherwise, float32 [B, M].
            point_m: Points, float32 [B, N, 2].
            demand: Demand of each point in Mbit/s, float32 [B, N].
        """
        cells = self.maps.cells(point_m[:, None] - place_m[:, :, None], None if level is None else level[..., None])
        rows = self.maps.link.take(cells, axis=0)
        sinr = rows[..., :2]
        if not self._alone:
            heard = rows[..., 2] * (on * self._activity)[..., None]
            others = heard.sum(axis=1, keepdims=True) - heard
            # The sum is exact enough that rounding cannot bring a difference below zero by more than 1e-6 of it.
            sinr = sinr / (1 + np.maximum(others, 0))[..., None]
        efficiency = np.minimum(np.log1p(sinr) * self._factor, self._cap)
        efficiency *= sinr >= self._least
        sight = rows[..., 3]
        seen, blocked = efficiency[..., 0], efficiency[..., 1]
        expected = blocked + sight * (seen - blocked)
        expected *= on[..., None]
        best = expected.argmax(axis=1)
        chosen = (best[:, None] == self._columns) & (expected > 0)
        # Share of users served, and bandwidth per unit of demand: each kind of user needs 1 / its efficiency.
        covered = sight * (seen > 0) + (1 - sight) * (blocked > 0)
        need = sight * _inverse(seen) + (1 - sight) * _inverse(blocked)
        asked = chosen * demand[:, None]
        load = (asked * need).sum(axis=-1) * (1.0 / self._bandwidth_mhz)
        share = 1.0 / np.maximum(load, 1.0)
        carried = asked * covered * share[..., None]
        group = carried.sum(axis=1).reshape(len(demand), *self._shape).sum(axis=-1)
        return Service(carried.sum(axis=-1), load, group)


def _inverse(efficiency: FloatArray) -> FloatArray:
    """1 / x, and 0 where x is 0."""
    return (efficiency > 0) / np.maximum(efficiency, np.float32(1e-9))


class Reach:
    """Which platforms reach a gateway, directly or over others."""

    def __init__(self, scenario: Scenario) -> None:
        """Compute ranges from elevations."""
        lowest = math.radians(scenario.backhaul.min_elevation_deg)
        altitude_m = float(flight(scenario).altitude_m[0])
        self.direct_m = EARTH_MEAN_RADIUS_M * float(central_angle_rad(lowest, altitude_m))
        self._link_m2 = scenario.backhaul.link_range_m**2
        self._rounds = max(1, math.ceil(math.log2(max(scenario.fleet.count, 2))))
        self._alone = scenario.fleet.count == 1

    def reached(self, place_m: FloatArray, able: NDArray[np.bool_], gateway_m: FloatArray) -> NDArray[np.bool_]:
        """Return which platforms have a way to a gateway over platforms that are able to relay, [B, M].

        Args:
            place_m: Platforms, [B, M, 2].
            able: Whether their radio works, [B, M].
            gateway_m: Gateways, [B, gateways, 2].
        """
        gap = place_m[:, :, None] - gateway_m[:, None]
        direct = ((gap * gap).sum(axis=-1) <= self.direct_m**2).any(axis=-1) & able
        if self._alone or direct.all():
            return direct
        apart = place_m[:, :, None] - place_m[:, None]
        linked = (apart * apart).sum(axis=-1) <= self._link_m2
        linked &= able[:, :, None] & able[:, None]
        # Squaring the graph doubles the number of hops.
        for _ in range(self._rounds):
            linked = (linked[:, :, :, None] & linked[:, None]).any(axis=2)
        return direct | (linked & direct[:, None]).any(axis=-1)


def jain(share: FloatArray, counted: NDArray[np.bool_]) -> FloatArray:
    """Return Jain's fairness index over the groups that count, (sum s)^2 / (n sum s^2), and 0 where nobody is served.

    Source: R. Jain, D. Chiu and W. Hawe, DEC Research Report TR-301, 1984; J(0) = 0 is defined here, so that serving
    nobody is not fair.

    Args:
        share: Served share of each group, [B, G].
        counted: Groups that ask for anything, [B, G].
    """
    values = share * counted
    total, squares = values.sum(axis=-1), (values * values).sum(axis=-1)
    return total * total / np.maximum(counted.sum(axis=-1) * squares, 1e-12)
