"""The exogenous world of MultiConnectivity: nodes, users, channel and load, drawn many steps at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.core.task import Arrays
from ntn_gym.envs.multi_connectivity import places, station_slots
from ntn_gym.envs.multi_connectivity.channel import Channel, Fading, isolation_of_slots, reserved_sinr_db
from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.envs.multi_connectivity.scenario_parts import SatelliteTier, Walker
from ntn_gym.envs.multi_connectivity.trace_fields import trace_fields
from ntn_gym.physics.constants import SPEED_OF_LIGHT_M_S
from ntn_gym.physics.orbits import WalkerShell
from ntn_gym.world import tabulated
from ntn_gym.world.constellation import EphemerisGrid, named_tle, tle_grid, walker_grid
from ntn_gym.world.joint import JointProcesses, JointState, Process
from ntn_gym.world.sky_slots import SatelliteSlots, SlotPlan, controlling_slot

FloatArray = NDArray[Any]
WINDOW_S = 6 * 3600.0
"""Worlds start at a random time of this window."""
NOTHING_DB = -60.0
"""Power over noise written into empty slots."""
PREDICTION_S = 10.0
"""A station's mean signal is predicted so far ahead along the present course."""


@dataclass(frozen=True)
class WorldState:
    """State of B worlds between two chunks; leading axis: world.

    Attributes:
        step: Steps drawn so far, [B].
        start_s: Time of step 0 within the ephemeris, [B].
        places: Regions, stations and users.
        plans: What stands in the slots of each satellite tier over the whole episode.
        controller: Slot of the controlling satellite over the whole episode, [B, T].
        platform_rad: Direction of the platform's sub-point from the middle, [B].
        choice: Stations in the slots.
        last_sky: Pass in each slot of the sky in the last step, [B, sky slots].
        last_station: Station in each slot (-1: out of reach) in the last step, [B, U, station slots].
        random: The Gauss-Markov processes.
        fading: Generators of the block fading; None where it is averaged.
        error_generators: Generators of the measurement errors.
    """

    step: NDArray[np.intp]
    start_s: NDArray[np.float64]
    places: places.Places
    plans: dict[str, SlotPlan]
    controller: NDArray[np.int8]
    platform_rad: NDArray[np.float64]
    choice: station_slots.Choice
    last_sky: NDArray[np.int32]
    last_station: NDArray[np.int64]
    random: JointState
    fading: Fading | None
    error_generators: list[np.random.Generator]


def ephemeris(tier: SatelliteTier) -> EphemerisGrid:
    """Return the (shared) ephemeris of a tier."""
    orbit = tier.constellation
    if not isinstance(orbit, Walker):
        return tle_grid(named_tle(orbit.file), WINDOW_S)
    shell = WalkerShell(
        orbit.satellites, orbit.planes, orbit.phasing, orbit.inclination_deg, orbit.altitude_m, orbit.pattern
    )
    return walker_grid(shell, WINDOW_S)


