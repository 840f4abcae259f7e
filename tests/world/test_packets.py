"""Packet arrivals: moments against their formulas, independence of chunks and batch."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ntn_gym.world import packets


def _generators(*seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


def test_files_have_the_moments_of_a_compound_poisson_process() -> None:
    """Mean m and variance m E[S^2] = 2 m for exponential sizes of mean 1 (Ross, section 5.4.2)."""
    for mean in (0.2, 3.0):
        amounts = packets.file_arrivals(_generators(1), _generators(2), np.full((1, 40_000, 2), mean))
        n = amounts.size
        assert amounts.mean() == pytest.approx(mean, abs=4 * math.sqrt(2 * mean / n))
        assert amounts.var() == pytest.approx(2 * mean, rel=0.06)
        assert (amounts == 0).mean() == pytest.approx(math.exp(-mean), abs=4 * math.sqrt(0.25 / n))


def test_smooth_arrivals_vary_as_their_shape_says() -> None:
    amounts = packets.smooth_arrivals(_generators(3), np.full((1, 40_000, 1), 2.5), 4.0)
    assert amounts.mean() == pytest.approx(2.5, rel=0.02)
    assert amounts.std() / amounts.mean() == pytest.approx(0.5, rel=0.02)


def test_storms_hit_everybody_at_once() -> None:
    amounts = packets.storm_arrivals(_generators(4), np.full((1, 20_000, 3), 0.7), 0.05)
    hit = amounts[0] > 0
    assert (hit == hit[:, :1]).all() and hit[:, 0].mean() == pytest.approx(0.05, abs=0.006)
    assert amounts.mean() == pytest.approx(0.7, rel=0.12)
    np.testing.assert_allclose(amounts[0][hit], 14.0)


def test_the_daily_profile_has_mean_one_and_its_peaks() -> None:
    hour = np.arange(0, 24, 0.01)
    profile = packets.daily_profile(hour)
    assert profile.mean() == pytest.approx(1.0, abs=1e-4)
    assert hour[np.argmax(profile)] == pytest.approx(20.5, abs=0.05)
    assert hour[np.argmin(profile)] == pytest.approx(3.9, abs=1.0)
    morning = (hour > 6) & (hour < 13)
    assert hour[morning][np.argmax(profile[morning])] == pytest.approx(9.0, abs=0.2)
    assert packets.daily_profile(np.array(0.0)) == pytest.approx(packets.daily_profile(np.array(24.0)))


def test_chunks_and_batches_change_nothing() -> None:
    rng = np.random.default_rng(0)
    mean = rng.uniform(0, 3, (2, 30, 4))
    for draw in (
        lambda g, h, m: packets.file_arrivals(g, h, m),
        lambda g, h, m: packets.smooth_arrivals(g, m),
        lambda g, h, m: packets.storm_arrivals(g, m, 0.3),
    ):
        whole = draw(_generators(1, 2), _generators(3, 4), mean)
        first, second = _generators(1, 2), _generators(3, 4)
        parts = [draw(first, second, part) for part in (mean[:, :7], mean[:, 7:8], mean[:, 8:])]
        assert np.array_equal(np.concatenate(parts, axis=1), whole)
        assert np.array_equal(draw(_generators(2), _generators(4), mean[1:]), whole[1:])
