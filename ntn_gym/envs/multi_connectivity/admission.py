"""Limits of the nodes: who is refused where too many users name the same node."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.multi_connectivity.channel import antennas_of_slots
from ntn_gym.envs.multi_connectivity.scenario import Scenario

FloatArray = NDArray[Any]


def limits_of_resources(scenario: Scenario) -> NDArray[np.int64]:
    """Users that each resource (node and band) can serve, [R]."""
    sky = [antenna.node_limit for antenna in antennas_of_slots(scenario)]
    stations = scenario.n_nodes - len(sky)
    limit = 0 if scenario.stations is None else scenario.stations.node_limit
    return np.array((sky + [limit] * stations) * len(scenario.modes), dtype=np.int64)


@lru_cache(maxsize=16)
def offsets(n_worlds: int, n_resources: int) -> NDArray[np.int64]:
    """Where the resources of each world begin in a flat list with one spare per world, [B, 1, 1]."""
    starts = (np.arange(n_worlds) * (n_resources + 1))[:, None, None]
    starts.setflags(write=False)
    return starts


def users_of(flat: NDArray[np.int64], links: NDArray[np.bool_], n_resources: int) -> NDArray[np.int64]:
    """Count the links to each resource, [B, R + 1]; ``flat`` are resources [B, U, P] with `offsets` added."""
    n_worlds = len(links)
    count = np.bincount(flat[links], minlength=n_worlds * (n_resources + 1))
    return count.reshape(n_worlds, n_resources + 1)


def refused(
    wanted: NDArray[np.bool_],
    incumbent: NDArray[np.bool_],
    quality: FloatArray,
    flat: NDArray[np.int64],
    limit: NDArray[np.int64],
    crowded: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return which wanted links are refused because their node is full, [B, U, P].

    The links that exist go first, then those with the higher measured SINR, then those of the lower user.

    Args:
        wanted: [B, U, P].
        incumbent: Links that existed in the step before, [B, U, P].
        quality: Measured SINR, [B, U, P].
        flat: Resources with `offsets` added, [B, U, P].
        limit: Limits of the resources, and anything for the spare, [R + 1].
        crowded: Resources that more users want than they can serve, [B, R + 1].
    """
    # Only links to nodes that are too full are looked at.
    link = np.flatnonzero(wanted & crowded.ravel().take(flat))
    resource = flat.ravel()[link]
    # Ties keep their order, which is that of worlds and then users.
    order = np.lexsort((-quality.ravel()[link], ~incumbent.ravel()[link], resource))
    sorted_resource = resource[order]
    first = np.searchsorted(sorted_resource, sorted_resource)
    too_many = np.arange(len(order)) - first >= limit[sorted_resource % len(limit)]
    result = np.zeros(wanted.size, dtype=bool)
    result[link[order[too_many]]] = True
    return result.reshape(wanted.shape)
