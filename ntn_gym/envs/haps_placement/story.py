"""One world up to now, in the words of pictures and text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.frame import Frame
from ntn_gym.core.task import Arrays
from ntn_gym.envs.haps_placement.world import lattice_m

if TYPE_CHECKING:
    from ntn_gym.envs.haps_placement.task import HAPSPlacementTask

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class Story:
    """What pictures tell; S steps are recorded, n = S + 1 states.

    Attributes:
        task: The task.
        raw: Raw trace up to now, [n, ...].
        time_h: Time of every state since step 0 in h, [n].
        place_m: Places of the platforms, [n, M, 2].
        level: Their levels, [n, M].
        charge: State of charge, [n, M].
        down: Whether the battery is empty, now, [M].
        failed: Whether the radio has failed, now, [M].
        kpis: KPIs by name, [S, M].
        episode_return: Sum of the rewards so far.
    """

    task: HAPSPlacementTask
    raw: Arrays
    time_h: FloatArray
    place_m: FloatArray
    level: FloatArray
    charge: FloatArray
    down: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    kpis: dict[str, FloatArray]
    episode_return: float

    @property
    def title(self) -> str:
        """Name of the environment and of the scenario."""
        return f"HAPSPlacement, {self.task.scenario.name}"

    @property
    def clock(self) -> str:
        """Local solar time now, as hours and minutes."""
        minutes = round(60 * float(self.raw["hour"][-1])) % 1440
        return f"{minutes // 60:02d}:{minutes % 60:02d}"

    @property
    def hours(self) -> float:
        """Length of the episode in h."""
        return self.task.scenario.duration_s / 3600.0

    def condition(self, platform: int) -> str:
        """Say how a platform is."""
        if self.failed[platform]:
            return "radio failed"
        if self.down[platform]:
            return "battery empty"
        if len(self.time_h) > 1:
            if self.kpis["outside"][-1, platform] > 0:
                return "outside the fence"
            if self.kpis["cut_off"][-1, platform] > 0:
                return "no gateway"
        return "serves"


def tell(task: HAPSPlacementTask, frame: Frame) -> Story:
    """Gather what a frame holds."""
    steps = frame.first_step + np.arange(len(frame.states))
    kpis = np.array([outcome.kpis[0] for outcome in frame.outcomes]).reshape(-1, task.n_agents, len(task.kpis))
    return Story(
        task=task,
        raw=frame.raw,
        time_h=steps * task.dt_s / 3600.0,
        place_m=np.array([state.place_m[0] for state in frame.states]),
        level=np.array([state.level[0] for state in frame.states]),
        charge=np.array([state.energy_j[0] for state in frame.states]) / task.scenario.fleet.vehicle.battery_j,
        down=frame.state.down[0],
        failed=frame.raw["failed"][-1],
        kpis={kpi.name: kpis[..., column] for column, kpi in enumerate(task.kpis)},
        episode_return=frame.episode_return,
    )


def wind_arrows(story: Story) -> tuple[FloatArray, FloatArray]:
    """Nodes of the wind's lattice in km, [N, 2], and the wind there now in m/s, [N, 2], at the fleet's mean level."""
    nodes_km = lattice_m(story.task.scenario) / 1e3
    level = int(np.rint(story.level[-1].mean()))
    grid = np.stack(np.meshgrid(nodes_km, nodes_km), axis=-1).reshape(-1, 2)
    return grid, story.raw["wind_m_s"][-1, :, level]
