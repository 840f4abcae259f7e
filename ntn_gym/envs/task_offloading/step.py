"""One slot of the life of all tasks: start, compute, transmit, serve, end."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now
from ntn_gym.envs.task_offloading.packing import Plant, uplink_rate_bit_s
from ntn_gym.envs.task_offloading.queues import Line, line_up, serve_arrivals, serve_in_order
from ntn_gym.envs.task_offloading.scenario import Scenario
from ntn_gym.envs.task_offloading.state import N_ROWS, Row, State

FloatArray = NDArray[Any]


class Choice(NamedTuple):
    """What the devices decided: target and offloaded share, each [B, U]; the share is 0 for the device itself."""

    target: NDArray[np.intp]
    ratio: FloatArray


class Slot(NamedTuple):
    """What happened.

    Attributes:
        ended: Sums for each device, `ENDED` in order, [6, B, U].
        device_energy_j: Energy of computing and transmitting on the device, [B, U].
        busy: Share of the slot in which each server worked, [B, R].
    """

    ended: FloatArray
    device_energy_j: FloatArray
    busy: FloatArray


ENDED = ("completed", "dropped", "delay_s", "cost", "server_energy_j", "on_way")
"""Tasks completed in time, tasks expired, delays of the completed, their delay over deadline, energy that servers
spent, and tasks that go on."""


class _Living(NamedTuple):
    """The living tasks of all worlds as a list.

    Attributes:
        tasks: Their numbers, [N_ROWS, n].
        device: Device over all worlds, [n].
        place: Place in the table of the device, [n].
        world: World, [n].
        begin_s: When the slot begins in that world, [n].
        queue: Queue of the local and of the remote part, one after the other, over all devices, [2, n].
    """

    tasks: FloatArray
    device: NDArray[np.intp]
    place: NDArray[np.intp]
    world: NDArray[np.intp]
    begin_s: FloatArray
    queue: NDArray[np.intp]


class SlotMachine:
    """Steps the tasks of a scenario.

    Few of the places of the table hold a task, so most runs on the list of living tasks of all worlds. Sums are
    taken per device or server in the order of the list, hence they do not depend on the other worlds.
    """

    def __init__(self, scenario: Scenario, layout: Plant) -> None:
        """Keep the constants."""
        self._dt_s = scenario.dt_s
        self._layout = layout
        self._devices = scenario.devices
        self._has_cloud = scenario.cloud is not None
        self._n_nodes = len(scenario.nodes)
        self._n_resources = len(layout.resource_node)
        self._parts = np.arange(len(ENDED))[:, None]

    def step(self, state: State, choice: Choice, now: Now) -> tuple[State, Slot]:
        """Live through one slot."""
        table = self._admit(state.tasks, choice, now)
        n_worlds, n_devices, n_kept, _ = table.shape
        n_all, n_queues = n_worlds * n_devices, self._n_nodes + 1
        places = table.reshape(-1, N_ROWS)
        (living,) = places[:, Row.DUE_S].nonzero()
        tasks = np.ascontiguousarray(places[living].T)
        device, place = np.divmod(living, n_kept)
        world = device // n_devices
        target = tasks[Row.TARGET].astype(np.intp)
        queue = np.empty((2, len(living)), dtype=np.intp)
        np.multiply(device, n_queues, out=queue[0])
        np.add(queue[0], self._layout.target_node[target] + 1, out=queue[1])
        at = world * len(self._layout.target_node) + target
        list_ = _Living(tasks, device, place, world, now["time_s"][world], queue)

        sharing, device_energy_j = self._work_on_devices(list_, at, n_kept, now)
        line, left, work_done, server_energy_j = self._serve(list_, now)

        done_s = np.maximum(tasks[Row.LOCAL_END_S], tasks[Row.REMOTE_END_S])
        end = list_.begin_s + self._dt_s
        due, born = tasks[Row.DUE_S], tasks[Row.BORN_S]
        completed = done_s <= np.minimum(end, due)
        goes_on = ~completed & (due > end)
        ended = np.zeros((len(ENDED), len(living)))
        ended[0] = completed
        ended[1] = ~(completed | goes_on)
        np.subtract(done_s, born, out=ended[2], where=completed)
        np.divide(ended[2], due - born, out=ended[3])
        ended[4] = server_energy_j
        ended[5] = goes_on
        sums = np.bincount((device + self._parts * n_all).ravel(), ended.ravel(), len(ENDED) * n_all)
        sums = sums.reshape(len(ENDED), n_worlds, n_devices)
        newest_s = state.newest_s.copy()
        np.maximum.at(newest_s.reshape(-1), device, born * completed)
        # What has ended leaves all queues.
        due *= goes_on
        places[living] = tasks.T
        waiting = np.bincount(
            queue.ravel(), (tasks[Row.CYCLES : Row.BITS + 1] * goes_on).ravel(), n_all * n_queues
        ).reshape(n_worlds, n_devices, n_queues)
        backlog = np.bincount(line.queue, left * goes_on[line.order], n_worlds * self._n_resources)
        last = np.where(now["task"][:, 0] > 0.0, choice.target, state.last_target)
        after = State(table, last, newest_s, waiting, sums[5], backlog.reshape(n_worlds, -1), sharing)
        return after, Slot(sums, device_energy_j, work_done / (now["server_rate"] * self._dt_s))

    def _admit(self, before: FloatArray, choice: Choice, now: Now) -> FloatArray:
        """Copy the table with the tasks of this slot at the end; those at the beginning ended long ago."""
        layout = self._layout
        table = np.empty_like(before)
        table[:, :, :-1] = before[:, :, 1:]
        new = table[:, :, -1]
        task = now["task"]
        bit, cycles = task[:, 0], task[:, 1]
        target, ratio = choice
        begin = now["time_s"][:, None]
        offloaded, remote = ratio * bit, ratio * cycles
        targets = now["return_s"]
        return_s = targets.take(target + np.arange(0, targets.size, targets.shape[1])[:, None])
        new[..., Row.DUE_S] = now["due_s"]
        new[..., Row.BORN_S] = begin
        new[..., Row.TARGET] = target
        new[..., Row.RESOURCE] = 0.0
        new[..., Row.CYCLES] = cycles - remote
        new[..., Row.BITS] = offloaded
        new[..., Row.ARRIVAL_S] = np.inf
        new[..., Row.WORK] = np.where(target == self._n_nodes + 1, offloaded, remote) if self._has_cloud else remote
        # A part that does not exist is done at once.
        new[..., Row.LOCAL_END_S] = np.where(ratio < 1.0, np.inf, begin)
        new[..., Row.REMOTE_END_S] = np.where(ratio > 0.0, np.inf, begin)
        after_s = return_s + offloaded * layout.target_result_s_bit[target]
        new[..., Row.AFTER_S] = after_s + remote * layout.target_after_s_cycle[target]
        return table

    def _work_on_devices(
        self, living: _Living, at: NDArray[np.intp], n_kept: int, now: Now
    ) -> tuple[FloatArray, FloatArray]:
        """Compute and send; return the devices on each node's band [B, A] and the energy of each device [B, U].

        Args:
            living: The tasks.
            at: World and target of each, as index into what is known by target.
            n_kept: Places in the table of a device.
            now: Current slice.
        """
        tasks, n = living.tasks, len(living.device)
        frequency = now["cpu_hz"]
        n_worlds, n_devices = frequency.shape
        left = tasks[Row.CYCLES : Row.BITS + 1]
        work = left.copy()
        # Nobody sends to a satellite that has set: the work waits for the next one.
        work[1] *= now["open"].take(at)
        sends = work[1] > 0.0
        (piece,) = work.reshape(-1).nonzero()
        amount, queue = work.take(piece), living.queue.take(piece)
        # Tasks stand in the order of their arrival, and empty places of a row do no harm.
        place = living.place[piece % max(n, 1)]
        rows = np.zeros((n_worlds * n_devices * (self._n_nodes + 1), n_kept))
        rows[queue, place] = amount
        until = rows.cumsum(axis=1, out=rows)
        total = until[:, -1].reshape(n_worlds, n_devices, self._n_nodes + 1)
        sharing = np.add.reduce(total[..., 1:] > 0.0, axis=1, dtype=np.float64)
        speed = np.empty(total.shape)
        speed[..., 0] = frequency
        speed[..., 1:] = uplink_rate_bit_s(now["density_hz"], np.maximum(sharing, 1.0)[:, None], self._layout)
        busy_s = np.minimum(total / speed, self._dt_s)
        power_w = self._devices.capacitance * frequency * frequency * frequency
        energy_j = power_w * busy_s[..., 0]
        energy_j += self._devices.transmit_power_w * np.add.reduce(busy_s[..., 1:], axis=-1)

        served = serve_in_order(until[queue, place], amount, speed.take(queue), self._dt_s)
        left.reshape(-1)[piece] = served.left
        begin = np.empty((2, n))
        begin[0] = living.begin_s
        np.add(living.begin_s, now["way_s"].take(at), out=begin[1])
        tasks[Row.LOCAL_END_S : Row.ARRIVAL_S + 1].reshape(-1)[piece] = begin.take(piece) + served.end_s
        # Which satellite it reaches shows when the upload ends.
        np.copyto(tasks[Row.RESOURCE], now["resource"].take(at), where=sends)
        return sharing, energy_j

    def _serve(self, living: _Living, now: Now) -> tuple[Line, FloatArray, FloatArray, FloatArray]:
        """Serve at the servers.

        Returns:
            The tasks that were there in line, what is left of each, the work done by each server [B, R], and the
            energy for each living task.
        """
        tasks, rates = living.tasks, now["server_rate"]
        arrival_s = tasks[Row.ARRIVAL_S] - living.begin_s
        (here,) = ((tasks[Row.WORK] > 0.0) & (arrival_s < self._dt_s)).nonzero()
        resource = tasks[Row.RESOURCE, here].astype(np.intp)
        line = line_up(living.world[here] * self._n_resources + resource, arrival_s[here])
        here = here[line.order]
        cell = line.queue, line.column
        work, begin = tasks[Row.WORK, here], living.begin_s[here]
        shape = (rates.size, int(np.maximum.reduce(line.column, initial=0)) + 1)
        works, arrivals = np.zeros(shape), np.full(shape, np.inf)
        works[cell], arrivals[cell] = work, arrival_s[here]
        served = serve_arrivals(works, arrivals, rates.reshape(-1), self._dt_s)
        left = served.left[cell]
        done = work - left
        tasks[Row.WORK, here] = left
        tasks[Row.REMOTE_END_S, here] = begin + served.end_s[cell] + tasks[Row.AFTER_S, here]
        energy_j = np.zeros(len(living.device))
        energy_j[here] = done * self._layout.resource_energy.take(line.queue % self._n_resources)
        done_by_server = np.bincount(line.queue, done, rates.size).reshape(rates.shape)
        return Line(here, line.queue, line.column), left, done_by_server, energy_j
