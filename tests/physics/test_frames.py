"""Time and rotation against skyfield, the library sgp4 and published examples."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sgp4.api import jday
from sgp4.propagation import gstime
from skyfield.api import load

from ntn_gym.physics import frames

POINTS = json.loads((Path(__file__).parents[1] / "reference" / "orbit_points.json").read_text())["points"]
INSTANTS = st.datetimes(datetime(1980, 1, 1), datetime(2080, 1, 1), timezones=st.just(UTC))


@given(INSTANTS)
def test_julian_date_is_that_of_sgp4(instant: datetime) -> None:
    jd, fraction = frames.julian_date(instant)
    seconds = instant.second + instant.microsecond / 1e6
    whole, part = jday(instant.year, instant.month, instant.day, instant.hour, instant.minute, seconds)
    assert jd == whole
    assert fraction == pytest.approx(part, abs=1e-14)


@given(INSTANTS)
def test_julian_date_round_trip(instant: datetime) -> None:
    assert abs(frames.utc_from_julian_date(*frames.julian_date(instant)) - instant) <= timedelta(microseconds=1)


def test_text_and_time_zones() -> None:
    expected = frames.julian_date(datetime(2025, 1, 23, 19, tzinfo=UTC))
    for same in (
        "2025-01-23T19:00:00Z",
        "2025-01-23T19:00",
        "2025-01-23T20:00:00+01:00",
        datetime(2025, 1, 23, 19),
        datetime(2025, 1, 23, 21, tzinfo=timezone(timedelta(hours=2))),
    ):
        assert frames.julian_date(same) == expected
    assert frames.utc_text(frames.utc_from_julian_date(*expected)) == "2025-01-23T19:00:00Z"
    with pytest.raises(ValueError, match=r"'tomorrow' is not ISO 8601.*2025-01-23T19:00:00Z"):
        frames.julian_date("tomorrow")


def test_sidereal_time_of_vallado_example_3_5() -> None:
    # Fundamentals of Astrodynamics and Applications, example 3-5: 1992-08-20 12:14 UT1. The book holds the date in one
    # float, 10 microseconds or 4e-8 deg.
    jd, fraction = frames.julian_date("1992-08-20T12:14:00Z")
    assert math.degrees(frames.gmst_rad(jd, fraction)) == pytest.approx(152.578_787_886, abs=1e-7)


@given(INSTANTS)
def test_sidereal_time_is_that_of_sgp4(instant: datetime) -> None:
    jd, fraction = frames.julian_date(instant)
    difference = float(frames.gmst_rad(jd, fraction)) - gstime(jd + fraction)
    # One float holds a Julian date to 40 microseconds, 3e-9 rad.
    assert abs(math.remainder(difference, 2 * math.pi)) < 5e-9


def test_sidereal_time_is_near_that_of_skyfield() -> None:
    timescale = load.timescale(builtin=True)
    jd, fraction = frames.julian_date("2025-01-24T12:00:00Z")
    expected = timescale.utc(2025, 1, 24, 12).gmst * math.pi / 12.0
    # UT1 - UTC is below 0.9 s by definition: 6.6e-5 rad.
    assert abs(math.remainder(float(frames.gmst_rad(jd, fraction)) - expected, 2 * math.pi)) < 6.6e-5


@pytest.mark.parametrize("point", POINTS, ids=lambda p: f"{p['name']} {p['utc']}")
def test_ecef_states_within_100_m_of_itrs(point: dict) -> None:
    jd, fraction = frames.julian_date(point["utc"])
    angle = frames.gmst_rad(jd, fraction)
    position_m, velocity_m_s = frames.teme_to_ecef(
        np.array(point["teme_km"]) * 1e3, np.array(point["teme_vel_km_s"]) * 1e3, angle
    )
    np.testing.assert_allclose(position_m / 1e3, point["pef_gmst82_ut1eqUTC_km"], atol=2e-6)
    for oracle in ("itrs_km_skyfield", "itrs_km_astropy"):
        assert np.linalg.norm(position_m - np.array(point[oracle]) * 1e3) < 100.0
    assert np.linalg.norm(velocity_m_s - np.array(point["itrs_vel_km_s_skyfield"]) * 1e3) < 0.15


@given(st.floats(-1e7, 1e7), st.floats(-1e7, 1e7), st.floats(0.0, 6.3))
def test_rotation_has_an_inverse_and_keeps_length(x: float, y: float, angle: float) -> None:
    position, velocity = np.array([x, y, 3e6]), np.array([y / 1e3, 2e3, -x / 1e3])
    there = frames.teme_to_ecef(position, velocity, angle)
    back = frames.ecef_to_teme(*there, angle)
    assert np.linalg.norm(there[0]) == pytest.approx(np.linalg.norm(position))
    np.testing.assert_allclose(back[0], position, atol=1e-8)
    np.testing.assert_allclose(back[1], velocity, atol=1e-11)


def test_ecef_velocity_is_the_derivative_of_the_position() -> None:
    jd, fraction = frames.julian_date("2025-01-24T12:00:00Z")
    start_m, velocity_m_s = np.array([4e6, -5e6, 2e6]), np.array([3e3, 4e3, 5e3])
    half_s = 0.5
    ends = [
        frames.teme_to_ecef(
            start_m + velocity_m_s * sign * half_s,
            velocity_m_s,
            frames.gmst_rad(jd, fraction + sign * half_s / frames.SECONDS_PER_DAY),
        )[0]
        for sign in (-1, 1)
    ]
    _, got_m_s = frames.teme_to_ecef(start_m, velocity_m_s, frames.gmst_rad(jd, fraction))
    np.testing.assert_allclose(got_m_s, (ends[1] - ends[0]) / (2 * half_s), atol=2e-4)


def test_a_geostationary_satellite_stands_still() -> None:
    rate, radius_m = 7.292_115e-5, 42_164e3
    position, velocity = np.array([radius_m, 0.0, 0.0]), np.array([0.0, radius_m * rate, 0.0])
    np.testing.assert_allclose(frames.teme_to_ecef(position, velocity, 1.234)[1], 0.0, atol=1e-9)


def test_torch_tensors() -> None:
    angle = np.linspace(0.0, 6.0, 4)
    position, velocity = np.arange(12.0).reshape(4, 3) * 1e6, np.ones((4, 3)) * 1e3
    mine = frames.teme_to_ecef(*(torch.from_numpy(v) for v in (position, velocity, angle)))
    for got, expected in zip(mine, frames.teme_to_ecef(position, velocity, angle), strict=True):
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-14, atol=1e-9)
