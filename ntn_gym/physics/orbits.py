"""Circular orbits, Walker patterns and interpolation of ephemerides; closed forms on arrays.

Real satellites are propagated from their elements in `ntn_gym.physics.tle`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_EQUATORIAL_RADIUS_M, EARTH_J2, EARTH_MU_M3_S2


def mean_motion_rad_s(orbit_radius_m: ArrayLike) -> Array:
    """Return the angular rate of a circular orbit, sqrt(mu / a^3) (Kepler's third law).

    Args:
        orbit_radius_m: Distance from the Earth's centre in m, [...].

    Returns:
        Mean motion in rad/s, [...].
    """
    xp, radius = promote(orbit_radius_m)
    return xp.sqrt(EARTH_MU_M3_S2 / radius**3)


def period_s(orbit_radius_m: ArrayLike) -> Array:
    """Return the period of a circular orbit in s, 2 pi sqrt(a^3 / mu); `orbit_radius_m` in m, [...].

    Source: Kepler's third law; D. A. Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., equation
    1-26.
    """
    return 2.0 * math.pi / mean_motion_rad_s(orbit_radius_m)


def speed_m_s(orbit_radius_m: ArrayLike) -> Array:
    """Return the inertial speed on a circular orbit in m/s, sqrt(mu / a); `orbit_radius_m` in m, [...].

    Source: 3GPP TR 38.811 clause 6.7.1 uses the same expression for its Doppler.
    """
    xp, radius = promote(orbit_radius_m)
    return xp.sqrt(EARTH_MU_M3_S2 / radius)


def node_drift_rad_s(orbit_radius_m: ArrayLike, inclination_rad: ArrayLike) -> Array:
    """Return the secular drift of the ascending node of a circular orbit caused by the Earth's oblateness.

    d(RAAN)/dt = -3/2 J2 (R_E / a)^2 n cos i; westward (negative) for prograde orbits.

    Source: D. A. Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., equation 9-37 with e = 0.

    Args:
        orbit_radius_m: Distance from the Earth's centre in m, [...].
        inclination_rad: Inclination in rad, [...].

    Returns:
        Drift in rad/s, [...].
    """
    xp, radius, inclination = promote(orbit_radius_m, inclination_rad)
    flattening = -1.5 * EARTH_J2 * (EARTH_EQUATORIAL_RADIUS_M / radius) ** 2
    return flattening * xp.sqrt(EARTH_MU_M3_S2 / radius**3) * xp.cos(inclination)


@dataclass(frozen=True)
class WalkerShell:
    """A Walker pattern i: T/P/F of circular orbits.

    Source: J. G. Walker, "Satellite constellations", Journal of the British Interplanetary Society 37, 1984.

    Attributes:
        total: Number of satellites T.
        planes: Number of orbital planes P; divides T.
        phasing: F in 0..P-1; neighbouring planes are shifted by 360 F / T deg along the orbit.
        inclination_deg: Inclination in deg, 0..180.
        altitude_m: Height above the equatorial radius 6,378,137 m, in m.
        pattern: "delta" spreads the nodes over 360 deg, "star" over 180 deg.
        name: Prefix of the satellite names.
    """

    total: int
    planes: int
    phasing: int
    inclination_deg: float
    altitude_m: float
    pattern: Literal["delta", "star"] = "delta"
    name: str = "walker"

    def __post_init__(self) -> None:
        """Refuse patterns that do not exist."""
        if self.planes < 1 or self.total < 1 or self.total % self.planes:
            raise ValueError(
                f"Walker shell {self.name!r}: total={self.total} must be a positive multiple of planes={self.planes}"
            )
        if not 0 <= self.phasing < self.planes:
            raise ValueError(
                f"Walker shell {self.name!r}: phasing={self.phasing} must be in 0..planes - 1, "
                f"here 0..{self.planes - 1}"
            )
        if not 0.0 <= self.inclination_deg <= 180.0:
            raise ValueError(
                f"Walker shell {self.name!r}: inclination_deg={self.inclination_deg} must be in 0..180 deg"
            )
        if not 1.0e5 <= self.altitude_m <= 1.0e8:
            raise ValueError(f"Walker shell {self.name!r}: altitude_m={self.altitude_m} must be in 1e5..1e8 m, not km")
        if self.pattern not in ("delta", "star"):
            raise ValueError(f'Walker shell {self.name!r}: pattern={self.pattern!r} must be "delta" or "star"')

    @property
    def orbit_radius_m(self) -> float:
        """Distance of the satellites from the Earth's centre in m."""
        return EARTH_EQUATORIAL_RADIUS_M + self.altitude_m

    @property
    def inclination_rad(self) -> float:
        """Inclination in rad."""
        return math.radians(self.inclination_deg)

    @property
    def satellite_names(self) -> tuple[str, ...]:
        """Names "<name>-<plane>-<slot>" in the order of `walker_elements`."""
        return tuple(
            f"{self.name}-{plane:02d}-{slot:02d}"
            for plane in range(self.planes)
            for slot in range(self.total // self.planes)
        )


def walker_elements(shell: WalkerShell) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return node and argument of latitude of each satellite of a Walker pattern at its epoch.

    RAAN_p = 2 pi p / P (delta) or pi p / P (star); u = 2 pi s / S + 2 pi F p / T with S = T / P.

    Source: J. G. Walker, "Satellite constellations", Journal of the British Interplanetary Society 37, 1984
    (pattern i: T/P/F; star: nodes over half a turn).

    Args:
        shell: The pattern.

    Returns:
        Right ascension of the ascending node and argument of latitude in rad, each [T], ordered by plane and
        then slot, both in [0, 2 pi).
    """
    per_plane = shell.total // shell.planes
    plane = np.repeat(np.arange(shell.planes), per_plane)
    slot = np.tile(np.arange(per_plane), shell.planes)
    spread_rad = 2.0 * math.pi if shell.pattern == "delta" else math.pi
    raan_rad = spread_rad * plane / shell.planes
    # The integer remainder keeps equal phases exactly equal, whatever the rounding of the division.
    steps = (slot * shell.planes + shell.phasing * plane) % shell.total
    return raan_rad, 2.0 * math.pi * steps / shell.total


def propagate_circular(
    raan_rad: ArrayLike,
    arg_latitude_rad: ArrayLike,
    inclination_rad: ArrayLike,
    orbit_radius_m: ArrayLike,
    time_s: ArrayLike,
    node_drift: bool = True,
) -> tuple[Array, Array]:
    """Propagate circular orbits to many times.

    The argument of latitude grows with Kepler's mean motion; with `node_drift` the node drifts by
    `node_drift_rad_s`. The velocity is the exact time derivative of the position, drift included.

    Source: Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., section 2.5 (perifocal to
    inertial axes). Valid for design studies over days; real satellites need SGP4.

    Args:
        raan_rad: Right ascension of the ascending node at t = 0 in rad, [n_sat].
        arg_latitude_rad: Angle from the node along the orbit at t = 0 in rad, [n_sat].
        inclination_rad: Inclination in rad, scalar or [n_sat].
        orbit_radius_m: Distance from the Earth's centre in m, scalar or [n_sat].
        time_s: Times in s, [n_time].
        node_drift: Whether the node drifts with J2.

    Returns:
        Inertial position in m and velocity in m/s, each [n_sat, n_time, 3].
    """
    xp, raan0, latitude0, inclination, radius, time = promote(
        raan_rad, arg_latitude_rad, inclination_rad, orbit_radius_m, time_s
    )
    raan0, latitude0, inclination, radius = (
        xp.reshape(value, (-1, 1)) for value in xp.broadcast_arrays(raan0, latitude0, inclination, radius)
    )
    time = xp.reshape(time, (1, -1))
    motion = mean_motion_rad_s(radius)
    drift = node_drift_rad_s(radius, inclination) if node_drift else xp.zeros_like(radius)
    latitude = latitude0 + motion * time
    raan = raan0 + drift * time
    cos_u, sin_u, cos_node, sin_node = xp.cos(latitude), xp.sin(latitude), xp.cos(raan), xp.sin(raan)
    cos_i, sin_i = xp.cos(inclination), xp.sin(inclination)
    x = radius * (cos_node * cos_u - sin_node * sin_u * cos_i)
    y = radius * (sin_node * cos_u + cos_node * sin_u * cos_i)
    z = radius * sin_u * sin_i
    speed = radius * motion
    vx = speed * (-cos_node * sin_u - sin_node * cos_u * cos_i) - drift * y
    vy = speed * (-sin_node * sin_u + cos_node * cos_u * cos_i) + drift * x
    vz = speed * cos_u * sin_i
    return xp.stack((x, y, z), axis=-1), xp.stack((vx, vy, vz), axis=-1)


def hermite(
    position0_m: ArrayLike,
    velocity0_m_s: ArrayLike,
    position1_m: ArrayLike,
    velocity1_m_s: ArrayLike,
    step_s: ArrayLike,
    fraction: ArrayLike,
) -> tuple[Array, Array]:
    """Interpolate a motion between two states by the cubic that meets both positions and both velocities.

    Written as a correction to the straight line, p0 + s d + s (1 - s) [(1 - s)(h v0 - d) - s (h v1 - d)] with
    d = p1 - p0, which is the Hermite cubic. For circular motion of radius a and rate n the error is at most
    a (n h)^4 / 384: 0.35 m at 550 km and h = 60 s.

    Source: any text on interpolation, e.g. J. Stoer and R. Bulirsch, Introduction to Numerical Analysis,
    section 2.1.5.

    Args:
        position0_m: Position at the start in m, [..., 3].
        velocity0_m_s: Velocity at the start in m/s, [..., 3].
        position1_m: Position at the end in m, [..., 3].
        velocity1_m_s: Velocity at the end in m/s, [..., 3].
        step_s: Time between start and end in s, scalar or [...].
        fraction: Share of the step that has passed, in [0, 1] (outside it extrapolates), scalar or [...].

    Returns:
        Position in m and velocity in m/s, each [..., 3].
    """
    xp, p0, v0, p1, v1, step, s = promote(position0_m, velocity0_m_s, position1_m, velocity1_m_s, step_s, fraction)
    step, s = xp.expand_dims(step, axis=-1), xp.expand_dims(s, axis=-1)
    chord = p1 - p0
    excess0 = v0 * step - chord
    excess1 = v1 * step - chord
    rest = 1.0 - s
    position = p0 + s * (chord + rest * (rest * excess0 - s * excess1))
    # Derivative of s (1-s)^2 is (1-s)(1-3s), that of s^2 (1-s) is s (2-3s).
    velocity = (chord + rest * (1.0 - 3.0 * s) * excess0 - s * (2.0 - 3.0 * s) * excess1) / step
    return position, velocity
