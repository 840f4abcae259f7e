"""The uplinks: from places of devices and nodes to carrier over noise density.

Platform and satellites: TR 38.811 line of sight, shadowing and clutter, with the skyline around each device as memory.
Base station: TR 38.901. Hovering UAV: Al-Hourani's air-to-ground model. Fading within a slot is averaged out by the
modem, as a slot is many coherence times of a 10 MHz channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.task_offloading.scenario import GroundNode, Scenario
from ntn_gym.envs.task_offloading.sky import ServingPass
from ntn_gym.physics import terrestrial
from ntn_gym.physics.constants import BOLTZMANN_DBW_PER_K_HZ
from ntn_gym.physics.los_models import sigmoid_los_probability, sigmoid_parameters
from ntn_gym.physics.pathloss import band_of, free_space_path_loss_db, large_scale_table
from ntn_gym.world import shadowing, skyline
from ntn_gym.world.joint import Process

FloatArray = NDArray[Any]
DEVICE_HEIGHT_M = 1.5
UAV_HEIGHT_M = 100.0
SHADOW_DISTANCE_M = 50.0
"""Correlation distance of shadow fading, 3GPP TR 38.901 Table 7.5-6 (UMa, no line of sight)."""
STATE_DISTANCE_M = 50.0
"""Correlation distance of the LoS state, 3GPP TR 38.901 Table 7.6.3.1-2 (urban)."""
LEO_SHADOW_S = 60.0
"""A satellite in low orbit crosses the correlation angle of shadowing (about 20 deg) in about a minute."""


@dataclass(frozen=True)
class View:
    """Geometry of the links at n steps, [B, n, U, A] or [B, n, A].

    Attributes:
        range_m: Distance of device and node, [B, n, U, A].
        ground_m: Distance on the ground, [B, n, U, A] (0 for satellites).
        elevation_rad: Elevation of the node from the device, [B, n, U, A].
        azimuth_rad: Azimuth, [B, n, U, A].
        visible: Whether the node can be reached, [B, n, A].
        centre_range_m: Distance from the middle of the region, float64 [B, n, A].
        centre_azimuth_rad: Azimuth from there, [B, n, A].
        centre_elevation_rad: Elevation from there, [B, n, A].
    """

    range_m: FloatArray
    ground_m: FloatArray
    elevation_rad: FloatArray
    azimuth_rad: FloatArray
    visible: NDArray[np.bool_]
    centre_range_m: FloatArray
    centre_azimuth_rad: FloatArray
    centre_elevation_rad: FloatArray


class Radio:
    """Uplinks of a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Prepare tables and processes.

        Raises:
            ValueError: If a UAV is to serve a rural region, for which the air-to-ground model has no numbers.
        """
        self._scenario = scenario
        self._names = scenario.nodes
        n_devices, n_nodes = scenario.devices.count, len(self._names)
        speed = scenario.devices.speed_m_s
        rate = float(skyline.rate_per_s(speed, STATE_DISTANCE_M))
        shadow_rate = float(skyline.rate_per_s(speed, SHADOW_DISTANCE_M))
        self._above = [i for i, name in enumerate(self._names) if name != "ground"]
        self.processes = {"shadow": Process((n_devices, n_nodes), shadow_rate)}
        if self._above:
            self.processes["skyline"] = Process((n_devices, skyline.FIELD.n_coefficients), rate)
        if scenario.leo is not None:
            # The satellite's own motion changes its shadowing faster than the device's.
            self.processes["leo_shadow"] = Process((n_devices,), shadow_rate + 1.0 / LEO_SHADOW_S)
        if scenario.ground is not None:
            self.processes["ground_los"] = Process((n_devices,), rate)
        self._ground_height_m = 0.0
        if scenario.ground is not None:
            self._ground_height_m, self._cell = _ground(scenario, scenario.ground)
        self._los_table = skyline.los_table(scenario.environment)
        self._freq_hz = np.array([scenario.node(name).uplink.freq_hz for name in self._names])
        self._shadow_tables = {
            i: shadowing.shadow_table(large_scale_table(scenario.environment, band_of(float(self._freq_hz[i]))))
            for i in self._above
        }
        gt_db_k = np.array([scenario.node(name).uplink.gt_db_k for name in self._names])
        self._budget_dbhz = scenario.devices.eirp_dbm - 30.0 + gt_db_k - BOLTZMANN_DBW_PER_K_HZ

    def fresh(self, leo: ServingPass | None, at: NDArray[np.intp]) -> dict[str, NDArray[np.bool_]]:
        """Return where processes forget: another satellite has its own shadowing."""
        if leo is None:
            return {}
        number, before = leo.number[:, at], leo.number[:, np.maximum(at - 1, 0)]
        changed = np.where(at > 0, number != before, False)
        return {"leo_shadow": np.repeat(changed[..., None], self._scenario.devices.count, axis=2)}

    def view(self, place_m: FloatArray, haps_m: FloatArray, leo: ServingPass | None) -> View:
        """Look from every device to every node.

        Args:
            place_m: Devices, east and north of the middle of the region, [B, n, U, 2].
            haps_m: Sub-point of the platform, [B, 2].
            leo: The satellite in service, [B, n].
        """
        n_worlds, n_steps, n_devices, _ = place_m.shape
        n_nodes = len(self._names)
        shape = (n_worlds, n_steps, n_devices, n_nodes)
        towards = np.zeros((*shape, 3), dtype=np.float64)
        visible = np.ones((n_worlds, n_steps, n_nodes), dtype=np.bool_)
        centre = np.zeros((n_worlds, n_steps, n_nodes, 3), dtype=np.float64)
        for i, name in enumerate(self._names):
            if name == "leo":
                assert leo is not None
                flat = leo.range_m * np.cos(leo.elevation_rad)
                centre[:, :, i, 0] = flat * np.sin(leo.azimuth_rad)
                centre[:, :, i, 1] = flat * np.cos(leo.azimuth_rad)
                centre[:, :, i, 2] = leo.range_m * np.sin(leo.elevation_rad)
                visible[:, :, i] = leo.number >= 0
            elif name == "haps":
                assert self._scenario.haps is not None
                centre[:, :, i, :2] = haps_m[:, None]
                centre[:, :, i, 2] = self._scenario.haps.altitude_m
            else:
                centre[:, :, i, 2] = self._ground_height_m - DEVICE_HEIGHT_M
            towards[..., i, :] = centre[:, :, None, i]
            towards[..., i, :2] -= place_m
        ground_m = np.hypot(towards[..., 0], towards[..., 1])
        elevation = np.arctan2(towards[..., 2], ground_m)
        centre_ground = np.hypot(centre[..., 0], centre[..., 1])
        return View(
            range_m=np.maximum(np.hypot(ground_m, towards[..., 2]), 1.0),
            ground_m=ground_m,
            elevation_rad=elevation.astype(np.float32),
            azimuth_rad=np.arctan2(towards[..., 0], towards[..., 1]).astype(np.float32),
            visible=visible,
            centre_range_m=np.hypot(centre_ground, centre[..., 2]),
            centre_azimuth_rad=np.arctan2(centre[..., 0], centre[..., 1]),
            centre_elevation_rad=np.arctan2(centre[..., 2], centre_ground),
        )

    def links(self, view: View, samples: dict[str, FloatArray]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Return line of sight and carrier over noise density in dBHz, [B, n, U, A]; -100 dBHz out of reach."""
        los = np.zeros(view.range_m.shape, dtype=np.bool_)
        loss_db = np.zeros(view.range_m.shape)
        above = self._above
        if above:
            field = skyline.FIELD.evaluate(samples["skyline"], view.azimuth_rad[..., above])
            los[..., above] = skyline.los(field, view.elevation_rad[..., above], self._los_table)
        for i, name in enumerate(self._names):
            shadow = samples["leo_shadow"] if name == "leo" else samples["shadow"][..., i]
            freq_hz = float(self._freq_hz[i])
            if name == "ground":
                los[..., i], loss_db[..., i] = self._ground_loss(view, i, samples["ground_los"], shadow, freq_hz)
                continue
            loss_db[..., i] = free_space_path_loss_db(view.range_m[..., i], freq_hz)
            loss_db[..., i] += shadowing.excess_loss_db(
                shadow, los[..., i], view.elevation_rad[..., i], self._shadow_tables[i]
            )
        cn0 = np.where(view.visible[:, :, None], self._budget_dbhz - loss_db, -100.0)
        return los & view.visible[:, :, None], cn0.astype(np.float32)

    def _ground_loss(
        self, view: View, i: int, state: FloatArray, shadow: FloatArray, freq_hz: float
    ) -> tuple[NDArray[np.bool_], FloatArray]:
        from scipy.special import ndtr

        uniform = ndtr(state)
        if self._cell is None:
            environment: Any = self._scenario.environment
            parameters = sigmoid_parameters(environment)
            los = uniform < sigmoid_los_probability(view.elevation_rad[..., i], environment)
            extra = np.where(los, parameters.excess_loss_los_db, parameters.excess_loss_nlos_db)
            return los, free_space_path_loss_db(view.range_m[..., i], freq_hz) + extra
        distance = view.ground_m[..., i]
        los = uniform < terrestrial.los_probability(self._cell, distance)
        loss = terrestrial.path_loss_db(self._cell, distance, freq_hz, los)
        return los, loss + shadow * terrestrial.shadow_sigma_db(self._cell, distance, freq_hz, los)


def _ground(scenario: Scenario, node: GroundNode) -> tuple[float, terrestrial.TerrestrialCell | None]:
    if node.kind == "uav":
        if scenario.environment == "rural":
            raise ValueError(
                "ground.kind = 'uav': the air-to-ground model knows suburban, urban and dense_urban, not rural"
            )
        return node.height_m or UAV_HEIGHT_M, None
    cell = terrestrial.TerrestrialCell(node.cell, node.height_m, DEVICE_HEIGHT_M)
    return cell.station_m, cell
