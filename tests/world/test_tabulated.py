"""Normal numbers from a table: distribution, independence, and one stream however it is cut."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.world import tabulated


def generators(n_worlds: int, first: int = 0) -> list[np.random.Generator]:
    return process_generators([WorldKey(first + i) for i in range(n_worlds)], "test")


def test_moments_of_the_table_are_those_of_the_normal_distribution():
    table = tabulated.quantiles().astype(np.float64)
    assert (np.diff(table) > 0).all()
    np.testing.assert_allclose(table, -table[::-1], atol=1e-6)
    assert np.mean(table**2) == pytest.approx(1.0, abs=1e-6)
    assert np.mean(table**4) == pytest.approx(3.0, abs=0.004)
    assert np.abs(table).max() == pytest.approx(4.32, abs=0.01)
    # Share of the values beyond 1, 2 and 3 against erfc to half a value.
    for bound in (1.0, 2.0, 3.0):
        assert np.mean(np.abs(table) > bound) == pytest.approx(2 * stats.norm.sf(bound), abs=2e-5)


def test_draws_are_normal_and_independent():
    drawn = tabulated.draw_normal(generators(1), 2000, (101,))[0].astype(np.float64)
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 1e-3
    limit = 4.5 / np.sqrt(drawn.size)
    for neighbour in (drawn[1:] * drawn[:-1], drawn[:, 1:] * drawn[:, :-1], drawn[:, 4:] * drawn[:, :-4]):
        assert abs(neighbour.mean()) < limit  # in time, within a word of 64 bits, between words


@pytest.mark.parametrize("shape", [(), (3,), (8,), (30, 13), (30, 42)])
def test_one_stream_for_any_batch_and_any_chunk(shape):
    n_steps = 50
    whole = tabulated.draw_normal(generators(3), n_steps, shape)
    assert whole.shape == (3, n_steps, *shape)
    assert whole.dtype == np.float32
    own = generators(3)
    parts = np.concatenate([tabulated.draw_normal(own, n, shape) for n in (1, 17, 0, 32)], axis=1)
    assert np.array_equal(parts, whole)
    assert np.array_equal(tabulated.draw_normal(generators(1, first=2), n_steps, shape)[0], whole[2])
