"""Satellites' positions over a time window: states on a coarse grid, and cubic interpolation between them.

Building a grid costs a tenth of a second for a large constellation; a look-up costs a few array operations.
Grids are read-only and shared: asking twice for the same one returns the same object, so that many
environments of one process hold one copy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntn_gym import data
from ntn_gym.physics.frames import (
    SECONDS_PER_DAY,
    gmst_rad,
    julian_date,
    teme_to_ecef,
    utc_text,
)
from ntn_gym.physics.orbits import WalkerShell, hermite, propagate_circular, walker_elements
from ntn_gym.physics.tle import Tle, parse_tle, propagate_tle

WALKER_START_UTC = "2025-03-20T12:00:00Z"
"""Default start of Walker grids: an equinox at noon."""

_TABLE = "tables/constellations.json"
_MAX_STEP_S = 300.0  # cubic interpolation errs by 0.2 km there in low orbits, as much as the elements themselves
_MAX_AGE_DAYS = 30.0  # SGP4 errs by some km per day; after a month a satellite is elsewhere in its pass
_MAX_STATES = 40_000_000  # 2 GB of float64 positions and velocities


@dataclass(frozen=True, eq=False)
class EphemerisGrid:
    """Earth-fixed states of satellites at equal time steps.

    Attributes:
        names: Name of each satellite, length N.
        start_utc: ISO 8601 UTC time of the first column.
        step_s: Time between columns in s.
        position_m: ECEF positions in m, float64 [N, G, 3], read-only.
        velocity_m_s: ECEF velocities (relative to the rotating Earth) in m/s, float64 [N, G, 3], read-only.
    """

    names: tuple[str, ...]
    start_utc: str
    step_s: float
    position_m: NDArray[np.float64]
    velocity_m_s: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check shapes and values, and make the arrays read-only."""
        julian_date(self.start_utc)
        if not self.step_s > 0.0:
            raise ValueError(f"EphemerisGrid: step_s={self.step_s} must be positive (s)")
        for field in ("position_m", "velocity_m_s"):
            array = np.ascontiguousarray(getattr(self, field), dtype=np.float64).view()
            if array.ndim != 3 or array.shape[0] != len(self.names) or array.shape[1] < 2 or array.shape[2] != 3:
                raise ValueError(
                    f"EphemerisGrid: {field} has shape {array.shape}, expected ({len(self.names)} names, >= 2 times, 3)"
                )
            if not np.isfinite(array).all():
                raise ValueError(f"EphemerisGrid: {field} holds NaN or infinity")
            array.flags.writeable = False
            object.__setattr__(self, field, array)
        if self.position_m.shape != self.velocity_m_s.shape:
            raise ValueError(
                f"EphemerisGrid: position_m has shape {self.position_m.shape}, "
                f"velocity_m_s {self.velocity_m_s.shape}; they must be equal"
            )

    @property
    def n_satellites(self) -> int:
        """Number of satellites N."""
        return len(self.names)

    @property
    def window_s(self) -> float:
        """Length of the window in s; `interpolate` is valid from 0 to this time."""
        return float((self.position_m.shape[1] - 1) * self.step_s)

    def check_times(self, first_s: float, last_s: float) -> None:
        """Refuse a time span that leaves the window; call it once per episode, not per look-up.

        Raises:
            ValueError: When [first_s, last_s] is not inside [0, window_s].
        """
        if not 0.0 <= first_s <= last_s <= self.window_s:
            raise ValueError(
                f"times {first_s}..{last_s} s leave the ephemeris window 0..{self.window_s} s that starts at "
                f"{self.start_utc}; build the grid with a longer duration_s"
            )

    def interpolate(
        self, satellite_index: NDArray[np.integer[Any]] | int, time_s: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return states at any time of the window by cubic Hermite interpolation.

        With the default step of 60 s the error is below 0.4 m and 0.05 m/s in low orbits. Times outside the
        window extrapolate the first or last cubic: `check_times` is the guard. All satellites at all times:
        `interpolate(np.arange(grid.n_satellites)[:, None], time_s)`.

        Args:
            satellite_index: Index of the satellite, int [...].
            time_s: Time since `start_utc` in s, [...], broadcast against the index.

        Returns:
            ECEF position in m and velocity in m/s, each [..., 3].
        """
        n_times = self.position_m.shape[1]
        steps = np.asarray(time_s, dtype=np.float64) / self.step_s
        column = np.minimum(np.maximum(np.floor(steps), 0.0), n_times - 2.0)
        row = np.asarray(satellite_index) * n_times + column.astype(np.int64)
        position, velocity = self.position_m.reshape(-1, 3), self.velocity_m_s.reshape(-1, 3)
        return hermite(
            position.take(row, axis=0),
            velocity.take(row, axis=0),
            position.take(row + 1, axis=0),
            velocity.take(row + 1, axis=0),
            self.step_s,
            steps - column,
        )


def _grid_points(n_satellites: int, duration_s: float, step_s: float) -> int:
    if not 0.0 < step_s <= _MAX_STEP_S:
        raise ValueError(f"step_s={step_s} must be in (0, {_MAX_STEP_S:g}] s; wider steps are too inaccurate")
    if not (math.isfinite(duration_s) and duration_s > 0.0):
        raise ValueError(f"duration_s={duration_s} must be positive and finite (s)")
    points = max(2, math.ceil(duration_s / step_s - 1e-9) + 1)
    if n_satellites * points > _MAX_STATES:
        raise ValueError(
            f"{n_satellites} satellites x {points} times exceed {_MAX_STATES} states (2 GB); shorten "
            f"duration_s={duration_s} s or widen step_s={step_s} s"
        )
    return points


def _julian_times(start_utc: str, points: int, step_s: float) -> tuple[float, NDArray[Any]]:
    jd, fraction = julian_date(start_utc)
    return jd, fraction + np.arange(points) * (step_s / SECONDS_PER_DAY)


def walker_grid(
    shells: WalkerShell | Sequence[WalkerShell],
    duration_s: float,
    step_s: float = 60.0,
    j2: bool = True,
    start_utc: str = WALKER_START_UTC,
) -> EphemerisGrid:
    """Return the shared grid of one or several Walker patterns.

    Args:
        shells: The patterns; their nodes are counted from the vernal equinox at `start_utc`.
        duration_s: Least length of the window in s; rounded up to whole steps.
        step_s: Time between columns in s, at most 300.
        j2: Whether the nodes drift with the Earth's oblateness.
        start_utc: ISO 8601 UTC time of the first column.

    Returns:
        The grid, built on first use and then shared.

    Raises:
        ValueError: When a setting is out of its range.
    """
    patterns = (shells,) if isinstance(shells, WalkerShell) else tuple(shells)
    if not patterns:
        raise ValueError("walker_grid: shells is empty; give at least one WalkerShell")
    points = _grid_points(sum(shell.total for shell in patterns), duration_s, step_s)
    return _walker_grid(patterns, points, float(step_s), bool(j2), start_utc)


@lru_cache(maxsize=4)
def _walker_grid(
    shells: tuple[WalkerShell, ...], points: int, step_s: float, j2: bool, start_utc: str
) -> EphemerisGrid:
    time_s = np.arange(points) * step_s
    angle_rad = gmst_rad(*_julian_times(start_utc, points, step_s))
    positions, velocities = [], []
    names: list[str] = []
    for shell in shells:
        inertial = propagate_circular(
            *walker_elements(shell), shell.inclination_rad, shell.orbit_radius_m, time_s, node_drift=j2
        )
        position, velocity = teme_to_ecef(*inertial, angle_rad)
        positions.append(position)
        velocities.append(velocity)
        names.extend(shell.satellite_names)
    return EphemerisGrid(tuple(names), start_utc, step_s, np.concatenate(positions), np.concatenate(velocities))


def default_start_utc(satellites: Sequence[Tle]) -> str:
    """Return the default start for real elements: noon UTC after the newest epoch of the list.

    All elements are then propagated forwards, by at most the spread of the epochs plus a day.
    """
    return _default_start_utc(tuple(satellites))


@lru_cache(maxsize=8)
def _default_start_utc(satellites: tuple[Tle, ...]) -> str:
    newest = max(satellite.epoch_utc for satellite in satellites)
    noon = datetime(newest.year, newest.month, newest.day, 12, tzinfo=UTC)
    return utc_text(noon if noon > newest else noon + timedelta(days=1))


def tle_grid(
    satellites: Sequence[Tle], duration_s: float, start_utc: str | None = None, step_s: float = 60.0
) -> EphemerisGrid:
    """Return the shared grid of real satellites, propagated by SGP4 and rotated to ECEF by sidereal time.

    Args:
        satellites: Checked elements, e.g. of `parse_tle` or `named_tle`.
        duration_s: Least length of the window in s; rounded up to whole steps.
        start_utc: ISO 8601 UTC time of the first column; default `default_start_utc`. The window must lie
            within 30 days of the epoch of every satellite.
        step_s: Time between columns in s, at most 300.

    Returns:
        The grid, built on first use and then shared.

    Raises:
        ValueError: When a setting is out of its range, or the window is too far from an epoch.
        PropagationError: When a satellite cannot be propagated over the whole window.
    """
    elements = tuple(satellites)
    if not elements:
        raise ValueError("tle_grid: satellites is empty; give at least one")
    points = _grid_points(len(elements), duration_s, step_s)
    return _tle_grid(elements, points, float(step_s), start_utc or default_start_utc(elements))


@lru_cache(maxsize=4)
def _tle_grid(satellites: tuple[Tle, ...], points: int, step_s: float, start_utc: str) -> EphemerisGrid:
    jd, fraction = _julian_times(start_utc, points, step_s)
    for tle in satellites:
        record = tle.record
        age_days = jd - record.jdsatepoch + fraction[[0, -1]] - record.jdsatepochF
        if np.abs(age_days).max() > _MAX_AGE_DAYS:
            raise ValueError(
                f"start_utc={start_utc}: the window lies {age_days[0]:.1f} to {age_days[1]:.1f} days after the "
                f"epoch of {tle.name!r} ({tle.epoch_utc:%Y-%m-%d}), SGP4 is good for at most "
                f"{_MAX_AGE_DAYS:g} days; choose a nearer start or newer elements"
            )
    position, velocity = teme_to_ecef(*propagate_tle(satellites, jd, fraction), gmst_rad(jd, fraction))
    return EphemerisGrid(tuple(tle.name for tle in satellites), start_utc, step_s, position, velocity)


def clear_grids() -> None:
    """Forget all shared grids (at most four of each kind are kept)."""
    _walker_grid.cache_clear()
    _tle_grid.cache_clear()


def constellation_names() -> dict[str, tuple[str, ...]]:
    """Return the names that `named_walker` ("walker") and `named_tle` ("tle") know."""
    table = data.read_json(_TABLE)
    return {kind: tuple(table[kind]) for kind in ("walker", "tle")}


def named_walker(name: str) -> tuple[WalkerShell, ...]:
    """Return the shells of a nominal constellation, e.g. "iridium", "starlink-shell1", "walker-400".

    Raises:
        KeyError: When the name is unknown; the message lists the known ones.
    """
    known = data.read_json(_TABLE)["walker"]
    if name not in known:
        raise KeyError(f"no Walker constellation {name!r}; choose one of: {', '.join(known)}")
    shells = known[name]["shells"]
    labels = [name] if len(shells) == 1 else [f"{name}-{number}" for number in range(1, len(shells) + 1)]
    return tuple(WalkerShell(**shell, name=label) for shell, label in zip(shells, labels, strict=True))


@lru_cache(maxsize=8)
def named_tle(name: str) -> tuple[Tle, ...]:
    """Return the real elements that ship under a name, e.g. "iridium-next", "starlink-53", "gps".

    Raises:
        KeyError: When the name is unknown; the message lists the known ones.
    """
    known = data.read_json(_TABLE)["tle"]
    if name not in known:
        raise KeyError(f"no element file {name!r}; choose one of: {', '.join(known)}")
    file = known[name]["file"]
    return parse_tle(data.read_text(file), file)


def named_grid(name: str, duration_s: float, start_utc: str | None = None, step_s: float = 60.0) -> EphemerisGrid:
    """Return the shared grid of a named constellation, nominal or real (the names are unique).

    Args:
        name: A name of `constellation_names`.
        duration_s: Least length of the window in s.
        start_utc: ISO 8601 UTC time of the first column; the default is that of `walker_grid` or `tle_grid`.
        step_s: Time between columns in s, at most 300.

    Raises:
        KeyError: When the name is unknown; the message lists the known ones.
        ValueError: When a setting is out of its range.
    """
    known = constellation_names()
    if name in known["tle"]:
        return tle_grid(named_tle(name), duration_s, start_utc, step_s)
    if name in known["walker"]:
        return walker_grid(named_walker(name), duration_s, step_s, start_utc=start_utc or WALKER_START_UTC)
    raise KeyError(f"no constellation {name!r}; choose one of: {', '.join(known['walker'] + known['tle'])}")
