"""What an agent sees: features of every channel it could name, then of the event and the cell.

The features of a channel say how the *afterstate* differs from the one that the last action (block, no move) leads to,
so that a rule that values afterstates is linear in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.channel_allocation.packing import EVENT, Packer
from ntn_gym.envs.channel_allocation.plan import N_VALUES, SCARCITY, Plan
from ntn_gym.envs.channel_allocation.rules import Situation
from ntn_gym.envs.channel_allocation.state import State
from ntn_gym.world.calls import Kind

BASES = len(SCARCITY)
"""Number of bases."""
SLOT = {
    name: index
    for index, name in enumerate(
        (
            "valid",
            "nominal",
            "reuse",
            "reuse_far",
            "available",
            *(f"value_{k}" for k in range(BASES)),
            *(f"loaded_{k}" for k in range(BASES)),
            "lender",
        )
    )
}
"""Numbers of a channel by name."""
SLOT_SIZE = len(SLOT)
CELL = {
    name: index
    for index, name in enumerate(
        (
            "new",
            "handover",
            "freed",
            "leaves",
            "interval",
            "free",
            "free_near",
            "free_least",
            "own_calls",
            "carried",
            "lost",
            *(f"potential_{k}" for k in range(BASES)),
            "load",
            "load_near",
            "load_ahead",
            "drift",
            "freed_channel",
            "freed_nominal",
        )
    )
}
"""Numbers of the event and the cell by name, after all channels."""
CELL_SIZE = len(CELL)
_LEAVE, _NEW = int(Kind.LEAVE), int(Kind.NEW)
_TOTAL, _PHASE = EVENT["total"], EVENT["phase"]
CARRIED_LIMIT = 3.0
"""Carried and lost calls over mean offered ones are shown up to here."""


def bounds(n_channels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the limits of an observation."""
    slot_low, slot_high = np.full(SLOT_SIZE, -1.0), np.ones(SLOT_SIZE)
    slot_low[[SLOT["valid"], SLOT["lender"]]] = 0.0
    cell_low, cell_high = np.zeros(CELL_SIZE), np.ones(CELL_SIZE)
    for name in ("carried", "lost"):
        cell_high[CELL[name]] = CARRIED_LIMIT
    for name in ("load", "load_near", "load_ahead", "drift"):
        cell_high[CELL[name]] = 5.0
    low = np.concatenate([np.tile(slot_low, n_channels), cell_low])
    high = np.concatenate([np.tile(slot_high, n_channels), cell_high])
    return low.astype(np.float32), high.astype(np.float32)


