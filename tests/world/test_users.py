"""Regions, courses and wandering: places, speeds, and what follows from the seed alone."""

import math

import numpy as np
import pytest

from ntn_gym.physics.geometry import ecef_to_geodetic, geodetic_to_ecef
from ntn_gym.world import users
from ntn_gym.world.joint import JointProcesses, Process

BAND = (math.radians(25.0), math.radians(55.0))


def generators(n_worlds, first=0):
    return [np.random.Generator(np.random.SFC64(first + world)) for world in range(n_worlds)]


def region_of(n_worlds=200, n_users=1, motion="pedestrian", speed_m_s=1.0, radius_m=10e3, **arguments):
    return users.place_region(generators(n_worlds), n_users, motion, speed_m_s, radius_m, BAND, **arguments)[0]


def test_regions_fill_the_band_and_the_disc():
    region = region_of(2000, n_users=5, radius_m=8e3)
    assert region.lat_rad.min() >= BAND[0] and region.lat_rad.max() <= BAND[1]
    error = 4.5 / math.sqrt(2000)
    for values, low, high in ((region.lat_rad, *BAND), (region.lon_rad, -math.pi, math.pi)):
        share = (values - low) / (high - low)
        assert share.mean() == pytest.approx(0.5, abs=error * math.sqrt(1 / 12))
        assert share.var() == pytest.approx(1 / 12, abs=error * math.sqrt(1 / 180))
    distance = np.linalg.norm(region.offset_m, axis=-1)
    assert distance.max() <= 8e3
    # Uniform in a disc: the squared distance is uniform.
    assert (distance**2).mean() / 8e3**2 == pytest.approx(0.5, abs=4.5 * math.sqrt(1 / 12 / 10_000))
    course = np.exp(1j * region.course_rad)
    assert abs(course.mean()) < 4.5 / math.sqrt(10_000)
    assert len(np.unique(region.course_rad)) == 10_000


@pytest.mark.parametrize(
    ("motion", "n_users", "follows", "one_course", "moves"),
    [
        ("pedestrian", 1, True, True, True),
        ("pedestrian", 1, False, True, False),  # a platform keeps its station
        ("vehicle", 4, True, False, False),
        ("ship", 4, True, True, True),
        ("aircraft", 3, False, True, False),
    ],
)
def test_who_goes_where(motion, n_users, follows, one_course, moves):
    region = region_of(20, n_users, motion, 12.0, follows_users=follows)
    assert (np.ptp(region.course_rad, axis=1) == 0).all() == one_course
    assert (region.speed_m_s == (12.0 if moves else 0.0)).all()
    # However the motion is split between centre and users, each user has its speed along its course.
    time_s = np.array([0.0, 50.0, 100.0])
    offset = users.plan_offsets(region, 12.0, time_s)
    np.testing.assert_allclose(offset[:, 0], region.offset_m)
    heading = np.stack([np.sin(region.course_rad), np.cos(region.course_rad)], axis=-1)
    velocity = (offset[:, 2] - offset[:, 0]) / 100.0 + region.speed_m_s[:, None, None] * heading
    np.testing.assert_allclose(velocity, 12.0 * heading, atol=1e-9)


@pytest.mark.parametrize(("motion", "speed_m_s"), [("pedestrian", 1.0), ("aircraft", 230.0)])
def test_the_centre_moves_at_its_speed_on_its_course(motion, speed_m_s):
    region = region_of(50, 1, motion, speed_m_s)
    time_s = np.array([-60.0, 0.0, 60.0, 1800.0])
    site = users.centre_site(region, motion, time_s)
    lat, _, alt = ecef_to_geodetic(site.position_m)
    np.testing.assert_allclose(lat[:, 1], region.lat_rad, atol=1e-12)
    np.testing.assert_allclose(alt, users.ALTITUDE_M[motion], atol=1e-5)
    steps = np.linalg.norm(np.diff(site.position_m, axis=1), axis=-1)
    # The mean sphere instead of the ellipsoid: up to 0.7 %.
    np.testing.assert_allclose(steps[:, :2] / 60.0, speed_m_s, rtol=0.007)
    east, north, up = np.moveaxis(site.frame[:, 1], 1, 0)
    velocity = site.position_m[:, 2] - site.position_m[:, 0]
    course = np.arctan2((velocity * east).sum(-1), (velocity * north).sum(-1))
    turn = np.angle(np.exp(1j * (course - region.course_rad[:, 0])))
    assert np.abs(turn).max() < 0.005
    np.testing.assert_allclose((velocity * up).sum(-1), 0.0, atol=speed_m_s * 60 * 1e-2)


