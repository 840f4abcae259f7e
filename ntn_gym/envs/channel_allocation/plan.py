"""Cells and channels together: which channels are a cell's by plan, and what a free channel is worth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.channel_allocation.scenario import Cells
from ntn_gym.envs.channel_allocation.topology import Topology, make_topology

SCARCITY = (0.2, 0.35, 0.5, 0.7)
"""Bases b of the values of free channels: b^f is what the next one is worth where f are free."""
N_VALUES = 1 + len(SCARCITY)
"""Values per cell: the plain count, then one for each of `SCARCITY`."""


@dataclass(frozen=True)
class Plan:
    """Cells, channels and tables; N cells, C channels.

    Attributes:
        topology: The cells.
        n_channels: C.
        channel_label: Whose share each channel belongs to, [C].
        nominal: Whether a channel is a cell's by plan, [N, C].
        own_channels: The nominal channels of each cell, ascending, padded with -1, [N, most].
        losses: What a cell loses if it loses one of f free channels, [C + 2, N_VALUES]: -1 and -b^(f - 1). The last row
            is zero; a pad's count points to it.
        gains: What it gains with one more: 1 and b^f, [C + 2, N_VALUES].
        potential: b^f, [C + 2, bases]; the last row is zero.
    """

    topology: Topology
    n_channels: int
    channel_label: NDArray[np.int64]
    nominal: NDArray[np.bool_]
    own_channels: NDArray[np.int64]
    losses: NDArray[np.float32]
    gains: NDArray[np.float32]
    potential: NDArray[np.float32]

    @property
    def pad(self) -> int:
        """Count of free channels that stands for no cell."""
        return self.n_channels + 1

    def count_free(self, used: NDArray[np.uint64], own: bool = False) -> NDArray[np.int16]:
        """Count the channels that each cell may take, [B, N + 1] with a pad.

        Args:
            used: Cells that use each channel, [B, C].
            own: Count nominal channels only.
        """
        free = (used[:, None, :] & self.topology.ball_bits[:, None]) == 0
        if own:
            free &= self.nominal
        count = np.full((len(used), self.topology.n_cells + 1), self.pad, dtype=np.int16)
        count[:, :-1] = free.sum(axis=2)
        return count


@lru_cache(maxsize=16)
def make_plan(cells: Cells) -> Plan:
    """Share the channels out evenly among the labels of the cells, in contiguous blocks."""
    topology = make_topology(cells.rows, cells.columns, cells.reuse_distance)
    channels, labels = cells.channels, topology.n_labels
    channel_label = np.arange(channels) * labels // channels
    nominal = channel_label == topology.label[:, None]
    own_channels = np.full((topology.n_cells, max(1, int(nominal.sum(axis=1).max()))), -1)
    for i, row in enumerate(nominal):
        own = np.flatnonzero(row)
        own_channels[i, : len(own)] = own
    free = np.arange(channels + 2, dtype=np.float64)[:, None]
    base = np.asarray(SCARCITY)
    one = np.ones_like(free)
    losses = -np.concatenate([one, base ** np.maximum(free - 1, 0)], axis=1)
    gains = np.concatenate([one, base**free], axis=1)
    potential = base**free
    for table in (losses, gains, potential):
        table[-1] = 0.0
    return Plan(
        topology=topology,
        n_channels=channels,
        channel_label=channel_label,
        nominal=nominal,
        own_channels=own_channels,
        losses=losses.astype(np.float32),
        gains=gains.astype(np.float32),
        potential=potential.astype(np.float32),
    )
