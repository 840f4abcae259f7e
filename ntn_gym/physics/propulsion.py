"""Power that platforms need to hold their place: airship, fixed wing and rotary wing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.standard_atmosphere import GRAVITY_M_S2


def airship_drag_n(
    airspeed_m_s: ArrayLike, density_kg_m3: ArrayLike, volume_m3: ArrayLike, drag_coefficient: ArrayLike = 0.025
) -> Array:
    """Return the drag of an airship, rho v^2 V^(2/3) C_DV / 2.

    Source: G. A. Khoury and J. D. Gillett (eds.), Airship Technology, Cambridge University Press 1999, chapter 3:
    the coefficient refers to volume^(2/3) and is 0.02 to 0.04 for a hull with fins at Reynolds numbers above 1e7.

    Args:
        airspeed_m_s: Speed through the air in m/s, not negative, [...].
        density_kg_m3: Density of the air in kg/m^3, [...].
        volume_m3: Volume of the hull in m^3, [...].
        drag_coefficient: C_DV, dimensionless, [...].

    Returns:
        Drag in N, [...].
    """
    _, speed, density, volume, coefficient = promote(airspeed_m_s, density_kg_m3, volume_m3, drag_coefficient)
    return 0.5 * density * speed**2 * volume ** (2.0 / 3.0) * coefficient


def shaft_power_w(thrust_n: ArrayLike, airspeed_m_s: ArrayLike, efficiency: ArrayLike) -> Array:
    """Return the electrical power for a thrust, T v / eta.

    Source: energy balance; eta is that of propeller, motor and controller together, 0.5 to 0.8 in the stratosphere.

    Args:
        thrust_n: Thrust (equal to the drag in level flight) in N, [...].
        airspeed_m_s: Speed through the air in m/s, [...].
        efficiency: Efficiency in (0, 1], [...].

    Returns:
        Power in W, [...].
    """
    _, thrust, speed, eta = promote(thrust_n, airspeed_m_s, efficiency)
    return thrust * speed / eta


@dataclass(frozen=True)
class FixedWing:
    """An aeroplane with the drag polar C_D = C_D0 + C_L^2 / (pi e AR).

    Attributes:
        mass_kg: Mass in kg.
        wing_area_m2: Area of the wing in m^2.
        aspect_ratio: Span squared over area.
        zero_lift_drag: C_D0, 0.008 to 0.03.
        oswald_efficiency: e, in (0, 1].
        max_lift: Largest lift coefficient, about 1.2 to 1.5.
        efficiency: Efficiency of propeller, motor and controller, in (0, 1].
    """

    mass_kg: float
    wing_area_m2: float
    aspect_ratio: float
    zero_lift_drag: float = 0.012
    oswald_efficiency: float = 0.9
    max_lift: float = 1.3
    efficiency: float = 0.7

    def __post_init__(self) -> None:
        for field in ("mass_kg", "wing_area_m2", "aspect_ratio", "max_lift"):
            value = getattr(self, field)
            if not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"FixedWing.{field}: got {value}; must be finite and above 0")
        for field in ("zero_lift_drag", "oswald_efficiency", "efficiency"):
            value = getattr(self, field)
            if not 0.0 < value <= 1.0:
                raise ValueError(f"FixedWing.{field}: got {value}; must be above 0 and at most 1")

    @property
    def induced_factor(self) -> float:
        """K = 1 / (pi e AR)."""
        return 1.0 / (math.pi * self.oswald_efficiency * self.aspect_ratio)


def fixed_wing_power_w(wing: FixedWing, airspeed_m_s: ArrayLike, density_kg_m3: ArrayLike) -> Array:
    """Return the electrical power of level flight, (rho v^3 S C_D0 / 2 + 2 K W^2 / (rho v S)) / eta.

    Source: J. D. Anderson, Aircraft Performance and Design, McGraw-Hill 1999, section 5.6. Valid at and above
    `stall_speed_m_s`.

    Args:
        wing: The aeroplane.
        airspeed_m_s: True airspeed in m/s, positive, [...].
        density_kg_m3: Density of the air in kg/m^3, [...].

    Returns:
        Power in W, [...].
    """
    _, speed, density = promote(airspeed_m_s, density_kg_m3)
    weight = wing.mass_kg * GRAVITY_M_S2
    parasitic = 0.5 * density * speed**3 * wing.wing_area_m2 * wing.zero_lift_drag
    induced = 2.0 * wing.induced_factor * weight**2 / (density * speed * wing.wing_area_m2)
    return (parasitic + induced) / wing.efficiency


def stall_speed_m_s(wing: FixedWing, density_kg_m3: ArrayLike) -> Array:
    """Return the slowest level flight, sqrt(2 W / (rho S C_Lmax)).

    Source: Anderson 1999, section 5.9.

    Args:
        wing: The aeroplane.
        density_kg_m3: Density of the air in kg/m^3, [...].

    Returns:
        True airspeed in m/s, [...].
    """
    xp, density = promote(density_kg_m3)
    return xp.sqrt(2.0 * wing.mass_kg * GRAVITY_M_S2 / (density * wing.wing_area_m2 * wing.max_lift))


def least_power_speed_m_s(wing: FixedWing, density_kg_m3: ArrayLike) -> Array:
    """Return the speed of least power, sqrt(2 W / (rho S)) (K / (3 C_D0))^(1/4), but not below the stall.

    Source: Anderson 1999, section 5.6.

    Args:
        wing: The aeroplane.
        density_kg_m3: Density of the air in kg/m^3, [...].

    Returns:
        True airspeed in m/s, [...].
    """
    xp, density = promote(density_kg_m3)
    loading = xp.sqrt(2.0 * wing.mass_kg * GRAVITY_M_S2 / (density * wing.wing_area_m2))
    free = loading * (wing.induced_factor / (3.0 * wing.zero_lift_drag)) ** 0.25
    return xp.maximum(free, stall_speed_m_s(wing, density_kg_m3))


class RotaryWing(NamedTuple):
    """Parameters of a rotary-wing aircraft; the defaults are the example of the source (mass 2 kg).

    Attributes:
        blade_power_w: Blade profile power in hover P_0 in W.
        induced_power_w: Induced power in hover P_i in W.
        tip_speed_m_s: Tip speed of the rotor blade in m/s.
        induced_speed_m_s: Mean induced velocity in hover v_0 in m/s.
        drag_ratio: Fuselage drag ratio d_0.
        rotor_solidity: Solidity s.
        disc_area_m2: Area of the rotor disc in m^2.
        density_kg_m3: Density of the air in kg/m^3.
    """

    blade_power_w: float = 79.856
    induced_power_w: float = 88.628
    tip_speed_m_s: float = 120.0
    induced_speed_m_s: float = 4.03
    drag_ratio: float = 0.6
    rotor_solidity: float = 0.05
    disc_area_m2: float = 0.503
    density_kg_m3: float = 1.225


def rotary_wing_power_w(airspeed_m_s: ArrayLike, rotor: RotaryWing | None = None) -> Array:
    """Return the power of straight level flight of a rotary-wing aircraft.

    P_0 (1 + 3 v^2 / U^2) + P_i (sqrt(1 + v^4 / (4 v_0^4)) - v^2 / (2 v_0^2))^(1/2) + d_0 rho s A v^3 / 2.

    Source: Y. Zeng, J. Xu and R. Zhang, "Energy minimization for wireless communication with rotary-wing UAV",
    IEEE Trans. Wireless Commun. 18 (4), 2019, equation 12 and table I.

    Args:
        airspeed_m_s: Speed in m/s, not negative, [...].
        rotor: Parameters; None takes the source's example.

    Returns:
        Power in W, [...].
    """
    p = rotor or RotaryWing()
    xp, speed = promote(airspeed_m_s)
    ratio = speed**2 / (2.0 * p.induced_speed_m_s**2)
    blade = p.blade_power_w * (1.0 + 3.0 * speed**2 / p.tip_speed_m_s**2)
    # sqrt(1 + x^2) - x written without cancellation at high speed.
    induced = p.induced_power_w * xp.sqrt(1.0 / (xp.sqrt(1.0 + ratio**2) + ratio))
    parasitic = 0.5 * p.drag_ratio * p.density_kg_m3 * p.rotor_solidity * p.disc_area_m2 * speed**3
    return blade + induced + parasitic
