"""What no policy can beat: a time-indexed linear program with the whole future known.

Fractions z[i, r, k] of task i are computed at resource r (its own device, a server, the cloud's feeder) in bin k;
what is left is dropped. Capacities of devices, servers and feeder hold in every bin. A task that is computed whole at
one place, at speed at most f, ends no earlier than its mean busy time plus half of its service time C/f (M. E. Dyer
and L. A. Wolsey, "Formulating the single machine sequencing problem with release dates as a mixed integer program",
Discrete Applied Mathematics 26, 1990); bins count with their beginning. Relaxed are the uplinks: each task is sent at
once, at the rate that its device would have alone at the best instant of its life. (Variables for what is sent when,
with the bands' concave capacity, were tried: in the default preset they change the value by less than 0.1 %.) Where
tasks may be split, the half service time and the time of the upload are left out as well, because a part may be
arbitrarily small.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array

from ntn_gym.core.bound import BoundResult
from ntn_gym.core.task import Arrays
from ntn_gym.envs.task_offloading.packing import uplink_rate_bit_s
from ntn_gym.envs.task_offloading.task import TaskOffloadingTask

Floats = NDArray[np.float64]
VARIABLES = 90_000
"""Bins are so fine that the program has about so many variables (half a second to solve) ..."""
BINS_PER_SLOT = 64
"""... but no finer than this."""
SLACK = 1e-6
"""Relative tolerance of the solver, given away."""


def bound(task: TaskOffloadingTask, arrays: Arrays) -> BoundResult:
    """Return the highest return any policy could reach, see above; a relaxation, hence without actions.

    Args:
        task: The task.
        arrays: Packed arrays [B, T + 1, ...] of whole episodes from their first step.

    Raises:
        ValueError: If the arrays are not whole episodes of this task.
    """
    expected = (task.episode_steps + 1, 3, task.n_agents)
    if arrays["task"].shape[1:] != expected:
        raise ValueError(f"task has shape {list(arrays['task'].shape)}, expected [worlds, {str(list(expected))[1:]}")
    values = [-_least_cost(_World(task, arrays, world)) / task.n_agents for world in range(len(arrays["task"]))]
    # Both are bounds. In a world of few tasks the bins of the program can cost more than contention does.
    return BoundResult(np.minimum(np.array(values), contention_free(task, arrays)))


def contention_free(task: TaskOffloadingTask, arrays: Arrays) -> Floats:
    """Return the bound in which no task is in the way of another, [B]: looser, printed for comparison."""
    worlds = (_World(task, arrays, world) for world in range(len(arrays["task"])))
    return np.array([-np.minimum(w.best_cost(), w.drop_cost).sum() / task.n_agents for w in worlds])


class _World:
    """The tasks of one world, and what each costs at each resource at best; arrays [tasks, resources]."""

    def __init__(self, task: TaskOffloadingTask, arrays: Arrays, world: int) -> None:
        scenario, layout = task.scenario, task.plant
        n_nodes = len(scenario.nodes)
        self.n_devices, self.dt_s, self.steps = task.n_agents, scenario.dt_s, task.episode_steps
        self.splits = scenario.action == "box" or any(ratio < 1.0 for ratio in scenario.ratios)
        self.drop_cost = scenario.reward.drop_cost
        born_step, device = np.nonzero(arrays["task"][world, : self.steps, 0])
        bit, cycles, deadline_s = arrays["task"][world, born_step, :, device].T
        self.device, self.born_s, self.deadline_s = device, born_step * scenario.dt_s, deadline_s
        life = int(np.ceil(scenario.tasks.deadline_max_s / scenario.dt_s)) + 1

        def best_of_life(series: Floats) -> Floats:
            """Largest value of a series [T + 1, ...] during the life of each task."""
            padded = np.concatenate([series, np.repeat(series[-1:], life, axis=0)])
            return np.lib.stride_tricks.sliding_window_view(padded, life, axis=0).max(axis=-1)

        alone = uplink_rate_bit_s(arrays["density_hz"][world], np.ones(n_nodes), layout)
        alone = np.where(arrays["open"][world][:, None, 1 : n_nodes + 1], alone, 0.0)
        rate = best_of_life(alone)[born_step, device]  # [tasks, A]
        servers = arrays["server_rate"][world]
        speed = best_of_life(servers)[born_step]  # [tasks, R]
        delay_s = -best_of_life(-arrays["way_s"][world][:, 1 : n_nodes + 1])[born_step]

        frequency = arrays["cpu_hz"][world, born_step, device]
        n_tasks, n_places = len(device), 1 + n_nodes + (scenario.cloud is not None)
        self.work = np.zeros((n_tasks, n_places))
        self.release_s, self.after_s, self.energy_cost, self.service_s = (
            np.zeros((n_tasks, n_places)) for _ in range(4)
        )
        self.possible = np.ones((n_tasks, n_places), dtype=np.bool_)
        prices = scenario.reward
        self.work[:, 0], self.service_s[:, 0] = cycles, cycles / frequency
        self.energy_cost[:, 0] = prices.device_energy_per_j * scenario.devices.capacitance * frequency**2 * cycles
        with np.errstate(divide="ignore"):
            for place in range(1, n_places):
                is_cloud = place == n_nodes + 1
                node = int(layout.resource_node[layout.feeder]) if is_cloud else place - 1
                server = layout.feeder if is_cloud else int(layout.first_resource[node])
                work = bit if is_cloud else cycles
                sent_s = bit / rate[:, node]
                self.possible[:, place] = rate[:, node] > 0.0
                self.work[:, place] = work
                self.service_s[:, place] = work / speed[:, server]
                self.release_s[:, place] = delay_s[:, node] + (0.0 if self.splits else sent_s)
                result_s = scenario.tasks.result_share * bit / layout.result_rate_bit_s[node]
                self.after_s[:, place] = delay_s[:, node] + (0.0 if self.splits else result_s)
                if is_cloud and scenario.cloud is not None:
                    computing = 0.0 if self.splits else cycles / scenario.cloud.cpu_hz
                    self.after_s[:, place] += 2.0 * (delay_s[:, node] + scenario.cloud.network_delay_s) + computing
                self.energy_cost[:, place] = (
                    prices.device_energy_per_j * scenario.devices.transmit_power_w * sent_s
                    + prices.server_energy_per_j * layout.resource_energy[server] * work
                )
        self.capacity = _capacities(task, arrays, world)
        self.frequency = arrays["cpu_hz"][world]

    def best_cost(self) -> Floats:
        """Least cost of each task if it had every resource for itself, [tasks]."""
        service = 0.0 if self.splits else self.service_s
        delay = self.release_s + service + self.after_s
        fits = self.possible & (delay <= self.deadline_s[:, None])
        cost = np.where(fits, delay / self.deadline_s[:, None] + self.energy_cost, np.inf)
        return cost.min(axis=1, initial=np.inf)


def _capacities(task: TaskOffloadingTask, arrays: Arrays, world: int) -> Floats:
    """Work per second that each server (and the feeder) can do in every slot, [T + 1, places - 1].

    For a while after a satellite has set, its server still works for those whose upload it has got: then both count.
    """
    layout, scenario = task.plant, task.scenario
    rate = arrays["server_rate"][world]
    columns = [rate[:, layout.first_resource[i]].copy() for i in range(len(scenario.nodes))]
    if "leo" in scenario.nodes:
        i = scenario.nodes.index("leo")
        server = arrays["resource"][world, :, i + 1]
        slots = int(np.ceil(scenario.tasks.deadline_max_s / scenario.dt_s)) + 1
        changed = np.flatnonzero(np.diff(server, prepend=server[:1]))
        for begin in changed:
            columns[i][begin : begin + slots] += rate[begin : begin + slots, layout.first_resource[i] + 1]
    if layout.feeder >= 0:
        columns.append(rate[:, layout.feeder].copy())
    return np.stack(columns, axis=1)


def _least_cost(world: _World) -> float:
    """Least total cost of the linear program."""
    n_tasks, n_places = world.work.shape
    if n_tasks == 0:
        return 0.0
    # A bin counts with its beginning, so the finer the tighter.
    slots = n_places * float(world.deadline_s.sum()) / world.dt_s
    bins_per_slot = min(max(1, round(VARIABLES / slots)), BINS_PER_SLOT)
    width_s = world.dt_s / bins_per_slot
    n_bins = int(np.ceil((world.born_s + world.deadline_s).max() / width_s)) + 1
    # All (task, place, bin) in which something can be done: from the release to the end of what is useful.
    first = np.floor((world.born_s[:, None] + world.release_s) / width_s + 1e-9)
    last = np.ceil((world.born_s[:, None] + world.deadline_s[:, None] - world.after_s) / width_s - 1e-9)
    usable = world.possible & (world.release_s + world.after_s < world.deadline_s[:, None])
    count = np.where(usable, np.maximum(last - np.where(usable, first, 0.0), 0.0), 0.0).astype(np.intp).ravel()
    owner = np.repeat(np.arange(count.size), count)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    i, r = np.divmod(owner, n_places)
    k = np.where(usable, first, 0.0).astype(np.intp).ravel()[owner] + offset
    begins_s = np.maximum(k * width_s, world.born_s[i] + world.release_s[i, r]) - world.born_s[i]
    half = 0.0 if world.splits else 0.5 * world.service_s[i, r]
    cost = (begins_s + half + world.after_s[i, r]) / world.deadline_s[i] + world.energy_cost[i, r]
    slot = np.minimum(k // bins_per_slot, len(world.capacity) - 1)
    # One row per (device, bin) and per (server, bin).
    row = np.where(r == 0, world.device[i] * n_bins + k, (world.n_devices + r - 1) * n_bins + k)
    limit = np.where(r == 0, world.frequency[slot, world.device[i]], world.capacity[slot, np.maximum(r - 1, 0)])
    n_variables = len(cost) + n_tasks
    numbers = np.arange(n_variables)
    whole = coo_array(
        (np.ones(n_variables), (np.concatenate([i, np.arange(n_tasks)]), numbers)), shape=(n_tasks, n_variables)
    )
    rows, place = np.unique(row, return_inverse=True)
    load = coo_array((world.work[i, r] / limit, (place, numbers[: len(cost)])), shape=(len(rows), n_variables))
    found = linprog(
        np.concatenate([cost, np.full(n_tasks, world.drop_cost)]),
        A_ub=load.tocsr(),
        b_ub=np.full(len(rows), width_s),
        A_eq=whole.tocsr(),
        b_eq=np.ones(n_tasks),
        bounds=(0.0, 1.0),
        method="highs",
    )
    if not found.success:
        raise ValueError(f"the linear program of the bound was not solved: {found.message}")
    return float(found.fun) * (1.0 - SLACK)
