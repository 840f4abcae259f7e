"""Dynamic programming over the serving sets of one user: the best course of links when all is known.

A set A at step t serves with those of its members that were linked before and whose node is still in its slot; call
them C. The best predecessor for given C is the best set that has all of C (more never hurts), so that a step costs the
subset pairs C of A instead of all pairs of sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.multi_connectivity.sets import SetTable

Floats = NDArray[Any]


@dataclass(frozen=True, eq=False)
class SubsetTable:
    """How the candidate sets contain each other; S stands for none.

    Attributes:
        part: Subsets C of each set A, [S, W].
        larger: Sets with one link more than each set, [S, V].
        levels: Sets by their number of links, the largest first.
        fresh: Links of A that are not in C, as a mask over ports, [S, W, P].
    """

    part: NDArray[np.intp]
    larger: NDArray[np.intp]
    levels: list[NDArray[np.intp]]
    fresh: NDArray[np.bool_]


def subset_table(sets: SetTable) -> SubsetTable:
    """List the subsets of every set (each is a candidate set itself) and the sets with one link more."""
    members, n_sets, size = sets.members, sets.n_sets, sets.size
    within = ~(members[:, None] & ~members[None]).any(axis=-1)  # [C, A]: C is a subset of A
    part = _padded([np.flatnonzero(within[:, a]) for a in range(n_sets)], n_sets)
    larger = _padded([np.flatnonzero(within[c] & (size == size[c] + 1)) for c in range(n_sets)], n_sets)
    extended = np.concatenate([members, members[:1]])
    fresh = members[:, None] & ~extended[part]
    levels = [np.flatnonzero(size == n) for n in range(int(size.max()), -1, -1)]
    return SubsetTable(part, larger, levels, fresh)


def _padded(rows: list[NDArray[np.intp]], filler: int) -> NDArray[np.intp]:
    result = np.full((len(rows), max(1, max(map(len, rows)))), filler, dtype=np.intp)
    for row, values in zip(result, rows, strict=True):
        row[: len(values)] = values
    return result


@dataclass(frozen=True)
class Course:
    """Best course of M users: its value [M], and at every step the set [M, T] and the part of it that serves [M, T]."""

    value: NDArray[np.float64]
    chosen: NDArray[np.intp]
    serving: NDArray[np.intp]


def best_course(
    stage: Floats,
    standing: Floats,
    fresh_cost: Floats,
    same: NDArray[np.bool_],
    sets: SetTable,
    subsets: SubsetTable,
) -> Course:
    """Maximise the sum over steps of stage[C] + standing[A] - sum of fresh_cost over the new links.

    Args:
        stage: Value of being served by a set, [M, T, S].
        standing: Value of holding a set, [S].
        fresh_cost: Cost of a new link, [M, T, P].
        same: Ports whose node is the one of the step before, [M, T, P].
        sets: The candidate sets.
        subsets: How they contain each other.
    """
    n_users, n_steps, n_sets = stage.shape
    part = subsets.part
    lost = (~same.reshape(-1, same.shape[-1])).astype(np.float32) @ sets.members.T.astype(np.float32) > 0
    stage = np.where(lost.reshape(stage.shape), -np.inf, stage)
    # Time first: a step then reads one block of memory.
    stage = np.ascontiguousarray(stage.swapaxes(0, 1))
    weights = subsets.fresh.reshape(-1, subsets.fresh.shape[-1]).astype(np.float64).T
    fresh = (fresh_cost.swapaxes(0, 1).reshape(-1, fresh_cost.shape[-1]) @ weights).reshape(
        n_steps, n_users, n_sets, -1
    )
    rows = np.arange(n_users)[:, None]
    value = np.full((n_users, n_sets), -np.inf)
    value[:, 0] = 0.0
    best_part = np.empty((n_steps, n_users, n_sets), dtype=np.int8)
    best_whole = np.empty((n_steps, n_users, n_sets), dtype=np.int16)
    best = np.full((n_users, n_sets + 1), -np.inf)  # the last one stands for no set
    before = best.copy()
    whole = np.empty((n_users, n_sets + 1), dtype=np.int16)
    everything = np.arange(n_sets, dtype=np.int16)
    for t in range(n_steps):
        # The best holder of every set: itself, or the best holder of a set with one link more.
        best[:, :-1] = value
        whole[:, :-1] = everything
        for level in subsets.levels[1:]:
            larger = subsets.larger[level]
            options = best[:, larger]
            choice = np.argmax(options, axis=-1)
            found = np.maximum.reduce(options, axis=-1)
            higher = found > best[:, level]
            owner = whole[rows, larger[np.arange(len(level)), choice]]
            best[:, level] = np.where(higher, found, best[:, level])
            whole[:, level] = np.where(higher, owner, whole[:, level])
        best_whole[t] = whole[:, :-1]
        np.add(best[:, :-1], stage[t], out=before[:, :-1])
        options = before[:, part] - fresh[t]  # [M, A, W]
        best_part[t] = np.argmax(options, axis=-1)
        value = np.maximum.reduce(options, axis=-1) + standing
    last = np.argmax(value, axis=-1)
    total = np.take_along_axis(value, last[:, None], axis=1)[:, 0]
    chosen = np.empty((n_users, n_steps), dtype=np.intp)
    serving = np.empty((n_users, n_steps), dtype=np.intp)
    here = last
    for t in range(n_steps - 1, -1, -1):
        chosen[:, t] = here
        serving[:, t] = part[here, best_part[t][rows[:, 0], here]]
        here = best_whole[t][rows[:, 0], serving[:, t]].astype(np.intp)
    return Course(total, chosen, serving)
