"""The exogenous world of ChannelAllocation: the events of all offered calls, whoever carries them."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generator
from ntn_gym.core.task import Arrays, FieldSpec
from ntn_gym.envs.channel_allocation.drift import (
    INTERVAL_S,
    crossing_rates_per_s,
    drift_velocity_m_s,
    mean_wind_m_s,
)
from ntn_gym.envs.channel_allocation.loads import (
    mean_offered_calls,
    new_call_erlang,
    phase_at,
    topology_of,
)
from ntn_gym.envs.channel_allocation.scenario import Scenario
from ntn_gym.world.calls import DRAWS_PER_EVENT, CellCalls, Event, Kind, Movement, Rates, draw_events

_ARRIVALS = (Kind.NEW, Kind.HANDOVER, Kind.ENTRY)
MAX_DRIFT_M_S = 200.0


def trace_fields(scenario: Scenario) -> dict[str, FieldSpec]:
    """Names, shapes, units and legal ranges of a trace."""
    cells, places = scenario.n_cells, scenario.calls_per_cell
    rows = [
        ("dt_s", (), "float32", "s", 0, 1e9, "time since the event before (since the start for the first one)"),
        ("kind", (), "int8", "number", 0, 4, "0 new call, 1 hand-over, 2 entry from outside, 3 end, 4 leave"),
        ("cell", (), "int8", "number", 0, cells - 1, "where it happens"),
        ("rank", (), "int16", "number", 0, places - 1, "which of the offered calls of the cell"),
        ("offered", (cells,), "int16", "calls", 0, places, "offered calls in each cell before the event"),
        ("phase_rad", (), "float32", "rad", 0, 6.3, "angle of the hotspot on its circle, 0 without one"),
        ("drift_m_s", (2,), "float32", "m/s", -MAX_DRIFT_M_S, MAX_DRIFT_M_S, "velocity of the platform, east, north"),
    ]
    return {
        name: FieldSpec(name, shape, kind, unit, low, high, text) for name, shape, kind, unit, low, high, text in rows
    }


@dataclass
class OneWorld:
    """One world between two events.

    Attributes:
        calls: Offered calls.
        generator: Draws events.
        gusts: Draws gusts; None without drift.
        first_rad: Angle of the hotspot at time 0.
        wind_m_s: Mean wind, [2].
        gust: Gust of the newest interval, of unit variance.
        velocities: Velocity of the platform in the newest interval and, while events are drawn, in those before.
        first_interval: Interval that the first of `velocities` is for.
    """

    calls: CellCalls
    generator: np.random.Generator
    gusts: np.random.Generator | None
    first_rad: float
    wind_m_s: NDArray[np.float64]
    gust: tuple[float, float]
    velocities: list[tuple[float, float]]
    first_interval: int


@dataclass(frozen=True)
class CallsWorldState:
    """B worlds."""

    worlds: list[OneWorld]


class CallsWorld:
    """Draws the events of offered calls, many at once."""

    def __init__(self, scenario: Scenario) -> None:
        """Prepare a scenario."""
        self.scenario = scenario
        self.fields = trace_fields(scenario)
        self._topology = topology_of(scenario)
        varies = scenario.load.hotspot is not None or scenario.drift is not None
        self._movement = Movement(
            stay_s=scenario.load.holding_s,
            handover_share=scenario.load.handover_share,
            adjacent=self._topology.adjacent.tolist(),
            interval_s=INTERVAL_S if varies else math.inf,
        )
        self._steady = self._arrival_rates(0.0, 0) if scenario.load.hotspot is None else None

    def begin(self, keys: Sequence[WorldKey]) -> CallsWorldState:
        """Start one world per key, with as many offered calls as there are on average."""
        return CallsWorldState([self._begin(key) for key in keys])

    def _begin(self, key: WorldKey) -> OneWorld:
        scenario, rng = self.scenario, process_generator(key, "start of calls")
        first_rad = float(rng.uniform(0, 2 * math.pi))
        offered = [0] * scenario.n_cells
        if scenario.start == "fixed":
            offered = rng.poisson(mean_offered_calls(scenario, first_rad)).tolist()
        gusts, wind, gust, velocity = None, np.zeros(2), (0.0, 0.0), (0.0, 0.0)
        if scenario.drift is not None:
            gusts = process_generator(key, "gusts")
            wind = mean_wind_m_s(scenario.drift, key, process_generator(key, "wind"))
            gust = _pair(gusts)
            velocity = drift_velocity_m_s(scenario.drift, wind, gust)
        calls = CellCalls(offered)
        return OneWorld(calls, process_generator(key, "calls"), gusts, first_rad, wind, gust, [velocity], 0)

    def advance(self, state: CallsWorldState, n_steps: int) -> tuple[CallsWorldState, Arrays]:
        """Draw the next events of all worlds.

        Raises:
            ValueError: If more calls are offered to a cell at once than a trace has room for.
        """
        followers, parts = zip(*(self._advance(world, n_steps) for world in state.worlds), strict=True)
        arrays = {name: np.stack([part[name] for part in parts]) for name in parts[0]}
        return CallsWorldState(list(followers)), arrays

    def _advance(self, world: OneWorld, n_steps: int) -> tuple[OneWorld, Arrays]:
        calls, generator = world.calls.copy(), copy.deepcopy(world.generator)
        gusts, velocities = copy.deepcopy(world.gusts), [world.velocities[-1]]
        follower = OneWorld(
            calls, generator, gusts, world.first_rad, world.wind_m_s, world.gust, velocities, calls.interval
        )
        begin_s, before = calls.time_s, np.array(calls.offered)
        uniforms = generator.random((n_steps, DRAWS_PER_EVENT)).tolist()
        events = draw_events(calls, uniforms, self._movement, self._rates_of(follower))
        arrays = self._lay_out(events, begin_s, before, follower)
        follower.first_interval += len(velocities) - 1
        follower.velocities = velocities[-1:]
        return follower, arrays

    def _lay_out(self, events: list[Event], begin_s: float, before: NDArray[np.int64], world: OneWorld) -> Arrays:
        columns = tuple(zip(*events, strict=True))
        time_s = np.array(columns[0])
        interval, kind, cell, rank = (np.array(column) for column in columns[1:])
        change = np.zeros((len(events) + 1, len(before)), dtype=np.int16)
        change[0] = before
        arrives = np.isin(kind, _ARRIVALS)
        change[np.arange(1, len(events) + 1), cell] = np.where(arrives, 1, -1)
        offered = np.cumsum(change, axis=0, dtype=np.int16)
        places = self.scenario.calls_per_cell
        if offered.max() > places:
            raise ValueError(
                f"{offered.max()} calls are offered to one cell at once, but a trace has room for {places} per cell, "
                "ten standard deviations above the largest mean; lower load.offered_erlang or load.handover_share"
            )
        velocity = np.zeros((len(events), 2))
        if self.scenario.drift is not None:
            velocity = np.array(world.velocities)[interval - world.first_interval]
        return {
            "dt_s": np.diff(time_s, prepend=begin_s).astype(np.float32),
            "kind": kind.astype(np.int8),
            "cell": cell.astype(np.int8),
            "rank": rank.astype(np.int16),
            "offered": offered[:-1],
            "phase_rad": phase_at(self.scenario, world.first_rad, time_s).astype(np.float32),
            "drift_m_s": velocity.astype(np.float32),
        }

    # ------------------------------------------------------------------ rates

    def _arrival_rates(self, first_rad: float, interval: int) -> list[float]:
        middle_s = np.array((interval + 0.5) * INTERVAL_S)
        load = new_call_erlang(self.scenario, phase_at(self.scenario, first_rad, middle_s))
        rates: list[float] = (load / self.scenario.load.holding_s).tolist()
        return rates

    def _rates_of(self, world: OneWorld) -> Callable[[int], Rates]:
        """Return the rates by interval; the intervals are asked for in order, the newest one possibly again."""
        drift = self.scenario.drift

        def rates(interval: int) -> Rates:
            arrivals = self._steady or self._arrival_rates(world.first_rad, interval)
            if drift is None or world.gusts is None:
                return Rates(arrivals)
            while interval - world.first_interval >= len(world.velocities):
                keep = math.exp(-INTERVAL_S / drift.gust_memory_s)
                fresh = _pair(world.gusts)
                spread = math.sqrt(1 - keep**2)
                world.gust = (keep * world.gust[0] + spread * fresh[0], keep * world.gust[1] + spread * fresh[1])
                world.velocities.append(drift_velocity_m_s(drift, world.wind_m_s, world.gust))
            crossings = crossing_rates_per_s(
                world.velocities[interval - world.first_interval], self.scenario.cells.radius_m
            )
            if not any(crossings):
                return Rates(arrivals)
            return Rates(arrivals, self._entry_rates(arrivals, crossings), crossings)

        return rates

    def _entry_rates(self, arrivals: list[float], crossings: list[float]) -> list[float]:
        """Rates of calls that come in over the edge: beyond it, users and loads are as on this side."""
        holding_s = self.scenario.load.holding_s
        entries = []
        for rate, row in zip(arrivals, self._movement.adjacent, strict=True):
            # Who enters through the side towards direction k moves in the opposite direction k + 3.
            inward = sum(crossings[(k + 3) % 6] for k in range(6) if row[k] < 0)
            entries.append(rate * holding_s * inward)
        return entries


def _pair(generator: np.random.Generator) -> tuple[float, float]:
    east, north = generator.standard_normal(2).tolist()
    return east, north
