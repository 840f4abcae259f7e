"""Physical constants, each with its source. Units are in the names."""

import math

SPEED_OF_LIGHT_M_S = 299_792_458.0
"""Speed of light in vacuum, exact (SI, BIPM 2019)."""

BOLTZMANN_J_K = 1.380_649e-23
"""Boltzmann constant, exact (SI, BIPM 2019)."""

BOLTZMANN_DBW_PER_K_HZ = 10.0 * math.log10(BOLTZMANN_J_K)
"""Boltzmann constant in link-budget units, -228.599... dBW/K/Hz."""

EARTH_MEAN_RADIUS_M = 6_371_000.0
"""Radius of the spherical Earth of 3GPP TR 38.811 (clause 6.6.2, below equation 6.6-3)."""

WGS84_A_M = 6_378_137.0
"""Semi-major axis of the WGS 84 ellipsoid (NIMA TR8350.2, 3rd ed., table 3.1)."""

WGS84_F = 1.0 / 298.257_223_563
"""Flattening of the WGS 84 ellipsoid (NIMA TR8350.2, 3rd ed., table 3.1)."""

EARTH_MU_M3_S2 = 3.986_004_418e14
"""Gravitational constant of the Earth, GM with atmosphere (NIMA TR8350.2, 3rd ed., table 3.1)."""

EARTH_ROTATION_RAD_S = 7.292_115e-5
"""Mean rotation rate of the Earth (NIMA TR8350.2, 3rd ed., table 3.1)."""

EARTH_J2 = 1.082_626_68e-3
"""Second zonal harmonic, unnormalised: -sqrt(5) C20 of EGM96 (tide free), C20 = -0.484165371736e-3."""

EARTH_EQUATORIAL_RADIUS_M = 6_378_137.0
"""Equatorial radius that belongs to EARTH_J2 and to orbit altitudes given above the equator."""
