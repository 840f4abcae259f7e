"""The exogenous world of HAPSPlacement: wind, sun, demand, failures and where platforms start."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import REPORTING_SEEDS, VALIDATION_SEEDS, WorldKey, process_generators
from ntn_gym.core.task import Arrays, FieldSpec
from ntn_gym.envs.haps_placement.radio import radio_maps
from ntn_gym.envs.haps_placement.scenario import Scenario
from ntn_gym.physics.standard_atmosphere import altitude_of_pressure_m
from ntn_gym.world import daylight, towns, wind
from ntn_gym.world.processes import ar1, correlation, draw_normal

FloatArray = NDArray[Any]

FORECAST_H = (1.5, 3.0)
"""Lead times for which the usual course of demand is known."""
SURPRISES_DRAWN = 8
"""Events drawn for each slot; more do not fit into an episode."""
_NODE_SPACING_M = 75e3
_FENCE_MARGIN_M = 75e3


def lattice_m(scenario: Scenario) -> FloatArray:
    """Places of the wind's nodes about the centre, the same east and north: the geofence and a margin, [n]."""
    half = scenario.region.half_width_m + _FENCE_MARGIN_M
    if scenario.wind.source == "recorded":
        half = min(half, 500e3)
    return np.linspace(-half, half, max(2, math.ceil(2 * half / _NODE_SPACING_M) + 1))


def wind_split(seed: int) -> wind.Split:
    """Which shipped winds a world meets: seeds for validation and reports meet weather that nobody trained on."""
    if seed in VALIDATION_SEEDS:
        return "validation"
    return "report" if seed in REPORTING_SEEDS else "train"


def mean_demand_mbit_s(scenario: Scenario) -> float:
    """Mean demand of all towns together: `demand.load` times the capacity of the fleet at the nadir."""
    capacity = scenario.fleet.count * scenario.radio.bandwidth_hz * radio_maps(scenario).nadir_efficiency
    return scenario.demand.load * capacity / 1e6


def trace_fields(scenario: Scenario) -> dict[str, FieldSpec]:
    """Names, shapes, units and legal ranges of a trace."""
    demand, fleet = scenario.demand, scenario.fleet
    groups, nodes = demand.groups, len(lattice_m(scenario)) ** 2
    ahead = 1 + len(FORECAST_H)
    rows = [
        ("wind_m_s", (nodes, len(fleet.levels_pa), 2), "float32", "m/s", -200, 200, "wind east and north on the nodes"),
        ("sun_w_m2", (), "float32", "W/m^2", 0, 1500, "direct sunlight on a horizontal square metre"),
        ("night_h", (), "float32", "h", 0, 24, "hours of this or the next night that lie ahead"),
        ("hour", (), "float32", "h", 0, 24, "local solar time"),
        ("elapsed_s", (), "float32", "s", 0, 1e8, "time since step 0"),
        ("demand_mbit_s", (groups,), "float32", "Mbit/s", 0, 1e7, "demand of each group"),
        ("usual_mbit_s", (ahead, groups), "float32", "Mbit/s", 0, 1e7, "usual demand now and at the lead times"),
        ("mean_mbit_s", (groups,), "float32", "Mbit/s", 0, 1e7, "usual demand, mean over the day"),
        ("group_m", (groups, 2), "float32", "m", -1e6, 1e6, "centre of each group, east and north"),
        ("point_m", (groups, demand.points, 2), "float32", "m", -2e6, 2e6, "points of each group"),
        ("failed", (fleet.count,), "bool", "0/1", 0, 1, "the radio of the platform has failed"),
        ("start_m", (fleet.count, 2), "float32", "m", -1e6, 1e6, "where the platform starts"),
        ("start_level", (fleet.count,), "float32", "level", 0, 12, "level at which it starts"),
        ("gateway_m", (scenario.backhaul.gateways, 2), "float32", "m", -1e6, 1e6, "gateways on the ground"),
        ("latitude_deg", (), "float32", "deg", -90, 90, "latitude of the centre"),
        ("longitude_deg", (), "float32", "deg", -180, 180, "longitude of the centre; 0 where it has none"),
    ]
    return {row[0]: FieldSpec(*row) for row in rows}


