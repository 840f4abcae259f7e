"""Optical turbulence: reference values, adaptive quadrature, self checks of HV5/7, aperture averaging theory."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from ntn_gym.physics import aperture_averaging, turbulence

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "fading_fso.json").read_text())["fso"]


def cn2(h, wind=21.0, ground=1.7e-14):
    """The profile written a second time, for the integrals below."""
    return (
        5.94e-53 * (wind / 27) ** 2 * h**10 * math.exp(-h / 1000)
        + 2.7e-16 * math.exp(-h / 1500)
        + ground * math.exp(-h / 100)
    )


def integral(weight, low, high):
    points = [p for p in (low + 100, low + 1000, low + 5000, 10000, 20000) if low < p < high]
    return integrate.quad(lambda h: cn2(h) * weight(h), low, high, points=points, epsabs=0, epsrel=1e-12, limit=400)[0]


def test_profile():
    # At the ground A + 2.7e-16; at 10 km, by hand, 1.63e-17.
    assert turbulence.hufnagel_valley_cn2(0.0) == pytest.approx(1.727e-14, rel=1e-12)
    assert turbulence.hufnagel_valley_cn2(10e3) == pytest.approx(cn2(10e3), rel=1e-12)
    assert turbulence.hufnagel_valley_cn2(10e3) == pytest.approx(
        0.00594 * 0.6049383 * 1e-10 * 4.539993e-5 + 2.7e-16 * 1.272634e-3, rel=1e-5
    )


def test_hv57_is_named_after_its_coherence():
    expected = REFERENCE["hv57"]
    assert turbulence.fried_parameter_m(0.5e-6) * 100 == pytest.approx(expected["r0_cm"], abs=1e-4)
    assert turbulence.isoplanatic_angle_rad(0.5e-6) * 1e6 == pytest.approx(expected["theta0_urad"], abs=5e-4)
    assert turbulence.fried_parameter_m(0.5e-6) == pytest.approx(0.05, rel=0.02)
    assert turbulence.isoplanatic_angle_rad(0.5e-6) == pytest.approx(7e-6, rel=0.02)


@pytest.mark.parametrize("row", REFERENCE["rytov"], ids=str)
def test_downlink_rytov_variance(row):
    ours = turbulence.downlink_rytov_variance(
        row["wavelength_um"] * 1e-6, math.radians(row["zenith_deg"]), 0.0, row["H_m"]
    )
    assert ours == pytest.approx(row["downlink_rytov_variance"], rel=1e-6)


@pytest.mark.parametrize(("low", "high"), [(0.0, 20e3), (0.0, 550e3), (2400.0, 20e3), (18e3, 20e3)])
def test_integrals_agree_with_adaptive_quadrature(low, high):
    wavelength, zenith = 1.064e-6, math.radians(50)
    k, sec = 2 * math.pi / wavelength, 1 / math.cos(zenith)
    top = min(high, low + 60e3)
    r0 = (0.423 * k**2 * sec * integral(lambda h: 1.0, low, top)) ** -0.6
    angle = (2.914 * k**2 * sec ** (8 / 3) * integral(lambda h: (h - low) ** (5 / 3), low, top)) ** -0.6
    down = 2.25 * k ** (7 / 6) * sec ** (11 / 6) * integral(lambda h: (h - low) ** (5 / 6), low, top)
    span = high - low
    up = (
        2.25
        * k ** (7 / 6)
        * sec ** (11 / 6)
        * integral(lambda h: ((h - low) * (1 - (h - low) / span)) ** (5 / 6), low, top)
    )
    args = (wavelength, zenith, low, high)
    assert turbulence.fried_parameter_m(*args) == pytest.approx(r0, rel=1e-7)
    assert turbulence.isoplanatic_angle_rad(*args) == pytest.approx(angle, rel=1e-7)
    assert turbulence.downlink_rytov_variance(*args) == pytest.approx(down, rel=1e-7)
    assert turbulence.uplink_rytov_variance(*args) == pytest.approx(up, rel=1e-7)


def test_level_paths_are_the_slant_integral_of_a_constant_profile():
    # 2.25 * 6/11 = 1.227 (plane) and 2.25 B(11/6, 11/6) = 0.496 (spherical); rounded: 1.23 and 0.4 of it.
    k = 2 * math.pi / 1.55e-6
    unit = 1e-15 * k ** (7 / 6) * 2000 ** (11 / 6)
    plane = turbulence.horizontal_rytov_variance(1.55e-6, 2000.0, 1e-15)
    spherical = turbulence.horizontal_rytov_variance(1.55e-6, 2000.0, 1e-15, spherical=True)
    assert plane == pytest.approx(2.25 * 6 / 11 * unit, rel=0.005)
    assert spherical == pytest.approx(2.25 * special.beta(11 / 6, 11 / 6) * unit, rel=0.01)


def test_hardly_any_turbulence_is_left_above_a_platform():
    args = (1.55e-6, math.radians(30))
    ground = turbulence.downlink_rytov_variance(*args, 0.0, 60e3)
    platform = turbulence.downlink_rytov_variance(*args, 20e3, 60e3)
    assert platform < 0.01 * ground


def test_aperture_averaging_meets_its_limits():
    args = (1.55e-6, math.radians(30))
    assert aperture_averaging.downlink_aperture_averaging(0.0, *args) == pytest.approx(1.0)
    # Large apertures: Tatarskii's 17.34 D^(-7/3) sec^3 int Cn^2 h^2 dh, over the weak-turbulence variance.
    # The next term is smaller by (D / Fresnel length)^(-2/3) only: 5 % are left at 10 m.
    sec = 1 / math.cos(args[1])
    diameter = 10.0
    asymptote = 17.34 * diameter ** (-7 / 3) * sec**3 * integral(lambda h: h**2, 0.0, 60e3)
    factor = aperture_averaging.downlink_aperture_averaging(diameter, *args)
    assert factor * turbulence.downlink_rytov_variance(*args) == pytest.approx(asymptote, rel=0.05)


def test_aperture_averaging_against_the_spectral_integral():
    # The double integral over height and wavenumber on grids, without the scaling that the module uses.
    k = 2 * math.pi / 1.55e-6
    heights = np.geomspace(1.0, 40e3, 300)
    kappa = np.geomspace(1e-2, 2e4, 16_000)
    spectra = kappa ** (-8 / 3) * (1 - np.cos(kappa**2 * heights[:, None] / k))
    profile = np.array([cn2(h) for h in heights])

    def variance(factor):
        return np.trapezoid(profile * np.trapezoid(spectra * factor, kappa, axis=-1), heights)

    point = variance(1.0)
    # 16 pi^2 0.033 / 2 k^2 times the integral is the Rytov variance: the grids are good to 0.2 %.
    assert 8 * math.pi**2 * 0.033 * k**2 * point == pytest.approx(
        float(turbulence.downlink_rytov_variance(1.55e-6, 0.0)), rel=0.005
    )
    for diameter in (0.01, 0.05, 0.2, 0.8):
        x = kappa * diameter / 2
        exact = variance((2 * special.j1(x) / x) ** 2) / point
        ours = aperture_averaging.downlink_aperture_averaging(diameter, 1.55e-6, 0.0)
        assert ours == pytest.approx(exact, rel=0.005)


@given(st.floats(0.0, 5.0), st.floats(1.0, 2.0), st.floats(0.0, 1.3))
@settings(max_examples=40, deadline=None)
def test_larger_apertures_scintillate_less(diameter, factor, zenith):
    small = aperture_averaging.downlink_aperture_averaging(diameter, 1e-6, zenith)
    large = aperture_averaging.downlink_aperture_averaging(diameter * factor, 1e-6, zenith)
    assert 0 < large <= small * (1 + 1e-9) <= 1 + 2e-9


@given(st.floats(0.4e-6, 10e-6), st.floats(0.0, 1.3), st.floats(0.0, 15e3), st.floats(100.0, 5e5))
@settings(deadline=None)
def test_longer_paths_scintillate_more(wavelength, zenith, low, depth):
    flat = turbulence.downlink_rytov_variance(wavelength, 0.0, low, low + depth)
    slant = turbulence.downlink_rytov_variance(wavelength, zenith, low, low + depth)
    longer = turbulence.downlink_rytov_variance(wavelength, zenith, low, low + 2 * depth)
    assert 0 <= flat <= slant * (1 + 1e-12) and slant <= longer * (1 + 1e-9) and np.isfinite(longer)
    assert turbulence.uplink_rytov_variance(wavelength, zenith, low, low + depth) <= slant * (1 + 1e-12)


def test_batches_broadcast():
    zenith = np.radians([[0.0], [30.0], [60.0]])
    low = np.array([0.0, 2000.0])
    ours = turbulence.downlink_rytov_variance(1.55e-6, zenith, low, 20e3)
    assert ours.shape == (3, 2)
    assert ours[2, 1] == pytest.approx(turbulence.downlink_rytov_variance(1.55e-6, math.radians(60), 2000.0, 20e3))


@pytest.mark.parametrize(
    ("args", "field"),
    [((1.55e-6, 1.4), "zenith_rad"), ((1.55e-6, 0.1, -5.0), "low_m"), ((1.55e-6, 0.1, 900.0, 800.0), "high_m")],
)
def test_wrong_geometry_is_refused(args, field):
    with pytest.raises(ValueError, match=field):
        turbulence.fried_parameter_m(*args)
