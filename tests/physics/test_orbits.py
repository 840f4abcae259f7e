"""Orbits: Walker points, J2 drift, SGP4 states, the reading of two-line elements, and interpolation."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym import data
from ntn_gym.physics import orbits, tle
from ntn_gym.physics.constants import EARTH_EQUATORIAL_RADIUS_M, EARTH_MEAN_RADIUS_M
from ntn_gym.physics.frames import julian_date

REFERENCE = Path(__file__).parents[1] / "reference"
WALKER = json.loads((REFERENCE / "walker_points.json").read_text())
ORBITS = json.loads((REFERENCE / "orbit_points.json").read_text())
DOPPLER = json.loads((REFERENCE / "3gpp_38811.json").read_text())["doppler_max"]["rows"]
IRIDIUM = "tle_iridium_next_2025-01-23.txt"


def shell_of(row: dict) -> orbits.WalkerShell:
    pattern = "star" if row["pattern"].startswith("star") else "delta"
    return orbits.WalkerShell(row["T"], row["P"], row["F"], row["inc_deg"], row["alt_km"] * 1e3, pattern, name="test")


@pytest.mark.parametrize("name", WALKER["constellations"])
def test_walker_reference_points(name: str) -> None:
    row = WALKER["constellations"][name]
    shell = shell_of(row)
    assert orbits.period_s(shell.orbit_radius_m) == pytest.approx(row["period_s"], abs=1e-3)
    assert orbits.speed_m_s(shell.orbit_radius_m) == pytest.approx(row["v_km_s"] * 1e3, abs=1e-3)
    raan, latitude = orbits.walker_elements(shell)
    for sample in row["samples"]:
        index = sample["plane"] * (shell.total // shell.planes) + sample["slot"]
        assert math.degrees(raan[index]) == pytest.approx(sample["raan_deg"], abs=1e-6)
        assert math.degrees(latitude[index]) == pytest.approx(sample["u_deg"], abs=1e-6)
    # The states were computed from the angles as printed, to 1e-6 deg, so they are compared at those.
    raan, latitude = (np.radians([sample[key] for sample in row["samples"]]) for key in ("raan_deg", "u_deg"))
    position_m, _ = orbits.propagate_circular(raan, latitude, shell.inclination_rad, shell.orbit_radius_m, [0.0])
    np.testing.assert_allclose(
        position_m[:, 0] / 1e3, [sample["eci_km_t0"] for sample in row["samples"]], rtol=0, atol=2e-6
    )


def test_walker_phases_of_the_last_plane_wrap_to_the_first() -> None:
    shell = orbits.WalkerShell(24, 3, 1, 60.0, 1e6)
    _, latitude = orbits.walker_elements(shell)
    planes = latitude.reshape(3, 8)
    # Stepping over all P planes shifts the pattern by F slots: 360 F P / T = 45 deg here, one slot.
    np.testing.assert_allclose(planes[0] + 3 * 2 * math.pi / 24, np.r_[planes[0][1:], 2 * math.pi], atol=1e-12)
    np.testing.assert_allclose(planes[1] - planes[0], 2 * math.pi / 24, atol=1e-12)
    assert shell.satellite_names[9] == "walker-01-01"


@pytest.mark.parametrize("row", WALKER["j2_nodal_drift"], ids=lambda r: f"{r['alt_km']} km")
def test_node_drift(row: dict) -> None:
    drift = orbits.node_drift_rad_s(EARTH_EQUATORIAL_RADIUS_M + row["alt_km"] * 1e3, math.radians(row["inc_deg"]))
    assert math.degrees(drift) * 86_400 == pytest.approx(row["raan_rate_deg_day"], abs=1e-6)


def test_node_drift_agrees_with_sgp4() -> None:
    # SGP4's own secular rate, from the angular momentum of a Starlink orbit a day apart, to 0.2 %.
    satellite = tle.parse_tle(data.read_text("tle_starlink_53deg_550km_2025-01-23.txt"))[0]
    jd, _ = julian_date(satellite.epoch_utc)
    position, velocity = tle.propagate_tle([satellite], jd, np.array([1.0, 2.0]))
    normal = np.cross(position[0], velocity[0])
    node_deg = np.degrees(np.arctan2(normal[:, 0], -normal[:, 1]))
    record = satellite.record
    radius_m = float(np.cbrt(3.986_004_418e14 / (record.no_kozai / 60.0) ** 2))
    expected = math.degrees(orbits.node_drift_rad_s(radius_m, record.inclo)) * 86_400
    assert node_deg[1] - node_deg[0] == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("row", DOPPLER, ids=lambda r: f"{r['h_km']} km")
def test_speed_of_tr_38811(row: dict) -> None:
    assert orbits.speed_m_s(EARTH_MEAN_RADIUS_M + row["h_km"] * 1e3) == pytest.approx(row["v_sat_km_s"] * 1e3, abs=0.01)


@pytest.mark.parametrize("node_drift", [False, True])
def test_circular_velocity_is_the_derivative_of_the_position(node_drift: bool) -> None:
    time_s = np.array([999.9, 1000.0, 1000.1])
    position, velocity = orbits.propagate_circular(
        [0.3, 2.0], [1.0, 5.0], math.radians(53.0), 6.928e6, time_s, node_drift
    )
    slope = (position[:, 2] - position[:, 0]) / 0.2
    np.testing.assert_allclose(velocity[:, 1], slope, atol=2e-4)
    np.testing.assert_allclose(np.linalg.norm(position, axis=-1), 6.928e6, rtol=1e-14)


def test_circular_orbit_returns_after_a_period_without_drift() -> None:
    period_s = float(orbits.period_s(7.0e6))
    position, _ = orbits.propagate_circular(0.5, 1.0, 1.2, 7.0e6, [0.0, period_s], node_drift=False)
    np.testing.assert_allclose(position[0, 1], position[0, 0], atol=1e-6)


def test_circular_orbits_on_torch() -> None:
    arguments = (np.array([0.1, 0.2]), np.array([1.0, 2.0]), np.array(0.9), np.array(7e6), np.arange(3.0))
    expected = orbits.propagate_circular(*arguments)
    mine = orbits.propagate_circular(*(torch.from_numpy(value) for value in arguments))
    for got, value in zip(mine, expected, strict=True):
        np.testing.assert_allclose(got.numpy(), value, rtol=1e-13, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"planes": 5}, r"total=66 must be a positive multiple of planes=5"),
        ({"phasing": 6}, r"phasing=6 must be in 0\.\.planes - 1, here 0\.\.5"),
        ({"inclination_deg": 190.0}, r"inclination_deg=190\.0 must be in 0\.\.180 deg"),
        ({"altitude_m": 780.0}, r"altitude_m=780\.0 must be in 1e5\.\.1e8 m, not km"),
        ({"pattern": "rosette"}, r"pattern='rosette' must be"),
    ],
)
def test_impossible_walker_patterns_are_refused(change: dict, message: str) -> None:
    good = {"total": 66, "planes": 6, "phasing": 2, "inclination_deg": 86.4, "altitude_m": 780e3}
    with pytest.raises(ValueError, match=message):
        orbits.WalkerShell(**(good | change))


# SGP4 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ORBITS["points"], ids=lambda p: f"{p['name']} {p['utc']}")
def test_sgp4_states(point: dict) -> None:
    satellites = tle.parse_tle(f"{point['name']}\n{point['line1']}\n{point['line2']}\n")
    assert satellites[0].name == point["name"]
    jd, fraction = julian_date(point["utc"])
    position_m, velocity_m_s = tle.propagate_tle(satellites, jd, np.array([fraction]))
    assert np.linalg.norm(position_m[0, 0] - np.array(point["teme_km"]) * 1e3) < 1.0
    assert np.linalg.norm(velocity_m_s[0, 0] - np.array(point["teme_vel_km_s"]) * 1e3) < 1e-3


def test_sgp4_readme_vector() -> None:
    point = next(p for p in ORBITS["points"] if p["name"].startswith("ISS"))
    vector = ORBITS["sgp4_readme_vector"]
    satellites = tle.parse_tle(f"{point['line1']}\n{point['line2']}")
    assert satellites[0].name == "25544"
    position_m, velocity_m_s = tle.propagate_tle(satellites, vector["jd"], np.array([vector["fr"]]))
    np.testing.assert_allclose(position_m[0, 0] / 1e3, vector["r_teme_km"], atol=1e-6)
    np.testing.assert_allclose(velocity_m_s[0, 0] / 1e3, vector["v_teme_km_s"], atol=1e-9)


def test_a_satellite_that_cannot_be_propagated_is_named() -> None:
    satellites = tle.parse_tle(data.read_text(IRIDIUM))[:2]
    line2 = satellites[0].line2
    # Eccentricity 0.9: the perigee lies inside the Earth.
    damaged = line2[:26] + "9000000" + line2[33:68]
    falling = tle.Tle("FALLING 1", satellites[0].line1, damaged + str(tle.checksum(damaged)))
    with pytest.raises(tle.PropagationError, match=r"'FALLING 1' \(epoch 2025-01-2.*to 2025-01-24 12:00 UTC: .+"):
        tle.propagate_tle([satellites[1], falling], *_noon())


def _noon() -> tuple[float, np.ndarray]:
    jd, fraction = julian_date("2025-01-24T12:00:00Z")
    return jd, np.array([fraction])


# Two-line elements ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def iridium() -> list[str]:
    return data.read_text(IRIDIUM).splitlines()


@pytest.mark.parametrize("file", [name for name in data.names() if name.startswith("tle_")])
def test_all_shipped_elements_are_read(file: str) -> None:
    text = data.read_text(file)
    satellites = tle.parse_tle(text, file)
    assert len(satellites) == sum(line.startswith("1 ") for line in text.splitlines())
    assert len({satellite.line1[2:7] for satellite in satellites}) == len(satellites)


def test_names_are_optional_and_may_start_with_a_zero(iridium: list[str]) -> None:
    bare = tle.parse_tle("\n".join(line for line in iridium[:6] if line[:2] in ("1 ", "2 ")))
    assert [satellite.name for satellite in bare] == ["41917", "41918"]
    zero = tle.parse_tle("\n\n0 " + "\n".join(iridium[:3]) + "\n  \n")
    assert zero[0] == tle.parse_tle("\n".join(iridium[:3]))[0]
    assert zero[0].epoch_utc.isoformat(timespec="milliseconds") == "2025-01-23T18:50:50.134+00:00"


def test_a_wrong_checksum_is_located(iridium: list[str]) -> None:
    wrong = iridium[:6]
    wrong[4] = wrong[4][:24] + str((int(wrong[4][24]) + 1) % 10) + wrong[4][25:]
    with pytest.raises(
        tle.TleError,
        match=rf"my\.txt, line 5, satellite '{wrong[3]}': line 1 .* checksum '(\d)', .* give '(?!\1)\d'; .*download",
    ):
        tle.parse_tle("\n".join(wrong), "my.txt")


ELEMENTS = ("jdsatepoch", "jdsatepochF", "ndot", "nddot", "bstar", "inclo", "nodeo", "ecco", "argpo", "mo", "no_kozai")


@settings(max_examples=300)
@given(st.sampled_from([1, 2]), st.integers(0, 68), st.sampled_from(" +-.0123456789ABXx"))
def test_any_changed_character_is_noticed_or_harmless(row: int, column: int, character: str) -> None:
    lines = data.read_text(IRIDIUM).splitlines()[:3]
    damaged = lines.copy()
    damaged[row] = lines[row][:column] + character + lines[row][column + 1 :]
    try:
        (read,) = tle.parse_tle("\n".join(damaged))
    except tle.TleError as error:
        assert "line" in str(error) and lines[0].strip() in str(error)
        return
    before, after = tle.Tle(*lines).record, read.record
    assert [getattr(after, name) for name in ELEMENTS] == [getattr(before, name) for name in ELEMENTS]


def test_a_truncated_line_is_refused(iridium: list[str]) -> None:
    lines = iridium[:6]
    lines[2] = lines[2][:60]
    with pytest.raises(tle.TleError, match=r"line 3, satellite '.*': line 2 of the elements has 60 characters, expe"):
        tle.parse_tle("\n".join(lines), "my.txt")


def test_a_file_that_ends_inside_a_satellite_is_refused(iridium: list[str]) -> None:
    with pytest.raises(tle.TleError, match=r"line 4, satellite '.*': the file ends inside a satellite"):
        tle.parse_tle("\n".join(iridium[:5]))


def test_lines_of_two_satellites_are_refused(iridium: list[str]) -> None:
    mixed = [iridium[0], iridium[1], iridium[5]]
    with pytest.raises(tle.TleError, match=r"line 3, .*catalogue number '41918', but line 1 to '41917'"):
        tle.parse_tle("\n".join(mixed))


def test_a_missing_line_is_refused(iridium: list[str]) -> None:
    with pytest.raises(tle.TleError, match=r'expected an element line that starts with "2 ", found'):
        tle.parse_tle("\n".join([iridium[0], iridium[1], iridium[3]]).replace(iridium[3], "X" * 69))


@pytest.mark.parametrize(
    ("row", "first", "text", "message"),
    [
        (1, 20, "4x.78530248 ", "epoch day in columns 21-32 of line 1 is '4x.78530248 ', not a number"),
        (1, 18, "xx", "epoch year in columns 19-20"),
        (2, 8, " 86.3x84", "inclination in columns 9-16 of line 2 is ' 86.3x84'"),
        (2, 8, "186.3984", r"inclination in line 2 is 186\.3984, allowed 0\.\.180 deg"),
        (2, 17, "361.3967", r"right ascension of the ascending node .* allowed 0\.\.360 deg"),
        (2, 26, "00a2378", "eccentricity in columns 27-33"),
        (2, 52, "00.00000000", r"mean motion in line 2 is 00\.00000000, allowed 0\.01\.\.20 rev/day"),
    ],
)
def test_numbers_that_cannot_be_are_refused_even_with_a_right_checksum(
    iridium: list[str], row: int, first: int, text: str, message: str
) -> None:
    lines = iridium[:3]
    changed = (lines[row][:first] + text + lines[row][first + len(text) :])[:68]
    lines[row] = changed + str(tle.checksum(changed))
    with pytest.raises(tle.TleError, match=message):
        tle.parse_tle("\n".join(lines))


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(tle.TleError, match=r"empty\.txt: no satellite found"):
        tle.parse_tle("\n \n", "empty.txt")


# Interpolation --------------------------------------------------------------------------------------

coefficients = st.lists(st.floats(-1e3, 1e3), min_size=12, max_size=12)


@given(coefficients, st.floats(0.1, 100.0), st.floats(0.0, 1.0))
def test_hermite_is_exact_on_cubics(values: list[float], step_s: float, fraction: float) -> None:
    cubic = np.array(values).reshape(4, 3)

    def state(time_s: float) -> tuple[np.ndarray, np.ndarray]:
        powers = time_s ** np.arange(4)
        return powers @ cubic, np.array([0.0, 1.0, 2 * time_s, 3 * time_s**2]) @ cubic

    got = orbits.hermite(*state(0.0), *state(step_s), step_s, fraction)
    expected = state(fraction * step_s)
    scale = 1e3 * max(1.0, step_s) ** 3
    np.testing.assert_allclose(got[0], expected[0], atol=1e-12 * scale)
    np.testing.assert_allclose(got[1], expected[1], atol=1e-11 * scale / min(1.0, step_s))


def test_hermite_error_of_a_circular_orbit() -> None:
    radius_m, step_s = 6.928e6, 60.0
    time_s = np.array([0.0, step_s, 0.5 * step_s])
    position, velocity = orbits.propagate_circular(0.4, 0.2, 0.9, radius_m, time_s, node_drift=False)
    middle, _ = orbits.hermite(position[0, 0], velocity[0, 0], position[0, 1], velocity[0, 1], step_s, np.array(0.5))
    error_m = np.linalg.norm(middle - position[0, 2])
    bound_m = radius_m * (float(orbits.mean_motion_rad_s(radius_m)) * step_s) ** 4 / 384.0
    assert error_m == pytest.approx(bound_m, rel=0.01)
    assert error_m < 0.4


def test_hermite_broadcasts_and_runs_on_torch() -> None:
    rng = np.random.default_rng(3)
    states = [rng.normal(size=(5, 3)) for _ in range(4)]
    fraction = np.linspace(0.0, 1.0, 5)
    expected = orbits.hermite(*states, 2.0, fraction)
    np.testing.assert_array_equal(expected[0][0], states[0][0])
    np.testing.assert_allclose(expected[0][-1], states[2][-1], atol=1e-15)
    mine = orbits.hermite(*(torch.from_numpy(s) for s in states), 2.0, torch.from_numpy(fraction))
    for got, value in zip(mine, expected, strict=True):
        np.testing.assert_allclose(got.numpy(), value, atol=1e-14)