class Observer:
    """Computes observations of one scenario.

    Only the few channels that may be named are looked at: pairs (world, channel), P of them.
    """

    def __init__(self, plan: Plan, packer: Packer) -> None:
        """Prepare scales and tables."""
        topology = plan.topology
        self._plan = plan
        self.uniform = bool((packer.relative_load[:, :-1] == 1).all())
        self.relative_load = packer.relative_load
        self.mean_calls = packer.mean_total_erlang
        width = topology.near.shape[1]
        ring = np.bitwise_count(topology.ring_bits).max(axis=1)
        self.value_scale = np.float32(1 / width)
        self.ring_scale = (1 / np.maximum(ring, 1)).astype(np.float32)
        self.rings = np.ascontiguousarray(topology.ring_bits.T)
        self.present = (topology.near < topology.n_cells).astype(np.int16)
        self.near_scale = (1 / (self.present.sum(axis=1) * plan.n_channels)).astype(np.float32)
        # One table for both kinds of decision: losses on an arrival, then gains on a departure.
        self.values = np.concatenate([plan.losses, plan.gains])
        self.nominal = plan.nominal.astype(np.float32)
        self.own_scale = np.float32(1 / (plan.own_channels.shape[1] + 1))
        self.per_channel = np.float32(1 / plan.n_channels)
        self.per_cell = np.float32(1 / topology.n_cells)
        # With one more free channel a cell's potential falls from b^f to b^(f + 1).
        self.fall = ((1 - np.array(SCARCITY)) / topology.n_cells).astype(np.float32)

    def lent(self, cell: int, own_free: NDArray[np.int16]) -> NDArray[np.float32]:
        """Return one more than the lender of each channel has left of its own ones, for one world, [C]."""
        lender = self._plan.topology.lender[cell]
        lent = np.where(lender < self._plan.topology.n_cells, own_free[lender] + np.int16(1), np.int16(0))
        share: NDArray[np.float32] = (lent * self.own_scale)[self._plan.channel_label]
        return share

    def observe(
        self,
        state: State,
        s: Situation,
        legal: NDArray[np.bool_],
        event: NDArray[np.int32],
        context: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Return observations [B, C x SLOT_SIZE + CELL_SIZE].

        Args:
            state: State before the event.
            s: What is to be decided.
            legal: Channels that may be named, [B, C].
            event: The event, [B, columns].
            context: What is known of time, load and drift, [B, columns].
        """
        n_worlds, n_channels = state.used.shape
        end = n_channels * SLOT_SIZE
        result = np.zeros((n_worlds, end + CELL_SIZE), dtype=np.float32)
        free_near = state.free[s.worlds[:, None], self._plan.topology.near[s.cell]]
        shown = legal
        if s.departs.any():
            shown = legal.copy()
            rows = (s.departs & s.live).nonzero()[0]
            shown[rows, s.freed[rows]] = True
        world, channel = shown.nonzero()
        features, emptied = self._channels(state, s, event, free_near, world, channel)
        if shown is legal:
            result[:, :end].reshape(n_worlds, n_channels, SLOT_SIZE)[world, channel] = features
        else:
            kept = legal[world, channel]
            result[:, :end].reshape(n_worlds, n_channels, SLOT_SIZE)[world[kept], channel[kept]] = features[kept]
        self._cell(result[:, end:], state, s, event, context, free_near, emptied)
        return result

    def _channels(
        self,
        state: State,
        s: Situation,
        event: NDArray[np.int32],
        free_near: NDArray[np.int16],
        world: NDArray[np.intp],
        channel: NDArray[np.intp],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return features [P, SLOT_SIZE], and what the freed channel gives the cells around, [B, bases]."""
        plan, topology = self._plan, self._plan.topology
        cell, departs = s.cell[world], s.departs[world]
        used = state.used[world, channel]
        # Which cells nearby would lose the channel (arrival: nobody near them uses it) or get it back (departure:
        # only this cell does).
        target = np.where(departs, s.bit[world], np.uint64(0))
        touched = (used[:, None] & topology.near_bits[cell]) == target[:, None]
        row = np.where(touched, free_near[world], np.int16(plan.pad)) + (departs * np.int16(plan.pad + 1))[:, None]
        worth = self.values.take(row, axis=0)
        features = np.empty((len(world), SLOT_SIZE), dtype=np.float32)
        value = features[:, SLOT["available"] : SLOT["lender"]]
        value[:, :N_VALUES] = np.einsum("pwk->pk", worth)
        if self.uniform:
            value[:, N_VALUES:] = value[:, 1:N_VALUES]
        else:
            load = self.relative_load[event[world, _PHASE][:, None], topology.near[cell]]
            value[:, N_VALUES:] = np.einsum("pwk,pw->pk", worth[..., 1:], load)
        features[:, SLOT["reuse"] : SLOT["available"]] = (
            np.bitwise_count(used[:, None] & self.rings[cell]) * self.ring_scale
        )
        features[:, SLOT["nominal"]] = self.nominal[cell, channel]
        lender = topology.lender[cell, plan.channel_label[channel]]
        lends = (lender < topology.n_cells) & ~departs
        lent = np.where(lends, state.own_free[world, lender] + np.int16(1), np.int16(0))
        features[:, SLOT["lender"]] = lent * self.own_scale
        emptied = np.zeros((len(s.cell), BASES), dtype=np.float32)
        freed = (departs & (channel == s.freed[world])).nonzero()[0]
        if len(freed):
            # A departure compares the channel that would be given back with the one that has fallen free.
            empty = np.zeros((len(s.cell), SLOT_SIZE), dtype=np.float32)
            empty[world[freed]] = features[freed]
            emptied[world[freed]] = value[freed, 1:N_VALUES]
            leaves = departs.nonzero()[0]
            against = empty[world[leaves]]
            value[leaves] -= against[:, SLOT["available"] : SLOT["lender"]]
            plain = slice(SLOT["nominal"], SLOT["available"])
            features[leaves, plain] = against[:, plain] - features[leaves, plain]
        value *= self.value_scale
        features[:, SLOT["valid"]] = 1.0
        return features, emptied

    def _cell(
        self,
        cell: NDArray[np.float32],
        state: State,
        s: Situation,
        event: NDArray[np.int32],
        context: NDArray[np.float32],
        free_near: NDArray[np.int16],
        emptied: NDArray[np.float32],
    ) -> None:
        """Fill in the numbers of the cell and the event, [B, CELL_SIZE]."""
        plan, live, per_channel = self._plan, s.live, self.per_channel
        waits, new = live & ~s.departs, s.kind == _NEW
        cell[:, CELL["new"]] = waits & new
        cell[:, CELL["handover"]] = waits & ~new
        cell[:, CELL["freed"]] = s.departs & live
        cell[:, CELL["leaves"]] = live & (s.kind == _LEAVE)
        cell[:, CELL["interval"]] = context[:, 0]
        cell[:, CELL["free"]] = free_near[:, 0] * per_channel
        near = np.einsum("bw,bw->b", free_near, self.present[s.cell])
        cell[:, CELL["free_near"]] = near * self.near_scale[s.cell]
        cell[:, CELL["free_least"]] = np.minimum(free_near, np.int16(plan.n_channels)).min(axis=1) * per_channel
        own = np.count_nonzero(state.used & s.bit[:, None], axis=1)
        cell[:, CELL["own_calls"]] = own * per_channel
        cell[:, CELL["carried"]] = np.minimum(state.carried / self.mean_calls, CARRIED_LIMIT)
        cell[:, CELL["lost"]] = np.minimum((event[:, _TOTAL] - state.carried) / self.mean_calls, CARRIED_LIMIT)
        first = CELL["potential_0"]
        potential = np.einsum("bnk->bk", plan.potential.take(state.free, axis=0)) * self.per_cell
        cell[:, first : first + BASES] = np.maximum(potential - emptied * self.fall, np.float32(0))
        cell[:, CELL["load"] : CELL["drift"] + 1] = context[:, 1:]
        cell[:, CELL["freed_channel"]] = np.where(live, s.freed + 1, 0) * per_channel
        cell[:, CELL["freed_nominal"]] = plan.nominal[s.cell, s.freed] & (s.freed >= 0)


@dataclass(frozen=True)
class View:
    """An observation taken apart: ``channels`` [B, C, SLOT_SIZE] and ``cell`` [B, CELL_SIZE]."""

    channels: NDArray[np.float32]
    cell: NDArray[np.float32]

    @classmethod
    def of(cls, observation: NDArray[np.float32], n_channels: int) -> View:
        """Read observations [B, 1, size]."""
        flat = observation[:, 0]
        end = n_channels * SLOT_SIZE
        return cls(flat[:, :end].reshape(len(flat), n_channels, SLOT_SIZE), flat[:, end:])

    def slot(self, name: str) -> NDArray[np.float32]:
        """Return one number of every channel, [B, C]."""
        found: NDArray[Any] = self.channels[..., SLOT[name]]
        return found

    def of_cell(self, name: str) -> NDArray[np.float32]:
        """Return one number of the cell or event, [B]."""
        found: NDArray[Any] = self.cell[:, CELL[name]]
        return found
