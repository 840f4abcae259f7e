"""Air drag of a balloon, and how fast it rises or sinks when it is out of balance."""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.validity import refuse_non_positive

SPHERE_DRAG_COEFFICIENT = 0.2
"""Smooth sphere above its drag crisis (Reynolds numbers of 4e5 and more): 0.1 to 0.2. A balloon of 15 m has 1e5 to 1e6
at 20 km and 1 to 5 m/s; below the crisis, and where the envelope is not smooth, 0.47 holds."""

STANDARD_GRAVITY_M_S2 = 9.806_65


def _frontal_area_m2(volume_m3: Array) -> Array:
    return math.pi * (3.0 * volume_m3 / (4.0 * math.pi)) ** (2.0 / 3.0)


def sphere_drag_n(
    airspeed_m_s: ArrayLike,
    density_kg_m3: ArrayLike,
    volume_m3: ArrayLike,
    drag_coefficient: ArrayLike = SPHERE_DRAG_COEFFICIENT,
) -> Array:
    """Return the drag of a spherical balloon, rho v^2 C_D A / 2 with A = pi (3 V / 4 pi)^(2/3).

    Source: S. F. Hoerner, Fluid-Dynamic Drag, 1965, chapter 3 (spheres).

    Args:
        airspeed_m_s: Speed through the air in m/s, [...]; the sign does not matter.
        density_kg_m3: Density of the air in kg/m^3, positive, [...].
        volume_m3: Volume of the balloon in m^3, positive, [...].
        drag_coefficient: C_D, referred to the frontal area, [...].

    Returns:
        Force in N, [...].

    Raises:
        ValueError: If a density or a volume is not positive.
    """
    _, speed, density, volume, coefficient = promote(airspeed_m_s, density_kg_m3, volume_m3, drag_coefficient)
    refuse_non_positive("density_kg_m3", density, "kg/m^3")
    refuse_non_positive("volume_m3", volume, "m^3")
    return 0.5 * density * speed**2 * coefficient * _frontal_area_m2(volume)


def climb_rate_m_s(
    total_mass_kg: ArrayLike,
    density_kg_m3: ArrayLike,
    volume_m3: ArrayLike,
    drag_coefficient: ArrayLike = SPHERE_DRAG_COEFFICIENT,
) -> Array:
    """Return the steady rate at which a balloon rises (positive) or sinks, where drag balances buoyancy and weight.

    v = sign(rho V - m) sqrt(2 |rho V - m| g / (rho C_D A)).

    Source: balance of forces; S. F. Hoerner, Fluid-Dynamic Drag, 1965, chapter 3. The form of the ascent in the Balloon
    Learning Environment 1.0, `balloon.py`.

    Args:
        total_mass_kg: Mass of everything, gas and ballast included, in kg, [...].
        density_kg_m3: Density of the air in kg/m^3, positive, [...].
        volume_m3: Volume of the balloon in m^3, positive, [...].
        drag_coefficient: C_D, referred to the frontal area, [...].

    Returns:
        Vertical speed in m/s, [...].

    Raises:
        ValueError: If a density or a volume is not positive.
    """
    xp, mass, density, volume, coefficient = promote(total_mass_kg, density_kg_m3, volume_m3, drag_coefficient)
    refuse_non_positive("density_kg_m3", density, "kg/m^3")
    refuse_non_positive("volume_m3", volume, "m^3")
    excess_kg = density * volume - mass
    speed2 = 2.0 * xp.abs(excess_kg) * STANDARD_GRAVITY_M_S2 / (density * coefficient * _frontal_area_m2(volume))
    return xp.sign(excess_kg) * xp.sqrt(speed2)
