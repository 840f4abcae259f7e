"""Antennas against TR 38.811, TR 38.821, F.1891, F.1245, pycraf's M.2101 values, and geometry worked by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from ntn_gym.physics import antenna_patterns, antennas, geometry
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M, SPEED_OF_LIGHT_M_S

REFERENCE = Path(__file__).parents[1] / "reference"
BESSEL = json.loads((REFERENCE / "3gpp_38811.json").read_text())["bessel_pattern_6_4_1"]
MASKS = json.loads((REFERENCE / "haps_antennas.json").read_text())
ARRAYS = json.loads((REFERENCE / "m2101_points.json").read_text())

# 3GPP TR 38.821 tables 6.1.1.1-1 and -2: diameter in m, frequency in Hz, printed 3 dB beamwidth in deg.
BEAMS = [
    (22.0, 2e9, 0.4011),
    (5.0, 20e9, 0.1765),
    (2.0, 2e9, 4.4127),
    (0.5, 20e9, 1.7647),
    (12.0, 2e9, 0.7353),
    (2.0, 20e9, 0.4412),
    (1.0, 2e9, 8.8320),
    (0.2, 20e9, 4.4127),
]


def diameter_m(ka: float, freq_hz: float) -> float:
    return ka * SPEED_OF_LIGHT_M_S / (math.pi * freq_hz)


@pytest.mark.parametrize("row", BESSEL["rows"], ids=lambda r: f"ka {r['ka']:.0f} {r['theta_deg']} deg")
def test_aperture_pattern_of_tr_38811(row: dict) -> None:
    size_m = diameter_m(row["ka"], 2e9)
    got_db = antennas.aperture_gain_db(math.radians(row["theta_deg"]), size_m, 2e9)
    # ka is printed with six decimals, which matters at -55 dB.
    assert got_db == pytest.approx(row["rel_gain_dB"], abs=1e-4)
    table = antennas.aperture_table(size_m, 2e9, floor_db=-60.0)
    fast_db = table.gain_db(math.sin(math.radians(row["theta_deg"])) ** 2)
    assert fast_db == pytest.approx(row["rel_gain_dB"], abs=0.01)


def test_aperture_pattern_at_its_limits() -> None:
    angles = np.array([0.0, 1e-9, 1e-6, math.pi / 2, math.pi / 2 + 1e-6, math.pi])
    gain = antennas.aperture_gain(angles, 1.0, 2e9)
    x = float(antennas.aperture_ka(1.0, 2e9))
    np.testing.assert_allclose(gain[:3], 1.0, atol=1e-9)
    assert gain[3] == pytest.approx((2 * special.jv(1, x) / x) ** 2)
    np.testing.assert_array_equal(gain[4:], 0.0)
    null = math.asin(special.jn_zeros(1, 1)[0] / x)
    assert antennas.aperture_gain_db(null, 1.0, 2e9) == -100.0
    assert antennas.aperture_gain_db(null, 1.0, 2e9, floor_db=-40.0) == pytest.approx(-40.0)
    first_lobe_db = antennas.aperture_gain_db(np.linspace(null, 2 * null, 2000), 1.0, 2e9).max()
    assert first_lobe_db == pytest.approx(-17.57, abs=0.01)  # uniform circular aperture (Balanis, table 12.1)


@pytest.mark.parametrize(("size_m", "freq_hz", "width_deg"), BEAMS)
def test_beamwidths_of_tr_38821(size_m: float, freq_hz: float, width_deg: float) -> None:
    width = antennas.half_power_beamwidth_rad(size_m, freq_hz)
    # The report rounds 1.6163 and takes c = 3e8.
    assert math.degrees(width) == pytest.approx(width_deg, rel=0.002)
    assert antennas.aperture_gain(width / 2, size_m, freq_hz) == pytest.approx(0.5, abs=1e-12)


def test_half_power_argument() -> None:
    ka = float(antennas.aperture_ka(2.0, 2e9))
    assert ka * math.sin(float(antennas.half_power_beamwidth_rad(2.0, 2e9)) / 2) == pytest.approx(
        BESSEL["half_power_x"], abs=1e-7
    )


@given(st.floats(-60.0, -0.01))
def test_angle_of_a_level_is_inside_the_main_lobe(level_db: float) -> None:
    angle = antennas.aperture_angle_rad(level_db, 1.0, 2e9)
    assert antennas.aperture_gain_db(angle, 1.0, 2e9) == pytest.approx(level_db, abs=1e-6)
    assert angle < math.asin(3.8318 / float(antennas.aperture_ka(1.0, 2e9)))


def test_impossible_levels_and_apertures_are_refused() -> None:
    with pytest.raises(ValueError, match=r"level_db=3\.0 must be between -200 and 0 dB"):
        antennas.aperture_angle_rad(3.0, 1.0, 2e9)
    with pytest.raises(ValueError, match=r"below 1\.62: .* enlarge diameter_m"):
        antennas.half_power_beamwidth_rad(np.array([1.0, 0.05]), 2e9)
    with pytest.raises(ValueError, match=r"floor_db=-80\.0 must be in -60\.\.-20 dB"):
        antennas.aperture_table(1.0, 2e9, -80.0)
    with pytest.raises(ValueError, match="must be positive"):
        antennas.aperture_table(0.0, 2e9)


def test_maximum_gain_of_tr_38821_needs_a_usual_efficiency() -> None:
    # 30 dBi from 2 m at 2 GHz and 38.5 dBi from 0.5 m at 20 GHz: efficiency 0.57 and 0.65.
    assert antennas.aperture_max_gain_dbi(2.0, 2e9, 0.57) == pytest.approx(30.0, abs=0.05)
    assert antennas.aperture_max_gain_dbi(0.5, 20e9, 0.646) == pytest.approx(38.5, abs=0.05)


@pytest.mark.parametrize(("size_m", "freq_hz"), [(1.0, 2e9), (2.0, 2e9), (0.5, 20e9), (22.0, 2e9), (30.0, 30e9)])
@pytest.mark.parametrize("floor_db", [-40.0, -50.0])
def test_table_error_is_as_stated(size_m: float, freq_hz: float, floor_db: float) -> None:
    table = antennas.aperture_table(size_m, freq_hz, floor_db)
    ka = table.ka
    angles = np.concatenate(
        [np.linspace(0.0, math.pi / 2, 40_000), np.arcsin(np.linspace(0.0, min(1.0, 70.0 / ka), 40_000))]
    )
    x = ka * np.sin(angles)
    exact = np.ones_like(x)
    exact[x > 0] = (2.0 * special.jv(1, x[x > 0]) / x[x > 0]) ** 2
    expected_db = 10.0 * np.log10(np.maximum(exact, 10.0 ** (floor_db / 10.0)))
    for got_db in (table.gain_db(np.sin(angles) ** 2), 10.0 * np.log10(table.gain(np.sin(angles) ** 2))):
        error_db = np.abs(got_db - expected_db)
        assert error_db[expected_db > -40.0].max() < 0.005
        assert error_db.max() < 0.02
        assert got_db.min() >= floor_db - 1e-5
    assert table.gain_db(np.zeros(3)).dtype == np.float32
    assert len(table.db) < 40_000


def test_table_survives_rounding_below_zero_and_runs_on_torch() -> None:
    table = antennas.aperture_table(1.0, 2e9)
    sin2 = np.array([[-1e-16, 0.01], [0.3, 1.0]])
    got = table.gain_db(sin2)
    assert got[0, 0] == 0.0 and np.isfinite(got).all()
    np.testing.assert_allclose(table.gain_db(torch.from_numpy(sin2)).numpy(), got, atol=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        table.db[0] = 1.0


def test_aperture_pattern_on_torch() -> None:
    angles = np.linspace(-2.0, 2.0, 50)
    mine = antennas.aperture_gain_db(torch.from_numpy(angles), 1.0, 2e9).numpy()
    np.testing.assert_allclose(mine, antennas.aperture_gain_db(angles, 1.0, 2e9), atol=1e-6)


# Masks and arrays ------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", MASKS["F1891"], ids=lambda r: f"{r['Gm_dBi']} dBi")
def test_f1891_reference_points(row: dict) -> None:
    angle_deg, expected_dbi = np.array(row["points"], dtype=float).T
    got_dbi = antenna_patterns.f1891_gain_dbi(np.radians(angle_deg), row["Gm_dBi"])
    np.testing.assert_allclose(got_dbi, expected_dbi, atol=1e-3)


def test_f1891_is_continuous_where_its_parts_meet() -> None:
    angle = np.radians(np.linspace(0.0, 180.0, 400_000))
    step_db = np.abs(np.diff(antenna_patterns.f1891_gain_dbi(angle, 30.0)))
    assert step_db.max() < 0.01


@pytest.mark.parametrize("row", MASKS["F1245"], ids=lambda r: f"{r['Gmax_dBi']} dBi")
def test_f1245_reference_points(row: dict) -> None:
    angle_deg, expected_dbi = np.array(row["points"], dtype=float).T
    got_dbi = antenna_patterns.f1245_gain_dbi(np.radians(angle_deg), row["Gmax_dBi"], row["D_over_lambda"])
    np.testing.assert_allclose(got_dbi, expected_dbi, atol=1e-3)


def test_f1245_takes_both_sizes_at_once() -> None:
    rows = MASKS["F1245"]
    both = antenna_patterns.f1245_gain_dbi(
        np.radians([5.0]), np.array([[r["Gmax_dBi"]] for r in rows]), np.array([[r["D_over_lambda"]] for r in rows])
    )
    expected = [dict(map(tuple, r["points"]))[5] for r in rows]
    np.testing.assert_allclose(both[:, 0], expected, atol=1e-3)


def test_gaussian_and_flat_top() -> None:
    angle = np.radians([0.0, 2.0, 4.0, 30.0])
    width = math.radians(4.0)
    np.testing.assert_allclose(antenna_patterns.gaussian_gain_dbi(angle, width, 30.0), [30, 27, 18, -645])
    np.testing.assert_allclose(
        antenna_patterns.gaussian_gain_dbi(angle, width, 30.0, max_attenuation_db=20.0), [30, 27, 18, 10]
    )
    np.testing.assert_allclose(antenna_patterns.flat_top_gain_dbi(-angle, width, 30.0, 25.0), [30.0, 30.0, 5.0, 5.0])
    np.testing.assert_array_equal(antenna_patterns.isotropic_gain_dbi(angle), 0.0)


@pytest.mark.parametrize("case", ARRAYS["cases"], ids=lambda c: f"{c['spacing_wavelengths']} {c['scan_deg']}")
def test_steered_array_of_m2101(case: dict) -> None:
    azimuth = np.radians(ARRAYS["azimuth_deg"])[:, None]
    zenith = np.radians(90.0 - np.array(ARRAYS["elevation_deg"]))
    element = antenna_patterns.m2101_element_gain_dbi(azimuth, zenith, 5.0)
    got = antenna_patterns.m2101_array_gain_dbi(
        azimuth,
        zenith,
        element,
        8,
        8,
        math.radians(case["scan_deg"]),
        math.radians(case["tilt_deg"]),
        case["spacing_wavelengths"],
        case["spacing_wavelengths"],
    )
    np.testing.assert_allclose(got, case["gain_dbi"], atol=1e-4)


@given(st.integers(1, 16), st.integers(1, 16), st.floats(-1.0, 1.0), st.floats(-0.7, 0.7))
def test_beam_peaks_where_it_is_steered(n_rows: int, n_columns: int, scan: float, tilt: float) -> None:
    direction = (scan, math.pi / 2 + tilt)
    element = antenna_patterns.m2101_element_gain_dbi(*direction)
    peak = antenna_patterns.m2101_array_gain_dbi(*direction, element, n_rows, n_columns, scan, tilt)
    assert peak - element == pytest.approx(10.0 * math.log10(n_rows * n_columns), abs=1e-6)


def test_array_nulls_are_bounded() -> None:
    # Two columns half a wavelength apart: exact null at 90 deg azimuth.
    got = antenna_patterns.m2101_array_gain_dbi(math.pi / 2, math.pi / 2, 0.0, 1, 2)
    assert got == -100.0


# Beams ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_rings", "n_beams"), [(0, 1), (1, 7), (2, 19), (3, 37), (4, 61)])
def test_hexagonal_layouts(n_rings: int, n_beams: int) -> None:
    centres = antennas.hexagonal_beams_uv(n_rings, 0.1)
    assert centres.shape == (n_beams, 2)
    np.testing.assert_array_equal(centres[0], 0.0)
    distances = np.linalg.norm(centres[:, None] - centres, axis=-1)
    np.fill_diagonal(distances, 1.0)
    if n_rings:
        np.testing.assert_allclose(distances.min(axis=1), 0.1)
        # Inner beams have six neighbours; ring k ends at 3 k (k + 1).
        inner = 1 + 3 * (n_rings - 1) * n_rings
        neighbours = np.sum(distances < 0.1001, axis=1)
        assert np.all(neighbours[:inner] == 6) and np.all(neighbours[inner:] < 6)
    radius = np.linalg.norm(centres, axis=1)
    for ring in range(1, n_rings + 1):
        members = radius[1 + 3 * (ring - 1) * ring : 1 + 3 * ring * (ring + 1)]
        assert members.max() == pytest.approx(0.1 * ring)
        assert members.min() >= 0.1 * ring * math.sqrt(3) / 2 - 1e-12


@pytest.mark.parametrize("n_colours", [3, 4, 7])
def test_reuse_patterns_have_the_right_distance(n_colours: int) -> None:
    centres = antennas.hexagonal_beams_uv(5, 1.0)
    colours = antennas.hexagonal_colours(5, n_colours)
    assert set(colours.tolist()) == set(range(n_colours))
    distances = np.linalg.norm(centres[:, None] - centres, axis=-1)
    same = (colours[:, None] == colours) & (distances > 0.0)
    # Reuse distance sqrt(3 N) cell radii = sqrt(N) spacings.
    assert distances[same].min() == pytest.approx(math.sqrt(n_colours))


def test_wrong_layouts_are_refused() -> None:
    assert set(antennas.hexagonal_colours(2, 1).tolist()) == {0}
    with pytest.raises(ValueError, match="n_colours=5 must be 1, 3, 4 or 7"):
        antennas.hexagonal_colours(2, 5)
    with pytest.raises(ValueError, match="n_rings=-1 must be >= 0"):
        antennas.hexagonal_beams_uv(-1, 0.1)
    with pytest.raises(ValueError, match=r"spacing=0\.0 must be positive"):
        antennas.hexagonal_beams_uv(1, 0.0)


def test_half_power_circles_of_neighbours_meet_in_one_point() -> None:
    width = math.radians(4.4127)
    spacing = float(antennas.beam_spacing_uv(width))
    triangle = np.array([[0.0, 0.0], [spacing, 0.0], [spacing / 2, spacing * math.sqrt(3) / 2]])
    to_corner = np.linalg.norm(triangle - triangle.mean(axis=0), axis=1)
    np.testing.assert_allclose(to_corner, math.sin(width / 2))
    # TR 38.821 set 1, LEO-600, S band: 0.0667 in the UV plane.
    assert spacing == pytest.approx(0.0667, abs=5e-5)


def test_directions_in_the_uv_plane() -> None:
    # A satellite over the equator at longitude 0, flying north: u is north, v is east (right of the flight).
    satellite, velocity = np.array([6.971e6, 0.0, 0.0]), np.array([0.0, 0.0, 7.5e3])
    users = np.array([[6.371e6, 0, 0], [6.371e6, 0, 1e5], [6.371e6, 1e5, 0], [6.371e6, 0, -1e5]])
    uv = antennas.uv_of_user(satellite, velocity, users)
    tilt = 1e5 / math.hypot(1e5, 6e5)
    np.testing.assert_allclose(uv, [[0, 0], [tilt, 0], [0, tilt], [-tilt, 0]], atol=1e-12)
    # A radial part of the velocity changes nothing.
    np.testing.assert_allclose(antennas.uv_of_user(satellite, velocity + np.array([50.0, 0, 0]), users), uv, atol=1e-12)
    tensors = (torch.from_numpy(v) for v in (satellite, velocity, users))
    np.testing.assert_allclose(antennas.uv_of_user(*tensors).numpy(), uv, atol=1e-12)


@given(st.floats(0.05, math.pi / 2), st.floats(0.0, 6.28), st.floats(2e5, 2e6), st.floats(0.0, 6.28))
def test_uv_radius_is_the_sine_of_the_nadir_angle(
    elevation: float, course: float, alt_m: float, heading: float
) -> None:
    satellite = geometry.spherical_to_ecef(0.7, 0.3, alt_m)
    basis = geometry.enu_basis(0.7, 0.3)
    velocity = 7e3 * (math.sin(heading) * basis[0] + math.cos(heading) * basis[1])
    central = float(geometry.central_angle_rad(elevation, alt_m))
    lat, lon = geometry.great_circle_destination(0.7, 0.3, course, central * EARTH_MEAN_RADIUS_M)
    uv = antennas.uv_of_user(satellite, velocity, geometry.spherical_to_ecef(lat, lon, 0.0))
    nadir = float(geometry.nadir_angle_rad(elevation, alt_m))
    assert math.hypot(*uv) == pytest.approx(math.sin(nadir), abs=1e-9)
    turn = math.atan2(uv[1], uv[0]) - (course - heading)
    assert abs(math.remainder(turn, 2 * math.pi)) * math.sin(nadir) < 1e-8


@given(st.floats(1e-7, 3.1))
def test_squared_sine_of_small_angles(angle: float) -> None:
    a = np.array([0.6, 0.0, 0.8])
    b = math.cos(angle) * a + math.sin(angle) * np.array([0.8, 0.0, -0.6])
    assert antennas.sin2_between(a, b) == pytest.approx(math.sin(angle) ** 2, rel=1e-6, abs=1e-20)
