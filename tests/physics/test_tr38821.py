"""The calibration of TR 38.821: printed losses and CNR, terminals, and beamwidths of the apertures."""

import json
import math
from pathlib import Path

import pytest

from ntn_gym.physics import tr38821

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "38821_link_budget.json").read_text())
UPLINK = json.loads((Path(__file__).parents[1] / "reference" / "38821_uplink.json").read_text())["rows"]
ROWS = {(row.case, row.direction): row for row in tr38821.calibration_rows()}


def uplink_cases() -> dict[str, dict]:
    """The printed uplink row of each study case."""
    cases = {}
    for printed in UPLINK:
        first, last = (int(name.removeprefix("SC")) for name in printed["cases"].split("-"))
        cases |= {f"SC{number}": printed for number in range(first, last + 1)}
    return cases


def test_losses_of_all_sixty_rows_are_as_printed() -> None:
    assert len(ROWS) == 60
    for row in tr38821.calibration_rows():
        assert row.budget.free_space_loss_db == pytest.approx(row.printed_loss_db["fspl"], abs=0.1)
        assert row.budget.atmospheric_loss_db == pytest.approx(row.printed_loss_db["gas"], abs=0.1)
        assert row.budget.scintillation_loss_db == pytest.approx(row.printed_loss_db["scintillation"], abs=0.1)


def test_downlink_losses_are_those_of_the_reference() -> None:
    assert {row["case"] for row in REFERENCE["link_budget"]} == {f"SC{number}" for number in range(1, 31)}
    for printed in REFERENCE["link_budget"]:
        row = ROWS[printed["case"], printed["direction"]]
        assert row.budget.free_space_loss_db == pytest.approx(printed["fspl_dB"], abs=0.1)
        assert row.budget.atmospheric_loss_db == pytest.approx(printed["atmospheric_dB"], abs=0.1)
        assert row.budget.scintillation_loss_db == pytest.approx(printed["scintillation_dB"], abs=0.1)
        assert row.budget.shadow_margin_db == pytest.approx(printed["shadow_margin_dB"], abs=0.1)
        assert row.printed_loss_db["fspl"] == printed["fspl_dB"]
        assert row.printed_loss_db["gas"] == printed["atmospheric_dB"]
        assert row.printed_loss_db["scintillation"] == printed["scintillation_dB"]
        assert row.elevation_deg == printed["elevation_deg"]
        assert row.budget.cnr_db == pytest.approx(printed["cnr_dB_computed"], abs=0.2)


def test_uplink_losses_are_those_of_the_reference() -> None:
    cases = uplink_cases()
    assert set(cases) == {f"SC{number}" for number in range(1, 31)}
    for case, printed in cases.items():
        row = ROWS[case, "UL"]
        assert row.budget.free_space_loss_db == pytest.approx(printed["fspl_dB"], abs=0.1)
        assert row.budget.atmospheric_loss_db == pytest.approx(printed["atmospheric_dB"], abs=0.1)
        assert row.budget.scintillation_loss_db == pytest.approx(printed["scintillation_dB"], abs=0.1)
        assert row.budget.shadow_margin_db == pytest.approx(printed["shadow_margin_dB"], abs=0.1)
        assert row.printed_loss_db["fspl"] == printed["fspl_dB"]
        assert row.printed_loss_db["gas"] == printed["atmospheric_dB"]
        assert row.printed_loss_db["scintillation"] == printed["scintillation_dB"]
        assert row.elevation_deg == printed["elevation_deg"]


def test_uplink_cnr_of_the_reference() -> None:
    for case, printed in uplink_cases().items():
        row = ROWS[case, "UL"]
        # Cases of a group differ in bandwidth alone; the terminal's power is the same.
        first = ROWS[printed["cases"].split("-")[0], "UL"]
        expected_db = printed["cnr_dB_first"] - 10 * math.log10(row.budget.bandwidth_hz / first.budget.bandwidth_hz)
        assert row.budget.cnr_db == pytest.approx(expected_db, abs=0.2)
        if case == printed["cases"].split("-")[0] and "cnr_dB_published" in printed:
            assert row.budget.cnr_db == pytest.approx(printed["cnr_dB_published"], abs=0.15)


