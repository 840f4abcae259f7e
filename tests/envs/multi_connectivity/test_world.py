"""The world: marginals of the documents, memory, stations in slots, motion, and the presets' own claims."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtr

from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.task import Arrays
from ntn_gym.envs.multi_connectivity import places
from ntn_gym.envs.multi_connectivity.channel import Channel
from ntn_gym.envs.multi_connectivity.presets import load_preset, preset_names, with_overrides
from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.envs.multi_connectivity.station_slots import Choice, assign, renew
from ntn_gym.envs.multi_connectivity.station_table import station_table
from ntn_gym.envs.multi_connectivity.world import MultiConnectivityWorld
from ntn_gym.physics.pathloss import los_probability
from ntn_gym.physics.terrestrial import TerrestrialCell, path_loss_db


def draw(scenario: Scenario, seeds: range, n_steps: int = 40) -> Arrays:
    world = MultiConnectivityWorld(scenario)
    return world.advance(world.begin([WorldKey(seed) for seed in seeds]), n_steps)[1]


@pytest.fixture(scope="module")
def rural() -> Arrays:
    return draw(load_preset("rural"), range(24), 60)


# ---------------------------------------------------------------------- link budget


def test_budget_of_a_station_at_3_km() -> None:
    """61 dBm in 10 MHz, RMa without line of sight at 2 GHz: 125.5 + 38.6 log10(d/km) dB, noise figure 7 dB."""
    table = station_table(load_preset("rural"))
    found = float(table.snr_nlos_db[table.cell(np.array([3000.0], dtype=np.float32))[0]])
    noise_dbm = -174.0 + 70.0 + 7.0
    assert found == pytest.approx(61.0 - (125.5 + 38.6 * math.log10(3.0)) - noise_dbm, abs=0.3)
    cell = TerrestrialCell("RMa")
    assert float(path_loss_db(cell, 3000.0, 2e9, False)) == pytest.approx(125.5 + 38.6 * math.log10(3.0), abs=0.2)


def test_budget_of_a_satellite(rural: Arrays) -> None:
    """34 dBW/MHz and -31.6 dB/K at 1000 km, 2 GHz: 34 - 60 - 31.6 + 228.6 - 158.47 = 12.5 dB."""
    elevation = np.radians(rural["elevation_deg"][..., 0])
    radius, height = 6371e3, 500e3
    slant = np.sqrt((radius * np.sin(elevation)) ** 2 + 2 * radius * height + height**2) - radius * np.sin(elevation)
    expected = 34 - 60 - 31.6 + 228.6 - (32.45 + 20 * np.log10(2.0 * slant))
    held = rural["node"][:, :, 0, 0] >= 0
    found = np.median(rural["predicted_snr_db"][..., 0], axis=2)
    # Users are up to 35 km from the middle, and the shell is 500 km above the equator's radius.
    np.testing.assert_allclose(found[held], expected[held], atol=0.35)


# ---------------------------------------------------------------------- blockage and its memory


def test_line_of_sight_has_the_marginals_of_the_document(rural: Arrays) -> None:
    elevation = np.radians(rural["elevation_deg"])[:, :, None, :]
    held = rural["node"][..., :3] >= 0
    expected = np.broadcast_to(los_probability(elevation, "rural"), held.shape)[held].mean()
    assert rural["clear"][..., :3][held].mean() == pytest.approx(expected, abs=0.02)


def test_stations_are_blocked_as_often_as_the_scenario_says(rural: Arrays) -> None:
    assert 1 - rural["clear"][..., 3:].mean() == pytest.approx(0.3, abs=0.03)


def test_blockage_has_memory_and_a_train_shares_it() -> None:
    def correlation(scenario: Scenario) -> tuple[float, float]:
        clear = draw(scenario, range(20))["clear"][..., 3].astype(float)
        clear = clear - clear.mean()
        lag = (clear[:, 1:] * clear[:, :-1]).mean() / clear.var()
        pairs = (clear[:, :, 0] * clear[:, :, 1:].mean(axis=2)).mean() / clear.var()
        return lag, pairs

    on_road, on_rails = correlation(load_preset("rural")), correlation(load_preset("train"))
    assert on_road[0] > 0.5 and abs(on_road[1]) < 0.12
    assert on_rails[1] > 0.4, "passengers are blocked together"


def test_two_nodes_close_in_azimuth_are_blocked_together() -> None:
    channel = Channel(load_preset("rural"))
    field = channel._field
    assert field.correlation(math.radians(30)) == pytest.approx(math.exp(-0.5), abs=0.02)
    assert ndtr(float(channel._block_threshold)) == pytest.approx(0.7)


# ---------------------------------------------------------------------- stations in slots


def test_a_slot_changes_its_station_only_for_a_clearly_nearer_one() -> None:
    station = np.array([[[0, 1]]])
    near = np.array([[[1000.0, 3000.0, 2600.0, 9000.0]]])
    assert renew(station, near, 0.15).tolist() == [[[0, 1]]]
    near[0, 0, 2] = 2500.0
    assert renew(station, near, 0.15).tolist() == [[[0, 2]]]


def test_stations_of_a_chunk_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    position = np.cumsum(rng.normal(0, 300, (2, 50, 3, 2)), axis=1) + 10e3
    stations = rng.uniform(0, 20e3, (2, 9, 2))
    start = Choice(np.full((2, 3, 2), -1), np.zeros((2, 3)))

    def strength(distance: np.ndarray) -> np.ndarray:
        return 1.0 / distance**2

    last, whole, far = assign(start, position, stations, 0, 5, 0.15, strength)
    choice, parts = start, []
    for first, n in ((0, 3), (3, 9), (12, 38)):
        choice, *part = assign(choice, position[:, first : first + n], stations, first, 5, 0.15, strength)
        parts.append(part)
    assert np.array_equal(np.concatenate([p[0] for p in parts], axis=1), whole)
    assert np.array_equal(np.concatenate([p[1] for p in parts], axis=1), far)
    assert np.array_equal(choice.station, last.station)
    assert (whole[:, 1:] != whole[:, :-1]).any(), "nobody ever changed a station"


# ---------------------------------------------------------------------- motion


def test_users_move_at_their_speed_and_stay_in_the_region(rural: Arrays) -> None:
    way = np.linalg.norm(np.diff(rural["user_m"], axis=1), axis=-1)
    speed = np.median(way, axis=1)
    assert (rural["user_m"] >= 0).all() and (rural["user_m"] <= 50e3).all()
    cars = load_preset("rural").users.n_fast
    assert cars == 17
    np.testing.assert_allclose(speed[:, :cars], 20.0, atol=0.05)
    np.testing.assert_allclose(speed[:, cars:], 1.5, atol=0.05)


def test_melbourne_is_where_its_data_are() -> None:
    scenario = load_preset("melbourne")
    (lat, lon), stations, people, side = places.melbourne_m()
    assert math.degrees(lat) == pytest.approx(-37.81, abs=0.02) and math.degrees(lon) == pytest.approx(144.96, abs=0.02)
    assert len(stations) == 125 == scenario.stations.capacity and len(people) == 816  # type: ignore[union-attr]
    assert 1e3 < side < 5e3
    raw = draw(scenario, range(2), 3)
    start = raw["user_m"][:, 0]
    nearest = np.linalg.norm(start[:, :, None] - people, axis=-1).min(axis=-1)
    assert (nearest < 2.0).all()  # a first step of 1.5 m


# ---------------------------------------------------------------------- scenarios


def test_presets_are_those_of_the_design() -> None:
    assert set(preset_names()) == {
        "rural",
        "paper-case-study",
        "train",
        "urban",
        "crowd",
        "sparse",
        "ms-ocean",
        "ms-mbs",
        "joint-transmission",
        "shared-spectrum",
        "low-altitude",
        "melbourne",
        "tiny",
    }


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"architecture": {"kind": "ms"}}, "set stations to null"),
        ({"architecture": {"kind": "ss-sbs", "max_links": 3}}, "at most 2"),
        ({"stations": None}, "needs stations"),
        ({"combining": {"rule": "coherent"}}, "set spectrum.kind = shared"),
        ({"users": {"motion": "train"}}, "placement = track"),
        ({"users": {"places": "melbourne"}}, "both be melbourne"),
        ({"load": {"broadcast_period_s": 2.5}}, "multiple of dt_s"),
        ({"channel": {"pilots": 200}}, "fewer than block_symbols"),
        ({"combining": {"rule": "mrc"}, "reward": {"difference_weight": 1.0}}, "set it to 0"),
        ({"users": {"motion": "uav"}}, "30 to 300 m"),
    ],
)
def test_scenarios_that_cannot_be_are_refused(values: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        with_overrides(load_preset("rural"), values)


def test_block_fading_has_unit_mean_and_is_not_measured() -> None:
    for fading, variance in (("nakagami", 0.5), ("shadowed-rician", None)):
        scenario = with_overrides(load_preset("paper-case-study"), {"channel": {"fading": fading}})
        raw = draw(scenario, range(10), 30)
        power = 10 ** (raw["fade_db"][..., :3] / 10)
        assert power.mean() == pytest.approx(1.0, abs=0.03)
        if variance is not None:
            assert power.var() == pytest.approx(variance, rel=0.05)
        held = raw["node"][..., 3:] >= 0
        assert (10 ** (raw["fade_db"][..., 3:] / 10))[held].var() == pytest.approx(1.0, rel=0.1)  # Rayleigh
