"""The standard atmosphere against the printed tables and an independent package (fluids), and its own inverse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from ntn_gym.physics import standard_atmosphere as isa


@pytest.mark.parametrize(
    ("alt_m", "temperature_k", "pressure_pa", "density_kg_m3", "sound_m_s"),
    [  # package fluids 1.0, ATMOSPHERE_1976
        (0.0, 288.15, 101325.0, 1.2249991558877125, 340.2941),
        (5000.0, 255.67554322180348, 54048.28614576141, 0.7364284207799743, 320.5455),
        (11019.0, 216.65043938339625, 22632.30521723157, 0.3639209169888918, 295.0699),
        (15000.0, 216.65, 12111.825698085444, 0.1947550464440157, 295.0696),
        (20000.0, 216.65, 5529.3118922991525, 0.08890991508888647, 295.0696),
        (25000.0, 221.55206472628424, 2549.222992375915, 0.0400838867180783, 298.3891),
        (32162.0, 228.65026825433868, 868.0062596037801, 0.01322479482095107, 303.1314),
        (40000.0, 250.34964610242113, 287.1439554634391, 0.0039956781404817, 317.1894),
        (60000.0, 247.02088477279673, 21.958666139698384, 0.00030967780764751664, 315.0736),
        (79000.0, 200.58947387148632, 1.2436976273158686, 2.159953827406133e-05, 283.9221),
    ],
)
def test_values(alt_m, temperature_k, pressure_pa, density_kg_m3, sound_m_s):
    assert isa.air_temperature_k(alt_m) == pytest.approx(temperature_k, rel=1e-9)
    assert isa.air_pressure_pa(alt_m) == pytest.approx(pressure_pa, rel=1e-9)
    assert isa.air_density_kg_m3(alt_m) == pytest.approx(density_kg_m3, rel=1e-9)
    assert isa.speed_of_sound_m_s(alt_m) == pytest.approx(sound_m_s, abs=1e-3)


@pytest.mark.parametrize(
    ("height_m", "pressure_pa"), [(11e3, 22632.06), (20e3, 5474.889), (32e3, 868.0187), (47e3, 110.9063)]
)
def test_pressures_printed_in_the_standard(height_m, pressure_pa):
    # Table 4 of the document lists geopotential heights; r = 6356.766 km.
    alt_m = 6_356_766.0 * height_m / (6_356_766.0 - height_m)
    assert isa.geopotential_height_m(alt_m) == pytest.approx(height_m, rel=1e-12)
    assert isa.air_pressure_pa(alt_m) == pytest.approx(pressure_pa, rel=1e-6)


def test_hydrostatic_balance():
    # The weight of the air between two heights is the pressure difference (gravity falls with the height).
    gravity = lambda z: isa.GRAVITY_M_S2 * (6_356_766.0 / (6_356_766.0 + z)) ** 2  # noqa: E731
    weight, _ = integrate.quad(lambda z: gravity(z) * float(isa.air_density_kg_m3(z)), 5e3, 35e3, limit=200)
    assert weight == pytest.approx(float(isa.air_pressure_pa(5e3) - isa.air_pressure_pa(35e3)), rel=1e-6)


@given(st.floats(-400.0, 79e3), st.floats(1.0, 500.0))
@settings(deadline=None)
def test_inverse_and_monotone(alt_m, step_m):
    pressure = isa.air_pressure_pa(alt_m)
    assert float(isa.altitude_of_pressure_m(pressure)) == pytest.approx(alt_m, abs=1e-6)
    assert isa.air_pressure_pa(alt_m + step_m) < pressure
    assert isa.air_density_kg_m3(alt_m + step_m) < isa.air_density_kg_m3(alt_m)


def test_shapes():
    assert isa.air_density_kg_m3(np.linspace(0, 30e3, 6).reshape(2, 3)).shape == (2, 3)


@pytest.mark.parametrize("alt_m", [-1000.0, 81e3, np.nan])
def test_heights_outside_are_refused(alt_m):
    with pytest.raises(ValueError, match=r"alt_m: got .* m; must be -500 to 80000 m"):
        isa.air_density_kg_m3(alt_m)


def test_pressures_outside_are_refused():
    with pytest.raises(ValueError, match="pressure_pa"):
        isa.altitude_of_pressure_m(0.5)
