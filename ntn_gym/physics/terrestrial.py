"""Terrestrial base stations: path loss, line of sight and shadowing of 3GPP TR 38.901 (RMa, UMa, UMi street canyon).

Valid for 0.5 to 100 GHz (RMa: 30 GHz) and ground distances of 10 m to 5 km (RMa: 10 km). Users closer than 10
m on the ground are treated as 10 m away, where the model begins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from ntn_gym.physics.arrays import Array, ArrayLike, promote

Scenario = Literal["RMa", "UMa", "UMi"]

MIN_DISTANCE_M = 10.0
_BREAK_POINT_LIGHT_SPEED_M_S = 3.0e8
"""Table 7.4.1-1 note 1 rounds the speed of light in the break-point distance."""

_STATION_HEIGHT_M = {"RMa": 35.0, "UMa": 25.0, "UMi": 10.0}
_USER_HEIGHT_RANGE_M = {"RMa": (1.0, 10.0), "UMa": (1.5, 13.0), "UMi": (1.5, 22.5)}
_STATION_HEIGHT_RANGE_M = {"RMa": (10.0, 150.0), "UMa": (25.0, 25.0), "UMi": (10.0, 10.0)}


@dataclass(frozen=True)
class TerrestrialCell:
    """Surroundings of a base station.

    Attributes:
        scenario: "RMa" (rural macro), "UMa" (urban macro) or "UMi" (urban micro, street canyon).
        station_height_m: Height of the station's antenna in m; None takes the scenario's 35, 25 or 10 m.
        user_height_m: Height of the users' antennas in m. UMa stops at 13 m, above which the document makes
            the effective height of the surroundings random.
        building_height_m: Mean building height in m, 5 to 50 (RMa only).
        street_width_m: Mean street width in m, 5 to 50 (RMa only).
    """

    scenario: Scenario
    station_height_m: float | None = None
    user_height_m: float = 1.5
    building_height_m: float = 5.0
    street_width_m: float = 20.0

    def __post_init__(self) -> None:
        if self.scenario not in get_args(Scenario):
            raise ValueError(
                f"TerrestrialCell.scenario: got {self.scenario!r}; must be one of {', '.join(get_args(Scenario))}"
            )
        allowed = {
            "station_height_m": (self.station_m, *_STATION_HEIGHT_RANGE_M[self.scenario]),
            "user_height_m": (self.user_height_m, *_USER_HEIGHT_RANGE_M[self.scenario]),
            "building_height_m": (self.building_height_m, 5.0, 50.0),
            "street_width_m": (self.street_width_m, 5.0, 50.0),
        }
        for field, (value, low, high) in allowed.items():
            if not low <= value <= high:
                raise ValueError(
                    f"TerrestrialCell.{field}: got {value} m; must be {low:g} to {high:g} m for {self.scenario}"
                )

    @property
    def station_m(self) -> float:
        """Height of the station's antenna in m."""
        height_m = self.station_height_m
        return _STATION_HEIGHT_M[self.scenario] if height_m is None else height_m


def break_point_m(cell: TerrestrialCell, freq_hz: ArrayLike) -> Array:
    """Return the ground distance in m from which the path loss in line of sight falls with its fourth power.

    RMa: 2 pi h_BS h_UT f / c; UMa and UMi: 4 (h_BS - 1 m) (h_UT - 1 m) f / c.

    Source: 3GPP TR 38.901, notes 1 and 5 of Table 7.4.1-1.

    Args:
        cell: Surroundings.
        freq_hz: Carrier frequency in Hz, [...].

    Returns:
        Distance in m, [...].
    """
    _, frequency = promote(freq_hz)
    if cell.scenario == "RMa":
        factor = 2.0 * math.pi * cell.station_m * cell.user_height_m
    else:
        factor = 4.0 * (cell.station_m - 1.0) * (cell.user_height_m - 1.0)
    return factor * frequency / _BREAK_POINT_LIGHT_SPEED_M_S


def path_loss_db(cell: TerrestrialCell, ground_distance_m: ArrayLike, freq_hz: ArrayLike, los: ArrayLike) -> Array:
    """Return the path loss without shadowing in dB.

    Source: 3GPP TR 38.901, Table 7.4.1-1.

    Args:
        cell: Surroundings.
        ground_distance_m: Distance between station and user on the ground in m, [...].
        freq_hz: Carrier frequency in Hz, [...].
        los: True in line of sight, [...] (array of the library of the distance, or a Python bool).

    Returns:
        Path loss in dB, [...].
    """
    xp, ground, frequency = promote(ground_distance_m, freq_hz)
    ground = xp.clip(ground, MIN_DISTANCE_M, None)
    distance = xp.hypot(ground, xp.asarray(cell.station_m - cell.user_height_m, dtype=ground.dtype))
    clear = _line_of_sight_db(cell, ground, distance, frequency)
    blocked = xp.maximum(clear, _no_line_of_sight_db(cell, distance, frequency))
    return xp.where(xp.asarray(los, dtype=xp.bool), clear, blocked)


