"""What the pictures of Handover tell: one world up to now, sorted out of a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.frame import Frame
from ntn_gym.core.task import Arrays, Now
from ntn_gym.envs.handover.entry import ENTRY
from ntn_gym.envs.handover.observation import View
from ntn_gym.envs.handover.task import HandoverTask

EVENT_KPIS = {
    "handover": "handovers",
    "link failure": "link_failures",
    "failed handover": "failed_handovers",
    "lost command": "lost_commands",
    "illegal choice": "illegal_actions",
}
"""Events that pictures show, and the KPI that counts each."""


@dataclass(frozen=True)
class Story:
    """One world: n slices (index -1 is now) and n - 1 finished steps.

    Attributes:
        task: The decision problem.
        time_s: Time since the beginning of the episode.
        first_s: Time at which the record begins.
        raw: Raw trace [n, ...]: the truth.
        view: What the users know now, read back from the observation [1, U, ...].
        serving: Serving slot before each decision, -1 without one, [n, U].
        alive: Whether the serving pass is still there now, [U].
        status: Protocol status now, [U].
        since_s: Time since the last handover or connection, [U].
        sinr_db: True SINR of each user's link in each step, NaN without one, [n - 1, U].
        load: True load of its cell, NaN without one, [n - 1, U].
        rate_mbit_s: Rate in each step, [n - 1, U].
        carried: Whether the user was served in each step, [n - 1, U].
        events: Events by name, [n - 1, U].
        episode_return: Return so far.
    """

    task: HandoverTask
    time_s: float
    first_s: float
    raw: Arrays
    view: View
    serving: NDArray[np.int64]
    alive: NDArray[np.bool_]
    status: NDArray[np.int64]
    since_s: NDArray[np.float64]
    sinr_db: NDArray[np.float64]
    load: NDArray[np.float64]
    rate_mbit_s: NDArray[np.float64]
    carried: NDArray[np.bool_]
    events: dict[str, NDArray[np.bool_]]
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
        return np.asarray(self.first_s + (np.arange(len(self.rate_mbit_s)) + 0.5) * self.task.dt_s)

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Slots that hold a pass now, [K]."""
        return np.asarray(self.raw["pass_id"][-1] >= 0)

    def condition(self, user: int) -> str:
        """Say in words how a user is doing."""
        rules, dt_s = self.task.rules, self.task.dt_s
        status, slot = int(self.status[user]), int(self.serving[-1, user])
        if status > rules.idle:
            return f"lost: {(status - rules.idle) * dt_s:g} s of re-establishment left"
        if status == rules.idle:
            return "idle: may connect"
        words = f"served by slot {slot} for {self.since_s[user]:g} s"
        if not self.alive[user]:
            return words + ", which has set"
        if status > 0:
            words += f", out of sync {status * dt_s:g} of {rules.t310_steps * dt_s:g} s"
        return words


def tell(task: HandoverTask, frame: Frame) -> Story:
    """Sort a frame of Handover into a story."""
    raw = frame.raw
    serving = np.stack([state.serving[0] for state in frame.states])
    state = frame.state
    pass_id = raw["pass_id"]
    slot = np.maximum(serving[-1], 0)
    alive = (serving[-1] >= 0) & (pass_id[-1, slot] >= 0)
    kpis = np.array([outcome.kpis[0] for outcome in frame.outcomes]).reshape(-1, task.n_agents, len(task.kpis))
    column = {kpi.name: index for index, kpi in enumerate(task.kpis)}
    carried = kpis[..., column["outage"]] < 0.5
    # The link of a step is the one after the decision, or the one that was lost in this step.
    link = np.where(serving[1:] >= 0, serving[1:], serving[:-1])
    steps = np.arange(len(link))[:, None]
    there = (link >= 0) & (pass_id[steps, np.maximum(link, 0)] >= 0)
    link = np.maximum(link, 0)
    users = np.arange(task.n_agents)
    nothing: Any = np.nan
    return Story(
        task=task,
        time_s=frame.step * task.dt_s,
        first_s=frame.first_step * task.dt_s,
        raw=raw,
        view=_view(task, frame),
        serving=serving,
        alive=alive,
        status=state.status[0],
        since_s=state.since[0] * task.dt_s,
        sinr_db=np.where(there, raw["sinr_db"][steps, users, link], nothing),
        load=np.where(there, raw["load"][steps, link], nothing),
        rate_mbit_s=kpis[..., column["rate_mbit_s"]],
        carried=carried,
        events={name: kpis[..., column[kpi]] > 0.5 for name, kpi in EVENT_KPIS.items()},
        episode_return=frame.episode_return,
    )


def _view(task: HandoverTask, frame: Frame) -> View:
    """Observe again: packing is causal, so the packed history ends with what the users know now."""
    _, arrays = task.compile(None, {name: array[None] for name, array in frame.raw.items()})
    last = np.array([len(frame.states) - 1], dtype=np.intp)
    observation = task.observe(frame.state, Now(arrays, np.zeros(1, dtype=np.intp), last))
    return View(observation, task.scenario.remaining_horizon_s)


def trail(story: Story, slot: int, n_steps: int) -> slice:
    """Return the slices, up to now, in which the slot has held its present pass, at most ``n_steps`` of them."""
    pass_id = story.raw["pass_id"][:, slot]
    other = np.flatnonzero(pass_id != pass_id[-1])
    first = int(other[-1]) + 1 if len(other) else 0
    return slice(max(first, len(pass_id) - n_steps), None)
