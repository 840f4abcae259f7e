"""One slot of the life of all tasks: start, compute, transmit, serve, end."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.task_offloading.packing import Plant, uplink_rate_bit_s
from ntn_gym.envs.task_offloading.queues import line_up, serve_arrivals, serve_in_order
from ntn_gym.envs.task_offloading.scenario import Scenario
from ntn_gym.envs.task_offloading.state import N_ROWS, Row, State

FloatArray = NDArray[Any]


class Choice(NamedTuple):
    """What the devices decided: target, node of the uplink (-1: none) and offloaded share, each [B, U]."""

    target: NDArray[np.intp]
    node: NDArray[np.intp]
    ratio: FloatArray


class Slot(NamedTuple):
    """What happened, each [B, U] unless said otherwise.

    Attributes:
        completed: Tasks whose result came in time.
        dropped: Tasks that expired.
        delay_s: Sum of the delays of the completed ones.
        cost: Sum of their delay over deadline.
        device_energy_j: Energy of computing and transmitting on the device.
        server_energy_j: Energy that servers spent for the device.
        busy: Share of the slot in which each server worked, [B, R].
    """

    completed: FloatArray
    dropped: FloatArray
    delay_s: FloatArray
    cost: FloatArray
    device_energy_j: FloatArray
    server_energy_j: FloatArray
    busy: FloatArray


class SlotMachine:
    """Steps the tasks of a scenario.

    Few of the places of the table hold a task, so everything runs on the list of living tasks of all worlds. Sums are
    taken per device or server in the order of the list, hence they do not depend on the other worlds.
    """

    def __init__(self, scenario: Scenario, layout: Plant) -> None:
        """Keep the constants."""
        self._dt_s = scenario.dt_s
        self._layout = layout
        self._devices = scenario.devices
        self._cloud = scenario.cloud
        self._result_share = scenario.tasks.result_share
        self._n_nodes = len(scenario.nodes)
        self._n_resources = len(layout.resource_node)

    def step(self, state: State, choice: Choice, now: Now) -> tuple[State, Slot]:
        """Live through one slot."""
        table = self._admit(state.tasks, choice, now)
        n_worlds, n_devices, n_kept, _ = table.shape
        places = table.reshape(-1, N_ROWS)
        living = np.flatnonzero(places[:, Row.ALIVE])
        tasks = np.ascontiguousarray(places[living].T)
        device = living // n_kept  # over all worlds
        world = device // n_devices
        begin = now["time_s"][world]

        shape = (n_worlds, n_devices)
        cycles_done = self._compute(tasks, device, begin, now["cpu_hz"].ravel())
        sharing, on_air_s = self._transmit(tasks, device, world, begin, now)
        work_done, server_energy_j = self._serve(tasks, world, begin, now)
        n_all = n_worlds * n_devices
        frequency = now["cpu_hz"]
        computing_j = (
            self._devices.capacitance * frequency * frequency * _sums(device, cycles_done, n_all).reshape(shape)
        )
        device_j = computing_j + self._devices.transmit_power_w * on_air_s.reshape(shape)

        done_s = np.maximum(tasks[Row.LOCAL_END_S], tasks[Row.REMOTE_END_S])
        end = begin + self._dt_s
        due, born = tasks[Row.DUE_S], tasks[Row.BORN_S]
        completed = done_s <= np.minimum(end, due)
        dropped = ~completed & (due <= end)
        # What has ended leaves all queues.
        goes_on = ~(completed | dropped)
        tasks[[Row.ALIVE, Row.CYCLES, Row.BITS, Row.WORK]] *= goes_on
        places[living] = tasks.T
        delay_s = np.where(completed, done_s - born, 0.0)
        newest_s = state.newest_s.copy()
        np.maximum.at(newest_s.reshape(-1), device[completed], born[completed])
        slot = Slot(
            completed=_sums(device, completed, n_all).reshape(shape),
            dropped=_sums(device, dropped, n_all).reshape(shape),
            delay_s=_sums(device, delay_s, n_all).reshape(shape),
            cost=_sums(device, delay_s / (due - born), n_all).reshape(shape),
            device_energy_j=device_j,
            server_energy_j=_sums(device, server_energy_j, n_all).reshape(shape),
            busy=work_done / (now["server_rate"] * self._dt_s),
        )
        waits = (tasks[Row.WORK] > 0.0) & (tasks[Row.ARRIVAL_S] <= end)
        server = world[waits] * self._n_resources + tasks[Row.RESOURCE][waits].astype(np.intp)
        backlog = _sums(server, tasks[Row.WORK][waits], n_worlds * self._n_resources)
        last = np.where(now["task"][:, 0] > 0.0, choice.target, state.last_target)
        return State(table, last, newest_s, backlog.reshape(n_worlds, -1), sharing), slot

    def _admit(self, before: FloatArray, choice: Choice, now: Now) -> FloatArray:
        """Enter the tasks of this slot into a copy of the table; who was there before has ended long ago."""
        layout = self._layout
        table = before.copy()
        world, device = np.nonzero(now["task"][:, 0])
        if not len(world):
            return table
        bit, cycles, deadline_s = now["task"][world, :, device].T
        begin = now["time_s"][world]
        target, node, ratio = (part[world, device] for part in choice)
        remote = ratio > 0.0
        cloud = remote & (target == self._n_nodes + 1)
        place = np.maximum(node, 0)
        entry = np.empty((len(world), N_ROWS))
        entry[:, Row.ALIVE] = 1.0
        entry[:, Row.BORN_S] = begin
        entry[:, Row.DUE_S] = begin + deadline_s
        entry[:, Row.CYCLES] = (1.0 - ratio) * cycles
        entry[:, Row.BITS] = ratio * bit
        entry[:, Row.WORK] = ratio * np.where(cloud, bit, cycles)
        entry[:, Row.NODE] = node
        entry[:, Row.RESOURCE] = np.where(cloud, layout.feeder, layout.first_resource[place])
        entry[:, Row.ARRIVAL_S] = np.inf
        # A part that does not exist is done at once.
        entry[:, Row.LOCAL_END_S] = np.where(ratio < 1.0, np.inf, begin)
        entry[:, Row.REMOTE_END_S] = np.where(remote, np.inf, begin)
        delay_s = now["delay_s"][world, place]
        after = delay_s + self._result_share * ratio * bit / layout.result_rate_bit_s[place]
        if self._cloud is not None:
            beyond = 2.0 * (delay_s + self._cloud.network_delay_s) + ratio * cycles / self._cloud.cpu_hz
            after = after + np.where(cloud, beyond, 0.0)
        entry[:, Row.AFTER_S] = after
        number = np.rint(begin / self._dt_s).astype(np.intp)
        table[world, device, number % table.shape[2]] = entry
        return table

    def _compute(
        self, tasks: FloatArray, device: NDArray[np.intp], begin: FloatArray, frequency: FloatArray
    ) -> FloatArray:
        """Compute on the devices; return the cycles done for each task."""
        done = np.zeros(len(device))
        here = np.flatnonzero(tasks[Row.CYCLES])
        if len(here):
            work = tasks[Row.CYCLES][here]
            lines = line_up(device[here], tasks[Row.BORN_S][here])
            served = serve_in_order(lines.spread(work), frequency[lines.queue], self._dt_s)
            left = lines.collect(served.left)
            done[here] = work - left
            tasks[Row.CYCLES, here] = left
            tasks[Row.LOCAL_END_S, here] = begin[here] + lines.collect(served.end_s)
        return done

    def _transmit(
        self, tasks: FloatArray, device: NDArray[np.intp], world: NDArray[np.intp], begin: FloatArray, now: Now
    ) -> tuple[FloatArray, FloatArray]:
        """Send; return the devices on each node's band [B, A] and how long each device sent, [B * U]."""
        n_nodes, n_all = self._n_nodes, now["cpu_hz"].size
        sharing = np.zeros(now["visible"].shape)
        on_air_s = np.zeros(n_all)
        node = tasks[Row.NODE].astype(np.intp)
        # Nobody sends to a satellite that has set: the work waits for the next one.
        here = np.flatnonzero(
            (tasks[Row.BITS] > 0.0) & now["visible"].reshape(-1)[world * n_nodes + np.maximum(node, 0)]
        )
        if not len(here):
            return sharing, on_air_s
        work = tasks[Row.BITS][here]
        lines = line_up(device[here] * n_nodes + node[here], tasks[Row.BORN_S][here])
        owner, band = np.divmod(lines.queue, n_nodes)
        cell = owner // now["cpu_hz"].shape[1] * n_nodes + band
        np.add.at(sharing.reshape(-1), cell, 1.0)
        rate = uplink_rate_bit_s(
            now["density_hz"].reshape(-1)[lines.queue], sharing.reshape(-1)[cell], self._layout, band
        )
        rows = lines.spread(work)
        served = serve_in_order(rows, rate, self._dt_s)
        tasks[Row.BITS, here] = lines.collect(served.left)
        np.add.at(on_air_s, owner, np.minimum(rows.sum(axis=1) / rate, self._dt_s))
        sent_s = lines.collect(served.end_s)
        at_node = world[here] * n_nodes + node[here]
        arrives = np.isfinite(sent_s)
        tasks[Row.ARRIVAL_S, here] = begin[here] + sent_s + now["delay_s"].reshape(-1)[at_node]
        # Which satellite it reaches shows when the upload ends.
        resource = tasks[Row.RESOURCE, here]
        direct = arrives & (resource != self._layout.feeder)
        tasks[Row.RESOURCE, here] = np.where(direct, now["resource"].reshape(-1)[at_node], resource)
        return sharing, on_air_s

    def _serve(
        self, tasks: FloatArray, world: NDArray[np.intp], begin: FloatArray, now: Now
    ) -> tuple[FloatArray, FloatArray]:
        """Serve at the servers; return the work done by each server [B, R] and the energy for each task."""
        n_resources = self._n_resources
        done = np.zeros(now["server_rate"].shape)
        energy_j = np.zeros(len(world))
        arrival_s = tasks[Row.ARRIVAL_S] - begin
        here = np.flatnonzero((tasks[Row.WORK] > 0.0) & (arrival_s < self._dt_s))
        if len(here):
            work = tasks[Row.WORK][here]
            resource = tasks[Row.RESOURCE][here].astype(np.intp)
            lines = line_up(world[here] * n_resources + resource, arrival_s[here])
            rows = lines.spread(work)
            rate = now["server_rate"].reshape(-1)[lines.queue]
            served = serve_arrivals(rows, lines.spread(arrival_s[here], np.inf), rate, self._dt_s)
            done.reshape(-1)[lines.queue] = (rows - served.left).sum(axis=1)
            left = lines.collect(served.left)
            energy_j[here] = (work - left) * self._layout.resource_energy[resource]
            tasks[Row.WORK, here] = left
            tasks[Row.REMOTE_END_S, here] = begin[here] + lines.collect(served.end_s) + tasks[Row.AFTER_S][here]
        return done, energy_j


def _sums(index: NDArray[np.intp], values: NDArray[Any], size: int) -> FloatArray:
    return np.bincount(index, values, size)
