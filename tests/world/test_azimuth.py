"""Fields over azimuth: the written series, whichever way it is added up."""

import math

import numpy as np
import pytest

from ntn_gym.world.azimuth import AzimuthField

FIELD = AzimuthField(np.sqrt(np.array([0.1, 0.3, 0.2, 0.25, 0.15])))


def series(coefficients, azimuth):
    """The definition, term by term, in double precision."""
    total = 0.0
    for m, weight in enumerate(FIELD.weight):
        a, b = coefficients[..., 2 * m].astype(float), coefficients[..., 2 * m + 1].astype(float)
        total = total + weight * (a * np.cos(m * azimuth) + b * np.sin(m * azimuth))
    return total


@pytest.mark.parametrize("n_users", [1, 3, 4, 9])  # up to 3 users: a recurrence; more: a matrix product
def test_evaluate_is_the_series(n_users):
    rng = np.random.default_rng(n_users)
    coefficients = rng.standard_normal((2, 6, n_users, FIELD.n_coefficients)).astype(np.float32)
    azimuth = rng.uniform(-math.pi, 2 * math.pi, (2, 6, 5))
    azimuth[0, 0, :2] = 0.0, math.pi
    expected = series(coefficients[:, :, :, None], azimuth[:, :, None])
    ours = FIELD.evaluate(coefficients, azimuth)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    own = FIELD.evaluate(coefficients, np.repeat(azimuth[:, :, None], n_users, axis=2))
    np.testing.assert_allclose(own, expected, atol=1e-5)


def test_many_harmonics_keep_their_precision():
    field = AzimuthField(np.full(60, math.sqrt(1 / 60)))
    coefficients = np.random.default_rng(0).standard_normal((1, 1, 1, 120)).astype(np.float32)
    azimuth = np.concatenate(
        [np.linspace(-4, 4, 500), np.geomspace(1e-6, 0.1, 50), math.pi + np.geomspace(1e-6, 0.1, 50)]
    )
    order = np.arange(60)
    pairs = coefficients[0, 0, 0].astype(float).reshape(60, 2)
    expected = (
        np.cos(np.outer(azimuth, order)) @ pairs[:, 0] + np.sin(np.outer(azimuth, order)) @ pairs[:, 1]
    ) / math.sqrt(60)
    # float32 azimuths alone move harmonic 59 by 59 x 2e-7 rad.
    np.testing.assert_allclose(value_of(field, coefficients, azimuth), expected, atol=3e-4)


def value_of(field, coefficients, azimuth):
    return field.evaluate(coefficients, azimuth[None, None])[0, 0, 0]


def test_arguments_are_not_changed():
    coefficients = np.ones((1, 1, 1, FIELD.n_coefficients), np.float32)
    azimuth = np.full((1, 1, 2), 0.3, np.float32)
    FIELD.evaluate(coefficients, azimuth)
    assert (coefficients == 1).all()
    assert (azimuth == np.float32(0.3)).all()


def test_correlation_is_that_of_the_samples():
    coefficients = np.random.default_rng(2).standard_normal((1, 1, 100_000, FIELD.n_coefficients)).astype(np.float32)
    azimuth = np.radians([0.0, 7.0, 40.0, 180.0])
    g = FIELD.evaluate(coefficients, azimuth[None, None])[0, 0].astype(float)
    expected = FIELD.correlation(azimuth[:, None] - azimuth)
    assert expected[0, 0] == pytest.approx(1)
    assert expected[0, 3] == pytest.approx(0.1 - 0.3 + 0.2 - 0.25 + 0.15)
    np.testing.assert_allclose(np.cov(g.T), expected, atol=4.5 * math.sqrt(2 / 100_000))
