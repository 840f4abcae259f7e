"""The sun against NREL's algorithm (pvlib) and against integrals of it over a day."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.physics import frames, sun

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "solar_points.json").read_text())
LON_DEG = {"equator": 0.0, "Bremen": 8.8, "Tokyo": 139.69, "Nairobi": 36.82, "Svalbard": 15.39, "Perth": 115.86}


def unit(elev_rad, azimuth_rad):
    across = np.cos(elev_rad)
    return np.stack((across * np.sin(azimuth_rad), across * np.cos(azimuth_rad), np.sin(elev_rad)), axis=-1)


@pytest.mark.parametrize("row", REFERENCE["points"], ids=lambda row: f"{row['site']} {row['utc']}")
def test_position_and_irradiance(row):
    jd, fraction = frames.julian_date(row["utc"])
    elev, azimuth = sun.sun_angles_rad(math.radians(row["lat"]), math.radians(row["lon"]), jd, fraction)
    assert math.degrees(float(elev)) == pytest.approx(row["elev_geom_deg"], abs=0.002)
    theirs = unit(math.radians(row["elev_geom_deg"]), math.radians(row["azimuth_deg"]))
    apart = math.degrees(math.asin(np.linalg.norm(np.cross(unit(float(elev), float(azimuth)), theirs))))
    assert apart < 0.002
    ours = sun.extraterrestrial_irradiance_w_m2(jd, fraction, 1366.1)
    assert float(ours) == pytest.approx(row["E0_W_m2"], rel=5e-5)


# pvlib 0.16.1, nrel_numpy, at sea level: far from the year of the points above.
@pytest.mark.parametrize(
    ("utc", "lat_deg", "lon_deg", "elev_deg"), json.loads((Path(__file__).parent / "sun_1950_2050.json").read_text())
)
def test_position_over_a_century(utc, lat_deg, lon_deg, elev_deg):
    jd, fraction = frames.julian_date(utc)
    elev, _ = sun.sun_angles_rad(math.radians(lat_deg), math.radians(lon_deg), jd, fraction)
    assert math.degrees(float(elev)) == pytest.approx(elev_deg, abs=0.002)


@pytest.mark.parametrize("row", REFERENCE["daily"], ids=lambda row: f"{row['site']} {row['date']}")
def test_energy_and_daylight_of_a_day(row):
    jd, _ = frames.julian_date(row["date"] + "T00:00:00Z")
    lat, lon = math.radians(row["lat"]), math.radians(LON_DEG[row["site"]])
    fraction = (np.arange(1440) + 0.5) / 1440
    elev, _ = sun.sun_angles_rad(lat, lon, jd, fraction)
    irradiance = sun.extraterrestrial_irradiance_w_m2(jd, fraction, 1366.1)
    energy = float((irradiance * np.clip(np.sin(elev), 0, None)).sum()) * 60
    assert energy / 3.6e6 == pytest.approx(row["toa_horizontal_kWh_m2_day"], rel=1e-3, abs=1e-9)
    # The closed forms, with the declination of local noon: the reference counts the day of UTC in minutes.
    noon = 0.5 - LON_DEG[row["site"]] / 360
    _, declination, _ = sun.sun_apparent(jd, noon)
    closed = sun.daily_horizontal_energy_j_m2(lat, declination, sun.extraterrestrial_irradiance_w_m2(jd, noon, 1366.1))
    assert float(closed) == pytest.approx(energy, rel=3e-3, abs=1e-6)
    assert float(sun.daylight_s(lat, declination)) / 3600 == pytest.approx(row["daylight_h_geometric0"], abs=0.03)
    with_dip = sun.daylight_s(lat, declination, -sun.horizon_dip_rad(20e3))
    assert float(with_dip) / 3600 == pytest.approx(row["daylight_h_at_20km_with_dip"], abs=0.03)


def test_horizon_dip():
    assert math.degrees(float(sun.horizon_dip_rad(20e3))) == pytest.approx(4.53, abs=0.005)
    assert float(sun.horizon_dip_rad(20e3)) == pytest.approx(math.acos(6371 / 6391), rel=1e-12)
    # Close to the ground: sqrt(2 h / R).
    assert float(sun.horizon_dip_rad(1e-3)) == pytest.approx(math.sqrt(2e-3 / 6371e3), rel=1e-6)
    assert float(sun.horizon_dip_rad(0.0)) == 0.0


def test_seasons():
    # Equinox of 2025: 20 March 09:01 UTC; solstices: 21 June 02:42, 21 December 15:03; perihelion: 4 January 13:28.
    _, declination, _ = sun.sun_apparent(*frames.julian_date("2025-03-20T09:01:00Z"))
    assert math.degrees(float(declination)) == pytest.approx(0.0, abs=0.001)
    jd, _ = frames.julian_date("2025-01-01T00:00:00Z")
    days = np.arange(0, 365, 1 / 48)
    _, declination, distance = sun.sun_apparent(jd, days)
    assert days[declination.argmax()] == pytest.approx(171 + 2.7 / 24, abs=0.15)
    assert days[declination.argmin()] == pytest.approx(354 + 15.05 / 24, abs=0.15)
    assert days[distance[: 48 * 180].argmin()] == pytest.approx(3 + 13.47 / 24, abs=0.3)
    assert math.degrees(declination.max()) == pytest.approx(23.44, abs=0.01)


@given(st.floats(-1.55, 1.55), st.floats(-0.409, 0.409), st.floats(0.0, 30e3))
@settings(deadline=None)
def test_a_platform_sees_more_sun_than_the_ground(lat, declination, alt_m):
    ground = float(sun.daylight_s(lat, declination))
    platform = float(sun.daylight_s(lat, declination, -sun.horizon_dip_rad(alt_m)))
    assert 0 <= ground <= platform <= 86_400 * (1 + 1e-12)
    north_and_south = ground + float(sun.daylight_s(-lat, declination))
    assert north_and_south == pytest.approx(86_400, abs=0.01)
    energy = float(sun.daily_horizontal_energy_j_m2(lat, declination, 1361.0))
    assert -1e-3 <= energy <= 1361.0 * 86_400


def test_torch_gives_the_same_numbers():
    jd, _ = frames.julian_date("2025-05-05T00:00:00Z")
    fraction = np.linspace(0, 1, 13)
    elev, azimuth = sun.sun_angles_rad(0.9, 0.2, jd, fraction)
    theirs = sun.sun_angles_rad(0.9, 0.2, jd, torch.from_numpy(fraction))
    np.testing.assert_allclose(theirs[0].numpy(), elev, atol=1e-9)
    np.testing.assert_allclose(theirs[1].numpy(), azimuth, atol=1e-9)
