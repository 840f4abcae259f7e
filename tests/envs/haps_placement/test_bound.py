"""The bound: never below what can be had, tight where it can be worked out by hand, and its parts each valid."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.haps_placement import bound as module
from ntn_gym.envs.haps_placement.bound import bound
from ntn_gym.envs.haps_placement.presets import load_preset
from ntn_gym.envs.haps_placement.radio import radio_maps
from ntn_gym.envs.haps_placement.reference import greedy_jump
from ntn_gym.envs.haps_placement.relaxation import Hours, bandwidth_prices, platform_worth, reachable, read_cells
from ntn_gym.envs.haps_placement.task import HAPSPlacementTask

from .synthetic import raw_trace, task_with


def packed(task: HAPSPlacementTask, seeds: list[int]) -> dict[str, np.ndarray]:
    world = task.make_world()
    _, raw = world.advance(world.begin([WorldKey(seed) for seed in seeds]), task.episode_steps + 1)
    return task.compile(None, raw)[1]


def test_one_small_town_is_worked_out_by_hand() -> None:
    """One platform, one place that asks for 30 Mbit/s all day: 99.2 % of its users, for 24 h."""
    task = task_with()
    raw = raw_trace(task, demand_mbit_s=np.array([30.0, 0.0, 0.0]), group_m=np.array([[7e3, -3e3], [0, 0], [0, 0]]))
    value = bound(task, task.compile(None, raw)[1]).value[0]
    by_hand = 24.0 * 30.0 * 0.992 * task.per_demand
    assert by_hand * (1 - 1e-6) <= value <= by_hand * 1.01


def test_bandwidth_limits_the_bound() -> None:
    """A place that asks for ten times the capacity: the bandwidth at the nadir's efficiency in sight."""
    task = task_with()
    raw = raw_trace(task, demand_mbit_s=np.array([4000.0, 0.0, 0.0]))
    value = bound(task, task.compile(None, raw)[1]).value[0]
    seen = radio_maps(task.scenario).nadir_efficiency / 0.992
    by_hand = 24.0 * 80.0 * seen * task.per_demand
    assert by_hand <= value <= 1.02 * by_hand


def test_two_far_towns_and_one_platform() -> None:
    """Only the larger can be served."""
    task = task_with()
    group_m = np.array([[-90e3, 0.0], [90e3, 0.0], [0.0, 0.0]])
    raw = raw_trace(task, demand_mbit_s=np.array([40.0, 25.0, 0.0]), group_m=group_m)
    value = bound(task, task.compile(None, raw)[1], 100).value[0]
    by_hand = 24.0 * 40.0 * 0.992 * task.per_demand
    assert by_hand * (1 - 1e-6) <= value <= 1.01 * by_hand


@pytest.mark.parametrize("preset", ["tiny", pytest.param("airships", marks=pytest.mark.slow)])
def test_it_lies_above_jumping_platforms(preset: str) -> None:
    task = HAPSPlacementTask(load_preset(preset))
    arrays = packed(task, [2_000_000])
    jump, value = greedy_jump(task, arrays)[0], bound(task, arrays).value[0]
    assert jump < value < 1.5 * jump


def test_any_number_of_search_steps_is_valid_and_more_help() -> None:
    task = HAPSPlacementTask(load_preset("tiny"))
    arrays = packed(task, [2_000_000, 2_000_001])
    jump = greedy_jump(task, arrays)
    few, many = bound(task, arrays, 1).value, bound(task, arrays, 60).value
    assert (jump < many).all() and (many <= few + 1e-9).all()


def test_dilated_maps_hold_for_every_place_of_a_square() -> None:
    """Random places in a square, random points: the map of the square is never below the exact one."""
    scenario = load_preset("airships")
    maps, rng = radio_maps(scenario), np.random.default_rng(1)
    exact = reachable(scenario)
    for width in module.SQUARES_M:
        wide = reachable(scenario, width)
        middle = rng.uniform(-100e3, 100e3, (4000, 2))
        place = middle + rng.uniform(-width / 2, width / 2, (4000, 2))
        point = place + rng.uniform(-60e3, 60e3, (4000, 2))
        cell = maps.cells((point - place).astype(np.float32))
        square = read_cells(wide, point - middle)
        for part in ("covered", "efficiency"):
            own = getattr(exact, part).ravel()[cell]
            assert (own <= getattr(wide, part).ravel()[square]).all(), (width, part)
        assert (exact.covered.ravel()[cell] > 0).mean() > 0.3


def test_phi_is_above_the_exact_knapsack() -> None:
    """sum (d c - price d) x with bandwidth: SciPy's linear programme on random cases."""
    rng = np.random.default_rng(2)
    for _ in range(30):
        demand, covered = rng.exponential(60, 12), rng.random(12)
        efficiency, price = rng.uniform(0.7, 4.4, 12), 0.5 * rng.random(12)
        exact = -linprog(
            -(demand * (covered - price)), A_ub=[demand * covered / efficiency], b_ub=[80.0], bounds=(0, 1)
        ).fun
        rows = [np.float32(part)[None] for part in (demand, covered, efficiency, price)]
        above = platform_worth(*rows, 80.0, bandwidth_prices(load_preset("airships")))[0]
        assert exact <= above * (1 + 1e-5) and above <= 1.2 * exact + 5.0


def test_hours_keep_the_demand_of_the_steps() -> None:
    task = HAPSPlacementTask(load_preset("airships"))
    drive = packed(task, [7])["drive"][0]
    hours = Hours(task, drive)
    asked = drive[:144, task.columns["demand"]].astype(float).sum() / 6
    assert (hours.demand.sum(axis=1) * hours.weight_h).sum() == pytest.approx(asked, rel=1e-4)
    assert hours.moving.sum() in (5, 10, 15), "the moving hotspot, and surprises that change their place"


def test_what_is_no_episode_is_refused() -> None:
    task = HAPSPlacementTask(load_preset("tiny"))
    arrays = packed(task, [1])
    with pytest.raises(ValueError, match="drive has 144 slices, expected 145"):
        bound(task, {"drive": arrays["drive"][:, 1:]})
    with pytest.raises(ValueError, match="iterations = 0"):
        bound(task, arrays, 0)
