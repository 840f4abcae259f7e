"""Cells on a hexagonal grid: who disturbs whom, which cells share channels by plan, and the cliques among them.

A set of cells is an integer of 64 bits, so that "is channel c free in cell i" is one AND for all channels at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DIRECTIONS = ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1))
"""Steps to the six neighbours in axial coordinates (q, r), counter-clockwise from east."""


@dataclass(frozen=True)
class Topology:
    """A grid of N cells and what follows from the reuse distance D.

    Attributes:
        coordinates: Axial coordinates (q, r), [N, 2].
        distance: Steps between cells, [N, N].
        adjacent: Neighbour in each of the six directions, -1 beyond the edge, [N, 6].
        near: The cells closer than D (itself first, then by number), padded with N, [N, W].
        near_bits: For each of `near`, the set of cells closer than D to it; for a pad all bits, [N, W].
        own_bit: The set of the cell alone, [N].
        ball_bits: The set of cells closer than D, [N].
        ring_bits: The sets of cells at distance D and D + 1, [2, N].
        label: Which of the ``n_labels`` shares of the channels is the cell's by plan, [N].
        n_labels: Number of shares (the cluster size).
        lender: The adjacent cell with each label (itself for the own label), N where there is none, [N, n_labels].
    """

    coordinates: NDArray[np.int64]
    distance: NDArray[np.int64]
    adjacent: NDArray[np.int64]
    near: NDArray[np.int64]
    near_bits: NDArray[np.uint64]
    own_bit: NDArray[np.uint64]
    ball_bits: NDArray[np.uint64]
    ring_bits: NDArray[np.uint64]
    label: NDArray[np.int64]
    n_labels: int
    lender: NDArray[np.int64]

    @property
    def n_cells(self) -> int:
        """Number of cells N."""
        return len(self.label)

    def centres(self) -> NDArray[np.float64]:
        """Centres of the cells, east and north, in distances of neighbouring centres, [N, 2]."""
        q, r = self.coordinates.T
        return np.stack([q + r / 2, r * np.sqrt(3) / 2], axis=1)


@lru_cache(maxsize=16)
def make_topology(rows: int, columns: int, reuse_distance: int) -> Topology:
    """Lay out rows of hexagonal cells, every second row shifted by half a cell.

    Args:
        rows: Number of rows.
        columns: Cells per row; rows x columns is at most 64.
        reuse_distance: D in steps: a channel may be used in two cells if they are D or more apart.
    """
    r, c = np.divmod(np.arange(rows * columns), columns)
    q = c - r // 2
    dq, dr = q[:, None] - q, r[:, None] - r
    distance = (np.abs(dq) + np.abs(dr) + np.abs(dq + dr)) // 2
    n_cells = len(q)
    number = {(int(a), int(b)): i for i, (a, b) in enumerate(zip(q, r, strict=True))}
    adjacent = np.array([[number.get((a + x, b + y), -1) for x, y in DIRECTIONS] for a, b in number], dtype=np.int64)
    ball = distance < reuse_distance
    width = int(ball.sum(axis=1).max())
    near = np.full((n_cells, width), n_cells)
    for i in range(n_cells):
        others = [j for j in np.flatnonzero(ball[i]).tolist() if j != i]
        near[i, : len(others) + 1] = [i, *others]
    ball_bits = as_bits(ball)
    everything = np.append(ball_bits, ~np.uint64(0))
    label, n_labels = plan_labels(q, r, distance, reuse_distance)
    lender = np.full((n_cells, n_labels), n_cells)
    for i in range(n_cells):
        for j in [*adjacent[i].tolist(), i]:
            if j >= 0:
                lender[i, label[j]] = j
    return Topology(
        coordinates=np.stack([q, r], axis=1),
        distance=distance,
        adjacent=adjacent,
        near=near,
        near_bits=everything[near],
        own_bit=as_bits(np.eye(n_cells, dtype=bool)),
        ball_bits=ball_bits,
        ring_bits=np.stack([as_bits(distance == reuse_distance), as_bits(distance == reuse_distance + 1)]),
        label=label,
        n_labels=n_labels,
        lender=lender,
    )


def as_bits(members: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Turn rows of memberships [..., N] into sets of 64 bits, [...]."""
    weights = np.uint64(1) << np.arange(members.shape[-1], dtype=np.uint64)
    return np.bitwise_or.reduce(np.where(members, weights, np.uint64(0)), axis=-1)


def plan_labels(
    q: NDArray[np.int64], r: NDArray[np.int64], distance: NDArray[np.int64], reuse_distance: int
) -> tuple[NDArray[np.int64], int]:
    """Colour the cells by (q + a r) mod K with the smallest K for which cells of one colour may share channels.

    K is the cluster size of V. H. Mac Donald, "The Cellular Concept", Bell System Technical Journal 58(1), 1979: 7 for
    a reuse distance of three steps on a grid that is large enough.

    Returns:
        Labels [N] and their number K.
    """
    clash = (distance < reuse_distance) & (distance > 0)
    for n_labels in range(1, len(q) + 1):
        for a in range(n_labels):
            label = (q + a * r) % n_labels
            if not (clash & (label[:, None] == label)).any():
                return label, n_labels
    return np.arange(len(q)), len(q)


def cliques(topology: Topology) -> list[int]:
    """Return all largest sets of cells that disturb each other, as sets of bits.

    Source: C. Bron and J. Kerbosch, Communications of the ACM 16(9), 1973, with pivoting.
    """
    others = [int(ball) & ~(1 << i) for i, ball in enumerate(topology.ball_bits)]

    def grow(chosen: int, candidates: int, excluded: int) -> Iterator[int]:
        if not candidates and not excluded:
            yield chosen
            return
        pivot = max(_members(candidates | excluded), key=lambda i: (candidates & others[i]).bit_count())
        for i in list(_members(candidates & ~others[pivot])):
            yield from grow(chosen | 1 << i, candidates & others[i], excluded & others[i])
            candidates &= ~(1 << i)
            excluded |= 1 << i

    return sorted(grow(0, (1 << topology.n_cells) - 1, 0))


def _members(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
