"""Contact angle and distance: Monte Carlo of another sampler at n = 200,000, quadrature, limits and properties."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from ntn_gym.physics.stochastic import contact

EARTH_M = 6_371e3
N = 200_000
KS_LIMIT = 1.63 / math.sqrt(N)
LAWS = ["binomial", "poisson"]
angles = st.floats(0.0, math.pi)
numbers = st.integers(1, 100_000)


def sorted_angles(law, mean_n, runs, seed) -> np.ndarray:
    """Central angles of the platforms of each run, sorted, inf where there is none: normalised Gaussian vectors."""
    rng = np.random.default_rng(seed)
    number = np.full(runs, mean_n) if law == "binomial" else rng.poisson(mean_n, runs)
    vectors = rng.standard_normal((runs, number.max(), 3), dtype=np.float32)
    angle = np.arctan2(np.hypot(vectors[..., 0], vectors[..., 1]), vectors[..., 2]).astype(float)
    angle[np.arange(number.max()) >= number[:, None]] = np.inf
    return np.sort(angle, axis=-1)


def gap(sample, cdf) -> float:
    """Largest difference between an empirical distribution (with mass at infinity) and a distribution function."""
    finite = np.sort(sample[np.isfinite(sample)])
    values = np.asarray(cdf(finite))
    rank = np.arange(finite.size)
    return max(np.abs(values - rank / sample.size).max(), np.abs(values - (rank + 1) / sample.size).max())


@pytest.mark.parametrize("law", LAWS)
def test_contact_angle_and_distance_by_simulation(law) -> None:
    ranked = sorted_angles(law, 8, N, 1)
    nearest = ranked[:, 0]
    assert gap(nearest, lambda x: contact.contact_angle_cdf(x, 8, law)) < KS_LIMIT
    radius_m = EARTH_M + 780e3
    distance = np.sqrt(radius_m**2 + EARTH_M**2 - 2 * radius_m * EARTH_M * np.cos(np.where(nearest < 9, nearest, 0)))
    distance[~np.isfinite(nearest)] = np.inf
    assert gap(distance, lambda d: contact.contact_distance_cdf(d, 780e3, 8, law)) < KS_LIMIT
    third = ranked[:, 2]
    assert gap(third, lambda x: contact.kth_contact_angle_cdf(3, x, 8, law)) < KS_LIMIT


@pytest.mark.parametrize("law", LAWS)
def test_contact_angle_given_a_visible_platform(law) -> None:
    nearest = sorted_angles(law, 6, N, 2)[:, 0]
    given_visible = nearest[nearest <= 0.6]
    limit = 1.63 / math.sqrt(given_visible.size)
    assert gap(given_visible, lambda x: contact.contact_angle_cdf(x, 6, law, within_rad=0.6)) < limit
    assert contact.contact_angle_cdf(0.6, 6, law, within_rad=0.6) == pytest.approx(1.0)
    assert contact.contact_angle_pdf(0.7, 6, law, within_rad=0.6) == 0.0


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("mean_n", [1, 24, 720])
def test_densities_integrate_to_the_distribution(law, mean_n) -> None:
    for within in (math.pi, 0.4):
        for a, b in ((0.0, 0.05), (0.05, 0.4), (0.0, min(within, 2.0))):
            area = integrate.quad(lambda x, w=within: float(contact.contact_angle_pdf(x, mean_n, law, w)), a, b)[0]
            ends = contact.contact_angle_cdf(np.array([a, b]), mean_n, law, within)
            assert area == pytest.approx(ends[1] - ends[0], abs=1e-9)
    total = integrate.quad(lambda x: float(contact.contact_angle_pdf(x, mean_n, law)), 0, math.pi, points=[0.1, 0.5])[0]
    assert total == pytest.approx(1.0 if law == "binomial" else 1 - math.exp(-mean_n), abs=1e-9)


@pytest.mark.parametrize("law", LAWS)
def test_distance_density_integrates_to_the_distribution(law) -> None:
    alt_m, radius_m = 500e3, EARTH_M + 500e3
    horizon = math.acos(EARTH_M / radius_m)
    edge_m = math.sqrt(radius_m**2 - EARTH_M**2)
    for within, last in ((math.pi, radius_m + EARTH_M), (horizon, edge_m)):
        grid = [alt_m, 6e5, 1.5e6, last]
        area = sum(
            integrate.quad(lambda d, w=within: float(contact.contact_distance_pdf(d, alt_m, 60, law, w)), a, b)[0]
            for a, b in pairwise(grid)
        )
        assert area == pytest.approx(1.0, abs=1e-9)
    assert contact.contact_distance_pdf(np.array([1e5, 1.4e7]), alt_m, 60, law).tolist() == [0.0, 0.0]
    assert contact.contact_distance_cdf(np.array([0.0, 4.9e5]), alt_m, 60, law).tolist() == [0.0, 0.0]


def test_contact_distance_is_the_printed_equation() -> None:
    distance, radius_m = np.linspace(501e3, 13_000e3, 40), EARTH_M + 500e3
    printed = 1 - (0.5 + (radius_m**2 + EARTH_M**2 - distance**2) / (4 * radius_m * EARTH_M)) ** 720
    np.testing.assert_allclose(contact.contact_distance_cdf(distance, 500e3, 720), printed, atol=1e-12)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("k", [1, 4, 12])
def test_kth_density_is_the_derivative_and_the_beta_law(law, k) -> None:
    for a, b in ((0.0, 0.4), (0.4, 1.5), (1.5, math.pi)):
        area = integrate.quad(lambda x: float(contact.kth_contact_angle_pdf(k, x, 24, law)), a, b)[0]
        ends = contact.kth_contact_angle_cdf(k, np.array([a, b]), 24, law)
        assert area == pytest.approx(ends[1] - ends[0], abs=1e-9)
    if law == "binomial":
        angle = np.linspace(0.01, 3.1, 30)
        order = stats.beta(k, 24 - k + 1)
        expected = order.pdf((1 - np.cos(angle)) / 2) * np.sin(angle) / 2
        np.testing.assert_allclose(contact.kth_contact_angle_pdf(k, angle, 24), expected, rtol=1e-9)
    np.testing.assert_allclose(
        contact.kth_contact_angle_pdf(1, 0.3, 24, law), contact.contact_angle_pdf(0.3, 24, law), rtol=1e-12
    )


@given(angles, angles, numbers, st.sampled_from(LAWS), st.floats(0.01, math.pi))
def test_distribution_is_monotone_and_a_probability(a, b, n, law, within) -> None:
    low, high = (float(contact.contact_angle_cdf(x, n, law, within)) for x in sorted((a, b)))
    assert 0.0 <= low <= high <= 1.0
    assert 0.0 <= float(contact.contact_angle_pdf(a, n, law, within)) < math.inf


@given(st.floats(0.0, 1.0), numbers)
def test_quantile_inverts_the_distribution(probability, n) -> None:
    angle = contact.contact_angle_quantile(probability, n)
    assert float(contact.contact_angle_cdf(angle, n)) == pytest.approx(probability, abs=1e-9)
    share = probability * -math.expm1(-n)
    angle = contact.contact_angle_quantile(share, n, "poisson")
    assert float(contact.contact_angle_cdf(angle, n, "poisson")) == pytest.approx(share, abs=1e-9)


def test_many_platforms_make_the_binomial_process_poisson() -> None:
    """The gap to the PPP falls as 1 / N at the same mean number within the angle."""
    share = np.linspace(0.1, 8.0, 30)
    gaps = []
    for n in (100, 1000, 10_000):
        angle = 2 * np.arcsin(np.sqrt(share / n))
        gaps.append(np.abs(contact.contact_angle_cdf(angle, n) - contact.contact_angle_cdf(angle, n, "poisson")).max())
    assert gaps[0] < 3e-3
    np.testing.assert_allclose(np.divide(gaps[:-1], gaps[1:]), 10.0, rtol=0.02)


@pytest.mark.parametrize("law", LAWS)
def test_torch_agrees(law) -> None:
    single = torch.linspace(0.0, 3.14, 50)
    for function in (contact.contact_angle_cdf, contact.contact_angle_pdf):
        for within in (math.pi, 0.9):
            ours = function(single, 24, law, within)
            assert ours.dtype == torch.float32
            np.testing.assert_allclose(ours, function(single.double(), 24, law, within), rtol=1e-5, atol=1e-6)
    metres = torch.linspace(5e5, 1.3e7, 50)
    for function in (contact.contact_distance_cdf, contact.contact_distance_pdf):
        ours = function(metres, 500e3, 24, law)
        np.testing.assert_allclose(ours, function(metres.double(), 500e3, 24, law), rtol=2e-5, atol=1e-6)
    share = torch.linspace(0.0, 0.99, 50)
    ours = contact.contact_angle_quantile(share, 24, law)
    np.testing.assert_allclose(ours, contact.contact_angle_quantile(share.double(), 24, law), rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: contact.contact_angle_cdf(3.5, 3), r"angle_rad: got 3\.5; must be from 0 to 3\.14159 rad"),
        (lambda: contact.contact_angle_cdf(0.1, 0, within_rad=0.5), "within_rad: no platform can be within"),
        (lambda: contact.contact_angle_pdf(0.1, 2.5), "whole number"),
        (lambda: contact.contact_distance_cdf(1e6, 0.0, 3), "alt_m: got 0; must be above 0 m"),
        (lambda: contact.contact_distance_pdf(-1.0, 5e5, 3), "distance_m: got -1"),
        (lambda: contact.contact_angle_quantile(0.5, 0), "mean_n: got 0; must be above 0"),
        (lambda: contact.contact_angle_quantile(0.9, 1.0, "poisson"), r"probability: above 1 - exp\(-mean_n\)"),
        (lambda: contact.kth_contact_angle_cdf(0, 0.1, 3), "k: got 0; must be at least 1"),
        (lambda: contact.kth_contact_angle_pdf(4, 0.1, 3), "k: got 4; must be at most mean_n"),
    ],
)
def test_errors_name_the_argument(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
