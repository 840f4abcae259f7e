"""One world: the same look, step and observation as for many, in Python numbers.

A single environment is bound by the overhead of array calls, not by arithmetic. What is repeated here is the
bookkeeping of `rules` and `observation`; the contract tests compare both bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Outcome
from ntn_gym.envs.channel_allocation.observation import (
    BASES,
    CARRIED_LIMIT,
    CELL_SIZE,
    SLOT,
    SLOT_SIZE,
    Observer,
)
from ntn_gym.envs.channel_allocation.plan import N_VALUES, Plan
from ntn_gym.envs.channel_allocation.state import State
from ntn_gym.world.calls import Kind

_NEW, _HANDOVER, _END, _LEAVE = int(Kind.NEW), int(Kind.HANDOVER), int(Kind.END), int(Kind.LEAVE)
_VALUES = slice(SLOT["available"], SLOT["lender"])
_PLAIN = slice(SLOT["nominal"], SLOT["available"])


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be decided in one world; see `rules.Situation` and `packing.EVENT`."""

    kind: int
    cell: int
    rank: int
    here: int
    total: int
    phase: int
    departs: bool
    live: bool
    freed: int
    legal: NDArray[np.bool_]


class SingleWorld:
    """Look, step and observation of one world."""

    def __init__(self, plan: Plan, observer: Observer, moves: bool, holding_s: float) -> None:
        """Turn tables into lists, whose elements are Python numbers."""
        self._plan, self._observer, self._moves, self._holding_s = plan, observer, moves, holding_s
        topology = plan.topology
        self._own_bit, self._ball_bits = list(topology.own_bit), list(topology.ball_bits)
        self._channel_label = plan.channel_label.tolist()
        # Without the pads, so that no cell is counted twice.
        self._near = [row[row < topology.n_cells] for row in topology.near]
        self._labels = [topology.label[row] for row in self._near]
        self._near_bits = [bits[: len(row)] for bits, row in zip(topology.near_bits, self._near, strict=True)]

    def look(self, state: State, event: NDArray[np.int32]) -> Look:
        """Look at the current event, [columns]."""
        kind, cell, rank, here, total, phase = event.tolist()
        used = state.used[0]
        departs = kind >= _END
        freed = int(state.channel[0, cell, rank]) if departs else -1
        live = freed >= 0 if departs else kind != _HANDOVER or bool(state.moving[0])
        if not live or (departs and not self._moves):
            legal = np.zeros(len(used), dtype=bool)
        elif departs:
            legal = (used & self._own_bit[cell]) != 0
            legal[freed] = False
        else:
            legal = (used & self._ball_bits[cell]) == 0
        return Look(kind, cell, rank, here, total, phase, departs, live, freed, legal)

    def step(self, state: State, one: Look, action: int, dt_s: float) -> tuple[State, Outcome]:
        """Apply one action, see `rules.transition`."""
        plan, cell = self._plan, one.cell
        names = action < plan.n_channels
        acts = names and bool(one.legal[action])
        accepted, moved = acts and not one.departs, acts and one.departs
        released = one.departs and one.live
        used, free, own_free, calls = state.used, state.free, state.own_free, state.channel.copy()
        if accepted or released:
            toggled = action if acts else one.freed
            used, free, own_free = used.copy(), free.copy(), own_free.copy()
            bit = self._own_bit[cell]
            others = used[0, toggled] & ~bit
            used[0, toggled] ^= bit
            alone = (self._near_bits[cell] & others) == 0
            amount = np.int16(1 if released else -1)
            near = self._near[cell]
            free[0, near[alone]] += amount
            alone &= self._labels[cell] == self._channel_label[toggled]
            own_free[0, near[alone]] += amount
        row = calls[0, cell]
        if one.departs:
            row[one.rank] = row[one.here - 1]
            row[one.here - 1] = -1
            if moved:
                row[(row == action).argmax()] = one.freed
        else:
            row[one.here] = action if accepted else -1
        carried = int(state.carried[0])
        after = carried + accepted - released
        new = one.kind == _NEW
        asks = one.live and not one.departs and not new
        share = dt_s / self._holding_s
        blocked, dropped = new and not accepted, asks and not accepted
        terms = (carried * share, one.total * share, blocked, dropped)
        kpis = (dt_s, blocked, dropped, new, asks, after, moved, names and not acts)
        both = np.array([[[*terms, *kpis]]], dtype=np.float64)
        moving = np.array([released and one.kind == _LEAVE])
        outcome = Outcome(both[..., : len(terms)], both[..., len(terms) :], np.zeros(1, dtype=bool), both)
        return State(used, free, own_free, calls, np.array([after]), moving), outcome

    def observe(self, state: State, one: Look, context: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the observation [1, C x SLOT_SIZE + CELL_SIZE], see `Observer.observe`."""
        plan, tables, cell = self._plan, self._observer, one.cell
        topology, used, free = plan.topology, state.used[0], state.free[0]
        end = plan.n_channels * SLOT_SIZE
        result = np.zeros((1, end + CELL_SIZE), dtype=np.float32)
        free_near = free[topology.near[cell]]
        shown = one.legal
        releases = one.departs and one.live
        if releases:
            shown = shown.copy()
            shown[one.freed] = True
        channel = shown.nonzero()[0]
        emptied = np.zeros(BASES, dtype=np.float32)
        if len(channel):
            users = used[channel][:, None]
            touched = (users & topology.near_bits[cell]) == (self._own_bit[cell] if one.departs else np.uint64(0))
            row = np.where(touched, free_near, np.int16(plan.pad))
            if one.departs:
                row += np.int16(plan.pad + 1)
            worth = tables.values.take(row, axis=0)
            features = np.empty((len(channel), SLOT_SIZE), dtype=np.float32)
            value = features[:, _VALUES]
            value[:, :N_VALUES] = np.einsum("pwk->pk", worth)
            if tables.uniform:
                value[:, N_VALUES:] = value[:, 1:N_VALUES]
            else:
                load = np.broadcast_to(tables.relative_load[one.phase, topology.near[cell]], touched.shape)
                value[:, N_VALUES:] = np.einsum("pwk,pw->pk", worth[..., 1:], np.ascontiguousarray(load))
            features[:, SLOT["reuse"] : SLOT["available"]] = (
                np.bitwise_count(users & tables.rings[cell]) * tables.ring_scale
            )
            features[:, SLOT["nominal"]] = tables.nominal[cell, channel]
            if one.departs:
                features[:, SLOT["lender"]] = 0.0
                against = features[channel.searchsorted(one.freed)].copy()
                emptied = against[_VALUES][1:N_VALUES]
                value -= against[_VALUES]
                features[:, _PLAIN] = against[_PLAIN] - features[:, _PLAIN]
            else:
                features[:, SLOT["lender"]] = tables.lent(cell, state.own_free[0])[channel]
            value *= tables.value_scale
            features[:, SLOT["valid"]] = 1.0
            slots = result[0, :end].reshape(plan.n_channels, SLOT_SIZE)
            slots[channel] = features
            if releases:
                slots[one.freed] = 0.0
        waits, new = one.live and not one.departs, one.kind == _NEW
        per_channel = float(tables.per_channel)
        near = int((free_near * tables.present[cell]).sum())
        carried = int(state.carried[0])
        potential = np.einsum("bnk->bk", plan.potential.take(state.free, axis=0)) * tables.per_cell
        potential = np.maximum(potential[0] - emptied * tables.fall, np.float32(0))
        interval, *known = context.tolist()
        result[0, end:] = (
            waits and new,
            waits and not new,
            releases,
            one.live and one.kind == _LEAVE,
            interval,
            int(free_near[0]) * per_channel,
            near * float(tables.near_scale[cell]),
            min(int(free_near.min()), plan.n_channels) * per_channel,
            int(np.count_nonzero(used & self._own_bit[cell])) * per_channel,
            min(carried / tables.mean_calls, CARRIED_LIMIT),
            min((one.total - carried) / tables.mean_calls, CARRIED_LIMIT),
            *potential.tolist(),
            *known,
            (one.freed + 1) * per_channel if one.live else 0.0,
            one.freed >= 0 and bool(plan.nominal[cell, one.freed]),
        )
        return result
