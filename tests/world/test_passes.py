"""The pass finder against brute force over all satellites and steps, against skyfield's counts, and the slot rule."""

import json
import math
from pathlib import Path as FilePath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym import data
from ntn_gym.physics.antennas import (
    aperture_angle_rad,
    aperture_gain_db,
    beam_spacing_uv,
    half_power_beamwidth_rad,
    hexagonal_beams_uv,
    uv_of_user,
)
from ntn_gym.physics.geometry import enu_basis, geodetic_to_ecef, great_circle_destination, look_angles
from ntn_gym.physics.orbits import WalkerShell
from ntn_gym.physics.tle import parse_tle
from ntn_gym.world.arcs import Site
from ntn_gym.world.constellation import EphemerisGrid, named_tle, tle_grid, walker_grid
from ntn_gym.world.passes import BeamLayout, Passes, assign_slots, find_passes, sky_index

REFERENCE = json.loads((FilePath(__file__).parents[1] / "reference" / "orbit_points.json").read_text())


class Course:
    """Sites of B worlds on great circles, evaluated by the exact geometry."""

    def __init__(self, lat_deg, lon_deg, speed_m_s=0.0, course_deg=30.0, alt_m=10.0):
        self.lat, self.lon = np.radians(np.atleast_1d(lat_deg)), np.radians(np.atleast_1d(lon_deg))
        self.speed, self.course, self.alt = speed_m_s, math.radians(course_deg), alt_m

    def lat_lon(self, time_s):
        lat, lon = self.lat[:, None] + 0 * time_s, self.lon[:, None] + 0 * time_s
        return great_circle_destination(lat, lon, self.course, self.speed * time_s)

    def __call__(self, time_s):
        lat, lon = self.lat_lon(time_s)
        return Site(geodetic_to_ecef(lat, lon, self.alt), enu_basis(lat, lon))


def brute_force(grid, start_s, course, n_steps, dt_s):
    """ECEF states [N, S, 3] and elevations [N, S] of all satellites at every step of one world."""
    time = np.arange(n_steps) * dt_s
    position, velocity = grid.interpolate(np.arange(grid.n_satellites)[:, None], start_s + time)
    lat, lon = course.lat_lon(time[None])
    site = geodetic_to_ecef(lat[0], lon[0], course.alt)
    _, elevation, _ = look_angles(site, lat[0], lon[0], position)
    return position, velocity, site, elevation


def presence(passes, world, shape):
    """Boolean [N, S] or [N, n_beams, S] from the passes of one world; passes of one kind never touch."""
    there = np.zeros(shape, dtype=bool)
    mine = passes.world == world
    for satellite, beam, rise, fall in zip(
        passes.satellite[mine], passes.beam[mine], passes.rise_step[mine], passes.set_step[mine], strict=True
    ):
        row = there[satellite] if len(shape) == 2 else there[satellite, beam]
        assert 0 <= rise < fall <= shape[-1]
        assert not row[max(rise - 1, 0) : fall + 1].any(), "two passes overlap or touch"
        row[rise:fall] = True
    return there


WALKER = WalkerShell(total=400, planes=20, phasing=7, inclination_deg=53.0, altitude_m=600e3)
STAR = WalkerShell(total=66, planes=6, phasing=2, inclination_deg=86.4, altitude_m=780e3, pattern="star")


def grid_of(name) -> EphemerisGrid:
    if name == "walker":
        return walker_grid(WALKER, 7200.0)
    if name == "star":
        return walker_grid(STAR, 7200.0)
    return tle_grid(named_tle(name), 7200.0)


