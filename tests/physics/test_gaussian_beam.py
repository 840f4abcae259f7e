"""Gaussian beams against integrals of the field's intensity, antenna gains and the diffraction integral."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from ntn_gym.physics import gaussian_beam as beam
from ntn_gym.physics import link, optical_link, validity


@pytest.mark.parametrize("aperture_m", [0.01, 0.3, 2.0])
def test_collected_fraction_is_the_integral_of_the_intensity(aperture_m):
    w = 0.7
    power, _ = integrate.quad(
        lambda r: 2 / (math.pi * w**2) * math.exp(-2 * r**2 / w**2) * 2 * math.pi * r, 0, aperture_m, epsabs=1e-14
    )
    assert float(beam.collected_fraction(w, aperture_m)) == pytest.approx(power, rel=1e-9)


def test_beam_width_follows_from_the_fresnel_diffraction_integral():
    # |u(r, z)| of a Gaussian source by quadrature of the Fresnel (Hankel) integral, compared at its 1/e^2 radius.
    wavelength, waist, distance = 1.55e-6, 0.02, 1500.0
    k = 2 * math.pi / wavelength

    def amplitude(r):
        def part(trig):
            return integrate.quad(
                lambda s: (
                    s
                    * math.exp(-((s / waist) ** 2))
                    * trig(k * s * s / (2 * distance))
                    * special.j0(k * r * s / distance)
                ),
                0,
                8 * waist,
                limit=400,
            )[0]

        return math.hypot(part(math.cos), part(math.sin))

    radius = float(beam.beam_radius_m(distance, waist, wavelength))
    assert (amplitude(radius) / amplitude(0.0)) ** 2 == pytest.approx(math.exp(-2), rel=1e-6)


def test_divergence_and_waist():
    # A HeNe laser, 633 nm, waist 0.5 mm: 0.403 mrad and a Rayleigh range of 1.24 m.
    assert float(beam.divergence_half_angle_rad(0.5e-3, 633e-9)) == pytest.approx(0.403e-3, rel=1e-3)
    assert float(beam.rayleigh_range_m(0.5e-3, 633e-9)) == pytest.approx(1.2407, rel=1e-4)
    assert float(beam.waist_of_divergence_m(0.403e-3, 633e-9)) == pytest.approx(0.5e-3, rel=1e-3)
    assert float(beam.beam_radius_m(1.2407, 0.5e-3, 633e-9)) == pytest.approx(0.5e-3 * math.sqrt(2), rel=1e-4)


def test_far_field_loss_is_that_of_the_antenna_gains():
    # Small aperture: G_t = 8 / theta^2, G_r = (pi D / lambda)^2, free space (lambda / 4 pi R)^2, all dB by hand.
    wavelength, theta, diameter, distance = 1550e-9, 15e-6, 0.1, 5e6
    gains_db = 10 * math.log10(8 / theta**2) + 20 * math.log10(math.pi * diameter / wavelength)
    by_gains = 20 * math.log10(4 * math.pi * distance / wavelength) - gains_db
    waist = beam.waist_of_divergence_m(theta, wavelength)
    radius = beam.beam_radius_m(distance, waist, wavelength)
    assert float(beam.geometric_loss_db(radius, diameter / 2)) == pytest.approx(by_gains, abs=1e-4)


def test_turbulence_widens_the_beam():
    vacuum = float(beam.beam_radius_m(2000.0, 0.02, 1.55e-6))
    assert float(beam.turbulent_beam_radius_m(2000.0, 0.02, 1.55e-6, 0.0)) == pytest.approx(vacuum, rel=1e-12)
    # By hand: Lambda = 2 L / (k w^2).
    size = 2 * 2000.0 / (2 * math.pi / 1.55e-6 * vacuum**2)
    expected = vacuum * math.sqrt(1 + 1.33 * 0.5 * size ** (5 / 6))
    assert float(beam.turbulent_beam_radius_m(2000.0, 0.02, 1.55e-6, 0.5)) == pytest.approx(expected, rel=1e-12)


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.floats(1.0, 5.0))
@settings(deadline=None)
def test_fraction_is_a_probability_and_grows_with_the_aperture(radius, aperture, factor):
    fraction = float(beam.collected_fraction(radius, aperture))
    assert 0.0 < fraction <= 1.0
    assert float(beam.collected_fraction(radius, aperture * factor)) >= fraction
    assert float(beam.geometric_loss_db(radius, aperture)) >= 0.0


def test_torch_gives_the_same_numbers():
    ranges = np.linspace(1e3, 2e6, 7)
    ours = beam.geometric_loss_db(beam.beam_radius_m(ranges, 0.03, 1.55e-6), 0.05)
    theirs = beam.geometric_loss_db(beam.beam_radius_m(torch.from_numpy(ranges), 0.03, 1.55e-6), 0.05)
    np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-12)


LEO_DOWNLINK = optical_link.OpticalLinkBudget(
    wavelength_m=1550e-9,
    range_m=1000e3,
    transmit_power_w=1.0,
    divergence_half_angle_rad=20e-6,
    aperture_diameter_m=0.4,
    photons_per_bit=200.0,
    max_rate_bit_s=8e9,
    transmit_optics_loss_db=1.5,
    receive_optics_loss_db=2.0,
    pointing_loss_db=1.0,
    atmospheric_loss_db=1.0,
    scintillation_loss_db=2.0,
    margin_db=3.0,
)


def test_optical_downlink_by_hand():
    # 30 dBm; beam 20 m wide at 1000 km: 2 (0.2 / 20)^2 = 2e-4, 36.99 dB; other losses 10.5 dB: -17.49 dBm.
    assert LEO_DOWNLINK.beam_radius_at_receiver_m == pytest.approx(20.0, rel=1e-5)
    assert LEO_DOWNLINK.geometric_loss_db == pytest.approx(36.990, abs=1e-3)
    assert LEO_DOWNLINK.received_power_dbm == pytest.approx(-17.490, abs=1e-3)
    # 17.82 uW over 200 photons of 0.8 eV (1.2816e-19 J): 695 Gbit/s; the modem stops at 8.
    assert LEO_DOWNLINK.supported_rate_bit_s == pytest.approx(17.82e-6 / (200 * 1.2816e-19), rel=1e-3)
    assert LEO_DOWNLINK.rate_bit_s == 8e9


def test_photon_energy():
    # h c = 1.23984198 eV um and 1 eV = 1.602176634e-19 J (SI).
    assert float(optical_link.photon_energy_j(1.55e-6)) == pytest.approx(1.23984198 / 1.55 * 1.602176634e-19, rel=1e-8)


def test_lines_add_up():
    lines = {name: value for name, value, _ in LEO_DOWNLINK.lines()}
    losses = sum(value for name, value in lines.items() if "loss" in name) + lines["margin"]
    assert lines["received power"] == pytest.approx(lines["transmit power"] - losses, abs=1e-9)
    assert link.to_db(lines["supported rate"]) > link.to_db(lines["rate"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("range_m", 0.0),
        ("wavelength_m", math.nan),
        ("pointing_loss_db", -1.0),
        ("divergence_half_angle_rad", 0.5),
        ("photons_per_bit", math.inf),
    ],
)
def test_wrong_budgets_are_refused(field, value):
    good = {name: getattr(LEO_DOWNLINK, name) for name in LEO_DOWNLINK.__dataclass_fields__}
    with pytest.raises(ValueError, match=rf"OpticalLinkBudget\.{field}"):
        optical_link.OpticalLinkBudget(**(good | {field: value}))


def test_ranges_are_refused_with_the_value_and_the_limits():
    validity.require_range("x_m", np.array([1.0, 2.0]), 1.0, 2.0, "m")
    with pytest.raises(ValueError, match=r"x_m: got 3 m; must be 1 to 2 m \(because\)"):
        validity.require_range("x_m", np.array([[1.0, 3.0], [5.0, 1.0]]), 1.0, 2.0, "m", "because")
    with pytest.raises(ValueError, match=r"x: got nan; must be at least 0"):
        validity.require_range("x", torch.tensor([0.0, math.nan]), 0.0, math.inf, "")
