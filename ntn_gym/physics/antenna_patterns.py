"""Antenna patterns given by formulas: isotropic, Gaussian, flat-top, ITU-R masks and planar arrays.

Gains are absolute (dBi) where the source gives a mask and its maximum; circular apertures are in
`ntn_gym.physics.antennas`.
"""

from __future__ import annotations

import math
from typing import Any

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.validity import require_range


def isotropic_gain_dbi(off_axis_rad: ArrayLike) -> Array:
    """Return 0 dBi for every direction; the reference antenna of IEEE Std 145-2013.

    Source: IEEE Std 145-2013, definition of the isotropic radiator (gain 0 dBi by definition).

    Args:
        off_axis_rad: Angle in rad (only its shape matters), [...].

    Returns:
        Zeros, [...].
    """
    xp, angle = promote(off_axis_rad)
    return xp.zeros_like(angle)


def gaussian_gain_dbi(
    off_axis_rad: ArrayLike,
    beamwidth_rad: ArrayLike,
    max_gain_dbi: ArrayLike,
    max_attenuation_db: float = math.inf,
) -> Array:
    """Return a Gaussian (parabolic in dB) main lobe, G_max - min[12 (theta / theta_3dB)^2, A_max].

    Source: 3GPP TR 36.814 table A.2.1.1-2 (form and A_max); theta_3dB is the full half-power width.

    Args:
        off_axis_rad: Angle from the boresight in rad, [...].
        beamwidth_rad: Full half-power beamwidth in rad, [...].
        max_gain_dbi: Gain at boresight in dBi, [...].
        max_attenuation_db: Largest attenuation A_max in dB; infinite leaves the lobe to fall for ever.

    Returns:
        Gain in dBi, [...].
    """
    xp, angle, width, gain = promote(off_axis_rad, beamwidth_rad, max_gain_dbi)
    return gain - xp.clip(12.0 * (angle / width) ** 2, None, max_attenuation_db)


def flat_top_gain_dbi(
    off_axis_rad: ArrayLike, beamwidth_rad: ArrayLike, max_gain_dbi: ArrayLike, side_lobe_db: ArrayLike
) -> Array:
    """Return a sectored pattern: the maximum inside the beam, a constant side lobe outside.

    Source: T. Bai and R. W. Heath, "Coverage and rate analysis for millimeter-wave cellular networks", IEEE
    Trans. Wireless Commun. 14 (2), 2015, table I.

    Args:
        off_axis_rad: Angle from the boresight in rad, [...].
        beamwidth_rad: Full width of the main lobe in rad; its edge belongs to the lobe, [...].
        max_gain_dbi: Gain of the main lobe in dBi, [...].
        side_lobe_db: Attenuation of the side lobe below the main lobe in dB, >= 0, [...].

    Returns:
        Gain in dBi, [...].
    """
    xp, angle, width, gain, attenuation = promote(off_axis_rad, beamwidth_rad, max_gain_dbi, side_lobe_db)
    return xp.where(xp.abs(angle) <= width / 2.0, gain, gain - attenuation)


def f1891_gain_dbi(off_axis_rad: ArrayLike, max_gain_dbi: ArrayLike, near_side_lobe_db: float = -25.0) -> Array:
    """Return the beam mask of a multi-beam HAPS antenna.

    With psi in degrees, psi_b = sqrt(7442 / 10^(0.1 G_m)) and near side lobe L_N: G_m - 3 (psi / psi_b)^2 up
    to psi_1 = psi_b sqrt(-L_N / 3); G_m + L_N up to psi_2 = 3.745 psi_b; G_m + L_N + 60 log(psi_2) - 60
    log(psi) up to psi_3, where it meets the far side lobe G_m - 73; that level beyond.

    Source: Recommendations ITU-R F.1891 and M.1456, Resolution 221 (Rev.WRC-07) of the Radio Regulations.
    psi_2 is that of L_N = -25 dB, the value for HAPS.

    Args:
        off_axis_rad: Angle from the boresight in rad, [...].
        max_gain_dbi: Gain of the main lobe in dBi, [...].
        near_side_lobe_db: L_N in dB; only -25 is checked against reference values.

    Returns:
        Gain in dBi, [...].
    """
    xp, angle, gain = promote(off_axis_rad, max_gain_dbi)
    degrees = xp.abs(angle) * (180.0 / math.pi)
    half_width = xp.sqrt(7442.0 / 10.0 ** (0.1 * gain))
    near_end = 3.745 * half_width
    main = gain - 3.0 * (degrees / half_width) ** 2
    # Inside the shelf the slope is not used: keep the logarithm finite at the boresight.
    slope = gain + near_side_lobe_db - 60.0 * xp.log10(xp.where(degrees > near_end, degrees / near_end, 1.0))
    side = xp.maximum(slope, gain - 73.0)
    return xp.where(degrees <= half_width * math.sqrt(-near_side_lobe_db / 3.0), main, side)


