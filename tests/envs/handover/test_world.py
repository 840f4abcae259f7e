"""The trace as a whole: declared ranges, batches and chunks, the schedule, what a new pass brings."""

import itertools
import math

import numpy as np
import pytest

from ntn_gym.core import tree
from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.trace import validate_arrays
from ntn_gym.envs.handover.geometry import sub_point
from ntn_gym.envs.handover.packing import Packer
from ntn_gym.envs.handover.presets import load_preset, preset_names, with_overrides
from ntn_gym.envs.handover.world import NOTHING_DB, HandoverWorld
from ntn_gym.physics.geometry import geodetic_to_ecef

SHORT = 40


def shortened(preset, steps=SHORT):
    """A preset with a short episode; many users are cut to five."""
    scenario = load_preset(preset)
    return with_overrides(scenario, {"steps": steps, "users": {"count": min(scenario.users.count, 5)}})


def draw(world, seeds, cuts, packer=None):
    """Raw (and packed) arrays of worlds, drawn in pieces."""
    state, memory, parts = world.begin([WorldKey(seed) for seed in seeds]), None, []
    for first, last in itertools.pairwise(cuts):
        state, raw = world.advance(state, last - first)
        if packer is not None:
            memory, packed = packer.compile(memory, raw)
            raw = {**raw, **packed}
        parts.append(raw)
    return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}


@pytest.mark.parametrize("preset", preset_names())
def test_any_batch_and_any_chunks_give_the_same_bits(preset):
    scenario = shortened(preset)
    world, packer, n = HandoverWorld(scenario), Packer(scenario), SHORT + 1
    together = draw(world, range(4), [0, n], packer)
    for seed, cuts in ((0, [0, n]), (2, [0, 1, 2, 17, n]), (3, [0, 20, n])):
        alone = draw(world, [seed], cuts, packer)
        for name, array in together.items():
            assert np.array_equal(array[seed : seed + 1], alone[name]), name
    pieces = draw(world, range(4), [0, 13, n], packer)
    for name, array in together.items():
        assert np.array_equal(array, pieces[name]), name


def test_states_can_be_taken_and_joined():
    """What the trace buffer does with worlds that stand at the same step."""
    world = HandoverWorld(shortened("vsat-ka"))
    state, _ = world.advance(world.begin([WorldKey(seed) for seed in range(4)]), 10)
    _, expected = world.advance(tree.copy_tree(state), 5)
    joined = tree.concatenate([tree.take(tree.copy_tree(state), [2]), tree.take(tree.copy_tree(state), [0, 3])])
    _, ours = world.advance(joined, 5)
    for name, array in expected.items():
        assert np.array_equal(array[[2, 0, 3]], ours[name]), name


@pytest.mark.parametrize("preset", preset_names())
def test_values_lie_in_the_declared_ranges(preset):
    scenario = shortened(preset, 80)
    world = HandoverWorld(scenario)
    raw = draw(world, range(1_000_000, 1_000_006), [0, 81])
    validate_arrays(raw, world.fields, 81)
    for name, spec in world.fields.items():
        assert raw[name].dtype == np.dtype(spec.dtype), name
    empty = raw["pass_id"] < 0
    assert (~empty).any(axis=(1, 2)).all(), "a world without any pass"
    for name in ("remaining_s", "azimuth_deg", "load", "doppler_hz", "elevation_rate_deg_s"):
        assert (raw[name][empty] == 0).all(), name
    hidden = np.broadcast_to(empty[:, :, None], raw["snr_db"].shape)
    for name in ("elevation_deg", "range_m", "rain_db"):
        assert (raw[name][hidden] == 0).all(), name
    for name in ("snr_db", "sinr_db", "predicted_snr_db"):
        assert (raw[name][hidden] == NOTHING_DB).all(), name
    assert not raw["los"][hidden].any()
    assert (raw["sinr_db"] <= raw["snr_db"]).all()
    if not scenario.link.rain:
        assert not raw["rain_db"].any()


@pytest.mark.parametrize("preset", ["beams", "street", "iridium-next", "vsat-ka"])
def test_remaining_time_is_true_to_the_schedule(preset):
    scenario = load_preset(preset)
    raw = draw(HandoverWorld(scenario), range(3), [0, scenario.steps + 1])
    pass_id, remaining = raw["pass_id"], np.rint(raw["remaining_s"] / scenario.dt_s).astype(int)
    seen = 0
    for world in range(3):
        offered: dict[int, int] = {}
        for slot in range(scenario.slots.count):
            column = pass_id[world, :, slot]
            starts = np.flatnonzero(np.diff(column, prepend=-2) != 0)
            for start, end in zip(starts, [*starts[1:], len(column)], strict=True):
                number = int(column[start])
                if number < 0:
                    continue
                left = remaining[world, start:end, slot]
                assert (np.diff(left) == -1).all()
                if end < len(column):  # it has set: then the slot is empty, and nobody rides on
                    assert left[-1] == 1
                    assert column[end] == -1
                else:
                    assert left[-1] >= 1
                assert left[0] >= 2, "too short a pass was offered"
                assert number not in offered, "a pass was offered twice"
                offered[number] = slot
                seen += 1
    assert seen > 20 or preset == "iridium-next"


@pytest.mark.parametrize(("preset", "mask_deg"), [("beams", 35.0), ("starlink", 35.0), ("street", 10.0)])
def test_passes_are_offered_above_the_mask_only(preset, mask_deg):
    scenario = with_overrides(
        load_preset(preset), {"users": {"motion": "static", "speed_m_s": 0.0, "region_radius_m": 0.0}}
    )
    raw = draw(HandoverWorld(scenario), range(4), [0, 200])
    valid = raw["pass_id"] >= 0
    assert raw["elevation_deg"][:, :, 0][valid].min() > mask_deg - 0.001


