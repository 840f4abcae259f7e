"""Turn a raw trace into what step and observation read: the event in one row, and what the agent knows of the load."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.channel_allocation.loads import new_call_erlang, topology_of
from ntn_gym.envs.channel_allocation.plan import make_plan
from ntn_gym.envs.channel_allocation.scenario import Scenario
from ntn_gym.world.calls import Kind

EVENT = {name: index for index, name in enumerate(("kind", "cell", "rank", "here", "total", "phase"))}
"""Columns of ``event``: `Kind`, cell, rank of the call, offered calls in the cell and in all, step of the profile."""
CONTEXT = {name: index for index, name in enumerate(("interval", "load", "load_near", "load_ahead", "drift"))}
"""Columns of ``context``, scaled as in the observation."""
PROFILE_STEPS = 256
"""Steps into which the round of the hotspot is cut for what is known of the load."""
AHEAD_HOLDINGS = 0.5
"""How far ahead the predicted load looks, in mean holding times."""
INTERVAL_SCALE = 5.0
"""Time between events, in mean ones, that is 1 in the observation."""
DRIFT_SCALE_M_S = 10.0


class Packer:
    """Compiles raw traces of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Tabulate what is known of the load."""
        self.scenario = scenario
        topology, plan = topology_of(scenario), make_plan(scenario.cells)
        hotspot = scenario.load.hotspot
        steps = 1 if hotspot is None else PROFILE_STEPS
        phase = np.arange(steps) * (2 * math.pi / steps)
        load = new_call_erlang(scenario, phase) / (1 - scenario.load.handover_share)
        self.mean_total_erlang = float(load.sum(axis=1).mean())
        """Load of the whole grid, averaged over the round of the hotspot."""
        self.events_per_s = 2 * self.mean_total_erlang / scenario.load.holding_s
        self.relative_load = np.concatenate([load / load.max(), np.zeros((steps, 1))], axis=1).astype(np.float32)
        """Load of each cell over the largest load ever, with a pad, [profile steps, N + 1]."""
        near = np.where(topology.near < topology.n_cells, topology.near, -1)
        present = near >= 0
        around = (load[:, near] * present).sum(axis=2) / present.sum(axis=1)
        shift = 0
        if hotspot is not None:
            shift = round(AHEAD_HOLDINGS * scenario.load.holding_s / hotspot.period_s * steps)
        ahead = np.roll(load, -shift, axis=0)
        nominal = plan.n_channels / topology.n_labels
        self._loads = np.minimum(np.stack([load, around, ahead], axis=2) / nominal, 5.0).astype(np.float32)

    def compile(self, raw: Arrays) -> Arrays:
        """Pack a trace.

        Raises:
            ValueError: If a call ends that is not there.
        """
        kind, cell, offered = raw["kind"], raw["cell"].astype(np.intp), raw["offered"]
        here = np.take_along_axis(offered, cell[..., None], axis=2)[..., 0]
        leaves = kind >= Kind.END
        if (leaves & (raw["rank"] >= here)).any():
            raise ValueError("trace: a call ends (kind 3 or 4) whose rank is not below the offered calls of its cell")
        if (~leaves & (here >= self.scenario.calls_per_cell)).any():
            raise ValueError(
                f"trace: a call arrives in a cell with {self.scenario.calls_per_cell} offered calls, as many as fit"
            )
        steps = len(self.relative_load)
        phase = np.floor(raw["phase_rad"] * (steps / (2 * math.pi))).astype(np.int32) % steps
        event = np.empty((*kind.shape, len(EVENT)), dtype=np.int32)
        total = offered.sum(axis=2, dtype=np.int32)
        for name, column in (
            ("kind", kind),
            ("cell", cell),
            ("rank", raw["rank"]),
            ("here", here),
            ("total", total),
            ("phase", phase),
        ):
            event[..., EVENT[name]] = column
        context = np.empty((*kind.shape, len(CONTEXT)), dtype=np.float32)
        interval = raw["dt_s"] * np.float32(self.events_per_s / INTERVAL_SCALE)
        context[..., CONTEXT["interval"]] = np.minimum(interval, np.float32(1))
        context[..., CONTEXT["load"] : CONTEXT["load_ahead"] + 1] = self._loads[phase, cell]
        speed = np.sqrt((raw["drift_m_s"] ** 2).sum(axis=2))
        context[..., CONTEXT["drift"]] = np.minimum(speed / np.float32(DRIFT_SCALE_M_S), np.float32(5))
        return {"event": event, "context": context, "dt_s": raw["dt_s"], "offered": offered}


def column(event: NDArray[np.int32], name: str) -> NDArray[np.int32]:
    """Return one column of the events."""
    found: NDArray[np.int32] = event[..., EVENT[name]]
    return found
