"""Jitter and layouts: Monte Carlo, quadrature over the sphere, and the numbers of the study model."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from ntn_gym.physics import antenna_jitter as aj
from ntn_gym.physics import antenna_patterns, antennas, hibs

MODEL = json.loads((Path(__file__).parents[1] / "reference" / "haps_parameters.json").read_text())["hibs_model"]


def wobble(sigma, n=200_000):
    return sigma * np.hypot(*np.random.default_rng(71).standard_normal((2, n)))


@pytest.mark.parametrize("ratio", [0.05, 0.2, 0.6])
def test_gaussian_lobe_by_monte_carlo(ratio):
    width = math.radians(4.0)
    gain = 10 ** (antenna_patterns.gaussian_gain_dbi(wobble(ratio * width), width, 0.0) / 10)
    ours = float(aj.gaussian_beam_mean_gain(ratio * width, width))
    assert ours == pytest.approx(gain.mean(), abs=4 * gain.std() / math.sqrt(len(gain)))


@pytest.mark.parametrize("sigma_deg", [0.0, 0.1, 0.5, 2.0])
def test_aperture_by_monte_carlo(sigma_deg):
    diameter, freq = 1.0, 20e9
    sigma = math.radians(sigma_deg)
    gain = antennas.aperture_gain(wobble(sigma), diameter, freq)
    ours = float(aj.aperture_mean_gain(sigma, diameter, freq))
    assert ours == pytest.approx(gain.mean(), abs=4 * gain.std() / math.sqrt(len(gain)) + 1e-9)


def test_aperture_by_adaptive_quadrature():
    sigma, diameter, freq = math.radians(0.4), 1.0, 20e9
    mean, _ = integrate.quad(
        lambda t: float(antennas.aperture_gain(t, diameter, freq)) * t / sigma**2 * math.exp(-(t**2) / (2 * sigma**2)),
        0,
        9 * sigma,
        limit=300,
    )
    assert float(aj.aperture_mean_gain(sigma, diameter, freq)) == pytest.approx(mean, rel=1e-9)


def test_small_jitter_costs_the_same_on_both():
    # The lobes agree near the boresight: to second order the aperture loses 2 sigma^2 (ka / 2)^2.
    diameter, freq = 0.5, 28e9
    ka = math.pi * diameter * freq / 299_792_458.0
    sigma = 0.02 / ka
    assert 1 - float(aj.aperture_mean_gain(sigma, diameter, freq)) == pytest.approx(sigma**2 * ka**2 / 2, rel=1e-3)


def test_loss_that_is_exceeded():
    width = math.radians(1.0)
    loss = -antenna_patterns.gaussian_gain_dbi(wobble(0.2 * width), width, 0.0)
    for p in (0.5, 0.1, 0.01):
        ours = float(aj.gaussian_beam_outage_jitter_loss_db(0.2 * width, width, p))
        assert (loss > ours).mean() == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 200_000))


@given(st.floats(0.0, 1.0), st.floats(0.01, 1.0), st.floats(1.0, 3.0))
@settings(deadline=None)
def test_more_jitter_costs_more(jitter, width, factor):
    gain = float(aj.gaussian_beam_mean_gain(jitter, width))
    assert 0 < float(aj.gaussian_beam_mean_gain(jitter * factor, width)) <= gain <= 1


@given(st.floats(0.05, 3.0), st.floats(0.0, 1.0))
@settings(deadline=None)
def test_two_level_pattern_radiates_its_power(half_width, share_of_largest):
    largest = 2 / (1 - math.cos(half_width))
    main = 1 + share_of_largest * 0.999 * (largest - 1)
    side = float(aj.two_level_side_gain(main, half_width))
    assert -1e-12 <= side <= 1 + 1e-12
    # The mean over all directions, by integration over the sphere in two parts.
    power = main * integrate.quad(math.sin, 0, half_width)[0] + side * integrate.quad(math.sin, half_width, math.pi)[0]
    assert power / 2 == pytest.approx(1.0, abs=1e-9)


def test_two_levels_by_hand():
    # A cone of 60 deg half width holds a quarter of all directions: main 3, side 1/3.
    gain = aj.two_level_gain(np.radians([0.0, 60.0, 61.0, 180.0]), 3.0, math.radians(60))
    np.testing.assert_allclose(gain, [3, 3, 1 / 3, 1 / 3])
    with pytest.raises(ValueError, match="not conserved"):
        aj.two_level_side_gain(5.0, math.radians(60))
    with pytest.raises(ValueError, match="main_gain"):
        aj.two_level_side_gain(0.5, math.radians(60))


def test_coarse_jitter_is_refused():
    with pytest.raises(ValueError, match="jitter_rad"):
        aj.aperture_mean_gain(0.1, 2.0, 20e9)


def test_layout_of_the_study_model():
    layout = hibs.hibs_layout(7)
    np.testing.assert_allclose(np.degrees(layout.azimuth_rad), MODEL["azimuth7_deg"])
    np.testing.assert_allclose(np.degrees(layout.elevation_rad), MODEL["elevation7_deg"])
    assert layout.cell_radius_m == MODEL["cell_radius_m"]
    # 37 dBm from each of 2 x 2 elements is 43.02 dBm; 34 dBm from each of 4 x 2 is 43.03 dBm.
    np.testing.assert_allclose(layout.power_dbm, [43.0206] + [43.0309] * 6, atol=1e-4)
    # 20 km / tan 23 deg = 47.1 km.
    ground = hibs.boresight_ground_range_m(layout, MODEL["platform_height_m"])
    np.testing.assert_allclose(ground, [0] + [20e3 / math.tan(math.radians(23))] * 6)
    three = hibs.hibs_layout(3)
    np.testing.assert_allclose(np.degrees(three.azimuth_rad), MODEL["azimuth3_deg"])
    with pytest.raises(ValueError, match="1, 3, 7, 19"):
        hibs.hibs_layout(12)


def test_boresights_see_their_own_sector():
    layout = hibs.hibs_layout(7)
    ground = hibs.boresight_ground_range_m(layout, 20e3)
    direction = hibs.direction_to_ground_enu(ground, layout.azimuth_rad, 20e3)
    azimuth, zenith = hibs.sector_angles_rad(layout, direction)
    own = np.arange(7)
    np.testing.assert_allclose(azimuth[own, own], 0.0, atol=1e-9)
    np.testing.assert_allclose(zenith[own, own], math.pi / 2, atol=1e-9)
    gain = hibs.sector_gain_dbi(layout, direction)
    np.testing.assert_array_equal(gain.argmax(axis=-1), own)
    # 8 dBi of an element and 10 log10 of their number.
    np.testing.assert_allclose(gain[own, own], [8 + 6.0206] + [8 + 9.0309] * 6, atol=1e-4)


def test_local_axes_by_hand():
    # Sector 1 points north, 23 deg below level. A point to the east of its boresight is to the right: azimuth > 0.
    layout = hibs.hibs_layout(7)
    azimuth, zenith = hibs.sector_angles_rad(layout, np.array([1.0, 0.0, 0.0]))
    assert float(azimuth[1]) == pytest.approx(math.pi / 2)
    assert float(zenith[1]) == pytest.approx(math.pi / 2)
    # The horizon to the north is 23 deg above the boresight.
    azimuth, zenith = hibs.sector_angles_rad(layout, np.array([0.0, 1.0, 0.0]))
    assert float(azimuth[1]) == pytest.approx(0.0, abs=1e-12)
    assert math.degrees(float(zenith[1])) == pytest.approx(67.0)


def test_the_ring_is_symmetric():
    layout = hibs.hibs_layout(7)
    turns = np.radians(60.0 * np.arange(6))
    direction = hibs.direction_to_ground_enu(35e3, 0.2 + turns, 20e3)
    gain = hibs.sector_gain_dbi(layout, direction)
    for k in range(1, 6):
        np.testing.assert_allclose(np.roll(gain[k, 1:], -k), gain[0, 1:], atol=1e-8)
    assert np.ptp(hibs.sector_gain_dbi(layout, hibs.direction_to_ground_enu(20e3, turns, 20e3)).max(axis=-1)) < 1e-8


def test_torch_gives_the_same_numbers():
    layout = hibs.hibs_layout(7)
    direction = hibs.direction_to_ground_enu(np.array([1e3, 50e3]), np.array([0.1, 2.0]), 20e3)
    theirs = hibs.sector_gain_dbi(layout, torch.from_numpy(direction))
    np.testing.assert_allclose(theirs.numpy(), hibs.sector_gain_dbi(layout, direction), atol=1e-9)
    jitter = np.linspace(0, 0.02, 5)
    theirs = aj.aperture_mean_gain(torch.from_numpy(jitter), 1.0, 20e9)
    np.testing.assert_allclose(theirs.numpy(), aj.aperture_mean_gain(jitter, 1.0, 20e9), rtol=1e-7)
