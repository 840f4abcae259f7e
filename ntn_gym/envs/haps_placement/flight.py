"""What flying costs a platform: coefficients of its power balance, from the shared physics, by level.

Power of level flight is a V^3 + b / V at V >= V_min: drag of an airship (b = 0, V_min = 0), or the polar of an
aeroplane, which circles at V_min when it keeps station. The coefficients are taken from `physics.propulsion`, so that a
step costs a few multiplications per platform.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.haps_placement.scenario import Aircraft, Airship, Balloon, Scenario
from ntn_gym.physics.balloon import altitude_control, least_pump_power_w
from ntn_gym.physics.battery import Battery
from ntn_gym.physics.propulsion import (
    FixedWing,
    airship_drag_n,
    fixed_wing_power_w,
    least_power_speed_m_s,
    shaft_power_w,
)
from ntn_gym.physics.standard_atmosphere import (
    GRAVITY_M_S2,
    air_density_kg_m3,
    air_temperature_k,
    altitude_of_pressure_m,
)

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class Flight:
    """Coefficients of one kind of platform; arrays over the levels, from the lowest up.

    Attributes:
        cubic: a in W s^3/m^3, [L].
        inverse: b in W m/s, [L].
        slowest_m_s: V_min, [L].
        fastest_m_s: Largest airspeed; 0 for a balloon.
        rise_j: Energy of climbing from the lowest level, cumulative, [L].
        sink_j: Energy of sinking from the highest level, cumulative, [L].
        air_kg: Air that a balloon holds to float at a level, [L]; zero for others.
        pump_kg_s: Air that a balloon pumps or lets out.
        reference_w: Power by which the propulsion term of the reward is measured.
        hotel_w: Always drawn.
        payload_w: Drawn while the radio is on.
        battery: The battery.
        cells_m2: Area of the cells times their efficiency, in m^2.
        altitude_m: Altitudes of the levels in the standard atmosphere, [L].
    """

    cubic: FloatArray
    inverse: FloatArray
    slowest_m_s: FloatArray
    fastest_m_s: float
    rise_j: FloatArray
    sink_j: FloatArray
    air_kg: FloatArray
    pump_kg_s: float
    reference_w: float
    hotel_w: float
    payload_w: float
    battery: Battery
    cells_m2: float
    altitude_m: FloatArray

    def power_w(self, airspeed_m_s: FloatArray, level: int = 0) -> FloatArray:
        """Power of level flight at a level, [...]; the same as `physics.propulsion` gives."""
        speed = np.maximum(airspeed_m_s, self.slowest_m_s[level])
        induced = self.inverse[level] / np.maximum(speed, 1e-9) if self.inverse[level] else 0.0
        return np.asarray(self.cubic[level] * speed**3 + induced)


def _airship(vehicle: Airship, density: FloatArray, temperature_k: FloatArray) -> dict[str, Any]:
    unit_drag = airship_drag_n(1.0, density, vehicle.volume_m3, vehicle.drag_coefficient)
    cubic = np.asarray(shaft_power_w(unit_drag, 1.0, vehicle.drive_efficiency))
    # To sink by a level the ballonet takes in the difference of the displaced air, at a pressure above that outside.
    work_j_kg = least_pump_power_w(1.0, vehicle.superpressure_ratio, temperature_k[:-1]) / vehicle.pump_efficiency
    steps_j = -np.diff(density) * vehicle.volume_m3 * work_j_kg
    none = np.zeros_like(density)
    return {
        "cubic": cubic,
        "inverse": none,
        "slowest_m_s": none,
        "rise_j": none,
        "sink_j": np.append(np.cumsum(steps_j[::-1])[::-1], 0.0),
        "reference_w": float(cubic[0]) * vehicle.max_airspeed_m_s**3,
    }


def _aircraft(vehicle: Aircraft, density: FloatArray, altitude_m: FloatArray) -> dict[str, Any]:
    wing = FixedWing(
        vehicle.mass_kg,
        vehicle.wing_area_m2,
        vehicle.aspect_ratio,
        vehicle.zero_lift_drag,
        vehicle.oswald_efficiency,
        vehicle.max_lift,
        vehicle.drive_efficiency,
    )
    slowest = np.asarray(least_power_speed_m_s(wing, density))
    if slowest.max() >= vehicle.max_airspeed_m_s:
        raise ValueError(
            f"fleet.vehicle.max_airspeed_m_s = {vehicle.max_airspeed_m_s} m/s: this aircraft needs more than "
            f"{slowest.max():.1f} m/s to stay in the air at its highest level; raise it, or use a larger wing"
        )
    # The polar has two terms, a V^3 + b / V: its values at two speeds give both.
    one, two = (np.asarray(fixed_wing_power_w(wing, v, density)) for v in (10.0, 20.0))
    cubic = (2.0 * two - one) / (2.0 * 20.0**3 - 10.0**3)
    inverse = 10.0 * (one - cubic * 10.0**3)
    top = vehicle.max_airspeed_m_s
    return {
        "cubic": cubic,
        "inverse": inverse,
        "slowest_m_s": slowest,
        "rise_j": vehicle.mass_kg * GRAVITY_M_S2 * (altitude_m - altitude_m[0]) / vehicle.drive_efficiency,
        "sink_j": np.zeros_like(density),
        "reference_w": float(cubic[0] * top**3 + inverse[0] / top),
    }


def _balloon(vehicle: Balloon, density: FloatArray) -> dict[str, Any]:
    power_w, flow_kg_s = (float(value) for value in altitude_control(vehicle.pressure_ratio))
    air_kg = density * vehicle.volume_m3
    none = np.zeros_like(density)
    return {
        "cubic": none,
        "inverse": none,
        "slowest_m_s": none,
        "rise_j": none,
        "sink_j": (air_kg - air_kg[-1]) / flow_kg_s * power_w,
        "air_kg": air_kg,
        "pump_kg_s": flow_kg_s,
        "reference_w": power_w,
    }


@lru_cache(maxsize=16)
def flight(scenario: Scenario) -> Flight:
    """Compute the coefficients of a scenario's platforms."""
    vehicle = scenario.fleet.vehicle
    altitude_m = np.asarray(altitude_of_pressure_m(np.array(scenario.fleet.levels_pa)))
    density = np.asarray(air_density_kg_m3(altitude_m))
    if isinstance(vehicle, Airship):
        own = _airship(vehicle, density, np.asarray(air_temperature_k(altitude_m)))
    elif isinstance(vehicle, Aircraft):
        own = _aircraft(vehicle, density, altitude_m)
    else:
        own = _balloon(vehicle, density)
    return Flight(
        **{"air_kg": np.zeros_like(density), "pump_kg_s": 0.0, **own},
        fastest_m_s=0.0 if isinstance(vehicle, Balloon) else vehicle.max_airspeed_m_s,
        hotel_w=vehicle.hotel_w,
        payload_w=vehicle.payload_w,
        battery=Battery(
            vehicle.battery_j,
            charge_efficiency=vehicle.charge_efficiency,
            discharge_efficiency=vehicle.discharge_efficiency,
        ),
        cells_m2=vehicle.cells_m2 * vehicle.cell_efficiency,
        altitude_m=altitude_m,
    )
