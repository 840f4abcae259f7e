"""Free-space loss and the large-scale tables of 3GPP TR 38.811: LoS probability, shadowing, clutter loss.

Basic path loss (TR 38.811 equation 6.6-1): PL = FSPL + SF + CL, with SF normal of zero mean (in dB) and CL =
0 in line of sight. The tables hold one value for each elevation 10, 20, ..., 90 deg; below and above they are
clamped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ntn_gym.data import read_json
from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.validity import refuse_non_positive

Environment = Literal["dense_urban", "urban", "suburban", "rural"]
Band = Literal["S", "Ka"]
Lookup = Literal["linear", "nearest"]

GRID_START_DEG = 10.0
GRID_STEP_DEG = 10.0
GRID_LAST = 8
_TIE_TOLERANCE = 2e-6
"""In grid steps: an elevation given as 15 deg in float32 or float64 counts as the tie it is meant to be."""


def free_space_path_loss_db(range_m: ArrayLike, freq_hz: ArrayLike) -> Array:
    """Return the free-space path loss 32.45 + 20 log10(f / GHz) + 20 log10(d / m) in dB.

    Source: 3GPP TR 38.811 V15.4.0, equation 6.6-2. Its rounded constant is kept (exact: 32.4478), so that the
    calibration cases agree digit by digit.

    Args:
        range_m: Distance in m, positive, [...].
        freq_hz: Carrier frequency in Hz, positive, [...].

    Returns:
        Loss in dB, [...].

    Raises:
        ValueError: If a distance or a frequency is not positive.
    """
    xp, distance_m, frequency_hz = promote(range_m, freq_hz)
    refuse_non_positive("range_m", distance_m, "m")
    refuse_non_positive("freq_hz", frequency_hz, "Hz")
    return 32.45 + 20.0 * (xp.log10(frequency_hz / 1e9) + xp.log10(distance_m))


@dataclass(frozen=True)
class LargeScaleTable:
    """One environment and band of the TR 38.811 tables; read-only float64 arrays over 10, 20, ..., 90 deg.

    Attributes:
        environment: Environment name; suburban and rural share one table.
        band: "S" or "Ka".
        los_probability: Probability of line of sight (Table 6.6.1-1), [9].
        shadow_sigma_los_db: Standard deviation of shadowing in LoS in dB (Tables 6.6.2-1 to -3), [9].
        shadow_sigma_nlos_db: The same without line of sight, [9].
        clutter_loss_db: Clutter loss without line of sight in dB (Tables 6.6.2-1 to -3), [9].
    """

    environment: Environment
    band: Band
    los_probability: NDArray[np.float64]
    shadow_sigma_los_db: NDArray[np.float64]
    shadow_sigma_nlos_db: NDArray[np.float64]
    clutter_loss_db: NDArray[np.float64]


def _one_of(field: str, value: str, allowed: Any) -> None:
    if value not in get_args(allowed):
        raise ValueError(f"{field}: got {value!r}; must be one of {', '.join(get_args(allowed))}")


@cache
def large_scale_table(environment: Environment, band: Band) -> LargeScaleTable:
    """Return the TR 38.811 table of an environment and band (loaded once, immutable).

    Source: 3GPP TR 38.811 V15.4.0, Tables 6.6.1-1 and 6.6.2-1 to 6.6.2-3.

    Args:
        environment: "dense_urban", "urban", "suburban" or "rural".
        band: "S" or "Ka".

    Returns:
        The table.

    Raises:
        ValueError: If a name is unknown.
    """
    _one_of("environment", environment, Environment)
    _one_of("band", band, Band)
    name = "suburban_rural" if environment in ("suburban", "rural") else environment
    rows = read_json("tables/tr38811.json")["environments"][name]

    def column(values: list[float]) -> NDArray[np.float64]:
        array = np.asarray(values, dtype=np.float64)
        array.setflags(write=False)
        return array

    return LargeScaleTable(
        environment,
        band,
        column(rows["los_probability"]),
        column(rows[band]["shadow_sigma_los_db"]),
        column(rows[band]["shadow_sigma_nlos_db"]),
        column(rows[band]["clutter_loss_db"]),
    )


def band_of(freq_hz: float) -> Band:
    """Return which table of TR 38.811 clause 6.6.2 serves a carrier: "S" below 6 GHz, "Ka" from there.

    The document labels its tables S band and Ka band without a limit in between; 6 GHz, where 3GPP's lower
    frequency range was first drawn, is the choice of this package.

    Source: 3GPP TR 38.811 V15.4.0, clause 6.6.2 (S band and Ka band tables).

    Args:
        freq_hz: Carrier frequency in Hz, 0.5 to 100 GHz.

    Returns:
        "S" or "Ka".

    Raises:
        ValueError: If the frequency is outside the range of the document.
    """
    if not 0.5e9 <= freq_hz <= 100e9:
        raise ValueError(f"freq_hz: got {freq_hz:g} Hz; TR 38.811 covers 0.5e9 to 100e9 Hz")
    return "S" if freq_hz < 6e9 else "Ka"


def table_lookup(values: ArrayLike, elev_rad: ArrayLike, mode: Lookup = "linear") -> Array:
    """Read a table on the elevation grid 10, 20, ..., 90 deg, clamped at its ends.

    Source: TR 38.811 clauses 6.6.1 and 6.6.2 say to take the reference angle nearest to the elevation
    ("nearest"; a tie, such as 15 deg, is left open there and rounds up here). "linear" interpolates between
    the reference angles: no jumps along a pass.

    Args:
        values: Nine table values.
        elev_rad: Elevation in rad, [...].
        mode: "linear" or "nearest".

    Returns:
        Values, [...], of the library and floating type of `elev_rad`.

    Raises:
        ValueError: If the mode is unknown.
    """
    _one_of("mode", mode, Lookup)
    xp, elevation = promote(elev_rad)
    table = xp.asarray(np.array(values), dtype=elevation.dtype, device=getattr(elevation, "device", None))
    step = (elevation * (180.0 / math.pi) - GRID_START_DEG) / GRID_STEP_DEG
    step = xp.clip(step, 0.0, float(GRID_LAST))
    if mode == "nearest":
        return table[xp.astype(xp.floor(step + (0.5 + _TIE_TOLERANCE)), xp.int64)]
    lower = xp.clip(xp.floor(step), 0.0, GRID_LAST - 1.0)
    fraction = step - lower
    index = xp.astype(lower, xp.int64)
    return table[index] * (1.0 - fraction) + table[index + 1] * fraction


def los_probability(elev_rad: ArrayLike, environment: Environment, mode: Lookup = "linear") -> Array:
    """Return the probability of line of sight.

    Source: 3GPP TR 38.811 V15.4.0, Table 6.6.1-1.

    Args:
        elev_rad: Elevation in rad, [...].
        environment: "dense_urban", "urban", "suburban" or "rural".
        mode: "linear" or "nearest", see `table_lookup`.

    Returns:
        Probability, [...].

    Raises:
        ValueError: If the environment or the mode is unknown.
    """
    return table_lookup(large_scale_table(environment, "S").los_probability, elev_rad, mode)


def shadow_sigma_db(
    elev_rad: ArrayLike, environment: Environment, band: Band, los: ArrayLike, mode: Lookup = "nearest"
) -> Array:
    """Return the standard deviation of shadow fading in dB.

    Source: 3GPP TR 38.811 V15.4.0, Tables 6.6.2-1 to 6.6.2-3.

    Args:
        elev_rad: Elevation in rad, [...].
        environment: "dense_urban", "urban", "suburban" or "rural".
        band: "S" or "Ka".
        los: True in line of sight, [...] (array of the library of `elev_rad`, or a Python bool).
        mode: "linear" or "nearest", see `table_lookup`.

    Returns:
        Standard deviation in dB, [...].

    Raises:
        ValueError: If the environment, the band or the mode is unknown.
    """
    table = large_scale_table(environment, band)
    clear = table_lookup(table.shadow_sigma_los_db, elev_rad, mode)
    blocked = table_lookup(table.shadow_sigma_nlos_db, elev_rad, mode)
    return _select(los, clear, blocked)


def clutter_loss_db(
    elev_rad: ArrayLike, environment: Environment, band: Band, los: ArrayLike, mode: Lookup = "nearest"
) -> Array:
    """Return the clutter loss in dB: zero in line of sight, the table's value otherwise.

    Source: 3GPP TR 38.811 V15.4.0, Tables 6.6.2-1 to 6.6.2-3 and clause 6.6.2.

    Args:
        elev_rad: Elevation in rad, [...].
        environment: "dense_urban", "urban", "suburban" or "rural".
        band: "S" or "Ka".
        los: True in line of sight, [...] (array of the library of `elev_rad`, or a Python bool).
        mode: "linear" or "nearest", see `table_lookup`.

    Returns:
        Loss in dB, [...].

    Raises:
        ValueError: If the environment, the band or the mode is unknown.
    """
    blocked = table_lookup(large_scale_table(environment, band).clutter_loss_db, elev_rad, mode)
    return _select(los, 0.0 * blocked, blocked)


def _select(los: ArrayLike, clear: Array, blocked: Array) -> Array:
    """Choose by line of sight; `los` may be a Python bool or a boolean array."""
    xp, _ = promote(clear)
    condition = xp.asarray(los, dtype=xp.bool, device=getattr(clear, "device", None))
    return xp.where(condition, clear, blocked)
