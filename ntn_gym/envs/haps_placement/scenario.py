"""Everything that can be set in a HAPSPlacement scenario, with units and legal ranges."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Environment = Literal["dense_urban", "urban", "suburban", "rural"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Region(_Part):
    """The square that platforms may fly in (the geofence) and its place under the sun."""

    half_width_m: float = Field(150e3, ge=20e3, le=400e3)
    start_share: float = Field(0.8, gt=0, le=1, description="Platforms start in this inner part of the half width.")
    latitude_deg: float = Field(30.0, ge=-80, le=80, description="Not used with real cities, who have their own.")
    day_of_year: float = Field(80.0, ge=0, le=366, description="80: equinox; 172 and 355: solstices.")
    start_hour: float = Field(14.0, ge=0, lt=24, description="Local solar time of step 0.")


class _Vehicle(_Part):
    battery_j: float = Field(gt=0, description="Energy of the full battery.")
    charge_efficiency: float = Field(0.97, gt=0, le=1)
    discharge_efficiency: float = Field(0.97, gt=0, le=1)
    start_charge: float = Field(0.9, gt=0, le=1, description="State of charge at step 0.")
    cells_m2: float = Field(gt=0, description="Area of the solar cells, horizontal.")
    cell_efficiency: float = Field(gt=0, le=0.5, description="Of cells at flight temperature, wiring and tracker.")
    payload_w: float = Field(ge=0, description="Radio when it serves.")
    hotel_w: float = Field(ge=0, description="Avionics and heating, always.")
    off_below: float = Field(0.02, gt=0, lt=1, description="Charge at which the payload is switched off.")
    on_above: float = Field(0.10, gt=0, lt=1, description="Charge at which it is switched on again.")

    @model_validator(mode="after")
    def _ordered(self) -> _Vehicle:
        if self.on_above <= self.off_below:
            raise ValueError(f"on_above = {self.on_above} must be above off_below = {self.off_below}")
        return self


class Airship(_Vehicle):
    """A solar airship: drag after Khoury, ballonet pumped full to sink.

    Sizes are chosen: 35,000 m3 lift 3.1 t at 20 km; 400 kg of cells at 300 Wh/kg, 300 m2 of panels at 20 %.
    """

    kind: Literal["airship"] = "airship"
    volume_m3: float = Field(35e3, gt=0, le=1e6)
    drag_coefficient: float = Field(0.04, gt=0, le=0.2, description="C_DV, referred to volume^(2/3).")
    drive_efficiency: float = Field(0.5, gt=0, le=1)
    max_airspeed_m_s: float = Field(16.0, gt=0, le=60)
    superpressure_ratio: float = Field(1.05, gt=1, le=1.35, description="Pressure in the ballonet over that outside.")
    pump_efficiency: float = Field(0.5, gt=0, le=1)
    battery_j: float = Field(120 * 3.6e6, gt=0)
    cells_m2: float = Field(300.0, gt=0)
    cell_efficiency: float = Field(0.2, gt=0, le=0.5)
    payload_w: float = Field(3000.0, ge=0)
    hotel_w: float = Field(500.0, ge=0)


class Aircraft(_Vehicle):
    """A solar aircraft: level flight by its drag polar; it circles when it keeps station.

    Span, mass and power of the class of PHASA-35 (150 kg, 35 m); wing area, polar and battery are chosen.
    """

    kind: Literal["aircraft"] = "aircraft"
    mass_kg: float = Field(150.0, gt=0, le=5000)
    wing_area_m2: float = Field(50.0, gt=0)
    aspect_ratio: float = Field(24.5, gt=1, le=60)
    zero_lift_drag: float = Field(0.012, gt=0, le=1)
    oswald_efficiency: float = Field(0.9, gt=0, le=1)
    max_lift: float = Field(1.3, gt=0, le=3)
    drive_efficiency: float = Field(0.7, gt=0, le=1)
    max_airspeed_m_s: float = Field(28.0, gt=0, le=80)
    battery_j: float = Field(24 * 3.6e6, gt=0)
    cells_m2: float = Field(35.0, gt=0)
    cell_efficiency: float = Field(0.22, gt=0, le=0.5)
    payload_w: float = Field(250.0, ge=0)
    hotel_w: float = Field(50.0, ge=0)


class Balloon(_Vehicle):
    """A super-pressure balloon that has no propulsion and changes its altitude by pumping air.

    Loon as in the Balloon Learning Environment: 1804 m3, 3058.56 Wh; its 120 W are payload and hotel.
    """

    kind: Literal["balloon"] = "balloon"
    volume_m3: float = Field(1804.0, gt=0)
    pressure_ratio: float = Field(1.15, ge=1.05, le=1.3, description="Inside over outside, held while it pumps.")
    battery_j: float = Field(3058.56 * 3600, gt=0)
    cells_m2: float = Field(5.0, gt=0)
    cell_efficiency: float = Field(0.18, gt=0, le=0.5)
    payload_w: float = Field(70.0, ge=0)
    hotel_w: float = Field(60.0, ge=0)


Vehicle = Annotated[Airship | Aircraft | Balloon, Field(discriminator="kind")]


class Fleet(_Part):
    """How many platforms, of what kind, at which altitudes."""

    count: int = Field(4, ge=1, le=16)
    vehicle: Vehicle = Airship()
    levels_pa: tuple[float, ...] = Field(
        (7000.0,),
        min_length=1,
        max_length=12,
        description="Pressure levels from the lowest (highest pressure) up; 70 hPa is 18.5 km, where wind is weakest.",
    )
    climb_levels: float = Field(0.5, gt=0, le=4, description="Levels that an airship or aircraft can change in a step.")

    @model_validator(mode="after")
    def _levels(self) -> Fleet:
        levels = self.levels_pa
        if any(not 5000 <= level <= 14_000 for level in levels):
            raise ValueError(f"levels_pa = {levels}: allowed are 5000 to 14000 Pa, where the wind is known")
        if any(above >= below for below, above in pairwise(levels)):
            raise ValueError(f"levels_pa = {levels}: give them from the lowest level up, in falling pressure")
        if self.vehicle.kind == "balloon" and len(levels) < 2:
            raise ValueError("a balloon needs two levels_pa or more: it steers by its altitude alone")
        return self


class Wind(_Part):
    """Wind field of the region."""

    source: Literal["recorded", "synthetic", "none"] = Field(
        "recorded", description="recorded: shipped fields, of another split for training, validation and report seeds."
    )
    scale: float = Field(1.0, ge=0, le=5)
    rms_m_s: float = Field(8.0, ge=0, le=60, description="Of the synthetic field.")


class Demand(_Part):
    """Who wants service: towns or cities, a moving hotspot and surprises; each is a group of points."""

    source: Literal["towns", "cities"] = Field("towns", description="cities: the largest of a real region.")
    towns: int = Field(7, ge=1, le=40)
    points: int = Field(5, ge=1, le=20, description="Points of each group.")
    spread_m: float = Field(10e3, ge=0, le=50e3, description="Standard deviation of a group's points, each way.")
    spacing: float = Field(0.28, ge=0, le=1, description="Wanted distance between towns over the half width.")
    weight_sigma: float = Field(0.5, ge=0, le=2, description="Of the logarithm of a town's demand.")
    load: float = Field(0.6, gt=0, le=5, description="Mean demand of the towns over the fleet's capacity at the nadir.")
    phases_h: tuple[float, ...] = Field((12.0, 20.5, 3.0), min_length=1, description="Busiest hours of towns.")
    phase_spread_h: float = Field(0.7, ge=0, le=6)
    base: float = Field(0.1, ge=0, le=1)
    sharpness: float = Field(2.0, ge=0, le=20)
    noise_sigma: float = Field(0.15, ge=0, le=1)
    noise_memory_s: float = Field(7200.0, gt=0)
    movers: int = Field(1, ge=0, le=8)
    mover_weight: float = Field(1.2, ge=0, le=20, description="Demand over that of a mean town.")
    mover_speed_m_s: float = Field(8.0, ge=0, le=50)
    surprise_slots: int = Field(2, ge=0, le=8, description="Most surprises at one time.")
    surprises_per_day: float = Field(1.5, gt=0, le=50, description="In all slots together, while none is going on.")
    surprise_weight: float = Field(2.0, ge=0, le=50, description="Demand over that of a mean town.")
    surprise_min_s: float = Field(3 * 3600.0, gt=0)
    surprise_max_s: float = Field(7 * 3600.0, gt=0)
    surprise_ramp_s: float = Field(1800.0, gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Demand:
        if self.surprise_max_s < self.surprise_min_s:
            raise ValueError(
                f"surprise_max_s = {self.surprise_max_s} s must not be below surprise_min_s = {self.surprise_min_s} s"
            )
        return self

    @property
    def groups(self) -> int:
        """Groups of points: towns, then movers, then surprises."""
        return self.towns + self.movers + self.surprise_slots


class Radio(_Part):
    """Service link: seven beams of a HIBS array that take turns (beam hopping); platforms share one carrier."""

    freq_hz: float = Field(2e9, ge=0.7e9, le=6e9)
    bandwidth_hz: float = Field(80e6, gt=0, le=2e9)
    environment: Environment = "urban"
    min_elevation_deg: float = Field(20.0, ge=5, le=60)
    noise_figure_db: float = Field(7.0, ge=0, le=20)
    terminal_gain_dbi: float = Field(0.0, ge=-10, le=20)
    activity: float = Field(0.6, ge=0, le=1, description="Share of time in which another platform transmits.")
    min_sinr_db: float = Field(0.0, ge=-10, le=20, description="Users below it are not served.")
    efficiency_factor: float = Field(0.65, gt=0, le=1)
    efficiency_cap_bit_s_hz: float = Field(7.4, gt=0, le=12)


class Backhaul(_Part):
    """Traffic must reach a gateway on the ground, directly or over other platforms."""

    gateways: int = Field(2, ge=1, le=8)
    min_elevation_deg: float = Field(5.0, ge=1, le=60, description="Of a platform seen from a gateway.")
    link_range_m: float = Field(300e3, ge=0, le=2e6, description="Of the links between platforms.")
    at_edge: bool = Field(False, description="Gateways stand on the western edge instead of in the largest towns.")


class Failure(_Part):
    """Payload failures: the last platforms of the fleet lose their radio for some hours."""

    platforms: int = Field(0, ge=0, le=15)
    earliest_s: float = Field(2 * 3600.0, ge=0)
    latest_s: float = Field(14 * 3600.0, ge=0)
    duration_s: float = Field(8 * 3600.0, gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Failure:
        if self.latest_s < self.earliest_s:
            raise ValueError(f"latest_s = {self.latest_s} s must not be below earliest_s = {self.earliest_s} s")
        return self


class Reward(_Part):
    """Prices in hours of full service, so that changing dt does not change the problem."""

    propulsion: float = Field(0.02, ge=0, description="Of flying at full speed, all platforms, for the same time.")
    outside: float = Field(0.2, ge=0, description="Of all platforms outside the geofence for the same time.")
    fairness: float = Field(0.0, ge=0, description="Worth of a Jain index of 1 at full service for the same time.")
    shortfall_h: float = Field(2.0, ge=0, description="Of ending with empty batteries instead of as full as at first.")
    own_share: float = Field(0.5, ge=0, le=1, description="Share of its own service in the reward of one platform.")


class Scenario(_Part):
    """One HAPSPlacement problem: region, fleet, wind, demand, radio, backhaul, failures and prices."""

    name: str = "custom"
    description: str = ""
    steps: int = Field(144, ge=2, le=1000)
    dt_s: float = Field(600.0, gt=0, le=3600)
    region: Region = Region()
    fleet: Fleet = Fleet()
    wind: Wind = Wind()
    demand: Demand = Demand()
    radio: Radio = Radio()
    backhaul: Backhaul = Backhaul()
    failure: Failure = Failure()
    reward: Reward = Reward()

    @model_validator(mode="after")
    def _fits(self) -> Scenario:
        if self.failure.platforms >= self.fleet.count:
            raise ValueError(
                f"failure.platforms = {self.failure.platforms}: must be below fleet.count = {self.fleet.count}"
            )
        if self.wind.source == "recorded":
            if self.duration_s > 36 * 3600:
                raise ValueError(
                    f"steps x dt_s = {self.duration_s:g} s: recorded winds last 48 h, and 12 h are kept for variety; "
                    "allowed are at most 129600 s, or wind.source = synthetic"
                )
        return self

    @property
    def duration_s(self) -> float:
        """Length of an episode."""
        return self.steps * self.dt_s

    @property
    def flies(self) -> bool:
        """Whether platforms have propulsion."""
        return self.fleet.vehicle.kind != "balloon"

    @property
    def climbs(self) -> bool:
        """Whether platforms choose their altitude."""
        return len(self.fleet.levels_pa) > 1
