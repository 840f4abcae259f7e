"""Passes against skyfield's find_events, a circular orbit by hand, and counts by brute force."""

import math
from datetime import timedelta

import numpy as np
import pytest
from skyfield.api import EarthSatellite, load, wgs84

from ntn_gym.physics import intervals, orbits, pass_prediction
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.world.constellation import named_tle, tle_grid

DAY_S = 86_400.0
TIMESCALE = load.timescale(builtin=True)


@pytest.mark.parametrize(
    ("name", "index", "lat_deg", "lon_deg", "mask_deg"),
    [
        ("iridium-next", 3, 53.08, 8.80, 10.0),
        ("iridium-next", 40, 78.23, 15.41, 0.0),
        ("starlink-53", 100, -33.87, 151.21, 25.0),
        ("starlink-70", 5, 1.35, 103.82, 5.0),
        ("oneweb", 17, 64.13, -21.90, 20.0),
        ("gps", 2, 35.68, 139.69, 10.0),
    ],
)
def test_rise_culmination_and_set_are_those_of_skyfield(
    name: str, index: int, lat_deg: float, lon_deg: float, mask_deg: float
) -> None:
    tle = named_tle(name)[index]
    grid = tle_grid((tle,), DAY_S, step_s=30.0)
    place = pass_prediction.stations(math.radians(lat_deg), math.radians(lon_deg), 50.0)
    got = pass_prediction.predict_passes(grid.interpolate, 1, place, 0.0, DAY_S, math.radians(mask_deg))

    satellite = EarthSatellite(tle.line1, tle.line2, tle.name, TIMESCALE)
    start = TIMESCALE.utc(
        *map(int, (grid.start_utc[:4], grid.start_utc[5:7], grid.start_utc[8:10], grid.start_utc[11:13]))
    )
    times, events = satellite.find_events(
        wgs84.latlon(lat_deg, lon_deg, 50.0), start, start + timedelta(seconds=DAY_S), altitude_degrees=mask_deg
    )
    seconds = (times - start) * DAY_S
    np.testing.assert_allclose(got.rise_s[got.rise_seen], seconds[events == 0], atol=0.5)
    np.testing.assert_allclose(got.set_s[got.set_seen], seconds[events == 2], atol=0.5)
    culminations = seconds[events == 1]
    assert len(got) >= 1 and len(culminations) >= 1
    # skyfield lists every culmination, a pass holds its highest one.
    for culmination_s, seen in zip(got.culmination_s, got.rise_seen & got.set_seen, strict=True):
        if seen:
            assert np.abs(culminations - culmination_s).min() < 0.5


@pytest.fixture(scope="module")
def plane_of_one():
    """A satellite in the plane of the equator of a world that does not turn, in Earth-fixed axes."""
    radius_m = EARTH_MEAN_RADIUS_M + 600e3

    def states(satellite, time_s):
        angle = float(orbits.mean_motion_rad_s(radius_m)) * (time_s - 1000.0) + 0.0 * satellite
        zero, speed = np.zeros_like(angle), float(orbits.speed_m_s(radius_m))
        position = radius_m * np.stack((np.cos(angle), np.sin(angle), zero), axis=-1)
        return position, speed * np.stack((-np.sin(angle), np.cos(angle), zero), axis=-1)

    return radius_m, states


def test_pass_over_the_zenith_by_hand(plane_of_one) -> None:
    radius_m, states = plane_of_one
    site = pass_prediction.stations(0.0, 0.0, 0.0)
    equator_m = 6_378_137.0  # the site is on the ellipsoid
    got = pass_prediction.predict_passes(states, 1, site, 0.0, 2000.0, math.radians(10.0))
    half_rad = math.acos(equator_m * math.cos(math.radians(10.0)) / radius_m) - math.radians(10.0)
    half_s = half_rad / float(orbits.mean_motion_rad_s(radius_m))
    assert len(got) == 1
    assert got.rise_s[0] == pytest.approx(1000.0 - half_s, abs=1e-3)
    assert got.culmination_s[0] == pytest.approx(1000.0, abs=1e-3)
    assert got.set_s[0] == pytest.approx(1000.0 + half_s, abs=1e-3)
    assert got.max_elev_rad[0] == pytest.approx(math.pi / 2, abs=1e-5)
    assert got.min_range_m[0] == pytest.approx(radius_m - equator_m, abs=1e-3)
    assert math.degrees(got.rise_azimuth_rad[0]) == pytest.approx(270.0)
    assert math.degrees(got.set_azimuth_rad[0]) == pytest.approx(90.0)
    assert got.rise_seen[0] and got.set_seen[0]
    assert got.duration_s[0] == pytest.approx(2.0 * half_s, abs=2e-3)


