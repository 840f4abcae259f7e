"""What the pictures of MultiConnectivity tell: one world up to now, sorted out of a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.frame import Frame
from ntn_gym.core.task import Arrays, Now
from ntn_gym.envs.multi_connectivity.entry import ENTRY
from ntn_gym.envs.multi_connectivity.observation import View

if TYPE_CHECKING:
    from ntn_gym.envs.multi_connectivity.task import MultiConnectivityTask

MODES = ("no link", "sky only", "station only", "sky and station")


@dataclass(frozen=True)
class Story:
    """One world: n slices (index -1 is now) and n - 1 finished steps.

    Attributes:
        task: The decision problem.
        time_s: Time since the beginning of the episode.
        first_s: Time at which the record begins.
        raw: Raw trace [n, ...]: the truth.
        view: What the users know now, read back from the observation [1, U, ...].
        linked: Slots with a link after each finished step, [n - 1, U, K].
        mode: Index into `MODES` after each finished step, [n - 1, U].
        kpis: KPIs by name, [n - 1, U].
        users_of_node: Users linked to each node after the last step, [N].
        episode_return: Return so far.
    """

    task: MultiConnectivityTask
    time_s: float
    first_s: float
    raw: Arrays
    view: View
    linked: NDArray[np.bool_]
    mode: NDArray[np.int64]
    kpis: dict[str, NDArray[np.float64]]
    users_of_node: NDArray[np.int64]
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
    def step_time_s(self) -> NDArray[np.float64]:
        """Time in the middle of each finished step, [n - 1]."""
        return np.asarray(self.first_s + (np.arange(len(self.mode)) + 0.5) * self.task.dt_s)

    @property
    def now_linked(self) -> NDArray[np.bool_]:
        """Links that still stand now, [U, K]."""
        linked = np.zeros((self.task.n_agents, self.task.n_slots), dtype=bool)
        if len(self.linked):
            linked = self.linked[-1] & ~self.raw["new_node"][-1] & (self.raw["node"][-1] >= 0)
        return linked


def tell(task: MultiConnectivityTask, frame: Frame) -> Story:
    """Sort a frame of MultiConnectivity into a story."""
    n_modes, n_slots = len(task.scenario.modes), task.n_slots
    ports = (
        np.stack([state.linked[0] for state in frame.states[1:]])
        if len(frame.states) > 1
        else np.zeros((0, task.n_agents, task.sets.n_ports), dtype=bool)
    )
    linked = ports.reshape(len(ports), task.n_agents, n_modes, n_slots).any(axis=2)
    n_sky = task.scenario.n_sky_slots
    mode = linked[..., :n_sky].any(axis=-1) + 2 * linked[..., n_sky:].any(axis=-1)
    kpis = np.array([outcome.kpis[0] for outcome in frame.outcomes]).reshape(-1, task.n_agents, len(task.kpis))
    count = frame.state.count[0].reshape(n_modes, -1).sum(axis=0)
    _, arrays = task.compile(None, {name: array[None] for name, array in frame.raw.items()})
    last = np.array([len(frame.states) - 1], dtype=np.intp)
    observation = task.observe(frame.state, Now(arrays, np.zeros(1, dtype=np.intp), last))
    return Story(
        task=task,
        time_s=frame.step * task.dt_s,
        first_s=frame.first_step * task.dt_s,
        raw=frame.raw,
        view=View(observation, task.scenario, task.sets),
        linked=linked,
        mode=mode,
        kpis={kpi.name: kpis[..., index] for index, kpi in enumerate(task.kpis)},
        users_of_node=count.astype(np.int64),
        episode_return=frame.episode_return,
    )
