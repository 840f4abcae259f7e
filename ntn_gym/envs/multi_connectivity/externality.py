"""What the links of one user cost the others: the difference reward."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.multi_connectivity.rates import Utility

FloatArray = NDArray[Any]


def loss_of_others(
    utility: Utility,
    now: Any,
    linked: NDArray[np.bool_],
    active: NDArray[np.bool_],
    rate_mbit_s: FloatArray,
    users: FloatArray,
    flat: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the utility that the other users of the same nodes would gain if a user were not there, [B, U].

    On each of its nodes the others would share with one fewer; the gains of the nodes are added (exact for split
    bearers on separate bands, except for two users who share two nodes).

    Source: difference rewards, D. H. Wolpert and K. Tumer, Advances in Complex Systems 4, 2001.

    Args:
        utility: Utility of a rate.
        now: Current slice; needs ``rate``, the rate alone on each port.
        linked: Links, [B, U, P].
        active: Links that carry data, [B, U, P].
        rate_mbit_s: Rates of the users, [B, U].
        users: Users on each resource, the spare one last, [B, R + 1].
        flat: Resource of each port in the flattened ``users``, [B, U, P].
    """
    here = users.ravel().take(flat)
    fewer = np.maximum(here - 1, np.float32(1))
    gain_mbit_s = np.where(active, now["rate"] * (1 / fewer - 1 / np.maximum(here, 1)), np.float32(0))
    gain = utility.of(rate_mbit_s[..., None] + gain_mbit_s) - utility.of(rate_mbit_s)[..., None]
    gain = np.where(linked, gain, 0).astype(np.float64)
    total = np.bincount(flat.ravel(), weights=gain.ravel(), minlength=users.size)
    others = total.take(flat) - gain
    result: NDArray[np.float64] = np.add.reduce(np.where(linked, np.maximum(others, 0.0), 0.0), axis=-1)
    return result
