"""Everything that can be set in a Handover scenario, with units and legal ranges."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Environment = Literal["dense_urban", "urban", "suburban", "rural"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class WalkerSky(_Part):
    """A Walker constellation on circular orbits with J2 node drift."""

    kind: Literal["walker"] = "walker"
    pattern: Literal["delta", "star"] = "delta"
    inclination_deg: float = Field(53.0, ge=0, le=180)
    satellites: int = Field(1584, ge=1, le=20_000)
    planes: int = Field(72, ge=1, le=1000)
    phasing: int = Field(39, ge=0)
    altitude_m: float = Field(550e3, ge=160e3, le=36_000e3)

    @model_validator(mode="after")
    def _planes_divide(self) -> WalkerSky:
        if self.satellites % self.planes:
            raise ValueError(f"satellites = {self.satellites} must be a multiple of planes = {self.planes}")
        if self.phasing >= self.planes:
            raise ValueError(f"phasing = {self.phasing}: allowed are 0 to planes - 1 = {self.planes - 1}")
        return self


class TleSky(_Part):
    """Real satellites: two-line elements propagated by SGP4."""

    kind: Literal["tle"] = "tle"
    file: str = Field(
        "iridium-next",
        description="A shipped set (iridium-next, starlink-53, ...) or the path of a TLE file.",
    )


class HapsSky(_Part):
    """A multi-beam high-altitude platform that sways, turns and tilts in the wind.

    Every motion is a narrow-band Gauss-Markov oscillation with the given root-mean-square amplitude and period.
    """

    kind: Literal["haps"] = "haps"
    altitude_m: float = Field(20e3, ge=15e3, le=50e3)
    cell_radius_m: float = Field(4e3, ge=200, le=100e3)
    sway_rms_m: float = Field(150.0, ge=0, le=5e3)
    sway_period_s: float = Field(120.0, ge=2)
    vertical_rms_m: float = Field(100.0, ge=0, le=2e3)
    vertical_period_s: float = Field(300.0, ge=2)
    tilt_rms_deg: float = Field(1.5, ge=0, le=10)
    tilt_period_s: float = Field(40.0, ge=2)
    yaw_rms_deg: float = Field(4.0, ge=0, le=45)
    yaw_period_s: float = Field(90.0, ge=2)
    memory_s: float = Field(300.0, gt=0, description="Correlation time of the amplitudes.")


Sky = Annotated[WalkerSky | TleSky | HapsSky, Field(discriminator="kind")]


class Slots(_Part):
    """What an action chooses among."""

    kind: Literal["beam", "satellite"] = Field(
        "beam",
        description="beam: one pass of one earth-moving beam; satellite: one pass of a satellite that keeps a steered "
        "beam on the user.",
    )
    count: int = Field(8, ge=2, le=64)
    min_elevation_deg: float = Field(35.0, ge=0, le=89)
    rings: int = Field(4, ge=0, le=8, description="Hexagonal rings of beams around the central one (4: 61 beams).")
    beam_edge_db: float = Field(-9.0, ge=-20, le=-1, description="A beam is offered while its gain is above this.")
    empty_steps: int = Field(1, ge=1, description="Steps that a slot stays empty after its pass has set.")


class Link(_Part):
    """The service link, downlink."""

    band: Literal["S", "Ka"] = "S"
    freq_hz: float = Field(2e9, ge=0.5e9, le=50e9)
    bandwidth_hz: float = Field(30e6, gt=0, le=1e9)
    eirp_density_dbw_mhz: float = Field(28.0, ge=-30, le=80)
    aperture_m: float = Field(1.0, gt=0, le=30, description="Diameter of the beam's antenna (sets its width).")
    terminal_gt_db_k: float = Field(-31.6, ge=-60, le=40)
    rain: bool = Field(False, description="Rain fading after ITU-R P.618 at real sites (use above 10 GHz).")
    intra_satellite_isolation_db: float = Field(
        15.0,
        ge=0,
        le=60,
        description="Serving power over the sum of the co-channel beams of the same satellite.",
    )
    inter_slot_isolation_db: float = Field(
        18.0,
        ge=0,
        le=60,
        description="Suppression of the other slots' signals (reuse, polarisation, coordination).",
    )
    efficiency_gap: float = Field(0.65, gt=0, le=1, description="Attenuated Shannon: factor on log2(1 + SINR).")
    efficiency_cap_bit_s_hz: float = Field(4.8, gt=0, le=12)


class Users(_Part):
    """Who is served: users of one region, who share the list of slots."""

    count: int = Field(1, ge=1, le=200)
    motion: Literal["static", "pedestrian", "vehicle", "ship", "aircraft"] = "pedestrian"
    speed_m_s: float | None = Field(None, ge=0, le=350, description="None: the usual speed of this motion.")
    region_radius_m: float = Field(10e3, ge=0, le=50e3)
    latitude_min_deg: float = Field(25.0, ge=-85, le=85)
    latitude_max_deg: float = Field(55.0, ge=-85, le=85)

    @model_validator(mode="after")
    def _ordered(self) -> Users:
        if self.latitude_min_deg > self.latitude_max_deg:
            raise ValueError(
                f"latitude_min_deg = {self.latitude_min_deg} is above latitude_max_deg = {self.latitude_max_deg}"
            )
        if self.motion == "static" and self.speed_m_s:
            raise ValueError(f"speed_m_s = {self.speed_m_s} m/s: static users stand still; leave it out or set motion")
        return self


class Blockage(_Part):
    """Line of sight after TR 38.811 with memory, and shadowing."""

    environment: Environment = "rural"
    block_distance_m: float = Field(50.0, gt=0, description="Way after which the skyline has changed (1/e).")
    skyline_memory_s: float = Field(300.0, gt=0, description="Time after which a static user's skyline has changed.")
    shadow_distance_m: float = Field(37.0, gt=0)
    shadow_angle_deg: float = Field(8.0, gt=0)
    street_canyon: float = Field(0.0, ge=0, le=2, description="Strength of the street-canyon term; 0: none.")
    street_block_m: float = Field(200.0, gt=0, description="Mean way between two turns into another street.")


class Load(_Part):
    """Traffic of others: each cell's occupied share, a squashed Gauss-Markov process."""

    mean_logit: float = Field(0.0, ge=-6, le=6)
    spread_logit: float = Field(1.0, ge=0, le=6)
    memory_s: float = Field(60.0, gt=0)
    regional_share: float = Field(0.3, ge=0, le=1)
    broadcast_period_s: float = Field(5.0, gt=0)


