"""Gas, cloud and scintillation against ITU-R numbers from another implementation, and against TR 38.811/38.821."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ntn_gym.physics import atmosphere, gases

REFERENCE = Path(__file__).parents[1] / "reference"
ITU = json.loads((REFERENCE / "itur_points.json").read_text())
TR38811 = json.loads((REFERENCE / "3gpp_38811.json").read_text())
TR38821 = json.loads((REFERENCE / "38821_link_budget.json").read_text())


@pytest.mark.parametrize("row", ITU["P676_gas"]["rows"], ids=lambda row: f"{row['f_GHz']}GHz")
def test_p676_gas(row):
    freq_hz = row["f_GHz"] * 1e9
    oxygen, vapour = gases.specific_attenuation_db_km(freq_hz)
    assert oxygen == pytest.approx(row["gamma_o_dB_km"], rel=1e-4, abs=6e-7)
    assert vapour == pytest.approx(row["gamma_w_dB_km"], rel=1e-4, abs=6e-7)
    zenith = gases.zenith_gas_attenuation_db(freq_hz)
    for degrees in (10, 30, 45, 90):
        ours = gases.slant_gas_attenuation_db(zenith, math.radians(degrees))
        assert float(ours) == pytest.approx(row[f"A_gas_approx_el{degrees}_dB"], rel=1e-4)
    # The layer-by-layer integral of Annex 1 is another method altogether.
    assert zenith == pytest.approx(row["A_gas_exact_el90_dB"], rel=0.07)


def test_p676_off_the_standard_conditions():
    # Specific attenuations in dB/km and equivalent heights in km from the Python package itur 0.4.0.
    cases = {
        (20, 282.65, 7.4, 1013.25): (0.0125504684, 0.0970133847, 4.65773920, 2.14794830),
        (30, 300.0, 20.0, 1013.25): (0.0194276614, 0.2059643175, 5.33274649, 1.87281386),
        (20, 265.0, 2.0, 960.0): (0.0134376383, 0.0267507014, 3.92945205, 2.61681789),
        (60, 288.15, 7.5, 1013.25): (14.6234747965, 0.1548418406, 10.73148611, 1.69456069),
        (50, 288.15, 7.5, 900.0): (0.2182784774, 0.1009077537, 4.78598897, 1.69537571),
    }
    f, t, rho, p = np.array(list(cases)).T
    ours = gases.specific_attenuation_db_km(f * 1e9, p, t, rho)
    ours += gases.equivalent_heights_km(f * 1e9, p, t, rho)
    np.testing.assert_allclose(np.transpose(ours), list(cases.values()), rtol=1e-8)


def test_p676_broadcasts():
    freq_hz = np.array([[20e9], [30e9]])
    densities = np.array([5.0, 7.5, 20.0])
    zenith = gases.zenith_gas_attenuation_db(freq_hz, vapour_density_g_m3=densities)
    assert zenith.shape == (2, 3)
    assert zenith[1, 2] == pytest.approx(float(gases.zenith_gas_attenuation_db(30e9, vapour_density_g_m3=20.0)))


def test_gas_from_the_integrated_vapour():
    # Bremen: 34.786 kg/m^2 exceeded 1 % of the year. The oxygen part is under a tenth of the sum.
    points = [row for row in ITU["slant_path_points"] if row["site"] == "Bremen_DE"]
    assert len(points) == 4
    for row in points:
        freq_hz = row["f_GHz"] * 1e9
        surface = (1013.25, row["T_K"], row["rho_g_m3"])
        oxygen = gases.specific_attenuation_db_km(freq_hz, *surface)[0]
        oxygen = oxygen * gases.equivalent_heights_km(freq_hz, *surface)[0]
        vapour = gases.zenith_vapour_attenuation_db(freq_hz, 34.78602, row["hs_km"] * 1e3)
        ours = gases.slant_gas_attenuation_db(oxygen + vapour, math.radians(row["el_deg"]))
        assert float(ours) == pytest.approx(row["A_gas_dB"], rel=0.02)


def test_standard_pressure():
    # ITU-R P.835 (US standard atmosphere 1976): 898.76 hPa at 1 km, 540.48 at 5 km.
    np.testing.assert_allclose(gases.standard_pressure_hpa([0.0, 1e3, 5e3]), [1013.25, 898.76, 540.48], rtol=2e-5)


def test_gas_of_the_tr_38821_link_budgets():
    for row in TR38821["link_budget"]:
        zenith = gases.zenith_gas_attenuation_db(row["freq_GHz"] * 1e9)
        ours = gases.slant_gas_attenuation_db(zenith, math.radians(row["elevation_deg"]))
        assert float(ours) == pytest.approx(row["atmospheric_dB"], abs=0.1)


def test_gas_as_tr_38811_applies_it():
    elev = np.radians([5.0, 9.9, 10.0, 30.0, 90.0])
    ka = gases.tr38811_gas_attenuation_db(20e9, elev)
    assert ka[3] == pytest.approx(0.488, abs=1e-3)
    assert (ka > 0).all()
    s_band = gases.tr38811_gas_attenuation_db(2e9, elev)
    assert (s_band[:2] > 0).all()
    assert not s_band[2:].any()
    assert not gases.tr38811_gas_attenuation_db(0.9e9, elev).any()
    tensor = gases.tr38811_gas_attenuation_db(2e9, torch.from_numpy(elev))
    np.testing.assert_allclose(tensor.numpy(), s_band)


@pytest.mark.parametrize("row", ITU["P840_cloud"], ids=lambda row: f"{row['f_GHz']}GHz")
def test_p840_cloud(row):
    absorption = atmosphere.cloud_liquid_absorption_db_m2_kg(row["f_GHz"] * 1e9)
    assert float(absorption) == pytest.approx(row["Kl_at_0C_dB_km_g_m3"], rel=1e-5)
    ours = atmosphere.cloud_attenuation_db(row["f_GHz"] * 1e9, math.radians(row["el_deg"]), 1.21182)
    assert float(ours) == pytest.approx(row["A_cloud_dB"], rel=1e-4)


@pytest.mark.parametrize(
    "row", ITU["P618_scintillation"], ids=lambda row: f"{row['site']}-{row['f_GHz']}-{row['el_deg']}"
)
def test_p618_scintillation(row):
    wet = {p["site"]: p["Nwet"] for p in ITU["slant_path_points"]}[row["site"]]
    sigma = atmosphere.scintillation_sigma_db(
        row["f_GHz"] * 1e9, math.radians(row["el_deg"]), wet, row["D"], row["eta"]
    )
    ours = atmosphere.scintillation_fade_db(row["p"], sigma)
    assert float(ours) == pytest.approx(row["A_scint_dB"], rel=1e-4)


@pytest.mark.parametrize(
    "row", ITU["slant_path_points"], ids=lambda row: f"{row['site']}-{row['f_GHz']}-{row['p_percent']}"
)
def test_scintillation_of_the_slant_paths(row):
    sigma = atmosphere.scintillation_sigma_db(
        row["f_GHz"] * 1e9, math.radians(row["el_deg"]), row["Nwet"], row["D_m"], row["eta"]
    )
    ours = atmosphere.scintillation_fade_db(row["p_percent"], sigma)
    assert float(ours) == pytest.approx(row["A_scint_dB"], rel=1e-4)


def test_a_huge_antenna_averages_scintillation_out():
    sigma = atmosphere.scintillation_sigma_db(30e9, math.radians(5), 50.0, np.array([1.0, 80.0]))
    assert sigma[0] > 0.1
    assert sigma[1] == 0


@pytest.mark.parametrize(
    "row", ITU["slant_path_points"], ids=lambda row: f"{row['site']}-{row['f_GHz']}-{row['p_percent']}"
)
def test_total_attenuation(row):
    parts = [row[f"A_{part}_dB"] for part in ("gas", "rain", "cloud", "scint")]
    ours = atmosphere.total_attenuation_db(*parts)
    assert float(ours) == pytest.approx(row["A_total_dB"], rel=1e-4)


def test_toulouse_scintillation_table():
    elev = np.radians(TR38811["elevation_deg"])
    expected = TR38811["tropospheric_scintillation_20GHz_99pct_Toulouse_dB"]
    np.testing.assert_allclose(atmosphere.tr38811_tropospheric_scintillation_db(elev), expected, rtol=1e-12)
    # The losses that TR 38.821 Table 6.1.3.3-1 prints for the Ka band come from this table.
    at_30_deg = atmosphere.tr38811_tropospheric_scintillation_db(math.radians(30))
    rows = [r for r in TR38821["link_budget"] if r["band"] == "Ka" and r["elevation_deg"] == 30]
    assert len(rows) == 12
    for row in rows:
        assert float(at_30_deg) == pytest.approx(row["scintillation_dB"])


def test_ionospheric_scintillation_only_where_the_document_applies_it():
    latitude = np.radians([-25.0, -20.0, 0.0, 19.9, 20.1, 50.0])
    loss = atmosphere.ionospheric_scintillation_db(2e9, latitude)
    np.testing.assert_allclose(loss, [0, 2.2, 2.2, 2.2, 0, 0], atol=0.001)
    at_equator = atmosphere.ionospheric_scintillation_db(np.array([4e9, 5.99e9, 6e9, 20e9]), 0.0)
    np.testing.assert_allclose(at_equator, [1.1 / math.sqrt(2), 0.4244, 0, 0], atol=1e-3)


def test_magnetic_latitude():
    # The pole itself, its antipode, and Jicamarca (Peru), 11.95 S 76.87 W, near the magnetic equator.
    lat, lon = np.radians([80.65, -80.65, -11.95]), np.radians([-72.68, 107.32, -76.87])
    ours = atmosphere.magnetic_latitude_rad(lat, lon)
    np.testing.assert_allclose(np.degrees(ours), [90, -90, -2.6], atol=0.1)