def f1245_gain_dbi(off_axis_rad: ArrayLike, max_gain_dbi: ArrayLike, diameter_wavelengths: ArrayLike) -> Array:
    """Return the average side-lobe mask of a point-to-point antenna, 1 to 70 GHz. Confidence: medium.

    With phi in degrees and d = D / lambda: G_max - 2.5e-3 (d phi)^2 in the main lobe. For d > 100 a shelf
    G_1 = 2 + 15 log d up to phi_r = 12.02 d^-0.6, then 29 - 25 log phi up to 48 deg, then -13. For d <= 100
    39 - 5 log d - 25 log phi up to 48 deg, then -3 - 5 log d. The main lobe ends at
    phi_m = (20 / d) sqrt(G_max - G_1).

    Source: Recommendation ITU-R F.1245, recommends 2 and 3. It agrees with the public simulator SHARC of an
    ITU working group, but was not compared with the text of the Recommendation itself.

    Args:
        off_axis_rad: Angle from the boresight in rad, [...].
        max_gain_dbi: Gain of the main lobe in dBi, above G_1, [...].
        diameter_wavelengths: D / lambda; 20 log10(D / lambda) is about G_max - 7.7, [...].

    Returns:
        Gain in dBi, [...].

    Raises:
        ValueError: If a gain is below the first side lobe of so large an antenna.
    """
    xp, angle, gain, size = promote(off_axis_rad, max_gain_dbi, diameter_wavelengths)
    degrees = xp.abs(angle) * (180.0 / math.pi)
    log_size = xp.log10(size)
    shelf = 2.0 + 15.0 * log_size
    require_range(
        "max_gain_dbi",
        gain - shelf,
        0.0,
        math.inf,
        "dB above the shelf of 2 + 15 log10(D / lambda) dBi",
        "raise the gain",
    )
    main_end = 20.0 / size * xp.sqrt(gain - shelf)
    main = gain - 2.5e-3 * (size * degrees) ** 2
    log_angle = xp.log10(xp.where(degrees > 0.0, degrees, 1.0))
    large = size > 100.0
    shelf_end = xp.where(large, xp.maximum(main_end, 12.02 * size**-0.6), main_end)
    slope = xp.where(large, 29.0 - 25.0 * log_angle, 39.0 - 5.0 * log_size - 25.0 * log_angle)
    far = xp.where(large, -13.0 + 0.0 * log_size, -3.0 - 5.0 * log_size)
    side = xp.where(degrees < 48.0, slope, far)
    return xp.where(degrees < main_end, main, xp.where(degrees < shelf_end, shelf, side))


def m2101_element_gain_dbi(
    azimuth_rad: ArrayLike,
    zenith_rad: ArrayLike,
    max_gain_dbi: float = 8.0,
    azimuth_width_rad: float = math.radians(65.0),
    zenith_width_rad: float = math.radians(65.0),
    max_attenuation_db: float = 30.0,
) -> Array:
    """Return the pattern of one element of a base-station array.

    A_H = -min[12 (phi / phi_3dB)^2, A_m], A_V = -min[12 ((theta - 90 deg) / theta_3dB)^2, SLA_v],
    G = G_max - min[-(A_H + A_V), A_m], with SLA_v = A_m.

    Source: Recommendation ITU-R M.2101-0, Annex 1, section 5.1, table 3 (the element of 3GPP TR 37.840 clause
    5.4.4). The defaults are the usual 8 dBi, 65 deg, 30 dB.

    Args:
        azimuth_rad: Azimuth from the array's normal in rad, [-pi, pi], [...].
        zenith_rad: Angle from the array's vertical axis in rad, pi/2 on the normal, [...].
        max_gain_dbi: Gain of the element in dBi.
        azimuth_width_rad: Full horizontal half-power beamwidth in rad.
        zenith_width_rad: Full vertical half-power beamwidth in rad.
        max_attenuation_db: Front-to-back ratio and vertical side-lobe attenuation in dB.

    Returns:
        Gain in dBi, [...].
    """
    xp, azimuth, zenith = promote(azimuth_rad, zenith_rad)
    horizontal_db = xp.clip(12.0 * (azimuth / azimuth_width_rad) ** 2, None, max_attenuation_db)
    vertical_db = xp.clip(12.0 * ((zenith - math.pi / 2.0) / zenith_width_rad) ** 2, None, max_attenuation_db)
    return max_gain_dbi - xp.clip(horizontal_db + vertical_db, None, max_attenuation_db)


