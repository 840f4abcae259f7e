"""From geometry to the power over noise of every link (path loss, line of sight, shadowing, fading); interference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.envs.multi_connectivity.station_table import station_table
from ntn_gym.physics.constants import BOLTZMANN_DBW_PER_K_HZ
from ntn_gym.physics.fading import shadowed_rician
from ntn_gym.physics.pathloss import free_space_path_loss_db, large_scale_table
from ntn_gym.world import shadowing, skyline
from ntn_gym.world.joint import Process

FloatArray = NDArray[Any]
_DB_TO_LN = math.log(10.0) / 10.0


def from_db(value_db: FloatArray) -> FloatArray:
    """Return 10^(x/10); float32 in, float32 out."""
    return np.exp(value_db * np.float32(_DB_TO_LN))


def to_db(ratio: FloatArray) -> FloatArray:
    """Return 10 log10(x)."""
    return np.float32(10.0) * np.log10(ratio)


def antennas_of_slots(scenario: Scenario) -> list[Any]:
    """Antenna settings of every slot of the sky."""
    tiers = [tier for tier in scenario.satellites for _ in range(tier.slots)]
    return tiers + ([] if scenario.platform is None else [scenario.platform])


def tier_of_slots(scenario: Scenario) -> NDArray[np.int64]:
    """Tier of every slot: satellite tiers and the platform in their order, then all stations."""
    tiers = [i for i, tier in enumerate(scenario.satellites) for _ in range(tier.slots)]
    if scenario.platform is not None:
        tiers.append(len(scenario.satellites))
    return np.array(tiers + [len(scenario.satellites) + 1] * scenario.n_station_slots)


def isolation_of_slots(scenario: Scenario) -> NDArray[np.float32]:
    """Power that a node sends to users it does not serve, relative to those it serves, by slot."""
    sky = [
        10.0 ** ((a.side_lobe_dbi - a.main_lobe_dbi) / 10.0) if scenario.combining.beamforming else 1.0
        for a in antennas_of_slots(scenario)
    ]
    return np.array(sky + [1.0] * scenario.n_station_slots, dtype=np.float32)


def eirp_density_dbw_hz(scenario: Scenario) -> NDArray[np.float32]:
    """EIRP density towards a served user, by slot of the sky."""
    return np.array(
        [
            a.power_dbm
            - 30.0
            + (a.main_lobe_dbi if scenario.combining.beamforming else a.wide_lobe_dbi)
            - 10.0 * math.log10(a.bandwidth_hz)
            for a in antennas_of_slots(scenario)
        ],
        dtype=np.float32,
    )


@dataclass(frozen=True)
class Fading:
    """Generators of block fading, one per world each."""

    power: list[np.random.Generator]
    scatter: list[np.random.Generator]


class Channel:
    """Everything random between nodes and users that no action changes."""

    def __init__(self, scenario: Scenario) -> None:
        """Prepare tables and name the Gauss-Markov processes."""
        self._scenario = scenario
        blockage, people = scenario.blockage, scenario.users
        self._sky_los = skyline.los_table(blockage.environment)
        self._field = shadowing.azimuth_field(math.radians(blockage.skyline_angle_deg))
        self._sky_shadow = shadowing.shadow_table(large_scale_table(blockage.environment, "S"))
        loss_1m_db = float(free_space_path_loss_db(1.0, scenario.terminal.freq_hz))
        self._sky_budget_db = eirp_density_dbw_hz(scenario) + np.float32(
            scenario.terminal.gt_db_k - BOLTZMANN_DBW_PER_K_HZ - loss_1m_db
        )
        self.stations = None if scenario.stations is None else station_table(scenario)
        blocked = max(1.0 - blockage.station_block_probability, 1e-9)
        self._block_threshold = np.float32(skyline.ndtri(blocked))
        speed = people.car_speed_m_s if people.motion != "train" else sum(people.train_speed_m_s) / 2
        groups = {"fast": (people.n_fast, speed), "slow": (people.count - people.n_fast, people.foot_speed_m_s)}
        self._groups = [name for name, (count, _) in groups.items() if count]
        self.processes: dict[str, Process] = {}
        for name in self._groups:
            count, v = groups[name]
            rate = v / blockage.block_distance_m + 1.0 / blockage.skyline_memory_s
            self.processes[f"skyline {name}"] = Process((count, self._field.n_coefficients), rate, quick=True)
            rate = v / blockage.sky_shadow_distance_m + blockage.sky_shadow_rate_per_s
            self.processes[f"sky shadow {name}"] = Process((count, scenario.n_sky_slots), rate)
            if scenario.n_station_slots:
                rate = v / blockage.station_shadow_distance_m + 1.0 / blockage.skyline_memory_s
                self.processes[f"station shadow {name}"] = Process((count, scenario.n_station_slots), rate)
        if blockage.common > 0:
            rate = speed / blockage.block_distance_m + 1.0 / blockage.skyline_memory_s
            self.processes["common skyline"] = Process((self._field.n_coefficients,), rate)

    def fresh(self, changed_sky: NDArray[np.bool_], changed: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
        """Say where a new node came into a slot: [B, n, sky slots] and [B, n, U, station slots]."""
        fast = self._scenario.users.n_fast
        users = {"fast": slice(0, fast), "slow": slice(fast, None)}
        result = {}
        for name in self._groups:
            count = self.processes[f"sky shadow {name}"].shape[0]
            shape = (*changed_sky.shape[:2], count, changed_sky.shape[2])
            result[f"sky shadow {name}"] = np.broadcast_to(changed_sky[:, :, None], shape).copy()
            if self._scenario.n_station_slots:
                result[f"station shadow {name}"] = changed[:, :, users[name]]
        return result

    def _joined(self, samples: Mapping[str, FloatArray], kind: str) -> FloatArray:
        parts = [samples[f"{kind} {name}"] for name in self._groups]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)

    def skylines(self, samples: Mapping[str, FloatArray]) -> FloatArray:
        """Return the coefficients of the users' skylines, [B, n, U, coefficients]."""
        own, common = self._joined(samples, "skyline"), self._scenario.blockage.common
        if common <= 0:
            return np.ascontiguousarray(own)
        return (
            np.float32(math.sqrt(1 - common)) * own
            + np.float32(math.sqrt(common)) * samples["common skyline"][:, :, None]
        )

    def sky_links(
        self,
        samples: Mapping[str, FloatArray],
        coefficients: FloatArray,
        azimuth_rad: FloatArray,
        elevation_rad: FloatArray,
        range_m: FloatArray,
    ) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
        """Return SNR and predicted SNR in dB and line of sight of links [B, n, U, sky slots].

        Source: 3GPP TR 38.811 clause 6.6 (free space, shadowing and clutter loss by elevation and state).
        """
        g = self._field.evaluate(coefficients, azimuth_rad)
        los = skyline.los(g, elevation_rad, self._sky_los)
        predicted_db = self._sky_budget_db - np.float32(20.0) * np.log10(range_m)
        field = self._joined(samples, "sky shadow")
        return predicted_db - shadowing.excess_loss_db(field, los, elevation_rad, self._sky_shadow), predicted_db, los

    def station_links(
        self,
        samples: Mapping[str, FloatArray],
        coefficients: FloatArray,
        azimuth_rad: FloatArray,
        distance_m: FloatArray,
    ) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
        """Return SNR and predicted SNR in dB of links [B, n, U, station slots], and where nothing blocks them."""
        table, blockage = self.stations, self._scenario.blockage
        assert table is not None
        g = self._field.evaluate(coefficients, azimuth_rad)
        cell = table.cell(distance_m)
        los = g < table.los_threshold.take(cell)
        mean_db = table.snr_nlos_db.take(cell)
        blocked = (g > self._block_threshold) & ~los
        snr_db = np.where(los, table.snr_los_db.take(cell), mean_db)
        snr_db += np.float32(blockage.station_shadow_db) * self._joined(samples, "station shadow")
        snr_db -= np.float32(blockage.station_block_db) * blocked
        expected_db = mean_db - np.float32(blockage.station_block_db * blockage.station_block_probability)
        return snr_db, expected_db, ~blocked

    def strength(self, distance_m: FloatArray) -> FloatArray:
        """Return the mean power over noise of stations at distances, for interference of stations in no slot."""
        assert self.stations is not None
        power = from_db(self.stations.snr_nlos_db.take(self.stations.cell(distance_m)))
        power[distance_m > 1e6] = 0.0  # stations that do not exist
        return power

    # ------------------------------------------------------------------ fading

    def begin_fading(self, keys: Sequence[WorldKey]) -> Fading | None:
        """Name the generators; None where fading is averaged."""
        if self._scenario.channel.fading == "averaged":
            return None
        return Fading(process_generators(keys, "fading power"), process_generators(keys, "fading scatter"))

    def fade_db(self, fading: Fading | None, n_steps: int) -> FloatArray | None:
        """Draw the block fading of all links in dB, [B, n, U, K]; None where it is averaged.

        Source: Nakagami-m power is gamma distributed (Simon and Alouini, equation 2.21); shadowed Rician is a
        Nakagami-faded direct component plus a complex normal one (Abdi et al. 2003), here with unit mean.
        """
        if fading is None:
            return None
        scenario, settings = self._scenario, self._scenario.channel
        n_sky, shape = scenario.n_sky_slots, (n_steps, scenario.users.count, scenario.n_slots)
        m = np.array([settings.sky_m] * n_sky + [settings.station_m] * scenario.n_station_slots)
        land_mobile = settings.fading == "shadowed-rician"
        parameters = shadowed_rician(settings.shadowed_rician)
        if land_mobile:
            m[:n_sky] = parameters.m
        power = np.stack([g.standard_gamma(m, size=shape) / m for g in fading.power])
        if land_mobile:
            scatter = np.stack([g.standard_normal((*shape[:2], n_sky, 2)) for g in fading.scatter])
            scatter *= math.sqrt(parameters.b)
            direct = np.sqrt(parameters.omega * power[..., :n_sky])
            power[..., :n_sky] = ((direct + scatter[..., 0]) ** 2 + scatter[..., 1] ** 2) / parameters.mean_power
        return to_db(np.maximum(power, 1e-9).astype(np.float32))


