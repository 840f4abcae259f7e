"""The drawn world: epochs, contacts, skies and expectations that come true as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.task import Arrays
from ntn_gym.envs.data_relay import schedule
from ntn_gym.envs.data_relay.presets import load_preset, with_overrides
from ntn_gym.envs.data_relay.scenario import Scenario
from ntn_gym.envs.data_relay.world import RelayWorld

N_WORLDS = 24


@pytest.fixture(scope="module")
def mixed() -> tuple[RelayWorld, Scenario, Arrays]:
    scenario = load_preset("mixed")
    world = RelayWorld(scenario)
    keys = [WorldKey(1_000_000 + k) for k in range(N_WORLDS)]
    return world, scenario, world.advance(world.begin(keys), world.n_slices)[1]


def test_epochs_cover_the_day_and_begin_at_events(mixed) -> None:
    _, scenario, raw = mixed
    assert (raw["duration_ms"].sum(axis=1) == scenario.horizon_ms).all()
    assert raw["duration_ms"].max() <= 600_000
    for row in range(N_WORLDS):
        n = int(np.count_nonzero(raw["duration_ms"][row]))
        view = raw["receiver"][row, :n]
        changed = (
            (view[1:] != view[:-1]).any(axis=(1, 2))
            | (raw["clear"][row, 1:n] != raw["clear"][row, : n - 1]).any(axis=1)
            | raw["arrival_bits"][row, 1:n].any(axis=(1, 2))
            | (raw["duration_ms"][row, : n - 1] == 600_000)
        )
        # A pass that only another one can replace in the slots changes nothing that is offered.
        assert changed.mean() > 0.97


def test_every_world_generates_the_same_data(mixed) -> None:
    _, scenario, raw = mixed
    assert (raw["arrival_bits"].sum(axis=(1, 2, 3)) == scenario.total_bits).all()
    quiet = raw["time_s"] > (scenario.horizon_h - scenario.traffic.quiet_h) * 3600
    assert not raw["arrival_bits"][quiet].any()


def test_the_sky_has_the_stated_statistics(mixed) -> None:
    """Clear share TCC/(TCC + TCS) = 0.0909 and Peirce score 0.3, weighted by time."""
    _, scenario, raw = mixed
    weight = raw["duration_ms"][..., None] / scenario.horizon_ms
    clear, said = raw["clear"], raw["forecast_clear"]
    assert float((weight * clear).sum()) / (N_WORLDS * 10) == pytest.approx(0.0909, abs=0.015)
    hit = float((weight * (clear & said)).sum() / (weight * clear).sum())
    false = float((weight * (~clear & said)).sum() / (weight * ~clear).sum())
    assert hit - false == pytest.approx(0.3, abs=0.08)


def test_passes_are_those_of_the_book(mixed) -> None:
    """Seen share of time and remaining times, from the passes of the whole constellation."""
    world, scenario, raw = mixed
    seen = (raw["receiver"] >= 0).any(axis=3) * raw["duration_ms"][..., None]
    share = float(seen.sum()) / (N_WORLDS * 4 * scenario.horizon_ms)
    book = world.book
    inside = book.satellite == 7
    edges = np.sort(np.concatenate((book.start_s[inside], book.end_s[inside])))
    middle = 0.5 * (edges[1:] + edges[:-1])
    covered = ((book.start_s[inside] <= middle[:, None]) & (middle[:, None] < book.end_s[inside])).any(axis=1)
    one_satellite = float(np.diff(edges)[covered].sum()) / book.grid.window_s
    assert share == pytest.approx(one_satellite, abs=0.05)
    # Remaining time falls with the clock, and a contact ends when it says.
    n = int(np.count_nonzero(raw["duration_ms"][0]))
    same = raw["receiver"][0, 1:n] == raw["receiver"][0, : n - 1]
    same &= raw["receiver"][0, 1:n] >= 0
    fall = raw["remaining_s"][0, : n - 1] - raw["remaining_s"][0, 1:n]
    length = raw["duration_ms"][0, : n - 1, None, None] / 1e3
    follows = np.abs(fall - length) < 0.01
    assert follows[same].mean() > 0.99


def test_a_chance_comes_true_as_often_as_it_says(mixed) -> None:
    """Chance that the next pass is clear, against the sky in its middle, in bins of what was said."""
    _, _, raw = mixed
    said, came = [], []
    for row in range(N_WORLDS):
        n = int(np.count_nonzero(raw["duration_ms"][row]))
        time_s = raw["time_s"][row, :n]
        station = raw["next_station"][row, :n, :, 0]
        middle = time_s[:, None] + raw["next_gap_s"][row, :n, :, 0] + raw["next_duration_s"][row, :n, :, 0] / 2
        epoch = np.searchsorted(time_s, middle, side="right") - 1
        known = station >= 0
        truth = raw["clear"][row][epoch, np.maximum(station, 0)]
        said.append(raw["next_clear"][row, :n, :, 0][known])
        came.append(truth[known])
    p, truth = np.concatenate(said), np.concatenate(came)
    for low, high in ((0.0, 0.05), (0.05, 0.15), (0.15, 0.5), (0.5, 1.01)):
        inside = (p >= low) & (p < high)
        assert inside.sum() > 500
        assert truth[inside].mean() == pytest.approx(float(p[inside].mean()), abs=0.08), f"{low} to {high}"


def test_waiting_for_clear_sky_takes_as_long_as_expected(mixed) -> None:
    """Expected wait of a clouded station against the true one; the end of the day cuts both."""
    _, scenario, raw = mixed
    expected, true = [], []
    for row in range(N_WORLDS):
        n = int(np.count_nonzero(raw["duration_ms"][row]))
        time_s, clear = raw["time_s"][row, :n], raw["clear"][row, :n]
        for g in range(clear.shape[1]):
            starts = np.append(time_s[clear[:, g]], scenario.horizon_h * 3600)
            morning = (time_s < 6 * 3600) & ~clear[:, g]
            wait = starts[np.searchsorted(starts, time_s)] - time_s
            expected.append(raw["site_wait_s"][row, :n, g][morning])
            true.append(wait[morning])
    assert np.concatenate(true).mean() == pytest.approx(float(np.concatenate(expected).mean()), rel=0.15)


def test_a_perfect_forecast_knows_when_it_clears() -> None:
    scenario = with_overrides(load_preset("tiny"), {"forecast": {"skill": 1.0, "block_h": 12.0}})
    world = RelayWorld(scenario)
    raw = world.advance(world.begin([WorldKey(3)]), world.n_slices)[1]
    n = int(np.count_nonzero(raw["duration_ms"][0]))
    time_s, clear = raw["time_s"][0, :n], raw["clear"][0, :n]
    for g in range(3):
        starts = np.append(time_s[clear[:, g]], scenario.horizon_h * 3600)
        wait = starts[np.searchsorted(starts, time_s)] - time_s
        np.testing.assert_allclose(raw["site_wait_s"][0, :n, g], wait, atol=1.0)


def test_neighbours_are_a_chain() -> None:
    scenario = load_preset("isl")
    world = RelayWorld(scenario)
    raw = world.advance(world.begin([WorldKey(3)]), 3)[1]
    links = raw["receiver"][0, 0, :, scenario.slots :] - scenario.n_stations
    assert links.tolist() == [[-11, 1], [0, 2], [1, 3], [2, -11]]


def test_more_epochs_than_thought_possible_never_come(mixed) -> None:
    world, _, raw = mixed
    used = np.count_nonzero(raw["duration_ms"], axis=1)
    assert used.max() < world.n_slices - 100


def test_edges_are_bounded() -> None:
    scenario = load_preset("tiny")
    book = schedule.book_of(scenario)
    most = schedule.most_edges(book, scenario)
    rng = np.random.default_rng(0)
    for _ in range(50):
        satellite = schedule.choose_satellites(book, scenario, rng)
        passes = schedule.cut_passes(book, scenario, satellite, float(rng.uniform(0, schedule.SPREAD_S)))
        inside = (passes.start_ms > 0).sum() + (passes.end_ms < scenario.horizon_ms).sum()
        assert inside <= most
