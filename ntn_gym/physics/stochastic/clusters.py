"""Clusters on the sphere: Poisson cluster processes, and the circular and uniform clusters of satellites."""

from __future__ import annotations

import math

import numpy as np

from ntn_gym.physics.stochastic.checks import require_range
from ntn_gym.physics.stochastic.count_laws import Law
from ntn_gym.physics.stochastic.points import Points, draw_present, place
from ntn_gym.physics.stochastic.sphere import norm, offset_direction


def sample_uniform_clusters(
    generator: np.random.Generator,
    leaders: Points,
    mean_followers: float,
    half_angle_rad: float,
    law: Law = "binomial",
) -> Points:
    """Draw followers uniformly on a spherical cap about each leader.

    With the binomial law these are the uniform satellite clusters; with Poisson leaders and the Poisson law the
    followers are a Poisson (Matérn) cluster process, whose total number has the mean L M and the variance L (M + M^2).

    Source: WKA section V-C2 (uniform cluster: homogeneous BPP on a cap centred on the leader) and table V (PCP of
    Jung et al., "Satellite clustering for non-terrestrial networks", IEEE Vehicular Technology Magazine 18(3), 2023).

    Args:
        generator: Source of random numbers.
        leaders: Leaders, [..., n], in Earth-centred axes; any process of this package.
        mean_followers: Number of followers of a leader, whole (binomial), or mean number (Poisson).
        half_angle_rad: Central angle from the leader to the edge of its cluster in rad, in [0, pi].
        law: Law of the number of followers.

    Returns:
        The followers (without the leaders) at the leaders' distance from the Earth's centre, [..., n followers],
        cluster by cluster.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("half_angle_rad", half_angle_rad, 0.0, math.pi, "rad")
    present = draw_present(generator, mean_followers, law, leaders.present.shape) & leaders.present[..., None]
    uniform = generator.random((*present.shape, 2))
    angle = 2.0 * np.arcsin(np.sqrt(uniform[..., 0]) * math.sin(half_angle_rad / 2.0))
    return _around(leaders, angle, 2.0 * math.pi * uniform[..., 1], present)


def sample_circular_clusters(
    generator: np.random.Generator, leaders: Points, n_followers: int, half_angle_rad: float
) -> Points:
    """Place followers at equal spacing on a circle about each leader; the phase of each circle is random.

    Source: WKA section V-C2 (circular cluster: followers at equal intervals along the edge of a spherical cap centred
    on the leader). The random phase is ours: the leaders are isotropic, and so is then every follower.

    Args:
        generator: Source of random numbers, for the phase.
        leaders: Leaders, [..., n], in Earth-centred axes.
        n_followers: Number of followers of each leader, at least 1.
        half_angle_rad: Central angle from the leader to its followers in rad, in [0, pi].

    Returns:
        The followers (without the leaders) at the leaders' distance from the Earth's centre, [..., n followers],
        cluster by cluster.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("half_angle_rad", half_angle_rad, 0.0, math.pi, "rad")
    require_range("n_followers", n_followers, 1)
    phase = 2.0 * math.pi * generator.random((*leaders.present.shape, 1))
    azimuth = phase + 2.0 * math.pi / n_followers * np.arange(n_followers)
    present = np.broadcast_to(leaders.present[..., None], azimuth.shape)
    return _around(leaders, np.full(azimuth.shape, half_angle_rad), azimuth, present)


def _around(
    leaders: Points,
    angle_rad: np.typing.NDArray[np.float64],
    azimuth_rad: np.typing.NDArray[np.float64],
    present: np.typing.NDArray[np.bool_],
) -> Points:
    """Points at an angle and azimuth, [..., n, m], from each leader, with the two last axes joined."""
    centre = leaders.position_m[..., None, :]
    position_m = norm(centre)[..., None] * offset_direction(centre, angle_rad, azimuth_rad)
    flat = (*present.shape[:-2], present.shape[-2] * present.shape[-1])
    return place(position_m.reshape(*flat, 3), present.reshape(flat))