def reserved_sinr_db(
    snr_db: FloatArray, held: NDArray[np.bool_], far: FloatArray, scenario: Scenario, isolation: FloatArray
) -> FloatArray:
    """Add the interference of the other nodes of the same tier, each tier in a band of its own.

    Satellites of a tier radiate all the time, through their side lobes; stations are active part of the time.

    Args:
        snr_db: [B, n, U, K].
        held: Slots that hold a node, [B, n, U, K].
        far: Power of the stations in no slot over the noise, [B, n, U]; 0 without stations.
        scenario: Gives the activity of stations.
        isolation: `isolation_of_slots`.
    """
    n_slots, n_sky = scenario.n_slots, scenario.n_sky_slots
    activity = np.float32(0.0 if scenario.stations is None else scenario.stations.activity)
    weight = np.where(np.arange(n_slots) < n_sky, isolation, activity).astype(np.float32)
    # One column more: the neighbour of a slot that is alone in its tier.
    power = np.zeros((*snr_db.shape[:-1], n_slots + 1), dtype=np.float32)
    np.multiply(from_db(snr_db), held * weight, out=power[..., :-1])
    noise = np.ones_like(snr_db)
    noise[..., n_sky:] += (activity * far)[..., None].astype(np.float32)
    # The others are added, never subtracted from a sum: next to a strong own signal nothing would be left of them.
    for neighbours in _neighbours_of_slots(scenario):
        noise += power.take(neighbours, axis=-1)
    return snr_db - to_db(noise)


@lru_cache(maxsize=16)
def _neighbours_of_slots(scenario: Scenario) -> tuple[NDArray[np.intp], ...]:
    """Return the second, third, ... slot of the same tier for every slot, cyclically; the number of slots for none."""
    tier = tier_of_slots(scenario)
    rounds = []
    for shift in range(1, int(np.bincount(tier).max())):
        row = np.full(len(tier), len(tier), dtype=np.intp)
        for one in np.unique(tier):
            group = np.flatnonzero(tier == one)
            if shift < len(group):
                row[group] = np.roll(group, -shift)
        rounds.append(row)
    return tuple(rounds)
