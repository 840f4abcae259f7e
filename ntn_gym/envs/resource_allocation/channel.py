"""Who hears what: gains of all transmitters at all users, with line of sight and shadowing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ntn_gym.envs.resource_allocation.antenna import beam_count, gain_table, in_platform_axes, look_up
from ntn_gym.envs.resource_allocation.scenario import Scenario
from ntn_gym.physics.link import thermal_noise_dbw
from ntn_gym.physics.los_models import mean_excess_loss_db
from ntn_gym.physics.pathloss import band_of, free_space_path_loss_db, large_scale_table, los_probability
from ntn_gym.world.platform import Swing, swing_motion
from ntn_gym.world.shadowing import excess_loss_db, shadow_table

FloatArray = NDArray[Any]

_SCORE_CELLS_PER_DEG = 4


class Channel:
    """Gains over noise of one scenario, for 1 W radiated (a ratio per watt)."""

    def __init__(self, scenario: Scenario) -> None:
        """Prepare antenna, shadowing and noise."""
        platform, radio = scenario.platform, scenario.radio
        self._scenario = scenario
        self._table = gain_table(platform.layout, platform.altitude_m, radio.freq_hz)
        self.n_beams = beam_count(platform.layout)
        self.n_relays = scenario.relays.count if scenario.relays else 0
        environment = large_scale_table(radio.environment, band_of(radio.freq_hz))
        self._shadow = shadow_table(environment)
        elevation = np.radians((np.arange(90 * _SCORE_CELLS_PER_DEG + 1)) / _SCORE_CELLS_PER_DEG)
        share = np.asarray(los_probability(elevation, radio.environment))
        self._los_score = ndtri(np.clip(share, 1e-6, 1 - 1e-6)).astype(np.float32)
        noise_dbw = float(thermal_noise_dbw(scenario.beam_bandwidth_hz)) + radio.noise_figure_db
        loss_1m_db = float(free_space_path_loss_db(1.0, radio.freq_hz))
        self._scale_at_1m = np.float32(10.0 ** (-0.1 * (loss_1m_db + noise_dbw)))
        swing = platform.swing
        self.swing = None
        if swing is not None:
            tilt, yaw = math.radians(swing.tilt_rms_deg), math.radians(swing.yaw_rms_deg)
            periods = (1e3, 1e3, 1e3, swing.tilt_period_s, swing.tilt_period_s, swing.yaw_period_s)
            self.swing = Swing((0.0, 0.0, 0.0, tilt, tilt, yaw), periods, swing.memory_s)

    def gains(
        self,
        place_m: FloatArray,
        relay_m: FloatArray,
        blockage: FloatArray,
        shadowing: FloatArray,
        swing: FloatArray | None,
        time_s: FloatArray,
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return gain over noise per watt of each transmitter, [B, n, U, K], and line of sight, [B, n, U].

        All beams of the platform share the path, hence line of sight and shadowing (3GPP TR 38.811 clause 6.6): only
        the antenna tells them apart. A flat ground is within 0.4 deg of elevation at 90 km.

        Args:
            place_m: Users, east and north of the point below the platform in m, [B, n, U, 2].
            relay_m: Relays, [B, R, 2].
            blockage: Unit-variance score of line of sight, [B, n, U].
            shadowing: Unit-variance score of shadowing, float32 [B, n, U].
            swing: Amplitudes of the platform's motion, [B, n, 6, 2], or None.
            time_s: Time of each slot, [n].
        """
        altitude = np.float32(self._scenario.platform.altitude_m)
        east, north = place_m[..., 0].astype(np.float32), place_m[..., 1].astype(np.float32)
        range2 = east * east + north * north + altitude * altitude
        range_m = np.sqrt(range2)
        sin_elevation = altitude / range_m
        direction: tuple[FloatArray, FloatArray, FloatArray] = (east / range_m, north / range_m, -sin_elevation)
        if self.swing is not None and swing is not None:
            direction = in_platform_axes(direction, swing_motion(swing, self.swing, time_s))
        elevation = np.arcsin(sin_elevation)
        cell = (elevation * np.float32(math.degrees(1.0) * _SCORE_CELLS_PER_DEG)).astype(np.intp)
        los = blockage < self._los_score.take(cell)
        excess = excess_loss_db(shadowing, los, elevation, self._shadow)
        path = np.exp(excess * np.float32(-0.1 * math.log(10.0))) * (self._scale_at_1m / range2)
        gain = look_up(self._table, direction)
        gain *= path[..., None]
        if self.n_relays:
            gain = np.concatenate([gain, self._relay_gains(place_m, relay_m)], axis=-1)
        return gain, los

    def _relay_gains(self, place_m: FloatArray, relay_m: FloatArray) -> NDArray[np.float32]:
        """Relays near the ground: free space plus the mean excess loss by elevation (Al-Hourani et al. 2014)."""
        relays = self._scenario.relays
        assert relays is not None
        apart = place_m[..., None, :] - relay_m[:, None, None]
        ground2 = apart[..., 0] ** 2 + apart[..., 1] ** 2
        range2 = ground2 + relays.altitude_m**2
        elevation = np.arctan2(relays.altitude_m, np.sqrt(ground2))
        excess_db = np.asarray(mean_excess_loss_db(elevation, relays.environment)) - relays.antenna_gain_dbi
        return (10.0 ** (-0.1 * excess_db) * float(self._scale_at_1m) / range2).astype(np.float32)
