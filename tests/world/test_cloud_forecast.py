"""The forecast has the skill that it states, and beliefs follow from it by Bayes' rule."""

from __future__ import annotations

import numpy as np
import pytest

from ntn_gym.world.cloud_forecast import (
    SkyPath,
    clear_belief,
    combine,
    draw_forecasts,
    path_of,
    skill_after_check,
)
from ntn_gym.world.clouds import CloudTimes, cloud_plan

TIMES = CloudTimes(1800.0, 5400.0)
HORIZON_S = 6 * 86_400.0


def generators(name: int, n: int) -> list[np.random.Generator]:
    return [np.random.default_rng([name, k]) for k in range(n)]


def sample(skill: float, n_worlds: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """True and forecast sky at random times of all stations."""
    plan = cloud_plan(generators(1, n_worlds), 5, TIMES, HORIZON_S)
    forecasts = draw_forecasts(plan, TIMES, skill, 21_600.0, generators(2, n_worlds), generators(3, n_worlds))
    times = np.random.default_rng(0).uniform(0, HORIZON_S, 200)
    truth = [path_of(plan, w, s).clear_at(times) for w in range(n_worlds) for s in range(5)]
    said = [forecast.paths[s].clear_at(times) for forecast in forecasts for s in range(5)]
    return np.concatenate(truth), np.concatenate(said)


@pytest.mark.parametrize("skill", [0.0, 0.3, 0.8])
def test_the_peirce_score_is_the_stated_skill(skill: float) -> None:
    """POD - POFD, counted; the forecast is as often clear as the sky."""
    truth, said = sample(skill)
    detected, falsely = said[truth].mean(), said[~truth].mean()
    # Some 40 000 samples, correlated within blocks of six hours: a standard error near 0.01.
    assert detected - falsely == pytest.approx(skill, abs=0.035)
    assert detected == pytest.approx(skill + (1 - skill) * 0.25, abs=0.035)
    assert said.mean() == pytest.approx(0.25, abs=0.03)


def test_a_perfect_forecast_is_the_truth() -> None:
    truth, said = sample(1.0, 4)
    assert np.array_equal(truth, said)


def test_a_path_says_when_it_is_clear_next() -> None:
    path = SkyPath(np.array([0.0, 10.0, 30.0, 50.0]), np.array([False, True, False, True]))
    times = np.array([0.0, 9.0, 10.0, 20.0, 30.0, 49.0, 60.0])
    assert path.next_clear_s(times, 99.0).tolist() == [10.0, 10.0, 10.0, 20.0, 50.0, 50.0, 60.0]
    over = SkyPath(np.array([0.0, 10.0]), np.array([True, False]))
    assert over.next_clear_s(np.array([5.0, 15.0]), 99.0).tolist() == [5.0, 99.0]


def test_belief_by_counting() -> None:
    """Share of clear sky some time after a clear one, from drawn skies."""
    plan = cloud_plan(generators(5, 300), 5, TIMES, 90_000.0)
    paths = [path_of(plan, w, s) for w in range(300) for s in range(5)]
    start = np.arange(0.0, 80_000.0, 8_000.0)
    now = np.array([path.clear_at(start) for path in paths])
    later = np.array([path.clear_at(start + 1200.0) for path in paths])
    assert later[now].mean() == pytest.approx(float(clear_belief(True, 1200.0, TIMES)), abs=0.02)
    assert later[~now].mean() == pytest.approx(float(clear_belief(False, 1200.0, TIMES)), abs=0.02)


def test_combine_by_hand() -> None:
    """pi = 0.25, s = 0.6: POD 0.7, POFD 0.1. A prior of 0.25 becomes 0.175 / 0.25 = 0.7, or 0.075 / 0.75 = 0.1."""
    both = combine(np.array([0.25, 0.25]), np.array([True, False]), 0.6, 0.25)
    np.testing.assert_allclose(both, [0.7, 0.1])
    np.testing.assert_allclose(combine(np.array([0.4]), np.array([True]), 0.0, 0.25), 0.4)
    np.testing.assert_allclose(combine(np.array([1.0, 0.2]), np.array([False, True]), 1.0, 0.25), [1.0, 1.0])


def test_a_contradicted_forecast_is_not_trusted() -> None:
    trust = skill_after_check(np.array([True, False]), 0.5, np.array([0.25, 0.25]))
    np.testing.assert_allclose(trust, [0.5 / (0.5 + 0.125), 0.0])


def test_posterior_is_calibrated() -> None:
    """Where the combined probability says p, the sky is clear in a share p of cases."""
    truth, said = sample(0.5, 60)
    p = combine(np.full(len(said), 0.25), said, 0.5, 0.25)
    for value in np.unique(p):
        assert truth[p == value].mean() == pytest.approx(value, abs=0.03)


def test_wrong_settings_are_refused() -> None:
    plan = cloud_plan(generators(1, 1), 1, TIMES, 1e4)
    with pytest.raises(ValueError, match=r"skill: got 1\.5"):
        draw_forecasts(plan, TIMES, 1.5, 3600.0, generators(2, 1), generators(3, 1))
    with pytest.raises(ValueError, match="block_s"):
        draw_forecasts(plan, TIMES, 0.5, 0.0, generators(2, 1), generators(3, 1))
