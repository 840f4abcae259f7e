"""Where the nodes of the slots are, seen from the region: what every kind of sky gives.

Satellites (with steered or fixed beams) and HAPS cells give the same arrays, so the channel does not ask what flies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey
from ntn_gym.physics.constants import WGS84_A_M, WGS84_F
from ntn_gym.world.arcs import Path
from ntn_gym.world.joint import Process

FloatArray = NDArray[Any]
Vector = tuple[FloatArray, FloatArray, FloatArray]
"""East, north and up components, each [B, n, K]."""
_E2 = WGS84_F * (2.0 - WGS84_F)


@dataclass(frozen=True)
class Schedule:
    """What stands in the slots over one episode: arrays [B, T, K].

    Attributes:
        pass_id: Number of the pass within its world, -1 where the slot is empty.
        node: Satellite in the grid, or 0 for a platform.
        beam: Beam of the node.
        set_step: First step in which the pass is gone.
    """

    pass_id: NDArray[np.int32]
    node: NDArray[np.int32]
    beam: NDArray[np.int32]
    set_step: NDArray[np.int32]


@dataclass(frozen=True)
class Nodes:
    """Nodes of the slots in the local axes of the region's centre, float32.

    Attributes:
        relative_m: Position relative to the centre.
        velocity_m_s: Its rate of change.
        boresight: Unit vector of the beam; None: the beam is steered onto the user.
        planned_boresight: What a user expects it to be: the same for a satellite, the attitude at rest for a platform.
        lat_deg: Geodetic latitude of the sub-point, [B, n, K].
        lon_deg: Longitude of the sub-point, [B, n, K].
    """

    relative_m: Vector
    velocity_m_s: Vector
    boresight: Vector | None
    planned_boresight: Vector | None
    lat_deg: FloatArray
    lon_deg: FloatArray


class SkyModel(Protocol):
    """Gives the schedule of an episode and then the geometry, chunk by chunk.

    ``processes`` names what is random about the motion: Gauss-Markov processes, whose samples `advance` is given.
    """

    processes: Mapping[str, Process]

    def begin(self, keys: Sequence[WorldKey], path: Path, focus_m: FloatArray) -> tuple[Schedule, Any]:
        """Plan the episodes; return the schedule and what the geometry has to remember of each world."""

    def advance(
        self,
        state: Any,
        schedule: Schedule,
        first_step: int,
        n_steps: int,
        path: Path,
        samples: Mapping[str, FloatArray],
    ) -> Nodes:
        """Return the nodes of steps ``first_step`` to ``first_step + n_steps - 1``."""


def sub_point(x_m: FloatArray, y_m: FloatArray, z_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return geodetic latitude and longitude in deg of the points below Earth-fixed positions, float32.

    One step of Bowring's iteration (`physics.geometry.ecef_to_geodetic` makes two): right to 2e-5 deg in float32.
    """
    axis_distance_m = np.hypot(x_m, y_m)
    reduced = np.arctan2(z_m, axis_distance_m * (1.0 - WGS84_F))
    sine, cosine = np.sin(reduced), np.cos(reduced)
    north = z_m + (_E2 / (1.0 - WGS84_F)) * WGS84_A_M * (sine * sine * sine)
    latitude = np.degrees(np.arctan2(north, axis_distance_m - _E2 * WGS84_A_M * (cosine * cosine * cosine)))
    return latitude.astype(np.float32), np.degrees(np.arctan2(y_m, x_m)).astype(np.float32)
