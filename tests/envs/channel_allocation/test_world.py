"""The world: offered calls as queueing theory says, drift as geometry says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.channel_allocation.drift import NORMALS, crossing_rates_per_s, drift_velocity_m_s
from ntn_gym.envs.channel_allocation.loads import mean_offered_calls, new_call_erlang, topology_of
from ntn_gym.envs.channel_allocation.scenario import Drift
from ntn_gym.world.calls import Kind

from .helpers import task_of


def offered_by_time(preset: str, **changes: object) -> tuple[np.ndarray, np.ndarray]:
    """Time-weighted mean of offered calls, [B, N], and seconds of each world, [B]."""
    task = task_of(preset, **changes)
    world = task.make_world()
    raw = world.advance(world.begin([WorldKey(seed) for seed in range(24)]), task.episode_steps + 1)[1]
    time_s = raw["dt_s"].sum(axis=1, dtype=np.float64)
    return np.einsum("bt,btn->bn", raw["dt_s"].astype(float), raw["offered"]) / time_s[:, None], time_s


def test_offered_calls_are_an_infinite_server_queue() -> None:
    """M/M/inf in each cell: the mean is the load, at once, because a world begins in equilibrium."""
    mean, _ = offered_by_time("hex-49", steps=2000)
    per_world = mean.mean(axis=1)
    assert abs(per_world.mean() - 7.5) < 3 * per_world.std(ddof=1) / math.sqrt(len(per_world))


def test_hand_overs_add_load_by_the_traffic_equations() -> None:
    """Cells of degree d send p/d to each neighbour; the balance of a 1 x 3 row can be written down."""
    task = task_of(
        "tiny",
        cells={"rows": 1, "columns": 3, "reuse_distance": 1, "channels": 4},
        load={"offered_erlang": 2.0, "handover_share": 0.4},
    )
    # e = 2 + 0.2 m (half of the calls that leave the middle), m = 2 + 0.4 (e + e): m = 3.6/0.84.
    middle = 3.6 / 0.84
    outer = 2 + 0.2 * middle
    assert mean_offered_calls(task.scenario, 0.0) == pytest.approx([outer, middle, outer], rel=1e-9)
    mean, time_s = offered_by_time(
        "tiny",
        steps=3000,
        cells={"rows": 1, "columns": 3, "reuse_distance": 1, "channels": 4},
        load={"offered_erlang": 2.0, "handover_share": 0.4},
    )
    weighted = (mean * time_s[:, None]).sum(axis=0) / time_s.sum()
    assert weighted == pytest.approx([outer, middle, outer], rel=0.05)


def test_events_hang_together() -> None:
    """A call that leaves arrives next, in an adjacent cell, at the same time."""
    task = task_of("windy", steps=1500)
    world = task.make_world()
    raw = world.advance(world.begin([WorldKey(seed) for seed in range(8)]), 1501)[1]
    adjacent, total = task.plan.topology.adjacent, 0
    for kind, cell, dt_s in zip(raw["kind"], raw["cell"], raw["dt_s"], strict=True):
        leaves = np.flatnonzero(kind[:-1] == Kind.LEAVE)
        assert (np.flatnonzero(kind == Kind.HANDOVER) == leaves + 1).all()
        assert (dt_s[leaves + 1] == 0).all()
        assert all(cell[k + 1] in adjacent[cell[k]] for k in leaves)
        total += len(leaves)
    assert total > 100


def test_drift_carries_users_over_the_sides_of_a_hexagon() -> None:
    """Rates against points thrown into a hexagon that moves a little."""
    rng = np.random.default_rng(0)
    radius_m, velocity, time_s = 3000.0, (9.0, -4.0), 5.0
    points = rng.uniform(-radius_m, radius_m, (400_000, 2))
    normals = np.array(NORMALS)
    inside = (points @ normals.T).max(axis=1) < radius_m * math.sqrt(3) / 2
    # Users stand still; relative to the cell they move with the opposite velocity.
    ends = points[inside] - np.array(velocity) * time_s
    over = ends @ normals.T - radius_m * math.sqrt(3) / 2
    crossed = over.max(axis=1) > 0
    side = over.argmax(axis=1)[crossed]
    share = np.bincount(side, minlength=6) / inside.sum() / time_s
    rates = np.array(crossing_rates_per_s(velocity, radius_m))
    assert rates.sum() == pytest.approx(share.sum(), rel=0.05)
    assert np.abs(rates - share).max() < 0.06 * rates.sum()
    # A disc of the same area loses 2 u/(pi r), a little less.
    disc = 2 * math.hypot(*velocity) / (math.pi * radius_m * math.sqrt(1.5 * math.sqrt(3) / math.pi))
    assert 0.9 < disc / rates.sum() < 1.0


def test_the_platform_holds_its_place_up_to_its_airspeed() -> None:
    drift = Drift(airspeed_m_s=12.0, gust_m_s=0.0)
    assert drift_velocity_m_s(drift, np.array([6.0, 8.0]), (1.0, 1.0)) == (0.0, 0.0)
    assert drift_velocity_m_s(drift, np.array([12.0, 16.0]), (0.0, 0.0)) == pytest.approx((4.8, 6.4))


def test_the_crowd_is_where_it_is_said_to_be() -> None:
    task = task_of("moving-hotspot")
    load = new_call_erlang(task.scenario, np.array([0.0, math.pi / 2, math.pi]))
    centres = topology_of(task.scenario).centres()
    east, north = (centres[load.argmax(axis=1)] - (centres.max(axis=0) + centres.min(axis=0)) / 2).T
    assert east[0] > 1.5 and east[2] < -1.5 and north[1] > 1.5
    assert load.min() >= 2.7
    assert load.max() <= 14.7
