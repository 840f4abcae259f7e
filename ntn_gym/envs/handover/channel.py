"""From geometry to SNR: path loss, beam pattern, gas, rain, line of sight, shadowing, and the cells' load."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.envs.handover.view import UserGeometry
from ntn_gym.physics.antennas import ApertureTable, aperture_table
from ntn_gym.physics.constants import BOLTZMANN_DBW_PER_K_HZ
from ntn_gym.physics.pathloss import large_scale_table
from ntn_gym.world import processes, shadowing, skyline

FloatArray = NDArray[Any]
_DB_TO_LN = math.log(10.0) / 10.0


def from_db(value_db: FloatArray) -> FloatArray:
    """Return 10^(x/10); float32 in, float32 out (exp is several times faster than a power)."""
    return np.exp(value_db * np.float32(_DB_TO_LN))


@dataclass(frozen=True)
class ChannelState:
    """Random fields of all users and loads of all cells, with their generators."""

    skyline_generators: list[np.random.Generator]
    skyline: FloatArray
    shadow_generators: list[np.random.Generator]
    shadow: FloatArray
    street_generators: list[np.random.Generator]
    first_street: FloatArray
    turns: NDArray[np.int64]
    load_generators: list[np.random.Generator]
    load: FloatArray
    region_generators: list[np.random.Generator]
    region_load: FloatArray


@dataclass(frozen=True)
class Links:
    """Links of all users to all slots."""

    los: NDArray[np.bool_]
    snr_db: FloatArray
    predicted_snr_db: FloatArray


class Channel:
    """Everything random between nodes and users that no action changes."""

    def __init__(self, scenario: Scenario, speed_m_s: float) -> None:
        """Prepare tables.

        Args:
            scenario: The scenario.
            speed_m_s: Speed of the users, which sets how fast blockage and shadowing change.
        """
        blockage, link = scenario.blockage, scenario.link
        self._scenario = scenario
        self._los = skyline.los_table(blockage.environment, contrast=blockage.street_canyon)
        table = large_scale_table(blockage.environment, link.band)
        self._shadow = shadowing.shadow_table(table)
        self._field = shadowing.azimuth_field(math.radians(blockage.shadow_angle_deg))
        self._aperture: ApertureTable = aperture_table(link.aperture_m, link.freq_hz)
        dt_s = scenario.dt_s
        self._skyline_rate = speed_m_s / blockage.block_distance_m + 1.0 / blockage.skyline_memory_s
        # A standing user's shadowing changes as its skyline does: people, cars, the device in the hand.
        self._shadow_rho = processes.correlation(
            speed_m_s / blockage.shadow_distance_m + 1.0 / blockage.skyline_memory_s, dt_s
        )
        self._turn_probability = -math.expm1(-speed_m_s * dt_s / blockage.street_block_m)
        self._load_rho = processes.correlation(1.0 / scenario.load.memory_s, dt_s)
        # EIRP density per MHz over noise density: bandwidth cancels in the SNR.
        self._budget_db = (
            link.eirp_density_dbw_mhz
            - 60.0
            + link.terminal_gt_db_k
            - BOLTZMANN_DBW_PER_K_HZ
            - (32.45 + 20.0 * math.log10(link.freq_hz / 1e9))
        )

    def begin(self, keys: Sequence[WorldKey]) -> ChannelState:
        """Draw stationary fields and loads."""
        n_users, n_slots = self._scenario.users.count, self._scenario.slots.count
        skyline_g, shadow_g = process_generators(keys, "skyline"), process_generators(keys, "shadowing")
        load_g, region_g = process_generators(keys, "load"), process_generators(keys, "regional load")
        street_g = process_generators(keys, "street")
        first_street = 2.0 * processes.draw_uniform(street_g, 1, (n_users,), np.float64)[:, 0]
        return ChannelState(
            skyline_g,
            skyline.start(skyline_g, n_users),
            shadow_g,
            shadowing.start(shadow_g, n_users, self._field),
            street_g,
            first_street,
            np.zeros(first_street.shape, dtype=np.int64),
            load_g,
            processes.start_gauss_markov(load_g, (n_slots,)),
            region_g,
            processes.start_gauss_markov(region_g),
        )

    def streets(self, state: ChannelState, n_steps: int) -> tuple[FloatArray, NDArray[np.int64]]:
        """Return the next street azimuths in quarter turns, [B, n, U], and the turns taken so far, modulo 2.

        At each corner (exponential way between corners) the user turns by a right angle.
        """
        draws = processes.draw_uniform(state.street_generators, n_steps, state.first_street.shape[1:])
        turns = (state.turns[:, None] + np.cumsum(draws < self._turn_probability, axis=1)) % 2
        return state.first_street[:, None] + turns, turns[:, -1].copy()

    def loads(
        self, state: ChannelState, n_steps: int, fresh: NDArray[np.bool_]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return cell loads [B, n, K] and the new states of cells and region; a new pass is a new cell."""
        load = self._scenario.load
        own_state, own = processes.advance_gauss_markov(
            state.load_generators, state.load, n_steps, self._load_rho, fresh
        )
        region_state, region = processes.advance_gauss_markov(
            state.region_generators, state.region_load, n_steps, self._load_rho
        )
        z = np.float32(math.sqrt(1 - load.regional_share)) * own
        z += np.float32(math.sqrt(load.regional_share)) * region[..., None]
        occupied = 1.0 / (1.0 + np.exp(-(np.float32(load.mean_logit) + np.float32(load.spread_logit) * z)))
        return occupied, own_state, region_state

    def links(
        self,
        state: ChannelState,
        n_steps: int,
        azimuth_rad: FloatArray,
        view: UserGeometry,
        quarter_turns: FloatArray,
    ) -> tuple[Links, FloatArray, FloatArray]:
        """Return the links [B, n, U, K] and the new states of skyline and shadowing.

        Args:
            state: State before the first step.
            n_steps: Number of steps n.
            azimuth_rad: Azimuth of the nodes from the centre, [B, n, K].
            view: Angles and distances of the links.
            quarter_turns: Azimuth of each user's street in quarter turns, [B, n, U].
        """
        scenario = self._scenario
        sky_state, coefficients = skyline.advance(
            state.skyline_generators, state.skyline, n_steps, self._skyline_rate, scenario.dt_s
        )
        g = skyline.evaluate(coefficients, skyline.basis(azimuth_rad))
        canyon = scenario.blockage.street_canyon
        if canyon > 0:
            street = (quarter_turns * (math.pi / 2)).astype(np.float32)
            g = g + skyline.canyon_term(azimuth_rad[:, :, None], street[..., None], canyon)
        los = skyline.los(g, np.radians(view.elevation_deg), self._los)
        shadow_state, shadow = processes.advance_gauss_markov(
            state.shadow_generators, state.shadow, n_steps, self._shadow_rho
        )
        field = skyline.evaluate(shadow, self._field.basis(azimuth_rad))
        spread_db = np.float32(self._budget_db) - np.float32(20.0) * np.log10(view.range_m)
        predicted_db, clear_db = spread_db, spread_db
        if view.sin2_off_axis is not None:
            clear_db = spread_db + self._aperture.gain_db(view.sin2_off_axis)
            known = view.planned_sin2_off_axis is view.sin2_off_axis
            predicted_db = clear_db if known else spread_db + self._aperture.gain_db(view.planned_sin2_off_axis)
        excess_db = shadowing.excess_loss_db(field, los, view.elevation_deg, self._shadow)
        return Links(los, clear_db - excess_db, predicted_db), sky_state, shadow_state
