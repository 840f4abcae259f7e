"""Which satellite relays next: the rules of routing by stochastic geometry, and routes that follow them.

Positions are in Earth-centred axes: [..., 3] for the node that holds the message and for the receiver, [..., n, 3] for
the candidates; NaN candidates never qualify. Where no candidate qualifies the index is -1. NumPy and torch.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.physics.stochastic.association import least_eligible
from ntn_gym.physics.stochastic.checks import require_one_of, require_positive, require_range
from ntn_gym.physics.stochastic.sphere import along_arc, angle_between_rad, cross, norm

RelayRule = Literal["minimum_deflection", "long_hop", "short_hop"]
"""Rules that use only what the node at hand knows (the first type of WKA section V-A2)."""


def deflection_angle_rad(node_m: ArrayLike, candidate_m: ArrayLike, receiver_m: ArrayLike) -> Array:
    """Return the angle at a node between the great circles to a candidate and to the receiver.

    The angle between the normals of the two great circles.

    Source: WKA section V-A2 (deflection angle).

    Args:
        node_m: Positions of the node that holds the message in m, [..., 3].
        candidate_m: Positions of candidates in m, [..., n, 3].
        receiver_m: Positions of the receiver in m, [..., 3], not above or opposite to the node.

    Returns:
        Angle in rad in [0, pi], [..., n]; of the node itself as a candidate it is 0.
    """
    _, node, candidate, receiver = promote(node_m, candidate_m, receiver_m)
    # An angle has no scale; in metres the products of four lengths would overflow in float32.
    origin, ahead = node[..., None, :] / EARTH_MEAN_RADIUS_M, receiver[..., None, :] / EARTH_MEAN_RADIUS_M
    return angle_between_rad(cross(origin, candidate / EARTH_MEAN_RADIUS_M), cross(origin, ahead))


def within_sector(
    node_m: ArrayLike,
    candidate_m: ArrayLike,
    receiver_m: ArrayLike,
    max_distance_m: float,
    half_angle_rad: float = math.pi / 2.0,
) -> Array:
    """Return which candidates are within the reliable range of a node, a sector towards the receiver.

    Within the distance, within the deflection angle, and nearer to the receiver (by central angle) than the node
    itself; the last keeps routes from going in circles and excludes the node.

    Source: WKA section V-A2 (finite, sector-shaped reliable range). That a hop must approach the receiver is ours.

    Args:
        node_m: Positions of the node that holds the message in m, [..., 3].
        candidate_m: Positions of candidates in m, [..., n, 3].
        receiver_m: Positions of the receiver in m, [..., 3].
        max_distance_m: Largest length of a hop in m, > 0.
        half_angle_rad: Largest deflection angle in rad in (0, pi].

    Returns:
        True for the candidates that qualify, [..., n].

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_positive("max_distance_m", max_distance_m, "m")
    require_range("half_angle_rad", half_angle_rad, 1e-9, math.pi, "rad")
    _, node, candidate, receiver = promote(node_m, candidate_m, receiver_m)
    reachable = norm(candidate - node[..., None, :]) <= max_distance_m
    rest = angle_between_rad(candidate, receiver[..., None, :])
    progress = rest < angle_between_rad(node, receiver)[..., None]
    return reachable & progress & (deflection_angle_rad(node, candidate, receiver) <= half_angle_rad)


def line_of_sight(a_m: ArrayLike, b_m: ArrayLike, clear_radius_m: float = EARTH_MEAN_RADIUS_M) -> Array:
    """Return whether the straight line between two platforms stays above a sphere about the Earth's centre.

    The nearest point of the segment to the centre, at the share -a . (b - a) / |b - a|^2 clipped to [0, 1].

    Source: Vallado, Fundamentals of Astrodynamics and Applications, 4th ed., section 5.3.3 (sight).

    Args:
        a_m: Positions in m, [..., 3].
        b_m: Positions in m, not equal to a, [..., 3].
        clear_radius_m: Radius of the sphere in m, > 0: the Earth's, or more to keep lasers out of the atmosphere.

    Returns:
        True where the line is clear, [...].

    Raises:
        ValueError: If the radius is not positive.
    """
    require_positive("clear_radius_m", clear_radius_m, "m")
    xp, first, second = promote(a_m, b_m)
    way = second - first
    share = xp.clip(-xp.sum(first * way, axis=-1) / xp.sum(way * way, axis=-1), 0.0, 1.0)
    return norm(first + share[..., None] * way) >= clear_radius_m


