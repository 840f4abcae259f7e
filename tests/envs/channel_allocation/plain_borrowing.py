"""Borrowing with channel ordering as M. Zhang and T.-S. P. Yum (1989) describe it, call by call in Python numbers.

With `cascade` a channel that is returned may start another move in the cell that lent it, and so on, as in the
original; without, there is one move per departure, as the environment allows.
"""

from __future__ import annotations

import numpy as np

from ntn_gym.core.task import Arrays
from ntn_gym.envs.channel_allocation.packing import EVENT
from ntn_gym.envs.channel_allocation.task import ChannelAllocationTask
from ntn_gym.world.calls import Kind

Calls = list[list[int | None]]


class Borrowing:
    """One world."""

    def __init__(self, task: ChannelAllocationTask, cascade: bool) -> None:
        topology = task.plan.topology
        self.near = [np.flatnonzero(row < task.scenario.cells.reuse_distance).tolist() for row in topology.distance]
        self.beside = [[j for j in row if j >= 0] for row in topology.adjacent.tolist()]
        self.own = [np.flatnonzero(row).tolist() for row in task.plan.nominal]
        self.cascade = cascade

    def play(self, events: np.ndarray, offered: np.ndarray) -> np.ndarray:
        """What happened at each event: 0 nothing, 1 new call, 2 refused, 3 hand-over, 4 dropped."""
        self.users = [[0] * len(self.near) for _ in range(max(map(max, self.own)) + 1)]  # cells nearby that use it
        self.calls: Calls = [[None] * int(n) for n in offered]
        for i, own in enumerate(self.own):
            for rank in range(min(int(offered[i]), len(own))):
                self.take(i, rank, own[rank])
        happened, moving = [], False
        columns = events[:, [EVENT[name] for name in ("kind", "cell", "rank")]].tolist()
        for kind, i, rank in columns:
            if kind >= Kind.END:
                freed = self.calls[i][rank]
                if freed is not None:
                    self.drop(i, rank)
                self.calls[i][rank] = self.calls[i][-1]
                self.calls[i].pop()
                moving = kind == Kind.LEAVE and freed is not None
                if freed is not None:
                    self.tidy(i, freed)
                happened.append(0)
                continue
            self.calls[i].append(None)
            if kind == Kind.HANDOVER and not moving:
                happened.append(0)
                continue
            moving = False
            channel = self.choose(i)
            if channel is not None:
                self.take(i, len(self.calls[i]) - 1, channel)
            happened.append((1 if kind == Kind.NEW else 3) + (channel is None))
        return np.array(happened)

    def take(self, i: int, rank: int, channel: int) -> None:
        self.calls[i][rank] = channel
        for j in self.near[i]:
            self.users[channel][j] += 1

    def drop(self, i: int, rank: int) -> None:
        channel = self.calls[i][rank]
        assert channel is not None
        self.calls[i][rank] = None
        for j in self.near[i]:
            self.users[channel][j] -= 1

    def choose(self, i: int) -> int | None:
        for channel in self.own[i]:
            if not self.users[channel][i]:
                return channel
        # The neighbour with the most own channels free (perhaps none); among equals, the one with the highest to lend.
        best: tuple[int, int] | None = None
        for j in self.beside[i]:
            lent = [c for c in self.own[j] if not self.users[c][i]]
            if lent:
                spare = sum(not self.users[c][j] for c in self.own[j])
                best = max(best or (-1, -1), (spare, max(lent)))
        return best[1] if best else None

    def tidy(self, i: int, freed: int, depth: int = 0) -> None:
        """A channel has fallen free in a cell: move one call to it, and give back what that leaves."""
        if self.users[freed][i] or depth > 50:
            return
        own = self.own[i]
        borrowed = [c for c in self.calls[i] if c is not None and c not in own]
        returned = None
        if borrowed:
            returned = min(borrowed)
            moves = returned
        elif freed in own:
            moves = max((c for c in self.calls[i] if c in own), default=-1)
            if moves < freed:
                return
        else:
            moves, returned = None, freed
        if moves is not None:
            rank = self.calls[i].index(moves)
            self.drop(i, rank)
            self.take(i, rank, freed)
        if self.cascade and returned is not None:
            for j in self.beside[i]:
                if returned in self.own[j]:
                    self.tidy(j, returned, depth + 1)


def happenings(task: ChannelAllocationTask, packed: Arrays, cascade: bool) -> np.ndarray:
    """What happened in each world and event, [B, T]."""
    plain = Borrowing(task, cascade)
    events = packed["event"][:, : task.episode_steps]
    return np.array([plain.play(e, o) for e, o in zip(events, packed["offered"][:, 0], strict=True)])