def _array_factor(xp: Any, phase_rad: Array, n_elements: int) -> Array:
    """Return |sum_n exp(i n p)|^2 / N = [sin(N p / 2) / sin(p / 2)]^2 / N, with the limit N at p = 2 pi k."""
    half = phase_rad / 2.0
    denominator = xp.sin(half)
    small = xp.abs(denominator) < 1e-7
    ratio = xp.sin(n_elements * half) / xp.where(small, xp.ones_like(half), denominator)
    return xp.where(small, xp.full_like(half, float(n_elements)), ratio**2 / n_elements)


def m2101_array_gain_dbi(
    azimuth_rad: ArrayLike,
    zenith_rad: ArrayLike,
    element_gain_dbi: ArrayLike,
    n_rows: int,
    n_columns: int,
    steer_azimuth_rad: ArrayLike = 0.0,
    steer_tilt_rad: ArrayLike = 0.0,
    row_spacing_wavelengths: float = 0.5,
    column_spacing_wavelengths: float = 0.5,
    floor_db: float = -100.0,
) -> Array:
    """Return the composite pattern of a planar array with one steered beam.

    A = A_E + 10 log10 |sum_m sum_n w_nm v_nm|^2 with v = exp(i 2 pi [(n-1) d_v cos theta + (m-1) d_h sin
    theta sin phi]) and w = exp(i 2 pi [(n-1) d_v sin tilt - (m-1) d_h cos tilt sin scan]) / sqrt(N_H N_V), d
    in wavelengths. The double sum separates into two geometric series. The beam points to zenith angle pi/2 +
    tilt and azimuth scan: a positive tilt is below the normal. The pattern is not normalised by the total
    radiated power.

    Source: Recommendation ITU-R M.2101-0, Annex 1, section 5.2, table 4 (3GPP TR 37.840 table 5.4.4.2.1-1).

    Args:
        azimuth_rad: Azimuth from the array's normal in rad, [...].
        zenith_rad: Angle from the array's vertical axis in rad, pi/2 on the normal, [...].
        element_gain_dbi: Gain of one element in the same direction in dBi, [...].
        n_rows: Elements on the vertical axis, N_V.
        n_columns: Elements on the horizontal axis, N_H.
        steer_azimuth_rad: Azimuth of the beam (scan) in rad, [...].
        steer_tilt_rad: Electrical tilt in rad, positive below the normal, [...].
        row_spacing_wavelengths: d_v / lambda.
        column_spacing_wavelengths: d_h / lambda.
        floor_db: Least array factor in dB; the exact nulls of the formula would be an infinite loss.

    Returns:
        Gain in dBi, [...].
    """
    xp, azimuth, zenith, element, scan, tilt = promote(
        azimuth_rad, zenith_rad, element_gain_dbi, steer_azimuth_rad, steer_tilt_rad
    )
    row_phase = 2.0 * math.pi * row_spacing_wavelengths * (xp.cos(zenith) + xp.sin(tilt))
    column_phase = (
        2.0 * math.pi * column_spacing_wavelengths * (xp.sin(zenith) * xp.sin(azimuth) - xp.cos(tilt) * xp.sin(scan))
    )
    factor = _array_factor(xp, row_phase, n_rows) * _array_factor(xp, column_phase, n_columns)
    return element + 10.0 * xp.log10(xp.clip(factor, 10.0 ** (floor_db / 10.0), None))