@pytest.mark.parametrize(
    ("name", "mask_deg", "dt_s", "speed_m_s"),
    [
        ("walker", 10.0, 1.0, 0.0),
        ("walker", 40.0, 5.0, 15.0),
        ("star", 0.0, 5.0, 230.0),
        ("iridium-next", 10.0, 5.0, 230.0),
        ("oneweb", 25.0, 10.0, 0.0),
        ("gps", 10.0, 30.0, 230.0),
    ],
)
def test_satellite_passes_are_those_of_brute_force(name, mask_deg, dt_s, speed_m_s):
    grid, n_steps = grid_of(name), 181
    course = Course(
        [86.0 if speed_m_s else 90.0, -85.0, 53.1, 0.0, -33.9, 20.0],
        [0.0, 120.0, 8.8, -179.99, 151.2, -100.0],
        speed_m_s,
    )
    latest = grid.window_s - (n_steps - 1) * dt_s
    start_s = np.array([0.0, 60.0, 120.0 + 1e-7, 59.999999, latest - 0.5, latest])
    mask = math.radians(mask_deg)
    passes = find_passes(sky_index(grid), start_s, course, n_steps, dt_s, mask)
    assert (np.diff(passes.world) >= 0).all()
    found = 0
    for world in range(len(start_s)):
        one = Course(np.degrees(course.lat[world]), np.degrees(course.lon[world]), speed_m_s)
        *_, elevation = brute_force(grid, start_s[world], one, n_steps, dt_s)
        ours = presence(passes, world, elevation.shape)
        wrong = ours != (elevation >= mask)
        assert np.abs(elevation[wrong] - mask).max(initial=0.0) < 2e-6
        found += ours.sum()
        rises = passes.rise_step[passes.world == world]
        assert (np.diff(rises) >= 0).all()
    assert found > 100


@settings(max_examples=40, deadline=None)
@given(
    lat_deg=st.floats(-90, 90),
    lon_deg=st.floats(-180, 180),
    share=st.floats(0, 1),
    mask_deg=st.floats(0, 60),
    dt_s=st.sampled_from([1.0, 7.3, 60.0]),
    n_steps=st.integers(1, 60),
    speed_m_s=st.sampled_from([0.0, 230.0]),
)
def test_any_site_and_window(lat_deg, lon_deg, share, mask_deg, dt_s, n_steps, speed_m_s):
    grid = walker_grid(STAR, 7200.0)
    if abs(lat_deg) > 88.0:
        speed_m_s = 0.0  # north turns too quickly for somebody who flies past a pole
    course = Course(lat_deg, lon_deg, speed_m_s)
    start_s = share * (grid.window_s - (n_steps - 1) * dt_s)
    mask = math.radians(mask_deg)
    passes = find_passes(sky_index(grid), np.array([start_s]), course, n_steps, dt_s, mask)
    *_, elevation = brute_force(grid, start_s, course, n_steps, dt_s)
    wrong = presence(passes, 0, elevation.shape) != (elevation >= mask)
    assert np.abs(elevation[wrong] - mask).max(initial=0.0) < 2e-6


def beam_layout(rings, diameter_m=1.0, freq_hz=2e9, edge_db=-9.0) -> BeamLayout:
    width = half_power_beamwidth_rad(diameter_m, freq_hz)
    uv = hexagonal_beams_uv(rings, float(beam_spacing_uv(width)))
    boresight = np.column_stack([uv, np.sqrt(1 - (uv**2).sum(axis=1))])
    return BeamLayout(boresight, float(aperture_angle_rad(edge_db, diameter_m, freq_hz)))


