"""How a platform moves and what that costs: wind, autopilot, propulsion, climb, battery."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.haps_placement.flight import flight
from ntn_gym.envs.haps_placement.scenario import Scenario
from ntn_gym.envs.haps_placement.world import lattice_m

FloatArray = NDArray[Any]


class WindField:
    """Wind at places between the nodes of the lattice, bilinear; beyond the lattice that of its edge."""

    def __init__(self, scenario: Scenario) -> None:
        """Keep the lattice."""
        nodes = lattice_m(scenario)
        self._n = len(nodes)
        self._first = float(nodes[0])
        self._per_m = 1.0 / float(nodes[1] - nodes[0])
        self._limit = self._n - 1 - 1e-6
        self._corners = np.array([0, 1, self._n, self._n + 1])

    def at(self, wind_m_s: FloatArray, place_m: FloatArray) -> FloatArray:
        """Return the wind at all levels, float32 [B, M, L, 2].

        Args:
            wind_m_s: Wind on the nodes, float32 [B, N, L, 2].
            place_m: Places, [B, M, 2].
        """
        grid = (place_m - self._first) * self._per_m
        np.maximum(grid, 0.0, out=grid)
        np.minimum(grid, self._limit, out=grid)
        cell = grid.astype(np.intp)
        share = (grid - cell).astype(np.float32)
        nodes = (cell[..., 1] * self._n + cell[..., 0])[..., None] + self._corners
        n_worlds, n_nodes, n_levels, _ = wind_m_s.shape
        if n_worlds > 1:
            nodes += (np.arange(n_worlds) * n_nodes)[:, None, None]
        around = wind_m_s.reshape(n_worlds * n_nodes, n_levels, 2).take(nodes, axis=0)
        west = around[:, :, ::2]
        west = west + share[..., 0, None, None, None] * (around[:, :, 1::2] - west)
        south = west[:, :, 0]
        result: FloatArray = south + share[..., 1, None, None] * (west[:, :, 1] - south)
        return result


class Moved(NamedTuple):
    """A step of motion; arrays [B, M] or [B, M, 2].

    Attributes:
        place_m: Place at the end of the step.
        middle_m: Place in its middle.
        level: Level at the end.
        energy_j: Energy at the end.
        airspeed_m_s: Speed through the air.
        flight_w: Power for propulsion and climb.
        wind_m_s: Wind at all levels where the step began.
    """

    place_m: FloatArray
    middle_m: FloatArray
    level: FloatArray
    energy_j: FloatArray
    airspeed_m_s: FloatArray
    flight_w: FloatArray
    wind_m_s: FloatArray


class Mover:
    """Moves platforms: the wind carries them, the autopilot cancels it as far as airspeed and energy allow."""

    def __init__(self, scenario: Scenario) -> None:
        """Prepare coefficients."""
        self.flight = flight(scenario)
        self._field = WindField(scenario)
        self._dt_s = scenario.dt_s
        self._half_m = scenario.region.half_width_m
        self._flies, self._climbs = scenario.flies, scenario.climbs
        self._climb = scenario.fleet.climb_levels
        self._levels = np.arange(len(scenario.fleet.levels_pa), dtype=np.float64)
        self._top = len(self._levels) - 1
        battery = self.flight.battery
        self._full_j = battery.capacity_j
        self._charge, self._per_discharge = battery.charge_efficiency, 1.0 / battery.discharge_efficiency
        self._induced = bool(self.flight.inverse.any())

    def wind(self, wind_m_s: FloatArray, place_m: FloatArray) -> FloatArray:
        """Wind at all levels, [B, M, L, 2]."""
        return self._field.at(wind_m_s, place_m)

    def step(
        self,
        place_m: FloatArray,
        level: FloatArray,
        energy_j: FloatArray,
        down: NDArray[np.bool_],
        action: FloatArray,
        nodes_m_s: FloatArray,
        sun_w_m2: FloatArray,
        radio_on: NDArray[np.bool_],
    ) -> Moved:
        """Move all platforms.

        Args:
            place_m: Places, [B, M, 2].
            level: Levels, [B, M].
            energy_j: Energy, [B, M].
            down: Whether the battery has run empty: then only the sun drives, [B, M].
            action: Wanted velocity over the ground and climb in [-1, 1], [B, M, n].
            nodes_m_s: Wind on the nodes, [B, N, L, 2].
            sun_w_m2: Sunlight, [B, 1].
            radio_on: Whether the payload draws power, [B, M].
        """
        fly, dt = self.flight, self._dt_s
        winds = self._field.at(nodes_m_s, place_m)
        new_level, climb_w = (level, 0.0) if not self._climbs else self._change_level(level, action[..., -1], down)
        wind = winds[:, :, 0] if not self._climbs else _between(winds, level)
        surplus = sun_w_m2 * fly.cells_m2 - fly.hotel_w - fly.payload_w * radio_on - climb_w
        if self._flies:
            available = surplus + np.where(down, 0.0, energy_j) * (1.0 / (self._per_discharge * dt))
            velocity, speed, power = self._fly(place_m, level, action, wind, available)
        else:
            velocity, speed, power = wind.astype(np.float64), np.zeros_like(level), np.zeros_like(level)
        way = velocity * dt
        net = surplus - power
        # The charge efficiency is below, the other factor above 1, so the smaller one is the right one for both signs.
        stored = energy_j + np.minimum(net * (self._charge * dt), net * (self._per_discharge * dt))
        energy = np.minimum(np.maximum(stored, 0.0), self._full_j)
        return Moved(place_m + way, place_m + 0.5 * way, new_level, energy, speed, power + climb_w, winds)

    def _fly(
        self, place_m: FloatArray, level: FloatArray, action: FloatArray, wind: FloatArray, available_w: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return velocity over the ground, airspeed and power."""
        fly, dt = self.flight, self._dt_s
        wanted = place_m + action[..., :2] * (fly.fastest_m_s * dt)
        # The autopilot does not leave the geofence on purpose; the wind may still carry it out.
        np.maximum(wanted, -self._half_m, out=wanted)
        np.minimum(wanted, self._half_m, out=wanted)
        air = (wanted - place_m) * (1.0 / dt)
        air -= wind
        asked = np.hypot(air[..., 0], air[..., 1])
        cubic, inverse, slowest = self._coefficients(level)
        speed = np.minimum(asked, fly.fastest_m_s)
        if self._induced:
            able = available_w >= cubic * slowest**3 + inverse / slowest
            # a V^3 + b / V <= a V^3 + b / V_min, so the speed that this allows is affordable.
            limit = np.cbrt(np.maximum(available_w - inverse / slowest, 0.0) / cubic)
            speed = np.minimum(speed, limit) * able
            through = np.maximum(speed, slowest)
            power = (cubic * through**3 + inverse / through) * able
        else:
            speed = np.minimum(speed, np.cbrt(np.maximum(available_w, 0.0) / cubic))
            power = speed * speed * speed * cubic
        air *= (speed / np.maximum(asked, 1e-9))[..., None]
        air += wind
        return air, speed, power

    def _coefficients(self, level: FloatArray) -> tuple[Any, Any, Any]:
        fly = self.flight
        if not self._climbs:
            return float(fly.cubic[0]), float(fly.inverse[0]), float(fly.slowest_m_s[0])
        interpolate = [np.interp(level, self._levels, part) for part in (fly.cubic, fly.inverse, fly.slowest_m_s)]
        return interpolate[0], interpolate[1], interpolate[2]

    def _change_level(
        self, level: FloatArray, climb: FloatArray, down: NDArray[np.bool_]
    ) -> tuple[FloatArray, FloatArray]:
        """Return the new level and the mean power that the change takes; an empty battery cannot pump or climb."""
        fly = self.flight
        if self._flies:
            new = np.minimum(np.maximum(level + climb * self._climb, 0.0), self._top)
        else:
            # Air weighs a balloon down; np.interp needs it rising, hence from the top level down.
            air = np.interp(level, self._levels, fly.air_kg) - climb * (fly.pump_kg_s * self._dt_s)
            new = np.interp(air, fly.air_kg[::-1], self._levels[::-1])
        rise = np.interp(new, self._levels, fly.rise_j) - np.interp(level, self._levels, fly.rise_j)
        sink = np.interp(new, self._levels, fly.sink_j) - np.interp(level, self._levels, fly.sink_j)
        cost = np.maximum(rise, 0.0) + np.maximum(sink, 0.0)
        stuck = down & (cost > 0)
        return np.where(stuck, level, new), np.where(stuck, 0.0, cost / self._dt_s)


def _between(winds: FloatArray, level: FloatArray) -> FloatArray:
    """Wind at a fraction of a level, linear between levels, [B, M, 2]."""
    lower = np.minimum(level.astype(np.intp), winds.shape[2] - 2)[..., None, None]
    share = (level[..., None] - lower[..., 0]).astype(np.float32)
    below = np.take_along_axis(winds, lower, axis=2)[:, :, 0]
    above = np.take_along_axis(winds, lower + 1, axis=2)[:, :, 0]
    return np.asarray(below + share * (above - below))
