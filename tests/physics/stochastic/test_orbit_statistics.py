"""Random orbits: Monte Carlo of another sampler, and limits in which orbits are independent satellites."""

import math

import numpy as np
import pytest
from scipy import stats

from ntn_gym.physics import fading
from ntn_gym.physics.stochastic import contact, coverage, visibility
from ntn_gym.physics.stochastic import orbit_statistics as orbits

HORIZON_RAD = math.acos(6371 / 6871)
MEO_RAD = math.acos(6371 / 26_371)
GRID = np.linspace(0.0, math.pi, 37)


def table_vii_detection(alt_m=20_000e3):
    link = coverage.Downlink(24, alt_m, 1.575e9, 38.9, -128.0, rx_gain_dbi=20.9, extra_loss_db=2.0)
    channel = fading.shadowed_rician("infrequent_light")
    return lambda angle: 1.0 - fading.shadowed_rician_power_cdf(1.0 / link.mean_snr(angle), channel)


def cosines(rng, n_orbits, n_per_orbit) -> np.ndarray:
    """Cosines of the angles between the user at the pole and satellites of orbits with Gaussian normals."""
    normal = rng.standard_normal((n_orbits, 3))
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    # The highest point of an orbit is sqrt(1 - n_z^2) up, and the height along the orbit goes as a cosine.
    return np.sqrt(1 - normal[:, 2:] ** 2) * np.cos(rng.uniform(0, 2 * math.pi, (n_orbits, n_per_orbit)))


@pytest.fixture(scope="module")
def dual_stochastic_runs() -> np.ndarray:
    """20,000 runs of 25 orbits of 20 satellites, cosines [runs, 500]."""
    return cosines(np.random.default_rng(1), 20_000 * 25, 20).reshape(20_000, 500)


@pytest.fixture(scope="module")
def cox_runs() -> np.ndarray:
    """20,000 runs of a Poisson number (8) of orbits of a Poisson number (5) of satellites; -2 where there is none."""
    rng = np.random.default_rng(2)
    number = rng.poisson(8.0, 20_000)
    cosine = np.full((20_000, number.max(), 16), -2.0)
    exists = np.arange(number.max()) < number[:, None]
    values = cosines(rng, number.sum(), 16)
    per_orbit = rng.poisson(5.0, number.sum())
    cosine[exists] = np.where(np.arange(16) < per_orbit[:, None], values, -2.0)
    return cosine.reshape(20_000, -1)


def assert_counts(counted, mean, variance, pmf) -> None:
    runs = counted.size
    assert counted.mean() == pytest.approx(mean, abs=4 * math.sqrt(variance / runs))
    assert counted.var() == pytest.approx(variance, rel=0.06)
    seen = np.bincount(counted, minlength=pmf.size)[: pmf.size] / runs
    error = np.sqrt(pmf * (1 - pmf) / runs)
    assert (np.abs(seen - pmf) < 4.5 * error + 1e-4).all()


def test_visible_number_of_a_dual_stochastic_process(dual_stochastic_runs) -> None:
    counted = (dual_stochastic_runs >= math.cos(HORIZON_RAD)).sum(axis=-1)
    pmf = orbits.dual_stochastic_count_pmf(500, 20, HORIZON_RAD)
    assert pmf.shape == (501,)
    variance = float(orbits.dual_stochastic_visible_variance(HORIZON_RAD, 500, 20))
    assert_counts(counted, 500 * (1 - 6371 / 6871) / 2, variance, pmf)
    assert variance > 1.5 * visibility.visible_variance(500, HORIZON_RAD)


def test_visible_number_of_a_cox_process(cox_runs) -> None:
    angle = 0.9
    counted = (cox_runs >= math.cos(angle)).sum(axis=-1)
    pmf = orbits.cox_count_pmf(8.0, 5.0, angle, 60)
    variance = float(orbits.cox_visible_variance(angle, 8.0, 5.0))
    assert_counts(counted, 40 * (1 - math.cos(angle)) / 2, variance, pmf)
    assert pmf.sum() == pytest.approx(1.0, abs=1e-9)


