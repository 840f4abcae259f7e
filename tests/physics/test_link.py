"""Link budgets against TR 38.821 Table 6.1.3.3-1, G/T of its terminals, SINR and throughput by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ntn_gym.physics import link

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "38821_link_budget.json").read_text())
HEIGHT_KM = {"GEO": 35786, "LEO600": 600, "LEO1200": 1200}

# Uplinks of Table 6.1.3.3-1 with the full band: case, orbit, band, parameter set, elevation in deg, printed
# free-space, atmospheric and scintillation losses in dB, then the CNR in dB that follows from these losses.
UPLINKS = [
    ("SC1", "GEO", "Ka", "set1", 12.5, 214.1, 1.1, 1.1, 0.48),
    ("SC4", "GEO", "S", "set1", 12.5, 190.6, 0.2, 2.2, -10.96),
    ("SC6", "LEO600", "Ka", "set1", 30, 182.6, 0.5, 0.3, 18.38),
    ("SC9", "LEO600", "S", "set1", 30, 159.1, 0.1, 2.2, 2.74),
    ("SC11", "LEO1200", "Ka", "set1", 30, 188.0, 0.5, 0.3, 12.98),
    ("SC14", "LEO1200", "S", "set1", 30, 164.5, 0.1, 2.2, -2.66),
    ("SC16", "GEO", "Ka", "set2", 20, 213.9, 0.7, 0.5, -6.32),
    ("SC19", "GEO", "S", "set2", 20, 190.4, 0.1, 2.2, -15.66),
    ("SC21", "LEO600", "Ka", "set2", 30, 182.6, 0.5, 0.3, 10.38),
    ("SC24", "LEO600", "S", "set2", 30, 159.1, 0.1, 2.2, -3.26),
    ("SC26", "LEO1200", "Ka", "set2", 30, 188.0, 0.5, 0.3, 4.98),
    ("SC29", "LEO1200", "S", "set2", 30, 164.5, 0.1, 2.2, -8.66),
]
PUBLISHED_DB = {("SC6", "DL"): 8.5, ("SC6", "UL"): 18.4, ("SC9", "DL"): 6.6, ("SC9", "UL"): 2.8}


def slant_range_m(height_km: float, elev_deg: float) -> float:
    """TR 38.811 equation 6.6-3, written out."""
    sine = math.sin(math.radians(elev_deg))
    return 1e3 * (math.sqrt((6371 * sine) ** 2 + height_km**2 + 2 * height_km * 6371) - 6371 * sine)


def uplink_row(case, orbit, band, parameter_set, elev_deg, fspl_db, gas_db, scint_db, cnr_db):
    satellite = REFERENCE["satellite_parameter_sets"][parameter_set][orbit][band]
    return {
        "case": case,
        "direction": "UL",
        "height_km": HEIGHT_KM[orbit],
        "elevation_deg": elev_deg,
        "freq_GHz": 30.0 if band == "Ka" else 2.0,
        "bandwidth_MHz": 400.0 if band == "Ka" else 0.36,
        "eirp_dBW": REFERENCE["ue"]["vsat"]["eirp_dBW"] if band == "Ka" else 23.0 - 30.0,
        "gt_dB_K": satellite["gt_dB_K"],
        "fspl_dB": fspl_db,
        "atmospheric_dB": gas_db,
        "scintillation_dB": scint_db,
        "shadow_margin_dB": 0.0 if band == "Ka" else 3.0,
        "polarization_dB": 0.0,
        "additional_dB": 0.0,
        "cnr_dB_computed": cnr_db,
    }


def budget(row) -> link.LinkBudget:
    return link.LinkBudget(
        freq_hz=row["freq_GHz"] * 1e9,
        range_m=slant_range_m(row["height_km"], row["elevation_deg"]),
        bandwidth_hz=row["bandwidth_MHz"] * 1e6,
        eirp_dbw=row["eirp_dBW"],
        gt_db_k=row["gt_dB_K"],
        atmospheric_loss_db=row["atmospheric_dB"],
        shadow_margin_db=row["shadow_margin_dB"],
        scintillation_loss_db=row["scintillation_dB"],
        polarization_loss_db=row["polarization_dB"],
        additional_loss_db=row["additional_dB"],
    )


ROWS = REFERENCE["link_budget"] + [uplink_row(*uplink) for uplink in UPLINKS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['case']}-{row['direction']}")
def test_link_budgets_of_tr_38821(row):
    ours = budget(row)
    assert ours.free_space_loss_db == pytest.approx(row["fspl_dB"], abs=0.1)
    assert ours.cnr_db == pytest.approx(row["cnr_dB_computed"], abs=0.2)
    if (row["case"], row["direction"]) in PUBLISHED_DB:
        published = PUBLISHED_DB[row["case"], row["direction"]]
        assert ours.cnr_db == pytest.approx(published, abs=0.15)


def test_all_published_rows_were_compared():
    assert {(row["case"], row["direction"]) for row in ROWS} >= set(PUBLISHED_DB)
    assert len(ROWS) == 42


def test_lines_add_up():
    lines = {name: value for name, value, _ in budget(ROWS[8]).lines()}
    losses = sum(value for name, value in lines.items() if "loss" in name or "margin" in name)
    by_hand = lines["EIRP"] + lines["G/T"] + 228.599167 - losses - 10 * math.log10(lines["bandwidth"] * 1e6)
    assert lines["CNR"] == pytest.approx(by_hand, abs=1e-6)


def test_figure_of_merit_of_the_terminals():
    ue = REFERENCE["ue"]
    vsat = link.gain_to_temperature_db_k(ue["vsat"]["rx_gain_dBi"], 1.2, 150)
    handheld = link.gain_to_temperature_db_k(0.0, 7.0, 290)
    assert float(vsat) == pytest.approx(ue["vsat"]["gt_dB_K"], abs=0.05)
    assert float(handheld) == pytest.approx(ue["handheld"]["gt_dB_K"], abs=0.05)
    # The same from the system temperature: G - 10 log10 T.
    temperature = float(link.system_temperature_k(1.2, 150.0))
    assert float(vsat) == pytest.approx(39.7 - 10 * math.log10(temperature), abs=1e-9)


def test_thermal_noise():
    # -174 dBm/Hz at 290 K is -203.975 dBW/Hz.
    assert float(link.thermal_noise_dbw(1.0)) == pytest.approx(-203.975, abs=5e-4)
    assert float(link.thermal_noise_dbw(30e6, 580.0)) == pytest.approx(-203.975 + 74.771 + 3.010, abs=1e-3)


def test_carrier_over_noise_is_the_cnr():
    carrier = link.carrier_dbw(48.77, 164.4, 0.0)
    noise = link.thermal_noise_dbw(30e6, link.system_temperature_k(7.0, 290.0))
    gt = link.gain_to_temperature_db_k(0.0, 7.0, 290.0)
    assert float(carrier - noise) == pytest.approx(float(link.cnr_db(48.77, gt, 164.4, 30e6)), abs=1e-9)


def test_sinr_by_hand():
    assert float(link.sinr(4.0, np.array([0.5, 0.5]), 1.0)) == pytest.approx(2.0)
    received = np.array([[4.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
    np.testing.assert_allclose(link.sinr_of_each_node(received, 1.0), [[2.0, 0.2, 0.0], [0.0, 0.0, 2.0]])
    half = link.sinr_of_each_node(received, np.ones((2, 1)), np.array([1.0, 0.5, 0.0]))
    np.testing.assert_allclose(half, [[4 / 1.5, 0.2, 0.0], [0.0, 0.0, 2.0]])


def test_own_power_does_not_turn_into_interference():
    received = np.array([[1e-3, 1e-13]], np.float32)
    ratio = link.sinr_of_each_node(received, np.float32(1e-13))
    assert np.isfinite(ratio).all()
    assert (ratio > 0).all()
    assert ratio[0, 0] <= 1e-3 / 1e-13 * (1 + 1e-5)


def test_spectral_efficiency_by_hand():
    ratio = np.array([0.0, 0.1, 1.0, 3.0, 1e6])
    np.testing.assert_allclose(
        link.spectral_efficiency_bit_s_hz(ratio), [0, 0.65 * math.log2(1.1), 0.65, 1.3, 4.8], rtol=1e-12
    )
    # LTE downlink of TR 36.942 annex A.2: 0.6, cap 4.4, nothing below -10 dB.
    lte = link.spectral_efficiency_bit_s_hz(ratio, 0.6, 4.4, 0.11)
    np.testing.assert_allclose(lte, [0, 0, 0.6, 1.2, 4.4], rtol=1e-12)


def test_decibels():
    np.testing.assert_allclose(link.from_db([0.0, 10.0, -3.0]), [1, 10, 0.501187], rtol=1e-6)
    np.testing.assert_allclose(link.to_db([1.0, 100.0]), [0, 20])


def test_types_and_torch():
    ratio = np.array([0.5, 2.0], np.float32)
    assert link.spectral_efficiency_bit_s_hz(ratio).dtype == np.float32
    tensor = link.sinr_of_each_node(torch.tensor([[4.0, 1.0]]), torch.tensor([[1.0]]))
    np.testing.assert_allclose(tensor.numpy(), [[2.0, 0.2]], rtol=1e-6)
    efficiency = link.spectral_efficiency_bit_s_hz(torch.from_numpy(ratio))
    np.testing.assert_allclose(efficiency.numpy(), link.spectral_efficiency_bit_s_hz(ratio), rtol=1e-6)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("freq_hz", 0.0),
        ("range_m", -1.0),
        ("bandwidth_hz", math.nan),
        ("eirp_dbw", math.inf),
        ("shadow_margin_db", -1.0),
    ],
)
def test_wrong_budgets_are_refused(field, value):
    good = {"freq_hz": 2e9, "range_m": 1e6, "bandwidth_hz": 3e7, "eirp_dbw": 40.0, "gt_db_k": -31.6}
    with pytest.raises(ValueError, match=f"LinkBudget.{field}"):
        link.LinkBudget(**(good | {field: value}))
