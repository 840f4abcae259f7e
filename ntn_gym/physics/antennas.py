"""Aperture antennas and the beams of a satellite.

The pattern of a circular aperture (3GPP TR 38.811), a fast table of it for hot paths, the hexagonal layout of
beams in the UV plane (3GPP TR 38.821) and the direction of a user in that plane. Patterns without an aperture
(isotropic, Gaussian, flat-top, ITU-R masks, arrays) are in `ntn_gym.physics.antenna_patterns`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import array_api_compat
import array_api_compat.numpy as numpy_namespace
import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import SPEED_OF_LIGHT_M_S

_FIRST_NULL = 3.831_705_970_207_512  # first zero of J1
_TABLE_STEP = 1.0 / 512.0


def _bessel_j1(xp: Any, x: Array) -> Array:
    if array_api_compat.is_torch_namespace(xp):
        import torch  # only who passes torch tensors pays for it

        return torch.special.bessel_j1(x)
    from scipy.special import (
        j1,
    )  # late, because importing scipy.special takes longer than importing this package

    return j1(x)


def aperture_ka(diameter_m: ArrayLike, freq_hz: ArrayLike) -> Array:
    """Return the circumference of a circular aperture in wavelengths, k a = pi D f / c.

    Args:
        diameter_m: Diameter in m (TR 38.821 lists diameters, TR 38.811 writes the radius a), [...].
        freq_hz: Frequency in Hz, [...].

    Returns:
        k a, dimensionless, [...].
    """
    _, diameter, freq = promote(diameter_m, freq_hz)
    return math.pi * diameter * freq / SPEED_OF_LIGHT_M_S


def aperture_max_gain_dbi(diameter_m: ArrayLike, freq_hz: ArrayLike, efficiency: float = 1.0) -> Array:
    """Return the gain of a circular aperture at boresight, 10 log10(efficiency (pi D / lambda)^2).

    Source: C. A. Balanis, Antenna Theory, 4th ed., section 12.5 (circular aperture, uniform distribution).

    Args:
        diameter_m: Diameter in m, [...].
        freq_hz: Frequency in Hz, [...].
        efficiency: Aperture efficiency in (0, 1].

    Returns:
        Gain in dBi, [...].
    """
    xp, ka = promote(aperture_ka(diameter_m, freq_hz))
    return 10.0 * xp.log10(efficiency * ka**2)


def aperture_gain(off_axis_rad: ArrayLike, diameter_m: ArrayLike, freq_hz: ArrayLike) -> Array:
    """Return the power pattern of a circular aperture relative to its boresight.

    1 at theta = 0; 4 |J1(k a sin theta) / (k a sin theta)|^2 for 0 < |theta| <= 90 deg. Behind the aperture,
    where the source defines nothing, the result is 0.

    Source: 3GPP TR 38.811 clause 6.4.1.

    Args:
        off_axis_rad: Angle from the boresight in rad, [...].
        diameter_m: Diameter of the aperture in m, [...].
        freq_hz: Frequency in Hz, [...].

    Returns:
        Linear gain relative to the boresight, 0..1, [...].
    """
    xp, angle, ka = promote(off_axis_rad, aperture_ka(diameter_m, freq_hz))
    x = ka * xp.sin(xp.abs(angle))
    # Below 1e-4 the quotient loses digits; 1 - x^2/4 is exact there to 1e-17.
    small = xp.abs(x) < 1e-4
    safe = xp.where(small, xp.ones_like(x), x)
    gain = xp.where(small, 1.0 - x**2 / 4.0, (2.0 * _bessel_j1(xp, safe) / safe) ** 2)
    return xp.where(xp.abs(angle) <= math.pi / 2.0, gain, xp.zeros_like(gain))


def aperture_gain_db(
    off_axis_rad: ArrayLike, diameter_m: ArrayLike, freq_hz: ArrayLike, floor_db: float = -100.0
) -> Array:
    """Return `aperture_gain` in dB, with its nulls filled up to a floor.

    Args:
        off_axis_rad: Angle from the boresight in rad, [...].
        diameter_m: Diameter of the aperture in m, [...].
        freq_hz: Frequency in Hz, [...].
        floor_db: Least result in dB; real antennas have no exact nulls, and an infinite loss must not leave
            here.

    Returns:
        Gain relative to the boresight in dB, `floor_db`..0, [...].
    """
    xp, gain = promote(aperture_gain(off_axis_rad, diameter_m, freq_hz))
    return 10.0 * xp.log10(xp.clip(gain, 10.0 ** (floor_db / 10.0), None))


def aperture_angle_rad(level_db: float, diameter_m: ArrayLike, freq_hz: ArrayLike) -> Array:
    """Return the angle from the boresight at which the main lobe of an aperture has fallen to a level.

    Solves 4 (J1(x) / x)^2 = 10^(level / 10) for x below the first null of J1 and returns asin(x / k a).

    Source: 3GPP TR 38.811 clause 6.4.1.

    Args:
        level_db: Level relative to the boresight in dB, below 0 and above -200.
        diameter_m: Diameter of the aperture in m, [...].
        freq_hz: Frequency in Hz, [...].

    Returns:
        Off-axis angle in rad, [...].

    Raises:
        ValueError: When the level is out of range, or the aperture is so small that its pattern never falls
            to it.
    """
    from scipy.optimize import brentq
    from scipy.special import j1

    if not -200.0 < level_db < 0.0:
        raise ValueError(f"aperture_angle_rad: level_db={level_db} must be between -200 and 0 dB")
    amplitude = 10.0 ** (level_db / 20.0)
    x = float(brentq(lambda value: 2.0 * j1(value) / value - amplitude, 1e-9, _FIRST_NULL, xtol=1e-14))
    xp, ka = promote(aperture_ka(diameter_m, freq_hz))
    if bool(xp.any(ka < x)):
        raise ValueError(
            f"aperture_angle_rad: pi D f / c = {float(xp.min(ka)):.3g} is below {x:.3g}: the beam of so "
            f"small an aperture never falls to {level_db} dB; enlarge diameter_m or raise freq_hz"
        )
    return xp.asin(x / ka)


def half_power_beamwidth_rad(diameter_m: ArrayLike, freq_hz: ArrayLike) -> Array:
    """Return the full angle between the half-power points of a circular aperture, 2 asin(1.61634 / k a).

    Source: 3GPP TR 38.811 clause 6.4.1; gives the beamwidths of 3GPP TR 38.821 tables 6.1.1.1-1 and
    6.1.1.1-2.

    Args:
        diameter_m: Diameter of the aperture in m, [...].
        freq_hz: Frequency in Hz, [...].

    Returns:
        Full 3 dB width in rad, [...].

    Raises:
        ValueError: When the aperture is too small to have half-power points (D < 0.51 wavelengths).
    """
    return 2.0 * aperture_angle_rad(10.0 * math.log10(0.5), diameter_m, freq_hz)


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


def sin2_between(unit_a: ArrayLike, unit_b: ArrayLike) -> Array:
    """Return the squared sine of the angle between unit vectors, c (1 - c / 4) with c = |a - b|^2.

    Keeps its precision at small angles, where 1 - (a . b)^2 cancels.

    Args:
        unit_a: Unit vectors, [..., n].
        unit_b: Unit vectors, [..., n].

    Returns:
        Squared sine, 0..1, [...].
    """
    xp, a, b = promote(unit_a, unit_b)
    chord2 = xp.sum((a - b) ** 2, axis=-1)
    return chord2 * (1.0 - chord2 / 4.0)


def uv_of_user(sat_ecef_m: ArrayLike, sat_velocity_ecef_m_s: ArrayLike, user_ecef_m: ArrayLike) -> Array:
    """Return the direction of a user in the UV plane of a satellite.

    u and v are the components of the unit vector to the user along track and across track (to the right of
    the flight); the nadir (towards the Earth's centre) is (0, 0), and |(u, v)| is the sine of the nadir
    angle. "Along track" is the part of the Earth-fixed velocity orthogonal to the nadir, so that a user fixed
    on the ground moves along -u and a beam along the ground track; with an inertial velocity the axes would
    be yawed by up to 4 deg.

    Source: 3GPP TR 38.821 clause 6.1.1.1 (UV plane: perpendicular to the satellite-Earth line).

    Args:
        sat_ecef_m: Position of the satellite in m, [..., 3].
        sat_velocity_ecef_m_s: Earth-fixed velocity of the satellite in m/s, [..., 3].
        user_ecef_m: Position of the user in m, on the Earth's side of the satellite, [..., 3].

    Returns:
        (u, v), dimensionless, [..., 2].
    """
    xp, satellite, velocity, user = promote(sat_ecef_m, sat_velocity_ecef_m_s, user_ecef_m)

    def unit(vector: Array) -> Array:
        return vector / xp.sqrt(xp.sum(vector * vector, axis=-1, keepdims=True))

    nadir = unit(-satellite)
    along = unit(velocity - xp.sum(velocity * nadir, axis=-1, keepdims=True) * nadir)
    direction = unit(user - satellite)
    right = xp.linalg.cross(*xp.broadcast_arrays(nadir, along))
    return xp.stack((xp.sum(direction * along, axis=-1), xp.sum(direction * right, axis=-1)), axis=-1)


def beam_spacing_uv(beamwidth_rad: ArrayLike) -> Array:
    """Return the distance of neighbouring beam centres in the UV plane, sqrt(3) sin(theta_3dB / 2).

    The half-power circles of three neighbours then meet in one point.

    Source: 3GPP TR 38.821 clause 6.1.1.1 (adjacent beam spacing).

    Args:
        beamwidth_rad: Full half-power beamwidth in rad, [...].

    Returns:
        Spacing, dimensionless, [...].
    """
    xp, width = promote(beamwidth_rad)
    return math.sqrt(3.0) * xp.sin(width / 2.0)


def hexagonal_axial(n_rings: int) -> NDArray[np.int64]:
    """Return the axial coordinates (q, r) of a hexagonal layout, centre first and then ring by ring.

    The cell (q, r) lies at q (1, 0) + r (1/2, sqrt(3)/2) spacings. Each ring starts on the u axis and runs
    counter-clockwise.

    Args:
        n_rings: Number of rings around the centre, >= 0.

    Returns:
        Integer coordinates, [1 + 3 n (n + 1), 2].

    Raises:
        ValueError: When the number of rings is negative.
    """
    if n_rings < 0:
        raise ValueError(f"hexagonal_axial: n_rings={n_rings} must be >= 0")
    steps = ((-1, 1), (-1, 0), (0, -1), (1, -1), (1, 0), (0, 1))
    cells = [(0, 0)]
    for ring in range(1, n_rings + 1):
        q, r = ring, 0
        for dq, dr in steps:
            for _ in range(ring):
                cells.append((q, r))
                q, r = q + dq, r + dr
    return np.array(cells, dtype=np.int64)


def hexagonal_beams_uv(n_rings: int, spacing: float) -> NDArray[np.float64]:
    """Return the centres of hexagonally packed beams.

    Source: 3GPP TR 38.821 clause 6.1.1.1 (19 beams with 2 rings, 37 with 3, 61 with 4).

    Args:
        n_rings: Number of rings around the central beam, >= 0.
        spacing: Distance of neighbours, `beam_spacing_uv` for the UV plane (any other unit works as well).
            Centres with u^2 + v^2 >= 1 are no directions: drop them where the layout is that wide.

    Returns:
        Centres (u, v), [1 + 3 n (n + 1), 2], in the order of `hexagonal_axial`.

    Raises:
        ValueError: When the number of rings is negative or the spacing is not positive.
    """
    if not spacing > 0.0:
        raise ValueError(f"hexagonal_beams_uv: spacing={spacing} must be positive")
    basis = np.array([[1.0, 0.0], [0.5, math.sqrt(3.0) / 2.0]])
    centres: NDArray[np.float64] = spacing * (hexagonal_axial(n_rings) @ basis)
    return centres


def hexagonal_colours(n_rings: int, n_colours: int) -> NDArray[np.int64]:
    """Return the colour (frequency or polarisation) of each beam of a hexagonal layout.

    Cells of one colour form the lattice of reuse distance sqrt(3 N) cell radii: (q - r) mod 3, (q mod 2) + 2
    (r mod 2), (q + 3 r) mod 7. Neighbours never share a colour for N = 3, 4 or 7.

    Source: V. H. MacDonald, "The cellular concept", Bell System Technical Journal 58 (1), 1979 (N = i^2 + i j
    + j^2); 3GPP TR 38.821 clause 6.1.1.1 uses N = 1 and 3, and 2 frequencies with 2 polarisations as N = 4.

    Args:
        n_rings: Number of rings around the central beam.
        n_colours: Reuse factor N: 1, 3, 4 or 7.

    Returns:
        Colour 0..N - 1, [n_beams], in the order of `hexagonal_axial`.

    Raises:
        ValueError: When the reuse factor is not 1, 3, 4 or 7.
    """
    q, r = hexagonal_axial(n_rings).T
    colours: dict[int, NDArray[np.int64]] = {
        1: np.zeros_like(q),
        3: (q - r) % 3,
        4: q % 2 + 2 * (r % 2),
        7: (q + 3 * r) % 7,
    }
    if n_colours not in colours:
        raise ValueError(f"hexagonal_colours: n_colours={n_colours} must be 1, 3, 4 or 7")
    return colours[n_colours]
