"""Where users and stations are: the region, the stations, and how users move."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym import data
from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.physics.geometry import enu_basis, geodetic_to_ecef
from ntn_gym.world import processes
from ntn_gym.world.arcs import Site

FloatArray = NDArray[Any]
ABSENT_M = 1e7
"""Stations that a world does not have are put this far away."""
_TRACK_OFFSET_M = (500.0, 2500.0)
_SEAT_M = 15.0
"""Distance between users of one train."""


@dataclass(frozen=True)
class Places:
    """Regions of B worlds and who is in them. Metres east and north of the south-west corner.

    Attributes:
        lat_rad: Latitude of the middle, [B].
        lon_rad: Longitude, [B].
        station_m: Stations, [B, M, 2]; M may be 0.
        speed_m_s: Speed of the users, [B, U].
        heading_rad: Heading before the first step, anticlockwise from east, [B, U].
        unfolded_m: Place of the users before the first step if the region had no edge, [B, U, 2].
        generators: Generators of the turns.
    """

    lat_rad: NDArray[np.float64]
    lon_rad: NDArray[np.float64]
    station_m: NDArray[np.float64]
    speed_m_s: NDArray[np.float64]
    heading_rad: NDArray[np.float64]
    unfolded_m: NDArray[np.float64]
    generators: list[np.random.Generator]


@cache
def melbourne_m() -> tuple[tuple[float, float], NDArray[np.float64], NDArray[np.float64], float]:
    """Return middle (latitude, longitude in rad), stations [M, 2] and users [P, 2] in m, and the side of the square."""
    stations, people = data.read_csv("melbourne_cbd_base_stations.csv"), data.read_csv("melbourne_cbd_users.csv")
    middle = np.radians([stations["lat_deg"].mean(), stations["lon_deg"].mean()])

    def local(columns: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
        north = (np.radians(columns["lat_deg"]) - middle[0]) * EARTH_MEAN_RADIUS_M
        east = (np.radians(columns["lon_deg"]) - middle[1]) * EARTH_MEAN_RADIUS_M * math.cos(middle[0])
        return np.stack([east, north], axis=-1)

    sites, points = local(stations), local(people)
    side_m = 2.0 * float(max(np.abs(sites).max(), np.abs(points).max())) + 100.0
    return (float(middle[0]), float(middle[1])), sites + side_m / 2, points + side_m / 2, side_m


def side_m(scenario: Scenario) -> float:
    """Side of the square: the scenario's, or that of the real area."""
    return melbourne_m()[3] if scenario.users.places == "melbourne" else scenario.side_m


def place(scenario: Scenario, keys: Sequence[WorldKey]) -> Places:
    """Draw the regions, the stations and where users begin."""
    rows = [_place_one(scenario, generator) for generator in process_generators(keys, "place")]
    lat, lon, stations, speed, heading, start = (np.array(column) for column in zip(*rows, strict=True))
    return Places(lat, lon, stations, speed, heading, start, process_generators(keys, "turns"))


def _place_one(scenario: Scenario, rng: np.random.Generator) -> tuple[Any, ...]:
    people, side = scenario.users, side_m(scenario)
    lat = math.radians(rng.uniform(people.latitude_min_deg, people.latitude_max_deg))
    lon = rng.uniform(-math.pi, math.pi)
    track = (rng.uniform(0, 2 * math.pi), rng.uniform(0.3, 0.7, 2) * side)
    stations = _stations(scenario, rng, side, track)
    heading = rng.uniform(0, 2 * math.pi, people.count)
    speed = np.where(np.arange(people.count) < people.n_fast, people.car_speed_m_s, people.foot_speed_m_s)
    if people.motion == "train":
        speed = np.full(people.count, rng.uniform(*people.train_speed_m_s))
        heading = np.full(people.count, track[0])
        along = -0.5 * speed[0] * scenario.steps * scenario.dt_s - _SEAT_M * np.arange(people.count)
        start = track[1] + along[:, None] * np.array([math.cos(track[0]), math.sin(track[0])])
    elif people.places == "melbourne":
        (lat, lon), _, points, _ = melbourne_m()
        start = points[rng.permutation(len(points))[: people.count]]
    else:
        start = _towns(scenario, rng, side, stations)
    return lat, lon, stations, speed, heading, start


