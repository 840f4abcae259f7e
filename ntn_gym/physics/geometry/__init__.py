"""Positions, directions and distances on and above the Earth.

Two Earths are in use and each function says which one: the WGS 84 ellipsoid (real orbits, ground stations)
and the sphere of 3GPP TR 38.811 (calibration cases, closed forms). All functions take NumPy arrays, torch
tensors or Python floats, broadcast over leading axes, and return arrays of the same library.
"""

from ntn_gym.physics.geometry.coordinates import (
    ecef_to_geodetic,
    enu_basis,
    geodetic_to_ecef,
    look_angles,
    range_rate_m_s,
    spherical_to_ecef,
)
from ntn_gym.physics.geometry.great_circle import great_circle_destination, great_circle_distance_m
from ntn_gym.physics.geometry.platform_triangle import (
    central_angle_rad,
    coverage_half_angle_rad,
    elevation_from_central_angle_rad,
    footprint_area_m2,
    horizon_half_angle_rad,
    nadir_angle_rad,
    slant_range_m,
)

__all__ = [
    "central_angle_rad",
    "coverage_half_angle_rad",
    "ecef_to_geodetic",
    "elevation_from_central_angle_rad",
    "enu_basis",
    "footprint_area_m2",
    "geodetic_to_ecef",
    "great_circle_destination",
    "great_circle_distance_m",
    "horizon_half_angle_rad",
    "look_angles",
    "nadir_angle_rad",
    "range_rate_m_s",
    "slant_range_m",
    "spherical_to_ecef",
]
