"""Links between base stations and users as tables over distance: path loss, line of sight, antenna."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.physics.antenna_patterns import m2101_element_gain_dbi
from ntn_gym.physics.constants import BOLTZMANN_DBW_PER_K_HZ
from ntn_gym.physics.los_models import sigmoid_los_probability, sigmoid_parameters
from ntn_gym.physics.pathloss import free_space_path_loss_db
from ntn_gym.physics.terrestrial import TerrestrialCell, los_probability, path_loss_db

FloatArray = NDArray[Any]
_FIRST, _LAST, _PER_DECADE = 1.0, 5.5, 2000
"""Table from 10 m to 316 km in steps of 0.12 %: the path loss is within 0.03 dB."""
_BEAM_WIDTH_RAD = math.radians(10.0)


@dataclass(frozen=True, eq=False)
class StationTable:
    """Power over noise by distance, and what the skyline must be for a line of sight.

    Attributes:
        snr_los_db: In line of sight, without shadowing, [cells].
        snr_nlos_db: Without, [cells].
        los_threshold: Line of sight where the skyline is below this, [cells].
    """

    snr_los_db: NDArray[np.float32]
    snr_nlos_db: NDArray[np.float32]
    los_threshold: NDArray[np.float32]

    def cell(self, distance_m: FloatArray) -> NDArray[np.intp]:
        """Return the cell of each distance on the ground; distances beyond the table take its ends."""
        log = np.log10(np.maximum(distance_m, 1.0))
        index = ((log - log.dtype.type(_FIRST)) * log.dtype.type(_PER_DECADE)).astype(np.intp)
        return np.clip(index, 0, len(self.snr_los_db) - 1)


def station_table(scenario: Scenario) -> StationTable:
    """Tabulate the links of a scenario's stations.

    Users on the ground: 3GPP TR 38.901 Tables 7.4.1-1 and 7.4.2-1, used beyond the 5 km to which RMa without line of
    sight was fitted (the case study of the paper has cells of 8 km); or a power law from free space at 1 m. Users in
    the air: the line-of-sight sigmoid of Al-Hourani et al. (2014) seen from the station upwards, and a panel of 10 deg
    half-power width (Recommendation ITU-R M.2101-0 element pattern) tilted down.

    Raises:
        ValueError: If the scenario has no stations.
    """
    settings, people = scenario.stations, scenario.users
    if settings is None:
        raise ValueError("stations is null: this scenario has no base stations")
    log = _FIRST + (np.arange(round((_LAST - _FIRST) * _PER_DECADE)) + 0.5) / _PER_DECADE
    distance_m = 10.0**log
    freq_hz = scenario.terminal.freq_hz
    budget_db = settings.power_dbm - 30.0 + settings.gain_dbi - 10.0 * math.log10(settings.bandwidth_hz)
    budget_db += scenario.terminal.gt_db_k - BOLTZMANN_DBW_PER_K_HZ
    if people.motion == "uav":
        height = people.altitude_m - TerrestrialCell(settings.cell).station_m
        elevation = np.arctan2(height, distance_m)
        built_up = "suburban" if scenario.blockage.environment == "rural" else scenario.blockage.environment
        excess = sigmoid_parameters(built_up)
        los = np.asarray(sigmoid_los_probability(np.maximum(elevation, 0.0), built_up))
        free_db = np.asarray(free_space_path_loss_db(np.hypot(distance_m, height), freq_hz))
        tilt = elevation + math.radians(settings.downtilt_deg)
        gain_db = np.asarray(
            m2101_element_gain_dbi(0.0 * tilt, math.pi / 2 - tilt, 0.0, zenith_width_rad=_BEAM_WIDTH_RAD)
        )
        clear_db = free_db + excess.excess_loss_los_db - gain_db
        blocked_db = free_db + excess.excess_loss_nlos_db - gain_db
    elif settings.exponent is not None:
        clear_db = np.asarray(free_space_path_loss_db(1.0, freq_hz)) + 10.0 * settings.exponent * log
        blocked_db, los = clear_db, np.full(len(log), 0.5)
    else:
        cell = TerrestrialCell(settings.cell)
        los = np.asarray(los_probability(cell, distance_m))
        clear_db = np.asarray(path_loss_db(cell, distance_m, freq_hz, np.ones(len(log), dtype=bool)))
        blocked_db = np.asarray(path_loss_db(cell, distance_m, freq_hz, np.zeros(len(log), dtype=bool)))
    threshold = np.clip(ndtri(los), -30.0, 30.0)
    return StationTable(
        *((budget_db - x).astype(np.float32) for x in (clear_db, blocked_db)), threshold.astype(np.float32)
    )
