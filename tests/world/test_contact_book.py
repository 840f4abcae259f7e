"""Contact plans of a constellation: cut windows, operational satellites, rings."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ntn_gym.physics.contacts import line_of_sight_height_m
from ntn_gym.world.constellation import named_tle
from ntn_gym.world.contact_book import Place, contact_book, operational, operational_grid, rings

SVALBARD = Place(78.23, 15.41, 0.0, 5.0)
ATHENS = Place(37.85, 22.62, 0.0, 5.0)
SPAN_S = 2 * 86_400.0


@pytest.fixture(scope="module")
def book():
    return contact_book("iridium-next", (SVALBARD, ATHENS), SPAN_S)


def test_spares_are_left_out() -> None:
    """66 satellites make the constellation (and one flies along with it); the others of the 80 wait lower."""
    satellites = operational(named_tle("iridium-next"))
    assert len(satellites) == 67
    motion = [tle.record.no_kozai * 1440 / (2 * math.pi) for tle in satellites]
    assert max(motion) - min(motion) < 0.01


def test_a_satellite_of_a_polar_orbit_passes_the_pole_station_on_every_revolution(book) -> None:
    """14.34 revolutions a day: Svalbard sees nearly all of them, Athens some six."""
    per_day = np.bincount(book.place) / (book.grid.n_satellites * SPAN_S / 86_400.0)
    assert 13.0 < per_day[0] < 15.4
    assert 3.5 < per_day[1] < 7.0


def test_passes_end_at_the_mask(book) -> None:
    """Elevation from positions, by plain trigonometry on the ellipsoid's vertical."""
    inside = (book.start_s > 0) & (book.end_s < SPAN_S)
    pick = np.flatnonzero(inside)[::97]
    for index in pick.tolist():
        place = (SVALBARD, ATHENS)[book.place[index]]
        lat, lon = math.radians(place.lat_deg), math.radians(place.lon_deg)
        a, e2 = 6378137.0, 6.69437999014e-3
        n = a / math.sqrt(1 - e2 * math.sin(lat) ** 2)
        up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
        site = np.array([n * up[0], n * up[1], n * (1 - e2) * up[2]])
        for time_s in (book.start_s[index], book.end_s[index]):
            line = book.grid.interpolate(int(book.satellite[index]), time_s)[0] - site
            assert math.degrees(math.asin(line @ up / np.linalg.norm(line))) == pytest.approx(5.0, abs=0.01)


def test_a_window_is_cut_out_of_the_plan(book) -> None:
    satellites = np.array([40, 3])
    owner, place, start_s, end_s = book.window(satellites, 50_000.0, 20_000.0)
    assert (np.diff(owner) >= 0).all() and (end_s > start_s).all()
    expected = []
    for k, satellite in enumerate(satellites.tolist()):
        own = book.satellite == satellite
        for p, begin, end in zip(book.place[own], book.start_s[own], book.end_s[own], strict=True):
            if end > 50_000.0 and begin < 70_000.0:
                expected.append((k, p, max(begin - 50_000.0, 0.0), min(end - 50_000.0, 20_000.0)))
    assert sorted(expected) == sorted(zip(owner, place, start_s, end_s, strict=True))


def test_rings_are_planes_in_order_of_flight() -> None:
    grid = operational_grid("iridium-next", SPAN_S)
    planes = rings(grid)
    assert len(planes) == 6 and sorted(np.concatenate(planes).tolist()) == list(range(67))
    assert sorted(len(plane) for plane in planes) == [11, 11, 11, 11, 11, 12]
    for plane in planes:
        if len(plane) != 11:
            continue
        position = grid.position_m[plane, 0]
        unit = position / np.linalg.norm(position, axis=1, keepdims=True)
        apart = np.degrees(np.arccos(np.clip(np.sum(unit * np.roll(unit, -1, axis=0), axis=1), -1, 1)))
        np.testing.assert_allclose(apart, 360 / 11, atol=3.0)
        # The one named first flies ahead: moving the second along its velocity brings it nearer.
        ahead, behind = position[0], position[1]
        velocity = grid.velocity_m_s[plane[1], 0]
        assert np.linalg.norm(ahead - (behind + 60 * velocity)) < np.linalg.norm(ahead - behind)


def test_neighbours_of_a_plane_always_see_each_other() -> None:
    """What makes permanent links in a plane of Iridium true: the line stays 80 km above the ground at least."""
    grid = operational_grid("iridium-next", SPAN_S)
    for plane in rings(grid):
        height_m = line_of_sight_height_m(grid.position_m[plane], grid.position_m[np.roll(plane, -1)])
        assert height_m.min() > 80e3


def test_unknown_constellations_are_refused() -> None:
    with pytest.raises(KeyError, match="choose one of"):
        contact_book("no-such", (SVALBARD,), SPAN_S)
