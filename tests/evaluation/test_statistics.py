"""Statistics against closed forms, scipy's own resampling and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ntn_gym.evaluation import statistics as st


def test_estimates_are_ratios_of_means() -> None:
    random, policy, bound = np.array([0.0, 2.0]), np.array([1.0, 5.0]), np.array([2.0, 8.0])
    # (3 - 1) / (5 - 1), and not the mean of 1/2 and 3/6.
    assert st.normalised_score(policy, random, bound).value == 0.5
    assert st.normalised_score(random, random, bound).value == 0.0
    assert st.normalised_score(bound, random, bound).value == 1.0
    assert st.gap_share(policy, [1.0, 2.0], bound).value == pytest.approx((3 - 1.5) / (5 - 1.5))
    assert st.score_difference(policy, [1.0, 3.0], random, bound).value == pytest.approx((3 - 2) / 4)
    assert st.contrast(policy, random).value == 2.0


def test_interval_of_a_mean_is_that_of_student() -> None:
    # For normal numbers the bootstrap, stretched for few samples, has to come out at Student's interval.
    x = np.random.default_rng(3).normal(2.0, 1.0, 40)
    found = st.contrast(x, np.zeros(40), resamples=40_000)
    exact = stats.t.interval(0.95, 39, loc=x.mean(), scale=stats.sem(x))
    assert (found.low, found.high) == pytest.approx(exact, abs=0.02)


def test_interval_over_worlds_is_that_of_scipy() -> None:
    rng = np.random.default_rng(5)
    random = rng.normal(0, 1, 200)
    bound = random + rng.gamma(5, 1, 200)
    policy = random + (bound - random) * rng.uniform(0.5, 1, 200)

    def ratio(r: np.ndarray, zero: np.ndarray, one: np.ndarray, axis: int = -1) -> np.ndarray:
        return (r.mean(axis) - zero.mean(axis)) / (one.mean(axis) - zero.mean(axis))

    expected = stats.bootstrap(
        (policy, random, bound), ratio, paired=True, n_resamples=40_000, method="percentile", rng=rng
    ).confidence_interval
    found = st.normalised_score(policy, random, bound, resamples=40_000)
    assert found.value == pytest.approx(ratio(policy, random, bound))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=6e-4)
    assert not found.over_runs


def test_pairing_removes_what_worlds_have_in_common() -> None:
    rng = np.random.default_rng(0)
    weather = rng.normal(0, 10, 100)
    a, b = weather + 1 + rng.normal(0, 0.1, 100), weather + rng.normal(0, 0.1, 100)
    paired = st.contrast(a, b)
    assert paired.sign == 1
    assert paired.high - paired.low < 0.1
    shuffled = st.contrast(a, rng.permutation(b))
    assert shuffled.high - shuffled.low > 3


def test_runs_count_from_three_on() -> None:
    rng = np.random.default_rng(0)
    runs = rng.normal(0, 0.01, (3, 50)) + np.array([[0.0], [1.0], [2.0]])
    two, three = st.contrast(runs[:2], np.zeros(50)), st.contrast(runs, np.zeros(50))
    assert not two.over_runs
    assert two.high - two.low < 0.1  # says nothing about other runs
    assert three.over_runs
    # Student's interval of three run means, 1 +- 4.30 * 1 / sqrt(3); the worlds add nothing. A bootstrap of three runs
    # takes few values, so that its percentiles are coarse.
    assert three.high - three.value == pytest.approx(4.303 / np.sqrt(3), rel=0.1)
    assert three.value - three.low == pytest.approx(4.303 / np.sqrt(3), rel=0.1)


def test_worlds_without_anything_to_gain_do_not_hurt() -> None:
    found = st.normalised_score([1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [2.0, 0.0, 0.0])
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)


def test_shares_of_worlds_stay_between_0_and_1() -> None:
    found = st.share_of_worlds_better([1.0] * 30, [0.0] * 29 + [2.0])
    assert found.value == 29 / 30
    assert 0.8 < found.low < found.value < found.high == 1.0


def test_equal_policies_have_no_difference_and_no_width() -> None:
    x = np.random.default_rng(0).normal(size=30)
    assert st.contrast(x, x) == st.Interval(0.0, 0.0, 0.0, 30)


def test_same_arguments_give_the_same_interval() -> None:
    x = np.random.default_rng(0).normal(size=(3, 30))
    assert st.contrast(x, x[0]) == st.contrast(x, x[0])
    assert st.contrast(x, x[0]) != st.contrast(x, x[0], seed=1)


@pytest.mark.parametrize(
    ("policy", "reference", "scale", "message"),
    [
        (np.ones(3), np.ones(4), None, "same worlds"),
        (np.ones(3), np.zeros(3), np.zeros(3), "must be positive"),
        (np.array([1.0, np.nan]), np.zeros(2), None, "not finite"),
        (np.ones(1), np.zeros(1), None, "2 or more"),
    ],
)
def test_wrong_input_is_refused(policy: np.ndarray, reference: np.ndarray, scale: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        st.contrast(policy, reference, scale)


def test_share_of_worlds_better_counts_ties_half() -> None:
    assert st.share_of_worlds_better([1.0, 2.0, 3.0, 4.0], [0.0, 2.0, 4.0, 3.0]).value == 2.5 / 4


def test_probability_of_improvement_counts_pairs() -> None:
    a, b = [0.9, 0.8, 0.7], [0.75, 0.6]
    wins = [x > y for x in a for y in b]
    assert st.probability_of_improvement(a, b) == pytest.approx(np.mean(wins))
    assert st.probability_of_improvement(a, a) == 0.5


def test_interquartile_mean_drops_the_outer_quarters() -> None:
    scores = np.array([[0.0, 5.0], [1.0, 2.0], [3.0, 4.0], [-9.0, 99.0]])
    found = st.interquartile_mean(scores)
    assert found.value == pytest.approx(np.mean([1, 2, 3, 4]))
    assert found.low < found.value < found.high
    constant = st.interquartile_mean(np.full((3, 2), 0.5))
    assert (constant.low, constant.high) == (0.5, 0.5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("runs", "sd_run", "sd_world", "sd_rest"),
    [(1, 0.0, 0.1, 0.05), (3, 0.01, 0.1, 0.05), (3, 0.01, 0.02, 0.02), (3, 0.0, 0.05, 0.05), (5, 0.01, 0.05, 0.05)],
)
def test_intervals_cover(runs: int, sd_run: float, sd_world: float, sd_rest: float) -> None:
    """The truth lies in 95 % of the intervals, whether runs or worlds differ more."""
    rng, trials, worlds = np.random.default_rng(7), 600, 200
    hits = 0
    for trial in range(trials):
        x = rng.normal(0, sd_run, (runs, 1)) + rng.normal(0, sd_world, (1, worlds))
        x = x + rng.normal(0, sd_rest, (runs, worlds))
        found = st.contrast(x, np.zeros(worlds), resamples=1000, seed=trial)
        hits += found.low <= 0 <= found.high
    # Three runs that differ more than worlds do are the hardest case: at least 90 %, where percentiles alone give 80 %.
    assert hits / trials > (0.90 if (runs, sd_world) == (3, 0.02) else 0.93)
    assert hits / trials < 0.985
