"""The contact plan of one world: passes of its satellites, cut into epochs and put into slots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.data_relay.links import rate_bit_s
from ntn_gym.envs.data_relay.scenario import HAGS_ALTITUDE_M, Scenario, station_table
from ntn_gym.physics.geometry import enu_basis, geodetic_to_ecef
from ntn_gym.world.contact_book import ContactBook, Place, contact_book, rings
from ntn_gym.world.passes import Passes, assign_slots

Floats = NDArray[np.float64]
SPREAD_S = 3 * 86_400.0
"""An episode begins at any time of three days."""


def places(scenario: Scenario) -> tuple[Place, ...]:
    """Return where the receivers are: a station, or its HAGS above it."""
    table = station_table()
    mask = scenario.stations.min_elevation_deg
    result = []
    for name in scenario.stations.names:
        lat, lon, alt = table[scenario.stations.provider, name]
        above = HAGS_ALTITUDE_M if name in scenario.stations.hags else 0.0
        result.append(Place(lat, lon, alt + above, mask))
    return tuple(result)


def book_of(scenario: Scenario) -> ContactBook:
    """Return the passes of the whole constellation over the receivers, shared within the process."""
    return contact_book(scenario.satellites.constellation, places(scenario), scenario.horizon_ms / 1000.0 + SPREAD_S)


def most_edges(book: ContactBook, scenario: Scenario) -> int:
    """Return how many rises and sets the satellites of a world can have at most."""
    horizon_s = scenario.horizon_ms / 1000.0
    most = np.zeros(book.grid.n_satellites, dtype=np.int64)
    for satellite in range(book.grid.n_satellites):
        part = slice(int(book.first[satellite]), int(book.first[satellite + 1]))
        edges = np.sort(np.concatenate((book.start_s[part], book.end_s[part])))
        if len(edges):
            most[satellite] = (np.searchsorted(edges, edges + horizon_s, side="right") - np.arange(len(edges))).max()
    return int(np.sort(most)[-scenario.satellites.count :].sum())


def choose_satellites(book: ContactBook, scenario: Scenario, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the satellites of a world: any, or neighbours in one plane with the leading one first."""
    count = scenario.satellites.count
    if not scenario.satellites.same_plane:
        return rng.choice(book.grid.n_satellites, size=count, replace=False).astype(np.int64)
    planes = [ring for ring in rings(book.grid) if len(ring) >= count]
    ring = planes[int(rng.integers(len(planes)))]
    return ring[(int(rng.integers(len(ring))) + np.arange(count)) % len(ring)]


@dataclass(frozen=True)
class PassList:
    """Passes of one world sorted by satellite and start; arrays [M], times in ms since its start.

    Attributes:
        satellite: Which satellite of the world.
        station: Which station (or the HAGS above it).
        start_ms: Start.
        end_ms: End.
        first: Index of the first pass of each satellite, [S + 1].
    """

    satellite: NDArray[np.int64]
    station: NDArray[np.int64]
    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    first: NDArray[np.int64]


def cut_passes(book: ContactBook, scenario: Scenario, satellites: NDArray[np.int64], start_s: float) -> PassList:
    """Return the passes of some satellites in the window that begins at ``start_s``; whole milliseconds within them."""
    satellite, station, begin_s, end_s = book.window(satellites, start_s, scenario.horizon_ms / 1000.0)
    start_ms, end_ms = np.ceil(begin_s * 1e3).astype(np.int64), np.floor(end_s * 1e3).astype(np.int64)
    kept = end_ms > start_ms
    first = np.searchsorted(satellite[kept], np.arange(len(satellites) + 1))
    return PassList(satellite[kept], station[kept], start_ms[kept], end_ms[kept], first)


def offer(passes: PassList, epochs_ms: NDArray[np.int64], n_satellites: int, n_slots: int) -> NDArray[np.int32]:
    """Return the pass in each slot of each satellite and epoch, [S, T, K]; -1 where empty.

    A pass keeps its slot from rise to set; when more are in view than there are slots, those that last longest are
    offered.
    """
    starts = epochs_ms[:-1]
    rise = np.searchsorted(starts, passes.start_ms)
    fall = np.searchsorted(starts, passes.end_ms)
    table = Passes(passes.satellite, passes.station, np.zeros_like(passes.station), rise, fall)
    return assign_slots(table, n_satellites, len(starts), n_slots, empty_steps=0, min_steps=1)


def rates_bit_s(
    book: ContactBook,
    scenario: Scenario,
    satellite: NDArray[Any],
    station: NDArray[Any],
    time_s: NDArray[Any],
) -> Floats:
    """Return the rate of links at times of the ephemeris (indices in the grid and in the list of stations), [M]."""
    where = places(scenario)
    lat = np.radians([place.lat_deg for place in where])
    lon = np.radians([place.lon_deg for place in where])
    alt = np.array([place.alt_m for place in where])
    site = geodetic_to_ecef(lat, lon, alt)
    line = book.grid.interpolate(satellite, time_s)[0] - site[station]
    range_m = np.sqrt(np.sum(line * line, axis=-1))
    up = enu_basis(lat, lon)[..., 2, :][station]
    elev_rad = np.arcsin(np.clip(np.sum(line * up, axis=-1) / range_m, 0.0, 1.0))
    return rate_bit_s(scenario.links.model, range_m, elev_rad, alt[station] >= HAGS_ALTITUDE_M)
