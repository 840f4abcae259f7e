"""Parts of a MultiConnectivity scenario. "Chosen" numbers are this package's; the others name their source."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Environment = Literal["dense_urban", "urban", "suburban", "rural"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Walker(_Part):
    """A Walker constellation on circular orbits with J2 node drift."""

    kind: Literal["walker"] = "walker"
    pattern: Literal["delta", "star"] = "delta"
    inclination_deg: float = Field(53.0, ge=0, le=180)
    satellites: int = Field(300, ge=1, le=20_000)
    planes: int = Field(20, ge=1, le=1000)
    phasing: int = Field(7, ge=0)
    altitude_m: float = Field(500e3, ge=160e3, le=36_000e3)

    @model_validator(mode="after")
    def _planes_divide(self) -> Walker:
        if self.satellites % self.planes:
            raise ValueError(f"satellites = {self.satellites} must be a multiple of planes = {self.planes}")
        if self.phasing >= self.planes:
            raise ValueError(f"phasing = {self.phasing}: allowed are 0 to planes - 1 = {self.planes - 1}")
        return self


class Elements(_Part):
    """Real satellites: shipped two-line elements propagated by SGP4."""

    kind: Literal["tle"] = "tle"
    file: str = Field("starlink-53", description="Name of a shipped set, e.g. starlink-53, iridium-next.")


class Antenna(_Part):
    """Transmitter of a node. EIRP = power + main lobe with beamforming, power + wide lobe without."""

    power_dbm: float = Field(47.0, ge=-30, le=80)
    main_lobe_dbi: float = Field(30.0, ge=-10, le=60, description="Towards the served user, beamforming on.")
    side_lobe_dbi: float = Field(10.0, ge=-30, le=60, description="Towards all other users, beamforming on.")
    wide_lobe_dbi: float = Field(20.0, ge=-10, le=60, description="Towards everybody, beamforming off (chosen).")
    bandwidth_hz: float = Field(20e6, gt=0, le=1e9)
    node_limit: int = Field(10, ge=1, le=1000, description="Users a node can serve at once.")

    @model_validator(mode="after")
    def _lobes(self) -> Antenna:
        if self.side_lobe_dbi > self.main_lobe_dbi:
            raise ValueError(f"side_lobe_dbi = {self.side_lobe_dbi} is above main_lobe_dbi = {self.main_lobe_dbi}")
        return self


class SatelliteTier(Antenna):
    """Satellites of one kind. 47 dBm + 30 dBi in 20 MHz is 34 dBW/MHz (3GPP TR 38.821 Table 6.1.1.1-1)."""

    constellation: Annotated[Walker | Elements, Field(discriminator="kind")] = Walker()
    slots: int = Field(3, ge=1, le=8)
    min_elevation_deg: float = Field(15.0, ge=0, le=89)


class Platform(Antenna):
    """A high-altitude platform that keeps its station near the middle of the region."""

    altitude_m: float = Field(20e3, ge=15e3, le=50e3)
    offset_m: float = Field(5e3, ge=0, le=100e3, description="Distance of its sub-point from the middle.")
    power_dbm: float = Field(33.0, ge=-30, le=80)
    main_lobe_dbi: float = Field(20.0, ge=-10, le=60)
    side_lobe_dbi: float = Field(0.0, ge=-30, le=60)
    wide_lobe_dbi: float = Field(8.0, ge=-10, le=60)
    node_limit: int = Field(12, ge=1, le=1000)


class Stations(_Part):
    """Terrestrial base stations."""

    placement: Literal["uniform", "poisson", "track", "melbourne"] = Field(
        "uniform",
        description="uniform: count stations; poisson: count on average; track: track_count of them along the railway; "
        "melbourne: real sites.",
    )
    count: int = Field(15, ge=1, le=400)
    track_count: int = Field(6, ge=1, le=50)
    track_spacing_m: float = Field(11e3, gt=0)
    slots: int = Field(3, ge=1, le=8, description="The nearest stations that a user may choose among.")
    nearer: float = Field(0.15, ge=0, lt=1, description="A slot changes station when another is nearer by this share.")
    update_s: float = Field(10.0, gt=0, description="Period of that comparison.")
    service_radius_m: float | None = Field(None, gt=0, description="No service beyond this distance; None: no limit.")
    cell: Literal["RMa", "UMa", "UMi"] = Field("RMa", description="Path loss of 3GPP TR 38.901 Table 7.4.1-1.")
    exponent: float | None = Field(None, ge=2, le=6, description="Replaces it by a power law from free space at 1 m.")
    power_dbm: float = Field(46.0, ge=0, le=70, description="Total transmit power (the case study of the paper).")
    gain_dbi: float = Field(15.0, ge=-10, le=40)
    downtilt_deg: float = Field(6.0, ge=0, le=45, description="Used for users in the air only.")
    bandwidth_hz: float = Field(10e6, gt=0, le=1e9)
    activity: float = Field(0.3, ge=0, le=1, description="Share of time in which the other stations interfere.")
    node_limit: int = Field(8, ge=1, le=1000)

    @property
    def capacity(self) -> int:
        """Stations for which a world has room; a Poisson number exceeds it with a probability below 1e-8."""
        if self.placement == "melbourne":
            return 125
        return self.count if self.placement != "poisson" else round(self.count + 6.5 * self.count**0.5)


class Users(_Part):
    """Who is served."""

    count: int = Field(24, ge=1, le=200)
    motion: Literal["mixed", "train", "uav", "ship"] = "mixed"
    places: Literal["towns", "melbourne"] = "towns"
    town_share: float = Field(0.5, ge=0, le=1)
    towns: int = Field(3, ge=1, le=50)
    town_spread_m: float = Field(1.5e3, gt=0)
    town_distance_m: float = Field(2e3, ge=0, description="Distance of a town from a station.")
    car_share: float = Field(0.7, ge=0, le=1)
    car_speed_m_s: float = Field(20.0, ge=0, le=100)
    foot_speed_m_s: float = Field(1.5, ge=0, le=10)
    train_speed_m_s: tuple[float, float] = (60.0, 90.0)
    turn_rad: float = Field(0.03, ge=0, le=1, description="Standard deviation of a turn in 1 s.")
    altitude_m: float = Field(1.5, ge=1.5, le=300)
    latitude_min_deg: float = Field(35.0, ge=-85, le=85)
    latitude_max_deg: float = Field(52.0, ge=-85, le=85)

    @model_validator(mode="after")
    def _ordered(self) -> Users:
        if self.latitude_min_deg > self.latitude_max_deg:
            raise ValueError(
                f"latitude_min_deg = {self.latitude_min_deg} is above latitude_max_deg = {self.latitude_max_deg}"
            )
        low, high = self.train_speed_m_s
        if not 0 < low <= high <= 150:
            raise ValueError(f"train_speed_m_s = {self.train_speed_m_s}: needed is 0 < low <= high <= 150 m/s")
        if self.motion == "uav" and self.altitude_m < 30:
            raise ValueError(f"altitude_m = {self.altitude_m} m: an unmanned aircraft flies at 30 to 300 m")
        return self

    @property
    def n_fast(self) -> int:
        """Users in cars (all of them on trains, in aircraft and on ships)."""
        return self.count if self.motion != "mixed" else round(self.car_share * self.count)


class Terminal(_Part):
    """Receiver of a user; one for all bands."""

    freq_hz: float = Field(2e9, ge=0.5e9, le=6e9)
    gt_db_k: float = Field(-31.6, ge=-60, le=20, description="0 dBi, noise figure 7 dB: TR 38.821 Table 6.1.1.1-3.")


class Blockage(_Part):
    """Line of sight with memory, and shadowing."""

    environment: Environment = "rural"
    skyline_angle_deg: float = Field(
        30.0,
        ge=10,
        le=90,
        description="Correlation angle of the skyline: nodes nearer than this are blocked together.",
    )
    block_distance_m: float = Field(50.0, gt=0, description="Way after which the skyline has changed (1/e).")
    skyline_memory_s: float = Field(300.0, gt=0)
    common: float = Field(0.0, ge=0, le=1, description="Share of the skyline that all users have in common.")
    sky_shadow_distance_m: float = Field(37.0, gt=0)
    sky_shadow_rate_per_s: float = Field(0.05, ge=0, description="Shadowing is also lost as the satellite moves.")
    station_shadow_distance_m: float = Field(120.0, gt=0, description="TR 38.901 Table 7.5-6, rural without LoS.")
    station_shadow_db: float = Field(6.0, ge=0, le=20)
    station_block_probability: float = Field(0.3, ge=0, lt=1)
    station_block_db: float = Field(
        12.0,
        ge=0,
        le=40,
        description="A two-state part: with probability 0.3 and 6 dB of shadowing it makes 8.1 dB (Table 7.4.1-1: 8).",
    )


class Channel(_Part):
    """Small-scale fading, pilots and the law of the rate."""

    fading: Literal["averaged", "nakagami", "shadowed-rician"] = Field(
        "averaged",
        description="averaged: link adaptation averages it within a step. Otherwise a block-fading power is drawn.",
    )
    sky_m: float = Field(2.0, ge=0.5, le=100, description="Nakagami m of satellites.")
    station_m: float = Field(1.0, ge=0.5, le=100, description="Nakagami m of stations (1: Rayleigh).")
    shadowed_rician: Literal["infrequent_light", "frequent_heavy", "average"] = "average"
    pilots: int = Field(12, ge=1, le=10_000, description="Pilot symbols per block; their number sets the error.")
    block_symbols: int = Field(168, ge=2, le=100_000, description="Symbols per block (NR: 12 subcarriers x 14).")
    efficiency_gap: float = Field(0.65, gt=0, le=1, description="Factor on log2(1 + SINR), TR 36.942 Annex A.2.")
    efficiency_cap_bit_s_hz: float = Field(4.8, gt=0, le=12)
    min_sinr_db: float = Field(-6.0, ge=-30, le=10, description="Nothing is carried below.")

    @model_validator(mode="after")
    def _pilots_fit(self) -> Channel:
        if self.pilots >= self.block_symbols:
            raise ValueError(f"pilots = {self.pilots} must be fewer than block_symbols = {self.block_symbols}")
        return self


class Architecture(_Part):
    """Which nodes may serve a user together.

    Source: X. Li and B. Shang, "Advancing Multi-Connectivity in Satellite-Terrestrial Integrated Networks", section II.
    """

    kind: Literal["ss-sbs", "ms", "ms-mbs"] = "ms-mbs"
    max_links: int = Field(2, ge=1, le=4)
    dome_elevation_deg: float = Field(0.0, ge=0, le=89, description="Least elevation of satellites in a cluster.")
    isl_range_m: float = Field(5e6, gt=0, description="Reach of the controlling satellite's inter-satellite links.")


class Combining(_Part):
    """What several links of a user do for it."""

    rule: Literal["split", "duplication", "mrc", "noncoherent", "coherent"] = "split"
    beamforming: bool = True
    subcarrier_hz: float = Field(15e3, ge=15e3, le=120e3, description="Sets the cyclic prefix, 4.69 us at 15 kHz.")
    compensation: Literal["user", "cell"] = Field(
        "cell", description="Delays are aligned for each user, or for the middle of the region."
    )
    position_error_m: float = Field(10.0, ge=0, le=10e3, description="What alignment for each user leaves, in m.")
    copy_margin_db: float = Field(4.0, ge=0, le=20, description="Back-off of the rate, for duplication.")
    copy_m: float = Field(2.0, ge=0.5, le=100, description="Nakagami m of the fading that a copy meets.")

    @property
    def is_joint(self) -> bool:
        """Whether the nodes of a set send the same block at once."""
        return self.rule in ("noncoherent", "coherent")

    @property
    def cyclic_prefix_s(self) -> float:
        """Normal cyclic prefix: 144 samples of 2048 per symbol (3GPP TS 38.211 clause 5.3.1)."""
        return 144.0 / 2048.0 / self.subcarrier_hz


class Spectrum(_Part):
    """Bands."""

    kind: Literal["reserved", "shared", "choice"] = Field(
        "reserved",
        description="reserved: each tier has its own band; shared: all nodes use one; choice: a user chooses.",
    )
    shared_bandwidth_hz: float = Field(20e6, gt=0, le=1e9)


class Load(_Part):
    """Traffic of others: each node's occupied share, a squashed Gauss-Markov process."""

    mean_logit: float = Field(-0.4, ge=-6, le=6)
    spread_logit: float = Field(1.0, ge=0, le=6)
    memory_s: float = Field(60.0, gt=0)
    broadcast_period_s: float = Field(5.0, gt=0)


class Measurement(_Part):
    """What a terminal measures: linked nodes at every step, others in turns; one step old."""

    error_db: float = Field(1.5, ge=0, le=20)
    neighbour_period_s: float = Field(4.0, gt=0)


class Reward(_Part):
    """Prices in utility per second (links) and in seconds of full utility (added links)."""

    reference_rate_mbit_s: float = Field(1.0, gt=0, description="Rate R0 in u = log2(1 + R/R0) / log2(1 + span).")
    rate_span: float = Field(30.0, gt=0, description="u = 1 at this multiple of R0.")
    link_utility: float = Field(0.02, ge=0)
    change_utility_s: float = Field(0.05, ge=0)
    coordination_utility: float = Field(0.01, ge=0, description="For a set that needs a controller, per step.")
    outage_rate_mbit_s: float = Field(0.5, gt=0)
    difference_weight: float = Field(
        0.0,
        ge=0,
        le=1,
        description="For training: charge a user what its links cost the others (difference reward). Scores use 0.",
    )
