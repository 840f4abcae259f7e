"""From geometry to SNR: path loss, beam pattern, gas, rain, line of sight, shadowing, and the cells' load."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.envs.handover.view import UserGeometry
from ntn_gym.physics.antennas import ApertureTable, aperture_table
from ntn_gym.physics.climate import SiteClimate, site_climate, site_names
from ntn_gym.physics.constants import BOLTZMANN_DBW_PER_K_HZ
from ntn_gym.physics.gases import slant_gas_attenuation_db, zenith_gas_attenuation_db
from ntn_gym.physics.pathloss import free_space_path_loss_db, large_scale_table
from ntn_gym.world import processes, shadowing, skyline, weather
from ntn_gym.world.joint import Process

FloatArray = NDArray[Any]
_DB_TO_LN = math.log(10.0) / 10.0
CROWD = 4
"""From so many users on, drawing normal numbers would be the largest part of making a world: they come from a table."""
_LOWEST_RAD = np.float32(math.radians(5.0))
"""Gas is taken at this elevation below it: the cosecant law ends there."""


def from_db(value_db: FloatArray) -> FloatArray:
    """Return 10^(x/10); float32 in, float32 out (exp is several times faster than a power)."""
    return np.exp(value_db * np.float32(_DB_TO_LN))


@dataclass(frozen=True)
class ChannelState:
    """What the channel remembers of B worlds beside the Gauss-Markov processes; None where it is not needed.

    Attributes:
        street_generators: One per world.
        first_street: Azimuth of each user's first street in quarter turns, [B, U].
        turns: Turns since then, modulo 2, [B, U].
        rain_site: Site of the rain climate, [B].
        rain_mixing: Mixing matrix of the users' rain, [B, U, U].
    """

    street_generators: list[np.random.Generator] | None
    first_street: FloatArray | None
    turns: NDArray[np.int64] | None
    rain_site: NDArray[np.intp] | None
    rain_mixing: FloatArray | None


@dataclass(frozen=True)
class Links:
    """Links of all users to all slots, [B, n, U, K]."""

    los: NDArray[np.bool_]
    snr_db: FloatArray
    predicted_snr_db: FloatArray
    rain_db: FloatArray


class Channel:
    """Everything random between nodes and users that no action changes.

    ``processes`` names the Gauss-Markov processes whose samples `loads` and `links` are given.
    """

    def __init__(self, scenario: Scenario, speed_m_s: float) -> None:
        """Prepare tables.

        Args:
            scenario: The scenario.
            speed_m_s: Speed of the users, which sets how fast blockage and shadowing change.

        Raises:
            ValueError: If rain is wanted and no site of known climate lies in the band of latitudes.
        """
        blockage, link = scenario.blockage, scenario.link
        n_users, n_slots = scenario.users.count, scenario.slots.count
        self._scenario = scenario
        self._los = skyline.los_table(blockage.environment, contrast=blockage.street_canyon)
        self._shadow = shadowing.shadow_table(large_scale_table(blockage.environment, link.band))
        self._shadow_field = shadowing.azimuth_field(math.radians(blockage.shadow_angle_deg))
        self._aperture: ApertureTable = aperture_table(link.aperture_m, link.freq_hz)
        self._turn_probability = -math.expm1(-speed_m_s * scenario.dt_s / blockage.street_block_m)
        # EIRP density per MHz over noise density: bandwidth cancels in the SNR.
        self._budget_db = np.float32(
            link.eirp_density_dbw_mhz
            - 60.0
            + link.terminal_gt_db_k
            - BOLTZMANN_DBW_PER_K_HZ
            - free_space_path_loss_db(1.0, link.freq_hz)
        )
        self._zenith_gas_db = float(zenith_gas_attenuation_db(link.freq_hz))
        still = 1.0 / blockage.skyline_memory_s
        # A standing user's shadowing changes as its skyline does: people, cars, the device in the hand.
        crowd = n_users >= CROWD
        self.processes: dict[str, Process] = {
            "skyline": Process(
                (n_users, skyline.FIELD.n_coefficients), speed_m_s / blockage.block_distance_m + still, quick=crowd
            ),
            "shadowing": Process(
                (n_users, self._shadow_field.n_coefficients),
                speed_m_s / blockage.shadow_distance_m + still,
                quick=crowd,
            ),
            "load": Process((n_slots,), 1.0 / scenario.load.memory_s),
            "regional load": Process((), 1.0 / scenario.load.memory_s),
        }
        self.rain_sites: tuple[SiteClimate, ...] = ()
        if link.rain:
            self.rain_sites = _sites_between(scenario.users.latitude_min_deg, scenario.users.latitude_max_deg)
            self._rain = weather.rain_tables(self.rain_sites, link.freq_hz)
            rate = weather.RATE_PER_S + speed_m_s / weather.DECORRELATION_M
            self.processes["rain"] = Process((n_users,), rate)

    def begin(self, keys: Sequence[WorldKey], rain_site: NDArray[np.intp], offset_m: FloatArray) -> ChannelState:
        """Draw the streets and note the climate.

        Args:
            keys: The worlds.
            rain_site: Number of each world's site in ``rain_sites``, [B]; not used without rain.
            offset_m: Places of the users, east and north, [B, U, 2].
        """
        generators = first_street = turns = None
        if self._scenario.blockage.street_canyon > 0:
            generators = process_generators(keys, "street")
            first_street = 2.0 * processes.draw_uniform(generators, 1, (offset_m.shape[1],), np.float64)[:, 0]
            turns = np.zeros(first_street.shape, dtype=np.int64)
        if not self.rain_sites:
            return ChannelState(generators, first_street, turns, None, None)
        distance_m = np.linalg.norm(offset_m[:, :, None] - offset_m[:, None], axis=-1)
        return ChannelState(generators, first_street, turns, rain_site, weather.mixing_matrix(distance_m))

    def streets(self, state: ChannelState, n_steps: int) -> tuple[ChannelState, FloatArray | None]:
        """Return the next street azimuths in quarter turns, [B, n, U]; None without streets.

        At each corner (exponential way between corners) the user turns by a right angle.
        """
        if state.street_generators is None or state.first_street is None or state.turns is None:
            return state, None
        draws = processes.draw_uniform(state.street_generators, n_steps, state.first_street.shape[1:])
        turns = (state.turns[:, None] + np.cumsum(draws < self._turn_probability, axis=1)) % 2
        quarter_turns = state.first_street[:, None] + turns
        last = turns[:, -1].copy()
        return (
            ChannelState(state.street_generators, state.first_street, last, state.rain_site, state.rain_mixing),
            quarter_turns,
        )

    def loads(self, samples: Mapping[str, FloatArray]) -> FloatArray:
        """Return cell loads [B, n, K] from the samples of ``load`` and ``regional load``."""
        load = self._scenario.load
        z = np.float32(math.sqrt(1 - load.regional_share)) * samples["load"]
        z += np.float32(math.sqrt(load.regional_share)) * samples["regional load"][..., None]
        occupied: FloatArray = 1.0 / (1.0 + np.exp(-(np.float32(load.mean_logit) + np.float32(load.spread_logit) * z)))
        return occupied

    def links(
        self,
        state: ChannelState,
        samples: Mapping[str, FloatArray],
        azimuth_rad: FloatArray,
        view: UserGeometry,
        quarter_turns: FloatArray | None,
    ) -> Links:
        """Return the links.

        Args:
            state: From `begin`.
            samples: Samples of ``skyline``, ``shadowing`` and (with rain) ``rain``.
            azimuth_rad: Azimuth of the nodes from the centre, [B, n, K].
            view: Angles and distances of the links.
            quarter_turns: Azimuth of each user's street in quarter turns, [B, n, U]; None without streets.
        """
        g = skyline.FIELD.evaluate(samples["skyline"], azimuth_rad)
        if quarter_turns is not None:
            street = (quarter_turns * (math.pi / 2)).astype(np.float32)[..., None]
            g = g + skyline.canyon_term(azimuth_rad[:, :, None], street, self._scenario.blockage.street_canyon)
        los = skyline.los(g, view.elevation_rad, self._los)
        field = self._shadow_field.evaluate(samples["shadowing"], azimuth_rad)
        predicted_db = np.log10(view.range_m)
        predicted_db *= np.float32(-20.0)
        predicted_db += self._budget_db
        predicted_db -= self._gas_db(view.elevation_rad)
        clear_db = predicted_db
        if view.sin2_off_axis is not None:
            clear_db = predicted_db + self._aperture.gain_db(view.sin2_off_axis)
            known = view.planned_sin2_off_axis is view.sin2_off_axis
            predicted_db = clear_db if known else predicted_db + self._aperture.gain_db(view.planned_sin2_off_axis)
        snr_db = clear_db - shadowing.excess_loss_db(field, los, view.elevation_rad, self._shadow)
        rain_db = self.rain_db(state, samples, view.elevation_rad)
        if self.rain_sites:
            snr_db -= rain_db
        return Links(los, snr_db, predicted_db, rain_db)

    def rain_db(self, state: ChannelState, samples: Mapping[str, FloatArray], elev_rad: FloatArray) -> FloatArray:
        """Return the rain attenuation at elevations [B, n, U, K], from the samples of ``rain``; 0 without rain."""
        if state.rain_site is None or state.rain_mixing is None:
            return np.zeros_like(elev_rad)
        scores = weather.correlate(samples["rain"], state.rain_mixing[:, None])[..., None]
        return weather.attenuation_db(scores, elev_rad, self._rain, state.rain_site[:, None, None, None])

    def _gas_db(self, elev_rad: FloatArray) -> FloatArray | np.float32:
        """Absorption after TR 38.811 clause 6.6.4: above 10 GHz, or above 1 GHz below 10 deg of elevation."""
        freq_hz = self._scenario.link.freq_hz
        high = freq_hz > 10e9
        if not high and (freq_hz <= 1e9 or self._scenario.slots.min_elevation_deg >= 10):
            return np.float32(0)
        gas_db: FloatArray = slant_gas_attenuation_db(self._zenith_gas_db, np.maximum(elev_rad, _LOWEST_RAD))
        return gas_db if high else np.where(elev_rad < np.float32(math.radians(10.0)), gas_db, np.float32(0))


def _sites_between(low_deg: float, high_deg: float) -> tuple[SiteClimate, ...]:
    sites = tuple(site for site in map(site_climate, site_names()) if low_deg <= math.degrees(site.lat_rad) <= high_deg)
    if not sites:
        raise ValueError(
            f"users.latitude_min_deg = {low_deg:g} to latitude_max_deg = {high_deg:g}: no site with a known rain "
            "climate lies there; widen the band or switch link.rain off"
        )
    return sites
