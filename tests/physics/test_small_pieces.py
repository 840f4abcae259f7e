"""Short functions against numbers written out: refusals, sample times, parameter sets."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ntn_gym.physics.intervals import sample_times_s
from ntn_gym.physics.los_models import sigmoid_parameters
from ntn_gym.physics.validity import refuse_negative, refuse_non_positive

AL_HOURANI = json.loads((Path(__file__).parents[1] / "reference" / "fading_fso.json").read_text())["al_hourani"][
    "params"
]


@pytest.mark.parametrize("library", [np.asarray, torch.as_tensor])
def test_the_first_check_of_hot_paths(library) -> None:
    refuse_non_positive("range_m", library([1e-30, 5.0, math.nan]), "m")  # NaN stands for an absent node
    refuse_non_positive("range_m", 2.0, "m")
    with pytest.raises(ValueError, match=r"^range_m: got -3 m; must be above 0 m$"):
        refuse_non_positive("range_m", library([1.0, -3.0, 0.0]), "m")
    with pytest.raises(ValueError, match=r"^range_m: got 0 m"):
        refuse_non_positive("range_m", 0, "m")


@pytest.mark.parametrize("library", [np.asarray, torch.as_tensor])
def test_the_check_that_lets_zero_pass(library) -> None:
    refuse_negative("range_m", library([0.0, 5.0, math.nan]), "m")
    refuse_negative("elev_rad", library([-1e-7]), "rad", tolerance=1e-6)
    with pytest.raises(ValueError, match=r"^range_m: got -3 m; must be at least 0 m$"):
        refuse_negative("range_m", library([1.0, -3.0, -1.0]), "m")


def test_sample_times_by_hand() -> None:
    assert sample_times_s(0.0, 10.0, 4.0) == pytest.approx([0.0, 10 / 3, 20 / 3, 10.0])
    assert sample_times_s(5.0, 6.0, 60.0) == pytest.approx([5.0, 6.0])
    assert len(sample_times_s(0.0, 600.0, 60.0)) == 11


@pytest.mark.parametrize("environment", AL_HOURANI)
def test_sigmoid_parameters_of_the_reference(environment) -> None:
    ours, expected = sigmoid_parameters(environment), AL_HOURANI[environment]
    assert (ours.a, ours.b_per_deg) == (expected["a"], expected["b"])
    assert (ours.excess_loss_los_db, ours.excess_loss_nlos_db) == (expected["eta_los"], expected["eta_nlos"])
