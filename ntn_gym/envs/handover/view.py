"""What users and the region's centre see of the nodes: angles, distances and their rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.handover.geometry import Nodes
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class UserGeometry:
    """Links seen from the users, [B, n, U, K].

    The squared sines off the beam's true and expected axis are None where beams are steered.
    """

    elevation_deg: FloatArray
    range_m: FloatArray
    sin2_off_axis: FloatArray | None
    planned_sin2_off_axis: FloatArray | None


def user_geometry(nodes: Nodes, place_m: FloatArray) -> UserGeometry:
    """Look from the users, who stand at ``place_m`` (east, north) [B, n, U, 2], at the nodes.

    Users stand in the tangent plane of the centre, lowered by the curvature of the Earth; their vertical is tilted
    accordingly.
    """
    east, north = place_m[..., 0, None], place_m[..., 1, None]
    radius = np.float32(EARTH_MEAN_RADIUS_M)
    x = nodes.relative_m[:, :, None, :, 0] - east
    y = nodes.relative_m[:, :, None, :, 1] - north
    z = nodes.relative_m[:, :, None, :, 2] + (east * east + north * north) / (2 * radius)
    range_m = np.sqrt(x * x + y * y + z * z)
    tilt_e, tilt_n = east / radius, north / radius
    vertical = (z + x * tilt_e + y * tilt_n) / np.sqrt(1 + tilt_e * tilt_e + tilt_n * tilt_n)
    elevation_deg = np.degrees(np.arcsin(np.clip(vertical / range_m, -1, 1)))

    def off_axis(boresight: FloatArray) -> FloatArray:
        # Squared chord between the beam's axis and the direction to the user: exact for small angles in float32.
        chord = np.zeros_like(range_m)
        for axis, component in enumerate((x, y, z)):
            difference = component / range_m + boresight[:, :, None, :, axis]
            chord += difference * difference
        return chord * (1 - chord / 4)

    if nodes.boresight is None or nodes.planned_boresight is None:
        return UserGeometry(elevation_deg, range_m, None, None)
    truth = off_axis(nodes.boresight)
    planned = truth if nodes.planned_boresight is nodes.boresight else off_axis(nodes.planned_boresight)
    return UserGeometry(elevation_deg, range_m, truth, planned)


def centre_rates(nodes: Nodes) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return azimuth in rad, elevation rate in deg/s and range rate in m/s at the centre, [B, n, K]."""
    east, north, up = (nodes.relative_m[..., i] for i in range(3))
    v_east, v_north, v_up = (nodes.velocity_m_s[..., i] for i in range(3))
    horizontal = np.sqrt(east * east + north * north)
    distance = np.sqrt(horizontal * horizontal + up * up)
    range_rate = (east * v_east + north * v_north + up * v_up) / distance
    # d/dt of sin(elevation) = up / range, divided by cos(elevation) = horizontal / range.
    floor = np.maximum(horizontal, np.float32(1e-3) * distance)
    elevation_rate = np.degrees((v_up - up / distance * range_rate) / floor)
    return np.arctan2(east, north), elevation_rate, range_rate
