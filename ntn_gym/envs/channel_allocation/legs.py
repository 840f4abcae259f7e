"""The calls of an episode, leg by leg: where each was, from when to when, and which one came before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.channel_allocation.packing import EVENT
from ntn_gym.envs.channel_allocation.task import ChannelAllocationTask
from ntn_gym.world.calls import Kind


@dataclass(frozen=True)
class Legs:
    """The legs of one world; a leg is the stay of an offered call in a cell, and L is their number.

    Attributes:
        n_initial: The first so many were there at the start.
        carried_at_start: Whether these were carried, 0 or 1, [n_initial].
        cell: Where, [L].
        previous: The leg that the call came from, -1 for none, [L].
        is_new: The call begins with this leg (else it hands over or was there at the start), [L].
        carried_calls: Time of the leg within the episode in mean holding times, [L].
        offered_calls: Sum of the time of all legs, lost ones included.
        events: Legs in the order in which they begin (True) and end (False), without those at the start.
    """

    n_initial: int
    carried_at_start: NDArray[np.int64]
    cell: NDArray[np.int64]
    previous: NDArray[np.int64]
    is_new: NDArray[np.bool_]
    carried_calls: NDArray[np.float64]
    offered_calls: float
    events: list[tuple[int, bool]]


def read_legs(task: ChannelAllocationTask, arrays: Arrays, world: int) -> Legs:
    """Follow all offered calls of one world through an episode."""
    event = arrays["event"][world, : task.episode_steps]
    time_s = np.cumsum(arrays["dt_s"][world, : task.episode_steps], dtype=np.float64)
    own = (task.plan.own_channels >= 0).sum(axis=1).tolist()
    cell: list[int] = []
    begin: list[float] = []
    carried_at_start: list[int] = []
    ranks: list[list[int]] = []
    for i, count in enumerate(arrays["offered"][world, 0].tolist()):
        ranks.append(list(range(len(cell), len(cell) + count)))
        cell += [i] * count
        begin += [0.0] * count
        carried_at_start += [int(rank < own[i]) for rank in range(count)]
    n_initial = len(cell)
    previous, is_new = [-1] * n_initial, [False] * n_initial
    end = [float(time_s[-1])] * n_initial
    events: list[tuple[int, bool]] = []
    last_time_s = float(time_s[-1])
    leaving = -1
    columns = event[:, [EVENT["kind"], EVENT["cell"], EVENT["rank"]]].tolist()
    for (kind, where, rank), now_s in zip(columns, time_s.tolist(), strict=True):
        if kind >= Kind.END:
            leg = ranks[where][rank]
            ranks[where][rank] = ranks[where][-1]
            ranks[where].pop()
            end[leg] = now_s
            events.append((leg, False))
            leaving = leg if kind == Kind.LEAVE else -1
            continue
        leg = len(cell)
        ranks[where].append(leg)
        cell.append(where)
        begin.append(now_s)
        end.append(last_time_s)
        previous.append(leaving if kind == Kind.HANDOVER else -1)
        is_new.append(kind == Kind.NEW)
        events.append((leg, True))
    holding_s = task.scenario.load.holding_s
    share = (np.array(end) - np.array(begin)) / holding_s
    return Legs(
        n_initial=n_initial,
        carried_at_start=np.array(carried_at_start, dtype=np.int64),
        cell=np.array(cell),
        previous=np.array(previous),
        is_new=np.array(is_new),
        carried_calls=share,
        offered_calls=float(share.sum()),
        events=events,
    )
