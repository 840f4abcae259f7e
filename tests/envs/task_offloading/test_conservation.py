"""Whatever the devices do: no task, bit or cycle is lost or served twice, and nobody works faster than he can."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntn_gym.core.task import Now
from ntn_gym.envs.task_offloading.state import Row
from ntn_gym.envs.task_offloading.task import TaskOffloadingTask

from .synthetic import CPU_HZ, RATE_BIT_S, kpi, quiet_world, small_task

VARIANTS = {
    "whole": {},
    "split": {"ratios": (0.3, 1.0)},
    "box": {"action": "box"},
    "cloud": {"cloud": "haps", "ratios": (0.5, 1.0)},
}


def random_world(task: TaskOffloadingTask, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Many tasks with deadlines that are often missed, and satellites that come and go."""
    raw = quiet_world(task)
    here = rng.random(raw["task_bit"].shape) < 0.4
    here[:, -task.scenario.tail_steps :] = False
    raw["task_bit"] = here * rng.uniform(0.1e6, 8e6, here.shape)
    raw["task_cycles"] = here * rng.uniform(0.05e9, 3e9, here.shape)
    raw["task_deadline_s"] = here * rng.uniform(0.3, 4.0, here.shape)
    leo = 1 + np.cumsum(rng.random(raw["pass_number"].shape) < 0.1, axis=1)
    raw["visible"][..., 1] = leo % 3 > 0
    raw["pass_number"] = np.where(leo % 3 > 0, leo, -1).astype(np.int32)
    raw["background"] = rng.uniform(0.0, 0.9, raw["background"].shape)
    raw["cn0_dbhz"] = rng.uniform(55.0, 90.0, raw["cn0_dbhz"].shape).astype(np.float32)
    return raw


@pytest.mark.parametrize("variant", VARIANTS)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_nothing_is_lost(variant: str, seed: int) -> None:
    task = small_task(devices={"count": 3}, **VARIANTS[variant])
    rng = np.random.default_rng(seed)
    arrays = task.compile(None, random_world(task, rng))[1]
    scenario, dt = task.scenario, task.dt_s
    kappa = scenario.devices.capacitance
    at = [Now(arrays, np.arange(1), np.array([step])) for step in range(task.episode_steps)]
    state, arrived, ended, outcomes = task.initial(at[0]), 0, 0, []
    for now in at:
        if variant == "box":
            action = rng.uniform(-1, 1, (1, 3, task.n_servers + 1)).astype(np.float32)
        else:
            action = rng.integers(task.n_options, size=(1, 3))
        before = state
        state, outcome = task.step(state, action, now)
        outcomes.append(outcome)
        # Tasks by device and place; those that arrive stand last.
        bit, cycles = now["task"][0, 0], now["task"][0, 1]
        old, new = before.tasks[0], state.tasks[0]
        arrived += int((bit > 0).sum())
        ended += int(sum(kpi(task, [outcome], "tasks").ravel()))
        assert arrived == ended + state.on_way.sum() == ended + (new[..., Row.DUE_S] > 0).sum()
        # What was there at the beginning of the slot, and what is left of it, whether or not the task goes on.
        target = new[:, -1, Row.TARGET].astype(int)
        cloud = target == len(scenario.nodes) + 1
        share = np.where(target > 0, admitted_share(task, action, now), 0.0)
        first = np.where((bit > 0)[:, None], np.stack([cycles - share * cycles, share * bit], -1), 0.0)
        work_first = np.where(bit > 0, share * np.where(cloud, bit, cycles), 0.0)
        alive = np.concatenate([old[:, 1:, Row.DUE_S] > 0, (bit > 0)[:, None]], axis=1)
        was = np.concatenate([old[:, 1:, Row.CYCLES : Row.BITS + 1], first[:, None]], axis=1) * alive[..., None]
        work_was = np.concatenate([old[:, 1:, Row.WORK], work_first[:, None]], axis=1) * alive
        done = was - new[..., Row.CYCLES : Row.BITS + 1] * alive[..., None]
        work_done = work_was - new[..., Row.WORK] * alive
        assert (done >= -1e-6).all() and (work_done >= -1e-6).all()
        # Energy says how much was computed, here and there.
        computed = done[..., 0].sum(axis=1)
        frequency = now["cpu_hz"][0]
        assert (computed <= frequency * dt * (1 + 1e-12)).all()
        # A processor that leaves work behind was never idle.
        assert (np.isclose(computed, frequency * dt) | np.isclose(computed, was[..., 0].sum(axis=1))).all()
        energy = kpi(task, [outcome], "device_energy_j").ravel() - kappa * frequency**2 * computed
        on_air = energy / scenario.devices.transmit_power_w
        assert (on_air >= -1e-9).all() and (on_air <= len(scenario.nodes) * dt * (1 + 1e-9)).all()
        sent = done[..., 1].sum(axis=1)
        assert (sent <= on_air * RATE_BIT_S * (1 + 1e-9) + 1e-6).all()
        assert ((sent > 1e-6) <= (on_air > 0)).all()
        places = new[..., Row.RESOURCE].astype(int)
        for resource, rate in enumerate(now["server_rate"][0]):
            assert work_done[places == resource].sum() <= rate * dt * (1 + 1e-9) + 1e-3
        # Nothing is served before all of it has been sent.
        assert (work_done[new[..., Row.BITS] > 0] == 0).all()
        of_server = np.array([scenario.node(scenario.nodes[n]).server for n in task.plant.resource_node])
        joule = sum(
            work_done[places == r].sum() * of_server[r].capacitance * CPU_HZ[scenario.nodes[n]] ** 2
            for r, n in enumerate(task.plant.resource_node)
            if r != task.plant.feeder
        )
        assert kpi(task, [outcome], "server_energy_j").sum() == pytest.approx(joule, rel=1e-6, abs=1e-6)
    assert arrived == ended
    assert state.on_way.sum() == state.waiting.sum() == state.backlog.sum() == 0
    assert kpi(task, outcomes, "completed").sum() + kpi(task, outcomes, "dropped").sum() == arrived


def admitted_share(task: TaskOffloadingTask, action: np.ndarray, now: Now) -> np.ndarray:
    """Offloaded share by the rules of the page."""
    usable = now["usable"][0]
    if task.scenario.action == "box":
        ratio = np.round(50.0 * (1.0 + action[0, :, -1].astype(float))) / 100.0
        return np.where(usable[1:].any(), ratio, 0.0)
    chosen = np.where(usable[action[0]] & (now["task"][0, 0] > 0), action[0], 0)
    return np.array([0.0, *list(task.scenario.ratios) * task.n_servers])[chosen]
