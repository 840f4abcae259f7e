"""Point processes in the plane: terrestrial stations and low platforms, where the Earth may be taken as flat."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.stochastic.checks import require_positive, require_range
from ntn_gym.physics.stochastic.count_laws import Law, any_probability
from ntn_gym.physics.stochastic.points import Points, draw_present, place


def sample_disc(
    generator: np.random.Generator,
    mean_n: float,
    disc_radius_m: float,
    alt_m: float = 0.0,
    law: Law = "binomial",
    shape: tuple[int, ...] = (),
) -> Points:
    """Draw a homogeneous binomial or Poisson point process on a horizontal disc.

    rho = sqrt(u) a, azimuth uniform.

    Source: WKA section III-C1, equation 16 (planar BPP).

    Args:
        generator: Source of random numbers.
        mean_n: Number of points on the disc, whole (binomial), or mean number (Poisson).
        disc_radius_m: Radius of the disc in m, > 0.
        alt_m: Height of the disc in m.
        law: "binomial" or "poisson".
        shape: Batch shape.

    Returns:
        Points in local axes (east, north, up) about the middle of the disc, [*shape, n].

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_positive("disc_radius_m", disc_radius_m, "m")
    present = draw_present(generator, mean_n, law, shape)
    return place(_on_disc(generator, present.shape, disc_radius_m) + np.array([0.0, 0.0, alt_m]), present)


def sample_disc_clusters(
    generator: np.random.Generator,
    parents: Points,
    mean_followers: float,
    cluster_radius_m: float,
    law: Law = "poisson",
) -> Points:
    """Draw points uniformly on a horizontal disc about each parent: hot spots of users or of small cells.

    With Poisson parents and the Poisson law this is the Matérn cluster process. The parents themselves are not points.

    Source: S. N. Chiu, D. Stoyan, W. S. Kendall, J. Mecke, Stochastic Geometry and its Applications, 3rd ed., section
    5.3 (Matérn cluster process).

    Args:
        generator: Source of random numbers.
        parents: Centres of the clusters in local axes, [..., n]. Draw them on a disc larger by `cluster_radius_m` than
            the region of interest, or its edge is too thin.
        mean_followers: Number of points of a cluster, whole (binomial), or mean number (Poisson).
        cluster_radius_m: Radius of a cluster in m, > 0.
        law: Law of the number of points of a cluster.

    Returns:
        Points in local axes, [..., n followers], cluster by cluster.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_positive("cluster_radius_m", cluster_radius_m, "m")
    present = draw_present(generator, mean_followers, law, parents.present.shape) & parents.present[..., None]
    position_m = parents.position_m[..., None, :] + _on_disc(generator, present.shape, cluster_radius_m)
    flat = (*parents.present.shape[:-1], parents.present.shape[-1] * present.shape[-1])
    return place(position_m.reshape(*flat, 3), present.reshape(flat))


def planar_contact_distance_cdf(
    distance_m: ArrayLike,
    mean_n: ArrayLike,
    disc_radius_m: float,
    alt_m: float = 0.0,
    law: Law = "binomial",
) -> Array:
    """Return the probability that the nearest point of a disc is within a distance of the ground below its middle.

    One point is within d with probability p = (d^2 - h^2) / a^2, clipped to [0, 1]; then 1 - (1 - p)^N or 1 - e^(-Np).

    Source: M. Haenggi, Stochastic Geometry for Wireless Networks, section 2.9 (contact distance), with the height
    added.

    Args:
        distance_m: Distance in m, at least 0, [...].
        mean_n: Number of points on the disc (binomial) or mean number (Poisson), [...].
        disc_radius_m: Radius of the disc in m, > 0.
        alt_m: Height of the disc above the user in m, at least 0.
        law: "binomial" or "poisson".

    Returns:
        Probability, [...]; NumPy or torch.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_range("distance_m", distance_m, 0.0, unit="m")
    require_positive("disc_radius_m", disc_radius_m, "m")
    require_range("alt_m", alt_m, 0.0, unit="m")
    xp, distance, number = promote(distance_m, mean_n)
    share = xp.clip((distance - alt_m) * (distance + alt_m) / disc_radius_m**2, 0.0, 1.0)
    return any_probability(share, number, law)


def _on_disc(generator: np.random.Generator, shape: tuple[int, ...], radius_m: float) -> NDArray[np.float64]:
    uniform = generator.random((*shape, 2))
    rho, azimuth = radius_m * np.sqrt(uniform[..., 0]), 2.0 * math.pi * uniform[..., 1]
    position: NDArray[np.float64] = np.stack((rho * np.sin(azimuth), rho * np.cos(azimuth), np.zeros(shape)), axis=-1)
    return position
