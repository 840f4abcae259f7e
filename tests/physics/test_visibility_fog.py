"""Fog on light: reference values of Kim and Kruse, and what both models promise."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.physics import visibility_fog as fog

ROWS = json.loads((Path(__file__).parents[1] / "reference" / "fading_fso.json").read_text())["fso"]["kim_kruse"]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_reference_values(row):
    # The reference multiplies by 4.343 and 3.912 (rounded: 7e-6) and prints five decimals.
    args = (row["V_km"] * 1e3, row["wavelength_um"] * 1e-6)
    assert float(fog.kim_attenuation_db_km(*args)) == pytest.approx(row["kim_dB_km"], rel=1e-5, abs=5e-6)
    assert float(fog.kruse_attenuation_db_km(*args)) == pytest.approx(row["kruse_dB_km"], rel=1e-5, abs=5e-6)


def test_definition_of_visibility():
    # At 550 nm, whatever the model, 2 % of the light is left after the visibility: 16.99 dB.
    for visibility_m in (100.0, 800.0, 3e3, 20e3, 80e3):
        for model in (fog.kim_attenuation_db_km, fog.kruse_attenuation_db_km):
            assert float(model(visibility_m, 0.55e-6)) * visibility_m / 1e3 == pytest.approx(16.9897, abs=1e-4)


def test_dense_fog_does_not_care_for_the_wavelength():
    assert float(fog.kim_attenuation_db_km(300.0, 0.785e-6)) == pytest.approx(
        float(fog.kim_attenuation_db_km(300.0, 1.55e-6)), rel=1e-12
    )
    assert fog.kruse_attenuation_db_km(300.0, 0.785e-6) > fog.kruse_attenuation_db_km(300.0, 1.55e-6)


@given(st.floats(10.0, 9e4), st.floats(1.001, 10.0), st.floats(0.56e-6, 2.4e-6))
@settings(deadline=None)
def test_clearer_air_attenuates_less(visibility_m, factor, wavelength_m):
    for model in (fog.kim_attenuation_db_km, fog.kruse_attenuation_db_km):
        assert 0 < float(model(visibility_m * factor, wavelength_m)) < float(model(visibility_m, wavelength_m))


def test_torch_gives_the_same_numbers():
    visibility_m = np.geomspace(50.0, 1e5, 23)
    for model in (fog.kim_attenuation_db_km, fog.kruse_attenuation_db_km):
        theirs = model(torch.from_numpy(visibility_m), 1.55e-6)
        np.testing.assert_allclose(theirs.numpy(), model(visibility_m, 1.55e-6), rtol=1e-12)


@pytest.mark.parametrize(("args", "field"), [((1.0, 1e-6), "visibility_m"), ((1e3, 10.6e-6), "wavelength_m")])
def test_outside_the_models(args, field):
    with pytest.raises(ValueError, match=field):
        fog.kim_attenuation_db_km(*args)