def test_a_satellite_slot_follows_one_satellite():
    scenario = load_preset("tiny")
    world = HandoverWorld(scenario)
    state = world.begin([WorldKey(seed) for seed in range(5)])
    schedule = state.schedule
    for number in range(schedule.pass_id[0].max() + 1):
        where = schedule.pass_id[0] == number
        assert len(set(schedule.node[0][where].tolist())) <= 1
        assert len(set(schedule.set_step[0][where].tolist())) <= 1


def test_a_new_pass_is_a_new_cell():
    """Over many worlds: loads are correlated within a pass, and only by the regional share across a change."""
    scenario = with_overrides(load_preset("beams"), {"load": {"regional_share": 0.0}})
    raw = draw(HandoverWorld(scenario), range(200), [0, 60])
    pass_id, logit = raw["pass_id"], np.zeros(raw["load"].shape)
    valid = pass_id >= 0
    logit[valid] = np.log(raw["load"][valid].astype(float) / (1 - raw["load"][valid].astype(float)))
    same = valid[:, 2:] & (pass_id[:, 2:] == pass_id[:, :-2])
    assert (logit[:, 2:] * logit[:, :-2])[same].mean() == pytest.approx(math.exp(-2 / 60), abs=0.1)
    changed = valid[:, 2:] & valid[:, :-2] & (pass_id[:, 2:] != pass_id[:, :-2])
    assert changed.sum() > 1500
    assert abs((logit[:, 2:] * logit[:, :-2])[changed].mean()) < 4.5 / math.sqrt(changed.sum())


def test_measurement_errors_are_normal_and_independent():
    scenario = load_preset("tiny")
    raw = draw(HandoverWorld(scenario), range(50), [0, 200])
    error = raw["measurement_error_db"].astype(float) / 1.5
    n = error.size
    assert abs(error.mean()) < 4.5 / math.sqrt(n)
    assert abs(error.var() - 1) < 4.5 * math.sqrt(2 / n)
    assert abs((error[:, 1:] * error[:, :-1]).mean()) < 4.5 / math.sqrt(n)


def test_users_of_a_region_differ_and_the_course_is_theirs():
    scenario = with_overrides(load_preset("benchmark-30x13"), {"steps": 20, "users": {"count": 4}})
    raw = draw(HandoverWorld(scenario), [0], [0, 21])
    valid = raw["pass_id"][0, 0] >= 0
    for first, second in itertools.combinations(range(4), 2):
        assert not np.array_equal(raw["range_m"][0, 0, first, valid], raw["range_m"][0, 0, second, valid])
    # Everybody walks 20 s along its course, give or take the wandering.
    north = (raw["user_lat_deg"][0, 20] - raw["user_lat_deg"][0, 0]).astype(float) * 111e3
    expected = 20.0 * np.cos(np.radians(raw["user_course_deg"][0, 0]))
    np.testing.assert_allclose(north, expected, atol=15.0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sub_points_are_geodetic(dtype):
    """Positions above known geodetic places, from the closed form in the other direction."""
    lat, lon, height_m = np.meshgrid(
        np.linspace(-89.5, 89.5, 41), np.linspace(-179, 179, 9), [0.0, 20e3, 550e3, 1200e3]
    )
    position_m = np.asarray(geodetic_to_ecef(np.radians(lat), np.radians(lon), height_m)).astype(dtype)
    got_lat, got_lon = sub_point(*np.moveaxis(position_m, -1, 0))
    assert got_lat.dtype == got_lon.dtype == np.float32
    np.testing.assert_allclose(got_lat, lat, atol=2e-5)
    np.testing.assert_allclose(got_lon, lon, atol=3e-5)


def test_a_platform_stands_above_the_centre_of_its_region():
    scenario = with_overrides(load_preset("haps-swing"), {"users": {"region_radius_m": 0.0}})
    raw = draw(HandoverWorld(scenario), range(3), [0, 1])
    for axis in ("lat", "lon"):
        np.testing.assert_allclose(raw[f"node_{axis}_deg"][:, 0, 0], raw[f"user_{axis}_deg"][:, 0, 0], atol=2e-4)


def test_a_platform_keeps_its_station_while_users_walk():
    scenario = with_overrides(load_preset("haps-swing"), {"users": {"motion": "vehicle", "speed_m_s": 15.0}})
    raw = draw(HandoverWorld(scenario), range(3), [0, 101])
    assert np.ptp(raw["node_lat_deg"], axis=1).max() == 0
    moved = np.hypot(*(np.ptp(raw[f"user_{axis}_deg"], axis=1) for axis in ("lat", "lon"))) * 111e3
    assert moved.min() > 1000
    assert (raw["pass_id"] == raw["pass_id"][:, :1]).all()
    assert (raw["remaining_s"] >= scenario.remaining_horizon_s).all()


def test_more_cells_than_the_platform_has_are_refused():
    with pytest.raises(ValueError, match=r"slots\.count = 8 exceeds the 7 cells"):
        HandoverWorld(with_overrides(load_preset("haps-swing"), {"slots": {"rings": 1}}))


def test_an_episode_longer_than_the_ephemeris_is_refused():
    with pytest.raises(ValueError, match="shorten the episode"):
        HandoverWorld(with_overrides(load_preset("tiny"), {"steps": 30_000}))
