"""The rules of the task against a second, plain model of the same words, under any action."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.core.engine import Engine
from ntn_gym.envs.channel_allocation.scenario import Scenario
from ntn_gym.envs.channel_allocation.task import ChannelAllocationTask
from ntn_gym.world.calls import Kind


def steps_between(rows: int, columns: int) -> np.ndarray:
    """Steps between cells by walking over the map: neighbours are one distance of centres apart."""
    centres = [(c + 0.5 * (r % 2), r * math.sqrt(3) / 2) for r in range(rows) for c in range(columns)]
    n = len(centres)
    beside = [[j for j in range(n) if abs(math.dist(centres[i], centres[j]) - 1) < 1e-9] for i in range(n)]
    steps = np.full((n, n), 10**6)
    for first in range(n):
        steps[first, first], queue = 0, deque([first])
        while queue:
            here = queue.popleft()
            for there in beside[here]:
                if steps[first, there] == 10**6:
                    steps[first, there] = steps[first, here] + 1
                    queue.append(there)
    return steps


class Plain:
    """Calls as lists of channels, one per offered call of a cell; None for a lost one."""

    def __init__(self, task: ChannelAllocationTask, offered: np.ndarray) -> None:
        cells = task.scenario.cells
        self.steps = steps_between(cells.rows, cells.columns)
        self.reuse, self.n_channels, self.moves = cells.reuse_distance, cells.channels, task.moves
        self.calls: list[list[int | None]] = []
        for i, count in enumerate(offered.tolist()):
            own = np.flatnonzero(task.plan.nominal[i]).tolist()
            self.calls.append([own[k] if k < len(own) else None for k in range(count)])
        self.on_its_way = False

    @property
    def carried(self) -> int:
        return sum(c is not None for cell in self.calls for c in cell)

    def free(self, i: int, channel: int) -> bool:
        near = np.flatnonzero(self.steps[i] < self.reuse).tolist()
        return not any(channel in self.calls[j] for j in near)

    def apply(self, kind: int, i: int, rank: int, action: int) -> dict[str, int]:
        happened = {"blocking": 0, "dropping": 0, "new_calls": 0, "handovers": 0, "moves": 0, "illegal_actions": 0}
        named = action < self.n_channels
        if kind in (Kind.END, Kind.LEAVE):
            freed = self.calls[i][rank]
            self.calls[i][rank] = self.calls[i][-1]
            self.calls[i].pop()
            self.on_its_way = kind == Kind.LEAVE and freed is not None
            may = freed is not None and self.moves and action in self.calls[i]
            happened["illegal_actions"] = int(named and not may)
            if named and may:
                self.calls[i][self.calls[i].index(action)] = freed
                happened["moves"] = 1
            return happened
        waits = kind != Kind.HANDOVER or self.on_its_way
        self.on_its_way = False
        takes = waits and named and self.free(i, action)
        happened["illegal_actions"] = int(named and not takes)
        self.calls[i].append(action if takes else None)
        name, lost = ("new_calls", "blocking") if kind == Kind.NEW else ("handovers", "dropping")
        happened[name], happened[lost] = int(waits), int(waits and not takes)
        return happened


scenarios = st.builds(
    lambda rows, columns, reuse, channels, erlang, share, moves, price: Scenario.model_validate(
        {
            "steps": 120,
            "moves": moves,
            "cells": {"rows": rows, "columns": columns, "reuse_distance": reuse, "channels": channels},
            "load": {"offered_erlang": erlang, "handover_share": share},
            "reward": {"dropped_handover_calls": price},
        }
    ),
    rows=st.integers(1, 4),
    columns=st.integers(1, 4),
    reuse=st.integers(1, 4),
    channels=st.integers(1, 9),
    erlang=st.floats(0.3, 6.0),
    share=st.sampled_from([0.0, 0.5]),
    moves=st.sampled_from(["none", "one"]),
    price=st.sampled_from([0.0, 10.0]),
)


@settings(max_examples=25, deadline=None)
@given(scenario=scenarios, seed=st.integers(0, 10_000), n_worlds=st.sampled_from([1, 2]), legal=st.floats(0, 1))
def test_any_actions_against_a_plain_model(scenario: Scenario, seed: int, n_worlds: int, legal: float) -> None:
    task = ChannelAllocationTask(scenario)
    engine = Engine(task, n_worlds)
    engine.reset(seeds=[seed + k for k in range(n_worlds)])
    rng = np.random.default_rng(seed)
    plain = [Plain(task, engine.now["offered"][b]) for b in range(n_worlds)]
    column = {kpi.name: index for index, kpi in enumerate(task.kpis)}
    totals = dict.fromkeys(column, 0.0)
    begun_with = sum(model.carried for model in plain)
    ended = 0
    for _ in range(scenario.steps):
        mask = engine.action_mask()[:, 0]
        action = np.where(
            rng.random(n_worlds) < legal,
            (rng.random(mask.shape) * mask).argmax(axis=1),
            rng.integers(0, task.n_channels + 1, n_worlds),
        )
        event, dt_s, state = engine.now["event"], engine.now["dt_s"].astype(float), engine.state
        outcome = engine.step(action[:, None]).outcome
        for b, model in enumerate(plain):
            # No channel twice within the reuse distance, and the sets of cells say what the lists of calls say.
            uses = np.array([[c in cell for c in range(task.n_channels)] for cell in model.calls])
            for i, j in zip(*np.nonzero(model.steps < scenario.cells.reuse_distance), strict=True):
                assert i == j or not (uses[i] & uses[j]).any()
            for cell in model.calls:
                assert len({c for c in cell if c is not None}) == sum(c is not None for c in cell)
            assert state.used[b].tolist() == [
                sum(1 << i for i in np.flatnonzero(uses[:, c])) for c in range(len(uses.T))
            ]
            free = [sum(model.free(i, c) for c in range(task.n_channels)) for i in range(scenario.n_cells)]
            assert state.free[b, :-1].tolist() == free
            before, offered = model.carried, sum(map(len, model.calls))
            kind, cell, rank = event[b, :3].tolist()
            assert legal_now(model, kind, cell, rank) == np.flatnonzero(mask[b, :-1]).tolist()
            released = kind >= Kind.END and model.calls[cell][rank] is not None
            ended += released
            happened = model.apply(kind, cell, rank, int(action[b]))
            kpis = outcome.kpis[b, 0]
            assert {name: int(kpis[column[name]]) for name in happened} == happened
            share = dt_s[b] / scenario.load.holding_s
            expected = (before - offered) * share - scenario.reward.dropped_handover_calls * happened["dropping"]
            assert math.isclose(
                outcome.reward_terms[b, 0] @ [term.weight for term in task.reward_terms], expected, abs_tol=1e-9
            )
            for name, value in happened.items():
                totals[name] += value
    asked = totals["new_calls"] + totals["handovers"]
    refused = totals["blocking"] + totals["dropping"]
    assert sum(model.carried for model in plain) == begun_with + asked - refused - ended
    assert engine.now["event"].shape[0] == n_worlds


def legal_now(model: Plain, kind: int, cell: int, rank: int) -> list[int]:
    """Channels that may be named, in the words of the page."""
    if kind in (Kind.END, Kind.LEAVE):
        others = [c for k, c in enumerate(model.calls[cell]) if k != rank and c is not None]
        return sorted(others) if model.moves and model.calls[cell][rank] is not None else []
    if kind == Kind.HANDOVER and not model.on_its_way:
        return []
    return [c for c in range(model.n_channels) if model.free(cell, c)]
