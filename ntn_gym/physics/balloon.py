"""Super-pressure balloons: where they float, and the power that changes it. They have no propulsion."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.data import read_json
from ntn_gym.physics.standard_atmosphere import (
    DRY_AIR_GAS_CONSTANT_J_KG_K,
    air_density_kg_m3,
    air_pressure_pa,
    air_temperature_k,
)
from ntn_gym.physics.validity import require_range

FloatArray = NDArray[Any]

HELIUM_MOLAR_MASS_KG = 4.002_602e-3
"""Mass of a mole of helium in kg (CIAAW standard atomic weight)."""

GAS_CONSTANT_J_MOL_K = 8.314_462_618
"""Molar gas constant (SI, BIPM 2019)."""


def float_density_kg_m3(
    dry_mass_kg: FloatArray | float,
    helium_mol: FloatArray | float,
    ballast_air_kg: FloatArray | float,
    volume_m3: float,
) -> FloatArray:
    """Return the air density at which a balloon of fixed volume floats: its whole mass over its volume.

    Source: Archimedes; the mass is that of structure, payload, helium and the air taken in as ballast.

    Args:
        dry_mass_kg: Envelope, payload and ballast in kg, [...].
        helium_mol: Lifting gas in mol, [...].
        ballast_air_kg: Air in the ballonet in kg, [...].
        volume_m3: Volume of the full balloon in m^3.

    Returns:
        Density in kg/m^3, [...].
    """
    total = np.asarray(dry_mass_kg) + np.multiply(helium_mol, HELIUM_MOLAR_MASS_KG) + np.asarray(ballast_air_kg)
    density: FloatArray = np.divide(total, volume_m3)
    return density


def float_altitude_m(density_kg_m3: FloatArray | float) -> FloatArray:
    """Return the height at which the standard atmosphere has a density.

    Solved by bisection to 1e-6 m; the density falls with the height throughout.

    Source: inverse of `standard_atmosphere.air_density_kg_m3`.

    Args:
        density_kg_m3: Density in kg/m^3, 0.004 (40 km) to 1.22, [...].

    Returns:
        Height above sea level in m, [...].

    Raises:
        ValueError: If the density is outside its range.
    """
    require_range("density_kg_m3", density_kg_m3, 0.004, 1.22, "kg/m^3")
    wanted = np.asarray(density_kg_m3, dtype=np.float64)
    low, high = np.zeros_like(wanted), np.full_like(wanted, 42e3)
    for _ in range(36):
        middle = 0.5 * (low + high)
        lighter = air_density_kg_m3(middle) < wanted
        low, high = np.where(lighter, low, middle), np.where(lighter, middle, high)
    altitude: FloatArray = 0.5 * (low + high)
    return altitude


def superpressure_pa(
    helium_mol: FloatArray | float,
    ballast_air_kg: FloatArray | float,
    volume_m3: float,
    alt_m: FloatArray | float,
    gas_temperature_k: FloatArray | float | None = None,
) -> FloatArray:
    """Return the pressure inside a full balloon over that outside, n R T / V - p.

    Source: ideal gas law. The envelope bursts above a limit and goes slack below zero.

    Args:
        helium_mol: Lifting gas in mol, [...].
        ballast_air_kg: Air in the ballonet in kg, [...].
        volume_m3: Volume of the full balloon in m^3.
        alt_m: Height in m, -500 to 80,000, [...].
        gas_temperature_k: Temperature of the gas in K; None takes that of the air, [...].

    Returns:
        Pressure difference in Pa, [...].

    Raises:
        ValueError: If the height is outside its range.
    """
    temperature = air_temperature_k(alt_m) if gas_temperature_k is None else np.asarray(gas_temperature_k)
    inside = np.multiply(helium_mol, GAS_CONSTANT_J_MOL_K) + np.multiply(ballast_air_kg, DRY_AIR_GAS_CONSTANT_J_KG_K)
    difference: FloatArray = inside * temperature / volume_m3 - air_pressure_pa(alt_m)
    return difference


def least_pump_power_w(
    mass_flow_kg_s: FloatArray | float, pressure_ratio: FloatArray | float, air_temperature_k: FloatArray | float
) -> FloatArray:
    """Return the least power of a fan that pumps air into the balloon, m c_p T (r^(2/7) - 1).

    Source: adiabatic compression of a perfect gas with gamma = 1.4, c_p = 3.5 R.

    Args:
        mass_flow_kg_s: Air pumped in kg/s, [...].
        pressure_ratio: Pressure inside over outside, at least 1, [...].
        air_temperature_k: Temperature outside in K, [...].

    Returns:
        Power in W, [...].
    """
    work = 3.5 * DRY_AIR_GAS_CONSTANT_J_KG_K * np.asarray(air_temperature_k)
    power: FloatArray = mass_flow_kg_s * work * (np.asarray(pressure_ratio, dtype=np.float64) ** (2.0 / 7.0) - 1.0)
    return power


@cache
def _fan() -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    table = read_json("tables/altitude_control.json")
    best, grid = table["best_power"], table["air_kg_per_wh"]
    columns = (best["pressure_ratio"], best["power_w"], grid["pressure_ratio"], grid["power_w"], grid["rows_by_power"])
    ratio, power, grid_ratio, grid_power, rows = (np.array(column) for column in columns)
    return ratio, power, grid_ratio, grid_power, rows


def altitude_control(pressure_ratio: FloatArray | float) -> tuple[FloatArray, FloatArray]:
    """Return the power that the altitude control of a Loon-like balloon draws, and the air it pumps with it.

    Linear between the points of the table, constant beyond its ends.

    Source: Balloon Learning Environment 1.0, `acs.py` (the power with most air per energy, and the efficiency of
    the fan over pressure ratio and power), in `tables/altitude_control.json`.

    Args:
        pressure_ratio: Pressure inside over outside, 1 to 1.35, [...].

    Returns:
        Power in W and air in kg/s, each [...].

    Raises:
        ValueError: If the pressure ratio is outside its range.
    """
    require_range("pressure_ratio", pressure_ratio, 1.0, 1.35, "")
    ratio, best, grid_ratio, grid_power, rows = _fan()
    wanted = np.asarray(pressure_ratio, dtype=np.float64)
    power = np.interp(wanted, ratio, best)
    by_power = np.stack([np.interp(wanted, grid_ratio, row) for row in rows])
    position = (power - grid_power[0]) / (grid_power[1] - grid_power[0])
    lower = np.clip(np.floor(position).astype(np.int64), 0, len(grid_power) - 2)
    share = position - lower
    low = np.take_along_axis(by_power, lower[None], axis=0)[0]
    high = np.take_along_axis(by_power, lower[None] + 1, axis=0)[0]
    return power, power * (low * (1.0 - share) + high * share) / 3600.0
