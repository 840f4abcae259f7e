"""Who is served by whom: association, SINR, capacity, backhaul and fairness."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.haps_placement.flight import flight
from ntn_gym.envs.haps_placement.radio import BLOCKED, INTERFERENCE, SIGHT, SIGNAL, RadioMaps, radio_maps
from ntn_gym.envs.haps_placement.scenario import Scenario
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.physics.geometry import central_angle_rad

FloatArray = NDArray[Any]

_TINY = np.float32(1e-9)


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
        self._per_bandwidth = np.float32(1e6 / radio.bandwidth_hz)
        self._activity = np.float32(radio.activity)
        self._least = np.float32(10 ** (radio.min_sinr_db / 10))
        self._factor = np.float32(radio.efficiency_factor / math.log(2.0))
        self._cap = np.float32(radio.efficiency_cap_bit_s_hz)
        signal, blocked = self.maps.link[:, SIGNAL].max(), self.maps.link[:, BLOCKED].max()
        self._capped = bool(np.log1p(signal) * self._factor > self._cap)
        # Where nobody without sight ever gets through, that half of the work is left out.
        self._through_clutter = bool(blocked >= self._least)
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
        sight = rows[..., SIGHT]
        on = on[..., None]
        if self._alone:
            noise: Any = np.float32(1)
        else:
            heard = rows[..., INTERFERENCE] * (on * self._activity)
            noise = np.add.reduce(heard, axis=1, keepdims=True) - heard
            # Rounding may bring a difference below zero by 1e-7 of the sum.
            np.maximum(noise, 0, out=noise)
            noise += 1
        seen = self._efficiency(rows[..., SIGNAL] / noise)
        seen *= on
        expected = sight * seen
        blocked = None
        if self._through_clutter:
            blocked = self._efficiency(rows[..., BLOCKED] / noise)
            blocked *= on
            expected += (1 - sight) * blocked
        chosen = expected.argmax(axis=1)[:, None] == self._columns
        chosen &= expected > 0
        # Users served, and the bandwidth they need: each kind by its own efficiency.
        served = chosen * demand[:, None]
        asked = served * sight
        asked *= seen > 0
        need = asked / np.maximum(seen, _TINY)
        if blocked is not None:
            behind = served * (1 - sight)
            behind *= blocked > 0
            need += behind / np.maximum(blocked, _TINY)
            asked += behind
        load = np.add.reduce(need, axis=-1) * self._per_bandwidth
        asked *= (1.0 / np.maximum(load, 1))[..., None]
        group = np.add.reduce(np.add.reduce(asked, axis=1).reshape(len(demand), *self._shape), axis=-1)
        return Service(np.add.reduce(asked, axis=-1), load, group)

    def _efficiency(self, sinr: FloatArray) -> FloatArray:
        """The same as `radio.link_efficiency`, in single precision and few passes."""
        efficiency = np.log1p(sinr)
        efficiency *= self._factor
        if self._capped:
            np.minimum(efficiency, self._cap, out=efficiency)
        efficiency *= sinr >= self._least
        return efficiency


class Reach:
    """Which platforms reach a gateway, directly or over others."""

    def __init__(self, scenario: Scenario) -> None:
        """Compute ranges from elevations."""
        lowest = math.radians(scenario.backhaul.min_elevation_deg)
        altitude_m = float(flight(scenario).altitude_m[0])
        self.direct_m = EARTH_MEAN_RADIUS_M * float(central_angle_rad(lowest, altitude_m))
        self._direct_m2 = self.direct_m**2
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
        gap *= gap
        near = gap[..., 0] + gap[..., 1] <= self._direct_m2
        direct: NDArray[np.bool_] = np.logical_or.reduce(near, axis=-1) & able
        if self._alone or direct.all():
            return direct
        apart = place_m[:, :, None] - place_m[:, None]
        linked = (apart * apart).sum(axis=-1) <= self._link_m2
        linked &= able[:, :, None] & able[:, None]
        # Squaring the graph doubles the number of hops.
        for _ in range(self._rounds):
            linked = (linked[:, :, :, None] & linked[:, None]).any(axis=2)
        return np.asarray(direct | (linked & direct[:, None]).any(axis=-1))


def jain(share: FloatArray, counted: NDArray[np.bool_]) -> FloatArray:
    """Return Jain's fairness index over the groups that count, (sum s)^2 / (n sum s^2), and 0 where nobody is served.

    Source: R. Jain, D. Chiu and W. Hawe, DEC Research Report TR-301, 1984; J(0) = 0 is defined here, so that serving
    nobody is not fair.

    Args:
        share: Served share of each group, [B, G].
        counted: Groups that ask for anything, [B, G].
    """
    values = share * counted
    total = np.add.reduce(values, axis=-1)
    squares = np.add.reduce(values * values, axis=-1)
    return np.asarray(total * total / np.maximum(np.add.reduce(counted, axis=-1) * squares, 1e-12))