def test_passes_cut_by_the_window_say_so(plane_of_one) -> None:
    _, states = plane_of_one
    site = pass_prediction.stations(0.0, 0.0, 0.0)
    got = pass_prediction.predict_passes(states, 1, site, 900.0, 1050.0)
    assert (got.rise_s[0], got.set_s[0]) == (900.0, 1050.0)
    assert not got.rise_seen[0] and not got.set_seen[0]
    rising = pass_prediction.predict_passes(states, 1, site, 0.0, 950.0)
    assert rising.rise_seen[0] and not rising.set_seen[0]
    assert rising.culmination_s[0] == 950.0


def test_short_passes_between_two_samples_are_found(plane_of_one) -> None:
    _, states = plane_of_one
    site = pass_prediction.stations(math.radians(9.0), 0.0)
    highest = pass_prediction.predict_passes(states, 1, site, 0.0, 2000.0).max_elev_rad[0]
    mask = float(highest) - 1e-5
    got = pass_prediction.predict_passes(states, 1, site, 0.0, 2000.0, mask, step_s=120.0)
    assert len(got) == 1
    assert 0.0 < got.duration_s[0] < 10.0
    assert got.culmination_s[0] == pytest.approx(1000.0, abs=1e-3)


def test_many_satellites_against_dense_sampling() -> None:
    grid = tle_grid(named_tle("iridium-next"), 7200.0)
    lat, lon = np.radians([53.08, -1.29, 78.23]), np.radians([8.80, 36.82, 15.41])
    places = pass_prediction.stations(lat, lon, 0.0)
    mask = math.radians(8.2)
    table = pass_prediction.predict_passes(grid.interpolate, grid.n_satellites, places, 0.0, 7200.0, mask)
    time_s = np.arange(0.5, 7200.0, 7.0)
    counts = pass_prediction.visible_count(grid.interpolate, grid.n_satellites, places, time_s, mask)
    for station in range(3):
        rise, end = (times[table.station == station] for times in (table.rise_s, table.set_s))
        from_passes = ((rise[:, None] <= time_s) & (time_s <= end[:, None])).sum(axis=0)
        np.testing.assert_array_equal(counts[station], from_passes)
    assert counts.max() >= 2
    assert (np.diff(table.station) >= 0).all()


def test_positive_intervals_of_a_sine() -> None:
    # sin(w t) - c is positive from asin(c) / w to (pi - asin(c)) / w, and again after each period.
    rate, level = np.array([0.02, 0.05, 0.03]), np.array([0.0, 0.5, 1.5])

    def function(row, time_s):
        return np.sin(rate[row] * time_s) - level[row], rate[row] * np.cos(rate[row] * time_s)

    got = intervals.positive_intervals(function, 3, 1.0, 300.0, 10.0, tolerance_s=1e-9)
    np.testing.assert_array_equal(got.row, [0, 1, 1, 1])  # 1.5 is never reached
    period_s = 2 * math.pi / 0.05
    starts = [1.0] + [math.asin(0.5) / 0.05 + k * period_s for k in range(3)]
    ends = [math.pi / 0.02] + [(math.pi - math.asin(0.5)) / 0.05 + k * period_s for k in range(3)]
    ends[3] = min(ends[3], 300.0)
    np.testing.assert_allclose(got.start_s, starts, atol=1e-8)
    np.testing.assert_allclose(got.end_s, ends, atol=1e-8)
    np.testing.assert_allclose(got.peak[:3], [1.0, 0.5, 0.5], atol=1e-12)
    np.testing.assert_allclose(got.peak_s[:3], [math.pi / 0.04, math.pi / 0.1, math.pi / 0.1 + period_s], atol=1e-8)
    np.testing.assert_array_equal(got.starts_inside, [False, True, True, True])


def test_no_rows_give_no_intervals() -> None:
    got = intervals.positive_intervals(lambda row, time: (row + time, row + time), 0, 0.0, 1.0, 1.0)
    assert len(got.row) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 0.0, 10.0), "the window must be finite and last_s > first_s"),
        ((0.0, math.inf, 10.0), "the window must be finite"),
        ((0.0, 10.0, 0.0), r"step_s=0\.0 must be positive \(s\)"),
    ],
)
def test_empty_windows_are_refused(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        intervals.sample_times_s(*arguments)


def test_wrong_places_and_masks_are_refused(plane_of_one) -> None:
    with pytest.raises(ValueError, match="lat_rad: got 53 rad"):
        pass_prediction.stations(53.0, 0.1)
    with pytest.raises(ValueError, match="alt_m: got 1e"):
        pass_prediction.stations(0.5, 0.1, 1e6)
    with pytest.raises(ValueError, match=r"min_elev_rad=10\.0 must be .* \(is it in deg\?\)"):
        pass_prediction.predict_passes(plane_of_one[1], 1, pass_prediction.stations(0.0, 0.0), 0.0, 9.0, 10.0)
