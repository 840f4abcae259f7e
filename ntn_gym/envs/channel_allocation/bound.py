"""What no policy can beat: a linear programme that knows all calls of an episode in advance."""

from __future__ import annotations

import numpy as np

from ntn_gym.core.bound import BoundResult
from ntn_gym.core.task import Arrays
from ntn_gym.envs.channel_allocation.legs import Legs, read_legs
from ntn_gym.envs.channel_allocation.task import ChannelAllocationTask
from ntn_gym.envs.channel_allocation.topology import cliques


def bound(task: ChannelAllocationTask, arrays: Arrays) -> BoundResult:
    """Return the value of a relaxation, at least the return of any policy, with any number of moves.

    A share x in [0, 1] of each leg (the stay of a call in a cell) is carried. Cells of a clique all disturb each other,
    so that the legs that are alive in it at any time need a channel each: their x sum to at most C. The leg after a
    hand-over carries no more than the one before. The programme maximises the reward over all such x; a policy gives
    one of them, whichever channels it uses. Rows are needed only where the legs of a clique are most: at the last
    arrival before a departure, and where more than C are alive.

    Args:
        task: The task.
        arrays: Packed arrays [B, T + 1, ...] of whole episodes from their first step.

    Returns:
        Bound on the sum of rewards over the episode, [B]; no actions attain it.

    Raises:
        ValueError: If the arrays are not whole episodes of this task.
    """
    n_slices = task.episode_steps + 1
    if arrays["event"].shape[1] != n_slices:
        raise ValueError(f"event has {arrays['event'].shape[1]} slices, expected {n_slices}")
    return BoundResult(np.array([_bound_one(task, arrays, world) for world in range(len(arrays["event"]))]))


def _bound_one(task: ChannelAllocationTask, arrays: Arrays, world: int) -> float:
    legs = read_legs(task, arrays, world)
    weights = {term.name: term.weight for term in task.reward_terms}
    n = len(legs.cell)
    # Reward = constant + gain . x, where x = 1 would carry every call that the start has not lost.
    gain = weights["carried"] * legs.carried_calls
    constant = weights["offered"] * legs.offered_calls
    refusal = np.where(legs.is_new, weights["blocked"], weights["dropped"])
    refusal[: legs.n_initial] = 0.0
    gain = gain - refusal
    follows = legs.previous >= 0
    np.add.at(gain, legs.previous[follows], refusal[follows])
    constant += refusal[~follows].sum()
    high = np.ones(n)
    high[: legs.n_initial] = legs.carried_at_start
    low = np.zeros(n)
    low[: legs.n_initial] = legs.carried_at_start
    rows, columns, limits = _clique_rows(task, legs)
    return constant + _maximise(gain, rows, columns, limits, legs.previous, low, high)


def _clique_rows(task: ChannelAllocationTask, legs: Legs) -> tuple[list[int], list[int], list[float]]:
    """Rows and columns of the entries 1 of the clique constraints, and their limits."""
    members = cliques(task.plan.topology)
    of_cell = [[k for k, bits in enumerate(members) if bits >> i & 1] for i in range(task.plan.topology.n_cells)]
    alive: list[dict[int, None]] = [{} for _ in members]
    grown = [False] * len(members)
    rows: list[int] = []
    columns: list[int] = []
    limits: list[float] = []
    n_channels = task.n_channels

    def close(k: int) -> None:
        if grown[k] and len(alive[k]) > n_channels:
            rows.extend([len(limits)] * len(alive[k]))
            columns.extend(alive[k])
            limits.append(float(n_channels))
        grown[k] = False

    # Calls that were lost before the start never need a channel.
    lost = set(np.flatnonzero(legs.carried_at_start == 0).tolist())
    for leg in range(legs.n_initial):
        if leg not in lost:
            for k in of_cell[legs.cell[leg]]:
                alive[k][leg] = None
    for leg, begins in legs.events:
        if leg in lost:
            continue
        for k in of_cell[legs.cell[leg]]:
            if begins:
                alive[k][leg] = None
                grown[k] = True
            else:
                close(k)
                del alive[k][leg]
    for k in range(len(members)):
        close(k)
    return rows, columns, limits


def _maximise(
    gain: np.ndarray,
    rows: list[int],
    columns: list[int],
    limits: list[float],
    previous: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> float:
    # Not needed to make or step an environment, and heavy to import.
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    chained = np.flatnonzero(previous >= 0)
    n_cliques, n_chains = len(limits), len(chained)
    chain_rows = n_cliques + np.arange(n_chains)
    row = np.concatenate([np.asarray(rows, dtype=np.int64), chain_rows, chain_rows])
    column = np.concatenate([np.asarray(columns, dtype=np.int64), chained, previous[chained]])
    value = np.concatenate([np.ones(len(rows) + n_chains), -np.ones(n_chains)])
    if not len(row):
        return float(np.where(gain > 0, gain * high, gain * low).sum())
    matrix = csr_array((value, (row, column)), shape=(n_cliques + n_chains, len(gain)))
    result = linprog(
        -gain,
        A_ub=matrix,
        b_ub=np.concatenate([limits, np.zeros(n_chains)]),
        bounds=np.stack([low, high], axis=1),
        method="highs",
    )
    if result.status != 0:
        raise RuntimeError(f"the linear programme of the bound was not solved: {result.message}")
    return float(-result.fun)
