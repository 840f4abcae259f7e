"""Small public functions by themselves, against NumPy, constants of nature and the positions of the Sun of pvlib."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from ntn_gym.physics import antennas, gases, geometry, optical_link, pathloss, sun
from ntn_gym.physics.frames import julian_date
from ntn_gym.physics.stochastic import association, sphere

SOLAR = json.loads((Path(__file__).parents[1] / "reference" / "solar_points.json").read_text())["points"]


def test_vectors_against_numpy() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 7, 5, 3))
    np.testing.assert_allclose(sphere.cross(a, b), np.cross(a, b), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(sphere.norm(a), np.linalg.norm(a, axis=-1), rtol=1e-12)


def test_least_eligible_against_a_masked_array() -> None:
    rng = np.random.default_rng(1)
    cost, eligible = rng.random((50, 8)), rng.random((50, 8)) < 0.3
    cost[~eligible] = np.nan
    expected = np.where(eligible.any(axis=-1), np.ma.masked_array(cost, ~eligible).argmin(axis=-1), -1)
    np.testing.assert_array_equal(association.least_eligible(cost, eligible), expected)
    assert (expected == -1).any() and (expected >= 0).any()


def test_table_lookup_against_numpy_interpolation() -> None:
    values = (0.3, 0.1, 0.9, 4.0, -2.0, 1.0, 1.5, 0.0, 7.0)
    grid_rad = np.radians(np.arange(10.0, 91.0, 10.0))
    elevation = np.linspace(0.0, math.pi / 2, 333)
    np.testing.assert_allclose(
        pathloss.table_lookup(values, elevation), np.interp(elevation, grid_rad, values), rtol=1e-12, atol=1e-13
    )
    nearest = np.abs(elevation[:, None] - grid_rad).argmin(axis=-1)
    # 15, 25, ... deg are ties.
    tie = np.abs(np.degrees(elevation) % 10.0 - 5.0) < 1e-3
    got = pathloss.table_lookup(values, elevation, "nearest")
    np.testing.assert_array_equal(got[~tie], np.array(values)[nearest][~tie])


def test_hexagonal_axial_numbers_against_counting() -> None:
    for rings in range(5):
        cells = antennas.hexagonal_axial(rings)
        # All lattice points within so many steps of the centre, each once.
        within = {
            (q, r)
            for q in range(-rings, rings + 1)
            for r in range(-rings, rings + 1)
            if max(abs(q), abs(r), abs(q + r)) <= rings
        }
        assert {tuple(cell) for cell in cells.tolist()} == within
        assert len(cells) == len(within) == 1 + 3 * rings * (rings + 1)
    steps = np.abs(np.c_[cells, cells.sum(axis=-1)]).max(axis=-1)
    assert (np.diff(steps) >= 0).all()  # ring by ring


def test_vapour_pressure_against_the_ideal_gas() -> None:
    # e = rho R T / M with R = 8.314 462 618 J/(mol K), M = 18.015 28 g/mol; P.676 rounds M / R to 216.7 g K/(m^3 hPa).
    density, temperature_k = np.array([0.5, 7.5, 20.0]), np.array([260.0, 288.15, 303.0])
    ideal_hpa = density * 8.314_462_618 * temperature_k / 18.015_28 / 100.0
    np.testing.assert_allclose(gases.vapour_pressure_hpa(density, temperature_k), ideal_hpa, rtol=2e-4)


def test_photon_limited_rate_by_hand() -> None:
    # A photon of 1550 nm has 0.799 899 eV; 10 photons a bit and 1 nW give 780 Mbit/s.
    photon_j = 1.239_841_984e-6 / 1550e-9 * 1.602_176_634e-19
    rate = float(optical_link.photon_limited_rate_bit_s(1e-9, 1550e-9, 10.0))
    assert rate == pytest.approx(1e-9 / (10 * photon_j), rel=1e-9)
    assert rate == pytest.approx(780e6, rel=1e-3)


@pytest.mark.parametrize("point", SOLAR, ids=lambda p: f"{p['site']} {p['utc']}")
def test_sun_direction_of_the_reference(point: dict) -> None:
    direction = sun.sun_direction_ecef(*julian_date(point["utc"]))
    assert float(np.linalg.norm(direction)) == pytest.approx(1.0, abs=1e-12)
    east, north, up = geometry.enu_basis(math.radians(point["lat"]), math.radians(point["lon"])) @ direction
    # Seen from the Earth's centre: the parallax of 0.0024 deg is within the tolerance.
    assert math.degrees(math.asin(up)) == pytest.approx(point["elev_geom_deg"], abs=0.01)
    off_deg = (math.degrees(math.atan2(east, north)) - point["azimuth_deg"] + 180.0) % 360.0 - 180.0
    assert abs(off_deg) * math.hypot(east, north) < 0.01