def minimum_deflection(node_m: ArrayLike, candidate_m: ArrayLike, receiver_m: ArrayLike, eligible: Array) -> Array:
    """Return the candidate of the smallest deflection angle: the route keeps to the shortest path.

    Source: WKA section V-A2 and Fig. 8.

    Args:
        node_m: Positions of the node that holds the message in m, [..., 3].
        candidate_m: Positions of candidates in m, [..., n, 3].
        receiver_m: Positions of the receiver in m, [..., 3].
        eligible: True for the candidates that qualify, for example `within_sector`, [..., n].

    Returns:
        Index of the relay, [...]; -1 where none qualifies.
    """
    return least_eligible(deflection_angle_rad(node_m, candidate_m, receiver_m), eligible)


def long_hop(candidate_m: ArrayLike, receiver_m: ArrayLike, eligible: Array) -> Array:
    """Return the candidate nearest to the receiver: few, long hops.

    Source: WKA section V-A2 and Fig. 8; M. Haenggi and D. Puccinelli, "Routing in ad hoc networks: a case for long
    hops", IEEE Communications Magazine 43(10), 2005.

    Args:
        candidate_m: Positions of candidates in m, [..., n, 3].
        receiver_m: Positions of the receiver in m, [..., 3].
        eligible: True for the candidates that qualify, for example `within_sector`, [..., n].

    Returns:
        Index of the relay, [...]; -1 where none qualifies.
    """
    _, candidate, receiver = promote(candidate_m, receiver_m)
    return least_eligible(norm(candidate - receiver[..., None, :]), eligible)


def short_hop(node_m: ArrayLike, candidate_m: ArrayLike, eligible: Array) -> Array:
    """Return the candidate nearest to the node: many, short hops.

    Source: WKA section V-A2; M. Haenggi, "On routing in random Rayleigh fading networks", IEEE Transactions on Wireless
    Communications 4(4), 2005.

    Args:
        node_m: Positions of the node that holds the message in m, [..., 3].
        candidate_m: Positions of candidates in m, [..., n, 3].
        eligible: True for the candidates that qualify, not the node itself, [..., n].

    Returns:
        Index of the relay, [...]; -1 where none qualifies.
    """
    _, node, candidate = promote(node_m, candidate_m)
    return least_eligible(norm(candidate - node[..., None, :]), eligible)