@pytest.mark.parametrize(
    ("case", "direction", "published_db"),
    [("SC6", "DL", 8.5), ("SC6", "UL", 18.4), ("SC9", "DL", 6.6), ("SC9", "UL", 2.8)],
)
def test_published_cnr_of_tr_38821(case: str, direction: str, published_db: float) -> None:
    rows = {(row.case, row.direction): row for row in tr38821.calibration_rows()}
    assert rows[case, direction].budget.cnr_db == pytest.approx(published_db, abs=0.15)


@pytest.mark.parametrize("freq_hz", [2e9, 20e9, 30e9])
@pytest.mark.parametrize(("elev_deg", "row"), [(12.5, 0), (20.0, 1), (30.0, 2)])
def test_gas_and_scintillation_as_printed(freq_hz: float, elev_deg: float, row: int) -> None:
    gas_db = {2e9: (0.2, 0.1, 0.1), 20e9: (1.2, 0.8, 0.5), 30e9: (1.1, 0.7, 0.5)}[freq_hz][row]
    scintillation_db = 2.2 if freq_hz < 6e9 else (1.1, 0.5, 0.3)[row]
    elev_rad = math.radians(elev_deg)
    assert tr38821.gas_loss_db(freq_hz, elev_rad) == pytest.approx(gas_db, abs=0.1)
    assert tr38821.scintillation_loss_db(freq_hz, elev_rad) == pytest.approx(scintillation_db, abs=0.1)


def test_terminals_of_table_6_1_1_1_3() -> None:
    ue = REFERENCE["ue"]
    assert set(tr38821.terminals()) == {"vsat", "handheld"}
    vsat, handheld = tr38821.terminal_of_band("Ka"), tr38821.terminal_of_band("S")
    assert (vsat.name, handheld.name) == ("vsat", "handheld")
    assert vsat.gt_db_k == pytest.approx(ue["vsat"]["gt_dB_K"], abs=0.05)
    assert handheld.gt_db_k == pytest.approx(ue["handheld"]["gt_dB_K"], abs=0.05)
    assert vsat.eirp_dbw == pytest.approx(ue["vsat"]["eirp_dBW"], abs=1e-9)
    assert handheld.eirp_dbw == pytest.approx(-7.0)


def test_satellites_of_tables_6_1_1_1_1_and_2() -> None:
    sets = tr38821.satellite_sets()
    assert len(sets) == 12
    for one in sets:
        expected = REFERENCE["satellite_parameter_sets"][one.param_set][one.orbit.replace("-", "")][one.band]
        assert one.eirp_density_dbw_mhz == expected["eirp_density_dBW_MHz"]
        assert one.gt_db_k == expected["gt_dB_K"]
        assert one.gain_dbi == expected["max_gain_dBi"]
        # Half power of the Bessel pattern at k a sin(theta) = 1.6163.
        wavelength_m = 299_792_458.0 / (2e9 if one.band == "S" else 20e9)
        beamwidth_deg = 2 * math.degrees(math.asin(1.6163 * wavelength_m / (math.pi * one.aperture_m)))
        assert one.beamwidth_deg == pytest.approx(beamwidth_deg, rel=0.003)
        # Directivity of the aperture, (pi D / lambda)^2, with the efficiency that the document implies: 57 to 73 %.
        efficiency = 10 ** (one.gain_dbi / 10) / (math.pi * one.aperture_m / wavelength_m) ** 2
        assert 0.5 < efficiency < 0.8
        # A beam of a low orbit is as wide as the beamwidth times the altitude, rounded to 10 km.
        assert one.beam_diameter_m == pytest.approx(math.radians(one.beamwidth_deg) * one.alt_m, abs=15e3)
