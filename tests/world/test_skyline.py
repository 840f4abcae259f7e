"""The skyline: TR 38.811 marginals, neighbours blocked together, memory, same for any batch and chunk."""

import itertools
import json
import math
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from ntn_gym.world import skyline

TR38811 = json.loads((Path(__file__).parents[1] / "reference" / "3gpp_38811.json").read_text())
PHI = NormalDist().cdf


def generators(n_worlds: int, first: int = 0) -> list[np.random.Generator]:
    return [np.random.Generator(np.random.SFC64(first + world)) for world in range(n_worlds)]


def test_the_weights_are_those_of_the_documented_series():
    weights = np.array([math.exp(-((m * math.radians(20)) ** 2) / 4) for m in range(13)])
    np.testing.assert_allclose(skyline.FIELD.weight, weights / math.sqrt((weights**2).sum()), rtol=1e-12)


def test_skyline_correlation_over_azimuth():
    azimuth = np.radians([0.0, 10.0, 40.0, 180.0])
    coefficients = skyline.start(generators(1), 60000)[:, None]
    g = skyline.FIELD.evaluate(coefficients, azimuth[None, None])[0, 0].astype(float)
    np.testing.assert_allclose(g.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(np.cov(g.T), skyline.FIELD.correlation(azimuth[:, None] - azimuth), atol=0.025)
    assert skyline.FIELD.correlation(0.0) == pytest.approx(1)
    for degrees, expected in ((10, 0.90), (40, 0.24), (180, 0.12)):
        assert skyline.FIELD.correlation(math.radians(degrees)) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("environment", ["dense_urban", "urban", "suburban", "rural"])
def test_threshold_gives_the_probability_of_the_document(environment):
    name = "suburban_rural" if environment in ("suburban", "rural") else environment
    expected = TR38811["los_probability"][name]
    for mode, tolerance in (("linear", 1.7e-4), ("nearest", 1e-6)):
        table = skyline.los_table(environment, mode)
        # The probability that a standard normal g is below the threshold, found through `los` itself.
        g = np.linspace(-4, 4, 80001)
        for elev_deg, probability in zip(TR38811["elevation_deg"], expected, strict=True):
            clear = skyline.los(g, np.full(g.shape, math.radians(elev_deg)), table)
            assert PHI(g[clear].max()) == pytest.approx(probability, abs=tolerance + 4e-5)
            assert clear[: clear.sum()].all()


def test_lookup_error_between_the_reference_angles_is_as_stated():
    elev_deg = np.linspace(10, 90, 20011)
    for name in ("dense_urban", "urban", "suburban_rural"):
        exact = np.interp(elev_deg, TR38811["elevation_deg"], TR38811["los_probability"][name])
        table = skyline.los_table("rural" if name == "suburban_rural" else name)
        cell = np.minimum((np.radians(elev_deg) * table.cells_per_rad).astype(int), table.threshold.size - 1)
        assert np.abs(stats.norm.cdf(table.threshold[cell]) - exact).max() < 1.7e-4


def test_elevations_outside_the_table_are_clamped():
    table = skyline.los_table("urban")
    g = np.array([NormalDist().inv_cdf(0.246) - 0.01, NormalDist().inv_cdf(0.246) + 0.01], np.float32)
    for degrees in (-30.0, -0.001, 0.0, 5.0, 9.9):
        assert skyline.los(g, np.full(2, math.radians(degrees), np.float32), table).tolist() == [True, False]
    top = np.array([NormalDist().inv_cdf(0.992) - 0.01, NormalDist().inv_cdf(0.992) + 0.01], np.float32)
    for degrees in (90.0, 90.001, 100.0):
        assert skyline.los(top, np.full(2, math.radians(degrees), np.float32), table).tolist() == [
            True,
            False,
        ]


@pytest.mark.parametrize("contrast", [0.0, 0.9])
def test_marginals_by_simulation(contrast):
    rng = np.random.default_rng(5)
    n_users, elev_deg = 40000, np.array([12.0, 30.0, 55.0, 88.0])
    azimuth = rng.uniform(0, 2 * math.pi, 4)
    street = rng.uniform(0, math.pi, (n_users, 1))
    coefficients = skyline.start(generators(1, 11), n_users)[:, None]
    g = skyline.FIELD.evaluate(coefficients, azimuth[None, None])
    g = g + skyline.canyon_term(azimuth, street, contrast)
    clear = skyline.los(g, np.radians(elev_deg), skyline.los_table("urban", contrast=contrast))[0, 0]
    expected = np.interp(elev_deg, TR38811["elevation_deg"], TR38811["los_probability"]["urban"])
    # four standard errors
    assert (np.abs(clear.mean(axis=0) - expected) < 4 * np.sqrt(expected * (1 - expected) / n_users)).all()


def test_a_street_is_open_along_and_closed_across():
    azimuth = np.array([0.0, math.pi / 2])
    coefficients = skyline.start(generators(1, 12), 20000)[:, None]
    g = skyline.FIELD.evaluate(coefficients, azimuth[None, None])
    g = g + skyline.canyon_term(azimuth, 0.0, 0.9)
    table = skyline.los_table("urban", contrast=0.9)
    along, across = skyline.los(g, np.radians([30.0, 30.0]), table)[0, 0].mean(axis=0)
    # P(g0 - c sqrt2 < threshold) with the threshold solved from the mixture by other means.
    shift = 0.9 * math.sqrt(2)

    def mixture(x):
        return integrate.quad(lambda p: PHI(x + shift * math.cos(p)), 0, math.pi)[0] / math.pi

    threshold = optimize.brentq(lambda x: mixture(x) - 0.493, -5, 5)
    assert along == pytest.approx(PHI(threshold + shift), abs=0.015)
    assert across == pytest.approx(PHI(threshold - shift), abs=0.015)
    assert along - across > 0.6


@pytest.mark.parametrize("contrast", [0.0, 0.3, 0.9, 3.0])
def test_canyon_map_against_quadrature(contrast):
    total, score = skyline.canyon_quantile(contrast)
    assert (np.diff(score) > 0).all()
    shift = contrast * math.sqrt(2)
    for x in (-3.1234, -1.0, 0.0, 0.4567, 2.9):
        mean, _ = integrate.quad(lambda phi, x=x: PHI(x + shift * math.cos(phi)), 0, math.pi)
        assert PHI(np.interp(x, total, score)) == pytest.approx(mean / math.pi, abs=1e-5)


def test_neighbours_are_blocked_together():
    azimuth = np.radians([0.0, 8.0, 120.0])
    coefficients = skyline.start(generators(1, 13), 40000)[:, None]
    g = skyline.FIELD.evaluate(coefficients, azimuth[None, None])
    blocked = ~skyline.los(g, np.full(3, math.radians(30)), skyline.los_table("urban"))[0, 0]
    p = 1 - 0.493

    def both(r):
        return stats.multivariate_normal([0, 0], [[1, r], [r, 1]]).cdf([NormalDist().inv_cdf(p)] * 2)

    near, far = (blocked[:, 0] & blocked[:, 1]).mean(), (blocked[:, 0] & blocked[:, 2]).mean()
    assert near == pytest.approx(both(skyline.FIELD.correlation(math.radians(8))), abs=0.01)
    assert far == pytest.approx(both(skyline.FIELD.correlation(math.radians(120))), abs=0.01)
    assert near > 1.7 * p * p


def test_blockage_persists_with_the_rate_of_motion():
    rate = skyline.rate_per_s(1.5, 50.0)
    assert rate == pytest.approx(1.5 / 50 + 1 / 300)
    worlds = generators(1, 14)
    state = skyline.start(worlds, 20000)
    state, coefficients = skyline.advance(worlds, state, 31, rate, 1.0)
    g = skyline.FIELD.evaluate(coefficients, np.zeros((1, 31, 1)))[0, :, :, 0].astype(float)
    for lag in (1, 10, 30):
        assert (g[0] * g[lag]).mean() == pytest.approx(math.exp(-rate * lag), abs=0.03)


def test_a_higher_satellite_is_clear_when_a_lower_one_is():
    g = skyline.FIELD.evaluate(skyline.start(generators(1), 500)[:, None], np.full((1, 1, 60), 1.0))
    elev_rad = np.radians(np.linspace(10, 89, 60))
    clear = skyline.los(g, elev_rad, skyline.los_table("urban"))[0, 0]
    assert (np.diff(clear.astype(int), axis=-1) >= 0).all()
    assert clear.any()
    assert not clear.all()


@pytest.mark.parametrize(("n_users", "n_nodes"), [(1, 8), (1, 1), (30, 13), (7, 1)])
def test_worlds_and_chunks_do_not_change_a_bit(n_users, n_nodes):
    n_worlds, n_steps = 5, 12
    rng = np.random.default_rng(6)
    azimuth = rng.uniform(-10, 10, (n_worlds, n_steps, n_nodes))
    rates = rng.uniform(0.01, 0.5, (n_worlds, 1, n_users))

    def simulate(first, last, cuts):
        worlds = generators(last - first, 20 + first)
        state, parts = skyline.start(worlds, n_users), []
        for a, b in itertools.pairwise(cuts):
            state, coefficients = skyline.advance(worlds, state, b - a, rates[first:last], 1.0)
            parts.append(skyline.FIELD.evaluate(coefficients, azimuth[first:last, a:b]))
        return np.concatenate(parts, axis=1)

    together = simulate(0, n_worlds, [0, 12])
    assert together.shape == (n_worlds, n_steps, n_users, n_nodes)
    assert together.dtype == np.float32
    for world in range(n_worlds):
        assert np.array_equal(simulate(world, world + 1, [0, 1, 6, 12]), together[world : world + 1])


def test_own_azimuths_per_user_give_the_same_skyline():
    rng = np.random.default_rng(7)
    coefficients = skyline.start(generators(2), 3)[:, None]
    azimuth = rng.uniform(0, 6, (2, 1, 4))
    shared = skyline.FIELD.evaluate(coefficients, azimuth)
    own = skyline.FIELD.evaluate(coefficients, np.repeat(azimuth[:, :, None], 3, axis=2))
    np.testing.assert_allclose(own, shared, atol=2e-6)


@pytest.mark.parametrize("contrast", [-0.1, 3.1, math.nan])
def test_a_wrong_contrast_is_refused(contrast):
    with pytest.raises(ValueError, match="contrast"):
        skyline.los_table("urban", contrast=contrast)
