"""The sky of a high-altitude platform: the cells it offers, and how they swing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ntn_gym.core.seeding import WorldKey
from ntn_gym.envs.handover.geometry import FloatArray, Nodes, Schedule, Vector, sub_point
from ntn_gym.envs.handover.scenario import HapsSky, Scenario
from ntn_gym.world.arcs import Path
from ntn_gym.world.joint import Process
from ntn_gym.world.platform import Swing, cell_boresights, hexagonal_cells_m, rotate, swing_motion


class PlatformSky:
    """The cells of one HAPS; the region's centre is the point below it."""

    def __init__(self, scenario: Scenario) -> None:
        """Lay out the cells."""
        assert isinstance(scenario.sky, HapsSky)
        sky = scenario.sky
        self._scenario = scenario
        self._altitude_m = sky.altitude_m
        self.cells_m = hexagonal_cells_m(scenario.slots.rings, sky.cell_radius_m)
        if len(self.cells_m) < scenario.slots.count:
            raise ValueError(
                f"slots.count = {scenario.slots.count} exceeds the {len(self.cells_m)} cells of slots.rings = "
                f"{scenario.slots.rings}; add a ring or use fewer slots"
            )
        self._boresight = cell_boresights(self.cells_m, sky.altitude_m)
        tilt, yaw = math.radians(sky.tilt_rms_deg), math.radians(sky.yaw_rms_deg)
        self._swing = Swing(
            (sky.sway_rms_m, sky.sway_rms_m, sky.vertical_rms_m, tilt, tilt, yaw),
            (
                sky.sway_period_s,
                sky.sway_period_s,
                sky.vertical_period_s,
                sky.tilt_period_s,
                sky.tilt_period_s,
                sky.yaw_period_s,
            ),
            sky.memory_s,
        )
        self.processes: Mapping[str, Process] = {"swing": Process(self._swing.shape, 1.0 / sky.memory_s)}

    def begin(self, keys: Sequence[WorldKey], path: Path, focus_m: FloatArray) -> tuple[Schedule, None]:
        """Offer the cells nearest to the users for the whole episode."""
        scenario = self._scenario
        distance = np.linalg.norm(self.cells_m[None] - focus_m[:, None], axis=-1)
        chosen = np.sort(np.argsort(distance, axis=1, kind="stable")[:, : scenario.slots.count], axis=1)
        shape = (len(keys), scenario.steps + 1, scenario.slots.count)
        beam = np.broadcast_to(chosen[:, None], shape).astype(np.int32)
        far = np.full(shape, scenario.steps + 1 + round(scenario.remaining_horizon_s / scenario.dt_s), dtype=np.int32)
        return Schedule(beam.copy(), np.zeros(shape, dtype=np.int32), beam, far), None

    def advance(
        self,
        state: None,
        schedule: Schedule,
        first_step: int,
        n_steps: int,
        path: Path,
        samples: Mapping[str, FloatArray],
    ) -> Nodes:
        """Move the platform. Its own speed is left out of the rates: a few m/s, and nobody can predict it."""
        time_s = (first_step + np.arange(n_steps)) * self._scenario.dt_s
        motion = swing_motion(samples["swing"], self._swing, time_s)
        beam = schedule.beam[:, first_step : first_step + n_steps]
        place = motion[..., None, :3] + np.array([0.0, 0.0, self._altitude_m])
        below = path(np.zeros((len(beam), 1))).position_m[:, :, None]
        latitude, longitude = sub_point(*(np.broadcast_to(below[..., i], beam.shape) for i in range(3)))
        still = np.zeros(beam.shape, dtype=np.float32)
        return Nodes(
            _components(place, beam.shape),
            (still, still, still),
            _components(rotate(self._boresight[beam], motion), beam.shape),
            _components(self._boresight[beam], beam.shape),
            latitude,
            longitude,
        )


def _components(vectors: FloatArray, shape: tuple[int, ...]) -> Vector:
    """Split [..., 3] into float32 components of a shape."""
    x, y, z = (np.broadcast_to(vectors[..., i], shape).astype(np.float32) for i in range(3))
    return x, y, z
