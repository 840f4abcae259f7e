"""TR 38.901 against the vectors of ns-3's test suite and further points computed elsewhere."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ntn_gym.physics import terrestrial

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "3gpp_38901.json").read_text())
CELLS = {name: terrestrial.TerrestrialCell(name) for name in ("RMa", "UMa", "UMi")}


@pytest.mark.parametrize("row", REFERENCE["ns3_vectors"], ids=str)
def test_vectors_of_ns3(row):
    ours = terrestrial.path_loss_db(CELLS[row["scenario"]], row["d2D_m"], row["f_GHz"] * 1e9, row["los"])
    assert float(ours) == pytest.approx(row["pathloss_dB_ns3_test"], abs=1e-3)


@pytest.mark.parametrize("row", REFERENCE["extra_points"], ids=str)
def test_further_points(row):
    distance, freq_hz = np.full(2, float(row["d2D_m"])), row["f_GHz"] * 1e9
    ours = terrestrial.path_loss_db(CELLS[row["scenario"]], distance, freq_hz, np.array([True, False]))
    np.testing.assert_allclose(ours, [row["pl_los_dB"], row["pl_nlos_dB"]], atol=1e-3)


def test_probability_of_line_of_sight():
    for row in REFERENCE["los_probability"]:
        for scenario, key in (("RMa", "RMa"), ("UMi", "UMi"), ("UMa", "UMa_hUT1p5")):
            ours = terrestrial.los_probability(CELLS[scenario], row["d2D_m"])
            assert float(ours) == pytest.approx(row[key], abs=1e-6)


def test_shadowing():
    expected = REFERENCE["shadow_sigma_dB"]
    far_m = float(terrestrial.break_point_m(CELLS["RMa"], 2e9)) * 1.01
    los = np.array([True, True, False])
    rural = terrestrial.shadow_sigma_db(CELLS["RMa"], np.array([100.0, far_m, 100.0]), 2e9, los)
    assert rural.tolist() == list(expected["RMa"].values())
    for scenario in ("UMa", "UMi"):
        sigma = terrestrial.shadow_sigma_db(CELLS[scenario], np.array([100.0, 4000.0, 100.0]), 2e9, los)
        assert sigma.tolist() == [expected[scenario]["LOS"]] * 2 + [expected[scenario]["NLOS"]]


def test_path_loss_is_continuous_at_the_break_point_and_flat_below_ten_metres():
    for cell in CELLS.values():
        edge = float(terrestrial.break_point_m(cell, 2e9))
        around = terrestrial.path_loss_db(cell, np.array([edge * (1 - 1e-6), edge * (1 + 1e-6)]), 2e9, True)
        assert around[0] == pytest.approx(around[1], abs=1e-4)
        near = terrestrial.path_loss_db(cell, np.array([0.0, 9.0, 10.0]), 2e9, True)
        assert near[0] == near[1] == near[2]


def test_types_and_torch():
    distance = np.linspace(20, 3000, 7, dtype=np.float32)
    los = distance < 700
    for cell in CELLS.values():
        ours = terrestrial.path_loss_db(cell, distance, 2e9, los)
        assert ours.dtype == np.float32
        theirs = terrestrial.path_loss_db(cell, torch.from_numpy(distance), 2e9, torch.from_numpy(los))
        np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"scenario": "InH"}, "scenario"),
        ({"scenario": "UMa", "user_height_m": 50.0}, "user_height_m"),
        ({"scenario": "UMi", "station_height_m": 30.0}, "station_height_m"),
        ({"scenario": "RMa", "street_width_m": 1.0}, "street_width_m"),
    ],
)
def test_wrong_cells_are_refused(arguments, field):
    with pytest.raises(ValueError, match=rf"TerrestrialCell\.{field}"):
        terrestrial.TerrestrialCell(**arguments)
