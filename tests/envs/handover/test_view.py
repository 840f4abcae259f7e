"""What users see of the nodes, against exact geometry on the ellipsoid and finite differences."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.handover.geometry import Nodes
from ntn_gym.envs.handover.presets import load_preset, with_overrides
from ntn_gym.envs.handover.view import centre_rates, user_geometry
from ntn_gym.envs.handover.world import HandoverWorld
from ntn_gym.physics.antennas import aperture_gain_db, uv_of_user
from ntn_gym.physics.geometry import ecef_to_geodetic, enu_basis, geodetic_to_ecef, look_angles
from ntn_gym.world import users


def nodes_of(relative_m, velocity_m_s=None, boresight=None, planned=None) -> Nodes:
    """Nodes at local positions [B, n, K, 3]."""

    def split(vectors):
        return None if vectors is None else tuple(np.moveaxis(np.asarray(vectors), -1, 0).astype(np.float32))

    still = np.zeros_like(relative_m) if velocity_m_s is None else velocity_m_s
    nowhere = np.zeros(relative_m.shape[:-1], np.float32)
    beam = split(boresight)
    plan = beam if planned is None else split(planned)
    return Nodes(split(relative_m), split(still), beam, plan, nowhere, nowhere)


def point_over(frame, centre, east_m, north_m, alt_m):
    """ECEF point at a height above the ellipsoid whose tangent-plane coordinates are (east, north)."""
    plane = centre + east_m * frame[0] + north_m * frame[1]
    sink = brentq(lambda z: ecef_to_geodetic(plane + z * frame[2])[2] - alt_m, -5e3, 5e3, xtol=1e-6)
    return plane + sink * frame[2]


@pytest.mark.parametrize(("radius_m", "elevation_deg", "range_share"), [(10e3, 0.003, 2e-6), (50e3, 0.012, 2e-5)])
@pytest.mark.parametrize("lat_deg", [0.0, 45.0, -80.0])
def test_angles_and_distances_are_those_on_the_ellipsoid(lat_deg, radius_m, elevation_deg, range_share):
    rng = np.random.default_rng(int(radius_m) + round(lat_deg))
    lat, lon = math.radians(lat_deg), 0.3
    frame, centre = enu_basis(lat, lon), geodetic_to_ecef(lat, lon, 1.5)
    azimuth, elevation = rng.uniform(0, 2 * math.pi, 40), np.radians(rng.uniform(5, 85, 40))
    distance = rng.uniform(550e3, 2000e3, 40)
    local = (
        np.stack([np.sin(azimuth) * np.cos(elevation), np.cos(azimuth) * np.cos(elevation), np.sin(elevation)], axis=-1)
        * distance[:, None]
    )
    angle = rng.uniform(0, 2 * math.pi, 12)
    place = radius_m * np.sqrt(rng.random(12))[:, None] * np.stack([np.sin(angle), np.cos(angle)], -1)
    view = user_geometry(nodes_of(local[None, None]), place[None, None].astype(np.float32))
    assert view.elevation_rad.shape == (1, 1, 12, 40)
    assert view.elevation_rad.dtype == view.range_m.dtype == np.float32
    assert view.sin2_off_axis is None
    for number, (east, north) in enumerate(place):
        user = point_over(frame, centre, east, north, 1.5)
        user_lat, user_lon, _ = ecef_to_geodetic(user)
        _, exact, range_m = look_angles(user, user_lat, user_lon, centre + local @ frame)
        assert np.degrees(np.abs(view.elevation_rad[0, 0, number] - exact)).max() < elevation_deg
        np.testing.assert_allclose(view.range_m[0, 0, number], range_m, rtol=range_share)


def test_the_error_near_the_zenith_is_as_stated():
    elevation = np.radians(np.linspace(89.0, 90.0, 300))
    local = np.stack([np.cos(elevation), 0 * elevation, np.sin(elevation)], -1)[None, None] * 550e3
    view = user_geometry(nodes_of(local), np.zeros((1, 1, 1, 2), np.float32))
    assert np.degrees(np.abs(view.elevation_rad[0, 0, 0] - elevation)).max() < 0.03


def test_off_axis_angles_are_those_between_the_vectors():
    rng = np.random.default_rng(1)
    local = rng.uniform(-400e3, 400e3, (1, 1, 30, 3)) + np.array([0, 0, 600e3])
    away = -local / np.linalg.norm(local, axis=-1, keepdims=True)

    def tilted(angles):
        across = np.cross(away, rng.standard_normal(away.shape))
        across /= np.linalg.norm(across, axis=-1, keepdims=True)
        return np.cos(angles)[:, None] * away + np.sin(angles)[:, None] * across

    truth, plan = np.radians(np.linspace(0, 60, 30)), np.radians(np.linspace(30, 0, 30))
    nodes = nodes_of(local, boresight=tilted(truth), planned=tilted(plan))
    view = user_geometry(nodes, np.zeros((1, 1, 1, 2), np.float32))
    np.testing.assert_allclose(view.sin2_off_axis[0, 0, 0], np.sin(truth) ** 2, atol=3e-7)
    np.testing.assert_allclose(view.planned_sin2_off_axis[0, 0, 0], np.sin(plan) ** 2, atol=3e-7)


def drawn(preset, overrides, seeds, n_steps):
    """A world, its state and the nodes and users of the first steps, in the parts that `advance` joins."""
    world = HandoverWorld(with_overrides(load_preset(preset), overrides))
    state = world.begin([WorldKey(seed) for seed in seeds])
    _, raw = world.advance(state, n_steps)
    return world, state, raw


@pytest.mark.parametrize(
    ("preset", "overrides"),
    [
        ("tiny", {"users": {"motion": "aircraft", "speed_m_s": 230.0, "region_radius_m": 0.0}}),
        ("iridium-next", {"users": {"motion": "static", "speed_m_s": 0.0, "region_radius_m": 0.0}}),
        ("vsat-ka", {"users": {"region_radius_m": 0.0}, "link": {"rain": False}}),
    ],
)
def test_angles_and_rates_of_the_trace_are_those_of_the_ephemeris(preset, overrides):
    """Azimuth and range by `look_angles`; elevation rate and Doppler by finite differences, at the planned centre."""
    world, state, raw = drawn(preset, overrides, [3, 4], 100)
    grid, dt_s = world._sky.grid, world._scenario.dt_s
    motion, freq_hz = world._scenario.users.motion, world._scenario.link.freq_hz
    step = np.arange(100)

    def look(shift_s):
        time_s = step * dt_s + shift_s
        lat, lon = users.centre_lat_lon(state.region, motion, time_s)
        place = geodetic_to_ecef(lat, lon, users.ALTITUDE_M[motion])
        node = state.schedule.node[:, :100]
        position, _ = grid.interpolate(node, (state.sky[:, None] + time_s)[..., None])
        return look_angles(place[:, :, None], lat[..., None], lon[..., None], position)

    valid = raw["pass_id"] >= 0
    assert valid.sum() > 100
    azimuth, elevation, _ = look(0.0)
    turn = np.angle(np.exp(1j * (np.radians(raw["azimuth_deg"]) - azimuth)))
    assert (np.abs(turn) * np.cos(elevation))[valid].max() < 3e-6
    (_, before, near), (_, after, far) = look(-0.05), look(0.05)
    rate_deg_s, speed_m_s = np.degrees(after - before) / 0.1, (far - near) / 0.1
    away_from_zenith = valid & (elevation < math.radians(85))
    assert np.abs(raw["elevation_rate_deg_s"] - rate_deg_s)[away_from_zenith].max() < 1e-4
    doppler_hz = -speed_m_s / 299_792_458.0 * freq_hz
    assert np.abs(raw["doppler_hz"] - doppler_hz)[valid].max() < 0.05 / 299_792_458.0 * freq_hz
    if preset == "tiny":  # a speed that matters: without the aircraft's own, Doppler would be off by hundreds of Hz
        assert state.region.speed_m_s[0] == 230.0


def test_beam_gain_of_the_trace_is_that_of_the_pattern():
    """Predicted SNR less the budget, against the aperture pattern at the angle from exact UV coordinates."""
    world, state, raw = drawn(
        "beams", {"users": {"motion": "static", "speed_m_s": 0.0, "region_radius_m": 0.0}}, [1, 2], 120
    )
    scenario, grid = world._scenario, world._sky.grid
    node, beam = state.schedule.node[:, :120], state.schedule.beam[:, :120]
    time_s = np.arange(120.0)
    lat, lon = users.centre_lat_lon(state.region, "static", time_s)
    place = geodetic_to_ecef(lat, lon, 1.5)[:, :, None]
    position, velocity = grid.interpolate(node, (state.sky[:, None] + time_s)[..., None])
    uv = uv_of_user(position, velocity, np.broadcast_to(place, position.shape))
    towards = np.concatenate([uv, np.sqrt(1 - (uv**2).sum(-1, keepdims=True))], -1)
    chord = np.linalg.norm(towards - world._sky.beams.boresight[beam], axis=-1)
    gain_db = aperture_gain_db(2 * np.arcsin(np.minimum(chord / 2, 1)), scenario.link.aperture_m, scenario.link.freq_hz)
    distance = np.linalg.norm(position - place, axis=-1)
    path_db = 32.45 + 20 * np.log10(scenario.link.freq_hz / 1e9) + 20 * np.log10(distance)
    snr_db = scenario.link.eirp_density_dbw_mhz - 60 + scenario.link.terminal_gt_db_k + 228.6 - path_db + gain_db
    valid = raw["pass_id"] >= 0
    assert valid.sum() > 300
    difference = (raw["predicted_snr_db"][:, :, 0] - snr_db)[valid]
    assert np.abs(difference).max() < 0.01
    assert gain_db[valid].min() > scenario.slots.beam_edge_db - 0.001  # a pass is offered inside its beam's edge only
    assert gain_db[valid].max() > -1


def test_a_platform_swings_but_users_expect_it_at_rest():
    world, _, raw = drawn("haps-swing", {"users": {"motion": "static", "speed_m_s": 0.0}}, [5], 60)
    place = np.stack(  # the centre is below the platform; degrees are float32
        [
            np.radians(raw["user_lon_deg"][0, :, 0] - raw["node_lon_deg"][0, :, 0].astype(float)),
            np.radians(raw["user_lat_deg"][0, :, 0].astype(float)),
        ]
    )
    assert np.ptp(place, axis=1).max() < 1e-6
    spread_db, clear_db = (
        raw[name][0, :, 0] + 20 * np.log10(raw["range_m"][0, :, 0]) for name in ("predicted_snr_db", "snr_db")
    )
    mine = spread_db.mean(axis=0).argmax()  # the cell in which the user stands
    assert np.ptp(spread_db[:, mine]) < 1.0  # at rest only the sway of the platform is left
    assert np.ptp(clear_db[:, mine]) > 3.0
    assert np.abs(raw["range_m"].min() - world._scenario.sky.altitude_m) < 500


def test_rates_by_hand():
    # A node 3 km east and 4 km up that moves up at 10 m/s and east at 5 m/s.
    nodes = nodes_of(np.array([[[[3e3, 0.0, 4e3]]]]), np.array([[[[5.0, 0.0, 10.0]]]]))
    azimuth, elevation_rate, range_rate = centre_rates(nodes)
    assert azimuth.item() == pytest.approx(math.pi / 2)
    assert range_rate.item() == pytest.approx(0.6 * 5 + 0.8 * 10)
    # Perpendicular speed 10 x 0.6 - 5 x 0.8 = 2 m/s over 5 km.
    assert elevation_rate.item() == pytest.approx(math.degrees(2 / 5e3), rel=1e-5)
