"""How every rule flies to its target: airspeed, wind, altitude, and a budget of energy for the night."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.haps_placement.flight import flight
from ntn_gym.envs.haps_placement.observation import View
from ntn_gym.envs.haps_placement.scenario import Scenario

FloatArray = NDArray[Any]

LEVEL_HORIZON_S = 3600.0
"""A balloon looks this far ahead when it compares the winds of the levels."""
LEVEL_INERTIA = 0.05
"""A platform changes its level only for this gain per level: share of the power, or of the way, that it would save."""


class Pilot:
    """Turns targets into actions.

    The budget is the part of the battery that may be spent until sunrise, spread evenly over the hours of this or the
    next night: 1 uses all of it, more bets on weaker wind later, 0 knows no budget. By day what the sun gives beyond
    payload and hotel may always be used.
    """

    def __init__(self, scenario: Scenario, budget: float) -> None:
        """Keep the coefficients of the platforms."""
        self._scenario, self._budget = scenario, budget
        self._fly = flight(scenario)
        self.fastest_m_s = self._fly.fastest_m_s
        self._reserve = scenario.fleet.vehicle.off_below

    def action(self, view: View, target_m: FloatArray) -> NDArray[np.float32]:
        """Fly towards targets [B, M, 2] as fast as allowed, and hold station there."""
        gap = target_m - view.place_m
        if not self._scenario.flies:
            return self._drift(view, gap)
        fastest = self._fly.fastest_m_s
        velocity = gap / self._scenario.dt_s
        speed = np.sqrt((velocity * velocity).sum(axis=-1, keepdims=True))
        velocity = velocity * np.minimum(1.0, fastest / np.maximum(speed, 1e-9))
        return self.steer(view, velocity)

    def steer(self, view: View, velocity_m_s: FloatArray) -> NDArray[np.float32]:
        """Fly with a velocity over the ground, [B, M, 2], as far as the budget allows; for platforms that fly."""
        fly, winds = self._fly, view.wind_m_s
        n_levels = winds.shape[2]
        climb = None
        wind = winds[:, :, 0]
        lowest = np.zeros(view.level.shape, dtype=np.intp)
        if n_levels > 1:
            climb, lowest = self._choose_level(view, winds, velocity_m_s)
            wind = np.take_along_axis(winds, lowest[..., None, None], axis=2)[:, :, 0]
        air = velocity_m_s - wind
        asked = np.sqrt((air * air).sum(axis=-1))
        air *= (np.minimum(1.0, self._airspeed_limit(view, lowest) / np.maximum(asked, 1e-9)))[..., None]
        action = np.clip((air + wind) / fly.fastest_m_s, -1.0, 1.0)
        if climb is not None:
            action = np.concatenate([action, climb[..., None]], axis=-1)
        return action.astype(np.float32)

    def _airspeed_limit(self, view: View, level: NDArray[np.intp]) -> FloatArray:
        fly = self._fly
        fastest = np.full(view.charge.shape, fly.fastest_m_s)
        if self._budget <= 0:
            return fastest
        needs = fly.hotel_w + fly.payload_w
        stored = (
            np.maximum(view.charge - self._reserve, 0.0) * fly.battery.capacity_j * fly.battery.discharge_efficiency
        )
        night_s = np.maximum(view.night_h, self._scenario.dt_s / 3600.0)[:, None] * 3600.0
        allowed = self._budget * stored / night_s - needs
        by_day = view.sun_w_m2[:, None] * fly.cells_m2 - needs
        power = np.maximum(np.maximum(allowed, by_day), 0.0)
        slowest = np.maximum(fly.slowest_m_s[level], 1e-9)
        induced = np.where(fly.inverse[level] > 0, fly.inverse[level] / slowest, 0.0)
        limit = np.cbrt(np.maximum(power - induced, 0.0) / np.maximum(fly.cubic[level], 1e-12))
        return np.asarray(np.minimum(fastest, limit))

    def _choose_level(
        self, view: View, winds: FloatArray, velocity_m_s: FloatArray
    ) -> tuple[FloatArray, NDArray[np.intp]]:
        """Take the level at which this velocity costs least; return the climb and the present level, rounded."""
        fly = self._fly
        air = velocity_m_s[:, :, None] - winds
        asked = np.maximum(np.sqrt((air * air).sum(axis=-1)), fly.slowest_m_s)
        power = fly.cubic * asked**3 + fly.inverse / np.maximum(asked, 1e-9)
        levels = np.arange(winds.shape[2])
        power *= 1.0 + LEVEL_INERTIA * np.abs(levels - view.level[..., None])
        best = power.argmin(axis=-1)
        step = self._scenario.fleet.climb_levels
        climb = np.clip((best - view.level) / step, -1.0, 1.0)
        return climb, np.rint(view.level).astype(np.intp)

    def _drift(self, view: View, gap_m: FloatArray) -> NDArray[np.float32]:
        """Take the level whose wind brings a balloon nearest to its target, while there is energy to pump."""
        fly, winds = self._fly, view.wind_m_s
        ahead = gap_m[:, :, None] - winds * LEVEL_HORIZON_S
        left = np.sqrt((ahead * ahead).sum(axis=-1))
        levels = np.arange(winds.shape[2], dtype=np.float64)
        left += LEVEL_INERTIA * np.abs(levels - view.level[..., None]) * 10e3
        best = left.argmin(axis=-1)
        air = np.interp(view.level, levels, fly.air_kg) - fly.air_kg[best]
        climb = np.clip(air / (fly.pump_kg_s * self._scenario.dt_s), -1.0, 1.0)
        if self._budget > 0:
            stored = (view.charge - self._reserve) * fly.battery.capacity_j * fly.battery.discharge_efficiency
            needed = (fly.hotel_w + fly.payload_w) * view.night_h[:, None] * 3600.0
            spare = self._budget * stored > needed
            climb = np.where((climb < 0) & ~spare, 0.0, climb)
        return np.asarray(climb[..., None], dtype=np.float32)
