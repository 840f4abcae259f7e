"""Propulsion against numerical minima, published examples and orders of magnitude of real platforms."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from ntn_gym.physics import propulsion as pr
from ntn_gym.physics import standard_atmosphere as isa

AQUILA_LIKE = pr.FixedWing(mass_kg=400.0, wing_area_m2=120.0, aspect_ratio=42.9**2 / 120.0, zero_lift_drag=0.01)


def test_airship_by_hand():
    # 0.5 x 0.0889 x 15^2 x (50,000 m^3)^(2/3) x 0.025 = 339.3 N; with 60 % efficiency 8.48 kW.
    drag = pr.airship_drag_n(15.0, 0.0889, 50e3, 0.025)
    assert float(drag) == pytest.approx(0.5 * 0.0889 * 225 * 50e3 ** (2 / 3) * 0.025, rel=1e-12)
    assert float(drag) == pytest.approx(339.3, abs=0.1)
    assert float(pr.shaft_power_w(drag, 15.0, 0.6)) == pytest.approx(8483, abs=2)
    # Cube law: 30 against 20 m/s costs 3.375 times.
    power = [float(pr.shaft_power_w(pr.airship_drag_n(v, 0.0889, 50e3), v, 0.6)) for v in (20.0, 30.0)]
    assert power[1] / power[0] == pytest.approx(3.375, rel=1e-12)


@pytest.mark.parametrize("alt_m", [0.0, 18e3, 21e3])
def test_least_power_is_the_minimum(alt_m):
    density = float(isa.air_density_kg_m3(alt_m))
    speed = float(pr.least_power_speed_m_s(AQUILA_LIKE, density))
    found = optimize.minimize_scalar(
        lambda v: float(pr.fixed_wing_power_w(AQUILA_LIKE, v, density)),
        bounds=(float(pr.stall_speed_m_s(AQUILA_LIKE, density)), 200.0),
        method="bounded",
        options={"xatol": 1e-6},
    )
    # Where lift limits the speed the minimum is at the stall, the end of the interval.
    assert speed == pytest.approx(found.x, abs=1e-3)
    assert float(pr.fixed_wing_power_w(AQUILA_LIKE, speed, density)) <= found.fun + 1e-6


def test_least_power_without_the_limit_of_lift():
    wing = pr.FixedWing(400.0, 120.0, 15.0, max_lift=50.0)
    speed = float(pr.least_power_speed_m_s(wing, 0.09))
    best = optimize.minimize_scalar(lambda v: float(pr.fixed_wing_power_w(wing, v, 0.09)), bracket=(5, 20, 60)).x
    assert speed == pytest.approx(best, rel=1e-6)
    # At that speed the induced drag is three times the parasitic one.
    parasitic = 0.5 * 0.09 * speed**3 * 120.0 * wing.zero_lift_drag / wing.efficiency
    assert float(pr.fixed_wing_power_w(wing, speed, 0.09)) == pytest.approx(4 * parasitic, rel=1e-9)


def test_power_grows_with_the_height_as_the_root_of_the_density():
    ratio = float(isa.air_density_kg_m3(0.0) / isa.air_density_kg_m3(20e3))
    power = [
        float(pr.fixed_wing_power_w(AQUILA_LIKE, pr.least_power_speed_m_s(AQUILA_LIKE, rho), rho))
        for rho in (isa.air_density_kg_m3(0.0), isa.air_density_kg_m3(20e3))
    ]
    assert power[1] / power[0] == pytest.approx(math.sqrt(ratio), rel=1e-9)


def test_a_platform_of_400_kg_needs_a_few_kilowatts():
    # Facebook's Aquila (400 kg, 42.9 m) was to cruise on 5 kW; its wing area is not public, 120 m^2 assumed.
    density = isa.air_density_kg_m3(20e3)
    power = float(pr.fixed_wing_power_w(AQUILA_LIKE, pr.least_power_speed_m_s(AQUILA_LIKE, density), density))
    assert 2000.0 < power < 8000.0


def test_rotary_wing_example_of_the_source():
    # Hover P0 + Pi = 168.5 W; least power near 10.2 m/s, largest range near 18.3 m/s (figure 2 of the paper).
    assert float(pr.rotary_wing_power_w(0.0)) == pytest.approx(168.484, abs=1e-9)
    endurance = optimize.minimize_scalar(lambda v: float(pr.rotary_wing_power_w(v)), bounds=(1, 40), method="bounded").x
    distance = optimize.minimize_scalar(
        lambda v: float(pr.rotary_wing_power_w(v)) / v, bounds=(1, 40), method="bounded"
    ).x
    assert endurance == pytest.approx(10.2, abs=0.2)
    assert distance == pytest.approx(18.3, abs=0.2)
    # The induced term as printed.
    v, v0 = 12.0, 4.03
    induced = 88.628 * math.sqrt(math.sqrt(1 + v**4 / (4 * v0**4)) - v**2 / (2 * v0**2))
    rest = 79.856 * (1 + 3 * v**2 / 120**2) + 0.5 * 0.6 * 1.225 * 0.05 * 0.503 * v**3
    assert float(pr.rotary_wing_power_w(v)) == pytest.approx(induced + rest, rel=1e-10)


@given(st.floats(0.0, 60.0), st.floats(0.01, 1.3), st.floats(1.01, 3.0))
@settings(deadline=None)
def test_powers_are_positive_and_drag_grows(speed, density, factor):
    assert float(pr.airship_drag_n(speed * factor, density, 1e4)) >= float(pr.airship_drag_n(speed, density, 1e4)) >= 0
    assert float(pr.fixed_wing_power_w(AQUILA_LIKE, speed + 1, density)) > 0
    assert math.isfinite(float(pr.rotary_wing_power_w(speed)))


def test_torch_gives_the_same_numbers():
    speed = np.linspace(5, 40, 8)
    theirs = pr.fixed_wing_power_w(AQUILA_LIKE, torch.from_numpy(speed), 0.09)
    np.testing.assert_allclose(theirs.numpy(), pr.fixed_wing_power_w(AQUILA_LIKE, speed, 0.09), rtol=1e-12)
    theirs = pr.rotary_wing_power_w(torch.from_numpy(speed))
    np.testing.assert_allclose(theirs.numpy(), pr.rotary_wing_power_w(speed), rtol=1e-12)


@pytest.mark.parametrize(("field", "value"), [("mass_kg", 0.0), ("efficiency", 1.5), ("aspect_ratio", math.inf)])
def test_wrong_aeroplanes_are_refused(field, value):
    good = {"mass_kg": 75.0, "wing_area_m2": 28.0, "aspect_ratio": 22.0}
    with pytest.raises(ValueError, match=rf"FixedWing\.{field}"):
        pr.FixedWing(**(good | {field: value}))