def _stations(
    scenario: Scenario, rng: np.random.Generator, side: float, track: tuple[float, NDArray[np.float64]]
) -> NDArray[np.float64]:
    settings = scenario.stations
    if settings is None:
        return np.empty((0, 2))
    if settings.placement == "melbourne":
        return melbourne_m()[1]
    place_m = rng.uniform(0, side, (settings.capacity, 2))
    if settings.placement == "poisson":
        place_m[min(int(rng.poisson(settings.count)), settings.capacity) :] = ABSENT_M
    elif settings.placement == "track":
        n = min(settings.track_count, settings.count)
        along = (np.arange(n) - (n - 1) / 2 + rng.uniform(-0.25, 0.25, n)) * settings.track_spacing_m
        across = rng.uniform(*_TRACK_OFFSET_M, n) * rng.choice([-1.0, 1.0], n)
        direction = np.array([math.cos(track[0]), math.sin(track[0])])
        place_m[:n] = track[1] + along[:, None] * direction + across[:, None] * np.array([-direction[1], direction[0]])
    return place_m


def _towns(
    scenario: Scenario, rng: np.random.Generator, side: float, stations: NDArray[np.float64]
) -> NDArray[np.float64]:
    people = scenario.users
    start = rng.uniform(0, side, (people.count, 2))
    real = stations[stations[:, 0] < ABSENT_M] if len(stations) else stations
    near = real[rng.integers(len(real), size=people.towns)] if len(real) else rng.uniform(0, side, (people.towns, 2))
    angle = rng.uniform(0, 2 * math.pi, people.towns)
    towns = near + people.town_distance_m * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    of_town = towns[rng.integers(people.towns, size=people.count)]
    lives_there = rng.random(people.count) < people.town_share
    spread = people.town_spread_m * rng.standard_normal((people.count, 2))
    return np.where(lives_there[:, None], of_town + spread, start)


def centre_site(lat_rad: FloatArray, lon_rad: FloatArray, time_s: FloatArray) -> Site:
    """Return the middle of the regions (they do not move) at times [B, S]."""
    shape = np.shape(time_s)
    latitude, longitude = np.broadcast_to(lat_rad[:, None], shape), np.broadcast_to(lon_rad[:, None], shape)
    return Site(np.asarray(geodetic_to_ecef(latitude, longitude, 0.0)), enu_basis(latitude, longitude))


def move(scenario: Scenario, places: Places, n_steps: int) -> tuple[Places, NDArray[np.float64], NDArray[np.float64]]:
    """Return places after the next steps, positions and velocities [B, n, U, 2] in m and m/s.

    Headings are random walks (not on rails); users turn back at the edge: the unlimited path is folded.
    """
    dt_s, people, side = scenario.dt_s, scenario.users, side_m(scenario)
    turn = np.zeros((len(places.lat_rad), n_steps, people.count))
    if people.motion != "train":
        drawn = processes.draw_normal(places.generators, n_steps, (people.count,), np.float64)
        turn = drawn * (people.turn_rad * math.sqrt(dt_s))
    turn[:, 0] += places.heading_rad
    heading = np.cumsum(turn, axis=1)
    velocity = np.stack([np.cos(heading), np.sin(heading)], axis=-1) * places.speed_m_s[:, None, :, None]
    # Running sums start from the carried place, so that cutting into chunks changes no rounding.
    step = velocity * dt_s
    step[:, 0] += places.unfolded_m
    unfolded = np.cumsum(step, axis=1)
    turned = unfolded - 2 * side * np.floor(unfolded / (2 * side))
    back = turned > side
    position = np.where(back, 2 * side - turned, turned)
    after = Places(
        places.lat_rad,
        places.lon_rad,
        places.station_m,
        places.speed_m_s,
        heading[:, -1].copy(),
        unfolded[:, -1].copy(),
        places.generators,
    )
    return after, position, np.where(back, -velocity, velocity)
