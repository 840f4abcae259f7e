"""What the pictures of ChannelAllocation tell: one world up to now, sorted out of a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.frame import Frame
from ntn_gym.core.task import Arrays
from ntn_gym.envs.channel_allocation.entry import ENTRY
from ntn_gym.envs.channel_allocation.rules import Situation, situation
from ntn_gym.envs.channel_allocation.task import ChannelAllocationTask
from ntn_gym.world.calls import Kind

EVENT_KPIS = {"blocked": "blocking", "dropped hand-over": "dropping", "moved": "moves", "forbidden": "illegal_actions"}
"""Events that pictures show, and the KPI that counts each."""


@dataclass(frozen=True)
class Story:
    """One world: n slices (index -1 is now) and n - 1 finished steps.

    Attributes:
        task: The decision problem.
        raw: Raw trace, [n, ...].
        time_s: Time of each event since the record began, the current one last, [n].
        first_step: Step at which the record begins.
        step: The current step.
        uses: Whether a cell uses a channel now, before the decision, [N, C].
        free: Free channels of each cell, [N].
        lost: Offered calls of each cell that are not carried, [N].
        carried: Carried calls before each event, [n].
        situation: What is to be decided (one world).
        events: What happened, by name, [n - 1].
        counts: New calls, refused ones, hand-overs and dropped ones since the record began.
        episode_return: Return so far.
    """

    task: ChannelAllocationTask
    raw: Arrays
    time_s: NDArray[np.float64]
    first_step: int
    step: int
    uses: NDArray[np.bool_]
    free: NDArray[np.int16]
    lost: NDArray[np.int64]
    carried: NDArray[np.int64]
    situation: Situation
    events: dict[str, NDArray[np.bool_]]
    counts: tuple[int, int, int, int]
    episode_return: float

    @property
    def title(self) -> str:
        """Environment and preset."""
        return f"{ENTRY.id}   {self.task.scenario.name}"

    @property
    def cell(self) -> int:
        """The cell of the current event."""
        return int(self.situation.cell[0])

    @property
    def question(self) -> str:
        """Say in words what is to be decided."""
        s, cell = self.situation, self.cell
        kind, freed = Kind(int(s.kind[0])), int(s.freed[0])
        if not s.live[0]:
            what = "end" if s.departs[0] else "arrive"
            return f"cell {cell}: a lost call would {what} here, nothing to decide"
        if s.departs[0]:
            why = "leaves for a neighbouring cell" if kind is Kind.LEAVE else "ends"
            return f"cell {cell}: the call on channel {freed} {why}; which call moves to channel {freed}?"
        what = {Kind.NEW: "a call begins", Kind.HANDOVER: "a call hands over", Kind.ENTRY: "a call enters"}[kind]
        return f"cell {cell}: {what}; which of {int(self.free[cell])} free channels?"


def tell(task: ChannelAllocationTask, frame: Frame) -> Story:
    """Sort a frame into a story."""
    raw, state = frame.raw, frame.state
    bits = task.plan.topology.own_bit
    uses = (state.used[0] & bits[:, None]) != 0
    event = task.packer.compile({name: array[None, -1:] for name, array in raw.items()})["event"][:, 0]
    column = {kpi.name: index for index, kpi in enumerate(task.kpis)}
    kpis = np.array([outcome.kpis[0, 0] for outcome in frame.outcomes]).reshape(-1, len(task.kpis))
    totals = kpis.sum(axis=0)
    counts = tuple(int(totals[column[name]]) for name in ("new_calls", "blocking", "handovers", "dropping"))
    return Story(
        task=task,
        raw=raw,
        time_s=np.cumsum(raw["dt_s"], dtype=np.float64),
        first_step=frame.first_step,
        step=frame.step,
        uses=uses,
        free=state.free[0, :-1],
        lost=raw["offered"][-1] - uses.sum(axis=1),
        carried=np.array([int(one.carried[0]) for one in frame.states]),
        situation=situation(task.plan, state, event),
        events={name: kpis[:, column[kpi]] > 0 for name, kpi in EVENT_KPIS.items()},
        counts=counts,  # type: ignore[arg-type]
        episode_return=frame.episode_return,
    )
