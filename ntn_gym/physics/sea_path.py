"""Line-of-sight path over the sea without an evaporation duct: two rays over a sphere with a rough, lossy surface."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M, SPEED_OF_LIGHT_M_S
from ntn_gym.physics.ground_reflection import (
    Polarization,
    fresnel_reflection,
    rough_surface_factor,
    sea_water_permittivity,
)
from ntn_gym.physics.validity import require_range

FloatArray = NDArray[Any]

EFFECTIVE_RADIUS_M = 4.0 / 3.0 * EARTH_MEAN_RADIUS_M
"""Earth's radius with the mean refraction of the air (ITU-R P.453: gradient of -39 N units per km)."""


@dataclass(frozen=True)
class SphereReflection:
    """Geometry of a reflection on a sphere; arrays [...].

    Attributes:
        direct_m: Length of the direct ray in m.
        difference_m: How much longer the reflected ray is in m.
        grazing_rad: Angle between the rays and the surface in rad.
        divergence: Loss of amplitude by the curved mirror, in (0, 1].
    """

    direct_m: FloatArray
    difference_m: FloatArray
    grazing_rad: FloatArray
    divergence: FloatArray


def radio_horizon_m(
    height_a_m: FloatArray | float, height_b_m: FloatArray | float, radius_m: float = EFFECTIVE_RADIUS_M
) -> FloatArray:
    """Return the arc at which two antennas lose sight of each other, R (acos R/(R+h_a) + acos R/(R+h_b)).

    Source: geometry of a sphere; about 4.12 km (sqrt h_a + sqrt h_b) with heights in m.

    Args:
        height_a_m: Height of one antenna in m, [...].
        height_b_m: Height of the other in m, [...].
        radius_m: Radius of the sphere in m.

    Returns:
        Arc in m, [...].
    """
    arcs = [
        np.arctan2(np.sqrt(np.multiply(h, 2.0 * radius_m + np.asarray(h))), radius_m) for h in (height_a_m, height_b_m)
    ]
    arc: FloatArray = radius_m * (arcs[0] + arcs[1])
    return arc