@pytest.mark.parametrize(("name", "speed_m_s", "mask_deg"), [("walker", 0.0, 35.0), ("starlink-53", 230.0, 60.0)])
def test_beam_passes_are_those_of_brute_force(name, speed_m_s, mask_deg):
    grid, n_steps, dt_s = grid_of(name), 241, 1.0
    course = Course([50.0, -20.0], [10.0, 77.0], speed_m_s)
    start_s, mask = np.array([0.0, 1234.5]), math.radians(mask_deg)
    beams = beam_layout(rings=4)
    passes = find_passes(sky_index(grid), start_s, course, n_steps, dt_s, mask, beams)
    found = 0
    for world in range(2):
        one = Course(np.degrees(course.lat[world]), np.degrees(course.lon[world]), speed_m_s)
        position, velocity, site, elevation = brute_force(grid, start_s[world], one, n_steps, dt_s)
        ours = presence(passes, world, (grid.n_satellites, len(beams.boresight), n_steps))
        seen = (elevation >= mask).any(axis=1)
        assert not ours[~seen].any()
        ours, elevation = ours[seen], elevation[seen]
        uv = uv_of_user(position[seen], velocity[seen], site)
        towards = np.concatenate([uv, np.sqrt(1 - (uv**2).sum(axis=-1, keepdims=True))], axis=-1)
        # 2 asin(chord / 2) keeps its digits at small angles; the level of the pattern is the criterion.
        chord = np.linalg.norm(towards[:, None] - beams.boresight[:, None], axis=-1)
        angle = 2 * np.arcsin(chord / 2)
        covered = (aperture_gain_db(angle, 1.0, 2e9) >= -9.0) & (angle < 0.2) & (elevation >= mask)[:, None]
        wrong = ours != covered
        near_edge = np.abs(angle - beams.edge_angle_rad) < 1e-5
        assert (wrong <= (near_edge | (np.abs(elevation - mask) < 2e-6)[:, None])).all()
        assert wrong.sum() < 10
        found += covered.sum()
    assert found > 500


def test_a_narrow_layout_is_seen_from_close_to_nadir_only():
    # One beam at nadir: the pass finder skips low elevations by itself, without a mask.
    grid, n_steps = grid_of("walker"), 600
    beams = beam_layout(rings=0)
    course = Course([40.0], [5.0])
    passes = find_passes(sky_index(grid), np.zeros(1), course, n_steps, 10.0, 0.0, beams)
    position, velocity, site, _ = brute_force(grid, 0.0, course, n_steps, 10.0)
    uv = uv_of_user(position, velocity, site)
    visible = (
        np.linalg.norm(position, axis=-1) - np.linalg.norm(site, axis=-1) > np.linalg.norm(position - site, axis=-1) / 2
    )
    covered = (np.linalg.norm(uv, axis=-1) < math.sin(beams.edge_angle_rad)) & visible
    assert np.array_equal(presence(passes, 0, covered.shape), covered)
    assert covered.any()


@pytest.mark.parametrize(
    "case", REFERENCE["visible_counts"], ids=lambda c: f"{c['file'][4:12]}-{c['utc'][8:16]}-{c['site']}"
)
def test_visible_counts_are_those_of_skyfield(case):
    """Counts by sgp4 and skyfield; the axes differ by up to 85 m, 0.01 deg at the shortest range."""
    grid = tle_grid(parse_tle(data.read_text(case["file"]), case["file"]), 120.0, case["utc"])
    place = next(p for p in REFERENCE["visible_points"] if p["site"] == case["site"])
    course = Course(place["lat"], place["lon"], alt_m=place["alt_m"])
    for mask_deg in (0, 10, 25, 40):
        passes = find_passes(sky_index(grid), np.zeros(1), course, 1, 1.0, math.radians(mask_deg))
        low = find_passes(sky_index(grid), np.zeros(1), course, 1, 1.0, math.radians(mask_deg + 0.02))
        high = find_passes(sky_index(grid), np.zeros(1), course, 1, 1.0, math.radians(max(mask_deg - 0.02, 0)))
        if len(low.world) == len(high.world):  # no satellite within 0.02 deg of the mask
            assert len(passes.world) == case[f"n_above_{mask_deg}"]
        assert len(low.world) <= case[f"n_above_{mask_deg}"] <= len(high.world) + (mask_deg == 0)
    top = math.radians(case["max_el_deg"])
    assert len(find_passes(sky_index(grid), np.zeros(1), course, 1, 1.0, top - 4e-4).world) == 1
    assert len(find_passes(sky_index(grid), np.zeros(1), course, 1, 1.0, top + 4e-4).world) == 0


def test_no_satellite_in_view_gives_no_pass():
    grid = walker_grid(WalkerShell(total=1, planes=1, phasing=0, inclination_deg=0.0, altitude_m=600e3), 600.0)
    for beams in (None, beam_layout(1)):
        passes = find_passes(sky_index(grid), np.zeros(2), Course([80.0, -80.0], [0.0, 0.0]), 10, 1.0, 0.1, beams)
        assert len(passes.world) == len(passes.set_step) == 0
        assert (assign_slots(passes, 2, 10, 3, 1) == -1).all()


