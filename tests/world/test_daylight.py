"""Daylight by latitude and hour, against the shared solar physics."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ntn_gym.physics.standard_atmosphere import air_pressure_pa
from ntn_gym.physics.sun import daylight_s, horizon_dip_rad, sun_angles_rad
from ntn_gym.world import daylight


@pytest.mark.parametrize(("day", "declination_deg"), [(79.4, 0.0), (171.1, 23.44), (355.6, -23.44)])
def test_declination(day: float, declination_deg: float) -> None:
    """Equinox 20 March 09:01, solstices 21 June 02:42 and 21 December 15:03 UTC of 2025."""
    assert math.degrees(daylight.declination_and_distance(day)[0]) == pytest.approx(declination_deg, abs=0.25)


def test_distance_is_least_in_january() -> None:
    assert daylight.declination_and_distance(4.0)[1] == pytest.approx(0.9833, abs=2e-4)
    assert daylight.declination_and_distance(184.0)[1] == pytest.approx(1.0167, abs=2e-4)


def test_noon_elevation_is_that_of_the_sun() -> None:
    """At local solar noon the elevation is the largest that the shared solar position gives that day."""
    declination, _ = daylight.declination_and_distance(200.0)
    latitude = np.radians([35.0])
    here = float(daylight.sun_elevation_rad(latitude, declination, np.array([12.0]))[0, 0])
    jd = 2_460_676.5 + 199.0 + np.arange(0, 1, 1 / 1440)
    there = np.asarray(sun_angles_rad(latitude[0], 0.0, jd)[0]).max()
    assert here == pytest.approx(there, abs=math.radians(0.1))


def test_night_is_when_the_platform_sees_no_sun() -> None:
    hour = np.arange(0, 24, 1 / 60)
    altitude_m = 20e3
    pressure = float(air_pressure_pa(altitude_m))
    for latitude_deg, day in ((30.0, 80.0), (60.0, 355.0), (-45.0, 20.0)):
        declination, distance = daylight.declination_and_distance(day)
        latitude = np.radians([latitude_deg])
        elevation = daylight.sun_elevation_rad(latitude, declination, hour)
        night = daylight.night_hours_ahead(latitude, declination, hour, altitude_m)[0]
        dark = elevation[0] < -float(horizon_dip_rad(altitude_m))
        length_h = 24 - float(daylight_s(latitude[0], declination, -horizon_dip_rad(altitude_m))) / 3600
        assert dark.mean() * 24 == pytest.approx(length_h, abs=0.05)
        np.testing.assert_allclose(night[~dark], length_h, atol=1e-6)
        at_four = 4 * 60
        ahead = np.argmin(dark[at_four:]) / 60
        assert dark[at_four] and night[at_four] == pytest.approx(ahead, abs=0.05)
        sun = daylight.horizontal_irradiance_w_m2(elevation, distance, altitude_m, pressure)
        assert (sun[0][elevation[0] <= 0] == 0).all() and sun.max() < 1420


def test_polar_night_and_polar_day() -> None:
    declination, _ = daylight.declination_and_distance(355.0)
    hours = daylight.night_hours_ahead(np.radians([80.0, -80.0]), declination, np.array([0.0, 12.0]), 20e3)
    assert hours[0].tolist() == [24.0, 24.0] or (hours[0] > 11.9).all()
    assert (hours[1] == 0).all()
