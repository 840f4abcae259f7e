"""The exogenous world of TaskOffloading: tasks, channels, satellites and other customers of the servers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.core.task import Arrays, FieldSpec
from ntn_gym.envs.task_offloading.radio import Radio
from ntn_gym.envs.task_offloading.scenario import Scenario, Tasks
from ntn_gym.envs.task_offloading.sky import LeoSky, ServingPass
from ntn_gym.physics.constants import SPEED_OF_LIGHT_M_S
from ntn_gym.world import clouds, processes, users
from ntn_gym.world.joint import JointProcesses, JointState

FloatArray = NDArray[Any]


def trace_fields(scenario: Scenario) -> dict[str, FieldSpec]:
    """Names, shapes, units and legal ranges of a TaskOffloading trace."""
    devices, nodes = (scenario.devices.count,), (len(scenario.nodes),)
    links = devices + nodes
    rows = [
        ("task_bit", devices, "float64", "bit", 0, 1e9, "size of the task that arrives with this slot, 0: none"),
        ("task_cycles", devices, "float64", "cycles", 0, 1e14, "cycles to compute it"),
        ("task_deadline_s", devices, "float64", "s", 0, 600, "time within which its result is worth something"),
        ("cpu_hz", devices, "float64", "Hz", 1, 1e12, "frequency of the device's processor"),
        ("cn0_dbhz", links, "float32", "dBHz", -200, 200, "carrier to noise density of the uplink, all power in it"),
        ("error_db", links, "float32", "dB", -100, 100, "error of this slot's measurement of it"),
        ("visible", nodes, "bool", "0/1", 0, 1, "the node can be reached"),
        ("pass_number", (), "int32", "number", -1, 2**31 - 1, "pass of the satellite in service, -1: none"),
        ("remaining_s", (), "float32", "s", 0, 1e4, "predicted time until that satellite sets"),
        ("delay_s", nodes, "float64", "s", 0, 1, "one-way propagation delay to the node"),
        ("background", nodes, "float64", "share", 0, 0.95, "share of the node's server that others take"),
        ("los", links, "bool", "0/1", 0, 1, "line of sight"),
        ("azimuth_deg", nodes, "float32", "deg", -360, 360, "azimuth of the node from the middle of the region"),
        ("elevation_deg", nodes, "float32", "deg", -90, 90, "elevation of the node there"),
        ("east_m", devices, "float32", "m", -1e6, 1e6, "place of the device east of the middle of the region"),
        ("north_m", devices, "float32", "m", -1e6, 1e6, "place of the device north of it"),
    ]
    return {row[0]: FieldSpec(*row) for row in rows}


@dataclass(frozen=True)
class OffloadingWorldState:
    """State of B worlds between two chunks; leading axis: world.

    Attributes:
        step: Steps drawn so far, [B].
        region: Places and courses of the devices.
        haps_m: Sub-point of the platform, east and north of the middle of the region, [B, 2].
        leo: The satellite in service over the whole episode; None without low orbit.
        cpu_hz: Frequencies of the devices, [B, U].
        random: Gauss-Markov processes of the channels.
        bursting: Whether each device is in a burst, [B, U].
        busy: Whether the others are busy on each server, [B, A].
        generators: Generators of tasks, bursts, loads and errors, by name.
    """

    step: NDArray[np.intp]
    region: users.Region
    haps_m: FloatArray
    leo: ServingPass | None
    cpu_hz: FloatArray
    random: JointState
    bursting: NDArray[np.bool_]
    busy: NDArray[np.bool_]
    generators: dict[str, list[np.random.Generator]]


class OffloadingWorld:
    """Draws the trace of a TaskOffloading scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Build (or share) the ephemeris and prepare tables."""
        self._scenario = scenario
        tasks = scenario.tasks
        # The on/off process of the clouds serves here, too: "cloudy" is in a burst, or busy with other customers.
        self._bursts = clouds.CloudTimes(tasks.calm_s, tasks.burst_s)
        servers = [scenario.node(name).server for name in scenario.nodes]
        self._loads = clouds.CloudTimes(tuple(s.quiet_s for s in servers), tuple(s.busy_s for s in servers))
        self._low = np.array([server.background_low for server in servers])
        self._high = np.array([server.background_high for server in servers])
        self._leo = None if scenario.leo is None else LeoSky(scenario, scenario.leo)
        self._radio = Radio(scenario)
        self._random = JointProcesses(self._radio.processes, scenario.dt_s)
        self.fields = trace_fields(scenario)

    def begin(self, keys: Sequence[WorldKey]) -> OffloadingWorldState:
        """Place devices and platform, plan the passes and draw the first states."""
        scenario, devices = self._scenario, self._scenario.devices
        region, _ = users.place_region(
            process_generators(keys, "place"),
            devices.count,
            devices.motion,
            devices.speed_m_s,
            devices.region_radius_m,
            (math.radians(devices.latitude_min_deg), math.radians(devices.latitude_max_deg)),
            follows_users=False,
        )
        reach_m = 0.0 if scenario.haps is None else scenario.haps.offset_max_m
        draws = processes.draw_uniform(process_generators(keys, "platform"), 1, (2,), np.float64)[:, 0]
        angle, radius = 2 * math.pi * draws[:, 0], reach_m * np.sqrt(draws[:, 1])
        shares = processes.draw_uniform(process_generators(keys, "processor"), 1, (devices.count,), np.float64)[:, 0]
        generators = {name: process_generators(keys, name) for name in ("tasks", "bursts", "loads", "measurement")}
        return OffloadingWorldState(
            step=np.zeros(len(keys), dtype=np.intp),
            region=region,
            haps_m=np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=-1),
            leo=None if self._leo is None else self._leo.plan(keys, region),
            cpu_hz=devices.cpu_min_hz + (devices.cpu_max_hz - devices.cpu_min_hz) * shares,
            random=self._random.start({name: process_generators(keys, name) for name in self._random.members}),
            bursting=clouds.start(generators["bursts"], devices.count, self._bursts),
            busy=clouds.start(generators["loads"], len(scenario.nodes), self._loads),
            generators=generators,
        )

    def advance(self, state: OffloadingWorldState, n_steps: int) -> tuple[OffloadingWorldState, Arrays]:
        """Draw the next steps of all worlds (they must stand at the same step)."""
        scenario = self._scenario
        first = int(state.step[0])
        step = first + np.arange(n_steps)
        at = np.minimum(step, scenario.steps)
        generators = state.generators
        bursting, bursts = clouds.advance(generators["bursts"], state.bursting, n_steps, scenario.dt_s, self._bursts)
        busy, loads = clouds.advance(generators["loads"], state.busy, n_steps, scenario.dt_s, self._loads)
        late = step > scenario.steps - scenario.tail_steps
        bits, cycles, deadline_s = draw_tasks(generators["tasks"], bursts, late, scenario.tasks, scenario.dt_s)
        leo = None if state.leo is None else _steps(state.leo, at)
        random, samples = self._random.advance(state.random, n_steps, fresh=self._radio.fresh(state.leo, at))
        place_m = users.plan_offsets(state.region, scenario.devices.speed_m_s, step * scenario.dt_s)
        view = self._radio.view(place_m, state.haps_m, leo)
        los, cn0_dbhz = self._radio.links(view, samples)
        error = processes.draw_normal(generators["measurement"], n_steps, (scenario.devices.count, len(scenario.nodes)))
        nobody = np.zeros((len(state.step), n_steps), dtype=np.float32)
        arrays: Arrays = {
            "task_bit": bits,
            "task_cycles": cycles,
            "task_deadline_s": deadline_s,
            "cpu_hz": np.repeat(state.cpu_hz[:, None], n_steps, axis=1),
            "cn0_dbhz": cn0_dbhz,
            "error_db": error * np.float32(scenario.measurement_error_db),
            "visible": view.visible,
            "pass_number": (nobody - 1).astype(np.int32) if leo is None else leo.number,
            "remaining_s": nobody if leo is None else leo.remaining_s,
            "delay_s": view.centre_range_m / SPEED_OF_LIGHT_M_S,
            "background": np.where(loads, self._high, self._low),
            "los": los,
            "azimuth_deg": np.degrees(view.centre_azimuth_rad).astype(np.float32),
            "elevation_deg": np.degrees(view.centre_elevation_rad).astype(np.float32),
            "east_m": place_m[..., 0].astype(np.float32),
            "north_m": place_m[..., 1].astype(np.float32),
        }
        return (
            OffloadingWorldState(
                state.step + n_steps, state.region, state.haps_m, state.leo, state.cpu_hz, random, bursting, busy,
                generators,
            ),
            arrays,
        )  # fmt: skip


def _steps(leo: ServingPass, at: NDArray[np.intp]) -> ServingPass:
    return ServingPass(leo.number[:, at], leo.remaining_s[:, at], leo.azimuth_rad[:, at], leo.elevation_rad[:, at],
                       leo.range_m[:, at])  # fmt: skip


def draw_tasks(
    generators: Sequence[np.random.Generator],
    bursts: NDArray[np.bool_],
    late: NDArray[np.bool_],
    tasks: Tasks,
    dt_s: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draw the tasks of some slots: at most one per device and slot, none in slots that are too late.

    Args:
        generators: One generator per world.
        bursts: Whether the device is in a burst, [B, n, U].
        late: Slots in which nothing arrives any more, [n].
        tasks: Distributions.
        dt_s: Slot in s.

    Returns:
        Bits, cycles and deadline in s, each [B, n, U]; all zero where there is no task.
    """
    n_steps, n_devices = bursts.shape[1:]
    draws = processes.draw_uniform(generators, n_steps, (4, n_devices), np.float64)
    probability = np.where(bursts, tasks.burst_factor, 1.0) * (tasks.calm_rate_per_s * dt_s)
    here = (draws[:, :, 0] < probability) & ~late[:, None]

    def between(low: float, high: float, share: FloatArray) -> FloatArray:
        return np.where(here, low + (high - low) * share, 0.0)

    if tasks.cycles_distribution == "uniform":
        cycles = between(tasks.cycles_min, tasks.cycles_max, draws[:, :, 2])
    else:
        mean = (tasks.cycles_min + tasks.cycles_max) / 2
        cycles = np.where(here, -mean * np.log1p(-draws[:, :, 2]), 0.0)
    return (
        between(tasks.size_min_bit, tasks.size_max_bit, draws[:, :, 1]),
        cycles,
        between(tasks.deadline_min_s, tasks.deadline_max_s, draws[:, :, 3]),
    )
