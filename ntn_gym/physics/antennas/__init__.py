"""Aperture antennas and the beams of a satellite.

The pattern of a circular aperture (3GPP TR 38.811), a fast table of it for hot paths, the hexagonal layout of
beams in the UV plane (3GPP TR 38.821) and the direction of a user in that plane. Patterns without an aperture
(isotropic, Gaussian, flat-top, ITU-R masks, arrays) are in `ntn_gym.physics.antenna_patterns`.
"""

from ntn_gym.physics.antennas.aperture import (
    aperture_angle_rad,
    aperture_gain,
    aperture_gain_db,
    aperture_ka,
    aperture_max_gain_dbi,
    half_power_beamwidth_rad,
)
from ntn_gym.physics.antennas.directions import beam_spacing_uv, sin2_between, uv_of_user
from ntn_gym.physics.antennas.hexagonal import hexagonal_axial, hexagonal_beams_uv, hexagonal_colours
from ntn_gym.physics.antennas.lookup import ApertureTable, aperture_table

__all__ = [
    "ApertureTable",
    "aperture_angle_rad",
    "aperture_gain",
    "aperture_gain_db",
    "aperture_ka",
    "aperture_max_gain_dbi",
    "aperture_table",
    "beam_spacing_uv",
    "half_power_beamwidth_rad",
    "hexagonal_axial",
    "hexagonal_beams_uv",
    "hexagonal_colours",
    "sin2_between",
    "uv_of_user",
]
