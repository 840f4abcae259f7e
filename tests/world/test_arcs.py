"""Cubic arcs in local axes against exact geometry, for fixed and moving places."""

import math

import numpy as np
import pytest

from ntn_gym.physics.geometry import enu_basis, geodetic_to_ecef, great_circle_destination
from ntn_gym.physics.orbits import WalkerShell
from ntn_gym.world.arcs import ArcMaker, Site, evaluate, rate_per_s, satellite_frame
from ntn_gym.world.constellation import named_tle, tle_grid, walker_grid


def path_of(lat_deg, lon_deg, speed_m_s, course_rad=0.7):
    def path(time_s):
        lat, lon = (np.radians(np.atleast_1d(x))[:, None] + 0 * time_s for x in (lat_deg, lon_deg))
        lat, lon = great_circle_destination(lat, lon, course_rad, speed_m_s * time_s)
        return Site(geodetic_to_ecef(lat, lon, 1e4), enu_basis(lat, lon))

    return path


def exact(grid, path, satellite, time_s, start_s):
    """Relative position and unit vectors in local axes at one time of world 0, in double precision."""
    position, velocity = grid.interpolate(satellite, start_s + time_s)
    site = path(np.array([[time_s]]))
    frame, place = site.frame[0, 0], site.position_m[0, 0]
    axes = satellite_frame(position.T, velocity.T)
    return (position - place) @ frame.T, np.einsum("ij,ajm->aim", frame, axes), position


@pytest.mark.parametrize("lat_deg", [-85.0, 0.0, 53.0])
@pytest.mark.parametrize("speed_m_s", [0.0, 230.0])
@pytest.mark.parametrize("kind", ["walker", "tle"])
def test_arcs_meet_the_exact_motion(kind, lat_deg, speed_m_s):
    if kind == "walker":
        grid = walker_grid(WalkerShell(total=96, planes=8, phasing=1, inclination_deg=86.0, altitude_m=550e3), 1200.0)
    else:
        grid = tle_grid(named_tle("iridium-next"), 1200.0)
    path, start_s = path_of(lat_deg, 33.0, speed_m_s), 100.0
    first = np.array([1])  # the column of 60 s, before the start
    maker = ArcMaker(grid, np.array([start_s]), path, first, 8)
    interval = np.array([0, 3, 7])[:, None] + np.zeros(grid.n_satellites, int)
    satellite = np.broadcast_to(np.arange(grid.n_satellites), interval.shape)
    arc = np.zeros(interval.size, int), satellite.ravel(), interval.ravel()
    position, axes, fixed = maker.position_m(*arc), maker.axes(*arc), maker.earth_fixed_m(*arc)
    rate = rate_per_s(position, grid.step_s)
    assert {position.dtype, axes.dtype, fixed.dtype, rate.dtype} == {np.dtype(np.float32)}
    rows, checked = np.arange(interval.size), 0
    for share in (0.0, 0.21, 0.5, 0.83, 1.0):
        shares = np.full(interval.size, share, np.float32)
        p = np.stack([evaluate(position[:, i], rows, shares) for i in range(3)], -1).reshape(3, -1, 3)
        v = np.stack([evaluate(rate[:, i], rows, shares) for i in range(3)], -1).reshape(3, -1, 3)
        a = np.array([[evaluate(axes[:, k, i], rows, shares) for i in range(3)] for k in range(3)]).reshape(3, 3, 3, -1)
        u = np.stack([evaluate(fixed[:, i], rows, shares) for i in range(3)], -1).reshape(3, -1, 3)
        for row, number in enumerate((0, 3, 7)):
            time_s = (1 + number + share) * 60.0 - start_s
            here, frame, position_m = exact(grid, path, np.arange(grid.n_satellites), time_s, start_s)
            near = np.linalg.norm(here, axis=-1) < 4e6
            before, after = (
                exact(grid, path, np.arange(grid.n_satellites), time_s + d, start_s)[0] for d in (-0.05, 0.05)
            )
            speed = (after - before) / 0.1
            assert np.abs(p[row] - here)[near].max(initial=0.0) < 0.6
            assert np.abs(v[row] - speed)[near].max(initial=0.0) < 0.02
            checked += near.sum()
            assert np.abs(a[:, :, row] - frame).max() < 5e-6
            assert np.abs(u[row] - position_m).max() < 30.0
    assert checked > 20


def test_axes_of_a_satellite():
    # Over the Greenwich meridian at the equator, flying north: nadir is -x, along +z, to the right +y (east).
    along, across, nadir = satellite_frame(np.array([7e6, 0.0, 0.0]), np.array([100.0, 0.0, 7500.0]))
    np.testing.assert_allclose(along, [0, 0, 1], atol=1e-15)
    np.testing.assert_allclose(across, [0, 1, 0], atol=1e-15)
    np.testing.assert_allclose(nadir, [-1, 0, 0], atol=1e-15)


def test_the_place_of_an_interval_is_that_of_its_middle():
    grid = walker_grid(WalkerShell(total=2, planes=1, phasing=0, inclination_deg=53.0, altitude_m=550e3), 600.0)
    path = path_of([10.0, 20.0], [0.0, 0.0], 100.0)
    maker = ArcMaker(grid, np.array([0.0, 30.0]), path, np.array([0, 2]), 3)
    times = (np.array([[0], [2]]) + np.arange(3) + 0.5) * 60.0 - np.array([[0.0], [30.0]])
    np.testing.assert_allclose(np.moveaxis(maker.place_m, 0, -1), path(times).position_m, atol=1e-6)
    assert math.isclose(np.linalg.norm(maker.place_m[:, 0, 1] - maker.place_m[:, 0, 0]), 6000.0, rel_tol=0.01)
