"""What a picture of TaskOffloading tells: one world up to now, in plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.frame import Frame
from ntn_gym.core.task import Arrays
from ntn_gym.envs.task_offloading.state import Row

if TYPE_CHECKING:
    from ntn_gym.envs.task_offloading.task import TaskOffloadingTask

FloatArray = NDArray[Any]
NAMES = {"device": "device", "ground": "base station", "haps": "platform", "leo": "satellite", "cloud": "cloud"}


@dataclass(frozen=True)
class Story:
    """One world, told.

    Attributes:
        task: The decision problem.
        title: Environment and preset.
        raw: Raw trace from the first step of the record to the current one.
        time_s: Time of every state, [n].
        targets: Names of the targets in the order of all arrays.
        visible: Whether each target can be reached now, [targets].
        to: Target of the tasks on their way by device, the newest one's; -1 without any, [U].
        new: Devices with a task that waits for a decision now, [U].
        on_way: Tasks on their way by target, [targets].
        waits_s: Work that waits in front of each target, as time, [n, targets]; of the devices the longest.
        sending: Devices that transmitted to each node in the last slot, [nodes].
        completed: Tasks completed by step, [n - 1].
        dropped: Tasks expired by step, [n - 1].
        costs: Reward terms so far by name, weighted, positive, per device, [n - 1].
        delay_s: Mean delay of the completed tasks.
        episode_return: As the frame says.
    """

    task: TaskOffloadingTask
    title: str
    raw: Arrays
    time_s: FloatArray
    targets: tuple[str, ...]
    visible: NDArray[np.bool_]
    to: NDArray[np.intp]
    new: NDArray[np.bool_]
    on_way: NDArray[np.intp]
    waits_s: FloatArray
    sending: FloatArray
    completed: FloatArray
    dropped: FloatArray
    costs: dict[str, FloatArray]
    delay_s: float
    episode_return: float


def tell(task: TaskOffloadingTask, frame: Frame) -> Story:
    """Gather what a picture needs."""
    scenario, plant, raw = task.scenario, task.plant, frame.raw
    names = {**NAMES, "ground": "UAV"} if scenario.ground is not None and scenario.ground.kind == "uav" else NAMES
    n = len(frame.states)
    table = frame.state.tasks[0]
    alive = table[..., Row.DUE_S] > 0.0
    # The newest task stands last.
    newest = table.shape[1] - 1 - np.argmax(alive[:, ::-1], axis=1)
    target = table[..., Row.TARGET].astype(np.intp)
    to = np.where(alive.any(axis=1), target[np.arange(len(target)), newest], -1)
    shape = (n - 1, task.n_agents)
    kpis = np.array([outcome.kpis[0] for outcome in frame.outcomes]).reshape(*shape, len(task.kpis))
    terms = np.array([outcome.reward_terms[0] for outcome in frame.outcomes]).reshape(*shape, len(task.reward_terms))
    index = {spec.name: i for i, spec in enumerate(task.kpis)}
    delay = kpis[..., index["delay_s"]].sum()
    completed = kpis[..., index["completed"]].sum(axis=1)
    visible = raw["visible"][-1][np.maximum(plant.target_node, 0)]
    return Story(
        task=task,
        title=f"TaskOffloading: {scenario.name}",
        raw=raw,
        time_s=(frame.first_step + np.arange(n)) * task.dt_s,
        targets=tuple(names[name] for name in scenario.targets),
        visible=np.where(plant.target_node < 0, True, visible),
        to=to,
        new=raw["task_bit"][-1] > 0.0,
        on_way=np.bincount(target[alive], minlength=len(scenario.targets)),
        waits_s=np.array(
            [_waits_s(task, state.backlog[0], state.waiting[0], raw["cpu_hz"][-1]) for state in frame.states]
        ),
        sending=frame.state.sharing[0],
        completed=completed,
        dropped=kpis[..., index["dropped"]].sum(axis=1),
        costs={
            spec.name: -spec.weight * terms[..., i].mean(axis=1).cumsum() for i, spec in enumerate(task.reward_terms)
        },
        delay_s=float(delay / max(completed.sum(), 1.0)),
        episode_return=frame.episode_return,
    )


def _waits_s(task: TaskOffloadingTask, backlog: FloatArray, waiting: FloatArray, cpu_hz: FloatArray) -> FloatArray:
    """Work in front of each target over its full speed, [targets]; the servers of low orbit count together."""
    plant = task.plant
    wait = backlog / plant.resource_rate
    by_target = np.zeros(len(plant.target_node))
    by_target[0] = (waiting[:, 0] / cpu_hz).max()
    for resource, node in enumerate(plant.resource_node):
        by_target[len(by_target) - 1 if resource == plant.feeder else node + 1] += wait[resource]
    return by_target
