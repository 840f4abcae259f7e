"""Jakes' correlation against zeros of the Bessel function and sums of waves; autoregressions against both."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import j0

from ntn_gym.physics import fading_correlation as correlation


def test_jakes_correlation():
    # J_0 has its first zero at 2.404826 and J_0(1) = 0.7651976866.
    unit = 299792458.0 / (2 * math.pi * 2e9)
    assert correlation.jakes_correlation(unit, 2e9, 1.0) == pytest.approx(0.7651976866, abs=1e-9)
    assert correlation.jakes_correlation(unit, 2e9, 2.404825557695773) == pytest.approx(0, abs=1e-12)
    # A sum of sinusoids with uniform arrival angles has this correlation.
    angle = np.random.default_rng(11).uniform(0, 2 * math.pi, 400000)
    measured = np.cos(2 * math.pi * 30 * 2e9 / 299792458.0 * 1e-3 * np.cos(angle)).mean()
    assert correlation.jakes_correlation(30.0, 2e9, 1e-3) == pytest.approx(measured, abs=0.005)


@pytest.mark.parametrize("doppler_per_step", [0.01, 0.05, 0.2, 0.45])
@pytest.mark.parametrize("order", [1, 10, 50])
def test_autoregression_has_the_bessel_correlation(doppler_per_step, order):
    model = correlation.jakes_autoregression(doppler_per_step, order)
    bessel = j0(2 * math.pi * doppler_per_step * np.arange(2 * order + 1))
    # The correlation that the coefficients themselves imply: poles of the transfer function, not the recursion.
    radius = np.abs(np.roots(np.concatenate(([1.0], -model.coefficients)))).max()  # of the outermost pole
    assert radius < 1  # a stationary process
    spectrum_at = np.exp(2j * math.pi * np.arange(1 << 18) / (1 << 18))
    transfer = np.polyval(np.concatenate(([1.0], -model.coefficients)), spectrum_at)
    implied = np.fft.ifft(np.square(model.innovation_std / np.abs(transfer))).real
    if radius < 0.9999:  # the sampled spectrum resolves the peaks
        np.testing.assert_allclose(implied[: order + 1], bessel[: order + 1], atol=2e-6)
    ours = correlation.autoregression_correlation(model, 2 * order + 1)
    np.testing.assert_allclose(ours[: order + 1], bessel[: order + 1], atol=2e-7)


def test_departure_from_the_bessel_function_is_as_stated():
    bessel = j0(2 * math.pi * 0.01 * np.arange(101))
    slow = correlation.autoregression_correlation(correlation.jakes_autoregression(0.01, 50), 101)
    assert np.abs(slow - bessel).max() < 0.002
    for doppler_per_step in np.linspace(0.01, 0.49, 25):
        model = correlation.jakes_autoregression(doppler_per_step, 50)
        bessel = j0(2 * math.pi * doppler_per_step * np.arange(101))
        assert np.abs(correlation.autoregression_correlation(model, 101) - bessel).max() < 0.105


def test_samples_of_the_autoregression():
    model = correlation.jakes_autoregression(0.05, 20)
    gains = correlation.sample_autoregression(np.random.default_rng(3), 40, 200_000, model)
    assert gains.shape == (40, 200_000)
    # Stationary from the first to the last step, with Jakes' correlation between them.
    for step in (0, 19, 20, 39):
        assert stats.kstest(np.abs(gains[step]) ** 2, "expon").pvalue > 0.01
    for first, last in ((0, 5), (10, 25), (25, 39)):
        measured = (gains[last] * gains[first].conj()).mean()
        assert abs(measured - j0(2 * math.pi * 0.05 * (last - first))) < 0.01


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: correlation.jakes_autoregression(0.5, 10), "doppler_per_step"),
        (lambda: correlation.jakes_autoregression(0.1, 0), "order"),
        (lambda: correlation.jakes_autoregression(0.1, 5, 1.0), "loading"),
        (
            lambda: correlation.sample_autoregression(
                np.random.default_rng(0), 4, 1, correlation.jakes_autoregression(0.1, 5)
            ),
            "n_steps",
        ),
    ],
)
def test_wrong_arguments_are_refused(call, field):
    with pytest.raises(ValueError, match=field):
        call()
