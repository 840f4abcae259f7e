"""Hand-made worlds: everything is constant and perfect unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ntn_gym.core.task import Arrays, Now, Outcome
from ntn_gym.envs.task_offloading.scenario import Scenario
from ntn_gym.envs.task_offloading.state import State
from ntn_gym.envs.task_offloading.task import TaskOffloadingTask

RATE_BIT_S = 20e6
"""5 MHz at the cap of 4 bit/s/Hz, which every link of these worlds reaches."""
DELAY_S = {"ground": 1e-6, "haps": 1e-4, "leo": 4e-3}
CPU_HZ = {"ground": 4e9, "haps": 8e9, "leo": 12e9}


def small_task(nodes: Sequence[str] = ("haps", "leo"), cloud: str | None = None, **parts: Any) -> TaskOffloadingTask:
    """A task with servers that nobody else uses; its own world is never drawn."""

    def node(name: str) -> dict[str, Any]:
        uplink = {"bandwidth_hz": 5e6, "gt_db_k": 0.0, "isolation_db": 60.0, "efficiency_cap_bit_s_hz": 4.0}
        return {"uplink": uplink, "server": {"cpu_hz": CPU_HZ[name], "background_low": 0, "background_high": 0}}

    values: dict[str, Any] = {"steps": 40, "dt_s": 0.5, **{name: node(name) for name in nodes}, **parts}
    values["devices"] = {"count": 1, **parts.get("devices", {})}
    if cloud is not None:
        values["cloud"] = {"behind": cloud, "feeder_rate_bit_s": 50e6, "feeder_busy_share": 0.3, "cpu_hz": 40e9}
    return TaskOffloadingTask(Scenario(**values))


def quiet_world(task: TaskOffloadingTask, n_worlds: int = 1) -> Arrays:
    """A raw trace without any task: perfect links, nobody else on the servers, one satellite for ever."""
    scenario = task.scenario
    shape = (n_worlds, scenario.steps + 1)
    users, nodes = (*shape, scenario.devices.count), (*shape, len(scenario.nodes))
    links = (*users, len(scenario.nodes))
    return {
        **{name: np.zeros(users) for name in ("task_bit", "task_cycles", "task_deadline_s", "east_m", "north_m")},
        "cpu_hz": np.full(users, 1e9),
        "cn0_dbhz": np.full(links, 150.0, dtype=np.float32),
        "error_db": np.zeros(links, dtype=np.float32),
        "visible": np.ones(nodes, dtype=np.bool_),
        "pass_number": np.zeros(shape, dtype=np.int32),
        "remaining_s": np.full(shape, 600.0, dtype=np.float32),
        "delay_s": np.broadcast_to([DELAY_S[name] for name in scenario.nodes], nodes).copy(),
        "background": np.zeros(nodes),
        "los": np.ones(links, dtype=np.bool_),
        "azimuth_deg": np.zeros(nodes, dtype=np.float32),
        "elevation_deg": np.full(nodes, 60.0, dtype=np.float32),
    }


def add(raw: Arrays, step: int, bit: float, cycles: float, deadline_s: float = 4.0, device: int = 0) -> None:
    """Let a task arrive in every world."""
    for name, value in (("task_bit", bit), ("task_cycles", cycles), ("task_deadline_s", deadline_s)):
        raw[name][:, step, device] = value


def play(
    task: TaskOffloadingTask,
    raw: Arrays,
    decide: Callable[[int, State, Now], Any],
    n_steps: int | None = None,
) -> tuple[list[State], list[Outcome]]:
    """Play all worlds from the beginning; ``decide(step, state, now)`` gives the actions [B, U, ...]."""
    arrays = task.compile(None, raw)[1]
    n_worlds = len(raw["background"])
    rows = np.arange(n_worlds)
    state = task.initial(Now(arrays, rows, np.zeros(n_worlds, dtype=np.intp)))
    states, outcomes = [state], []
    for step in range(task.episode_steps if n_steps is None else n_steps):
        now = Now(arrays, rows, np.full(n_worlds, step))
        action = np.broadcast_to(decide(step, state, now), (n_worlds, task.n_agents, *task.agent_action_space.shape))
        state, outcome = task.step(state, action, now)
        states.append(state)
        outcomes.append(outcome)
    return states, outcomes


def always(option: Any) -> Callable[[int, State, Now], Any]:
    """Every new task goes to the same option (options of devices: give a list)."""

    def decide(step: int, state: State, now: Now) -> Any:
        here = now["task"][:, 0] > 0.0
        return np.where(here, option, 0)

    return decide


def kpi(task: TaskOffloadingTask, outcomes: Sequence[Outcome], name: str) -> np.ndarray:
    """A KPI by step, [T, B, U]."""
    index = [spec.name for spec in task.kpis].index(name)
    return np.array([outcome.kpis[..., index] for outcome in outcomes])


def returns(task: TaskOffloadingTask, outcomes: Sequence[Outcome]) -> np.ndarray:
    """Return of every world: sum over steps of the mean over devices, [B]."""
    weights = np.array([term.weight for term in task.reward_terms])
    return sum((outcome.reward_terms @ weights).mean(axis=-1) for outcome in outcomes)
