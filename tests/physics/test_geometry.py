"""Geometry against skyfield's look angles, the slant ranges of TR 38.811, and properties."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skyfield.api import wgs84

from ntn_gym.physics import geometry
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M

REFERENCE = Path(__file__).parents[1] / "reference"
SLANT = json.loads((REFERENCE / "3gpp_38811.json").read_text())["slant_range_fspl_points"]["rows"]
ORBITS = json.loads((REFERENCE / "orbit_points.json").read_text())
WALKER = json.loads((REFERENCE / "walker_points.json").read_text())

latitudes = st.floats(-math.pi / 2, math.pi / 2)
longitudes = st.floats(-math.pi, math.pi)
elevations = st.floats(0.0, math.pi / 2)
altitudes = st.floats(1e3, 4e7)


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg", "alt_m"), [(53.1066, 8.8527, 12.0), (-89.9, 170.0, 2800.0), (0.0, -78.5, 20e3)]
)
def test_geodetic_positions_are_those_of_skyfield(lat_deg: float, lon_deg: float, alt_m: float) -> None:
    expected_m = wgs84.latlon(lat_deg, lon_deg, alt_m).itrs_xyz.m
    got_m = geometry.geodetic_to_ecef(math.radians(lat_deg), math.radians(lon_deg), alt_m)
    np.testing.assert_allclose(got_m, expected_m, atol=1e-4)


@pytest.mark.parametrize("point", ORBITS["points"], ids=lambda p: f"{p['name']} {p['utc']}")
def test_sub_satellite_points_are_those_of_skyfield(point: dict) -> None:
    lat, lon, alt_m = geometry.ecef_to_geodetic(np.array(point["itrs_km_skyfield"]) * 1e3)
    assert math.degrees(lat) == pytest.approx(point["subpoint"]["lat_deg"], abs=2e-6)
    assert math.degrees(lon) == pytest.approx(point["subpoint"]["lon_deg"], abs=2e-6)
    assert alt_m == pytest.approx(point["subpoint"]["alt_km"] * 1e3, abs=0.01)


@given(latitudes, longitudes, st.floats(-1e4, 5e7))
def test_geodetic_round_trip_below_a_micrometre(lat: float, lon: float, alt_m: float) -> None:
    position_m = geometry.geodetic_to_ecef(lat, lon, alt_m)
    again_m = geometry.geodetic_to_ecef(*geometry.ecef_to_geodetic(position_m))
    assert np.linalg.norm(again_m - position_m) < 1e-6


def test_poles_and_the_axis_have_no_special_case() -> None:
    lat, _, alt_m = geometry.ecef_to_geodetic(np.array([[0.0, 0.0, 6_400_000.0], [0.0, 0.0, -6_400_000.0]]))
    np.testing.assert_allclose(lat, [math.pi / 2, -math.pi / 2], atol=1e-15)
    np.testing.assert_allclose(alt_m, 6_400_000.0 - 6_356_752.314_245, atol=1e-5)  # polar radius of WGS 84


@pytest.mark.parametrize("point", ORBITS["points"], ids=lambda p: f"{p['name']} {p['utc']}")
def test_look_angles_and_range_rate_are_those_of_skyfield(point: dict) -> None:
    satellite_m = np.array(point["itrs_km_skyfield"]) * 1e3
    velocity_m_s = np.array(point["itrs_vel_km_s_skyfield"]) * 1e3
    for look in point["look"]:
        lat, lon = math.radians(look["lat"]), math.radians(look["lon"])
        site_m = geometry.geodetic_to_ecef(lat, lon, look["alt_m"])
        azimuth, elevation, range_m = geometry.look_angles(site_m, lat, lon, satellite_m)
        assert math.degrees(azimuth) == pytest.approx(look["az_deg"], abs=1e-4)
        assert math.degrees(elevation) == pytest.approx(look["el_deg"], abs=1e-4)
        assert range_m == pytest.approx(look["range_km"] * 1e3, abs=1.0)
        rate = geometry.range_rate_m_s(satellite_m - site_m, velocity_m_s)
        assert rate == pytest.approx(look["range_rate_km_s"] * 1e3, abs=0.1)


@given(latitudes, longitudes, st.floats(0.0, 2 * math.pi), st.floats(1e-9, 1e-6))
def test_elevation_keeps_its_precision_at_the_zenith(lat: float, lon: float, azimuth: float, off: float) -> None:
    basis = geometry.enu_basis(lat, lon)
    site_m = geometry.spherical_to_ecef(lat, lon, 0.0)
    direction = math.sin(azimuth) * basis[0] + math.cos(azimuth) * basis[1]
    target_m = site_m + 500e3 * (math.sin(off) * direction + math.cos(off) * basis[2])
    _, elevation, _ = geometry.look_angles(site_m, lat, lon, target_m)
    # 1e-14 rad x 6.9e6 m is the rounding of the positions; an arc sine would err by 1e-8 rad here.
    assert math.pi / 2 - elevation == pytest.approx(off, abs=1e-14)


def test_azimuth_stays_in_its_interval() -> None:
    target_m = np.array([[6.4e6, -1e-12, 1e6], [6.4e6, 1e-12, 1e6], [7e6, 0.0, 0.0]])
    azimuth, _, _ = geometry.look_angles(np.array([6.371e6, 0.0, 0.0]), 0.0, 0.0, target_m)
    assert np.all((azimuth >= 0.0) & (azimuth < 2 * math.pi))
    assert azimuth[2] == 0.0


@given(latitudes, longitudes)
def test_enu_basis_is_a_right_handed_rotation(lat: float, lon: float) -> None:
    basis = geometry.enu_basis(lat, lon)
    np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-15)
    assert np.linalg.det(basis) == pytest.approx(1.0)


@pytest.mark.parametrize("row", SLANT, ids=lambda r: f"{r['h_km']} km {r['el_deg']} deg")
def test_slant_range_of_tr_38811(row: dict) -> None:
    got_m = geometry.slant_range_m(math.radians(row["el_deg"]), row["h_km"] * 1e3)
    assert got_m == pytest.approx(row["slant_km"] * 1e3, abs=0.1)


@pytest.mark.parametrize("name", WALKER["constellations"])
def test_coverage_half_angle(name: str) -> None:
    row = WALKER["constellations"][name]
    angle = geometry.coverage_half_angle_rad(math.radians(10.0), row["alt_km"] * 1e3, 6_378_137.0)
    assert math.degrees(angle) == pytest.approx(row["max_coverage_half_angle_el10_deg"], abs=1e-5)


@given(elevations, altitudes)
def test_triangle_of_terminal_platform_and_earth_centre(elevation: float, alt_m: float) -> None:
    central = float(geometry.central_angle_rad(elevation, alt_m))
    nadir = float(geometry.nadir_angle_rad(elevation, alt_m))
    range_m = float(geometry.slant_range_m(elevation, alt_m))
    orbit_m = EARTH_MEAN_RADIUS_M + alt_m
    assert elevation + nadir + central == pytest.approx(math.pi / 2, abs=1e-9)
    cosine_rule_m2 = EARTH_MEAN_RADIUS_M**2 + orbit_m**2 - 2 * EARTH_MEAN_RADIUS_M * orbit_m * math.cos(central)
    assert range_m**2 == pytest.approx(cosine_rule_m2, rel=1e-6, abs=1.0)
    assert math.sin(nadir) == pytest.approx(EARTH_MEAN_RADIUS_M * math.cos(elevation) / orbit_m, abs=1e-12)


@given(elevations, altitudes)
def test_elevation_and_central_angle_are_inverse(elevation: float, alt_m: float) -> None:
    central = geometry.central_angle_rad(elevation, alt_m)
    assert geometry.elevation_from_central_angle_rad(central, alt_m) == pytest.approx(elevation, abs=1e-9)


def test_elevation_below_the_horizon() -> None:
    central = np.radians([30.0, 90.0, 180.0])
    got = geometry.elevation_from_central_angle_rad(central, 550e3)
    orbit_m = EARTH_MEAN_RADIUS_M + 550e3
    expected = np.arctan2(orbit_m * np.cos(central) - EARTH_MEAN_RADIUS_M, orbit_m * np.sin(central))
    np.testing.assert_allclose(got, expected, atol=1e-12)
    assert got[0] < 0.0
    assert got[2] == pytest.approx(-math.pi / 2)


def test_horizon_and_footprint() -> None:
    # Earth's angular radius of 8.69 deg from the geostationary orbit; half the sphere from infinity.
    assert math.degrees(geometry.horizon_half_angle_rad(35_786e3)) == pytest.approx(8.69, abs=0.01)
    assert geometry.footprint_area_m2(0.0, 1e15) == pytest.approx(2 * math.pi * EARTH_MEAN_RADIUS_M**2)
    # A cap is 2 pi R^2 h / (R + h) at the horizon.
    assert geometry.footprint_area_m2(0.0, 20e3) == pytest.approx(
        2 * math.pi * EARTH_MEAN_RADIUS_M**2 * 20e3 / (EARTH_MEAN_RADIUS_M + 20e3)
    )


def test_great_circle_from_frankfurt_to_tokyo() -> None:
    # Worked by the spherical law of cosines with R = 6371 km.
    lat0, lon0, lat1, lon1 = (math.radians(v) for v in (50.0, 8.5, 35.7, 139.7))
    cosine = math.sin(lat0) * math.sin(lat1) + math.cos(lat0) * math.cos(lat1) * math.cos(lon1 - lon0)
    distance_m = geometry.great_circle_distance_m(lat0, lon0, lat1, lon1)
    assert distance_m == pytest.approx(6371e3 * math.acos(cosine), rel=1e-12)
    assert geometry.great_circle_distance_m(0.0, 0.0, 0.0, math.pi) == pytest.approx(math.pi * 6371e3)


@given(st.floats(-1.55, 1.55), longitudes, st.floats(0.0, 2 * math.pi), st.floats(1.0, 0.99 * math.pi * 6_371_000.0))
def test_destination_lies_at_its_distance(lat: float, lon: float, course: float, distance_m: float) -> None:
    lat1, lon1 = geometry.great_circle_destination(lat, lon, course, distance_m)
    assert -math.pi <= lon1 <= math.pi
    assert geometry.great_circle_distance_m(lat, lon, lat1, lon1) == pytest.approx(distance_m, abs=1e-5, rel=1e-9)


def test_destination_on_the_cardinal_courses() -> None:
    quarter_m = 0.5 * math.pi * EARTH_MEAN_RADIUS_M
    lat, lon = geometry.great_circle_destination(0.0, 3.0, np.array([0.0, math.pi / 2]), quarter_m)
    assert lat[0] == pytest.approx(math.pi / 2)
    assert lat[1] == pytest.approx(0.0, abs=1e-15)
    assert lon[1] == pytest.approx(3.0 + math.pi / 2 - 2 * math.pi)


def test_torch_and_numpy_agree_and_keep_float32() -> None:
    rng = np.random.default_rng(1)
    lat, lon, alt_m = rng.uniform(-1.5, 1.5, (4, 1)), rng.uniform(-3, 3, (4, 1)), rng.uniform(0, 1e6, (1, 5))
    numpy_m = geometry.geodetic_to_ecef(lat, lon, alt_m)
    tensor_m = geometry.geodetic_to_ecef(*(torch.from_numpy(v) for v in (lat, lon, alt_m)))
    assert numpy_m.shape == (4, 5, 3)
    np.testing.assert_allclose(tensor_m.numpy(), numpy_m, rtol=1e-14)
    for mine, theirs in zip(geometry.ecef_to_geodetic(tensor_m), geometry.ecef_to_geodetic(numpy_m), strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs, atol=1e-7)
    angles = geometry.look_angles(tensor_m[:, :1], torch.from_numpy(lat), torch.from_numpy(lon), tensor_m + 1e5)
    expected = geometry.look_angles(numpy_m[:, :1], lat, lon, numpy_m + 1e5)
    for mine, theirs in zip(angles, expected, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs, rtol=1e-9)
    assert geometry.slant_range_m(np.float32([0.3, 0.4]), 5e5).dtype == np.float32
    assert geometry.slant_range_m(torch.tensor([0.3]), 5e5).dtype == torch.float32


def test_link_budget_distances_of_tr_38821() -> None:
    # Table 4.2-2, largest distance at 10 deg elevation: 1932, 3131 and 40,581 km.
    assert geometry.slant_range_m(math.radians(10.0), 600e3) == pytest.approx(1_932e3, abs=500.0)
    assert geometry.slant_range_m(math.radians(10.0), 1200e3) == pytest.approx(3_131e3, abs=500.0)
    assert geometry.slant_range_m(math.radians(10.0), 35_786e3) == pytest.approx(40_581e3, abs=500.0)
