"""Several links at once: maximum-ratio and selection combining, joint transmission, duplication."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc

from ntn_gym.physics.arrays import Array, ArrayLike, promote

FloatArray = NDArray[Any]


def mrc_sinr(branch_sinr: ArrayLike) -> Array:
    """Return the SINR after maximum-ratio combining, the sum over the branches.

    Source: D. G. Brennan, "Linear diversity combining techniques", Proc. IRE 47, 1959 (independent noise and
    interference in the branches).

    Args:
        branch_sinr: SINR of each branch as a power ratio, [..., L].

    Returns:
        SINR as a power ratio, [...].
    """
    xp, branches = promote(branch_sinr)
    return xp.sum(branches, axis=-1)


def selection_sinr(branch_sinr: ArrayLike) -> Array:
    """Return the SINR of the best branch.

    Source: Brennan 1959 (selection diversity).

    Args:
        branch_sinr: SINR of each branch as a power ratio, [..., L].

    Returns:
        SINR as a power ratio, [...].
    """
    xp, branches = promote(branch_sinr)
    return xp.max(branches, axis=-1)


def mrc_rayleigh_outage(threshold: FloatArray | float, mean_sinr: FloatArray | float, n_branches: int) -> FloatArray:
    """Return the outage of maximum-ratio combining over independent, equal Rayleigh branches, P(L, x / mean).

    Source: J. G. Proakis and M. Salehi, Digital Communications, 5th ed., section 13.4-1 (chi-square law of the sum).

    Args:
        threshold: SINR below which there is an outage, as a power ratio, not negative, [...].
        mean_sinr: Mean SINR of one branch as a power ratio, positive, [...].
        n_branches: Number of branches L, at least 1.

    Returns:
        Probability, [...].

    Raises:
        ValueError: If there is no branch.
    """
    if n_branches < 1:
        raise ValueError(f"n_branches: got {n_branches}; must be 1 or more")
    outage: FloatArray = gammainc(float(n_branches), np.divide(threshold, mean_sinr))
    return outage


def joint_transmission_sinr(
    received_w: ArrayLike, serving: ArrayLike, noise_w: ArrayLike, coherent: bool = False
) -> Array:
    """Return the SINR of a user served by several nodes at once, the others interfering.

    Non-coherent: the powers of the serving nodes add. Coherent (phases aligned at the user): their amplitudes add,
    (sum sqrt P)^2.

    Source: R. Tanbourgi et al., "A tractable model for noncoherent joint-transmission base station cooperation",
    IEEE Trans. Wireless Commun. 13 (9), 2014; G. Nigam, P. Minero and M. Haenggi, "Coordinated
    multipoint joint transmission in heterogeneous networks", IEEE Trans. Commun. 62 (11), 2014.

    Args:
        received_w: Received power from each node in W, [..., K].
        serving: True for the nodes that serve the user, [..., K].
        noise_w: Noise power in W, positive, [...].
        coherent: Whether the nodes align their phases at the user.

    Returns:
        SINR as a power ratio, [...].
    """
    xp, received, noise = promote(received_w, noise_w)
    chosen = xp.asarray(serving, dtype=xp.bool, device=getattr(received, "device", None))
    zero = xp.zeros_like(received)
    useful = xp.where(chosen, received, zero)
    interference = xp.sum(xp.where(chosen, zero, received), axis=-1)
    signal = xp.sum(xp.sqrt(useful), axis=-1) ** 2 if coherent else xp.sum(useful, axis=-1)
    return signal / (noise + interference)


def duplication_loss(path_loss_probability: ArrayLike) -> Array:
    """Return the probability that a packet sent over several independent paths is lost on all, the product.

    Source: probability of independent events; packet duplication of 3GPP TS 38.323 clause 5.11.

    Args:
        path_loss_probability: Loss probability of each path, [..., L].

    Returns:
        Probability, [...].
    """
    xp, loss = promote(path_loss_probability)
    return xp.prod(loss, axis=-1)


def duplication_delay_s(path_delay_s: ArrayLike, path_arrives: ArrayLike) -> Array:
    """Return the delay of the first copy that arrives, infinite if none does.

    Source: minimum over the copies (3GPP TS 38.323 clause 5.11: later copies are discarded).

    Args:
        path_delay_s: Delay of each path in s, [..., L].
        path_arrives: Whether the copy arrives, [..., L].

    Returns:
        Delay in s, [...].
    """
    xp, delay = promote(path_delay_s)
    arrives = xp.asarray(path_arrives, dtype=xp.bool, device=getattr(delay, "device", None))
    return xp.min(xp.where(arrives, delay, xp.full_like(delay, float("inf"))), axis=-1)
