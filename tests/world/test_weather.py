"""Rain in time: long-run statistics of P.618 (closed form and Monte Carlo), memory, neighbours, no trace of chunks."""

import dataclasses
import itertools
import math
from statistics import NormalDist

import numpy as np
import pytest

from ntn_gym.physics import climate
from ntn_gym.physics.rain import rain_attenuation_db
from ntn_gym.world import weather

SITES = ["city:Singapore", "city:Tokyo", "gs:ksat:Svalbard", "city:São Paulo", "gs:ksat:Weilheim"]


def generators(n_worlds: int, first: int = 0) -> list[np.random.Generator]:
    return [np.random.Generator(np.random.SFC64(first + world)) for world in range(n_worlds)]


@pytest.mark.parametrize("freq_hz", [20e9, 30e9])
@pytest.mark.parametrize("name", SITES)
def test_long_run_exceedance_is_the_curve_of_p618(name, freq_hz):
    site = climate.site_climate(name)
    table = weather.rain_table(site, freq_hz)
    elev = np.radians(np.array([10.0, 17.3, 33.3, 61.8, 88.5]))
    for p in (0.01, 0.1, 1.0):
        # The score exceeded p percent of the time, from the standard library.
        score = np.full(elev.shape, NormalDist().inv_cdf(1 - p / 100), np.float32)
        ours = weather.attenuation_db(score, elev, table)
        np.testing.assert_allclose(ours, rain_attenuation_db(p, elev, freq_hz, site), rtol=0.02)


def test_long_run_exceedance_by_simulation():
    site = climate.site_climate("city:Tokyo")
    table = weather.rain_table(site, 20e9)
    elev = math.radians(40.0)
    # A million places an hour apart, five times: independent of the closed form above.
    worlds = generators(1, 3)
    state = weather.start(worlds, 1_000_000)
    attenuations = []
    for _ in range(4):
        state, scores = weather.advance(worlds, state, 1, 3600.0)
        attenuations.append(weather.attenuation_db(scores, np.full(1, elev, np.float32), table))
    attenuation = np.concatenate(attenuations, axis=None)
    for p in (0.01, 0.1, 1.0):
        measured = np.quantile(attenuation, 1 - p / 100)
        assert measured == pytest.approx(float(rain_attenuation_db(p, elev, 20e9, site)), rel=0.05)
    assert (attenuation > 0).mean() == pytest.approx(site.rain_probability_pct / 100, rel=0.02)


def test_rain_lasts():
    worlds = generators(1, 4)
    state = weather.start(worlds, 40000)
    _, scores = weather.advance(worlds, state, 4, 2500.0)
    scores = scores[0].astype(float)
    for lag in (1, 3):
        assert (scores[0] * scores[lag]).mean() == pytest.approx(math.exp(-2e-4 * 2500 * lag), abs=0.025)


def test_attenuation_grows_with_the_score_and_at_low_elevation():
    table = weather.rain_table(climate.site_climate("city:Singapore"), 30e9)
    scores = np.linspace(-3, 6, 400, dtype=np.float32)[:, None]
    elev = np.radians(np.array([5.0, 10.0, 30.0], np.float32))
    attenuation = weather.attenuation_db(scores, elev, table)
    assert attenuation.dtype == np.float32
    assert np.isfinite(attenuation).all()
    assert (np.diff(attenuation, axis=0) >= 0).all()
    assert (np.diff(attenuation[-100:], axis=1) < 0).all()
    assert not attenuation[:150].any()  # scores below 0.38: it rains less than 35 % of the time


def test_a_pass_is_attenuated_at_one_quantile():
    site = climate.site_climate("city:Tokyo")
    elev = np.radians(np.linspace(15, 80, 14))
    score = np.full((1, 1, 1, 1), NormalDist().inv_cdf(1 - 0.05 / 100), np.float32)
    ours = weather.attenuation_db(score, elev[None, None, None], weather.rain_table(site, 20e9))
    assert ours.shape == (1, 1, 1, 14)
    np.testing.assert_allclose(ours[0, 0, 0], rain_attenuation_db(0.05, elev, 20e9, site), rtol=0.01)


