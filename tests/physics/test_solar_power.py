"""Sunlight and panels: geometry by vectors, the source's own numbers, limits, and a day's energy."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.physics import frames, solar_power, sun
from ntn_gym.physics import standard_atmosphere as isa


def test_air_mass():
    # A shell of uniform density, h = R / 614: 1 at the zenith, sqrt(1229) = 35.057 at the horizon.
    assert float(solar_power.relative_air_mass(math.pi / 2)) == pytest.approx(1.0, abs=1e-3)
    assert float(solar_power.relative_air_mass(0.0)) == pytest.approx(math.sqrt(1229), rel=1e-12)
    # Kasten and Young 1989, an independent fit: 1.994 at 30 deg, 5.60 at 10 deg.
    for elev_deg in (60.0, 30.0, 10.0):
        fit = 1 / (math.sin(math.radians(elev_deg)) + 0.50572 * (elev_deg + 6.07995) ** -1.6364)
        assert float(solar_power.relative_air_mass(math.radians(elev_deg))) == pytest.approx(fit, rel=0.01)


def test_transmittance_by_hand():
    # Zenith, sea level: m = 0.34764 x (sqrt(1229 + 614^2) - 614) = 0.34742; (e^-0.22582 + e^-0.33005) / 2.
    mass = 0.34764 * (math.sqrt(1229 + 614**2) - 614)
    expected = (math.exp(-0.65 * mass) + math.exp(-0.95 * mass)) / 2
    assert float(solar_power.direct_transmittance(math.pi / 2, 101_325.0)) == pytest.approx(expected, rel=1e-10)
    assert expected == pytest.approx(0.7583, abs=1e-4)
    assert float(solar_power.direct_transmittance(0.3, 0.0)) == 1.0


@pytest.mark.parametrize(("elev_deg", "excess"), [(90, 0.006), (30, 0.011), (10, 0.03), (0, 0.06)])
def test_distance_to_the_older_formula_is_as_documented(elev_deg, excess):
    pressure = float(isa.air_pressure_pa(20e3))
    s = 614 * math.sin(math.radians(elev_deg))
    path = pressure / 101_325.0 * (math.sqrt(1229 + s * s) - s)
    older = (math.exp(-0.65 * path) + math.exp(-0.095 * path)) / 2
    ours = float(solar_power.direct_transmittance(math.radians(elev_deg), pressure))
    assert 0.0 < ours / older - 1 < excess


def test_the_earth_hides_the_sun():
    dip = float(sun.horizon_dip_rad(20e3))
    pressure = isa.air_pressure_pa(20e3)
    elev = np.array([-dip - 1e-4, -dip + 1e-4, 0.0, 0.5])
    irradiance = solar_power.irradiance_at_altitude_w_m2(1361.0, elev, 20e3, pressure)
    assert irradiance[0] == 0.0
    assert np.all(np.diff(irradiance) > 0) and irradiance[-1] < 1361.0
    assert irradiance[-1] == pytest.approx(1361.0 * float(solar_power.direct_transmittance(0.5, pressure)))


def test_incidence_is_the_product_of_unit_vectors():
    rng = np.random.default_rng(5)
    elev, azimuth = rng.uniform(-0.2, 1.5, 200), rng.uniform(0, 2 * math.pi, 200)
    tilt, facing = rng.uniform(0, math.pi, 200), rng.uniform(0, 2 * math.pi, 200)
    ray = np.stack((np.cos(elev) * np.sin(azimuth), np.cos(elev) * np.cos(azimuth), np.sin(elev)))
    normal = np.stack((np.sin(tilt) * np.sin(facing), np.sin(tilt) * np.cos(facing), np.cos(tilt)))
    expected = np.clip((ray * normal).sum(axis=0), 0, None)
    np.testing.assert_allclose(solar_power.incidence_cosine(elev, azimuth, tilt, facing), expected, atol=1e-12)


def test_panel_by_hand():
    # Elektra Two Solar (DLR): 25 m^2 at 25 % under 1000 W/m^2 give 6.25 kW, the 6 kW of the data sheet with wiring.
    assert float(solar_power.panel_power_w(1000.0, 25.0, 0.25)) == pytest.approx(6250.0)
    assert float(solar_power.panel_power_w(1000.0, 25.0, 0.25, conversion_efficiency=0.96)) == pytest.approx(6000.0)
    # Cold cells are better: -50 deg C is 75 K below the rating.
    cold = solar_power.panel_power_w(1000.0, 1.0, 0.2, 223.15, temperature_coefficient_per_k=0.004)
    assert float(cold) == pytest.approx(200.0 * 1.3)
    assert float(solar_power.cell_temperature_k(216.65, 1000.0)) == pytest.approx(246.65)


def test_energy_of_a_summer_day_at_20_km():
    # A horizontal panel in Bremen on 21 June: between 90 and 100 % of the 11.57 kWh/m^2 above the atmosphere.
    jd, _ = frames.julian_date("2025-06-21T00:00:00Z")
    fraction = (np.arange(720) + 0.5) / 720
    elev, azimuth = sun.sun_angles_rad(math.radians(53.08), math.radians(8.8), jd, fraction)
    outside = sun.extraterrestrial_irradiance_w_m2(jd, fraction, 1366.1)
    on_panel = solar_power.irradiance_at_altitude_w_m2(
        outside, elev, 20e3, isa.air_pressure_pa(20e3)
    ) * solar_power.incidence_cosine(elev, azimuth)
    energy_kwh = float(solar_power.panel_power_w(on_panel, 1.0, 1.0).sum()) * 120 / 3.6e6
    assert 0.90 * 11.5743 < energy_kwh < 11.5743


@given(st.floats(-0.07, 1.5), st.floats(0.0, 1e5), st.floats(0.0, 1.0))
@settings(deadline=None)
def test_transmittance_is_a_share_and_falls_with_the_pressure(elev, pressure, share):
    low = float(solar_power.direct_transmittance(elev, pressure * share))
    high = float(solar_power.direct_transmittance(elev, pressure))
    assert 0.0 < high <= low <= 1.0


def test_torch_gives_the_same_numbers():
    elev = np.linspace(-0.1, 1.5, 9)
    ours = solar_power.irradiance_at_altitude_w_m2(1361.0, elev, 20e3, 5529.0)
    theirs = solar_power.irradiance_at_altitude_w_m2(1361.0, torch.from_numpy(elev), 20e3, 5529.0)
    np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-12)
