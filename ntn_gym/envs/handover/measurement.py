"""What users hear of the cells: filtered measurements and broadcast loads, each at least one step old.

The chain is causal: what is reported for step t depends on the trace up to step t - 1 only, and on which passes stand
in the slots at t, which the ephemeris tells. Memory is carried from chunk to chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.handover.scenario import Scenario

FloatArray = NDArray[Any]

SLOW_WEIGHT = 0.1
"""Weight of the newest sample in the slow filter."""
NEVER_STEPS = np.float32(1e6)
"""Age of a measurement that was never taken."""


@dataclass(frozen=True)
class Memory:
    """What the measurement chain remembers after a chunk.

    Attributes:
        step: Steps compiled so far, [B].
        pass_id: Pass in each slot in the last step, [B, K].
        filtered: Filtered SINR in dB after the last step: L3 filter and slow filter, [B, 2, U, K].
        neighbour: Filtered SINR at the last neighbour measurement, [B, U, K].
        neighbour_age: Steps since then, [B, U, K].
        load: Load in the last step, [B, K].
        broadcast: Load as last broadcast, [B, K].
        known: Whether a broadcast of this pass was heard, [B, K].
    """

    step: NDArray[np.intp]
    pass_id: NDArray[np.int32]
    filtered: FloatArray
    neighbour: FloatArray
    neighbour_age: FloatArray
    load: FloatArray
    broadcast: FloatArray
    known: NDArray[np.bool_]


@dataclass(frozen=True)
class Reports:
    """What users know at the beginning of each step of n.

    Attributes:
        heard: The pass stood in its slot one step before, too, so that it was measured and heard, [B, n, K].
        sinr_db: L3-filtered SINR of the last step, as the serving link reports it, [B, n, U, K].
        slow_db: Slowly filtered SINR, [B, n, U, K].
        neighbour_db: Filtered SINR as neighbours report it, [B, n, U, K].
        neighbour_age: Its age in steps, [B, n, U, K]; None: neighbours are measured at every step.
        load: Load as last broadcast, [B, n, K].

    Values are meaningless where ``heard`` is false.
    """

    heard: NDArray[np.bool_]
    sinr_db: FloatArray
    slow_db: FloatArray
    neighbour_db: FloatArray
    neighbour_age: FloatArray | None
    load: FloatArray

    def take(self, part: tuple[slice, slice]) -> Reports:
        """Return the reports of some worlds and steps."""
        age = None if self.neighbour_age is None else self.neighbour_age[part]
        return Reports(
            self.heard[part],
            self.sinr_db[part],
            self.slow_db[part],
            self.neighbour_db[part],
            age,
            self.load[part],
        )


class MeasurementChain:
    """Turns the true SINR and loads of a trace into reports."""

    def __init__(self, scenario: Scenario) -> None:
        """Take the numbers from the scenario."""
        self._scenario = scenario
        self._weights = np.array([scenario.measurement.filter_weight, SLOW_WEIGHT], dtype=np.float32)
        self._neighbour_steps = round(scenario.measurement.neighbour_period_s / scenario.dt_s)
        self._broadcast_steps = round(scenario.load.broadcast_period_s / scenario.dt_s)

    def _start(self, n_worlds: int) -> Memory:
        n_users, n_slots = self._scenario.users.count, self._scenario.slots.count
        return Memory(
            step=np.zeros(n_worlds, dtype=np.intp),
            pass_id=np.full((n_worlds, n_slots), -2, dtype=np.int32),
            filtered=np.zeros((n_worlds, 2, n_users, n_slots), dtype=np.float32),
            neighbour=np.zeros((n_worlds, n_users, n_slots), dtype=np.float32),
            neighbour_age=np.full((n_worlds, n_users, n_slots), NEVER_STEPS),
            load=np.zeros((n_worlds, n_slots), dtype=np.float32),
            broadcast=np.zeros((n_worlds, n_slots), dtype=np.float32),
            known=np.zeros((n_worlds, n_slots), dtype=bool),
        )

    def advance(self, memory: Memory | None, raw: Arrays) -> tuple[Memory, Reports]:
        """Return the reports for the next steps of a raw trace.

        Args:
            memory: Memory after the previous chunk; None at the start of an episode.
            raw: Raw arrays [B, n, ...], see `world.trace_fields`.
        """
        pass_id = raw["pass_id"]
        n_worlds, n_steps, _ = pass_id.shape
        if memory is None:
            memory = self._start(n_worlds)
        before = np.concatenate([memory.pass_id[:, None], pass_id[:, :-1]], axis=1)
        heard = (pass_id >= 0) & (pass_id == before)
        filtered = self._filter(memory.filtered, raw["sinr_db"] + raw["measurement_error_db"], heard)
        sinr_db, slow_db = filtered[:, :-1, 0], filtered[:, :-1, 1]
        step = memory.step[:, None] + np.arange(n_steps)
        if self._neighbour_steps == 1:
            neighbour_db, age = sinr_db, None
            last_neighbour = memory.neighbour, memory.neighbour_age
        else:
            neighbour_db, age, last_neighbour = self._neighbours(memory, step, sinr_db, heard)
        load_before = np.concatenate([memory.load[:, None], raw["load"][:, :-1]], axis=1)
        load = self._broadcast(memory, step, load_before, heard)
        memory = Memory(
            step=memory.step + n_steps,
            pass_id=pass_id[:, -1].copy(),
            filtered=filtered[:, -1].copy(),
            neighbour=last_neighbour[0],
            neighbour_age=last_neighbour[1],
            load=raw["load"][:, -1].copy(),
            broadcast=load[:, -1].copy(),
            known=heard[:, -1].copy(),
        )
        return memory, Reports(heard, sinr_db, slow_db, neighbour_db, age, load)

    def _filter(self, previous: FloatArray, samples: FloatArray, heard: NDArray[np.bool_]) -> FloatArray:
        """First-order filters F = (1 - w) F + w M along time, restarted with F = M where the pass is new.

        Source: layer-3 filtering, 3GPP TS 38.331 clause 5.5.3.2.

        Args:
            previous: Values before the first step, [B, 2, U, K].
            samples: Measurements M, [B, n, U, K].
            heard: Where the pass is not new, [B, n, K].

        Returns:
            Values before the first and after each step, [B, n + 1, 2, U, K].
        """
        n_worlds, n_steps, n_users, n_slots = samples.shape
        weights = self._weights[:, None, None]
        keep = np.where(heard[:, :, None, None], np.float32(1) - weights, np.float32(0))
        keep = np.repeat(keep, n_users, axis=3)  # products of one shape are faster than broadcasting
        result = np.empty((n_worlds, n_steps + 1, 2, n_users, n_slots), dtype=np.float32)
        result[:, 0] = previous
        np.multiply(samples[:, :, None], np.float32(1) - keep, out=result[:, 1:])
        last = result[:, 0]
        kept = np.empty_like(last)
        for row, keep_t in zip(result.swapaxes(0, 1)[1:], keep.swapaxes(0, 1), strict=True):
            np.multiply(last, keep_t, out=kept)
            np.add(row, kept, out=row)
            last = row
        return result

    def _neighbours(
        self, memory: Memory, step: NDArray[np.intp], sinr_db: FloatArray, heard: NDArray[np.bool_]
    ) -> tuple[FloatArray, FloatArray, tuple[FloatArray, FloatArray]]:
        """Return the SINR and its age in steps that a user has of neighbours, and the memory to carry."""
        value, age = np.empty(sinr_db.shape, np.float32), np.empty(sinr_db.shape, np.float32)
        last_value, last_age = memory.neighbour, memory.neighbour_age
        for t in range(sinr_db.shape[1]):
            # The sample of step t - 1 is the newest; neighbours are sampled every so many steps, and once at rise.
            sampled = ((step[:, t] - 1) % self._neighbour_steps == 0)[:, None, None] | (last_age >= NEVER_STEPS)
            last_value = np.where(sampled, sinr_db[:, t], last_value)
            last_age = np.where(sampled, np.float32(1), last_age + np.float32(1))
            last_age = np.where(heard[:, t, None], last_age, NEVER_STEPS)
            value[:, t], age[:, t] = last_value, last_age
        return value, age, (last_value, last_age)

    def _broadcast(
        self, memory: Memory, step: NDArray[np.intp], load_before: FloatArray, heard: NDArray[np.bool_]
    ) -> FloatArray:
        """Return the load as last broadcast: renewed at fixed times, and read once when a pass is first heard."""
        n_steps = heard.shape[1]
        heard_before = np.concatenate([memory.known[:, None], heard[:, :-1]], axis=1)
        update = ((step - 1) % self._broadcast_steps == 0)[..., None] | (heard & ~heard_before)
        source = np.where(update, np.arange(1, n_steps + 1)[None, :, None], 0)
        source = np.maximum.accumulate(source, axis=1)
        values = np.concatenate([memory.broadcast[:, None], load_before], axis=1)
        return np.take_along_axis(values, source, axis=1)