@pytest.mark.parametrize("beams", [None, beam_layout(2)])
def test_a_world_of_a_batch_has_the_passes_of_the_world_alone(beams):
    grid, course = grid_of("walker"), Course([50.0, 10.0, -30.0], [0.0, 50.0, 170.0], 15.0)
    start_s = np.array([10.0, 2000.0, 33.3])
    together = find_passes(sky_index(grid), start_s, course, 200, 2.0, 0.5, beams)
    for world in range(3):
        one = Course(np.degrees(course.lat[world]), np.degrees(course.lon[world]), 15.0)
        alone = find_passes(sky_index(grid), start_s[world : world + 1], one, 200, 2.0, 0.5, beams)
        mine = together.world == world
        for field in ("satellite", "beam", "rise_step", "set_step"):
            assert np.array_equal(getattr(together, field)[mine], getattr(alone, field))


def make_passes(rows) -> Passes:
    """Passes from (world, rise, set), sorted as `find_passes` does."""
    rows = sorted(rows)
    world, rise, fall = (np.array([row[i] for row in rows], dtype=np.intp) for i in range(3))
    number = np.arange(len(rows), dtype=np.intp)
    return Passes(world, number, 0 * number, rise, fall)


def naive_slots(passes, n_worlds, n_steps, n_slots, empty_steps, min_steps):
    """The rule of the docstring, step by step."""
    table = np.full((n_worlds, n_steps, n_slots), -1)
    for world in range(n_worlds):
        offered, busy_until = set(), [0] * n_slots
        for now in range(n_steps):
            for slot in range(n_slots):
                if now < busy_until[slot]:
                    continue
                waiting = [
                    p
                    for p in range(len(passes.world))
                    if passes.world[p] == world
                    and p not in offered
                    and passes.rise_step[p] <= now
                    and passes.set_step[p] - now >= min_steps
                ]
                if not waiting:
                    break
                chosen = min(waiting, key=lambda p: (-passes.set_step[p], p))
                offered.add(chosen)
                table[world, now : passes.set_step[chosen], slot] = chosen
                busy_until[slot] = passes.set_step[chosen] + empty_steps
    return table


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(1, 20)).map(lambda r: (r[0], r[1], r[1] + r[2])),
        max_size=25,
    ),
    n_slots=st.integers(1, 4),
    empty_steps=st.integers(1, 3),
    min_steps=st.integers(1, 4),
)
def test_slots_are_those_of_the_rule_step_by_step(rows, n_slots, empty_steps, min_steps):
    passes = make_passes(rows)
    table = assign_slots(passes, 3, 32, n_slots, empty_steps, min_steps)
    assert np.array_equal(table, naive_slots(passes, 3, 32, n_slots, empty_steps, min_steps))
    for world in range(3):
        for slot in range(n_slots):
            column = table[world, :, slot]
            changes = np.flatnonzero(column[1:] != column[:-1]) + 1
            for step in changes:  # from one pass to the next there is at least one empty step
                assert column[step] == -1 or column[step - 1] == -1
                if column[step] == -1:  # a pass keeps its slot until it sets
                    assert passes.set_step[column[step - 1]] == step
        for number in set(table[world].ravel().tolist()) - {-1}:
            assert len(set(np.nonzero(table[world] == number)[1])) == 1, "a pass has one slot"


def test_the_longest_remaining_pass_comes_first():
    passes = make_passes([(0, 0, 5), (0, 0, 30), (0, 0, 12), (0, 1, 40), (0, 6, 9)])
    table = assign_slots(passes, 1, 20, 2, 1)
    # Two slots at step 0: the passes that set at 30 and 12. The one until 40 has to wait for step 12 + 1.
    numbers = [int(np.flatnonzero(passes.set_step == fall)[0]) for fall in (30, 12, 40)]
    assert table[0, 0].tolist() == numbers[:2]
    assert table[0, 12, 1] == -1
    assert table[0, 13].tolist() == [numbers[0], numbers[2]]
