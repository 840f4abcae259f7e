"""The exogenous world of ResourceAllocation: users, channel, traffic, clouds, sun, wind and prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.core.task import Arrays, FieldSpec
from ntn_gym.envs.resource_allocation import feeder as feeders
from ntn_gym.envs.resource_allocation.channel import Channel
from ntn_gym.envs.resource_allocation.offered import Offered, OfferedState
from ntn_gym.envs.resource_allocation.scenario import Scenario
from ntn_gym.envs.resource_allocation.surroundings import local_hour, propulsion_power_w, solar_power_w
from ntn_gym.world import clouds
from ntn_gym.world.hotspots import Hotspots, place_users, real_cities, roam, within
from ntn_gym.world.joint import JointProcesses, JointState, Process
from ntn_gym.world.users import DEVIATION_MEMORY_S, SPEED_DEVIATION

FloatArray = NDArray[Any]


def trace_fields(scenario: Scenario) -> dict[str, FieldSpec]:
    """Names, shapes, units and legal ranges of a trace."""
    channel = Channel(scenario)
    people = (scenario.n_users,)
    links = (scenario.n_users, channel.n_beams + channel.n_relays)
    hotspots, relays = (len(_hotspots(scenario)[0]),), (channel.n_relays,)
    rows = [
        ("east_m", people, "float32", "m", -1e6, 1e6, "place of the user east of the point below the platform"),
        ("north_m", people, "float32", "m", -1e6, 1e6, "place of the user north of it"),
        ("gain_per_w", links, "float32", "1/W", 0, 1e12, "received power over noise for 1 W radiated"),
        ("los", people, "bool", "0/1", 0, 1, "line of sight to the platform"),
        ("arrival_mbit", people, "float32", "Mbit", 0, 1e9, "bits that arrive for the user in this step"),
        ("hotspot_east_m", hotspots, "float32", "m", -1e6, 1e6, "centre of the hotspot"),
        ("hotspot_north_m", hotspots, "float32", "m", -1e6, 1e6, "centre of the hotspot"),
        ("hotspot_intensity", hotspots, "float32", "1", 0, 1e3, "intensity of its traffic over the mean"),
        ("relay_east_m", relays, "float32", "m", -1e6, 1e6, "place of the relay"),
        ("relay_north_m", relays, "float32", "m", -1e6, 1e6, "place of the relay"),
        ("price", (), "float32", "1", 0, 1e3, "price of the reference supply power for a step"),
        ("hour", (), "float32", "h", 0, 24, "local solar time"),
        ("solar_w", (), "float32", "W", 0, 1e7, "power of the panels"),
        ("propulsion_w", (), "float32", "W", 0, 1e8, "power of the engines"),
        ("feeder_cloud", (), "bool", "0/1", 0, 1, "a thick cloud blocks the optical feeder"),
        ("feeder_loss_db", (), "float32", "dB", 0, 1e3, "loss of the feeder by thin cloud and scintillation"),
    ]
    return {row[0]: FieldSpec(*row) for row in rows}


def _hotspots(scenario: Scenario) -> tuple[FloatArray, FloatArray | None, FloatArray | None]:
    """Deviation of each hotspot, fixed centres and weights where they are real."""
    people = scenario.users
    fixed = weights = None
    count = people.hotspots
    if people.city is not None:
        fixed, weights, _, _ = real_cities(people.city, people.city_reach_m)
        fixed, weights = fixed[:count], weights[:count]
        count = len(fixed)
    return np.resize(np.array(people.hotspot_sigma_m, dtype=np.float64), count), fixed, weights


@dataclass(frozen=True)
class WorldState:
    """State of B worlds between two chunks; leading axis: world.

    Attributes:
        step: Steps drawn so far, [B].
        spots: Hotspots, homes and courses.
        place_m: Places of the users in the last step, [B, U, 2].
        random: The Gauss-Markov processes.
        offered: What the traffic remembers.
        cloud: Sky over the gateway before the next step, [B, 1].
        cloud_generators: Its generators.
        price: Price of energy of each world, [B].
    """

    step: NDArray[np.intp]
    spots: Hotspots
    place_m: FloatArray
    random: JointState
    offered: OfferedState
    cloud: NDArray[np.bool_]
    cloud_generators: list[np.random.Generator]
    price: FloatArray


class ResourceWorld:
    """Draws the trace of a ResourceAllocation scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Prepare tables."""
        self._scenario = scenario
        self._channel = Channel(scenario)
        self._offered = Offered(scenario, len(_hotspots(scenario)[0]))
        self.fields = trace_fields(scenario)
        n_users, radio, move = scenario.n_users, scenario.radio, scenario.users.mobility
        memory_s = DEVIATION_MEMORY_S if move.kind == "course" else move.roam_memory_s
        members = {
            "wander": Process((n_users, 2), 1.0 / memory_s),
            "blockage": Process((n_users,), 1.0 / radio.blockage_memory_s),
            "shadowing": Process((n_users,), 1.0 / radio.shadow_memory_s),
            "regional": Process((1,), 1.0 / scenario.traffic.regional_memory_s),
            "wind": Process((2,), 1.0 / scenario.energy.wind.memory_s),
        }
        if self._channel.swing is not None:
            members["swing"] = Process(self._channel.swing.shape, 1.0 / self._channel.swing.memory_s)
        if scenario.feeder is not None:
            members["feeder"] = Process((2,), 1.0 / scenario.feeder.thin_cloud_memory_s)
            self._link = feeders.feeder_link(scenario.feeder, scenario.platform.altitude_m)
        self._random = JointProcesses(members, scenario.dt_s)

    def begin(self, keys: Sequence[WorldKey]) -> WorldState:
        """Place the users and draw the first states."""
        scenario, people = self._scenario, self._scenario.users
        sigma, fixed, weights = _hotspots(scenario)
        spots = place_users(
            process_generators(keys, "place"),
            scenario.n_users,
            people.hotspot_share,
            people.radius_m,
            sigma,
            fixed,
            weights,
        )
        cloud_generators = process_generators(keys, "cloud")
        cloud = np.zeros((len(keys), 1), dtype=bool)
        if scenario.feeder is not None:
            cloud = clouds.start(cloud_generators, 1, feeders.cloud_times(scenario.feeder))
        spread = [2.0 * generator.random() - 1.0 for generator in process_generators(keys, "price")]
        return WorldState(
            step=np.zeros(len(keys), dtype=np.intp),
            spots=spots,
            place_m=spots.home_m,
            random=self._random.start({name: process_generators(keys, name) for name in self._random.members}),
            offered=self._offered.begin(keys),
            cloud=cloud,
            cloud_generators=cloud_generators,
            price=scenario.energy.price * 10.0 ** (scenario.energy.price_spread * np.array(spread)),
        )

    def advance(self, state: WorldState, n_steps: int) -> tuple[WorldState, Arrays]:
        """Draw the next steps of all worlds (they must stand at the same step)."""
        scenario, energy = self._scenario, self._scenario.energy
        first = int(state.step[0])
        time_s = (first + np.arange(n_steps)) * scenario.dt_s
        random, samples = self._random.advance(state.random, n_steps)
        place_m, last_m = self._places(state, samples["wander"])
        n_relays = self._channel.n_relays
        relay_m = state.spots.centre_m[:, :n_relays]
        gain, los = self._channel.gains(
            place_m, relay_m, samples["blockage"], samples["shadowing"], samples.get("swing"), time_s
        )
        hour = local_hour(energy.sun, time_s)
        offered, arrival, intensity = self._offered.advance(
            state.offered, n_steps, state.spots.hotspot, hour, samples["regional"][..., 0]
        )
        shape = (len(state.step), n_steps)
        flat = np.zeros(shape, dtype=np.float32)
        solar, propulsion, cloudy, loss = flat, flat, flat.astype(bool), flat
        cloud = state.cloud
        if energy.battery is not None:
            altitude_m = scenario.platform.altitude_m
            solar = np.broadcast_to(solar_power_w(energy.sun, altitude_m, time_s), shape).astype(np.float32)
            propulsion = propulsion_power_w(energy.wind, altitude_m, samples["wind"].astype(np.float64))
        if scenario.feeder is not None:
            times = feeders.cloud_times(scenario.feeder)
            cloud, sky = clouds.advance(state.cloud_generators, cloud, n_steps, scenario.dt_s, times)
            cloudy = sky[..., 0]
            thin, turbulence = (samples["feeder"][..., i].astype(np.float64) for i in range(2))
            loss = feeders.variable_loss_db(scenario.feeder, self._link, thin, turbulence)

        def still(values: FloatArray) -> FloatArray:
            return np.broadcast_to(values[:, None], (*shape, *values.shape[1:])).astype(np.float32)

        arrays: Arrays = {
            "east_m": place_m[..., 0].astype(np.float32),
            "north_m": place_m[..., 1].astype(np.float32),
            "gain_per_w": gain,
            "los": los,
            "arrival_mbit": arrival.astype(np.float32),
            "hotspot_east_m": still(state.spots.centre_m[..., 0]),
            "hotspot_north_m": still(state.spots.centre_m[..., 1]),
            "hotspot_intensity": intensity.astype(np.float32),
            "relay_east_m": still(relay_m[..., 0]),
            "relay_north_m": still(relay_m[..., 1]),
            "price": still(state.price),
            "hour": np.broadcast_to(hour, shape).astype(np.float32) % np.float32(24),
            "solar_w": solar,
            "propulsion_w": propulsion.astype(np.float32),
            "feeder_cloud": cloudy,
            "feeder_loss_db": loss.astype(np.float32),
        }
        state = WorldState(
            state.step + n_steps,
            state.spots,
            last_m,
            random,
            offered,
            cloud,
            state.cloud_generators,
            state.price,
        )
        return state, arrays

    def _places(self, state: WorldState, wander: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Places of the users, [B, n, U, 2], and those to go on from."""
        people, spots, dt_s = self._scenario.users, state.spots, self._scenario.dt_s
        move = people.mobility
        if move.kind == "roam":
            place = spots.home_m[:, None] + move.roam_m * wander.astype(np.float64)
            return within(place, people.radius_m), state.place_m
        way_m = move.speed_m_s * dt_s
        course = np.stack([np.sin(spots.course_rad), np.cos(spots.course_rad)], axis=-1)
        place = roam(wander * np.float32(SPEED_DEVIATION * way_m), state.place_m, way_m * course)
        return place, place[:, -1].copy()
