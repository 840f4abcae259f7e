"""How satellites move past a place: cubic arcs in the local axes of the place, one per interval of an ephemeris grid.

A state every 60 s and a cubic between two states describe an orbit to half a metre (`physics.orbits.hermite`), and so
they do in the local axes of a place, fixed or moving along a smooth course. An arc is made once for an interval and
read at many steps, in float32: exact to about 0.5 m within 4000 km (10 m for somebody who flies past a pole at 100 km,
because north turns quickly there). All arcs are polynomials of the share of the interval that has passed, stored as
[powers, ..., M] with the lowest power first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.world.constellation import EphemerisGrid

FloatArray = NDArray[Any]
_RATE_STEP_S = 1.0


@dataclass(frozen=True)
class Site:
    """A place at some times: ECEF position [..., 3], and a frame [..., 3, 3] with rows east, north, up."""

    position_m: NDArray[np.float64]
    frame: NDArray[np.float64]


Path = Callable[[NDArray[np.float64]], Site]
"""The planned course of the place of each world: times since step 0 in s, [B, C], to the site, [B, C, ...]."""


def evaluate(powers: FloatArray, rows: NDArray[np.integer[Any]], share: FloatArray) -> FloatArray:
    """Return arcs at shares of their intervals.

    Args:
        powers: Coefficients of M polynomials in the share of the interval that has passed, [powers, M].
        rows: Which of the M, [...].
        share: Share of the interval that has passed, [...].

    Returns:
        Values, [...].
    """
    total: FloatArray = powers[-1].take(rows)
    for coefficient in powers[-2::-1]:
        total *= share
        total += coefficient.take(rows)
    return total


def rate_per_s(powers: FloatArray, interval_s: float) -> FloatArray:
    """Return the coefficients of the time derivative, [powers - 1, ...]."""
    order = np.arange(1, len(powers)).reshape(-1, *[1] * (powers.ndim - 1))
    rate: FloatArray = powers[1:] * (order / interval_s).astype(np.float32)
    return rate


def satellite_frame(position_m: FloatArray, velocity_m_s: FloatArray) -> FloatArray:
    """Return the unit vectors along track, across track and nadir of satellites, [3 axes, 3, ...].

    The along-track axis is the part of the Earth-fixed velocity that is orthogonal to nadir, so that beams move along
    the ground track. Across track is to the right of the flight.

    Args:
        position_m: ECEF position, [3, ...].
        velocity_m_s: Earth-fixed velocity, [3, ...].
    """
    nadir = -_unit(position_m)
    along = _unit(velocity_m_s - np.sum(velocity_m_s * nadir, axis=0) * nadir)
    return np.stack([along, np.cross(nadir, along, axis=0), nadir])


class ArcMaker:
    """Makes arcs over the intervals of a grid for the places of B worlds."""

    def __init__(
        self,
        grid: EphemerisGrid,
        start_s: NDArray[np.float64],
        path: Path,
        first_interval: NDArray[np.intp],
        n_intervals: int,
    ) -> None:
        """Follow the paths over the intervals.

        Args:
            grid: Ephemeris.
            start_s: Time of step 0 within the grid, [B].
            path: The planned course.
            first_interval: First interval of each world (interval i begins at column i), [B].
            n_intervals: Number of intervals per world.
        """
        self._grid = grid
        self._first = first_interval
        half_columns = first_interval[:, None] + np.arange(2 * n_intervals + 1) / 2
        time_s = half_columns * grid.step_s - start_s[:, None]
        columns_s = time_s[:, ::2]
        site = path(np.concatenate([time_s, columns_s - _RATE_STEP_S, columns_s + _RATE_STEP_S], axis=1))
        # Components first: arcs are then picked by one index along the last axis.
        place, frame = site.position_m.transpose(2, 0, 1), site.frame.transpose(2, 3, 0, 1)
        last, before = time_s.shape[1], time_s.shape[1] + n_intervals + 1
        self._place, self._frame = place[..., :last], frame[..., :last]
        self._place_rate = (place[..., before:] - place[..., last:before]) / (2 * _RATE_STEP_S)
        self._frame_rate = (frame[..., before:] - frame[..., last:before]) / (2 * _RATE_STEP_S)

    @property
    def place_m(self) -> FloatArray:
        """ECEF position of the places in the middle of each interval, [3, B, n_intervals]."""
        return self._place[..., 1::2]

    def position_m(
        self, world: NDArray[np.intp], satellite: NDArray[np.intp], interval: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """Return the motion of satellites relative to the place, in its local axes.

        Args:
            world: World of each arc, [M].
            satellite: Satellite, [M].
            interval: Interval, counted from the first one of the world, [M].

        Returns:
            Coefficients, [4 powers, 3, M].
        """
        ends = []
        for end in (0, 1):
            position, velocity = self._state(world, satellite, interval, end)
            time = interval + end
            frame, frame_rate = self._frame[..., world, 2 * time], self._frame_rate[..., world, time]
            relative = position - self._place[:, world, 2 * time]
            rate = _rotate(frame, velocity - self._place_rate[:, world, time]) + _rotate(frame_rate, relative)
            ends.append((_rotate(frame, relative), rate * self._grid.step_s))
        (p0, v0), (p1, v1) = ends
        cubic = np.stack([p0, v0, 3 * (p1 - p0) - 2 * v0 - v1, 2 * (p0 - p1) + v0 + v1])
        return cubic.astype(np.float32)

    def axes(
        self, world: NDArray[np.intp], satellite: NDArray[np.intp], interval: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """Return the along-track, across-track and nadir axes of satellites in the local axes of the place.

        Arguments are those of `position_m`; the result is [3 powers, 3 axes, 3, M].
        """
        values = []
        for half in range(3):
            frame = self._frame[..., world, 2 * interval + half]
            axes = satellite_frame(*self._state(world, satellite, interval, half / 2))
            values.append(np.stack([_rotate(frame, axis) for axis in axes]))
        return _parabola(*values)

    def earth_fixed_m(
        self, world: NDArray[np.intp], satellite: NDArray[np.intp], interval: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """Return the Earth-fixed positions of satellites in m, right to 30 m: for maps. [3 powers, 3, M]."""
        return _parabola(*(self._state(world, satellite, interval, share)[0] for share in (0.0, 0.5, 1.0)))

    def _state(
        self, world: NDArray[np.intp], satellite: NDArray[np.intp], interval: NDArray[np.intp], share: float
    ) -> tuple[FloatArray, FloatArray]:
        """ECEF position and velocity, each [3, M], at the beginning, in the middle or at the end of intervals."""
        grid = self._grid
        column = np.minimum(self._first[world] + interval, grid.position_m.shape[1] - 2)
        if share == 0.5:
            position, velocity = grid.interpolate(satellite, (column + 0.5) * grid.step_s)
        else:
            row = satellite * grid.position_m.shape[1] + column + int(share)
            position = grid.position_m.reshape(-1, 3).take(row, axis=0)
            velocity = grid.velocity_m_s.reshape(-1, 3).take(row, axis=0)
        return np.ascontiguousarray(position.T), np.ascontiguousarray(velocity.T)


def _parabola(first: FloatArray, middle: FloatArray, last: FloatArray) -> NDArray[np.float32]:
    """Coefficients [3 powers, ...] of the parabola through three values; for a turn by 4 deg it errs by 3e-6 rad."""
    powers = np.stack([first, 4 * middle - 3 * first - last, 2 * (first + last) - 4 * middle])
    return powers.astype(np.float32)


def _rotate(frame: FloatArray, vector: FloatArray) -> FloatArray:
    """Rows of a frame [3, 3, M] times a vector [3, M]."""
    rotated: FloatArray = frame[:, 0] * vector[0] + frame[:, 1] * vector[1] + frame[:, 2] * vector[2]
    return rotated


def _unit(vector: FloatArray) -> FloatArray:
    unit: FloatArray = vector / np.sqrt(np.sum(vector * vector, axis=0))
    return unit
