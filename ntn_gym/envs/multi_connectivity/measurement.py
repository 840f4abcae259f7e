"""What users hear: measurements of linked nodes at every step, of others in turns, loads as broadcast; all aged.

Causal: what is reported for step t depends on the trace up to step t - 1, and on which node stands in which slot at t,
which ephemeris and map tell. Memory is carried from chunk to chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.multi_connectivity.scenario import Scenario

FloatArray = NDArray[Any]
NEVER_S = 8.0
"""Age that is reported of a node that was never measured; older measurements count as this old."""


@dataclass(frozen=True)
class Memory:
    """What the measurement chain remembers after a chunk; leading axis: world.

    Attributes:
        step: Steps compiled so far, [B].
        sample: Measurement of the last step in dB, [B, U, K].
        reported: Measurement of nodes that are not linked, as last reported, [B, U, K].
        age: Its age in steps, [B, U, K].
        new_node: A new node stood in the slot in the last step, [B, U, K].
        load: Load in the last step, [B, N].
        broadcast: Load as last broadcast, [B, N].
        controller: Slot of the controlling satellite in the last step, [B].
    """

    step: NDArray[np.intp]
    sample: FloatArray
    reported: FloatArray
    age: FloatArray
    new_node: NDArray[np.bool_]
    load: FloatArray
    broadcast: FloatArray
    controller: NDArray[np.int8]


@dataclass(frozen=True)
class Reports:
    """What users know at the beginning of each of n steps.

    Attributes:
        linked_db: Measurement of a linked node, one step old, [B, n, U, K]; the prediction where there is none.
        linked_age_s: Its age, [B, n, U, K].
        other_db: Measurement of a node that is not linked.
        other_age_s: Its age.
        load: Load of each node as last broadcast, [B, n, N].
    """

    linked_db: FloatArray
    linked_age_s: FloatArray
    other_db: FloatArray
    other_age_s: FloatArray
    load: FloatArray


class MeasurementChain:
    """Turns true signals and loads of a trace into reports."""

    def __init__(self, scenario: Scenario, mean_load: float) -> None:
        """Take the numbers from the scenario; ``mean_load`` stands for a load that was never heard."""
        self._scenario = scenario
        self._mean_load = np.float32(mean_load)
        self._turns = round(scenario.measurement.neighbour_period_s / scenario.dt_s)
        self._broadcast = round(scenario.load.broadcast_period_s / scenario.dt_s)

    def _start(self, n_worlds: int) -> Memory:
        links = (n_worlds, self._scenario.users.count, self._scenario.n_slots)
        nodes = (n_worlds, self._scenario.n_nodes)
        return Memory(
            step=np.zeros(n_worlds, dtype=np.intp),
            sample=np.zeros(links, dtype=np.float32),
            reported=np.zeros(links, dtype=np.float32),
            age=np.zeros(links, dtype=np.float32),
            new_node=np.zeros(links, dtype=bool),
            load=np.zeros(nodes, dtype=np.float32),
            broadcast=np.full(nodes, self._mean_load),
            controller=np.full(n_worlds, -1, dtype=np.int8),
        )

    def advance(
        self, memory: Memory | None, raw: Arrays, signal_db: FloatArray, predicted_db: FloatArray
    ) -> tuple[Memory, Reports]:
        """Return the reports for the next steps.

        Args:
            memory: Memory after the previous chunk; None at the start of an episode.
            raw: Raw arrays [B, n, ...], see `trace_fields`.
            signal_db: What terminals measure, without the error, [B, n, U, K].
            predicted_db: What stands for it before the first measurement.
        """
        n_worlds, n_steps = raw["node"].shape[:2]
        if memory is None:
            memory = self._start(n_worlds)
        dt_s = np.float32(self._scenario.dt_s)
        step = memory.step[:, None] + np.arange(n_steps)
        new = raw["new_node"]
        samples = signal_db + raw["measurement_error_db"]
        last = np.concatenate([memory.sample[:, None], samples[:, :-1]], axis=1)
        new_before = np.concatenate([memory.new_node[:, None], new[:, :-1]], axis=1)
        never = np.float32(NEVER_S)
        linked_db = np.where(new, predicted_db, last)
        linked_age = np.where(new, never, np.minimum(dt_s, never))

        slot = np.arange(self._scenario.n_slots)
        turn = (step[:, :, None, None] + slot) % self._turns == 0
        update = turn | new | new_before
        source = np.where(update, np.arange(1, n_steps + 1)[None, :, None, None], 0)
        source = np.maximum.accumulate(source, axis=1)
        values = np.concatenate([memory.reported[:, None], linked_db], axis=1)
        other_db = np.take_along_axis(values, source, axis=1)
        # Sampled in this chunk: one step and what has passed since; before it: the carried age and the steps of it.
        elapsed = (np.arange(1, n_steps + 1)[None, :, None, None] - source).astype(np.float32)
        age = elapsed + np.where(source > 0, np.float32(1), memory.age[:, None])
        age = np.where(new, never / dt_s, age)
        memory = Memory(
            step=memory.step + n_steps,
            sample=samples[:, -1].copy(),
            reported=other_db[:, -1].copy(),
            age=age[:, -1].copy(),
            new_node=new[:, -1].copy(),
            load=raw["load"][:, -1].copy(),
            broadcast=(load := self._loads(memory, raw, step))[:, -1].copy(),
            controller=raw["controller"][:, -1, 0].copy(),
        )
        return memory, Reports(linked_db, linked_age, other_db, np.minimum(age * dt_s, never), load)

    def _loads(self, memory: Memory, raw: Arrays, step: NDArray[np.intp]) -> FloatArray:
        """Loads as last broadcast, renewed at fixed times; of a satellite that has risen the first step after that."""
        n_sky, n_steps = self._scenario.n_sky_slots, step.shape[1]
        # All users see the same node in a slot of the sky.
        new = np.zeros((*step.shape, self._scenario.n_nodes), dtype=bool)
        new[..., :n_sky] = raw["new_node"][:, :, 0, :n_sky]
        before = np.zeros_like(new[:, 0])
        before[:, :n_sky] = memory.new_node[:, 0, :n_sky]
        new_before = np.concatenate([before[:, None], new[:, :-1]], axis=1)
        last = np.concatenate([memory.load[:, None], raw["load"][:, :-1]], axis=1)
        started = (step > 0)[..., None]
        told = np.where(new | ~started, self._mean_load, last)
        update = ((step - 1) % self._broadcast == 0)[..., None] & started
        update = update | new | new_before | (step == 1)[..., None]
        source = np.where(update, np.arange(1, n_steps + 1)[None, :, None], 0)
        source = np.maximum.accumulate(source, axis=1)
        values = np.concatenate([memory.broadcast[:, None], told], axis=1)
        return np.take_along_axis(values, source, axis=1)
