"""Everything that can be set in a DataRelay scenario, with units and legal ranges."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ntn_gym import data
from ntn_gym.world.clouds import CloudTimes
from ntn_gym.world.constellation import constellation_names

STATIONS = "ground_stations.csv"
HAGS_ALTITUDE_M = 20e3


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@cache
def station_table() -> dict[tuple[str, str], tuple[float, float, float]]:
    """Shipped stations: (provider, name) to latitude in deg, longitude in deg and height in m."""
    columns = data.read_csv(STATIONS)
    rows = zip(*(columns[key].tolist() for key in ("provider", "name", "lat_deg", "lon_deg", "alt_m")), strict=True)
    return {(provider, name): (lat, lon, alt) for provider, name, lat, lon, alt in rows}


class Satellites(_Part):
    """Which satellites bring data: drawn anew for every world from a real constellation."""

    constellation: str = Field("iridium-next", description="A shipped set of two-line elements.")
    count: int = Field(4, ge=1, le=24)
    same_plane: bool = Field(
        False,
        description="Neighbours in one plane, linked in a chain; otherwise any satellites, without links among them.",
    )

    @model_validator(mode="after")
    def _known(self) -> Satellites:
        known = constellation_names()["tle"]
        if self.constellation not in known:
            raise ValueError(f"constellation = {self.constellation!r}: known are {', '.join(known)}")
        if self.same_plane and self.count > 11:
            raise ValueError(f"count = {self.count}: a plane of Iridium has 11 satellites")
        return self


class Stations(_Part):
    """Where data can be brought to the ground. One optical terminal per station: it serves one satellite at a time."""

    provider: str = "ksat"
    names: tuple[str, ...] = Field(min_length=1, max_length=40)
    hags: tuple[str, ...] = Field((), description="Stations with a high-altitude ground station 20 km above them.")
    min_elevation_deg: float = Field(5.0, ge=0, le=60)
    buffer_bytes: float = Field(500e9, ge=0, le=1e15, description="Storage of each high-altitude ground station.")

    @model_validator(mode="after")
    def _known(self) -> Stations:
        known = [name for provider, name in station_table() if provider == self.provider]
        if not known:
            providers = sorted({provider for provider, _ in station_table()})
            raise ValueError(f"provider = {self.provider!r}: known are {', '.join(providers)}")
        for name in self.names:
            if name not in known:
                raise ValueError(f"names: {self.provider} has no station {name!r}; it has {', '.join(known)}")
        if len(set(self.names)) < len(self.names):
            raise ValueError("names: a station is listed twice")
        strangers = [name for name in self.hags if name not in self.names]
        if strangers or len(set(self.hags)) < len(self.hags):
            raise ValueError(f"hags = {list(self.hags)}: each must be one of names, once")
        return self


class Clouds(_Part):
    """On/off clouds over every station: clear for TCC and covered for TCS on average (exponential)."""

    tcc_h: float = Field(0.5, ge=0.01, le=1e4, description="Mean time to cloud cover.")
    tcs_h: float = Field(5.0, ge=0.01, le=1e4, description="Mean time to clear sky.")

    @property
    def times(self) -> CloudTimes:
        """Mean holding times in s."""
        return CloudTimes(self.tcc_h * 3600.0, self.tcs_h * 3600.0)


class Forecast(_Part):
    """Weather forecast issued before the episode, of a stated Peirce skill score."""

    skill: float = Field(0.3, ge=0, le=1, description="0: climatology; 1: the weather plan is known.")
    block_h: float = Field(6.0, ge=0.1, le=1e3, description="A forecast is informed for such a time, or not at all.")


class IdealLinks(_Part):
    """Links of one rate, interrupted by clouds and the horizon only (as in arXiv:2403.15659)."""

    kind: Literal["ideal"] = "ideal"
    rate_bit_s: float = Field(8e9, ge=1e6, le=1e12)


class BudgetLinks(_Part):
    """Free-space optical links whose rate follows from an optical budget, at most that of the modem.

    The defaults are chosen: a small terminal (1 W, 60 urad) and a receiver far from the quantum limit, so that the
    modem's rate is reached above some 25 deg at a station and above 40 deg at a HAGS.
    """

    kind: Literal["budget"] = "budget"
    rate_bit_s: float = Field(8e9, ge=1e6, le=1e12, description="Rate of the modem, and of the link HAGS to ground.")
    wavelength_m: float = Field(1550e-9, ge=400e-9, le=2.5e-6)
    power_w: float = Field(1.0, gt=0, le=100)
    divergence_rad: float = Field(60e-6, ge=1e-6, le=1e-2, description="1/e^2 half angle of the beam.")
    ground_aperture_m: float = Field(0.6, ge=0.02, le=5, description="Diameter of the telescope on the ground.")
    hags_aperture_m: float = Field(0.3, ge=0.02, le=5, description="Diameter of the telescope of a HAGS.")
    photons_per_bit: float = Field(1000.0, ge=1, le=1e5)
    optics_loss_db: float = Field(5.0, ge=0, le=40, description="Transmitting and receiving optics.")
    pointing_loss_db: float = Field(2.0, ge=0, le=40)
    margin_db: float = Field(3.0, ge=0, le=40)
    visibility_m: float = Field(23e3, ge=1e3, le=200e3, description="Visibility under clear sky at the station.")
    haze_height_m: float = Field(1.2e3, ge=100, le=10e3, description="Scale height of the haze.")
    fade_probability: float = Field(0.01, gt=0, lt=0.5, description="Fades below the margin happen so often.")


class Links(_Part):
    """What is common to all links."""

    model: IdealLinks | BudgetLinks = Field(default_factory=IdealLinks, discriminator="kind")
    isl_rate_bit_s: float = Field(8e9, ge=1e6, le=1e12, description="Inter-satellite links.")
    acquisition_min_s: float = Field(20.0, ge=0, le=600, description="Shortest acquisition after re-pointing.")
    acquisition_max_s: float = Field(40.0, ge=0, le=600, description="Longest one; uniform between the two.")

    @model_validator(mode="after")
    def _ordered(self) -> Links:
        if self.acquisition_max_s < self.acquisition_min_s:
            raise ValueError(
                f"acquisition_max_s = {self.acquisition_max_s} s must not be below acquisition_min_s = "
                f"{self.acquisition_min_s} s"
            )
        return self


class Traffic(_Part):
    """Files that appear on board. Their number is fixed, their times are uniform: a Poisson stream given its count."""

    files: int = Field(40, ge=1, le=2000, description="Files per satellite and episode.")
    file_bytes: float = Field(100e9, ge=1, le=1e14)
    at_start: bool = Field(False, description="All files wait on board at the start.")
    quiet_h: float = Field(5.0, ge=0, le=1e3, description="No file appears in the last hours: the tail drains.")
    urgent_share: float = Field(0.0, ge=0, lt=1, description="Share of urgent files; 0: one class only.")
    urgent_weight: float = Field(1.0, ge=1, le=100, description="Waiting costs so much more for urgent bits.")


class Cutoffs(_Part):
    """Instants at which a product is made on the ground: what has not arrived misses it."""

    period_h: float = Field(0.0, ge=0, le=168, description="Time between cut-offs; 0: there are none.")
    price_h: float = Field(0.0, ge=0, le=1e3, description="A bit that misses a cut-off costs as so many hours.")


class Scenario(_Part):
    """One DataRelay problem."""

    name: str = ""
    description: str = ""
    horizon_h: float = Field(24.0, ge=0.5, le=336, description="Length of an episode.")
    max_epoch_s: float = Field(600.0, ge=10, le=3600, description="A decision is due at least so often.")
    slots: int = Field(4, ge=1, le=16, description="Receivers in view offered to a satellite, beside its neighbours.")
    satellites: Satellites = Satellites()
    stations: Stations
    clouds: Clouds = Clouds()
    forecast: Forecast = Forecast()
    links: Links = Links()
    traffic: Traffic = Traffic()
    cutoffs: Cutoffs = Cutoffs()
    delivered_h: float = Field(1.0, ge=0, le=1e3, description="Worth of a delivered bit, in hours of its waiting.")

    @model_validator(mode="after")
    def _fits(self) -> Scenario:
        if not self.traffic.at_start and self.traffic.quiet_h >= self.horizon_h:
            raise ValueError(f"traffic.quiet_h = {self.traffic.quiet_h} h must be below horizon_h = {self.horizon_h} h")
        return self

    @property
    def horizon_ms(self) -> int:
        """Length of an episode in ms."""
        return round(self.horizon_h * 3_600_000)

    @property
    def file_bits(self) -> int:
        """Bits of a file."""
        return round(self.traffic.file_bytes * 8)

    @property
    def total_bits(self) -> int:
        """Bits that all satellites together generate in an episode: the same in every world."""
        return self.file_bits * self.traffic.files * self.satellites.count

    @property
    def n_classes(self) -> int:
        """Classes of data: urgent and routine, or one."""
        return 2 if self.traffic.urgent_share > 0 else 1

    @property
    def n_stations(self) -> int:
        """Number of stations G; a station with a HAGS is one receiver."""
        return len(self.stations.names)

    @property
    def n_neighbours(self) -> int:
        """Inter-satellite links offered to a satellite."""
        return 2 if self.satellites.same_plane and self.satellites.count > 1 else 0

    @property
    def n_targets(self) -> int:
        """Targets offered to a satellite: stations in view and neighbours."""
        return self.slots + self.n_neighbours
