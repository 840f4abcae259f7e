"""Drag and ascent of balloons by hand and against the integrated equation of motion."""

import math

import numpy as np
import pytest
from scipy import integrate

from ntn_gym.physics import balloon, balloon_drag
from ntn_gym.physics.standard_atmosphere import air_density_kg_m3


def test_drag_by_hand():
    # A sphere of 10 m radius, 314.16 m^2, at 5 m/s in 0.09 kg/m^3: 0.5 x 0.09 x 25 x 0.2 x 314.16 = 70.69 N.
    volume = 4.0 / 3.0 * math.pi * 1000.0
    assert float(balloon_drag.sphere_drag_n(5.0, 0.09, volume)) == pytest.approx(70.686, abs=1e-3)
    assert float(balloon_drag.sphere_drag_n(-5.0, 0.09, volume, 0.47)) == pytest.approx(70.686 * 2.35, abs=1e-2)


@pytest.mark.parametrize("mass_kg", [140.0, 170.0])
def test_ascent_is_the_end_of_the_integrated_motion(mass_kg):
    density, volume = 0.0889, 1804.0  # about 160.4 kg of air displaced
    area = math.pi * (3 * volume / (4 * math.pi)) ** (2 / 3)

    def acceleration(_, speed):
        drag = 0.5 * density * speed[0] * abs(speed[0]) * 0.2 * area
        return [((density * volume - mass_kg) * 9.80665 - drag) / mass_kg]

    motion = integrate.solve_ivp(acceleration, (0, 400), [0.0], rtol=1e-10, atol=1e-12)
    ours = float(balloon_drag.climb_rate_m_s(mass_kg, density, volume))
    assert ours == pytest.approx(motion.y[0, -1], rel=1e-6)
    assert (ours > 0) == (mass_kg < density * volume)


def test_a_balloon_in_balance_stays_and_returns_to_its_height():
    mass_kg, volume = 160.0, 1804.0
    height_m = float(balloon.float_altitude_m(mass_kg / volume))
    rates = balloon_drag.climb_rate_m_s(mass_kg, air_density_kg_m3(height_m + np.array([-500.0, 0.0, 500.0])), volume)
    assert rates[0] > 0.5 and rates[2] < -0.5
    assert abs(rates[1]) < 0.01


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match=r"density_kg_m3: got 0 kg/m\^3; must be above 0"):
        balloon_drag.sphere_drag_n(1.0, 0.0, 10.0)
    with pytest.raises(ValueError, match="volume_m3"):
        balloon_drag.climb_rate_m_s(10.0, 0.1, -1.0)
