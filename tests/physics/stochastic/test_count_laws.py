"""Laws of numbers against scipy's distributions."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ntn_gym.physics.stochastic import count_laws

P = np.array([0.0, 1e-12, 1e-3, 0.2, 0.5, 0.999, 1.0])


@pytest.mark.parametrize("n", [0, 1, 24, 10_000])
def test_any_is_the_binomial_and_poisson_tail(n) -> None:
    np.testing.assert_allclose(count_laws.any_probability(P, n), stats.binom.sf(0, n, P), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(count_laws.any_probability(P, n, "poisson"), stats.poisson.sf(0, n * P), rtol=1e-12)


@pytest.mark.parametrize("n", [0, 3, 24, 500])
def test_at_least_is_the_tail_of_scipy(n) -> None:
    k = np.arange(12)[:, None]
    np.testing.assert_allclose(count_laws.at_least_probability(k, P, n), stats.binom.sf(k - 1, n, P), rtol=1e-10)
    ours = count_laws.at_least_probability(k, P, n + 0.5, "poisson")
    np.testing.assert_allclose(ours, stats.poisson.sf(k - 1, (n + 0.5) * P), rtol=1e-10)


@given(
    st.integers(1, 30), st.integers(0, 60), st.floats(0, 1), st.floats(0, 1), st.sampled_from(["binomial", "poisson"])
)
def test_more_likely_points_are_more_likely_enough(k, n, p, q, law) -> None:
    low, high = (float(count_laws.at_least_probability(k, x, n, law)) for x in sorted((p, q)))
    assert 0.0 <= low <= high + 1e-12 <= 1.0 + 1e-12
    assert (
        float(count_laws.at_least_probability(k + 1, p, n, law))
        <= count_laws.at_least_probability(k, p, n, law) + 1e-12
    )
    assert float(count_laws.at_least_probability(1, p, n, law)) == pytest.approx(
        float(count_laws.any_probability(p, n, law)), abs=1e-12
    )


def test_many_points_make_the_binomial_law_poisson() -> None:
    """Le Cam: the two laws differ by at most N p^2."""
    for n in (10, 100, 1000, 10_000):
        p = 3.0 / n
        k = np.arange(10)
        gap = count_laws.at_least_probability(k, p, n) - count_laws.at_least_probability(k, p, n, "poisson")
        assert 0.0 < np.abs(gap).max() < n * p**2


def test_torch_agrees() -> None:
    single = count_laws.any_probability(torch.tensor(P, dtype=torch.float32), 24)
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single.numpy(), count_laws.any_probability(P, 24), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"each_probability": 1.5}, r"each_probability: got 1\.5; must be from 0 to 1"),
        ({"each_probability": math.nan}, "each_probability: got nan"),
        ({"mean_n": 2.5}, "must be a whole number"),
        ({"law": "normal"}, "law: got 'normal'"),
        ({"k": -1}, "k: got -1"),
        ({"k": 1.5}, r"k: got 1\.5; must be a whole number"),
    ],
)
def test_errors_name_the_argument(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        count_laws.at_least_probability(**{"k": 1, "each_probability": 0.5, "mean_n": 3, **arguments})