def sphere_reflection(
    arc_m: FloatArray | float,
    height_a_m: FloatArray | float,
    height_b_m: FloatArray | float,
    radius_m: float = EFFECTIVE_RADIUS_M,
) -> SphereReflection:
    """Find the point of specular reflection on a sphere: where both grazing angles are equal, by bisection.

    The divergence is that of a bundle of rays on a sphere, D = [1 + 2 s_a s_b / (R (s_a + s_b) sin g)]^(-1/2)
    [1 + 2 s_a s_b sin g / (R (s_a + s_b))]^(-1/2), in the plane of incidence and across it, with s the lengths of
    the two parts of the reflected ray.

    Source: D. E. Kerr (ed.), Propagation of Short Radio Waves, McGraw-Hill 1951, section 5.2 (H. J. Riblet and
    C. B. Barker, "A general divergence formula", J. Appl. Phys. 19, 1948).

    Args:
        arc_m: Distance along the surface in m, positive, within the radio horizon, [...].
        height_a_m: Height of one antenna in m, positive, [...].
        height_b_m: Height of the other in m, positive, [...].
        radius_m: Radius of the sphere in m.

    Returns:
        The geometry.

    Raises:
        ValueError: If the antennas do not see each other.
    """
    arc, a, b = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (arc_m, height_a_m, height_b_m)))
    horizon = radio_horizon_m(a, b, radius_m)
    if not np.all((arc > 0.0) & (arc < horizon)):
        raise ValueError(
            f"arc_m: got {float(arc.max()):g} m; must be above 0 and below the radio horizon, "
            f"{float(horizon.min()):g} m (beyond it the path is diffracted)"
        )

    def part(height: FloatArray, angle: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the ray from an antenna to a point of the surface: its length and the sine of its elevation."""
        half = np.sin(angle / 2.0) ** 2
        length = np.sqrt(height**2 + 4.0 * radius_m * (radius_m + height) * half)
        return length, (height - 2.0 * (radius_m + height) * half) / length

    total = arc / radius_m
    low, high = np.zeros_like(total), total.copy()
    for _ in range(60):
        middle = 0.5 * (low + high)
        # Nearer to a its ray is steeper: move the point away from the antenna with the steeper ray.
        steeper_a = part(a, middle)[1] > part(b, total - middle)[1]
        low, high = np.where(steeper_a, middle, low), np.where(steeper_a, high, middle)
    angle = 0.5 * (low + high)
    (length_a, sine_a), (length_b, sine_b) = part(a, angle), part(b, total - angle)
    sine = np.clip(0.5 * (sine_a + sine_b), 0.0, 1.0)
    along = length_a + length_b
    direct = np.sqrt((a - b) ** 2 + 4.0 * (radius_m + a) * (radius_m + b) * np.sin(total / 2.0) ** 2)
    # The parts meet at 180 deg - 2 g, so that along^2 - direct^2 = 2 s_a s_b (1 - cos 2 g): no cancellation.
    difference = 4.0 * length_a * length_b * sine**2 / (along + direct)
    curvature = 2.0 * length_a * length_b / (radius_m * along)
    with np.errstate(divide="ignore"):
        divergence = 1.0 / np.sqrt((1.0 + curvature / np.maximum(sine, 1e-300)) * (1.0 + curvature * sine))
    return SphereReflection(direct, difference, np.arcsin(sine), divergence)


def sea_path_loss_db(
    arc_m: FloatArray | float,
    height_a_m: FloatArray | float,
    height_b_m: FloatArray | float,
    freq_hz: float,
    polarization: Polarization = "vertical",
    wave_height_m: float = 0.5,
    temperature_k: float = 293.15,
    salinity_permille: float = 35.0,
) -> FloatArray:
    """Return the loss between isotropic antennas over the sea, within the radio horizon and without a duct.

    Direct ray plus the ray reflected by the sea, R = divergence x Fresnel x Ament's roughness, over a sphere of 4/3
    of the Earth's radius. The loss is limited to 300 dB in the nulls of the interference.

    Source: L. V. Blake, Radar Range-Performance Analysis, Artech House 1986, chapter 6 (pattern propagation factor
    over the sea); parts as in `sphere_reflection`, `ground_reflection`.

    Args:
        arc_m: Distance along the surface in m, positive, within the radio horizon, [...].
        height_a_m: Height of one antenna over the mean sea in m, positive, [...].
        height_b_m: Height of the other in m, positive, [...].
        freq_hz: Frequency in Hz, 0.1e9 to 20e9.
        polarization: "horizontal" or "vertical".
        wave_height_m: Significant wave height in m, 0 (mirror) to 15; four standard deviations of the surface.
        temperature_k: Temperature of the water in K.
        salinity_permille: Salinity in parts per thousand.

    Returns:
        Loss in dB, [...].

    Raises:
        ValueError: If an argument is outside its range or the antennas do not see each other.
    """
    require_range("wave_height_m", wave_height_m, 0.0, 15.0, "m")
    permittivity = sea_water_permittivity(freq_hz, temperature_k, salinity_permille)
    geometry = sphere_reflection(arc_m, height_a_m, height_b_m)
    mirror = fresnel_reflection(geometry.grazing_rad, permittivity, polarization)
    rough = rough_surface_factor(geometry.grazing_rad, freq_hz, wave_height_m / 4.0)
    wavenumber = 2.0 * math.pi * freq_hz / SPEED_OF_LIGHT_M_S
    reflected = geometry.direct_m + geometry.difference_m
    echo = geometry.divergence * rough * mirror * np.exp(-1j * wavenumber * geometry.difference_m)
    field = np.abs(1.0 / geometry.direct_m + echo / reflected) / (2.0 * wavenumber)
    loss: FloatArray = -20.0 * np.log10(np.maximum(field, 1e-15))
    return loss
