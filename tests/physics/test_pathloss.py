"""Free space and the TR 38.811 tables against a separate transcription; Al-Hourani's sigmoid."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ntn_gym.physics import los_models, pathloss

REFERENCE = Path(__file__).parents[1] / "reference"
TR38811 = json.loads((REFERENCE / "3gpp_38811.json").read_text())
AL_HOURANI = json.loads((REFERENCE / "fading_fso.json").read_text())["al_hourani"]
GRID_DEG = TR38811["elevation_deg"]
NAMES = {
    "dense_urban": "dense_urban",
    "urban": "urban",
    "suburban": "suburban_rural",
    "rural": "suburban_rural",
}


def test_free_space_loss_of_the_reference_slant_paths():
    for row in TR38811["slant_range_fspl_points"]["rows"]:
        ours = pathloss.free_space_path_loss_db(row["slant_km"] * 1e3, row["f_GHz"] * 1e9)
        assert float(ours) == pytest.approx(row["fspl_dB"], abs=1e-3)


def test_free_space_loss_is_four_pi_d_over_lambda_squared():
    exact = 20 * math.log10(4 * math.pi * 600e3 * 2e9 / 299792458)
    assert float(pathloss.free_space_path_loss_db(600e3, 2e9)) == pytest.approx(exact, abs=0.0025)


def test_free_space_loss_broadcasts_and_keeps_the_type():
    ranges = np.full((3, 1), 1e6, np.float32)
    loss = pathloss.free_space_path_loss_db(ranges, np.array([2e9, 20e9], np.float32))
    assert loss.shape == (3, 2)
    assert loss.dtype == np.float32
    np.testing.assert_allclose(loss[:, 1] - loss[:, 0], 20, atol=1e-4)


@pytest.mark.parametrize("mode", ["linear", "nearest"])
@pytest.mark.parametrize("environment", NAMES)
def test_tables_at_the_reference_angles(environment, mode):
    elev = np.radians(GRID_DEG)
    column = TR38811["shadow_fading_clutter_loss"][NAMES[environment]]
    expected = TR38811["los_probability"][NAMES[environment]]
    np.testing.assert_allclose(pathloss.los_probability(elev, environment, mode), expected, rtol=1e-12)
    for band in ("S", "Ka"):
        for los, state in ((True, "LOS"), (False, "NLOS")):
            sigma = pathloss.shadow_sigma_db(elev, environment, band, los, mode)
            np.testing.assert_allclose(sigma, column[f"{band}_band_{state}_sigma_SF"], rtol=1e-12)
        clutter = pathloss.clutter_loss_db(elev, environment, band, False, mode)
        np.testing.assert_allclose(clutter, column[f"{band}_band_NLOS_CL"], rtol=1e-12)
        assert not pathloss.clutter_loss_db(elev, environment, band, True, mode).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nearest_takes_the_nearer_angle_and_rounds_ties_up(dtype):
    degrees = [14.99, 15, 15.01, 24.9, 25, 35, 45, 55, 65, 75, 84.99, 85]
    expected = [0.246, 0.386, 0.386, 0.386, 0.493, 0.613, 0.726, 0.805, 0.919, 0.968, 0.968, 0.992]
    ours = pathloss.los_probability(np.radians(np.array(degrees, dtype)), "urban", "nearest")
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


def test_linear_lookup_interpolates():
    ours = pathloss.los_probability(np.radians([15.0, 32.5, 87.0]), "dense_urban")
    np.testing.assert_allclose(ours, [(0.282 + 0.331) / 2, 0.398 + 0.25 * 0.07, 0.82 + 0.7 * 0.161], rtol=1e-12)


@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_elevations_outside_the_table_are_clamped(mode):
    ours = pathloss.los_probability(np.radians([-5.0, 0.0, 9.0, 90.0, 91.0]), "rural", mode)
    np.testing.assert_allclose(ours, [0.782, 0.782, 0.782, 0.998, 0.998], rtol=1e-12)


def test_los_selects_link_by_link():
    elev = np.radians([30.0, 30.0])
    los = np.array([True, False])
    np.testing.assert_allclose(pathloss.shadow_sigma_db(elev, "dense_urban", "S", los), [2.9, 12.4])
    np.testing.assert_allclose(pathloss.clutter_loss_db(elev, "dense_urban", "S", los), [0, 29.0])


def test_torch_gives_the_same_numbers():
    degrees = np.linspace(0, 90, 37)
    los = degrees > 40
    for mode in ("linear", "nearest"):
        ours = pathloss.shadow_sigma_db(np.radians(degrees), "rural", "Ka", los, mode)
        theirs = pathloss.shadow_sigma_db(
            torch.from_numpy(np.radians(degrees)), "rural", "Ka", torch.from_numpy(los), mode
        )
        assert isinstance(theirs, torch.Tensor)
        np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-12)


def test_the_table_is_immutable_and_loaded_once():
    table = pathloss.large_scale_table("urban", "Ka")
    assert table is pathloss.large_scale_table("urban", "Ka")
    with pytest.raises(ValueError, match="read-only"):
        table.clutter_loss_db[0] = 0


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: pathloss.los_probability(0.5, "forest"), "environment"),
        (lambda: pathloss.los_probability(0.5, "urban", "cubic"), "mode"),
        (lambda: pathloss.large_scale_table("urban", "C"), "band"),
        (lambda: pathloss.band_of(2.0), "freq_hz"),
        (lambda: los_models.sigmoid_parameters("rural"), "environment"),
    ],
)
def test_wrong_names_are_refused_with_the_allowed_ones(call, field):
    with pytest.raises(ValueError, match=field):
        call()


def test_bands():
    assert [pathloss.band_of(f) for f in (2e9, 5.99e9, 6e9, 20e9, 30e9)] == ["S", "S", "Ka", "Ka", "Ka"]


def test_al_hourani_probabilities():
    for row in AL_HOURANI["rows"]:
        ours = los_models.sigmoid_los_probability(math.radians(row["el_deg"]), row["env"])
        assert float(ours) == pytest.approx(row["p_los"], abs=1e-7)


def test_al_hourani_excess_loss():
    # Urban, 45 deg: P = 0.96769190, so 1 dB x P + 20 dB x (1 - P).
    expected = 0.9676919 * 1 + (1 - 0.9676919) * 20
    assert float(los_models.mean_excess_loss_db(math.radians(45), "urban")) == pytest.approx(expected, abs=1e-6)
