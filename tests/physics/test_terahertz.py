"""Sub-terahertz absorption: the package itur, geometry of the chord, and how clear the upper air is."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from ntn_gym.physics import gases
from ntn_gym.physics import terahertz as thz

# itur 0.4.0: gamma0_exact + gammaw_exact (P.676-12) with temperature, pressure and vapour of P.835-6; GHz: dB/km.
ITUR = {
    0.0: {140: 0.9154486761, 300: 5.203123409, 340: 9.1826901767, 650: 64.9796390317, 850: 78.0791462639},
    5e3: {140: 0.0588566455, 300: 0.3002180402, 340: 0.5209076883, 650: 3.7790564941, 850: 4.4671646681},
    12e3: {140: 0.0029678337, 300: 0.0076582301, 340: 0.0118318361, 650: 0.0746912238, 850: 0.0940711593},
    20e3: {140: 0.0001740828, 300: 0.0002441805, 340: 0.0003244116, 650: 0.0011455584, 850: 0.0018031709},
}


@pytest.mark.parametrize("alt_m", ITUR)
def test_specific_attenuation(alt_m):
    for ghz, expected in ITUR[alt_m].items():
        assert float(thz.molecular_absorption_db_km(ghz * 1e9, alt_m)) == pytest.approx(expected, rel=2e-4)


def test_vapour():
    assert float(thz.standard_vapour_density_g_m3(0.0)) == 7.5
    assert float(thz.standard_vapour_density_g_m3(20e3)) == pytest.approx(3.404993e-4, rel=1e-6)
    # Above 23 km: e / p = 2e-6, e = rho T / 216.7. At 30 km p = 11.97 hPa, T = 226.51 K.
    assert float(thz.standard_vapour_density_g_m3(30e3)) == pytest.approx(2e-6 * 11.97 * 216.7 / 226.51, rel=1e-3)


def test_path_at_one_height_is_the_product():
    # 10 km at 20 km height: the chord sags 2 m.
    specific = float(thz.molecular_absorption_db_km(300e9, 20e3))
    assert float(thz.path_absorption_db(300e9, 20e3, 20e3, 10e3)) == pytest.approx(10 * specific, rel=1e-3)


def test_path_integral_by_adaptive_quadrature():
    # From 18 to 22 km over 300 km, the height written out in Cartesian coordinates.
    a, b, length = 6371e3 + 18e3, 6371e3 + 22e3, 300e3
    cosine = (a * a + length**2 - b * b) / (2 * a * length)  # angle at the lower end, from the vertical
    direction = np.array([math.sqrt(1 - cosine**2), -cosine])

    def alt(s):
        return float(np.linalg.norm(np.array([0.0, a]) + s * direction)) - 6371e3

    assert alt(length) == pytest.approx(22e3, abs=1e-3)
    total, _ = integrate.quad(
        lambda s: float(thz.molecular_absorption_db_km(340e9, alt(s))) / 1e3, 0, length, epsrel=1e-8
    )
    assert float(thz.path_absorption_db(340e9, 18e3, 22e3, length)) == pytest.approx(total, rel=1e-6)


def test_zenith_path_from_the_ground_against_equivalent_heights():
    # The whole atmosphere at 140 GHz: P.676 Annex 2, an approximation to 10 % or so.
    layers = float(thz.path_absorption_db(140e9, 0.0, 80e3, 80e3))
    assert layers == pytest.approx(float(gases.zenith_gas_attenuation_db(140e9)), rel=0.1)


def test_platforms_have_windows_that_the_ground_has_not():
    # 340 GHz between platforms 50 km apart costs less than 0.1 dB; the same near the ground 460 dB.
    assert float(thz.path_absorption_db(340e9, 20e3, 20e3, 50e3)) < 0.1
    assert float(thz.path_absorption_db(340e9, 100.0, 100.0, 50e3)) > 300.0
    # On the water line at 557 GHz even the stratosphere is opaque.
    assert float(thz.path_absorption_db(556.936e9, 20e3, 20e3, 50e3)) > 100.0


@given(st.floats(100e9, 1e12), st.floats(5e3, 25e3), st.floats(1e3, 2e5), st.floats(1.0, 1.5))
@settings(deadline=None, max_examples=40)
def test_longer_and_reciprocal(freq, alt, length, factor):
    short = float(thz.path_absorption_db(freq, alt, alt + 500.0, length))
    assert 0 < short <= float(thz.path_absorption_db(freq, alt, alt + 500.0, length * factor)) * (1 + 1e-9)
    assert float(thz.path_absorption_db(freq, alt + 500.0, alt, length)) == pytest.approx(short, rel=1e-9)


def test_batches():
    ours = thz.path_absorption_db(np.array([[140e9], [340e9]]), 20e3, np.array([20e3, 21e3, 22e3]), 50e3)
    assert ours.shape == (2, 3) and np.all(np.isfinite(ours))


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ((2e12, 20e3, 20e3, 1e4), "freq_hz"),
        ((300e9, 90e3, 90e3, 1e4), "alt_m"),
        ((300e9, 10e3, 20e3, 1e3), "range_m"),
        ((300e9, 1e3, 1e3, 400e3), "meets the ground"),
    ],
)
def test_wrong_paths_are_refused(args, field):
    with pytest.raises(ValueError, match=field):
        thz.path_absorption_db(*args)
