"""Balloons: the Loon-like data against physics, Archimedes by hand, thermodynamics of the fan."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from ntn_gym.physics import balloon
from ntn_gym.physics import standard_atmosphere as isa

PLATFORMS = json.loads((Path(__file__).parents[1] / "reference" / "haps_parameters.json").read_text())["platforms"]
LOON = next(row for row in PLATFORMS if row["name"].startswith("Loon"))
DRY_KG = LOON["envelope_mass_kg"] + LOON["payload_and_ballast_kg"]


def test_loon_floats_where_it_flew():
    density = balloon.float_density_kg_m3(DRY_KG, LOON["helium_mol"], 0.0, LOON["envelope_volume_m3"])
    # 161 kg + 6830 x 4.0026 g = 188.34 kg in 1804 m^3.
    assert density == pytest.approx(188.338 / 1804, rel=1e-5)
    altitude = float(balloon.float_altitude_m(density))
    assert 15e3 < altitude < 20e3
    over = float(balloon.superpressure_pa(LOON["helium_mol"], 0.0, LOON["envelope_volume_m3"], altitude))
    assert 0.0 < over < LOON["max_superpressure_Pa"]
    # By hand: n R T / V at 216.65 K.
    inside = 6830 * 8.314462618 * 216.65 / 1804
    assert over == pytest.approx(inside - float(isa.air_pressure_pa(altitude)), abs=1e-6)


def test_ballast_brings_it_down():
    air_kg = np.array([0.0, 20.0, 40.0])
    density = balloon.float_density_kg_m3(DRY_KG, LOON["helium_mol"], air_kg, LOON["envelope_volume_m3"])
    altitude = balloon.float_altitude_m(density)
    assert np.all(np.diff(altitude) < -300)
    # 15 to 20 km is the band of the Loon balloons.
    assert np.all((altitude > 15e3) & (altitude < 20e3))


@given(st.floats(0.0045, 1.2))
@settings(deadline=None)
def test_float_altitude_against_root_finding(density):
    root = optimize.brentq(lambda z: float(isa.air_density_kg_m3(z)) - density, 0, 42e3, xtol=1e-9)
    assert float(balloon.float_altitude_m(density)) == pytest.approx(root, abs=1e-5)


def test_fan_against_the_table_of_its_source():
    power, flow = balloon.altitude_control(np.array([1.0, 1.05, 1.1, 1.2, 1.25, 1.35]))
    np.testing.assert_allclose(power, [100, 100, 500 / 3, 300, 400, 400])
    # 100 W: 0.4 kg/Wh; 166.7 W: two thirds of the way from 0.3 to 0.3; 300 W: 0.2; 400 W: 0.18 and 0.13.
    np.testing.assert_allclose(flow * 3600 / power, [0.4, 0.4, 0.3, 0.2, 0.18, 0.13])


def test_fan_does_not_beat_thermodynamics():
    ratio = np.linspace(1.0, 1.35, 36)
    power, flow = balloon.altitude_control(ratio)
    needed = balloon.least_pump_power_w(flow, ratio, 216.65)
    assert np.all(needed <= power)
    assert 0.3 < float((needed / power).max()) < 1.0


def test_compression_by_hand():
    # c_p = 1004.7 J/kg/K; 216.65 K; ratio 1.2: 216.65 x 0.05348 = 11.59 K, 11.64 kJ/kg.
    assert float(balloon.least_pump_power_w(0.01, 1.2, 216.65)) == pytest.approx(116.4, abs=0.1)
    # The integral of v dp along the adiabat p v^1.4 = const.
    p = np.geomspace(1.0, 1.2, 20_001)
    work = np.trapezoid(287.053 * 216.65 * p ** (-1 / 1.4), p)
    assert float(balloon.least_pump_power_w(1.0, 1.2, 216.65)) == pytest.approx(work, rel=1e-5)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: balloon.altitude_control(1.5), "pressure_ratio"),
        (lambda: balloon.float_altitude_m(2.0), "density_kg_m3"),
        (lambda: balloon.superpressure_pa(6830, 0.0, 1804, 100e3), "alt_m"),
    ],
)
def test_outside_the_range(call, field):
    with pytest.raises(ValueError, match=field):
        call()


def test_warm_gas_raises_the_pressure():
    cold = balloon.superpressure_pa(6830, 0.0, 1804, 19e3)
    warm = balloon.superpressure_pa(6830, 0.0, 1804, 19e3, 236.65)
    assert float(warm - cold) == pytest.approx(6830 * 8.314462618 * 20 / 1804, rel=1e-9)
    assert math.isfinite(float(warm))
