"""The exogenous world of Handover: passes, users, channel and load, drawn many steps at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.core.task import Arrays, FieldSpec
from ntn_gym.envs.handover.channel import Channel, ChannelState, from_db
from ntn_gym.envs.handover.geometry import Schedule, local_frame, make_sky
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.envs.handover.view import centre_rates, user_geometry
from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M, SPEED_OF_LIGHT_M_S
from ntn_gym.world import processes, users

FloatArray = NDArray[Any]
NOTHING_DB = -60.0
"""SNR written into empty slots."""


def trace_fields(scenario: Scenario) -> dict[str, FieldSpec]:
    """Names, shapes, units and legal ranges of a Handover trace."""
    slots, links = (scenario.slots.count,), (scenario.users.count, scenario.slots.count)
    people = (scenario.users.count,)
    rows = [
        ("pass_id", slots, "int32", "number", -1, 2**31 - 1, "pass in the slot, -1 where empty"),
        ("remaining_s", slots, "float32", "s", 0, 1e6, "predicted time until the pass sets"),
        (
            "azimuth_deg",
            slots,
            "float32",
            "deg",
            -360,
            360,
            "azimuth of the node from the centre of the region",
        ),
        ("elevation_deg", links, "float32", "deg", -90, 90, "elevation of the node"),
        ("elevation_rate_deg_s", slots, "float32", "deg/s", -90, 90, "predicted rate of the elevation"),
        ("range_m", links, "float32", "m", 0, 1e8, "distance to the node"),
        ("doppler_hz", slots, "float32", "Hz", -1e7, 1e7, "Doppler shift of the carrier at the centre"),
        ("predicted_snr_db", links, "float32", "dB", -200, 120, "clear-sky SNR from ephemeris and beam"),
        ("snr_db", links, "float32", "dB", -300, 150, "SNR with blockage, shadowing and rain"),
        ("sinr_db", links, "float32", "dB", -300, 150, "SINR with the interference of the other cells"),
        ("los", links, "bool", "0/1", 0, 1, "line of sight"),
        ("load", slots, "float32", "share", 0, 1, "share of the cell that others occupy"),
        ("measurement_error_db", links, "float32", "dB", -100, 100, "error of this step's SINR measurement"),
        ("user_course_deg", people, "float32", "deg", -1e6, 1e6, "course (or street) of the user"),
        ("user_lat_deg", people, "float32", "deg", -90, 90, "latitude of the user"),
        ("user_lon_deg", people, "float32", "deg", -720, 720, "longitude of the user"),
        ("node_lat_deg", slots, "float32", "deg", -90, 90, "latitude of the node's sub-point"),
        ("node_lon_deg", slots, "float32", "deg", -720, 720, "longitude of the node's sub-point"),
    ]
    return {row[0]: FieldSpec(*row) for row in rows}


@dataclass(frozen=True)
class HandoverWorldState:
    """State of B worlds between two chunks; leading axis: world."""

    step: NDArray[np.intp]
    region: users.Region
    schedule: Schedule
    sky: Any
    channel: ChannelState
    wander_generators: list[np.random.Generator]
    wander: users.WanderState
    error_generators: list[np.random.Generator]
    last_pass: NDArray[np.int32]


class HandoverWorld:
    """Draws the trace of a Handover scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Build (or share) the ephemeris and prepare tables."""
        self._scenario = scenario
        motion = scenario.users.motion
        speed = scenario.users.speed_m_s
        self._speed_m_s = users.USUAL_SPEED_M_S[motion] if speed is None else speed
        self._sky = make_sky(scenario)
        self._channel = Channel(scenario, self._speed_m_s)
        self.fields = trace_fields(scenario)

    def begin(self, keys: Sequence[WorldKey]) -> HandoverWorldState:
        """Place the regions, plan the passes of the whole episode and draw the first states."""
        scenario, people = self._scenario, self._scenario.users
        region, _ = users.place_region(
            process_generators(keys, "place"),
            people.count,
            people.motion,
            people.region_radius_m,
            (math.radians(people.latitude_min_deg), math.radians(people.latitude_max_deg)),
        )
        horizon = math.ceil(scenario.remaining_horizon_s / scenario.dt_s)
        plan_s = np.arange(scenario.steps + 1 + horizon) * scenario.dt_s
        plan, _, _ = users.centre_path(region, self._speed_m_s, people.motion, plan_s)
        schedule, sky = self._sky.begin(keys, plan, region.offset_m.mean(axis=1))
        wander_g = process_generators(keys, "wander")
        return HandoverWorldState(
            step=np.zeros(len(keys), dtype=np.intp),
            region=region,
            schedule=schedule,
            sky=sky,
            channel=self._channel.begin(keys),
            wander_generators=wander_g,
            wander=users.start_wander(wander_g, people.count),
            error_generators=process_generators(keys, "measurement"),
            last_pass=np.full((len(keys), scenario.slots.count), -2, dtype=np.int32),
        )

    def advance(self, state: HandoverWorldState, n_steps: int) -> tuple[HandoverWorldState, Arrays]:
        """Draw the next steps of all worlds (they must stand at the same step)."""
        scenario = self._scenario
        dt_s = scenario.dt_s
        first = int(state.step[0])
        steps = np.s_[:, first : first + n_steps]
        time_s = np.broadcast_to((first + np.arange(n_steps)) * dt_s, (len(state.step), n_steps))
        motion = scenario.users.motion
        site, lat_rad, lon_rad = users.centre_path(state.region, self._speed_m_s, motion, time_s)
        sky, nodes = self._sky.advance(state.sky, state.schedule, first, site, local_frame(lat_rad, lon_rad))
        wander, deviation_m = users.advance_wander(
            state.wander_generators, state.wander, n_steps, self._speed_m_s, dt_s
        )
        place_m = users.plan_offsets(state.region, self._speed_m_s, time_s) + deviation_m

        pass_id = state.schedule.pass_id[steps]
        empty = pass_id < 0
        view = user_geometry(nodes, place_m.astype(np.float32))
        azimuth_rad, elevation_rate, range_rate = centre_rates(nodes)
        quarter_turns, turns = self._channel.streets(state.channel, n_steps)
        links, skyline_state, shadow_state = self._channel.links(
            state.channel, n_steps, azimuth_rad, view, quarter_turns
        )
        before = np.concatenate([state.last_pass[:, None], pass_id[:, :-1]], axis=1)
        load, load_state, region_state = self._channel.loads(state.channel, n_steps, pass_id != before)
        error = processes.draw_normal(state.error_generators, n_steps, (scenario.users.count, scenario.slots.count))
        hidden = empty[:, :, None]
        snr_db = np.where(hidden, np.float32(NOTHING_DB), links.snr_db)
        remaining_steps = np.where(empty, 0, state.schedule.set_step[steps] - (first + np.arange(n_steps))[:, None])
        course_deg = np.degrees(state.region.course_rad)[:, None] + np.zeros_like(quarter_turns)
        if scenario.blockage.street_canyon > 0:
            course_deg = 90.0 * quarter_turns
        zero = np.float32(0.0)
        user_lat = np.degrees(lat_rad)[..., None] + np.degrees(place_m[..., 1] / EARTH_MEAN_RADIUS_M)
        user_lon = np.degrees(lon_rad)[..., None] + np.degrees(
            place_m[..., 0] / (EARTH_MEAN_RADIUS_M * np.cos(lat_rad)[..., None])
        )
        arrays: Arrays = {
            "pass_id": pass_id,
            "remaining_s": (remaining_steps * dt_s).astype(np.float32),
            "azimuth_deg": np.where(empty, zero, np.degrees(azimuth_rad)),
            "elevation_deg": np.where(hidden, zero, view.elevation_deg),
            "elevation_rate_deg_s": np.where(empty, zero, elevation_rate),
            "range_m": np.where(hidden, zero, view.range_m),
            "doppler_hz": np.where(empty, zero, range_rate * np.float32(-scenario.link.freq_hz / SPEED_OF_LIGHT_M_S)),
            "predicted_snr_db": np.where(hidden, np.float32(NOTHING_DB), links.predicted_snr_db),
            "snr_db": snr_db,
            "sinr_db": np.where(hidden, np.float32(NOTHING_DB), self._sinr_db(snr_db, load)),
            "los": links.los & ~hidden,
            "load": np.where(empty, zero, load),
            "measurement_error_db": error * np.float32(scenario.measurement.error_db),
            "user_course_deg": course_deg.astype(np.float32),
            "user_lat_deg": user_lat.astype(np.float32),
            "user_lon_deg": user_lon.astype(np.float32),
            "node_lat_deg": np.where(empty, zero, nodes.lat_deg),
            "node_lon_deg": np.where(empty, zero, nodes.lon_deg),
        }
        channel = ChannelState(
            state.channel.skyline_generators,
            skyline_state,
            state.channel.shadow_generators,
            shadow_state,
            state.channel.street_generators,
            state.channel.first_street,
            turns,
            state.channel.load_generators,
            load_state,
            state.channel.region_generators,
            region_state,
        )
        return (
            HandoverWorldState(
                state.step + n_steps,
                state.region,
                state.schedule,
                sky,
                channel,
                state.wander_generators,
                wander,
                state.error_generators,
                pass_id[:, -1].copy(),
            ),
            arrays,
        )

    def _sinr_db(self, snr_db: FloatArray, load: FloatArray) -> FloatArray:
        """Add interference: co-channel beams of the same node, and the other slots as far as they are loaded.

        Both follow the received power of their signal, so blockage and shadowing act on interference as well.
        """
        link = self._scenario.link
        snr = from_db(snr_db)
        inter = np.float32(10 ** (-link.inter_slot_isolation_db / 10))
        intra = np.float32(10 ** (-link.intra_satellite_isolation_db / 10))
        active = snr * load[:, :, None]
        # A sum over slots in a fixed order: the result must not depend on the size of the batch.
        total = active[..., 0].copy()
        for k in range(1, active.shape[-1]):
            total += active[..., k]
        interference = intra * snr + inter * (total[..., None] - active)
        return np.float32(10.0) * np.log10(snr / (np.float32(1.0) + interference))
