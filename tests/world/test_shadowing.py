"""Shadowing: TR 38.811 marginals, correlation over angle and way."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from ntn_gym.physics.pathloss import large_scale_table
from ntn_gym.world import shadowing
from ntn_gym.world.joint import JointProcesses, Process

TABLES = json.loads((Path(__file__).parents[1] / "reference" / "3gpp_38811.json").read_text())
N = 40_000


def fields(n_users, correlation_angle_deg=8.0, seed=0):
    """Independent fields [1, 1, U, coefficients] and the description of their azimuth dependence."""
    field = shadowing.azimuth_field(math.radians(correlation_angle_deg))
    joint = JointProcesses({"shadowing": Process((n_users, field.n_coefficients), 1.0)}, 1.0)
    state = joint.start({"shadowing": [np.random.Generator(np.random.SFC64(seed))]})
    return field, state.value.reshape(1, 1, n_users, -1)


def test_unit_variance_everywhere():
    field, coefficients = fields(N)
    azimuth = np.radians([0.0, 3.0, 90.0, 181.0, 300.0])
    values = field.evaluate(coefficients, azimuth[None, None])[0, 0].astype(float)
    assert np.abs(values.mean(axis=0)).max() < 4.5 / math.sqrt(N)
    assert np.abs(values.var(axis=0) - 1).max() < 4.5 * math.sqrt(2 / N)
    # Gaussian: the fourth moment of a standard normal is 3, with variance 96 / N.
    assert np.abs((values**4).mean(axis=0) - 3).max() < 4.5 * math.sqrt(96 / N)


@pytest.mark.parametrize("angle_deg", [3.0, 8.0, 30.0])
def test_correlation_over_angle_is_gaussian(angle_deg):
    field, coefficients = fields(N, angle_deg, seed=1)
    separation = np.array([0.0, 0.5, 1.0, 2.0, 3.0]) * angle_deg
    values = field.evaluate(coefficients, np.radians(40.0 + separation)[None, None])[0, 0].astype(float)
    measured = (values[:, :1] * values).mean(axis=0)
    gaussian = np.exp(-((separation / angle_deg) ** 2) / 2)
    # 0.5 % of the power is cut off, which may move the correlation by 0.01.
    np.testing.assert_allclose(field.correlation(np.radians(separation)), gaussian, atol=0.011)
    np.testing.assert_allclose(measured, gaussian, atol=0.011 + 4.5 * math.sqrt(2 / N))


@pytest.mark.parametrize("angle_deg", [1.9, 181.0, math.nan])
def test_a_wrong_angle_is_refused(angle_deg):
    with pytest.raises(ValueError, match="correlation angle"):
        shadowing.azimuth_field(math.radians(angle_deg))


def test_correlation_over_distance_is_exponential():
    # 15 m/s and 37 m: rho = exp(-d / 37 m) after 1 and 5 s.
    field = shadowing.azimuth_field(math.radians(8.0))
    joint = JointProcesses({"shadowing": Process((N, field.n_coefficients), 15.0 / 37.0)}, 1.0)
    state = joint.start({"shadowing": [np.random.Generator(np.random.SFC64(2))]})
    _, samples = joint.advance(state, 6)
    values = field.evaluate(samples["shadowing"], np.full((1, 6, 1), 0.4))[0, ..., 0].astype(float)
    for lag in (1, 5):
        expected = math.exp(-15.0 * lag / 37.0)
        assert (values[0] * values[lag]).mean() == pytest.approx(expected, abs=4.5 * math.sqrt(2 / N))


@pytest.mark.parametrize("band", ["S", "Ka"])
@pytest.mark.parametrize("environment", ["dense_urban", "urban", "suburban", "rural"])
def test_marginals_are_those_of_the_document(environment, band):
    """Mean and standard deviation at the reference angles, by LoS state, against the transcribed tables."""
    name = "suburban_rural" if environment in ("suburban", "rural") else environment
    expected = TABLES["shadow_fading_clutter_loss"][name]
    table = shadowing.shadow_table(large_scale_table(environment, band))
    unit = np.random.default_rng(3).standard_normal((N, 1)).astype(np.float32)
    elev_rad = np.radians(np.arange(10, 91, 10), dtype=np.float32)
    los = np.array([[False], [True]])[:, None]
    loss = shadowing.excess_loss_db(unit[None], los | np.zeros((2, N, 9), bool), elev_rad, table)
    sigma_los, sigma_nlos, clutter = (
        np.array(expected[f"{band}_band_{kind}"]) for kind in ("LOS_sigma_SF", "NLOS_sigma_SF", "NLOS_CL")
    )
    deviation = unit.std()
    # A cell is 0.1 deg wide, and its value is that of its middle: within 0.5 % of a table step.
    np.testing.assert_allclose(loss[1].std(axis=0), sigma_los * deviation, atol=0.02)
    np.testing.assert_allclose(loss[0].std(axis=0), sigma_nlos * deviation, atol=0.02)
    np.testing.assert_allclose(loss[1].mean(axis=0), 0.0, atol=4.5 * sigma_los.max() / math.sqrt(N))
    np.testing.assert_allclose(loss[0].mean(axis=0), clutter, atol=4.5 * sigma_nlos.max() / math.sqrt(N) + 0.05)


def test_between_and_beyond_the_reference_angles():
    table = shadowing.shadow_table(large_scale_table("urban", "S"))
    rows = TABLES["shadow_fading_clutter_loss"]["urban"]
    degrees = np.array([-5.0, 0.0, 10.0, 35.0, 44.4, 90.0, 90.001], np.float32)
    ours = shadowing.excess_loss_db(np.zeros(7, np.float32), np.zeros(7, bool), np.radians(degrees), table)
    expected = np.interp(degrees, range(10, 91, 10), rows["S_band_NLOS_CL"])
    np.testing.assert_allclose(ours, expected, atol=0.02)
    assert (shadowing.excess_loss_db(np.zeros(7, np.float32), np.ones(7, bool), np.radians(degrees), table) == 0).all()


def test_two_beams_of_one_satellite_share_their_shadowing():
    field, coefficients = fields(5)
    values = field.evaluate(coefficients, np.array([[[0.7, 0.7, 0.9]]]))[0, 0]
    assert np.array_equal(values[:, 0], values[:, 1])
    assert not np.array_equal(values[:, 0], values[:, 2])
