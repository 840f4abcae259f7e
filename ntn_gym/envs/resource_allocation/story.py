"""What the pictures of ResourceAllocation tell: one world up to now, sorted out of a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.frame import Frame
from ntn_gym.core.task import Arrays
from ntn_gym.envs.resource_allocation.entry import ENTRY
from ntn_gym.envs.resource_allocation.task import ResourceAllocationTask


@dataclass(frozen=True)
class Story:
    """One world: n slices (index -1 is now) and n - 1 finished steps.

    Attributes:
        task: The decision problem.
        time_s: Time since the beginning of the episode.
        first_s: Time at which the record begins.
        raw: Raw trace [n, ...]: the truth.
        serving: Radio that serves each user now, [U].
        due_mbit: Bits that must be served now or never, [U].
        waiting_mbit: All bits waiting now, [U].
        power_w: Power of each agent in each finished step, [n - 1, A].
        kpis: KPIs of each finished step by name, [n - 1].
        offered_mbit_s: Rate of arrival in each finished step, [n - 1].
        battery_share: Energy over capacity at each slice, [n]; empty without a battery.
        episode_return: Return so far.
    """

    task: ResourceAllocationTask
    time_s: float
    first_s: float
    raw: Arrays
    serving: NDArray[np.int64]
    due_mbit: NDArray[np.float64]
    waiting_mbit: NDArray[np.float64]
    power_w: NDArray[np.float64]
    kpis: dict[str, NDArray[np.float64]]
    offered_mbit_s: NDArray[np.float64]
    battery_share: NDArray[np.float64]
    episode_return: float

    @property
    def title(self) -> str:
        """Environment and preset."""
        return f"{ENTRY.id}   {self.task.scenario.name}"

    @property
    def duration_s(self) -> float:
        """Length of the episode."""
        return self.task.episode_steps * self.task.dt_s

    @property
    def clock(self) -> str:
        """Time since the beginning, or local time where there is a day."""
        if self.task.battery is None:
            return f"t = {self.time_s:g} s of {self.duration_s:g} s"
        minutes = round(float(self.raw["hour"][-1]) * 60)
        past = f"{self.time_s / 3600:.1f} h of {self.duration_s / 3600:g} h"
        return f"{minutes // 60 % 24:02d}:{minutes % 60:02d} local time, {past}"

    @property
    def step_time_s(self) -> NDArray[np.float64]:
        """Time in the middle of each finished step, [n - 1]."""
        return np.asarray(self.first_s + (np.arange(len(self.power_w)) + 0.5) * self.task.dt_s)

    @property
    def dropped_share(self) -> NDArray[np.float64]:
        """Bits dropped in each finished step over the mean offered, all classes, [n - 1]."""
        shares = [one.share * self.kpis[f"dropped_{one.name}"] for one in self.task.scenario.traffic.classes]
        return np.asarray(np.sum(shares, axis=0))

    def radio_name(self, agent: int) -> str:
        """Short name of an agent."""
        constants = self.task.constants
        if agent < constants.n_beams:
            return f"beam {agent}"
        return f"relay {agent - constants.n_beams}" if agent < constants.n_radios else "laser"


def tell(task: ResourceAllocationTask, frame: Frame) -> Story:
    """Sort a frame into a story."""
    # Packing is causal, so the packed history ends with what is known now; earlier chunks are gone with the record.
    _, packed = task.compile(None, {name: array[None] for name, array in frame.raw.items()})
    state = frame.state
    served = np.array([outcome.kpis[0, 0] for outcome in frame.outcomes]).reshape(-1, len(task.kpis))
    arrived, expired = packed["cumulative"][0, -1]
    departed = state.departed_mbit[0]
    if frame.first_step > 0:  # cumulative sums of the record begin later than those of the state
        departed = departed - frame.states[0].departed_mbit[0]
    waiting = np.maximum(arrived - departed, 0.0)
    capacity_j = task.battery.capacity_j if task.battery is not None else 1.0
    return Story(
        task=task,
        time_s=frame.step * task.dt_s,
        first_s=frame.first_step * task.dt_s,
        raw=frame.raw,
        serving=packed["serving"][0, -1],
        due_mbit=np.clip(expired - departed, 0.0, waiting),
        waiting_mbit=waiting,
        power_w=np.array([one.power_w[0] for one in frame.states[1:]], dtype=np.float64).reshape(-1, task.n_agents),
        kpis={kpi.name: served[:, index] for index, kpi in enumerate(task.kpis)},
        offered_mbit_s=frame.raw["arrival_mbit"][:-1].sum(axis=1) / task.dt_s,
        battery_share=np.array([one.energy_j[0] / capacity_j for one in frame.states] if task.battery else []),
        episode_return=frame.episode_return,
    )