def test_contact_angles_by_simulation(dual_stochastic_runs, cox_runs) -> None:
    limit = 1.63 / math.sqrt(20_000)
    nearest = np.arccos(dual_stochastic_runs.max(axis=-1))
    assert stats.kstest(nearest, lambda x: orbits.dual_stochastic_contact_angle_cdf(x, 500, 20)).statistic < limit
    highest = cox_runs.max(axis=-1)
    angle = np.sort(np.arccos(highest[highest > -2]))
    ours = orbits.cox_contact_angle_cdf(angle, 8.0, 5.0)
    assert np.abs(ours - np.arange(1, angle.size + 1) / 20_000).max() < limit


def test_one_satellite_on_each_orbit_is_a_binomial_process() -> None:
    np.testing.assert_allclose(
        orbits.dual_stochastic_contact_angle_cdf(GRID, 24, 1), contact.contact_angle_cdf(GRID, 24), atol=1e-9
    )
    np.testing.assert_allclose(
        orbits.dual_stochastic_visible_variance(GRID, 24, 1), visibility.visible_variance(24, GRID), atol=1e-9
    )
    for angle in (HORIZON_RAD, MEO_RAD, 2.0):
        pmf = stats.binom.pmf(np.arange(25), 24, (1 - math.cos(angle)) / 2)
        np.testing.assert_allclose(orbits.dual_stochastic_count_pmf(24, 1, angle), pmf, atol=1e-9)
    detection = table_vii_detection()
    each = visibility.detected_probability(detection, MEO_RAD)
    pmf = stats.binom.pmf(np.arange(25), 24, each)
    np.testing.assert_allclose(orbits.dual_stochastic_count_pmf(24, 1, MEO_RAD, detection), pmf, atol=1e-8)


def test_sparse_orbits_of_a_cox_process_are_a_poisson_process() -> None:
    """L orbits of M -> 0 satellites with L M = 24: the gap falls as M."""
    gaps = [
        np.abs(orbits.cox_contact_angle_cdf(GRID, 24 / m, m) - contact.contact_angle_cdf(GRID, 24.0, "poisson")).max()
        for m in (1e-1, 1e-2, 1e-3)
    ]
    assert gaps[-1] < 2e-4
    np.testing.assert_allclose(np.divide(gaps[:-1], gaps[1:]), 10.0, rtol=0.1)
    pmf = orbits.cox_count_pmf(600.0, 0.01, 1.0, 12)
    np.testing.assert_allclose(pmf, stats.poisson.pmf(np.arange(13), 6 * (1 - math.cos(1.0)) / 2), atol=3e-3)


@pytest.mark.parametrize(("n_points", "n_per_orbit"), [(24, 4), (31, 4), (3, 7), (0, 4)])
@pytest.mark.parametrize("angle", [HORIZON_RAD, MEO_RAD, 2.4])
def test_moments_of_the_distribution(n_points, n_per_orbit, angle) -> None:
    pmf = orbits.dual_stochastic_count_pmf(n_points, n_per_orbit, angle)
    count = np.arange(n_points + 1)
    mean = pmf @ count
    assert pmf.sum() == pytest.approx(1.0, abs=1e-9) and (pmf >= 0).all()
    assert mean == pytest.approx(n_points * (1 - math.cos(angle)) / 2, abs=1e-8)
    variance = orbits.dual_stochastic_visible_variance(angle, n_points, n_per_orbit)
    assert pmf @ (count - mean) ** 2 == pytest.approx(float(variance), abs=1e-8)
    empty = 1.0 - orbits.dual_stochastic_contact_angle_cdf(angle, n_points, n_per_orbit)
    assert pmf[0] == pytest.approx(float(empty), abs=1e-9)


