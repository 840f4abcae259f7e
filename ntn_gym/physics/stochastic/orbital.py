"""Points on orbits and routes: Cox, dual stochastic binomial, orbit geometry model and line processes."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.stochastic.checks import require_one_of, require_positive, require_range
from ntn_gym.physics.stochastic.count_laws import Law
from ntn_gym.physics.stochastic.points import Points, draw_present, place
from ntn_gym.physics.stochastic.sphere import along_arc, angle_between_rad

Spacing = Literal["random", "equal"]
"""Satellites along an orbit, or orbits around the axis: independent and uniform, or equally spaced."""


def orbit_position_m(
    inclination_rad: ArrayLike, node_rad: ArrayLike, argument_rad: ArrayLike, radius_m: ArrayLike
) -> Array:
    """Return the position on a circular orbit, R_z(node) R_x(inclination) (r cos u, r sin u, 0).

    Source: WKA Algorithm 2, steps 8 to 13. Steps 8 and 9 feed angles in degrees to cos and sin of radians; here all
    angles are in rad.

    Args:
        inclination_rad: Angle between the orbit's normal and the polar axis in rad, [...].
        node_rad: Longitude of the ascending node in rad, [...].
        argument_rad: Angle from the ascending node along the orbit in rad, [...].
        radius_m: Radius of the orbit in m, [...].

    Returns:
        Position in m, [..., 3]; NumPy or torch.
    """
    xp, inclination, node, argument, radius = promote(inclination_rad, node_rad, argument_rad, radius_m)
    along, across = radius * xp.cos(argument), radius * xp.sin(argument)
    flat = across * xp.cos(inclination)
    components = (
        along * xp.cos(node) - flat * xp.sin(node),
        along * xp.sin(node) + flat * xp.cos(node),
        across * xp.sin(inclination),
    )
    return xp.stack(xp.broadcast_arrays(*components), axis=-1)


def sample_dual_stochastic(
    generator: np.random.Generator,
    n_points: int,
    n_per_orbit: int,
    radius_m: float,
    spacing: Spacing = "random",
    shape: tuple[int, ...] = (),
) -> Points:
    """Draw a dual stochastic binomial point process (DSBPP): fixed numbers of random orbits and of satellites on each.

    Inclination arccos(1 - 2 v), node uniform in [0, 2 pi): the orbits' normals are isotropic. Each satellite is uniform
    on the sphere, but those of one orbit depend on each other.

    Source: WKA section II-B2, equation 5 and Algorithm 2; the incomplete last orbit is that of WKA section V-E4.

    Args:
        generator: Source of random numbers.
        n_points: Number of satellites, at least 0.
        n_per_orbit: Number of satellites on each orbit, at least 1; the last orbit has fewer if it does not divide.
        radius_m: Radius of the orbits in m, > 0.
        spacing: Satellites along an orbit: "random" (independent, the DSBPP of WKA) or "equal" with a random phase.
        shape: Batch shape.

    Returns:
        Points in Earth-centred axes, [*shape, n_points], orbit by orbit.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("n_points", n_points, 0)
    require_range("n_per_orbit", n_per_orbit, 1)
    require_positive("radius_m", radius_m, "m")
    n_orbits = -(-n_points // n_per_orbit)
    inclination, node = _isotropic_orbits(generator, (*shape, n_orbits))
    argument = _arguments(generator, (*shape, n_orbits), n_per_orbit, spacing)
    position_m = orbit_position_m(inclination[..., None], node[..., None], argument, radius_m)
    position_m = position_m.reshape(*shape, n_orbits * n_per_orbit, 3)[..., :n_points, :]
    return Points(position_m, np.ones((*shape, n_points), dtype=np.bool_))


def sample_cox(
    generator: np.random.Generator,
    mean_orbits: float,
    mean_per_orbit: float,
    radius_m: float,
    shape: tuple[int, ...] = (),
) -> Points:
    """Draw a Cox point process: a Poisson number of isotropic orbits, and a Poisson process on each.

    Source: WKA section II-B1, after C.-S. Choi and F. Baccelli, "A novel analytical model for LEO satellite
    constellations leveraging Cox point processes", 2022.

    Args:
        generator: Source of random numbers.
        mean_orbits: Mean number of orbits, at least 0.
        mean_per_orbit: Mean number of satellites on an orbit, at least 0.
        radius_m: Radius of the orbits in m, > 0.
        shape: Batch shape.

    Returns:
        Points in Earth-centred axes, [*shape, n], orbit by orbit.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_positive("radius_m", radius_m, "m")
    require_range("mean_orbits", mean_orbits, 0.0, 1e9)
    require_range("mean_per_orbit", mean_per_orbit, 0.0, 1e9)
    # One flat list of all satellites of the batch, then scattered: rectangles of the fullest sky of the fullest orbit
    # would be mostly empty.
    orbits = np.asarray(generator.poisson(mean_orbits, size=shape)).ravel()
    satellites = generator.poisson(mean_per_orbit, size=orbits.sum())
    inclination, node = _isotropic_orbits(generator, satellites.shape)
    argument = 2.0 * math.pi * generator.random(satellites.sum())
    position_m = orbit_position_m(np.repeat(inclination, satellites), np.repeat(node, satellites), argument, radius_m)
    world = np.repeat(np.repeat(np.arange(orbits.size), orbits), satellites)
    number = np.bincount(world, minlength=orbits.size)
    present = np.arange(number.max(initial=0)) < number[:, None]
    batch = np.full((*present.shape, 3), np.nan)
    batch[present] = position_m
    return Points(batch.reshape(*shape, *batch.shape[-2:]), present.reshape(*shape, present.shape[-1]))


def sample_orbit_geometry(
    generator: np.random.Generator,
    n_orbits: int,
    mean_per_orbit: float,
    inclination_rad: float,
    radius_m: float,
    nodes: Spacing = "equal",
    satellites: Spacing = "equal",
    law: Law = "binomial",
    shape: tuple[int, ...] = (),
) -> Points:
    """Draw an orbit geometry model (OGM): orbits of one given inclination, and satellites on each of them.

    Nodes at equal spacing all around with one random offset (the Earth turns below the constellation) or independent;
    satellites at equal spacing with a random phase for each orbit, or independent. With independent satellites and the
    Poisson law each orbit is a Poisson line process, the OGM of WKA.

    Source: WKA section II-C; R. Wang, M. A. Kishk and M.-S. Alouini, "Evaluating the accuracy of stochastic geometry
    based models for LEO satellite networks analysis", IEEE Communications Letters 26(10), 2022.

    Args:
        generator: Source of random numbers.
        n_orbits: Number of orbits, at least 1.
        mean_per_orbit: Number of satellites on an orbit, whole (binomial), or mean number (Poisson).
        inclination_rad: Inclination in rad in [0, pi].
        radius_m: Radius of the orbits in m, > 0.
        nodes: "equal" or "random".
        satellites: "equal" (binomial law only) or "random".
        law: Law of the number of satellites of an orbit.
        shape: Batch shape.

    Returns:
        Points in Earth-centred axes, [*shape, n_orbits * n], orbit by orbit.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("n_orbits", n_orbits, 1)
    require_range("inclination_rad", inclination_rad, 0.0, math.pi, "rad")
    require_positive("radius_m", radius_m, "m")
    if satellites == "equal" and law == "poisson":
        raise ValueError(
            "satellites, law: a Poisson number is not equally spaced; use satellites='random' or law='binomial'"
        )
    node = _arguments(generator, shape, n_orbits, nodes)
    present = draw_present(generator, mean_per_orbit, law, (*shape, n_orbits))
    return _on_orbits(generator, np.full(node.shape, inclination_rad), node, radius_m, present, satellites)


def sample_orbit(
    generator: np.random.Generator,
    mean_n: float,
    radius_m: float,
    inclination_rad: float = 0.0,
    node_rad: float = 0.0,
    law: Law = "poisson",
    shape: tuple[int, ...] = (),
) -> Points:
    """Draw points on one given orbit: a Poisson line process (PLP), or a binomial one.

    The geostationary belt is the orbit of inclination 0 and radius 42,164 km.

    Source: WKA section II-C (PLP) and I-A3 (391 GEO satellites); D.-H. Jung et al., "Modeling and analysis of GEO
    satellite networks", 2023.

    Args:
        generator: Source of random numbers.
        mean_n: Number of points, whole (binomial), or mean number (Poisson).
        radius_m: Radius of the orbit in m, > 0.
        inclination_rad: Inclination in rad in [0, pi].
        node_rad: Longitude of the ascending node in rad.
        law: "poisson" or "binomial".
        shape: Batch shape.

    Returns:
        Points in Earth-centred axes, [*shape, n].

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("inclination_rad", inclination_rad, 0.0, math.pi, "rad")
    require_positive("radius_m", radius_m, "m")
    present = draw_present(generator, mean_n, law, shape)
    argument = 2.0 * math.pi * generator.random(present.shape)
    return place(orbit_position_m(inclination_rad, node_rad, argument, radius_m), present)


def sample_route(
    generator: np.random.Generator,
    mean_n: float,
    start_m: NDArray[np.float64],
    end_m: NDArray[np.float64],
    radius_m: float,
    law: Law = "poisson",
    shape: tuple[int, ...] = (),
) -> Points:
    """Draw points on a great-circle arc: aircraft on a route, ships on a lane.

    Source: WKA sections I-A5 and II-C (aircraft on fixed trajectories as a PLP).

    Args:
        generator: Source of random numbers.
        mean_n: Number of points on the route, whole (binomial), or mean number (Poisson).
        start_m: Position or direction of one end from the Earth's centre, broadcastable to [*shape, 3].
        end_m: Position or direction of the other end, broadcastable to [*shape, 3].
        radius_m: Distance of the points from the Earth's centre in m, > 0.
        law: "poisson" or "binomial".
        shape: Batch shape.

    Returns:
        Points in Earth-centred axes, [*shape, n], in random order along the arc.

    Raises:
        ValueError: If an argument is outside its range, or the ends are opposite to each other (no unique route).
    """
    require_positive("radius_m", radius_m, "m")
    first, last = np.asarray(start_m, dtype=np.float64), np.asarray(end_m, dtype=np.float64)
    length = angle_between_rad(first, last)
    if np.any(length > math.pi - 1e-6):
        raise ValueError("start_m, end_m: opposite points have no unique great circle; add a way-point between them")
    present = draw_present(generator, mean_n, law, shape)
    return place(
        radius_m * along_arc(first[..., None, :], last[..., None, :], generator.random(present.shape)), present
    )


def _isotropic_orbits(
    generator: np.random.Generator, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    uniform = generator.random((*shape, 2))
    return np.arccos(1.0 - 2.0 * uniform[..., 0]), 2.0 * math.pi * uniform[..., 1]


def _arguments(generator: np.random.Generator, shape: tuple[int, ...], n: int, spacing: Spacing) -> NDArray[np.float64]:
    """Angles of n places on each circle, [*shape, n]."""
    require_one_of("spacing", spacing, get_args(Spacing))
    if spacing == "random":
        return 2.0 * math.pi * generator.random((*shape, n))
    return 2.0 * math.pi * (generator.random((*shape, 1)) + np.arange(n) / n)


def _on_orbits(
    generator: np.random.Generator,
    inclination_rad: NDArray[np.float64],
    node_rad: NDArray[np.float64],
    radius_m: float,
    present: NDArray[np.bool_],
    spacing: Spacing,
) -> Points:
    """Points on orbits [..., orbits], `present` [..., orbits, n], with the two last axes joined."""
    argument = _arguments(generator, present.shape[:-1], present.shape[-1], spacing)
    position_m = orbit_position_m(inclination_rad[..., None], node_rad[..., None], argument, radius_m)
    flat = (*present.shape[:-2], present.shape[-2] * present.shape[-1])
    return place(position_m.reshape(*flat, 3), present.reshape(flat))
