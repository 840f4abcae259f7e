"""What the pictures of DataRelay tell: one world up to now, sorted out of a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.frame import Frame
from ntn_gym.core.task import Arrays
from ntn_gym.envs.data_relay.entry import ENTRY
from ntn_gym.envs.data_relay.task import DataRelayTask

_TBIT = 1e12


@dataclass(frozen=True)
class Story:
    """One world: n slices (index -1 is now) and n - 1 finished epochs.

    Attributes:
        task: The decision problem.
        title: Environment and preset.
        time_h: Start of every slice, [n].
        raw: Raw trace [n, ...]: the truth.
        pointed: Receiver of each satellite during each finished epoch, -1 without one, [n - 1, S].
        onboard_tbit: Bits on board, new files included, [n, S].
        hags_share: Fill of each HAGS, [n, H].
        delivered_share: Share of all bits of the episode on the ground, [n].
        generated_share: Share that has appeared since the record began, or was there then, [n].
        refused: Refusals so far.
        episode_return: Return so far.
    """

    task: DataRelayTask
    title: str
    time_h: NDArray[np.float64]
    raw: Arrays
    pointed: NDArray[np.int64]
    onboard_tbit: NDArray[np.float64]
    hags_share: NDArray[np.float64]
    delivered_share: NDArray[np.float64]
    generated_share: NDArray[np.float64]
    refused: int
    episode_return: float

    @property
    def station_names(self) -> tuple[str, ...]:
        """Names of the stations."""
        return self.task.scenario.stations.names

    def receiver_name(self, receiver: int) -> str:
        """Name of a receiver; "-" for none."""
        if receiver < 0:
            return "-"
        if receiver >= len(self.station_names):
            return f"satellite {receiver - len(self.station_names)}"
        name = self.station_names[receiver]
        return f"HAGS {name}" if name in self.task.scenario.stations.hags else name


def tell(task: DataRelayTask, frame: Frame) -> Story:
    """Sort a frame."""
    scenario, states, raw = task.scenario, frame.states, frame.raw
    onboard = np.stack([state.onboard[0].sum(axis=-1) for state in states])
    onboard = onboard + raw["arrival_bits"].sum(axis=-1)
    hags = np.stack([state.hags[0].sum(axis=-1) for state in states])
    delivered = np.array([state.delivered[0].sum() for state in states], dtype=np.float64)
    pointed = np.stack([state.pointed[0] for state in states])[1:]
    refused = int(sum(int(state.refused[0].sum()) for state in states[1:]))
    return Story(
        task=task,
        title=f"{ENTRY.name} - {scenario.name or 'own scenario'}",
        time_h=raw["time_s"] / 3600.0,
        raw=raw,
        pointed=pointed,
        onboard_tbit=onboard / _TBIT,
        hags_share=hags / max(scenario.stations.buffer_bytes * 8, 1.0),
        delivered_share=delivered / scenario.total_bits,
        generated_share=(onboard.sum(axis=1) + hags.sum(axis=1) + delivered) / scenario.total_bits,
        refused=refused,
        episode_return=frame.episode_return,
    )