@dataclass(frozen=True)
class PlacementWorldState:
    """State of B worlds between two chunks; leading axis: world.

    Attributes:
        step: Steps drawn so far, [B].
        wind: Wind fields.
        place: Latitude and longitude in rad, [B, 2].
        town_m: Towns, [B, K, 2].
        town_share: Share of each town in the mean demand, [B, K].
        phase_h: Busiest hour of each town, [B, K].
        mover: Place and velocity of the moving hotspots, [B, movers, 4].
        surprises: Events.
        offset_m: Points of each group about its centre, [B, G, S, 2].
        noise: Gauss-Markov noise of each group, [B, G].
        noise_generators: Its generators.
        failed_s: Begin and end of the failure of each platform, [B, M, 2].
        start: Place and level at which each platform starts, [B, M, 3].
        gateway_m: Gateways, [B, gateways, 2].
    """

    step: NDArray[np.intp]
    wind: wind.WindState
    place: FloatArray
    town_m: FloatArray
    town_share: FloatArray
    phase_h: FloatArray
    mover: FloatArray
    surprises: towns.Surprises
    offset_m: FloatArray
    noise: FloatArray
    noise_generators: list[np.random.Generator]
    failed_s: FloatArray
    start: FloatArray
    gateway_m: FloatArray


class PlacementWorld:
    """Draws the trace of a HAPSPlacement scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Prepare what all worlds share."""
        self._scenario = scenario
        self._nodes_m = lattice_m(scenario)
        self._town_demand = mean_demand_mbit_s(scenario)
        self._declination, self._distance_au = daylight.declination_and_distance(scenario.region.day_of_year)
        self._pressure_pa = scenario.fleet.levels_pa[len(scenario.fleet.levels_pa) // 2]
        self._altitude_m = float(altitude_of_pressure_m(self._pressure_pa))
        self._rho = float(correlation(1.0 / scenario.demand.noise_memory_s, scenario.dt_s))
        self._regions: tuple[towns.CityRegion, ...] = ()
        if scenario.demand.source == "cities":
            half, n_towns = scenario.region.half_width_m, scenario.demand.towns
            self._regions = towns.city_regions(half, n_towns, max(2, n_towns // 2), 55.0)
            if not self._regions:
                raise ValueError(
                    f"region.half_width_m = {half:g} m and demand.towns = {n_towns}: no region of the Earth has so "
                    "many of the largest 600 cities; take a larger region or fewer towns"
                )
        self.fields = trace_fields(scenario)

    def begin(self, keys: Sequence[WorldKey]) -> PlacementWorldState:
        """Place towns, platforms and gateways, and draw the weather."""
        scenario, demand, n_worlds = self._scenario, self._scenario.demand, len(keys)
        half = scenario.region.half_width_m
        drawn = process_generators(keys, "towns")
        place, town_m, share = self._towns(drawn)
        phases = np.asarray(demand.phases_h)
        kind = np.stack([g.integers(len(phases), size=demand.towns) for g in drawn])
        spread = np.stack([g.standard_normal(demand.towns) for g in drawn])
        events = np.stack(
            [g.random((demand.surprise_slots, SURPRISES_DRAWN, 4)) for g in process_generators(keys, "surprises")]
        )
        mover = np.stack([g.random((demand.movers, 3)) for g in process_generators(keys, "movers")])
        heading = 2 * math.pi * mover[..., 2]
        velocity = demand.mover_speed_m_s * np.stack([np.sin(heading), np.cos(heading)], axis=-1)
        noise = process_generators(keys, "noise")
        platforms = process_generators(keys, "platforms")
        start = np.stack([g.random((scenario.fleet.count, 3)) for g in platforms])
        start[..., :2] = (2 * start[..., :2] - 1) * half * scenario.region.start_share
        start[..., 2] *= len(scenario.fleet.levels_pa) - 1
        rate = demand.surprises_per_day / 86_400.0 / max(demand.surprise_slots, 1)
        return PlacementWorldState(
            step=np.zeros(n_worlds, dtype=np.intp),
            wind=self._wind(keys),
            place=place,
            town_m=town_m,
            town_share=share,
            phase_h=phases[kind] + demand.phase_spread_h * spread,
            mover=np.concatenate([(2 * mover[..., :2] - 1) * half, velocity], axis=-1),
            surprises=towns.draw_surprises(events, rate, demand.surprise_min_s, demand.surprise_max_s, 0.9 * half),
            offset_m=demand.spread_m * draw_normal(drawn, 1, (demand.groups, demand.points, 2), np.float64)[:, 0],
            noise=draw_normal(noise, 1, (demand.groups,))[:, 0],
            noise_generators=noise,
            failed_s=self._failures(process_generators(keys, "failures")),
            start=start,
            gateway_m=self._gateways(town_m, share),
        )

    def _towns(self, generators: list[np.random.Generator]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return latitude and longitude [B, 2], towns [B, K, 2] and their shares of the demand [B, K]."""
        region, demand = self._scenario.region, self._scenario.demand
        if self._regions:
            chosen = [self._regions[int(g.random() * len(self._regions))] for g in generators]
            place = np.radians([(one.latitude_deg, one.longitude_deg) for one in chosen])
            return place, np.stack([one.place_m for one in chosen]), np.stack([one.share for one in chosen])
        uniform = np.stack([g.random((demand.towns, towns.PLACES_TRIED, 2)) for g in generators])
        town_m = towns.place_towns(uniform, region.half_width_m, demand.spacing * region.half_width_m)
        weight = np.exp(demand.weight_sigma * np.stack([g.standard_normal(demand.towns) for g in generators]))
        place = np.tile(np.radians([region.latitude_deg, 0.0]), (len(generators), 1))
        return place, town_m, weight / weight.sum(axis=1, keepdims=True)

    def _wind(self, keys: Sequence[WorldKey]) -> wind.WindState:
        scenario, levels = self._scenario, self._scenario.fleet.levels_pa
        generators = process_generators(keys, "wind")
        if scenario.wind.source == "none":
            return wind.still(len(keys), self._nodes_m, len(levels), scenario.duration_s)
        if scenario.wind.source == "synthetic":
            rms = scenario.wind.rms_m_s * scenario.wind.scale
            return wind.start_synthetic(generators, self._nodes_m, levels, scenario.duration_s, rms)
        splits = [wind_split(key.seed) for key in keys]
        return wind.start_recorded(generators, splits, self._nodes_m, levels, scenario.duration_s, scenario.wind.scale)

    def _failures(self, generators: list[np.random.Generator]) -> FloatArray:
        failure, count = self._scenario.failure, self._scenario.fleet.count
        span = np.full((len(generators), count, 2), np.inf)
        if failure.platforms:
            drawn = np.stack([g.random(failure.platforms) for g in generators])
            begin = failure.earliest_s + (failure.latest_s - failure.earliest_s) * drawn
            span[:, count - failure.platforms :, 0] = begin
            span[:, count - failure.platforms :, 1] = begin + failure.duration_s
        return span

    def _gateways(self, town_m: FloatArray, share: FloatArray) -> FloatArray:
        """Gateways stand in the largest towns, or along the western edge."""
        backhaul, half = self._scenario.backhaul, self._scenario.region.half_width_m
        n = backhaul.gateways
        if backhaul.at_edge:
            north = (np.arange(n) + 0.5) / n * 2 - 1
            edge = half * np.stack([np.full(n, -1.0), north], axis=-1)
            return np.tile(edge, (len(town_m), 1, 1))
        largest = np.argsort(-share, axis=1, kind="stable")[:, np.arange(n) % share.shape[1]]
        return np.take_along_axis(town_m, largest[..., None], axis=1)

    def advance(self, state: PlacementWorldState, n_steps: int) -> tuple[PlacementWorldState, Arrays]:
        """Draw the next steps of all worlds (they must stand at the same step)."""
        scenario, demand = self._scenario, self._scenario.demand
        n_worlds = len(state.step)
        time_s = (int(state.step[0]) + np.arange(n_steps)) * scenario.dt_s
        hour = np.mod(scenario.region.start_hour + time_s / 3600.0, 24.0)
        lat = state.place[:, 0]
        elevation = daylight.sun_elevation_rad(lat, self._declination, hour)
        sun = daylight.horizontal_irradiance_w_m2(elevation, self._distance_au, self._altitude_m, self._pressure_pa)
        night = daylight.night_hours_ahead(lat, self._declination, hour, self._altitude_m)
        strength, event_m = towns.surprise_course(state.surprises, time_s, demand.surprise_ramp_s)
        mover_m = towns.bouncing(state.mover[..., :2], state.mover[..., 2:], scenario.region.half_width_m, time_s)
        town_m = np.broadcast_to(state.town_m[:, None], (n_worlds, n_steps, demand.towns, 2))
        group_m = np.concatenate([town_m, mover_m, event_m], axis=2)
        # Usual demand: towns by their profile; a mover asks for the same all day, and nobody expects a surprise.
        mean_town = self._town_demand / demand.towns
        hours = hour[:, None] + np.array([0.0, *FORECAST_H])
        profile = towns.daily_profile(
            hours[None, :, :, None], state.phase_h[:, None, None], demand.base, demand.sharpness
        )
        usual = np.zeros((n_worlds, n_steps, 1 + len(FORECAST_H), demand.groups))
        usual[..., : demand.towns] = self._town_demand * state.town_share[:, None, None] * profile
        usual[..., demand.towns : demand.towns + demand.movers] = demand.mover_weight * mean_town
        mean = np.zeros((n_worlds, demand.groups))
        mean[:, : demand.towns] = self._town_demand * state.town_share
        mean[:, demand.towns : demand.towns + demand.movers] = demand.mover_weight * mean_town
        present = usual[:, :, 0].copy()
        present[..., demand.towns + demand.movers :] = demand.surprise_weight * mean_town * strength
        drawn = draw_normal(state.noise_generators, n_steps, (demand.groups,))
        noise = ar1(state.noise, drawn, self._rho)
        factor = np.exp(demand.noise_sigma * noise - demand.noise_sigma**2 / 2)
        since, until = state.failed_s[:, None, :, 0], state.failed_s[:, None, :, 1]
        failed = (time_s[:, None] >= since) & (time_s[:, None] < until)

        def always(values: FloatArray) -> FloatArray:
            return np.broadcast_to(values[:, None], (n_worlds, n_steps, *values.shape[1:]))

        series = {
            "wind_m_s": wind.wind_at(state.wind, time_s),
            "sun_w_m2": sun,
            "night_h": night,
            "hour": np.broadcast_to(hour, (n_worlds, n_steps)),
            "elapsed_s": np.broadcast_to(time_s, (n_worlds, n_steps)),
            "demand_mbit_s": present * factor,
            "usual_mbit_s": usual,
            "mean_mbit_s": always(mean),
            "group_m": group_m,
            "point_m": group_m[..., None, :] + state.offset_m[:, None],
            "failed": failed,
            "start_m": always(state.start[..., :2]),
            "start_level": always(state.start[..., 2]),
            "gateway_m": always(state.gateway_m),
            "latitude_deg": always(np.degrees(state.place[:, 0])),
            "longitude_deg": always(np.degrees(state.place[:, 1])),
        }
        arrays = {name: np.asarray(array, dtype=self.fields[name].dtype) for name, array in series.items()}
        return (
            PlacementWorldState(
                state.step + n_steps,
                state.wind,
                state.place,
                state.town_m,
                state.town_share,
                state.phase_h,
                state.mover,
                state.surprises,
                state.offset_m,
                noise[:, -1].copy(),
                state.noise_generators,
                state.failed_s,
                state.start,
                state.gateway_m,
            ),
            arrays,
        )