def longest_hop_rad(
    radius_m: float, max_distance_m: float = math.inf, clear_radius_m: float = EARTH_MEAN_RADIUS_M
) -> float:
    """Return the largest central angle of one hop between satellites of one altitude.

    The smaller of 2 arcsin(d_max / 2 r) and, for a clear line, 2 arccos(R / r).

    Source: R. Wang, M. A. Kishk and M.-S. Alouini, "Stochastic geometry-based low latency routing in massive LEO
    satellite networks", IEEE Transactions on Aerospace and Electronic Systems 58(5), 2022 (line of sight and range).

    Args:
        radius_m: Distance of the satellites from the Earth's centre in m, above `clear_radius_m`.
        max_distance_m: Largest length of a hop in m, > 0; infinite for the line of sight alone.
        clear_radius_m: Radius of the sphere that hops must clear in m, > 0.

    Returns:
        Central angle in rad.

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_positive("max_distance_m", max_distance_m, "m")
    require_positive("clear_radius_m", clear_radius_m, "m")
    require_range("radius_m", radius_m, clear_radius_m, unit="m (clear_radius_m)")
    by_sight = 2.0 * math.acos(clear_radius_m / radius_m)
    return min(by_sight, 2.0 * math.asin(min(max_distance_m / (2.0 * radius_m), 1.0)))


def ideal_relays(transmitter_m: ArrayLike, receiver_m: ArrayLike, n_hops: int) -> Array:
    """Return the ideal positions of the relays of a path of equal hops, at the transmitter's height.

    Source: WKA section V-A2 (closest relay association) and Wang, Kishk, Alouini 2022 (see `longest_hop_rad`): for a
    given number of hops the propagation delay is least when they are equal.

    Args:
        transmitter_m: Positions of the first node in m, [..., 3].
        receiver_m: Positions of the last node in m, not opposite to the first, [..., 3].
        n_hops: Number of hops, at least 1.

    Returns:
        Positions in m, [..., n_hops - 1, 3].

    Raises:
        ValueError: If the number of hops is outside its range.
    """
    require_range("n_hops", n_hops, 1)
    xp, transmitter, receiver = promote(transmitter_m, receiver_m)
    share = xp.asarray([hop / n_hops for hop in range(1, n_hops)], dtype=transmitter.dtype)
    radius_m = norm(transmitter)[..., None, None]
    return radius_m * along_arc(transmitter[..., None, :], receiver[..., None, :], share)


def closest_to_ideal(ideal_m: ArrayLike, candidate_m: ArrayLike, present: Array) -> Array:
    """Return the satellite closest to each ideal relay.

    Source: WKA section V-A2 and Fig. 8 (closest relay association of Wang, Kishk, Alouini 2022).

    Args:
        ideal_m: Ideal positions in m, [..., h, 3]; see `ideal_relays`.
        candidate_m: Positions of candidates in m, [..., n, 3].
        present: True for the candidates that exist, [..., n].

    Returns:
        Indices of the relays, [..., h]; -1 where there is no candidate. One candidate may be closest to two ideals.
    """
    _, ideal, candidate = promote(ideal_m, candidate_m)
    distance_m = norm(candidate[..., None, :, :] - ideal[..., :, None, :])
    return least_eligible(distance_m, present[..., None, :])


def follow(
    rule: RelayRule,
    transmitter_m: ArrayLike,
    receiver_m: ArrayLike,
    candidate_m: ArrayLike,
    max_distance_m: float,
    half_angle_rad: float = math.pi / 2.0,
    max_hops: int = 64,
) -> tuple[Array, Array]:
    """Return the relays of routes that apply a rule at each node until the receiver is within one hop.

    Source: WKA section V-A2. The loop runs over hops; all routes of the batch advance together.

    Args:
        rule: "minimum_deflection", "long_hop" or "short_hop".
        transmitter_m: Positions of the first node in m, [..., 3].
        receiver_m: Positions of the last node in m, [..., 3].
        candidate_m: Positions of candidates in m, [..., n, 3]; NaN for places without a satellite.
        max_distance_m: Largest length of a hop in m, > 0.
        half_angle_rad: Largest deflection angle in rad in (0, pi].
        max_hops: Number of hops after which a route is given up, at least 1.

    Returns:
        Indices of the relays in order, [..., max_hops - 1], -1 after the last; and whether the receiver was reached,
        [...].

    Raises:
        ValueError: If an argument is outside its range.
    """
    require_one_of("rule", rule, get_args(RelayRule))
    require_range("max_hops", max_hops, 1)
    xp, node, receiver, candidate = promote(transmitter_m, receiver_m, candidate_m)
    node = xp.broadcast_to(node, (*candidate.shape[:-2], 3))
    receiver = xp.broadcast_to(receiver, node.shape)
    relays = []
    for _ in range(max_hops - 1):
        eligible = within_sector(node, candidate, receiver, max_distance_m, half_angle_rad)
        arrived = norm(receiver - node) <= max_distance_m
        eligible = eligible & ~arrived[..., None]
        if rule == "minimum_deflection":
            index = minimum_deflection(node, candidate, receiver, eligible)
        elif rule == "long_hop":
            index = long_hop(candidate, receiver, eligible)
        else:
            index = short_hop(node, candidate, eligible)
        relays.append(index)
        if not bool(xp.any(index >= 0)):
            break
        picked = xp.broadcast_to(xp.clip(index, 0)[..., None, None], (*index.shape, 1, 3))
        node = xp.where((index >= 0)[..., None], xp.take_along_axis(candidate, picked, axis=-2)[..., 0, :], node)
    none = xp.full(node.shape[:-1], -1, dtype=xp.int64)
    relays += [none] * (max_hops - 1 - len(relays))
    path = xp.stack(relays, axis=-1) if relays else xp.zeros((*node.shape[:-1], 0), dtype=xp.int64)
    return path, norm(receiver - node) <= max_distance_m
