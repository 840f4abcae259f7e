"""What an action does, for B worlds at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.channel_allocation.packing import EVENT
from ntn_gym.envs.channel_allocation.plan import Plan
from ntn_gym.envs.channel_allocation.state import State
from ntn_gym.world.calls import Kind

_KIND, _CELL, _RANK, _HERE = (EVENT[name] for name in ("kind", "cell", "rank", "here"))
# Comparing an array with an IntEnum costs several times as much as with an int.
_NEW, _HANDOVER, _END, _LEAVE = int(Kind.NEW), int(Kind.HANDOVER), int(Kind.END), int(Kind.LEAVE)


@dataclass(frozen=True)
class Situation:
    """What is to be decided in B worlds.

    Attributes:
        worlds: 0, 1, ..., [B].
        kind: `Kind`, [B].
        cell: Where, [B].
        departs: A call ends or leaves (else one arrives), [B].
        live: There is something to decide: a call waits for a channel, or a carried call has freed its one, [B].
        freed: The channel that falls free, -1 if none does, [B].
        bit: The set of the cell alone, [B].
        ball: The set of cells that it disturbs, [B].
    """

    worlds: NDArray[np.intp]
    kind: NDArray[np.int32]
    cell: NDArray[np.int32]
    departs: NDArray[np.bool_]
    live: NDArray[np.bool_]
    freed: NDArray[np.int8]
    bit: NDArray[np.uint64]
    ball: NDArray[np.uint64]


def situation(plan: Plan, state: State, event: NDArray[np.int32]) -> Situation:
    """Look at the current event, [B, columns]."""
    worlds = np.arange(len(event))
    kind, cell = event[:, _KIND], event[:, _CELL]
    departs = kind >= _END
    freed = np.where(departs, state.channel[worlds, cell, event[:, _RANK]], np.int8(-1))
    live = np.where(departs, freed >= 0, (kind != _HANDOVER) | state.moving)
    bit, ball = plan.topology.own_bit[cell], plan.topology.ball_bits[cell]
    return Situation(worlds, kind, cell, departs, live, freed, bit, ball)


def legal_channels(s: Situation, used: NDArray[np.uint64], moves: bool) -> NDArray[np.bool_]:
    """Return which channels may be named, [B, C].

    On an arrival those that no cell within the reuse distance uses; on a departure those of the cell's other calls,
    one of which may move to the channel that has fallen free.
    """
    departs = s.departs[:, None]
    looked_at = used & np.where(s.departs, s.bit, s.ball)[:, None]
    legal = (looked_at != 0) == departs
    legal &= (s.live if moves else s.live & ~s.departs)[:, None]
    rows = s.departs.nonzero()[0]
    legal[rows, s.freed[rows]] = False
    return legal


@dataclass(frozen=True)
class Effect:
    """What an action did, [B] each: a call got a channel, one moved, the action named a forbidden channel."""

    accepted: NDArray[np.bool_]
    moved: NDArray[np.bool_]
    illegal: NDArray[np.bool_]


def transition(
    plan: Plan,
    state: State,
    s: Situation,
    event: NDArray[np.int32],
    action: NDArray[np.integer],
    moves: bool,
) -> tuple[State, Effect]:
    """Apply one action per world.

    Args:
        plan: Cells and channels.
        state: State before the event.
        s: What is to be decided.
        event: The event, [B, columns].
        action: A channel, or C for none, [B].
        moves: Whether a call may move on a departure.

    Returns:
        The next state, and what happened.
    """
    worlds, topology = s.worlds, plan.topology
    names = action < plan.n_channels
    channel = np.minimum(action, plan.n_channels - 1)
    users = state.used[worlds, channel]
    fits = np.where(s.departs, ((users & s.bit) != 0) & (channel != s.freed) & moves, (users & s.ball) == 0)
    acts = names & fits & s.live
    accepted, moved = acts & ~s.departs, acts & s.departs
    released = s.departs & s.live

    # One channel changes hands in the cell: the one taken on an arrival, the one left empty on a departure.
    changed = accepted | released
    toggled = np.where(acts, channel, s.freed)
    before = state.used[worlds, toggled]
    used = state.used.copy()
    used[worlds, toggled] = before ^ np.where(changed, s.bit, np.uint64(0))
    near = topology.near[s.cell]
    alone = ((before & ~s.bit)[:, None] & topology.near_bits[s.cell]) == 0
    amount = (released.astype(np.int16) - accepted)[:, None]
    free, own_free = state.free.copy(), state.own_free.copy()
    free[worlds[:, None], near] += alone * amount
    label = np.append(topology.label, -1)[near]
    own_free[worlds[:, None], near] += (alone & (label == plan.channel_label[toggled][:, None])) * amount
    free[:, -1] = own_free[:, -1] = plan.pad

    calls = state.channel.copy()
    row = calls[worlds, s.cell]
    here = event[:, _HERE]
    place = np.where(s.departs, event[:, _RANK], here)
    last = np.where(s.departs, here - 1, here)
    row[worlds, place] = np.where(s.departs, row[worlds, last], np.where(accepted, channel, -1))
    row[worlds[s.departs], last[s.departs]] = -1
    movers = moved.nonzero()[0]
    if len(movers):
        found = (row[movers] == channel[movers, None]).argmax(axis=1)
        row[movers, found] = s.freed[movers]
    calls[worlds, s.cell] = row

    carried = state.carried + accepted - released
    moving = released & (s.kind == _LEAVE)
    return State(used, free, own_free, calls, carried, moving), Effect(accepted, moved, names & ~acts)
