"""Classes of orbits, the geostationary orbit and sub-points against skyfield and known angles."""

import math

import numpy as np
import pytest
from skyfield.api import wgs84

from ntn_gym.physics import geometry, orbit_classes


@pytest.mark.parametrize(
    ("alt_m", "expected"),
    [
        (20e3, "HAPS"),
        (550e3, "LEO"),
        (1200e3, "LEO"),
        (8062e3, "MEO"),
        (20_200e3, "MEO"),
        (35_786e3, "GEO"),
        (3000e3, None),
    ],
)
def test_classes_of_tr_38811(alt_m: float, expected: str | None) -> None:
    assert orbit_classes.orbit_class(alt_m) == expected


@pytest.mark.parametrize("alt_m", [0.0, -1.0, math.nan])
def test_altitudes_that_are_none(alt_m: float) -> None:
    with pytest.raises(ValueError, match=r"alt_m: got .* must be a positive number of m"):
        orbit_classes.orbit_class(alt_m)


def test_geostationary_orbit() -> None:
    # ITU-R S.1503: 42,164.2 km, 35,786.1 km above the equator.
    assert orbit_classes.GEOSTATIONARY_RADIUS_M == pytest.approx(42_164.2e3, abs=100.0)
    assert orbit_classes.GEOSTATIONARY_ALTITUDE_M == pytest.approx(35_786.1e3, abs=100.0)
    position_m = orbit_classes.geostationary_position_m(np.radians([0.0, 90.0, -75.0]))
    assert position_m.shape == (3, 3)
    lat, lon, alt_m = geometry.ecef_to_geodetic(position_m)
    np.testing.assert_allclose(np.degrees(lon), [0.0, 90.0, -75.0], atol=1e-12)
    np.testing.assert_allclose(lat, 0.0, atol=1e-15)
    np.testing.assert_allclose(alt_m, orbit_classes.GEOSTATIONARY_ALTITUDE_M, atol=1e-6)


def test_look_angle_to_astra_from_bremen() -> None:
    # 19.2 E from 53.08 N 8.80 E: published dish pointing is 28.6 deg elevation, azimuth 167 deg.
    lat, lon = math.radians(53.08), math.radians(8.80)
    central = float(orbit_classes.central_angle_to_geostationary_rad(lat, lon, math.radians(19.2)))
    assert math.cos(central) == pytest.approx(math.cos(lat) * math.cos(math.radians(10.4)), abs=1e-15)
    site_m = geometry.geodetic_to_ecef(lat, lon, 0.0)
    target_m = orbit_classes.geostationary_position_m(math.radians(19.2))
    azimuth, elevation, _ = geometry.look_angles(site_m, lat, lon, target_m)
    spherical = geometry.elevation_from_central_angle_rad(central, orbit_classes.GEOSTATIONARY_ALTITUDE_M, 6_378_137.0)
    assert math.degrees(elevation) == pytest.approx(math.degrees(spherical), abs=0.2)
    assert math.degrees(azimuth) == pytest.approx(167.1, abs=0.2)
    with pytest.raises(ValueError, match="lat_rad"):
        orbit_classes.central_angle_to_geostationary_rad(53.08, lon, 0.3)


def test_sub_points_are_those_of_skyfield() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(20, 3))
    position_m = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True) * rng.uniform(6.6e6, 4.3e7, (20, 1))
    lat, lon, height_m, point_m = orbit_classes.sub_point(position_m)
    expected_m = np.array(
        [wgs84.latlon(math.degrees(a), math.degrees(b), 0.0).itrs_xyz.m for a, b in zip(lat, lon, strict=True)]
    )
    np.testing.assert_allclose(point_m, expected_m, atol=1e-3)
    # The satellite is straight above its sub-point.
    np.testing.assert_allclose(np.linalg.norm(position_m - point_m, axis=-1), height_m, atol=1e-6)
    up = geometry.enu_basis(lat, lon)[:, 2]
    np.testing.assert_allclose((position_m - point_m) / height_m[:, None], up, atol=1e-12)
