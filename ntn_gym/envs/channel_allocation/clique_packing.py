"""Clique packing: what unlimited moves would carry if calls were let in whenever no clique is full."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.channel_allocation.packing import EVENT
from ntn_gym.envs.channel_allocation.task import ChannelAllocationTask
from ntn_gym.envs.channel_allocation.topology import cliques
from ntn_gym.world.calls import Kind

_NEW, _HANDOVER, _END, _LEAVE = int(Kind.NEW), int(Kind.HANDOVER), int(Kind.END), int(Kind.LEAVE)


@dataclass(frozen=True)
class Packing:
    """What clique packing does in B episodes of T events.

    Attributes:
        value: Sum of rewards, [B].
        new: A call begins, [B, T].
        blocked: It is refused, [B, T].
        asks: A carried call asks for a channel in its next cell, or one enters from outside, [B, T].
        dropped: It gets none, [B, T].
    """

    value: NDArray[np.float64]
    new: NDArray[np.bool_]
    blocked: NDArray[np.bool_]
    asks: NDArray[np.bool_]
    dropped: NDArray[np.bool_]


def clique_packing(task: ChannelAllocationTask, arrays: Arrays) -> Packing:
    """Let a call in if afterwards no set of cells that all disturb each other has more calls than channels.

    With any number of moves that is necessary for the calls to fit, and where the cliques of the grid say all (in a row
    of cells with a reuse distance of two, for example) also sufficient: maximum packing (D. Everitt, N. Macfadyen,
    "Analysis of multicellular mobile radiotelephone systems with loss", British Telecom Technology Journal 1(2), 1983).
    It is better than what an agent that may move one call per departure can be expected to reach without knowing the
    future, but it is **no bound**: refusing a call that would fit can be better.

    Args:
        task: The task.
        arrays: Packed arrays [B, T + 1, ...] of whole episodes from their first step.

    Returns:
        What it carries, from the same start as all policies.
    """
    events = arrays["event"][:, : task.episode_steps]
    n_worlds = len(events)
    worlds, n_cells = np.arange(n_worlds), task.plan.topology.n_cells
    members = np.array(
        [[bits >> i & 1 for bits in cliques(task.plan.topology)] for i in range(n_cells)], dtype=np.int64
    )
    own = (task.plan.own_channels >= 0).sum(axis=1)
    offered = arrays["offered"][:, 0]
    # As at the start of all policies: fixed assignment has been at work.
    carries = np.arange(task.scenario.calls_per_cell) < np.minimum(offered, own)[..., None]
    calls = carries.sum(axis=2) @ members
    carried = carries.sum(axis=(1, 2))
    moving = np.zeros(n_worlds, dtype=bool)
    flags = np.zeros((4, n_worlds, task.episode_steps), dtype=bool)
    traffic = np.zeros(n_worlds)
    for step in range(task.episode_steps):
        kind, cell, rank, here, total = (
            events[:, step, EVENT[name]] for name in ("kind", "cell", "rank", "here", "total")
        )
        traffic += (carried - total) * arrays["dt_s"][:, step].astype(np.float64)
        departs, new = kind >= _END, kind == _NEW
        fits = ((calls < task.n_channels) | (members[cell] == 0)).all(axis=1)
        asks = ~departs & ~new & ((kind != _HANDOVER) | moving)
        accepted = (new | asks) & fits
        released = departs & carries[worlds, cell, rank]
        flags[:, :, step] = new, new & ~fits, asks, asks & ~fits
        last = np.where(departs, here - 1, here)
        carries[worlds, cell, np.where(departs, rank, here)] = np.where(departs, carries[worlds, cell, last], accepted)
        carries[worlds[departs], cell[departs], last[departs]] = False
        change = accepted.astype(np.int64) - released
        calls += members[cell] * change[:, None]
        carried = carried + change
        moving = released & (kind == _LEAVE)
    new, blocked, asks, dropped = flags
    weight = {term.name: term.weight for term in task.reward_terms}
    lost = weight["blocked"] * blocked.sum(axis=1) + weight["dropped"] * dropped.sum(axis=1)
    value = weight["carried"] * traffic / task.scenario.load.holding_s + lost
    return Packing(value, new, blocked, asks, dropped)
