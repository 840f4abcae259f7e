"""Satellites in slots: above the mask from rise to set, one pass per slot, and the satellite in control."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from ntn_gym.physics.geometry import enu_basis, geodetic_to_ecef
from ntn_gym.physics.orbits import WalkerShell
from ntn_gym.world.arcs import Site
from ntn_gym.world.constellation import walker_grid
from ntn_gym.world.sky_slots import SatelliteSlots, SlotPlan, controlling_slot

SHELL = WalkerShell(300, 20, 7, 53.0, 500e3)
MASK_RAD = math.radians(15.0)
N_STEPS = 241


def _site(lat_rad: np.ndarray, lon_rad: np.ndarray, time_s: np.ndarray) -> Site:
    lat, lon = (np.broadcast_to(x[:, None], np.shape(time_s)) for x in (lat_rad, lon_rad))
    return Site(np.asarray(geodetic_to_ecef(lat, lon, 0.0)), enu_basis(lat, lon))


@pytest.fixture(scope="module")
def drawn() -> tuple[SatelliteSlots, np.ndarray, SlotPlan, partial]:
    grid = walker_grid(SHELL, 6 * 3600.0)
    slots = SatelliteSlots(grid, 3, MASK_RAD, N_STEPS, 200, 1.0)
    rng = np.random.default_rng(0)
    start_s = rng.uniform(0, slots.latest_start_s, 6)
    path = partial(_site, np.radians(rng.uniform(35, 52, 6)), rng.uniform(-math.pi, math.pi, 6))
    return slots, start_s, slots.plan(start_s, path), path


def test_positions_are_those_of_the_ephemeris(drawn: tuple) -> None:
    """Against SGP-free interpolation of the grid itself, turned into local axes here."""
    slots, start_s, plan, path = drawn
    east, north, up = slots.positions_m(start_s, plan, 0, N_STEPS, path)
    grid = walker_grid(SHELL, 6 * 3600.0)
    for world, step, slot in ((0, 0, 0), (3, 100, 1), (5, 240, 2)):
        position, _ = grid.interpolate(int(plan.satellite[world, step, slot]), start_s[world] + step)
        site = path(np.zeros((6, 1)))
        local = site.frame[world, 0] @ (position - site.position_m[world, 0])
        found = [axis[world, step, slot] for axis in (east, north, up)]
        np.testing.assert_allclose(found, local, atol=5.0)


def test_chunks_join(drawn: tuple) -> None:
    slots, start_s, plan, path = drawn
    whole = slots.positions_m(start_s, plan, 0, N_STEPS, path)
    parts = [slots.positions_m(start_s, plan, first, n, path) for first, n in ((0, 7), (7, 100), (107, 134))]
    for axis in range(3):
        assert np.array_equal(np.concatenate([part[axis] for part in parts], axis=1), whole[axis])


def test_slots_hold_satellites_above_the_mask_from_rise_to_set(drawn: tuple) -> None:
    slots, start_s, plan, path = drawn
    east, north, up = slots.positions_m(start_s, plan, 0, N_STEPS, path)
    elevation = np.arctan2(up, np.hypot(east, north))
    held = plan.pass_id >= 0
    assert held.mean() > 0.95
    assert (elevation[held] > MASK_RAD - 1e-4).all()
    steps = np.arange(N_STEPS)[None, :, None]
    assert (plan.set_step[held] > np.broadcast_to(steps, held.shape)[held]).all()
    # Another pass never follows without an empty step, and no pass stands in two slots.
    changed = (plan.pass_id[:, 1:] != plan.pass_id[:, :-1]) & held[:, 1:] & held[:, :-1]
    assert not changed.any()
    for world in range(6):
        for step in (0, 120, 240):
            here = plan.pass_id[world, step]
            assert len(set(here[here >= 0])) == (here >= 0).sum()


def test_the_satellite_in_control_is_the_one_seen_longest_and_stays_until_it_sets(drawn: tuple) -> None:
    plan = drawn[2]
    slot = controlling_slot([plan])
    for world in range(6):
        begins = np.flatnonzero(np.diff(np.concatenate([[-9], plan.pass_id[world, np.arange(N_STEPS), slot[world]]])))
        for begin in begins:
            assert slot[world, begin] == np.argmax(plan.set_step[world, begin])
            until = min(N_STEPS, plan.set_step[world, begin, slot[world, begin]])
            assert (slot[world, begin:until] == slot[world, begin]).all()


def test_nobody_is_in_control_of_an_empty_sky() -> None:
    pass_id = np.array([[[-1, -1], [0, -1], [0, -1], [-1, -1], [-1, 1], [-1, 1]]], dtype=np.int32)
    set_step = np.array([[[0, 0], [3, 0], [3, 0], [0, 0], [0, 6], [0, 6]]], dtype=np.int32)
    plan = SlotPlan(pass_id, np.zeros_like(pass_id), set_step)
    assert controlling_slot([plan]).tolist() == [[-1, 0, 0, -1, 1, 1]]


def test_an_episode_longer_than_the_ephemeris_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit into the ephemeris window"):
        SatelliteSlots(walker_grid(SHELL, 6 * 3600.0), 3, MASK_RAD, 30_000, 200, 1.0)
