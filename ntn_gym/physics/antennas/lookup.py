"""A fast table of the aperture pattern for hot paths."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import array_api_compat
import array_api_compat.numpy as numpy_namespace
import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.antennas.aperture import aperture_ka
from ntn_gym.physics.arrays import Array, ArrayLike, promote

_TABLE_STEP = 1.0 / 512.0


@dataclass(frozen=True, eq=False)
class ApertureTable:
    """Fast `aperture_gain` for hot paths: one linear look-up in x = k a sin(theta), float32.

    The error is below 0.005 dB where the pattern is above -40 dB and below 0.02 dB above -50 dB. Everything
    below `floor_db` (nulls, far side lobes) is raised to it, so that results are finite and the table ends
    where the pattern stays below the floor.

    Attributes:
        ka: pi D f / c of the aperture.
        floor_db: Least gain relative to the boresight in dB.
        db: Gain in dB at equal steps of x.
        linear: Linear gain at the same points.
    """

    ka: float
    floor_db: float
    db: NDArray[np.float32] = field(repr=False)
    linear: NDArray[np.float32] = field(repr=False)

    def gain_db(self, sin2_off_axis: ArrayLike) -> Array:
        """Return the gain relative to the boresight in dB, float32.

        Args:
            sin2_off_axis: Squared sine of the angle from the boresight (`sin2_between`), [...]; the angle
                must be below 90 deg, which the squared sine cannot tell.
        """
        return self._look_up(self.db, sin2_off_axis, self.floor_db)

    def gain(self, sin2_off_axis: ArrayLike) -> Array:
        """Return the linear gain relative to the boresight, float32; the argument is that of `gain_db`."""
        return self._look_up(self.linear, sin2_off_axis, 10.0 ** (self.floor_db / 10.0))

    def _look_up(self, table: NDArray[np.float32], sin2_off_axis: ArrayLike, floor: float) -> Array:
        xp, sin2 = promote(sin2_off_axis)
        # torch does not take read-only memory
        values = table if xp is numpy_namespace else xp.asarray(table.copy(), device=array_api_compat.device(sin2))
        # Rounding can leave a squared sine a little below 0.
        position = xp.sqrt(xp.clip(xp.astype(sin2, xp.float32), 0.0, None)) * (self.ka / _TABLE_STEP)
        position = xp.clip(position, None, float(len(table) - 2))
        index = xp.astype(position, xp.int32)
        share = position - xp.astype(index, xp.float32)
        flat = xp.reshape(index, (-1,))
        low = xp.reshape(xp.take(values, flat, axis=0), index.shape)
        high = xp.reshape(xp.take(values, flat + 1, axis=0), index.shape)
        return xp.clip(low + share * (high - low), floor, None)


def aperture_table(diameter_m: float, freq_hz: float, floor_db: float = -50.0) -> ApertureTable:
    """Tabulate the pattern of a circular aperture.

    Side lobes of a uniform aperture stay below 2 sqrt(2 / pi) x^-1.5 in amplitude (asymptote of J1), which
    tells where the table may end: 64 in x at -50 dB, whatever the size of the antenna.

    Source: 3GPP TR 38.811 clause 6.4.1; NIST Digital Library of Mathematical Functions, 10.17.3 and 10.14.1.

    Args:
        diameter_m: Diameter of the aperture in m.
        freq_hz: Frequency in Hz.
        floor_db: Least gain relative to the boresight in dB, -60..-20.

    Returns:
        The table.

    Raises:
        ValueError: When a setting is out of its range.
    """
    if not (diameter_m > 0.0 and freq_hz > 0.0):
        raise ValueError(f"aperture_table: diameter_m={diameter_m} m and freq_hz={freq_hz} Hz must be positive")
    if not -60.0 <= floor_db <= -20.0:
        raise ValueError(f"aperture_table: floor_db={floor_db} must be in -60..-20 dB")
    from scipy.special import j1

    ka = float(aperture_ka(diameter_m, freq_hz))
    end = min(ka, (2.0 * math.sqrt(2.0 / math.pi) / 10.0 ** (floor_db / 20.0)) ** (2.0 / 3.0) + 1.0)
    x = np.arange(math.ceil(end / _TABLE_STEP) + 3) * _TABLE_STEP
    linear = np.ones_like(x)
    linear[1:] = (2.0 * j1(x[1:]) / x[1:]) ** 2
    # The floor is applied after the look-up: a bend inside a step of the table would cost 0.25 dB.
    deep = np.maximum(linear, 10.0 ** (floor_db / 10.0 - 3.0))
    tables = [(10.0 * np.log10(deep)).astype(np.float32), linear.astype(np.float32)]
    for table in tables:
        table.flags.writeable = False
    return ApertureTable(ka, floor_db, *tables)
