"""Clouds: long-run share, holding times, correlation in time, and no trace of chunks, worlds or the horizon."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from ntn_gym.world import clouds

HOUR = 3600.0


def generators(n_worlds: int, first: int = 0) -> list[np.random.Generator]:
    return [np.random.Generator(np.random.SFC64(first + world)) for world in range(n_worlds)]


@pytest.mark.parametrize(("tcc", "tcs", "share"), [(5, 5, 0.5), (5, 25, 1 / 6), (0.1, 5, 0.0196078), (40, 5, 8 / 9)])
def test_long_run_share(tcc, tcs, share):
    times = clouds.CloudTimes(tcc * HOUR, tcs * HOUR)
    assert float(times.clear_probability) == pytest.approx(share, abs=1e-6)
    # Stations are independent: 400,000 of them at the start and a day later, 4 standard errors.
    worlds = generators(2)
    state = clouds.start(worlds, 200_000, times)
    error = 4 * math.sqrt(share * (1 - share) / 400_000)
    assert (~state).mean() == pytest.approx(share, abs=error)
    state, _ = clouds.advance(worlds, state, 3, 8 * HOUR, times)
    assert (~state).mean() == pytest.approx(share, abs=error)


def test_share_and_times_are_inverse():
    times = clouds.times_of_clear_share(0.626, 30 * HOUR)
    assert float(times.clear_probability) == pytest.approx(0.626)
    assert times.clear_s + times.cloudy_s == pytest.approx(30 * HOUR)


def test_transitions_solve_the_rate_equation():
    # dp/dt = (1 - p) / TCC - p / TCS, integrated numerically from clear and from cloudy.
    times = clouds.CloudTimes(5.0, 2.0)
    for begin, ours in zip((0.0, 1.0), clouds.transition_probabilities(times, 3.0), strict=True):
        solution = integrate.solve_ivp(lambda _, p: (1 - p) / 5 - p / 2, (0, 3), [begin], rtol=1e-10, atol=1e-12)
        assert float(ours) == pytest.approx(solution.y[0, -1], abs=1e-8)


def test_holding_times_are_exponential():
    times = clouds.CloudTimes(2 * HOUR, 0.5 * HOUR)
    plan = clouds.cloud_plan(generators(1, 5), 50, times, 8000 * HOUR)
    clear, cloudy = [], []
    for station in range(50):
        changes = plan.change_s[0, station]
        lengths = np.diff(changes[np.isfinite(changes)])
        # The first length after the first change: covered if it was clear at the start.
        parity = int(plan.cloudy_at_start[0, station])
        cloudy.append(lengths[parity::2])
        clear.append(lengths[1 - parity :: 2])
    for lengths, mean in ((np.concatenate(clear), 2 * HOUR), (np.concatenate(cloudy), 0.5 * HOUR)):
        assert len(lengths) > 120_000
        assert stats.kstest(lengths, stats.expon(scale=mean).cdf).pvalue > 0.01


def test_mean_wait_for_a_clear_sky_is_tcs():
    # Memoryless: from any instant under cloud the mean time to the first change is TCS (4 standard errors).
    times = clouds.CloudTimes(5 * HOUR, 2 * HOUR)
    plan = clouds.cloud_plan(generators(1, 6), 100_000, times, 100 * HOUR)
    first = plan.change_s[0, plan.cloudy_at_start[0], 0]
    assert first.mean() == pytest.approx(2 * HOUR, abs=4 * 2 * HOUR / math.sqrt(len(first)))


def test_plan_and_chain_are_one_process():
    # Probability of cloud some time after a clear sky, from both faces, 4 standard errors.
    times = clouds.CloudTimes(5 * HOUR, 2 * HOUR)
    expected, _ = clouds.transition_probabilities(times, 1.5 * HOUR)
    plan = clouds.cloud_plan(generators(1, 7), 200_000, times, 2 * HOUR)
    sky = plan.cloudy([0.0, 1.5 * HOUR])[0]
    np.testing.assert_array_equal(sky[0], plan.cloudy_at_start[0])
    worlds = generators(1, 8)
    state = clouds.start(worlds, 200_000, times)
    _, samples = clouds.advance(worlds, state, 3, 0.5 * HOUR, times)
    for before, after in ((sky[0], sky[1]), (state[0], samples[0, -1])):
        clear = ~before
        error = 4 * math.sqrt(float(expected) * (1 - float(expected)) / clear.sum())
        assert after[clear].mean() == pytest.approx(float(expected), abs=error)


def test_worlds_and_chunks_do_not_change_a_bit():
    times = clouds.CloudTimes((HOUR, 2 * HOUR, 9 * HOUR), (HOUR, 3 * HOUR, HOUR))
    together = generators(3)
    begin = clouds.start(together, 3, times)
    end, whole = clouds.advance(together, begin, 40, 600.0, times)
    for world in range(3):
        alone = generators(1, world)
        state = clouds.start(alone, 3, times)
        np.testing.assert_array_equal(state[0], begin[world])
        parts = []
        for n in (1, 7, 32):
            state, part = clouds.advance(alone, state, n, 600.0, times)
            parts.append(part)
        np.testing.assert_array_equal(np.concatenate(parts, axis=1)[0], whole[world])
        np.testing.assert_array_equal(state[0], end[world])


def test_a_longer_plan_continues_a_shorter_one():
    times = clouds.CloudTimes(HOUR, (0.2 * HOUR, 3 * HOUR))
    short = clouds.cloud_plan(generators(2), 2, times, 40 * HOUR)
    long = clouds.cloud_plan(generators(2), 2, times, 500 * HOUR)
    np.testing.assert_array_equal(short.cloudy_at_start, long.cloudy_at_start)
    instants = np.linspace(0, 40 * HOUR, 997)
    np.testing.assert_array_equal(short.cloudy(instants), long.cloudy(instants))
    # Sampling in chunks is sampling at once.
    parts = [long.cloudy(part) for part in np.split(instants, [10, 500])]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), long.cloudy(instants))
    alone = clouds.cloud_plan(generators(1, 1), 2, times, 40 * HOUR)
    finite = np.isfinite(alone.change_s[0])
    np.testing.assert_array_equal(alone.change_s[0][finite], short.change_s[1][np.isfinite(short.change_s[1])])


def test_clear_intervals_agree_with_the_samples():
    times = clouds.CloudTimes(HOUR, 2 * HOUR)
    plan = clouds.cloud_plan(generators(1, 9), 4, times, 100 * HOUR)
    instants = np.linspace(0, 100 * HOUR, 5001)[:-1]
    sky = plan.cloudy(instants)[0]
    for station in range(4):
        inside = np.zeros(len(instants), bool)
        for begin, end in plan.clear_intervals_s(0, station):
            assert 0 <= begin < end <= 100 * HOUR
            inside |= (instants >= begin) & (instants < end)
        np.testing.assert_array_equal(inside, ~sky[:, station])


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: clouds.CloudTimes(0.0, 1.0), r"CloudTimes\.clear_s"),
        (lambda: clouds.CloudTimes(1.0, (1.0, math.inf)), r"CloudTimes\.cloudy_s"),
        (lambda: clouds.times_of_clear_share(1.0, 10.0), "clear_share"),
        (lambda: clouds.cloud_plan(generators(1), 1, clouds.CloudTimes(1.0, 1.0), math.inf), "horizon_s"),
        (lambda: clouds.cloud_plan(generators(1), 1, clouds.CloudTimes(1.0, 1.0), 9.0).cloudy(10.0), "time_s"),
        (lambda: clouds.advance(generators(1), np.ones((1, 1), bool), 0, 1.0, clouds.CloudTimes(1.0, 1.0)), "n_steps"),
        (lambda: clouds.advance(generators(1), np.ones((1, 1), bool), 1, 0.0, clouds.CloudTimes(1.0, 1.0)), "dt_s"),
    ],
)
def test_wrong_arguments_are_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()
