"""The exogenous world of Handover: passes, users, channel and load, drawn many steps at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.core.task import Arrays, FieldSpec
from ntn_gym.envs.handover.channel import CROWD, Channel, ChannelState, from_db
from ntn_gym.envs.handover.geometry import Schedule, SkyModel
from ntn_gym.envs.handover.platform_sky import PlatformSky
from ntn_gym.envs.handover.satellite_sky import SatelliteSky
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.envs.handover.view import centre_rates, user_geometry
from ntn_gym.physics.constants import SPEED_OF_LIGHT_M_S
from ntn_gym.world import processes, tabulated, users
from ntn_gym.world.joint import JointProcesses, JointState, Process

FloatArray = NDArray[Any]
_DEG_PER_RAD = np.float32(180.0) / np.float32(math.pi)
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
        ("predicted_snr_db", links, "float32", "dB", -200, 120, "clear-sky SNR from ephemeris, beam and gas"),
        ("rain_db", links, "float32", "dB", 0, 500, "rain attenuation, 0 where the scenario has none"),
        ("snr_db", links, "float32", "dB", -700, 150, "SNR with blockage, shadowing and rain"),
        ("sinr_db", links, "float32", "dB", -700, 150, "SINR with the interference of the other cells"),
        ("los", links, "bool", "0/1", 0, 1, "line of sight"),
        ("load", slots, "float32", "share", 0, 1, "share of the cell that others occupy"),
        ("measurement_error_db", links, "float32", "dB", -100, 100, "error of this step's SINR measurement"),
        ("user_course_deg", people, "float32", "deg", -1e6, 1e6, "course (or street) of the user"),
        ("user_lat_deg", people, "float32", "deg", -90, 90, "latitude of the user"),
        ("user_lon_deg", people, "float32", "deg", -720, 720, "longitude of the user"),
        ("node_lat_deg", slots, "float32", "deg", -90, 90, "geodetic latitude of the node's sub-point"),
        ("node_lon_deg", slots, "float32", "deg", -720, 720, "longitude of the node's sub-point"),
    ]
    return {row[0]: FieldSpec(*row) for row in rows}


@dataclass(frozen=True)
class HandoverWorldState:
    """State of B worlds between two chunks; leading axis: world.

    Attributes:
        step: Steps drawn so far, [B].
        region: Where the users are and what they plan.
        schedule: What stands in the slots over the whole episode.
        sky: What the geometry remembers.
        channel: What the channel remembers.
        random: The Gauss-Markov processes.
        place_m: Deviation of each user from its plan, [B, U, 2].
        error_generators: Generators of the measurement errors.
        last_pass: Pass in each slot in the last step, [B, K].
    """

    step: NDArray[np.intp]
    region: users.Region
    schedule: Schedule
    sky: Any
    channel: ChannelState
    random: JointState
    place_m: FloatArray
    error_generators: list[np.random.Generator]
    last_pass: NDArray[np.int32]


class HandoverWorld:
    """Draws the trace of a Handover scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Build (or share) the ephemeris and prepare tables."""
        self._scenario = scenario
        motion, speed = scenario.users.motion, scenario.users.speed_m_s
        self._speed_m_s = users.USUAL_SPEED_M_S[motion] if speed is None else speed
        horizon_steps = math.ceil(scenario.remaining_horizon_s / scenario.dt_s)
        self._sky: SkyModel = (
            PlatformSky(scenario) if scenario.sky.kind == "haps" else SatelliteSky(scenario, horizon_steps)
        )
        self._channel = Channel(scenario, self._speed_m_s)
        sites = self._channel.rain_sites
        self._places_rad = np.array([(site.lat_rad, site.lon_rad) for site in sites]) if sites else None
        wander = Process((scenario.users.count, 2), 1.0 / users.DEVIATION_MEMORY_S)
        self._random = JointProcesses(
            {**self._channel.processes, **self._sky.processes, "wander": wander}, scenario.dt_s
        )
        self.fields = trace_fields(scenario)

    def begin(self, keys: Sequence[WorldKey]) -> HandoverWorldState:
        """Place the regions, plan the passes of the whole episode and draw the first states."""
        scenario, people = self._scenario, self._scenario.users
        region, site = users.place_region(
            process_generators(keys, "place"),
            people.count,
            people.motion,
            self._speed_m_s,
            people.region_radius_m,
            (math.radians(people.latitude_min_deg), math.radians(people.latitude_max_deg)),
            self._places_rad,
            follows_users=scenario.sky.kind != "haps",  # a platform keeps its station
        )
        path = partial(users.centre_site, region, people.motion)
        schedule, sky = self._sky.begin(keys, path, region.offset_m.mean(axis=1))
        return HandoverWorldState(
            step=np.zeros(len(keys), dtype=np.intp),
            region=region,
            schedule=schedule,
            sky=sky,
            channel=self._channel.begin(keys, site, region.offset_m),
            random=self._random.start({name: process_generators(keys, name) for name in self._random.members}),
            place_m=np.zeros((len(keys), people.count, 2)),
            error_generators=process_generators(keys, "measurement"),
            last_pass=np.full((len(keys), scenario.slots.count), -2, dtype=np.int32),
        )

    def advance(self, state: HandoverWorldState, n_steps: int) -> tuple[HandoverWorldState, Arrays]:
        """Draw the next steps of all worlds (they must stand at the same step)."""
        scenario, region = self._scenario, state.region
        first = int(state.step[0])
        step = first + np.arange(n_steps)
        time_s = step * scenario.dt_s
        pass_id = state.schedule.pass_id[:, first : first + n_steps]
        before = np.concatenate([state.last_pass[:, None], pass_id[:, :-1]], axis=1)
        # A new pass is a new cell with a load of its own.
        random, samples = self._random.advance(state.random, n_steps, fresh={"load": pass_id != before})

        path = partial(users.centre_site, region, scenario.users.motion)
        nodes = self._sky.advance(state.sky, state.schedule, first, n_steps, path, samples)
        deviation_m = users.wander(samples["wander"], state.place_m, self._speed_m_s, scenario.dt_s)
        place_m = users.plan_offsets(region, self._speed_m_s, time_s) + deviation_m
        view = user_geometry(nodes, place_m.astype(np.float32))
        azimuth_rad, elevation_rate, range_rate = centre_rates(nodes)
        channel, quarter_turns = self._channel.streets(state.channel, n_steps)
        links = self._channel.links(channel, samples, azimuth_rad, view, quarter_turns)
        load = self._channel.loads(samples)
        draw = tabulated.draw_normal if scenario.users.count >= CROWD else processes.draw_normal
        error = draw(state.error_generators, n_steps, (scenario.users.count, scenario.slots.count))

        empty = pass_id < 0
        # Operations on arrays of one shape are several times as fast as broadcasting.
        hidden = np.repeat(empty[:, :, None], scenario.users.count, axis=2)
        zero, nothing = np.float32(0), np.float32(NOTHING_DB)

        def shown(values: FloatArray, otherwise: np.float32 = zero) -> FloatArray:
            """Fill empty slots, in place: nobody else has these arrays."""
            np.copyto(values, otherwise, where=hidden)
            return values

        snr_db = shown(links.snr_db, nothing)
        remaining = np.where(empty, 0, state.schedule.set_step[:, first : first + n_steps] - step[:, None])
        course_deg = np.degrees(region.course_rad)[:, None] if quarter_turns is None else 90.0 * quarter_turns
        user_lat, user_lon = users.lat_lon_deg(region, scenario.users.motion, time_s, place_m)
        arrays: Arrays = {
            "pass_id": pass_id,
            "remaining_s": (remaining * scenario.dt_s).astype(np.float32),
            "azimuth_deg": np.where(empty, zero, np.degrees(azimuth_rad)),
            "elevation_deg": shown(view.elevation_rad * _DEG_PER_RAD),
            "elevation_rate_deg_s": np.where(empty, zero, elevation_rate),
            "range_m": shown(view.range_m),
            "doppler_hz": np.where(empty, zero, range_rate * np.float32(-scenario.link.freq_hz / SPEED_OF_LIGHT_M_S)),
            "predicted_snr_db": shown(links.predicted_snr_db, nothing),
            "rain_db": shown(links.rain_db),
            "snr_db": snr_db,
            "sinr_db": shown(sinr_db(snr_db, load, scenario), nothing),
            "los": links.los > hidden,
            "load": np.where(empty, zero, load),
            "measurement_error_db": error * np.float32(scenario.measurement.error_db),
            "user_course_deg": np.broadcast_to(course_deg, user_lat.shape).astype(np.float32),
            "user_lat_deg": user_lat,
            "user_lon_deg": user_lon,
            "node_lat_deg": np.where(empty, zero, nodes.lat_deg),
            "node_lon_deg": np.where(empty, zero, nodes.lon_deg),
        }
        return (
            HandoverWorldState(
                state.step + n_steps,
                region,
                state.schedule,
                state.sky,
                channel,
                random,
                deviation_m[:, -1].copy(),
                state.error_generators,
                pass_id[:, -1].copy(),
            ),
            arrays,
        )


def sinr_db(snr_db: FloatArray, load: FloatArray, scenario: Scenario) -> FloatArray:
    """Add interference: co-channel beams of the same node, and the other slots as far as they are loaded.

    Both follow the received power of their signal, so blockage, shadowing and rain act on interference as well.

    Args:
        snr_db: SNR of all slots, [B, n, U, K].
        load: Loads of their cells, [B, n, K].
        scenario: Gives the isolations.

    Returns:
        SINR, [B, n, U, K].
    """
    link = scenario.link
    snr = from_db(snr_db)
    inter = np.float32(10 ** (-link.inter_slot_isolation_db / 10))
    intra = np.float32(10 ** (-link.intra_satellite_isolation_db / 10))
    active = snr * np.repeat(load[:, :, None], snr.shape[2], axis=2)
    # A sum over slots in a fixed order: the result must not depend on the size of the batch.
    total = active[..., 0].copy()
    for k in range(1, active.shape[-1]):
        total += active[..., k]
    interference = np.repeat(total[..., None], active.shape[-1], axis=-1)
    interference -= active
    interference *= inter
    snr *= intra
    interference += snr
    interference += np.float32(1.0)
    result: FloatArray = np.log10(interference, out=interference)
    result *= np.float32(-10.0)
    result += snr_db
    return result
