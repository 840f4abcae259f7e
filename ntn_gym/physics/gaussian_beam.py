"""Gaussian laser beams: width, divergence, and the share of the power that an aperture catches.

All functions hold for a beam of the lowest order (TEM00) in the paraxial approximation, that is for a
divergence well below 0.5 rad.
"""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import Array, ArrayLike, promote


def rayleigh_range_m(waist_radius_m: ArrayLike, wavelength_m: ArrayLike) -> Array:
    """Return the distance from the waist at which the area of the beam has doubled, pi w0^2 / lambda.

    Source: B. Saleh and M. Teich, Fundamentals of Photonics, 2nd ed., section 3.1.

    Args:
        waist_radius_m: 1/e^2 radius of the intensity at the waist in m, positive, [...].
        wavelength_m: Wavelength in m, positive, [...].

    Returns:
        Distance in m, [...].
    """
    _, waist, wavelength = promote(waist_radius_m, wavelength_m)
    return math.pi * waist**2 / wavelength


def divergence_half_angle_rad(waist_radius_m: ArrayLike, wavelength_m: ArrayLike) -> Array:
    """Return the half angle of the far field at 1/e^2 of the axial intensity, lambda / (pi w0).

    Source: Saleh and Teich, 2nd ed., section 3.1.

    Args:
        waist_radius_m: 1/e^2 radius at the waist in m, positive, [...].
        wavelength_m: Wavelength in m, positive, [...].

    Returns:
        Half angle in rad, [...].
    """
    _, waist, wavelength = promote(waist_radius_m, wavelength_m)
    return wavelength / (math.pi * waist)


def waist_of_divergence_m(half_angle_rad: ArrayLike, wavelength_m: ArrayLike) -> Array:
    """Return the waist radius that gives a far-field half angle, lambda / (pi theta).

    Source: Saleh and Teich, 2nd ed., section 3.1.

    Args:
        half_angle_rad: 1/e^2 half angle in rad, positive, [...].
        wavelength_m: Wavelength in m, positive, [...].

    Returns:
        1/e^2 radius at the waist in m, [...].
    """
    _, angle, wavelength = promote(half_angle_rad, wavelength_m)
    return wavelength / (math.pi * angle)


def beam_radius_m(range_m: ArrayLike, waist_radius_m: ArrayLike, wavelength_m: ArrayLike) -> Array:
    """Return the 1/e^2 radius of the beam, w0 sqrt(1 + (z / z_R)^2), in vacuum.

    Source: Saleh and Teich, 2nd ed., section 3.1.

    Args:
        range_m: Distance z from the waist in m, [...].
        waist_radius_m: 1/e^2 radius at the waist in m, positive, [...].
        wavelength_m: Wavelength in m, positive, [...].

    Returns:
        Radius in m, [...].
    """
    xp, distance, waist, rayleigh = promote(range_m, waist_radius_m, rayleigh_range_m(waist_radius_m, wavelength_m))
    return waist * xp.sqrt(1.0 + (distance / rayleigh) ** 2)


def turbulent_beam_radius_m(
    range_m: ArrayLike, waist_radius_m: ArrayLike, wavelength_m: ArrayLike, rytov_variance: ArrayLike
) -> Array:
    """Return the long-term radius of a beam spread by turbulence, w sqrt(1 + 1.33 sigma_R^2 Lambda^(5/6)).

    Lambda = 2 L / (k w^2) with w the radius in vacuum at the receiver.

    Source: L. C. Andrews and R. L. Phillips, Laser Beam Propagation through Random Media, 2nd ed., chapter 6
    (Kolmogorov spectrum, weak fluctuations: Rytov variance below about 1; horizontal path).

    Args:
        range_m: Distance L in m, positive, [...].
        waist_radius_m: 1/e^2 radius at the transmitter (the waist) in m, positive, [...].
        wavelength_m: Wavelength in m, positive, [...].
        rytov_variance: Rytov variance of the path (plane wave), not negative, [...].

    Returns:
        Radius in m, [...].
    """
    xp, distance, wavelength, rytov, radius = promote(
        range_m, wavelength_m, rytov_variance, beam_radius_m(range_m, waist_radius_m, wavelength_m)
    )
    size = distance * wavelength / (math.pi * radius**2)
    return radius * xp.sqrt(1.0 + 1.33 * rytov * size ** (5.0 / 6.0))


def collected_fraction(beam_radius_m: ArrayLike, aperture_radius_m: ArrayLike) -> Array:
    """Return the share of a Gaussian beam's power in a centred circular aperture, 1 - exp(-2 a^2 / w^2).

    Source: Saleh and Teich, 2nd ed., section 3.1.

    Args:
        beam_radius_m: 1/e^2 radius at the aperture in m, positive, [...].
        aperture_radius_m: Radius of the aperture in m, not negative, [...].

    Returns:
        Share in [0, 1], [...].
    """
    xp, radius, aperture = promote(beam_radius_m, aperture_radius_m)
    return -xp.expm1(-2.0 * (aperture / radius) ** 2)


def geometric_loss_db(beam_radius_m: ArrayLike, aperture_radius_m: ArrayLike) -> Array:
    """Return the loss of a beam that is wider than the receiver, -10 log10 `collected_fraction`, in dB.

    Source: as `collected_fraction`.

    Args:
        beam_radius_m: 1/e^2 radius at the aperture in m, positive, [...].
        aperture_radius_m: Radius of the aperture in m, positive, [...].

    Returns:
        Loss in dB, not negative, [...].
    """
    xp, fraction = promote(collected_fraction(beam_radius_m, aperture_radius_m))
    return -10.0 * xp.log10(fraction)
