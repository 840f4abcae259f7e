"""Visible numbers: scipy's distributions, published values, and Monte Carlo with fading from another sampler."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from ntn_gym.physics import fading
from ntn_gym.physics.stochastic import coverage, visibility

GPS_ALT_M = 20_000e3


def gps_detection(link):
    channel = fading.shadowed_rician("infrequent_light")
    return lambda angle: 1.0 - fading.shadowed_rician_power_cdf(1.0 / link.mean_snr(angle), channel)


def gps_link(alt_m=GPS_ALT_M, mean_n=24):
    """Table VII: 18 dBW, 20.9 dBi at each end, 1.575 GHz, 2 dB of loss, noise -98 dBm."""
    return coverage.Downlink(mean_n, alt_m, 1.575e9, 18.0 + 20.9, -128.0, rx_gain_dbi=20.9, extra_loss_db=2.0)


def test_horizon_angles_are_those_printed() -> None:
    """4.5, 22 and 76 degrees for HAP, LEO and MEO (half angles)."""
    degrees = np.degrees(visibility.visible_angle_rad(np.array([20e3, 500e3, 20_000e3])))
    np.testing.assert_allclose(degrees, np.degrees(np.arccos(6371 / (6371 + np.array([20, 500, 20_000])))), rtol=1e-9)
    np.testing.assert_allclose(degrees, [4.5, 22.0, 76.0], atol=0.05)


def test_mean_visible_number() -> None:
    angle = float(visibility.visible_angle_rad(500e3))
    assert visibility.mean_visible(500, angle) == pytest.approx(500 * (1 - 6371 / 6871) / 2)
    assert visibility.mean_visible(500, angle) == pytest.approx(18.19, abs=0.005)


def test_mean_and_variance_by_simulation() -> None:
    rng = np.random.default_rng(1)
    angle = float(visibility.visible_angle_rad(1200e3, math.radians(10.0)))
    vectors = rng.standard_normal((40_000, 60, 3))
    inside = vectors[..., 2] >= math.cos(angle) * np.linalg.norm(vectors, axis=-1)
    for law, exists in (("binomial", 60), ("poisson", rng.poisson(30.0, 40_000)[:, None])):
        mean_n = 60 if law == "binomial" else 30.0
        counts = (inside & (np.arange(60) < exists)).sum(axis=-1)
        variance = float(visibility.visible_variance(mean_n, angle, law))
        assert counts.mean() == pytest.approx(
            float(visibility.mean_visible(mean_n, angle)), abs=4 * math.sqrt(variance / 40_000)
        )
        assert counts.var() == pytest.approx(variance, rel=4 * math.sqrt(2.5 / 40_000))
        assert np.mean(counts > 0) == pytest.approx(float(visibility.availability(mean_n, angle, law)), abs=0.01)


def test_k_availability_of_gps() -> None:
    """24 satellites at 20,000 km: 0.99999, 0.9938 and 0.9391 for 1, 4 and 6, from the binomial law of scipy."""
    angle = math.acos(6371 / 26_371)
    k = np.array([1, 4, 6])
    ours = visibility.k_availability(k, 24, angle)
    np.testing.assert_allclose(ours, stats.binom.sf(k - 1, 24, (1 - 6371 / 26_371) / 2), atol=1e-9)
    np.testing.assert_allclose(ours, [0.99999, 0.9938, 0.9391], atol=5e-5)
    assert visibility.availability(24, angle) == pytest.approx(float(ours[0]), abs=1e-12)
    assert visibility.k_availability(0, 24, angle) == 1.0 and visibility.k_availability(25, 24, angle) == 0.0


def test_certain_detection_is_visibility() -> None:
    angle = 0.7
    each = visibility.detected_probability(np.ones_like, angle)
    assert each == pytest.approx((1 - math.cos(angle)) / 2, abs=1e-10)
    half = visibility.localizability(3, 40, lambda x: np.full_like(x, 0.5), angle)
    assert half == pytest.approx(stats.binom.sf(2, 40, (1 - math.cos(angle)) / 4), abs=1e-9)


@pytest.mark.parametrize(("mean_n", "k", "law"), [(24, 4, "binomial"), (31, 6, "binomial"), (24, 4, "poisson")])
def test_localizability_by_simulation(mean_n, k, law) -> None:
    """Shadowed-Rician fading drawn as a Nakagami amplitude plus a complex normal one; 4 standard errors."""
    rng = np.random.default_rng(2)
    runs = 40_000
    number = np.full(runs, mean_n) if law == "binomial" else rng.poisson(mean_n, runs)
    cosine = rng.uniform(-1, 1, (runs, number.max()))
    exists = np.arange(number.max()) < number[:, None]
    distance = np.sqrt(6371e3**2 + 26_371e3**2 - 2 * 6371e3 * 26_371e3 * cosine)
    level_db = 18 + 2 * 20.9 - 2 + 128 + 20 * np.log10(299_792_458 / (4 * math.pi * 1.575e9)) - 20 * np.log10(distance)
    direct = np.sqrt(1.29 * rng.gamma(19.4, 1 / 19.4, cosine.shape))
    scatter = math.sqrt(0.158) * rng.standard_normal((2, *cosine.shape))
    power = (direct + scatter[0]) ** 2 + scatter[1] ** 2
    detected = exists & (cosine >= 6371 / 26_371) & (10 ** (level_db / 10) * power > 1.0)
    counted = np.mean(detected.sum(axis=-1) >= k)
    link = gps_link()
    ours = float(visibility.localizability(k, mean_n, gps_detection(link), link.max_angle_rad, law))
    assert counted == pytest.approx(ours, abs=4 * math.sqrt(ours * (1 - ours) / runs))


def test_localizability_of_gps() -> None:
    """0.975 and 0.964 in closed form for 24 and 31 independent satellites of table VII (another implementation)."""
    link = gps_link()
    assert 10 * np.log10(link.mean_snr(np.array([0.0, link.max_angle_rad]))) == pytest.approx([3.39, 1.25], abs=0.005)
    for mean_n, k, published in ((24, 4, 0.975), (31, 6, 0.964)):
        ours = visibility.localizability(k, mean_n, gps_detection(link), link.max_angle_rad)
        assert ours == pytest.approx(published, abs=5e-4)


def test_torch_agrees() -> None:
    single = torch.linspace(0.0, 3.14, 20)
    for law in ("binomial", "poisson"):
        for function in (visibility.availability, visibility.visible_variance):
            np.testing.assert_allclose(
                function(24, single, law), function(24, single.double(), law), rtol=1e-5, atol=2e-6
            )
    np.testing.assert_allclose(
        visibility.mean_visible(24, single), visibility.mean_visible(24, single.double()), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: visibility.visible_angle_rad(-1.0), "alt_m: got -1; must be above 0 m"),
        (lambda: visibility.visible_angle_rad(1e5, 2.0), "min_elev_rad: got 2"),
        (lambda: visibility.mean_visible(-1, 0.3), "mean_n: got -1"),
        (lambda: visibility.k_availability(2, 10, 4.0), "angle_rad: got 4"),
        (lambda: visibility.detected_probability(lambda x: x * 0 + 2, 0.3), "detection: got 2; must be from 0 to 1"),
        (lambda: visibility.detected_probability(np.ones_like, 0.0), "max_angle_rad: got 0"),
    ],
)
def test_errors_name_the_argument(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