def test_elevations_below_the_table_take_its_lowest():
    table = weather.rain_table(climate.site_climate("city:Tokyo"), 20e9)
    elev = np.radians(np.array([-90.0, 0.0, 5.0]))
    ours = weather.attenuation_db(np.full(3, 3.0, np.float32), elev, table)
    assert ours[0] == ours[1] == ours[2] > 0


def test_a_place_without_rain():
    site = dataclasses.replace(climate.site_climate("city:Tokyo"), rain_probability_pct=0.0)
    table = weather.rain_table(site, 20e9)
    assert not weather.attenuation_db(np.linspace(-5, 5, 50), np.full(50, 0.5), table).any()


def test_tables_of_several_sites_are_those_of_each():
    sites = tuple(climate.site_climate(name) for name in SITES[:3])
    tables = weather.rain_tables(sites, 20e9)
    rng = np.random.default_rng(1)
    scores = rng.normal(1.5, 1.5, (30, 4, 2, 1)).astype(np.float32)
    elev = rng.uniform(0.1, 1.5, (30, 4, 2, 5)).astype(np.float32)
    which = rng.integers(0, 3, 30)
    ours = weather.attenuation_db(scores, elev, tables, which[:, None, None, None])
    assert ours.shape == elev.shape
    for world, number in enumerate(which):
        alone = weather.attenuation_db(scores[world], elev[world], weather.rain_table(sites[number], 20e9))
        np.testing.assert_allclose(ours[world], alone, rtol=1e-5, atol=1e-5)
    assert ours.max() > 1


def test_the_driest_shipped_sites_work():
    for name in climate.site_names():
        site = climate.site_climate(name)
        if site.rain_probability_pct < 0.5:
            table = weather.rain_table(site, 20e9)
            assert np.isfinite(table.attenuation_db).all()
            wet = weather.attenuation_db(np.linspace(-4, 4.2, 8201), np.full(1, 0.7), table) > 0
            fraction = 1 - NormalDist().cdf(np.linspace(-4, 4.2, 8201)[np.argmax(wet)])
            assert fraction == pytest.approx(site.rain_probability_pct / 100, rel=0.03)


def test_neighbours_share_their_rain():
    # 0, 3, 30 and 300 km: 0.94 e^(-d/30) + 0.06 e^(-(d/500)^2) by hand.
    places_m = np.array([0.0, 3e3, 30e3, 300e3])
    distance = np.abs(places_m[:, None] - places_m)
    expected = [1.0, 0.910545, 0.405591, 0.041903]
    np.testing.assert_allclose(weather.spatial_correlation(distance[0]), expected, atol=1e-5)
    worlds = generators(1, 5)
    state = np.stack([weather.start(worlds, 4)[0] for _ in range(30000)])
    mixed = weather.correlate(state[None], weather.mixing_matrix(distance))[0].astype(float)
    np.testing.assert_allclose(np.cov(mixed.T)[0], expected, atol=0.03)
    np.testing.assert_allclose(mixed.var(axis=0), 1, atol=0.04)


def test_users_at_one_place_meet_the_same_rain():
    mixing = weather.mixing_matrix(np.zeros((3, 3)))
    mixed = weather.correlate(weather.start(generators(1, 6), 3)[:, None], mixing)
    np.testing.assert_allclose(mixed[0, 0], mixed[0, 0, 0], atol=0.01)


@pytest.mark.parametrize("n_users", [1, 4])
def test_worlds_and_chunks_do_not_change_a_bit(n_users):
    places = np.arange(n_users) * 5e3
    mixing = weather.mixing_matrix(np.abs(places[:, None] - places))
    table = weather.rain_table(climate.site_climate("city:Singapore"), 20e9)
    elev = np.random.default_rng(0).uniform(0.1, 1.5, (3, 12, n_users, 5)).astype(np.float32)

    def simulate(first, last, cuts):
        worlds = generators(last - first, 30 + first)
        state, parts = weather.start(worlds, n_users) + 2.5, []
        for a, b in itertools.pairwise(cuts):
            state, scores = weather.advance(worlds, state, b - a, 10.0)
            scores = weather.correlate(scores, mixing)
            parts.append(weather.attenuation_db(scores[..., None], elev[first:last, a:b], table))
        return np.concatenate(parts, axis=1)

    together = simulate(0, 3, [0, 12])
    assert together.max() > 1
    for world in range(3):
        assert np.array_equal(simulate(world, world + 1, [0, 1, 5, 12]), together[world : world + 1])