def _line_of_sight_db(cell: TerrestrialCell, ground: Array, distance: Array, frequency: Array) -> Array:
    """PL1 up to the break point, PL2 beyond it."""
    xp, _ = promote(ground)
    log_f, log_d = xp.log10(frequency / 1e9), xp.log10(distance)
    break_point = break_point_m(cell, frequency)
    if cell.scenario == "RMa":
        h = cell.building_height_m

        def near_db(d: Array) -> Array:
            ripple = min(0.03 * h**1.72, 10.0) * xp.log10(d) - min(0.044 * h**1.72, 14.77)
            spread = 20.0 * xp.log10(40.0 * math.pi / 3.0 * d * frequency / 1e9)
            return spread + ripple + 0.002 * math.log10(h) * d

        # The table writes d_BP for two distances; the slant one here keeps the loss continuous.
        slant_break = xp.hypot(break_point, xp.asarray(cell.station_m - cell.user_height_m, dtype=ground.dtype))
        near = near_db(distance)
        far = near_db(slant_break) + 40.0 * xp.log10(distance / slant_break)
    else:
        offset, slope, correction = (28.0, 22.0, 9.0) if cell.scenario == "UMa" else (32.4, 21.0, 9.5)
        step_m = cell.station_m - cell.user_height_m
        near = offset + slope * log_d + 20.0 * log_f
        far = offset + 40.0 * log_d + 20.0 * log_f - correction * xp.log10(break_point**2 + step_m**2)
    return xp.where(ground <= break_point, near, far)


def _no_line_of_sight_db(cell: TerrestrialCell, distance: Array, frequency: Array) -> Array:
    """PL' of the table, before the maximum with the line-of-sight loss."""
    xp, _ = promote(distance)
    log_f, log_d = xp.log10(frequency / 1e9), xp.log10(distance)
    if cell.scenario == "UMa":
        return 13.54 + 39.08 * log_d + 20.0 * log_f - 0.6 * (cell.user_height_m - 1.5)
    if cell.scenario == "UMi":
        return 22.4 + 35.3 * log_d + 21.3 * log_f - 0.3 * (cell.user_height_m - 1.5)
    h, station = cell.building_height_m, cell.station_m
    fixed = 161.04 - 7.1 * math.log10(cell.street_width_m) + 7.5 * math.log10(h)
    fixed -= (24.37 - 3.7 * (h / station) ** 2) * math.log10(station)
    fixed -= 3.2 * math.log10(11.75 * cell.user_height_m) ** 2 - 4.97
    return fixed + (43.42 - 3.1 * math.log10(station)) * (log_d - 3.0) + 20.0 * log_f


def los_probability(cell: TerrestrialCell, ground_distance_m: ArrayLike) -> Array:
    """Return the probability of line of sight to a user outdoors.

    Source: 3GPP TR 38.901, Table 7.4.2-1 (UMa for users up to 13 m).

    Args:
        cell: Surroundings.
        ground_distance_m: Distance on the ground in m, [...].

    Returns:
        Probability, [...].
    """
    xp, ground = promote(ground_distance_m)
    if cell.scenario == "RMa":
        return xp.exp(-(xp.clip(ground, 10.0, None) - 10.0) / 1000.0)
    scale_m = 63.0 if cell.scenario == "UMa" else 36.0
    near = 18.0 / xp.clip(ground, 18.0, None)
    return near + xp.exp(-xp.clip(ground, 18.0, None) / scale_m) * (1.0 - near)


def shadow_sigma_db(cell: TerrestrialCell, ground_distance_m: ArrayLike, freq_hz: ArrayLike, los: ArrayLike) -> Array:
    """Return the standard deviation of shadow fading in dB.

    Source: 3GPP TR 38.901, Table 7.4.1-1 (RMa in line of sight: 4 dB up to the break point, 6 dB beyond).

    Args:
        cell: Surroundings.
        ground_distance_m: Distance on the ground in m, [...].
        freq_hz: Carrier frequency in Hz, [...].
        los: True in line of sight, [...] (array of the library of the distance, or a Python bool).

    Returns:
        Standard deviation in dB, [...].
    """
    xp, ground, frequency = promote(ground_distance_m, freq_hz)
    beyond = 6.0 if cell.scenario == "RMa" else 4.0
    blocked = {"RMa": 8.0, "UMa": 6.0, "UMi": 7.82}[cell.scenario]
    zero = 0.0 * (ground + frequency)
    clear = xp.where(ground <= break_point_m(cell, frequency), 4.0 + zero, beyond + zero)
    return xp.where(xp.asarray(los, dtype=xp.bool), clear, blocked + zero)