class Measurement(_Part):
    """What a terminal measures."""

    error_db: float = Field(1.5, ge=0, le=20)
    filter_weight: float = Field(0.5, gt=0, le=1, description="Weight of the newest sample in the L3 filter.")
    neighbour_period_s: float = Field(1.0, gt=0, description="Time between two measurements of the same neighbour.")


class Protocol(_Part):
    """Radio link failure, re-establishment and handover execution."""

    qout_db: float = Field(-6.0, ge=-30, le=10)
    qin_db: float = Field(-4.0, ge=-30, le=12)
    t310_s: float = Field(2.0, gt=0)
    reestablishment_s: float = Field(3.0, gt=0)
    interruption_s: float = Field(0.15, ge=0, le=10, description="Fixed part of the interruption of a handover.")
    interruption_round_trips: float = Field(2.0, ge=0, le=10, description="Round trips to the target on top of it.")
    needs_serving_link: bool = Field(
        True,
        description="A handover command is lost when the serving SINR is below Qout; only RLF leads out.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Protocol:
        if self.qin_db < self.qout_db:
            raise ValueError(f"qin_db = {self.qin_db} must not be below qout_db = {self.qout_db}")
        return self


class Reward(_Part):
    """Prices, in seconds of full utility, so that changing dt does not change the problem."""

    handover_utility_s: float = Field(0.15, ge=0)
    failure_utility_s: float = Field(0.5, ge=0)
    reference_rate_bit_s: float = Field(2e6, gt=0, description="Rate R0 in u = log(1 + R/R0) / log(1 + Rmax/R0).")


class Scenario(_Part):
    """One Handover problem: sky, link, users, weather of the channel, protocol and prices."""

    name: str = "custom"
    description: str = ""
    steps: int = Field(300, ge=2, le=100_000)
    dt_s: float = Field(1.0, gt=0, le=60)
    remaining_horizon_s: float = Field(300.0, gt=0, description="Predicted remaining times are known up to here.")
    sky: Sky = WalkerSky()
    slots: Slots = Slots()
    link: Link = Link()
    users: Users = Users()
    blockage: Blockage = Blockage()
    load: Load = Load()
    measurement: Measurement = Measurement()
    protocol: Protocol = Protocol()
    reward: Reward = Reward()

    @model_validator(mode="after")
    def _timers_fit(self) -> Scenario:
        if self.protocol.t310_s < 2 * self.dt_s:
            raise ValueError(
                f"protocol.t310_s = {self.protocol.t310_s} s must be at least 2 dt_s = {2 * self.dt_s} s: with a "
                "shorter timer one bad sample is a failure and the result an artefact of the step; raise t310_s or "
                "lower dt_s"
            )
        for name, value in (
            ("protocol.t310_s", self.protocol.t310_s),
            ("protocol.reestablishment_s", self.protocol.reestablishment_s),
            ("load.broadcast_period_s", self.load.broadcast_period_s),
            ("measurement.neighbour_period_s", self.measurement.neighbour_period_s),
        ):
            ratio = value / self.dt_s
            if round(ratio) < 1 or abs(ratio - round(ratio)) > 1e-9:
                raise ValueError(f"{name} = {value} s must be a multiple of dt_s = {self.dt_s} s")
        if self.link.rain and self.link.band != "Ka":
            raise ValueError("link.rain = true needs link.band = Ka; below 10 GHz rain does not matter")
        if self.link.rain and self.users.motion == "aircraft":
            raise ValueError("link.rain = true with users.motion = aircraft: an aircraft flies above rain; use false")
        if self.sky.kind == "haps" and self.slots.kind != "beam":
            raise ValueError("a HAPS sky needs slots.kind = beam: its cells are its beams")
        return self

    @property
    def t310_steps(self) -> int:
        """Out-of-sync steps until radio link failure."""
        return round(self.protocol.t310_s / self.dt_s)

    @property
    def reestablishment_steps(self) -> int:
        """Steps without service after a failure."""
        return round(self.protocol.reestablishment_s / self.dt_s)

    @property
    def max_rate_bit_s(self) -> float:
        """Rate of one user alone in an empty cell at the highest spectral efficiency."""
        return self.link.bandwidth_hz * self.link.efficiency_cap_bit_s_hz