def test_a_course_over_the_pole():
    region = users.Region(
        *(np.array([x]) for x in (math.radians(89.0), 0.5)), np.zeros((1, 1)), np.zeros((1, 1, 2)), np.array([250.0])
    )
    lat, lon = users.centre_lat_lon(region, "aircraft", np.array([0.0, 400.0, 900.0]))
    assert np.abs(lat).max() <= math.pi / 2
    np.testing.assert_allclose(lon[0, 2], 0.5 - math.pi, atol=1e-6)  # down on the other side
    expected = 250.0 * 900 / (6371e3 + 10e3) - math.radians(1.0)
    assert math.pi / 2 - lat[0, 2] == pytest.approx(expected, abs=1e-6)
    maps = users.lat_lon_deg(region, "aircraft", np.array([0.0, 400.0, 900.0]), np.full((1, 3, 1, 2), 5e3))
    assert np.isfinite(maps).all() and np.abs(maps[0]).max() <= 90 and np.abs(maps[1]).max() <= 720


def test_maps_show_users_where_they_are():
    region = region_of(50, 4, radius_m=10e3)
    place = users.plan_offsets(region, 1.0, np.array([0.0]))
    lat, lon = users.lat_lon_deg(region, "pedestrian", np.array([0.0]), place)
    here = geodetic_to_ecef(np.radians(lat.astype(float)), np.radians(lon.astype(float)), 1.5)
    site = users.centre_site(region, "pedestrian", np.array([0.0]))
    local = np.einsum("btij,btuj->btui", site.frame, here - site.position_m[:, :, None])
    # 10 km on the mean sphere: 0.7 % of scale, and float32 degrees (0.9 m).
    assert np.abs(local[..., :2] - place).max() < 0.01 * 10e3


def test_places_from_a_list():
    places = np.radians([[10.0, 20.0], [48.0, 11.0], [-33.0, 151.0]])
    region, chosen = users.place_region(generators(600), 2, "static", 0.0, 1e3, BAND, places)
    np.testing.assert_array_equal(np.stack([region.lat_rad, region.lon_rad], 1), places[chosen])
    counts = np.bincount(chosen, minlength=3)
    assert np.abs(counts - 200).max() < 4.5 * math.sqrt(600 * 2 / 9)
    _, nobody = users.place_region(generators(2), 2, "static", 0.0, 1e3, BAND)
    assert nobody.tolist() == [-1, -1]


def test_a_region_of_a_batch_is_the_region_alone():
    together = region_of(5, 3)
    alone = users.place_region(generators(1, first=3), 3, "pedestrian", 1.0, 10e3, BAND)[0]
    for field in ("lat_rad", "lon_rad", "course_rad", "offset_m"):
        assert np.array_equal(getattr(together, field)[3:4], getattr(alone, field))


def test_wandering_has_the_stated_speed_and_memory():
    n, dt_s, speed = 20_000, 2.0, 10.0
    joint = JointProcesses({"wander": Process((n, 2), 1.0 / users.DEVIATION_MEMORY_S)}, dt_s)
    state = joint.start({"wander": generators(1)})
    _, samples = joint.advance(state, 16)
    place = users.wander(samples["wander"], np.zeros((1, n, 2)), speed, dt_s)
    velocity = np.diff(place, axis=1)[0] / dt_s
    error = 4.5 / math.sqrt(n)
    assert (velocity**2).mean(axis=(1, 2)) == pytest.approx((0.2 * speed) ** 2, rel=error)
    correlation = (velocity[0] * velocity[14]).mean() / (0.2 * speed) ** 2
    assert correlation == pytest.approx(math.exp(-28.0 / 30.0), abs=error)
    # Integrated: the variance of the place after n steps, summed by hand over all pairs of steps.
    rho = math.exp(-dt_s / 30.0)
    expected = sum(rho ** abs(i - j) for i in range(16) for j in range(16)) * (0.2 * speed * dt_s) ** 2
    assert (place[0, -1] ** 2).mean() == pytest.approx(expected, rel=error * 1.5)


def test_wandering_goes_on_where_it_stopped():
    velocity = np.random.default_rng(0).standard_normal((2, 9, 3, 2)).astype(np.float32)
    whole = users.wander(velocity, np.zeros((2, 3, 2)), 1.3, 0.7)
    first = users.wander(velocity[:, :4], np.zeros((2, 3, 2)), 1.3, 0.7)
    second = users.wander(velocity[:, 4:], first[:, -1], 1.3, 0.7)
    assert np.array_equal(whole, np.concatenate([first, second], axis=1))
    assert (users.wander(velocity, np.zeros((2, 3, 2)), 0.0, 0.7) == 0).all()
