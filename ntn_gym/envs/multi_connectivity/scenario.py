"""Everything that can be set in a MultiConnectivity scenario, with units and legal ranges."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ntn_gym.envs.multi_connectivity.scenario_parts import (
    Architecture,
    Blockage,
    Channel,
    Combining,
    Load,
    Measurement,
    Platform,
    Reward,
    SatelliteTier,
    Spectrum,
    Stations,
    Terminal,
    Users,
)

MODES = {"reserved": ("reserved",), "shared": ("shared",), "choice": ("reserved", "shared")}
"""Which bands a link may use, by `Spectrum.kind`."""


class Scenario(BaseModel):
    """One MultiConnectivity problem: nodes, users, channel, how links are combined, and prices."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = "custom"
    description: str = ""
    steps: int = Field(240, ge=2, le=100_000)
    dt_s: float = Field(1.0, gt=0, le=60)
    remaining_horizon_s: float = Field(200.0, gt=0, description="Predicted remaining times are known up to here.")
    side_m: float = Field(50e3, ge=200, le=200e3, description="Side of the square region.")
    satellites: tuple[SatelliteTier, ...] = (SatelliteTier(),)
    platform: Platform | None = None
    stations: Stations | None = Stations()
    users: Users = Users()
    terminal: Terminal = Terminal()
    blockage: Blockage = Blockage()
    channel: Channel = Channel()
    architecture: Architecture = Architecture()
    combining: Combining = Combining()
    spectrum: Spectrum = Spectrum()
    load: Load = Load()
    measurement: Measurement = Measurement()
    reward: Reward = Reward()

    @model_validator(mode="after")
    def _fits(self) -> Scenario:
        if self.n_sky_slots == 0:
            raise ValueError("satellites is empty and platform is none: there must be at least one node in the sky")
        kind = self.architecture.kind
        if kind == "ms" and self.stations is not None:
            raise ValueError("architecture.kind = ms: only satellites serve; set stations to null")
        if kind != "ms" and self.stations is None:
            raise ValueError(f"architecture.kind = {kind} needs stations; give them, or use ms")
        if kind == "ss-sbs" and self.architecture.max_links > 2:
            raise ValueError(
                f"architecture.max_links = {self.architecture.max_links}: ss-sbs has one satellite and one station, so "
                "at most 2"
            )
        if self.combining.is_joint and self.spectrum.kind != "shared":
            raise ValueError(
                f"combining.rule = {self.combining.rule} sends from all nodes in one resource block: set spectrum.kind "
                f"= shared (it is {self.spectrum.kind})"
            )
        if self.reward.difference_weight and (self.combining.rule != "split" or self.spectrum.kind != "reserved"):
            raise ValueError(
                f"reward.difference_weight = {self.reward.difference_weight}: what a link costs the others is reckoned "
                "for combining.rule = split on spectrum.kind = reserved only; set it to 0"
            )
        if self.users.motion == "train" and (self.stations is None or self.stations.placement != "track"):
            raise ValueError("users.motion = train needs stations.placement = track")
        if (self.users.places == "melbourne") != (self.stations is not None and self.stations.placement == "melbourne"):
            raise ValueError("users.places and stations.placement must both be melbourne, or neither")
        for name, value in (
            ("load.broadcast_period_s", self.load.broadcast_period_s),
            ("measurement.neighbour_period_s", self.measurement.neighbour_period_s),
            *([] if self.stations is None else [("stations.update_s", self.stations.update_s)]),
        ):
            ratio = value / self.dt_s
            if round(ratio) < 1 or abs(ratio - round(ratio)) > 1e-9:
                raise ValueError(f"{name} = {value} s must be a multiple of dt_s = {self.dt_s} s")
        return self

    # ------------------------------------------------------------------ sizes

    @property
    def n_sky_slots(self) -> int:
        """Slots of satellites and of the platform."""
        return sum(tier.slots for tier in self.satellites) + (self.platform is not None)

    @property
    def n_station_slots(self) -> int:
        """Slots of base stations."""
        return 0 if self.stations is None else self.stations.slots

    @property
    def n_slots(self) -> int:
        """Slots K of a user."""
        return self.n_sky_slots + self.n_station_slots

    @property
    def n_nodes(self) -> int:
        """Nodes of a world: slots of the sky, then stations."""
        return self.n_sky_slots + (0 if self.stations is None else self.stations.capacity)

    @property
    def modes(self) -> tuple[Literal["reserved", "shared"], ...]:
        """Bands in which a link may be."""
        return MODES[self.spectrum.kind]  # type: ignore[return-value]

    @property
    def max_rate_mbit_s(self) -> float:
        """Rate that has utility 1."""
        return self.reward.reference_rate_mbit_s * self.reward.rate_span
