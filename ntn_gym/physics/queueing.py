"""Waiting lines: stationary waiting times of M/M/1, M/D/1 and M/G/1, and one slot of a queue."""

from __future__ import annotations

from typing import NamedTuple

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.validity import require_range


def mg1_waiting_time_s(arrival_rate_s: ArrayLike, service_mean_s: ArrayLike, service_variance_s2: ArrayLike) -> Array:
    """Return the mean time in the queue of M/G/1, lambda E[S^2] / (2 (1 - rho)).

    Source: L. Kleinrock, Queueing Systems, volume 1, Wiley 1975, section 5.6 (Pollaczek and Khinchin).

    Args:
        arrival_rate_s: Rate of Poisson arrivals lambda in 1/s, not negative, [...].
        service_mean_s: Mean service time in s, positive, [...].
        service_variance_s2: Variance of the service time in s^2, not negative, [...].

    Returns:
        Mean waiting time in s, without the service itself, [...].

    Raises:
        ValueError: If the load rho = lambda E[S] is 1 or more: the queue grows for ever.
    """
    _, rate, mean, variance = promote(arrival_rate_s, service_mean_s, service_variance_s2)
    load = rate * mean
    require_range("arrival_rate_s x service_mean_s", load, 0.0, 1.0 - 1e-9, "", "the load of a stable queue")
    return rate * (variance + mean**2) / (2.0 * (1.0 - load))


def mm1_waiting_time_s(arrival_rate_s: ArrayLike, service_rate_s: ArrayLike) -> Array:
    """Return the mean time in the queue of M/M/1, rho / (mu - lambda).

    Source: Kleinrock 1975, section 3.2.

    Args:
        arrival_rate_s: Arrival rate lambda in 1/s, not negative, [...].
        service_rate_s: Service rate mu in 1/s, above lambda, [...].

    Returns:
        Mean waiting time in s, without the service itself, [...].

    Raises:
        ValueError: If the load is 1 or more.
    """
    _, mean = promote(service_rate_s)
    return mg1_waiting_time_s(arrival_rate_s, 1.0 / mean, 1.0 / mean**2)


def md1_waiting_time_s(arrival_rate_s: ArrayLike, service_s: ArrayLike) -> Array:
    """Return the mean time in the queue of M/D/1 (constant service time S), rho S / (2 (1 - rho)).

    Source: Kleinrock 1975, section 5.6.

    Args:
        arrival_rate_s: Arrival rate lambda in 1/s, not negative, [...].
        service_s: Service time S in s, positive, [...].

    Returns:
        Mean waiting time in s, without the service itself, [...].

    Raises:
        ValueError: If the load is 1 or more.
    """
    return mg1_waiting_time_s(arrival_rate_s, service_s, 0.0)


class QueueStep(NamedTuple):
    """Outcome of one slot of a queue; amounts in the unit of the queue, [...].

    Attributes:
        backlog: Backlog at the end of the slot.
        served: Amount served in the slot.
        dropped: Arrivals that found no room.
    """

    backlog: Array
    served: Array
    dropped: Array


def queue_step(
    backlog: ArrayLike, arrivals: ArrayLike, service: ArrayLike, capacity: ArrayLike = float("inf")
) -> QueueStep:
    """Advance a queue by one slot: serve what was there, then admit the arrivals up to the capacity.

    Q' = min(Q - min(Q, s) + a, Q_max): arrivals of a slot are served from the next slot on.

    Source: M. J. Neely, Stochastic Network Optimization with Application to Communication and Queueing Systems,
    Morgan and Claypool 2010, chapter 2, with a limited buffer.

    Args:
        backlog: Backlog Q before the slot (bit, cycles, packets), not negative, [...].
        arrivals: Arrivals a of the slot, not negative, [...].
        service: Amount s that can be served in the slot, not negative, [...].
        capacity: Largest backlog Q_max, [...].

    Returns:
        The outcome; backlog + arrivals = served + dropped + new backlog.
    """
    xp, queue, new, offered, room = promote(backlog, arrivals, service, capacity)
    served = xp.minimum(queue, offered)
    left = queue - served
    admitted = xp.clip(xp.minimum(new, room - left), 0.0, None)
    return QueueStep(left + admitted, served, new - admitted)
