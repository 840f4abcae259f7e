"""Contacts: line of sight over the Earth, and contact plans between stations and satellites and among satellites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_EQUATORIAL_RADIUS_M
from ntn_gym.physics.intervals import Floats, Integers, positive_intervals
from ntn_gym.physics.pass_prediction import StateFunction, Stations, predict_passes

ATMOSPHERE_MARGIN_M = 80e3
"""Default height that a link between satellites must keep above the Earth."""


@dataclass(frozen=True, eq=False)
class ContactPlan:
    """Times in which pairs of nodes can talk, sorted by pair and time; arrays of one length [M].

    Attributes:
        first: Index of the first node: the station, or the first satellite of the pair.
        second: Index of the second node, a satellite.
        start_s: Start of the contact in s; that of the window where it began before.
        end_s: End of the contact in s; that of the window where it goes on.
        start_range_m: Distance at the start in m.
        end_range_m: Distance at the end in m.
    """

    first: Integers
    second: Integers
    start_s: Floats
    end_s: Floats
    start_range_m: Floats
    end_range_m: Floats

    def __len__(self) -> int:
        return len(self.first)

    def active(self, time_s: float) -> NDArray[np.bool_]:
        """Return which contacts are open at a time, [M]."""
        return (self.start_s <= time_s) & (time_s <= self.end_s)


def line_of_sight_height_m(
    first_m: ArrayLike, second_m: ArrayLike, earth_radius_m: float = EARTH_EQUATORIAL_RADIUS_M
) -> Array:
    """Return the least height of the straight line between two nodes above a spherical Earth; negative if blocked.

    The point of the segment nearest to the centre is a + s (b - a) with s = -a . (b - a) / |b - a|^2, limited to
    [0, 1].

    Source: Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., section 5.3.3 (sight).

    Args:
        first_m: Position of one node in m, Earth-centred, [..., 3].
        second_m: Position of the other in m, same axes, [..., 3].
        earth_radius_m: Radius of the sphere in m.

    Returns:
        Height in m, [...].
    """
    xp, first, second = promote(first_m, second_m)
    line = second - first
    length2 = xp.sum(line * line, axis=-1)
    # Two nodes in one place: the numerator is 0, too, and any s serves.
    share = -xp.sum(first * line, axis=-1) / xp.where(length2 > 0.0, length2, xp.ones_like(length2))
    nearest = first + xp.expand_dims(xp.clip(share, 0.0, 1.0), axis=-1) * line
    return xp.sqrt(xp.sum(nearest * nearest, axis=-1)) - earth_radius_m


def station_contacts(
    states: StateFunction,
    n_satellites: int,
    places: Stations,
    first_s: float,
    last_s: float,
    min_elev_rad: float = 0.0,
    step_s: float = 60.0,
) -> ContactPlan:
    """Return when stations see satellites above an elevation mask.

    Source: `pass_prediction.predict_passes`.

    Args:
        states: States of satellites over the window.
        n_satellites: Number of satellites.
        places: The stations.
        first_s: Start of the window in s.
        last_s: End of the window in s.
        min_elev_rad: Elevation mask in rad.
        step_s: Time between samples in s.

    Returns:
        The plan; `first` counts stations, `second` satellites.

    Raises:
        ValueError: When the window is empty or the mask out of its range.
    """
    passes = predict_passes(states, n_satellites, places, first_s, last_s, min_elev_rad, step_s)
    site_m = places.position_m[passes.station]
    ranges = [
        np.linalg.norm(states(passes.satellite, time)[0] - site_m, axis=-1) for time in (passes.rise_s, passes.set_s)
    ]
    return ContactPlan(passes.station, passes.satellite, passes.rise_s, passes.set_s, *ranges)


def satellite_contacts(
    states: StateFunction,
    pairs: NDArray[np.integer[Any]],
    first_s: float,
    last_s: float,
    min_height_m: float = ATMOSPHERE_MARGIN_M,
    max_range_m: float = np.inf,
    step_s: float = 60.0,
    earth_radius_m: float = EARTH_EQUATORIAL_RADIUS_M,
) -> ContactPlan:
    """Return when pairs of satellites see each other over the Earth within a range.

    A link is open while its line keeps `min_height_m` above the sphere and is not longer than `max_range_m`. The
    derivative of the height is that of the nearest point with s held fixed (envelope theorem): c . (v_a + s (v_b -
    v_a)) / |c|.

    Source: Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., section 5.3.3 (sight).

    Args:
        states: States of satellites over the window.
        pairs: Indices of the satellites of each pair, int [P, 2].
        first_s: Start of the window in s.
        last_s: End of the window in s.
        min_height_m: Height that the line must keep above the Earth in m.
        max_range_m: Longest link in m.
        step_s: Time between samples in s.
        earth_radius_m: Radius of the sphere in m.

    Returns:
        The plan; `first` and `second` count satellites.

    Raises:
        ValueError: When the pairs are not of two different satellites, or the window is empty.
    """
    indices = np.asarray(pairs)
    if indices.ndim != 2 or indices.shape[1] != 2 or indices.dtype.kind not in "iu":
        raise ValueError(f"pairs: got shape {indices.shape} of {indices.dtype}; must be integers of shape (P, 2)")
    if (indices[:, 0] == indices[:, 1]).any():
        raise ValueError(f"pairs: satellite {indices[indices[:, 0] == indices[:, 1]][0, 0]} is paired with itself")
    if not max_range_m > 0.0:
        raise ValueError(f"max_range_m={max_range_m} must be positive (m)")

    def margin_m(row: NDArray[Any], time_s: NDArray[Any]) -> tuple[Floats, Floats]:
        (a, va), (b, vb) = states(indices[row, 0], time_s), states(indices[row, 1], time_s)
        line, speed = b - a, vb - va
        length2 = np.einsum("...i,...i->...", line, line)
        share = np.clip(-np.einsum("...i,...i->...", a, line) / length2, 0.0, 1.0)[..., None]
        nearest = a + share * line
        distance = np.sqrt(np.einsum("...i,...i->...", nearest, nearest))
        height_rate = np.einsum("...i,...i->...", nearest, va + share * speed) / distance
        length = np.sqrt(length2)
        over_earth, within_range = distance - (earth_radius_m + min_height_m), max_range_m - length
        range_rate = np.einsum("...i,...i->...", line, speed) / length
        nearer = over_earth <= within_range
        return np.where(nearer, over_earth, within_range), np.where(nearer, height_rate, -range_rate)

    found = positive_intervals(margin_m, len(indices), first_s, last_s, step_s)
    first, second = indices[found.row, 0], indices[found.row, 1]
    ranges = [
        np.linalg.norm(states(second, time)[0] - states(first, time)[0], axis=-1)
        for time in (found.start_s, found.end_s)
    ]
    return ContactPlan(first, second, found.start_s, found.end_s, *ranges)
