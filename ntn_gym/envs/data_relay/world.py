"""The exogenous world of DataRelay: contacts, clouds, forecast, files and acquisition times, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generator, process_generators
from ntn_gym.core.task import Arrays, FieldSpec
from ntn_gym.envs.data_relay import schedule
from ntn_gym.envs.data_relay.outlook import NEXT_PASSES, look_ahead
from ntn_gym.envs.data_relay.scenario import IdealLinks, Scenario
from ntn_gym.world import epochs, processes
from ntn_gym.world.cloud_forecast import SkyForecast, draw_forecasts, path_of
from ntn_gym.world.clouds import CloudPlan, cloud_plan
from ntn_gym.world.contact_book import ContactBook

MAX_SECONDS = 2e6
NO_CUTOFF_S = MAX_SECONDS


def trace_fields(scenario: Scenario) -> dict[str, FieldSpec]:
    """Names, shapes, units and legal ranges of a DataRelay trace; one slice is one epoch."""
    satellites, stations = scenario.satellites.count, scenario.n_stations
    targets, coming = (satellites, scenario.n_targets), (satellites, NEXT_PASSES)
    receivers = stations + satellites
    rows = [
        ("time_s", (), "float64", "s", 0, MAX_SECONDS, "start of the epoch"),
        ("elapsed_s", (), "float32", "s", 0, MAX_SECONDS, "length of the epoch before"),
        ("duration_ms", (), "int64", "ms", 0, 3_600_000, "length of this epoch; 0 after the end of the episode"),
        ("receiver", targets, "int16", "number", -1, receivers, "receiver in the slot: station, or G + satellite"),
        ("remaining_s", targets, "float32", "s", 0, MAX_SECONDS, "time until the contact ends"),
        ("rate_bit_s", targets, "float64", "bit/s", 0, 1e12, "rate of the link under clear sky"),
        ("clear", (stations,), "bool", "0/1", 0, 1, "clear sky over the station"),
        ("forecast_clear", (stations,), "bool", "0/1", 0, 1, "sky over the station now as it was forecast"),
        ("arrival_bits", (satellites, scenario.n_classes), "int64", "bit", 0, 10**16, "files that appear on board"),
        ("site_wait_s", (stations,), "float32", "s", 0, MAX_SECONDS, "expected time until it is clear"),
        ("site_plan_s", (stations,), "float32", "s", 0, MAX_SECONDS, "the same by the forecast alone"),
        ("decline_wait_s", (satellites,), "float32", "s", 0, MAX_SECONDS, "expected wait if present passes are left"),
        ("decline_plan_s", (satellites,), "float32", "s", 0, MAX_SECONDS, "the same by the forecast alone"),
        ("next_station", coming, "int16", "number", -1, stations, "stations of the next passes"),
        ("next_gap_s", coming, "float32", "s", 0, MAX_SECONDS, "time until they begin"),
        ("next_duration_s", coming, "float32", "s", 0, MAX_SECONDS, "how long they last"),
        ("next_clear", coming, "float32", "probability", 0, 1, "chance that their stations are clear"),
        ("cutoff", (), "bool", "0/1", 0, 1, "a cut-off is at the start of this epoch"),
        ("cutoff_in_s", (), "float32", "s", 0, MAX_SECONDS, "time to the next cut-off; 2e6 without one"),
        ("acquisition_s", (satellites,), "float32", "s", 0, 600, "acquisition time if the terminal turns now"),
    ]
    return {row[0]: FieldSpec(*row) for row in rows}


@dataclass(frozen=True)
class RelayWorldState:
    """State of B worlds between two chunks.

    Attributes:
        step: Epochs drawn so far, [B].
        plan: What is known to the world of the whole episode, {name: [B, n_slices, ...]}.
        acquisition: Generators of the acquisition times, one per world.
    """

    step: NDArray[np.intp]
    plan: Arrays
    acquisition: list[np.random.Generator]


class RelayWorld:
    """Draws the trace of a DataRelay scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Keep the scenario; contacts are predicted with the first world."""
        self._scenario = scenario
        self.fields = trace_fields(scenario)

    @cached_property
    def book(self) -> ContactBook:
        """Passes of the whole constellation."""
        return schedule.book_of(self._scenario)

    @cached_property
    def n_slices(self) -> int:
        """Slices of an episode: the longest list of epochs and the slice after it."""
        return most_epochs(self._scenario, self.book) + 1

    def begin(self, keys: Sequence[WorldKey]) -> RelayWorldState:
        """Draw satellites, window, clouds, forecast and files of every world."""
        scenario = self._scenario
        times, horizon_s = scenario.clouds.times, scenario.horizon_ms / 1000.0
        drawn = cloud_plan(process_generators(keys, "clouds"), scenario.n_stations, times, horizon_s)
        # Whole milliseconds, as all events: an epoch that begins with a change is after it for everybody.
        sky = replace(drawn, change_s=np.rint(drawn.change_s * 1e3) / 1e3)
        forecasts = draw_forecasts(
            sky,
            times,
            scenario.forecast.skill,
            scenario.forecast.block_h * 3600.0,
            process_generators(keys, "forecast"),
            process_generators(keys, "forecast skill"),
        )
        plans = [self._plan(key, sky, forecasts[row], row) for row, key in enumerate(keys)]
        plan = {name: np.stack([one[name] for one in plans]) for name in plans[0]}
        return RelayWorldState(np.zeros(len(keys), dtype=np.intp), plan, process_generators(keys, "acquisition"))

    def advance(self, state: RelayWorldState, n_steps: int) -> tuple[RelayWorldState, Arrays]:
        """Return the next epochs of all worlds (they must stand at the same one)."""
        links, first = self._scenario.links, int(state.step[0])
        arrays = {name: array[:, first : first + n_steps].copy() for name, array in state.plan.items()}
        uniform = processes.draw_uniform(state.acquisition, n_steps, (self._scenario.satellites.count,))
        span_s = np.float32(links.acquisition_max_s - links.acquisition_min_s)
        arrays["acquisition_s"] = np.float32(links.acquisition_min_s) + span_s * uniform
        return RelayWorldState(state.step + n_steps, state.plan, state.acquisition), arrays

    # ------------------------------------------------------------------ one world

    def _plan(self, key: WorldKey, sky: CloudPlan, forecast: SkyForecast, row: int) -> Arrays:
        scenario, book = self._scenario, self.book
        draw = process_generator(key, "orbits")
        satellites = schedule.choose_satellites(book, scenario, draw)
        window_s = float(draw.integers(int(schedule.SPREAD_S)))
        passes = schedule.cut_passes(book, scenario, satellites, window_s)
        file_ms, file_of, file_class = self._files(key)
        cutoffs_ms = self._cutoffs_ms()
        horizon_ms = scenario.horizon_ms
        changes = sky.change_s[row]
        changes_ms = np.rint(changes[np.isfinite(changes)] * 1e3).astype(np.int64)
        edges = epochs.merge(
            [passes.start_ms, passes.end_ms, changes_ms, file_ms, cutoffs_ms],
            horizon_ms,
            round(scenario.max_epoch_s * 1e3),
        )
        n_epochs = len(edges) - 1
        if n_epochs >= self.n_slices:
            raise RuntimeError(
                f"world {key} has {n_epochs} epochs, more than the {self.n_slices - 1} that were thought possible: "
                "clouds change more often than once in 1e12 worlds; use another seed and report this"
            )
        start_ms = edges[:-1]
        time_s = start_ms / 1e3
        clear = np.stack([path_of(sky, row, g).clear_at(time_s) for g in range(scenario.n_stations)], axis=1)
        outlook = look_ahead(scenario, passes, forecast, time_s, clear)
        receiver, remaining_s, rate = self._targets(passes, edges, satellites, window_s)
        arrivals = np.zeros((n_epochs, scenario.satellites.count, scenario.n_classes), dtype=np.int64)
        np.add.at(arrivals, (np.searchsorted(start_ms, file_ms), file_of, file_class), scenario.file_bits)
        due = np.append(cutoffs_ms, np.int64(NO_CUTOFF_S * 1e3) + horizon_ms)
        until = due[np.searchsorted(due, start_ms, side="right")] - start_ms
        arrays: Arrays = {
            "time_s": time_s,
            "elapsed_s": np.diff(time_s, prepend=0.0).astype(np.float32),
            "duration_ms": np.diff(edges),
            "receiver": receiver,
            "remaining_s": remaining_s,
            "rate_bit_s": rate,
            "clear": clear,
            "forecast_clear": np.stack([path.clear_at(time_s) for path in forecast.paths], axis=1),
            "arrival_bits": arrivals,
            "site_wait_s": outlook.site_wait_s,
            "site_plan_s": outlook.site_plan_s,
            "decline_wait_s": outlook.decline_wait_s,
            "decline_plan_s": outlook.decline_plan_s,
            "next_station": outlook.next_station,
            "next_gap_s": outlook.next_gap_s,
            "next_duration_s": outlook.next_duration_s,
            "next_clear": outlook.next_clear,
            "cutoff": np.isin(start_ms, cutoffs_ms),
            "cutoff_in_s": np.minimum(until / 1e3, NO_CUTOFF_S),
        }
        return {name: self._padded(name, array, time_s, horizon_ms / 1e3) for name, array in arrays.items()}

    def _padded(self, name: str, array: NDArray[Any], time_s: NDArray[np.float64], end_s: float) -> NDArray[Any]:
        """Continue to the last slice: after the end nothing lasts, nobody is in view and nothing arrives."""
        spec = self.fields[name]
        filled = np.zeros((self.n_slices, *spec.shape), dtype=spec.dtype)
        filled[: len(array)] = array
        if name in ("receiver", "next_station"):
            filled[len(array) :] = -1
        elif name == "time_s":
            filled[len(array) :] = end_s
        elif name == "elapsed_s":
            filled[len(array)] = end_s - time_s[-1]
        elif name == "cutoff_in_s":
            filled[len(array) :] = NO_CUTOFF_S
        return filled

    def _files(self, key: WorldKey) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Instants in ms, satellites and classes (0 urgent, 1 routine; 0 where there is one class) of all files."""
        scenario, traffic = self._scenario, self._scenario.traffic
        rng = process_generator(key, "files")
        shape = (scenario.satellites.count, traffic.files)
        last_ms = scenario.horizon_ms - round(traffic.quiet_h * 3.6e6)
        instants = rng.integers(0, last_ms, size=shape) if not traffic.at_start else np.zeros(shape, dtype=np.int64)
        routine = rng.random(shape) >= traffic.urgent_share
        classes = routine.astype(np.int64) if scenario.n_classes == 2 else np.zeros(shape, dtype=np.int64)
        owner = np.broadcast_to(np.arange(shape[0])[:, None], shape)
        return instants.reshape(-1), owner.reshape(-1), classes.reshape(-1)

    def _cutoffs_ms(self) -> NDArray[np.int64]:
        period_ms = round(self._scenario.cutoffs.period_h * 3.6e6)
        if not period_ms:
            return np.zeros(0, dtype=np.int64)
        return np.arange(period_ms, self._scenario.horizon_ms, period_ms)

    def _targets(
        self,
        passes: schedule.PassList,
        edges: NDArray[np.int64],
        satellites: NDArray[np.int64],
        window_s: float,
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Receiver, remaining time and rate of every slot, [T, S, K]: stations in view, then neighbours."""
        scenario = self._scenario
        count = scenario.satellites.count
        table = schedule.offer(passes, edges, count, scenario.slots).transpose(1, 0, 2)
        held = table >= 0
        which = np.maximum(table, 0)
        shape = (len(edges) - 1, count, scenario.n_targets)
        receiver = np.full(shape, -1, dtype=np.int64)
        remaining_s, rate = np.zeros(shape), np.zeros(shape)
        if len(passes.station):
            k = scenario.slots
            receiver[..., :k] = np.where(held, passes.station[which], -1)
            remaining_s[..., :k] = np.where(held, (passes.end_ms[which] - edges[:-1, None, None]) / 1e3, 0.0)
            if isinstance(scenario.links.model, IdealLinks):
                rate[..., :k] = np.where(held, float(round(scenario.links.model.rate_bit_s)), 0.0)
            else:
                index = np.nonzero(held)
                own = which[index]
                time_s = window_s + edges[index[0]] / 1e3
                rate[index] = schedule.rates_bit_s(
                    self.book, scenario, satellites[passes.satellite[own]], passes.station[own], time_s
                )
        if scenario.n_neighbours:
            left_s = (scenario.horizon_ms - edges[:-1]) / 1e3
            for n, step in enumerate((-1, 1)):  # the satellite ahead, the one behind
                other = np.arange(count) + step
                linked = (other >= 0) & (other < count)
                slot = scenario.slots + n
                receiver[..., slot] = np.where(linked, scenario.n_stations + other, -1)
                remaining_s[..., slot] = np.where(linked, left_s[:, None], 0.0)
                rate[..., slot] = np.where(linked, float(round(scenario.links.isl_rate_bit_s)), 0.0)
        return receiver, remaining_s, rate


def most_epochs(scenario: Scenario, book: ContactBook) -> int:
    """Return how many epochs a world can have.

    Contacts, files and cut-offs are bounded; cloud changes are a renewal process whose count exceeds mean + 9 standard
    deviations + 20 less than once in 1e12 worlds (its variance is at most that of a Poisson count).
    """
    horizon_s = scenario.horizon_ms / 1000.0
    times = scenario.clouds.times
    cycle_s = float(np.asarray(times.clear_s)) + float(np.asarray(times.cloudy_s))
    # The count of one station is overdispersed by its short clear spells, which come in pairs of changes: factor 2.
    mean = scenario.n_stations * (2.0 * horizon_s / cycle_s + 1.0)
    changes = math.ceil(mean + 9.0 * math.sqrt(2.0 * mean) + 20.0)
    files = 0 if scenario.traffic.at_start else scenario.traffic.files * scenario.satellites.count
    period_h = scenario.cutoffs.period_h
    cutoffs = int(scenario.horizon_h / period_h) + 1 if period_h else 0
    n_events = schedule.most_edges(book, scenario) + changes + files + cutoffs
    return epochs.longest_list(n_events, scenario.horizon_ms, round(scenario.max_epoch_s * 1e3))