class MultiConnectivityWorld:
    """Draws the trace of a MultiConnectivity scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Build (or share) the ephemerides and prepare tables."""
        self._scenario = scenario
        horizon = math.ceil(scenario.remaining_horizon_s / scenario.dt_s)
        self._tiers = {
            str(i): SatelliteSlots(
                ephemeris(tier),
                tier.slots,
                math.radians(tier.min_elevation_deg),
                scenario.steps + 1,
                horizon,
                scenario.dt_s,
            )
            for i, tier in enumerate(scenario.satellites)
        }
        self._latest_s = min([tier.latest_start_s for tier in self._tiers.values()], default=0.0)
        self._channel = Channel(scenario)
        self._isolation = isolation_of_slots(scenario)
        load = Process((scenario.n_nodes,), 1.0 / scenario.load.memory_s)
        self._random = JointProcesses({**self._channel.processes, "load": load}, scenario.dt_s)
        self.fields = trace_fields(scenario)

    def begin(self, keys: Sequence[WorldKey]) -> WorldState:
        """Place the regions, plan the passes of the whole episode and draw the first states."""
        scenario, n_worlds = self._scenario, len(keys)
        start_s = np.array([g.random() for g in process_generators(keys, "epoch")]) * self._latest_s
        region = places.place(scenario, keys)
        path = partial(places.centre_site, region.lat_rad, region.lon_rad)
        plans = {name: tier.plan(start_s, path) for name, tier in self._tiers.items()}
        n_users, n_slots = scenario.users.count, scenario.n_station_slots
        controller = np.full((n_worlds, scenario.steps + 1), -1, dtype=np.int8)
        return WorldState(
            step=np.zeros(n_worlds, dtype=np.intp),
            start_s=start_s,
            places=region,
            plans=plans,
            controller=controlling_slot(list(plans.values())) if plans else controller,
            platform_rad=np.array([g.uniform(0, 2 * math.pi) for g in process_generators(keys, "platform")]),
            choice=station_slots.Choice(
                np.full((n_worlds, n_users, n_slots), -1, dtype=np.int64), np.zeros((n_worlds, n_users))
            ),
            last_sky=np.full((n_worlds, scenario.n_sky_slots), -2, dtype=np.int32),
            last_station=np.full((n_worlds, n_users, n_slots), -2, dtype=np.int64),
            random=self._random.start({name: process_generators(keys, name) for name in self._random.members}),
            fading=self._channel.begin_fading(keys),
            error_generators=process_generators(keys, "measurement"),
        )

    def advance(self, state: WorldState, n_steps: int) -> tuple[WorldState, Arrays]:
        """Draw the next steps of all worlds (they must stand at the same step)."""
        scenario, channel, n_sky = self._scenario, self._channel, self._scenario.n_sky_slots
        first = int(state.step[0])
        steps = np.s_[:, first : first + n_steps]
        moved, user_m, velocity = places.move(scenario, state.places, n_steps)
        east, north, up = self._sky_positions(state, first, n_steps)
        pass_id, remaining_s = self._passes(state, first, n_steps)
        before = np.concatenate([state.last_sky[:, None], pass_id[:, :-1]], axis=1)
        new_sky = (pass_id != before) & (pass_id >= 0)

        choice, stations = state.choice, None
        if scenario.stations is not None:
            update = round(scenario.stations.update_s / scenario.dt_s)
            station_m = state.places.station_m
            choice, held_station, far = station_slots.assign(
                choice, user_m, station_m, first, update, scenario.stations.nearer, channel.strength
            )
            stations = _StationView.of(station_m, held_station, user_m, velocity)
            reached = station_slots.present(stations.distance_m, scenario.stations.service_radius_m)
            station = np.where(reached, held_station, -1)
        else:
            far = np.zeros(user_m.shape[:3])
            station = np.empty((*user_m.shape[:3], 0), dtype=np.int64)
        last = np.concatenate([state.last_station[:, None], station[:, :-1]], axis=1)
        new_station = (station != last) & (station >= 0)
        random, samples = self._random.advance(
            state.random, n_steps, fresh={**channel.fresh(new_sky, new_station), "load": self._new_loads(new_sky)}
        )

        coefficients = channel.skylines(samples)
        middle_m = (user_m - 0.5 * places.side_m(scenario)).astype(np.float32)
        dx = east[:, :, None] - middle_m[..., :1]
        dy = north[:, :, None] - middle_m[..., 1:]
        dz = (up - np.float32(scenario.users.altitude_m))[:, :, None]
        range_m = np.sqrt(dx * dx + dy * dy + dz * dz)
        elevation = np.arcsin(dz / range_m)
        azimuth = np.arctan2(east, north)
        centre_range = np.sqrt(east * east + north * north + up * up)
        links = [channel.sky_links(samples, coefficients, azimuth, elevation, range_m)]
        delay_m = range_m - centre_range[:, :, None]
        change_db = np.zeros((*range_m.shape[:3], scenario.n_slots), dtype=np.float32)
        if stations is not None:
            links.append(channel.station_links(samples, coefficients, stations.azimuth_rad, stations.distance_m))
            if scenario.combining.is_joint:
                from_middle = stations.place_m - np.float32(0.5 * places.side_m(scenario))
                centre_m = np.hypot(from_middle[..., 0], from_middle[..., 1])
                delay_m = np.concatenate([delay_m, stations.distance_m - centre_m], axis=-1)
            table = channel.stations
            assert table is not None
            later, now = (table.snr_nlos_db.take(table.cell(d)) for d in (stations.later_m, stations.distance_m))
            change_db[..., n_sky:] = later - now
        snr_db, predicted_db, clear = (np.concatenate(parts, axis=-1) for parts in zip(*links, strict=True))
        fade_db = channel.fade_db(state.fading, n_steps)
        if fade_db is not None:
            snr_db = snr_db + fade_db
        node = np.empty((*range_m.shape[:3], scenario.n_slots), dtype=np.int16)
        node[..., :n_sky] = np.where(pass_id < 0, -1, np.arange(n_sky))[:, :, None]
        node[..., n_sky:] = np.where(station < 0, -1, station + n_sky)
        held = node >= 0
        nothing, zero = np.float32(NOTHING_DB), np.float32(0)
        snr_db = np.where(held, snr_db, nothing)
        sinr_db = reserved_sinr_db(snr_db, held, far, scenario, self._isolation)
        load = 1.0 / (
            1.0
            + np.exp(-(np.float32(scenario.load.mean_logit) + np.float32(scenario.load.spread_logit) * samples["load"]))
        )
        error = tabulated.draw_normal(state.error_generators, n_steps, (scenario.users.count, scenario.n_slots))
        empty = pass_id < 0
        arrays: Arrays = {
            "node": node,
            "new_node": np.concatenate(
                [np.broadcast_to(new_sky[:, :, None], (*range_m.shape[:3], n_sky)), new_station], axis=-1
            ),
            "remaining_s": remaining_s,
            "elevation_deg": np.where(empty, zero, np.degrees(np.arcsin(up / centre_range))),
            "azimuth_deg": np.where(empty, zero, np.degrees(azimuth)),
            "in_cluster": self._in_cluster(state, steps, east, north, up, centre_range) & ~empty,
            "controller": state.controller[steps][..., None],
            "snr_db": snr_db,
            "sinr_db": np.where(held, sinr_db, nothing),
            "predicted_snr_db": np.where(held, predicted_db, nothing),
            "predicted_change_db": np.where(held, change_db, zero),
            "clear": clear & held,
            "far_power": far.astype(np.float32),
            "load": load,
            "measurement_error_db": error * np.float32(scenario.measurement.error_db),
            "user_m": user_m.astype(np.float32),
            "speed_m_s": np.broadcast_to(state.places.speed_m_s[:, None], user_m.shape[:3]).astype(np.float32),
            "station_m": np.broadcast_to(
                state.places.station_m[:, None].astype(np.float32),
                (len(state.step), n_steps, *state.places.station_m.shape[1:]),
            ).copy(),
        }
        if scenario.combining.is_joint:
            if scenario.combining.compensation == "user":
                # A position error moves the two delays by at most twice itself; its sign is that of the misalignment.
                delay_m = np.sign(delay_m) * np.float32(scenario.combining.position_error_m)
            arrays["delay_us"] = np.where(held, delay_m * np.float32(1e6 / SPEED_OF_LIGHT_M_S), zero)
        if fade_db is not None:
            arrays["fade_db"] = np.where(held, fade_db, zero)
        after = WorldState(
            state.step + n_steps,
            state.start_s,
            moved,
            state.plans,
            state.controller,
            state.platform_rad,
            choice,
            pass_id[:, -1].copy(),
            station[:, -1].copy(),
            random,
            state.fading,
            state.error_generators,
        )
        return after, arrays

    def _sky_positions(self, state: WorldState, first: int, n_steps: int) -> tuple[FloatArray, ...]:
        """East, north and up of the nodes in the sky from the middle, [B, n, sky slots] each."""
        path = partial(places.centre_site, state.places.lat_rad, state.places.lon_rad)
        parts = [
            tier.positions_m(state.start_s, state.plans[name], first, n_steps, path)
            for name, tier in self._tiers.items()
        ]
        platform = self._scenario.platform
        if platform is not None:
            shape = (len(state.step), n_steps, 1)
            at = [platform.offset_m * np.cos(state.platform_rad), platform.offset_m * np.sin(state.platform_rad)]
            at.append(np.full(len(state.step), platform.altitude_m))
            parts.append(tuple(np.broadcast_to(x[:, None, None], shape).astype(np.float32) for x in at))  # type: ignore[arg-type]
        return tuple(np.concatenate(axis, axis=-1) for axis in zip(*parts, strict=True))

    def _passes(self, state: WorldState, first: int, n_steps: int) -> tuple[NDArray[np.int32], FloatArray]:
        """Pass in each slot of the sky and its predicted remaining time."""
        steps = np.s_[:, first : first + n_steps]
        number = first + np.arange(n_steps)[:, None]
        passes = [plan.pass_id[steps] for plan in state.plans.values()]
        left = [np.where(plan.pass_id[steps] < 0, 0, plan.set_step[steps] - number) for plan in state.plans.values()]
        if self._scenario.platform is not None:
            shape = (len(state.step), n_steps, 1)
            passes.append(np.zeros(shape, dtype=np.int32))
            left.append(np.full(shape, math.ceil(self._scenario.remaining_horizon_s / self._scenario.dt_s)))
        remaining_s = np.concatenate(left, axis=-1) * self._scenario.dt_s
        return np.concatenate(passes, axis=-1), remaining_s.astype(np.float32)

    def _new_loads(self, new_sky: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A satellite that rises brings a load of its own."""
        fresh = np.zeros((*new_sky.shape[:2], self._scenario.n_nodes), dtype=bool)
        fresh[..., : new_sky.shape[-1]] = new_sky
        return fresh

    def _in_cluster(
        self,
        state: WorldState,
        steps: tuple[slice, slice],
        east: FloatArray,
        north: FloatArray,
        up: FloatArray,
        range_m: FloatArray,
    ) -> NDArray[np.bool_]:
        """Nodes within the dome and within reach of the controlling satellite, [B, n, sky slots]."""
        settings = self._scenario.architecture
        controller = state.controller[steps]
        slot = np.maximum(controller, 0).astype(np.intp)[..., None]
        away = [axis - np.take_along_axis(axis, slot, axis=-1) for axis in (east, north, up)]
        near = away[0] ** 2 + away[1] ** 2 + away[2] ** 2 <= np.float32(settings.isl_range_m) ** 2
        high = up >= np.float32(math.sin(math.radians(settings.dome_elevation_deg))) * range_m
        return near & high & (controller >= 0)[..., None]


@dataclass(frozen=True)
class _StationView:
    """Geometry of users and the stations in their slots, [B, n, U, slots]."""

    place_m: FloatArray
    distance_m: FloatArray
    later_m: FloatArray
    azimuth_rad: FloatArray

    @classmethod
    def of(
        cls, station_m: FloatArray, station: NDArray[np.int64], user_m: FloatArray, velocity: FloatArray
    ) -> _StationView:
        n_worlds, n_stations, _ = station_m.shape
        place_m = station_m.astype(np.float32).reshape(-1, 2)
        place_m = place_m.take(station + (np.arange(n_worlds) * n_stations)[:, None, None, None], axis=0)
        offset = place_m - user_m[..., None, :].astype(np.float32)
        later = offset - (velocity[..., None, :] * PREDICTION_S).astype(np.float32)
        return cls(
            place_m,
            np.sqrt(offset[..., 0] * offset[..., 0] + offset[..., 1] * offset[..., 1]),
            np.sqrt(later[..., 0] * later[..., 0] + later[..., 1] * later[..., 1]),
            np.arctan2(offset[..., 0], offset[..., 1]),
        )
