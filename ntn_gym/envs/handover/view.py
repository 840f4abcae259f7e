"""What users and the region's centre see of the nodes: angles, distances and their rates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.handover.geometry import Nodes, Vector
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M

FloatArray = NDArray[Any]
_DEG_PER_RAD = np.float32(180.0 / math.pi)


@dataclass(frozen=True)
class UserGeometry:
    """Links seen from the users, [B, n, U, K].

    The squared sines off the beam's true and expected axis are None where beams are steered.
    """

    elevation_rad: FloatArray
    range_m: FloatArray
    sin2_off_axis: FloatArray | None
    planned_sin2_off_axis: FloatArray | None


def user_geometry(nodes: Nodes, place_m: FloatArray) -> UserGeometry:
    """Look from the users, who stand at ``place_m`` (east, north) [B, n, U, 2], at the nodes.

    Users stand in the tangent plane of the centre, lowered by the curvature of the mean sphere; their vertical is
    tilted accordingly. Elevations are right to 0.01 deg for users within 50 km of the centre, except within 1 deg of
    the zenith, where single precision leaves 0.03 deg.
    """
    east, north = place_m[..., 0, None], place_m[..., 1, None]
    radius = np.float32(EARTH_MEAN_RADIUS_M)
    x, y, z = (component[:, :, None] for component in nodes.relative_m)
    x, y = x - east, y - north
    z = z + (east * east + north * north) / (2 * radius)
    range_m = x * x
    range_m += y * y
    range_m += z * z
    np.sqrt(range_m, out=range_m)
    nearness = np.float32(1.0) / range_m

    def off_axis(boresight: Vector) -> FloatArray:
        # Squared chord between the beam's axis and the direction to the user: exact for small angles in float32.
        chord = np.zeros_like(range_m)
        for component, axis in zip((x, y, z), boresight, strict=True):
            difference = component * nearness
            difference += axis[:, :, None]
            difference *= difference
            chord += difference
        return chord * (1 - chord / 4)

    tilt_e, tilt_n = east / radius, north / radius
    vertical = (z + x * tilt_e + y * tilt_n) * (nearness / np.sqrt(1 + tilt_e * tilt_e + tilt_n * tilt_n))
    elevation_rad = np.arcsin(np.clip(vertical, -1, 1))
    if nodes.boresight is None or nodes.planned_boresight is None:
        return UserGeometry(elevation_rad, range_m, None, None)
    truth = off_axis(nodes.boresight)
    planned = truth if nodes.planned_boresight is nodes.boresight else off_axis(nodes.planned_boresight)
    return UserGeometry(elevation_rad, range_m, truth, planned)


def centre_rates(nodes: Nodes) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return azimuth in rad, elevation rate in deg/s and range rate in m/s at the centre, [B, n, K]."""
    east, north, up = nodes.relative_m
    v_east, v_north, v_up = nodes.velocity_m_s
    horizontal = np.sqrt(east * east + north * north)
    distance = np.sqrt(horizontal * horizontal + up * up)
    range_rate = (east * v_east + north * v_north + up * v_up) / distance
    # d/dt of sin(elevation) = up / range, divided by cos(elevation) = horizontal / range.
    floor = np.maximum(horizontal, np.float32(1e-3) * distance)
    elevation_rate = (v_up - up / distance * range_rate) / floor * _DEG_PER_RAD
    return np.arctan2(east, north), elevation_rate, range_rate