def test_moments_of_the_cox_distribution() -> None:
    pmf = orbits.cox_count_pmf(25.0, 20.0, HORIZON_RAD, 200)
    count = np.arange(201)
    mean = pmf @ count
    assert mean == pytest.approx(500 * (1 - 6371 / 6871) / 2, rel=1e-9)
    assert pmf @ (count - mean) ** 2 == pytest.approx(float(orbits.cox_visible_variance(HORIZON_RAD, 25, 20)), rel=1e-9)
    assert pmf[0] == pytest.approx(1 - float(orbits.cox_contact_angle_cdf(HORIZON_RAD, 25, 20)), rel=1e-9)
    assert orbits.cox_visible_variance(math.pi, 25, 20) == pytest.approx(25 * (20 + 400))


def test_localizability_of_the_case_study() -> None:
    """97 % for 4 of 24 and 95 % for 6 of 31 satellites on orbits of 4 (0.969 and 0.960 by 12,000 runs of another code).

    At 10,000 km it is lower; visible only, without the link, it is 0.992 and 0.990.
    """
    for n, k, published, simulated, visible in ((24, 4, 0.97, 0.969, 0.992), (31, 6, 0.95, 0.960, 0.990)):
        ours = 1 - orbits.dual_stochastic_count_pmf(n, 4, MEO_RAD, table_vii_detection())[:k].sum()
        assert ours == pytest.approx(published, abs=0.01)
        assert ours == pytest.approx(simulated, abs=3 * 0.002)
        lower = math.acos(6371 / 16_371)
        gain = ours - (1 - orbits.dual_stochastic_count_pmf(n, 4, lower, table_vii_detection(10_000e3))[:k].sum())
        assert 0.01 < gain < 0.10
        assert 1 - orbits.dual_stochastic_count_pmf(n, 4, MEO_RAD)[:k].sum() == pytest.approx(visible, abs=0.002)


def test_localizability_with_fading_by_simulation() -> None:
    rng = np.random.default_rng(3)
    runs = 40_000
    cosine = cosines(rng, runs * 6, 4).reshape(runs, 24)
    detection = table_vii_detection()
    grid = np.linspace(math.cos(MEO_RAD), 1.0, 2000)
    chance = np.interp(cosine, grid, detection(np.arccos(grid)), left=0.0)
    counted = np.mean((rng.random(cosine.shape) < chance).sum(axis=-1) >= 6)
    ours = 1 - orbits.dual_stochastic_count_pmf(24, 4, MEO_RAD, detection)[:6].sum()
    assert counted == pytest.approx(ours, abs=4 * math.sqrt(ours * (1 - ours) / runs))


def test_distributions_are_monotone_probabilities() -> None:
    for cdf in (orbits.dual_stochastic_contact_angle_cdf(GRID, 31, 4), orbits.cox_contact_angle_cdf(GRID, 6.0, 4.0)):
        assert cdf[0] == pytest.approx(0.0, abs=1e-12) and (np.diff(cdf) >= -1e-12).all() and cdf[-1] <= 1.0
    assert orbits.dual_stochastic_contact_angle_cdf(math.pi, 31, 4) == pytest.approx(1.0, abs=1e-12)
    assert orbits.cox_contact_angle_cdf(math.pi, 6.0, 4.0) == pytest.approx(1 - math.exp(-6 * (1 - math.exp(-4))))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: orbits.dual_stochastic_contact_angle_cdf(4.0, 24, 4), "angle_rad: got 4"),
        (lambda: orbits.dual_stochastic_visible_variance(0.3, -1, 4), "n_points: got -1"),
        (lambda: orbits.dual_stochastic_count_pmf(24, 0, 0.3), "n_per_orbit: got 0"),
        (lambda: orbits.dual_stochastic_count_pmf(24, 4, 2.0, np.ones_like), "must be at most pi/2 rad"),
        (lambda: orbits.dual_stochastic_count_pmf(24, 4, 1.0, lambda x: x + 5), "detection: got 5"),
        (lambda: orbits.cox_count_pmf(1e4, 4, 0.3, 5), "mean_orbits: got 10000; must be from 0 to 700"),
        (lambda: orbits.cox_contact_angle_cdf(0.3, 5, -1), "mean_per_orbit: got -1"),
    ],
)
def test_errors_name_the_argument(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
