"""Seeded draws and AR(1): the same numbers for any chunk length and batch size, and the right statistics."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from ntn_gym.world import processes


def generators(n_worlds: int, first: int = 0) -> list[np.random.Generator]:
    return [np.random.Generator(np.random.SFC64(first + world)) for world in range(n_worlds)]


@pytest.mark.parametrize("draw", [processes.draw_normal, processes.draw_uniform])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bit_generator", [np.random.SFC64, np.random.PCG64, np.random.Philox])
def test_draws_do_not_depend_on_the_chunk_length(draw, dtype, bit_generator):
    # 3 x 5 numbers a step: an odd count, so a generator that buffers half a 64-bit word is caught.
    whole = draw([np.random.Generator(bit_generator(7))], 12, (3, 5), dtype)
    generator = [np.random.Generator(bit_generator(7))]
    parts = np.concatenate([draw(generator, n, (3, 5), dtype) for n in (1, 4, 0, 2, 5)], axis=1)
    assert whole.shape == (1, 12, 3, 5)
    assert whole.dtype == dtype
    assert np.array_equal(whole, parts)


def test_a_world_of_a_batch_is_the_world_alone():
    batch = processes.draw_normal(generators(4), 6, (3,))
    alone = processes.draw_normal(generators(1, first=2), 6, (3,))
    assert np.array_equal(batch[2], alone[0])
    assert not np.array_equal(batch[1], batch[2])


def test_the_draws_are_those_of_numpy():
    expected = np.random.Generator(np.random.SFC64(3)).standard_normal((4, 2))
    assert np.array_equal(processes.draw_normal(generators(1, first=3), 4, (2,), np.float64)[0], expected)


@pytest.mark.parametrize(
    ("n_worlds", "n_steps", "dtype", "field"),
    [(0, 1, np.float32, "generators"), (1, -1, np.float32, "n_steps"), (1, 1, np.int32, "dtype")],
)
def test_wrong_arguments_are_named(n_worlds, n_steps, dtype, field):
    with pytest.raises(ValueError, match=field):
        processes.draw_normal(generators(n_worlds), n_steps, (2,), dtype)


def reference_ar1(previous, innovations, rho, fresh):
    """The recursion written out, one element at a time, in float64."""
    result = np.empty(innovations.shape)
    for index in np.ndindex(*previous.shape):
        value = previous[index]
        for step in range(innovations.shape[1]):
            here = (index[0], step, *index[1:])
            r, w = rho[here], innovations[here]
            value = w if fresh[here] else r * value + math.sqrt(1 - r * r) * w
            result[here] = value
    return result


def test_ar1_equals_the_recursion_written_out():
    rng = np.random.default_rng(0)
    previous, innovations = rng.standard_normal((3, 4)), rng.standard_normal((3, 50, 4))
    rho, fresh = rng.uniform(0, 1, (3, 50, 4)), rng.random((3, 50, 4)) < 0.1
    ours = processes.ar1(previous, innovations, rho, fresh)
    np.testing.assert_allclose(ours, reference_ar1(previous, innovations, rho, fresh), rtol=1e-12, atol=1e-13)


def test_ar1_equals_a_linear_filter():
    rng = np.random.default_rng(1)
    innovations = rng.standard_normal((1, 400))
    expected, _ = lfilter([math.sqrt(1 - 0.9**2)], [1, -0.9], innovations, axis=1, zi=[[0.9 * 0.3]])
    np.testing.assert_allclose(processes.ar1(np.array([0.3]), innovations, 0.9), expected, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 39), max_size=4),
    n_worlds=st.integers(1, 5),
    kind=st.sampled_from(["scalar", "per world", "per link", "per step", "fresh"]),
)
def test_ar1_is_bit_equal_for_any_chunks_and_batches(cuts, n_worlds, kind):
    rng = np.random.default_rng(2)
    shape = (n_worlds, 40, 3, 5)
    innovations = rng.standard_normal(shape).astype(np.float32)
    previous = rng.standard_normal((n_worlds, 3, 5)).astype(np.float32)
    rho = {
        "scalar": np.float64(0.97),
        "per world": rng.uniform(0, 1, (n_worlds, 1, 1, 1)),
        "per link": rng.uniform(0, 1, (n_worlds, 1, 3, 5)),
        "per step": rng.uniform(0, 1, (n_worlds, 40, 3, 1)),
        "fresh": np.float64(0.999),
    }[kind]
    fresh = rng.random(shape) < 0.05 if kind == "fresh" else None
    whole = processes.ar1(previous, innovations, rho, fresh)
    assert whole.dtype == np.float32
    edges = [0, *sorted(set(cuts)), 40]
    for world in range(n_worlds):
        state, parts = previous[world : world + 1], []
        for a, b in itertools.pairwise(edges):
            r = rho[world : world + 1] if rho.ndim else rho
            r = r[:, a:b] if rho.ndim and rho.shape[1] == 40 else r
            f = None if fresh is None else fresh[world : world + 1, a:b]
            parts.append(processes.ar1(state, innovations[world : world + 1, a:b], r, f))
            state = parts[-1][:, -1]
        assert np.array_equal(whole[world], np.concatenate(parts, axis=1)[0])


@pytest.mark.parametrize(
    "shape", [(), (1,), (5,), (3, 1), (6, 3, 5), (6, 1, 1), (2, 1, 3, 1), (2, 6, 1, 5), (1, 6, 3, 5)]
)
def test_rho_broadcasts_like_numpy(shape):
    rng = np.random.default_rng(4)
    previous, innovations = rng.standard_normal((2, 3, 5)), rng.standard_normal((2, 6, 3, 5))
    rho = rng.uniform(0, 1, shape)
    never = np.zeros(innovations.shape, bool)
    expected = reference_ar1(previous, innovations, np.broadcast_to(rho, innovations.shape), never)
    np.testing.assert_allclose(processes.ar1(previous, innovations, rho), expected, rtol=1e-12, atol=1e-13)


def test_ar1_leaves_its_arguments_alone():
    previous, innovations = np.ones((1, 2), np.float32), np.ones((1, 3, 2), np.float32)
    processes.ar1(previous, innovations, 0.5)
    assert (previous == 1).all()
    assert (innovations == 1).all()


def test_rho_one_keeps_and_rho_zero_forgets():
    rng = np.random.default_rng(3)
    previous, innovations = rng.standard_normal((2, 3)), rng.standard_normal((2, 4, 3))
    kept = processes.ar1(previous, innovations, 1.0)
    assert np.array_equal(kept, np.broadcast_to(previous[:, None], kept.shape))
    assert np.array_equal(processes.ar1(previous, innovations, 0.0), innovations)


def test_gauss_markov_is_stationary_with_exponential_correlation():
    rate, dt = 0.05, 0.5
    worlds = generators(2000)
    state = processes.start_gauss_markov(worlds, (4,))
    state, first = processes.advance_gauss_markov(worlds, state, 30, processes.correlation(rate, dt))
    _, second = processes.advance_gauss_markov(worlds, state, 31, processes.correlation(rate, dt))
    samples = np.concatenate([first, second], axis=1).astype(float)
    assert samples.shape == (2000, 61, 4)
    # 8000 independent sequences: standard error of a variance or correlation is about 0.016.
    np.testing.assert_allclose(samples.mean(axis=(0, 2)), 0, atol=0.06)
    np.testing.assert_allclose(samples.var(axis=(0, 2)), 1, atol=0.08)
    for lag in (1, 10, 40):
        measured = (samples[:, 0] * samples[:, lag]).mean()
        assert measured == pytest.approx(math.exp(-rate * dt * lag), abs=0.06)


def test_variance_stays_one_for_slow_processes_in_float32():
    # rho = 1 - 1e-6: the innovation weight must not lose its digits.
    weight = processes.ar1(np.zeros((1, 1), np.float32), np.ones((1, 1, 1), np.float32), 1 - 1e-6)[0, 0, 0]
    rounded = float(np.float32(1 - 1e-6))
    assert weight == pytest.approx(math.sqrt(1 - rounded**2), rel=1e-6)


def test_the_state_goes_on_where_the_samples_end():
    worlds = generators(3)
    state = processes.start_gauss_markov(worlds, (2,))
    after, samples = processes.advance_gauss_markov(worlds, state, 5, 0.8)
    assert np.array_equal(after, samples[:, -1])
    assert not np.shares_memory(after, samples)
    with pytest.raises(ValueError, match="n_steps"):
        processes.advance_gauss_markov(worlds, state, 0, 0.8)
