"""Paths near the ground: distance exponent, two rays over a flat ground, and their reflection coefficient."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import SPEED_OF_LIGHT_M_S
from ntn_gym.physics.validity import require_range

Polarization = Literal["horizontal", "vertical"]

VACUUM_PERMITTIVITY_F_M = 8.854_187_8188e-12
"""Vacuum electric permittivity (CODATA 2022)."""


def distance_exponent_loss_db(
    range_m: ArrayLike, exponent: ArrayLike, reference_loss_db: ArrayLike, reference_range_m: float = 1.0
) -> Array:
    """Return the log-distance path loss, PL(d0) + 10 n log10(d / d0).

    Source: T. S. Rappaport, Wireless Communications: Principles and Practice, 2nd ed., equation 4.68 (without its
    shadowing term). n = 2 is free space.

    Args:
        range_m: Distance d in m, at least d0, [...].
        exponent: Path-loss exponent n, 1 to 8, [...].
        reference_loss_db: Loss at d0 in dB, [...].
        reference_range_m: Reference distance d0 in m.

    Returns:
        Loss in dB, [...].

    Raises:
        ValueError: If the distance is below d0 or the exponent outside 1 to 8.
    """
    require_range("range_m", range_m, reference_range_m, math.inf, "m", "not below the reference distance")
    require_range("exponent", exponent, 1.0, 8.0, "")
    xp, distance, n, reference = promote(range_m, exponent, reference_loss_db)
    return reference + 10.0 * n * xp.log10(distance / reference_range_m)


def sea_water_permittivity(
    freq_hz: NDArray[np.float64] | float, temperature_k: float = 293.15, salinity_permille: float = 35.0
) -> NDArray[np.complex128]:
    """Return the complex relative permittivity of sea water, eps' - i eps''.

    4.9 + (eps_s - 4.9) / (1 + i w tau) - i sigma / (w eps_0), with the static permittivity, relaxation time and
    conductivity as polynomials in temperature and salinity.

    Source: L. A. Klein and C. T. Swift, "An improved model for the dielectric constant of sea water at microwave
    frequencies", IEEE Trans. Antennas Propag. 25 (1), 1977. Single relaxation: valid to 20 GHz or so.

    Args:
        freq_hz: Frequency in Hz, 0.1e9 to 20e9, [...].
        temperature_k: Temperature of the water in K, 273.15 to 313.15.
        salinity_permille: Salinity in parts per thousand, 4 to 40.

    Returns:
        Permittivity, complex, [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("freq_hz", freq_hz, 0.1e9, 20e9, "Hz")
    require_range("temperature_k", temperature_k, 273.15, 313.15, "K")
    require_range("salinity_permille", salinity_permille, 4.0, 40.0, "permille")
    t, s = temperature_k - 273.15, salinity_permille
    static = 87.134 - 1.949e-1 * t - 1.276e-2 * t**2 + 2.491e-4 * t**3
    static *= 1.0 + 1.613e-5 * s * t - 3.656e-3 * s + 3.210e-5 * s**2 - 4.232e-7 * s**3
    relaxation_s = 1.768e-11 - 6.086e-13 * t + 1.104e-14 * t**2 - 8.111e-17 * t**3
    relaxation_s *= 1.0 + 2.282e-5 * s * t - 7.638e-4 * s - 7.760e-6 * s**2 + 1.105e-8 * s**3
    colder = 25.0 - t
    decay = 2.033e-2 + 1.266e-4 * colder + 2.464e-6 * colder**2
    decay -= s * (1.849e-5 - 2.551e-7 * colder + 2.551e-8 * colder**2)
    conductivity = s * (0.182521 - 1.46192e-3 * s + 2.09324e-5 * s**2 - 1.28205e-7 * s**3) * math.exp(-colder * decay)
    omega = 2.0 * math.pi * np.asarray(freq_hz, dtype=np.float64)
    debye = 4.9 + (static - 4.9) / (1.0 + 1j * omega * relaxation_s)
    return np.asarray(debye - 1j * conductivity / (omega * VACUUM_PERMITTIVITY_F_M), dtype=np.complex128)


def fresnel_reflection(
    grazing_rad: NDArray[np.float64] | float, permittivity: NDArray[np.complex128] | complex, polarization: Polarization
) -> NDArray[np.complex128]:
    """Return the reflection coefficient of a smooth plane of a material.

    Horizontal: (sin g - q) / (sin g + q); vertical: (eps sin g - q) / (eps sin g + q); q = sqrt(eps - cos^2 g).

    Source: Recommendation ITU-R P.2040, Annex 1 section 2.2.1.1 (Fresnel coefficients), here with the grazing
    angle; J. D. Kraus, Electromagnetics, 4th ed., section 12-6.

    Args:
        grazing_rad: Angle between ray and surface in rad, 0 to pi/2, [...].
        permittivity: Complex relative permittivity eps' - i eps'', [...].
        polarization: "horizontal" (perpendicular to the plane of incidence) or "vertical".

    Returns:
        Coefficient, complex, of magnitude at most 1, [...].

    Raises:
        ValueError: If the polarisation is unknown or the angle outside its range.
    """
    if polarization not in get_args(Polarization):
        raise ValueError(f"polarization: got {polarization!r}; must be one of {', '.join(get_args(Polarization))}")
    require_range("grazing_rad", grazing_rad, 0.0, math.pi / 2.0 + 1e-12, "rad")
    sine = np.sin(np.asarray(grazing_rad, dtype=np.float64))
    root = np.sqrt(np.asarray(permittivity, dtype=np.complex128) - (1.0 - sine**2))
    scaled = sine * permittivity if polarization == "vertical" else sine
    coefficient: NDArray[np.complex128] = (scaled - root) / (scaled + root)
    return coefficient


def rough_surface_factor(
    grazing_rad: NDArray[np.float64] | float, freq_hz: float, height_deviation_m: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return how much of a reflection a rough surface leaves coherent, exp(-2 (2 pi s sin g / lambda)^2).

    Source: W. S. Ament, "Toward a theory of reflection by a rough surface", Proc. IRE 41, 1953 (normally distributed
    heights, no shadowing of waves by waves).

    Args:
        grazing_rad: Angle between ray and surface in rad, [...].
        freq_hz: Frequency in Hz.
        height_deviation_m: Standard deviation of the surface height in m; a quarter of the significant wave height
            at sea, [...].

    Returns:
        Factor in (0, 1], [...].
    """
    phase = 2.0 * math.pi * freq_hz / SPEED_OF_LIGHT_M_S * np.multiply(height_deviation_m, np.sin(grazing_rad))
    factor: NDArray[np.float64] = np.exp(-2.0 * phase**2)
    return factor


def two_ray_loss_db(
    ground_range_m: ArrayLike,
    height_a_m: ArrayLike,
    height_b_m: ArrayLike,
    freq_hz: ArrayLike,
    reflection: float = -1.0,
    floor_db: float = 300.0,
) -> Array:
    """Return the loss between isotropic antennas over a flat ground: direct and reflected ray, summed with phase.

    -20 log10 (lambda / 4 pi) |1 / r_1 + R exp(-i k (r_2 - r_1)) / r_2|. The difference of the paths is taken as
    4 h_a h_b / (r_1 + r_2), without cancellation.

    Source: Rappaport, 2nd ed., section 4.6 (ground reflection); exact distances.

    Args:
        ground_range_m: Distance along the ground in m, not negative, [...].
        height_a_m: Height of one antenna in m, positive, [...].
        height_b_m: Height of the other in m, positive, [...].
        freq_hz: Frequency in Hz, positive, [...].
        reflection: Real reflection coefficient; -1 is a perfect ground at grazing incidence.
        floor_db: Largest loss in dB; an exact null would be infinite.

    Returns:
        Loss in dB, [...].
    """
    xp, ground, a, b, frequency = promote(ground_range_m, height_a_m, height_b_m, freq_hz)
    direct = xp.sqrt(ground**2 + (a - b) ** 2)
    reflected = xp.sqrt(ground**2 + (a + b) ** 2)
    wavenumber = 2.0 * math.pi * frequency / SPEED_OF_LIGHT_M_S
    phase = wavenumber * 4.0 * a * b / (direct + reflected)
    # |u + v exp(-i p)|^2 = (u + v)^2 - 4 u v sin^2(p / 2): exact near the null at grazing incidence, too.
    u, v = 1.0 / direct, reflection / reflected
    # u + v for R = -1 would cancel: (r2 - r1 + (1 + R) r1) / (r1 r2).
    total = (4.0 * a * b / (direct + reflected) + (1.0 + reflection) * direct) / (direct * reflected)
    power = total**2 - 4.0 * u * v * xp.sin(phase / 2.0) ** 2
    gain = power / (4.0 * wavenumber**2)
    return -10.0 * xp.log10(xp.clip(gain, 10.0 ** (-floor_db / 10.0), None))


def two_ray_far_loss_db(ground_range_m: ArrayLike, height_a_m: ArrayLike, height_b_m: ArrayLike) -> Array:
    """Return the loss far beyond the break point 4 h_a h_b / lambda, 40 log10 d - 20 log10 (h_a h_b).

    Source: Rappaport, 2nd ed., equation 4.53; no frequency in it. Within 1 dB from four break points on.

    Args:
        ground_range_m: Distance along the ground in m, [...].
        height_a_m: Height of one antenna in m, [...].
        height_b_m: Height of the other in m, [...].

    Returns:
        Loss in dB, [...].
    """
    xp, ground, a, b = promote(ground_range_m, height_a_m, height_b_m)
    return 40.0 * xp.log10(ground) - 20.0 * xp.log10(a * b)
