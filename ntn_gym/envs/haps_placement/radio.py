"""What a platform radiates to the ground around it, as maps: signal, interference to others, line of sight.

Beams hop: one beam of the HIBS array at a time, so beams of one platform do not disturb each other, and another
platform meets the mean of all beams for the share of time in which the platform transmits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ntn_gym.envs.haps_placement.scenario import Scenario
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M
from ntn_gym.physics.geometry import central_angle_rad, elevation_from_central_angle_rad, nadir_angle_rad, slant_range_m
from ntn_gym.physics.hibs import hibs_layout, sector_gain_dbi
from ntn_gym.physics.link import carrier_dbw, spectral_efficiency_bit_s_hz, system_temperature_k, thermal_noise_dbw
from ntn_gym.physics.pathloss import clutter_loss_db, free_space_path_loss_db, los_probability
from ntn_gym.physics.standard_atmosphere import altitude_of_pressure_m

FloatArray = NDArray[Any]

CELL_M = 1000.0
"""Size of a map's cells; a point takes the value of the cell it lies in."""
SIGNAL, BLOCKED, INTERFERENCE, SIGHT = range(4)
"""Columns of a map: SNR in line of sight, SNR without, mean interference over noise, probability of line of sight."""
_TERMINAL_TEMPERATURE_K = 290.0


@dataclass(frozen=True)
class RadioMaps:
    """Maps of the ground around a platform, one for each level.

    A map is a square of `width` cells; the platform is in the middle of the middle one. The outermost cells are empty
    and stand for everything further away.

    Attributes:
        width: Cells in a row.
        link: Columns as above, float32 [levels x width x width, 4]; all zero below the lowest elevation.
        quality: Share of a group's demand that could be served alone, float32 [levels x width x width]: the expected
            spectral efficiency over that at the nadir, smoothed by the spread of the group's points.
        edge_m: Distance at which a platform stands at the lowest elevation, [levels].
        nadir_efficiency: Expected spectral efficiency at the nadir of the first level in bit/s/Hz.
    """

    width: int
    link: FloatArray
    quality: FloatArray
    edge_m: FloatArray
    nadir_efficiency: float

    def cells(self, offset_m: FloatArray, level: NDArray[np.intp] | None = None) -> NDArray[np.int32]:
        """Return the indices into the maps of points at `offset_m` = point - platform, [..., 2].

        Args:
            offset_m: East and north in m.
            level: Level of the platform, broadcastable to [...]; None where there is one level.
        """
        grid = offset_m * np.float32(1.0 / CELL_M)
        grid += np.float32(self.width // 2 + 0.5)
        np.maximum(grid, np.float32(0), out=grid)
        np.minimum(grid, np.float32(self.width - 1), out=grid)
        whole = grid.astype(np.int32)
        index: NDArray[np.int32] = whole[..., 1] * np.int32(self.width)
        index += whole[..., 0]
        if level is not None:
            index += (level * (self.width * self.width)).astype(np.int32)
        return index


def link_efficiency(scenario: Scenario, sinr: FloatArray) -> FloatArray:
    """Spectral efficiency of an SINR (ratio) in bit/s/Hz, 0 below the least SINR; the shared physics in one place."""
    radio = scenario.radio
    return np.asarray(
        spectral_efficiency_bit_s_hz(
            sinr, radio.efficiency_factor, radio.efficiency_cap_bit_s_hz, 10 ** (radio.min_sinr_db / 10)
        )
    )


@lru_cache(maxsize=16)
def radio_maps(scenario: Scenario) -> RadioMaps:
    """Compute the maps of a scenario."""
    radio = scenario.radio
    layout = hibs_layout(7)
    altitudes_m = altitude_of_pressure_m(np.array(scenario.fleet.levels_pa))
    lowest = math.radians(radio.min_elevation_deg)
    edge_m = EARTH_MEAN_RADIUS_M * np.asarray(central_angle_rad(lowest, altitudes_m))
    half = math.ceil(float(edge_m.max()) / CELL_M) + 2
    axis = CELL_M * np.arange(-half, half + 1)
    east, north = np.meshgrid(axis, axis)
    ground_m, azimuth = np.hypot(east, north), np.arctan2(east, north)
    noise_dbw = thermal_noise_dbw(
        radio.bandwidth_hz, system_temperature_k(radio.noise_figure_db, _TERMINAL_TEMPERATURE_K)
    )
    links, qualities = [], []
    nadir_efficiency = 0.0
    for altitude_m, reach_m in zip(altitudes_m, edge_m, strict=True):
        elevation = np.asarray(elevation_from_central_angle_rad(ground_m / EARTH_MEAN_RADIUS_M, altitude_m))
        seen = np.maximum(elevation, math.radians(1.0))
        nadir = np.asarray(nadir_angle_rad(seen, altitude_m))
        direction = np.stack(
            (np.sin(nadir) * np.sin(azimuth), np.sin(nadir) * np.cos(azimuth), -np.cos(nadir)), axis=-1
        )
        beams_dbw = sector_gain_dbi(layout, direction) + (layout.power_dbm - 30.0)
        loss_db = free_space_path_loss_db(slant_range_m(seen, altitude_m), radio.freq_hz)[..., None]
        snr_db = carrier_dbw(beams_dbw, loss_db, radio.terminal_gain_dbi) - noise_dbw
        snr = 10.0 ** (snr_db / 10.0)
        clutter = 10.0 ** (-clutter_loss_db(seen, radio.environment, "S", False, "linear") / 10.0)
        sight = los_probability(seen, radio.environment)
        signal = snr.max(axis=-1)
        # The mean of all beams reaches others, in sight or not: an expectation over both.
        heard = snr.mean(axis=-1) * (sight + (1.0 - sight) * clutter)
        visible = ground_m <= reach_m
        columns = np.stack((signal, signal * clutter, heard, sight), axis=-1) * visible[..., None]
        efficiency = sight * link_efficiency(scenario, signal)
        efficiency = (efficiency + (1 - sight) * link_efficiency(scenario, signal * clutter)) * visible
        nadir_efficiency = nadir_efficiency or float(efficiency[half, half])
        smooth = gaussian_filter(efficiency, scenario.demand.spread_m / CELL_M, mode="constant")
        edge = np.ones_like(smooth)
        edge[1:-1, 1:-1] = 0.0
        links.append(columns * (1.0 - edge)[..., None])
        qualities.append(smooth * (1.0 - edge) / nadir_efficiency)
    maps = RadioMaps(
        width=len(axis),
        link=np.concatenate([one.reshape(-1, 4) for one in links]).astype(np.float32),
        quality=np.concatenate([one.ravel() for one in qualities]).astype(np.float32),
        edge_m=edge_m,
        nadir_efficiency=nadir_efficiency,
    )
    for array in (maps.link, maps.quality, maps.edge_m):
        array.setflags(write=False)
    return maps
