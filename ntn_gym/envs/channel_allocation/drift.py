"""Wind above the airspeed of the platform carries the platform and its cells away, and calls change their cell.

Wind is the sum of a mean, one record of the shipped stratospheric wind fields, and of gusts, a Gauss-Markov process.
The platform flies against it: it stands still while the wind is not faster than its airspeed, and else drifts with
what is left.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, seed_purpose
from ntn_gym.data import loader
from ntn_gym.envs.channel_allocation.scenario import Drift
from ntn_gym.envs.channel_allocation.topology import DIRECTIONS

INTERVAL_S = 10.0
"""Time for which the drift velocity is constant."""
_SPLIT = {"training": "train", "validation": "validation", "reporting": "report"}


@lru_cache(maxsize=8)
def wind_records(pressure_pa: float, purpose: str, min_wind_m_s: float) -> NDArray[np.float64]:
    """Return recorded winds (east, north) in m/s at the nearest pressure level, [records, 2].

    Raises:
        ValueError: If no record is that strong.
    """
    data = loader.read_npz("stratospheric_wind_fields_48.npz")
    level = int(np.abs(data["pressure_Pa"] - pressure_pa).argmin())
    fields = data["uv_cm_s"][data["split"] == _SPLIT[purpose], :, :, level]
    wind = fields.reshape(-1, 2) / 100.0
    strong = wind[np.hypot(*wind.T) >= min_wind_m_s]
    if not len(strong):
        raise ValueError(
            f"drift.min_wind_m_s = {min_wind_m_s} m/s: no record of the {purpose} weather at {pressure_pa} Pa is that "
            f"strong (at most {np.hypot(*wind.T).max():.1f} m/s); lower it"
        )
    return strong


def mean_wind_m_s(drift: Drift, key: WorldKey, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the mean wind of a world from the weather that its seed may see, east and north, [2]."""
    records = wind_records(drift.pressure_pa, seed_purpose(key.seed), drift.min_wind_m_s)
    wind: NDArray[np.float64] = records[int(rng.integers(len(records)))]
    return wind


def drift_velocity_m_s(drift: Drift, wind_m_s: NDArray[np.float64], gust: tuple[float, float]) -> tuple[float, float]:
    """Return what is left of wind and gust above the airspeed, east and north; ``gust`` has unit variance."""
    east = float(wind_m_s[0]) + drift.gust_m_s * gust[0]
    north = float(wind_m_s[1]) + drift.gust_m_s * gust[1]
    speed = math.hypot(east, north)
    left = max(0.0, 1.0 - drift.airspeed_m_s / speed) if speed > 0 else 0.0
    return east * left, north * left


def crossing_rates_per_s(velocity_m_s: tuple[float, float], radius_m: float) -> list[float]:
    """Return the rate at which a user crosses each side of its hexagonal cell, which moves with a velocity.

    Users are spread evenly, and relative to the cell they move with the opposite velocity u. The flow through a side of
    length R with outward normal n is R max(0, u . n) per unit of density, and the area of the cell is 3 sqrt(3) R^2/2.
    A circle of the same area loses 2 u / (pi r), five per cent less.

    Args:
        velocity_m_s: Velocity of the cells, east and north.
        radius_m: Corner radius R.

    Returns:
        Rate in 1/s into each of the six `DIRECTIONS`.
    """
    scale = 2.0 / (3.0 * math.sqrt(3.0) * radius_m)
    return [max(0.0, -(velocity_m_s[0] * x + velocity_m_s[1] * y)) * scale for x, y in NORMALS]


NORMALS = tuple((q + r / 2, r * math.sqrt(3) / 2) for q, r in DIRECTIONS)
"""Unit vectors (east, north) towards the six neighbours."""
