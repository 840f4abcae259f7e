"""Everything that can be set in a ResourceAllocation scenario, with units and legal ranges."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ntn_gym.envs.resource_allocation.scenario_energy import Energy, Feeder, Part


class HibsLayout(Part):
    """Sectors of the ITU-R HIBS study model: one at the nadir and, for seven, six 23 deg below the level."""

    kind: Literal["hibs"] = "hibs"
    sectors: Literal[3, 7] = 7


class CellLayout(Part):
    """Beams of equal circular apertures, each pointed at the centre of a hexagonal cell."""

    kind: Literal["cells"] = "cells"
    pattern: Literal["hexagonal", "row"] = "hexagonal"
    rings: int = Field(2, ge=0, le=3, description="Rings around the central cell (2: 19 cells); pattern hexagonal.")
    row: int = Field(3, ge=2, le=9, description="Number of cells; pattern row.")
    cell_radius_m: float = Field(8e3, ge=1e3, le=40e3)
    aperture_m: float = Field(0.35, gt=0.05, le=3, description="Diameter of each aperture; sets the width of a beam.")


Layout = Annotated[HibsLayout | CellLayout, Field(discriminator="kind")]


class Amplifier(Part):
    """Levels of one kind of transmitter and what they cost (the EARTH power model)."""

    levels_w: tuple[float, ...] = Field((0.0, 1.5, 5.0, 20.0), description="Radiated power; the first is 0: asleep.")
    idle_w: float = Field(20.0, ge=0, le=1000, description="Supply power of a transmitter that is on, without output.")
    slope: float = Field(3.0, ge=1, le=20, description="Supply power for each watt radiated.")
    sleep_w: float = Field(5.0, ge=0, le=1000)

    @model_validator(mode="after")
    def _levels_rise(self) -> Amplifier:
        levels = self.levels_w
        if len(levels) < 2 or levels[0] != 0.0 or any(b <= a for a, b in pairwise(levels)):
            raise ValueError(f"levels_w = {levels}: needed are 0 W and then at least one higher level, rising")
        if self.sleep_w > self.idle_w:
            raise ValueError(f"sleep_w = {self.sleep_w} W must not be above idle_w = {self.idle_w} W")
        return self

    @property
    def full_w(self) -> float:
        """Supply power at the highest level, in W."""
        return self.idle_w + self.slope * self.levels_w[-1]


class Swing(Part):
    """Motion of the platform about its station: narrow-band Gauss-Markov oscillations."""

    tilt_rms_deg: float = Field(1.5, ge=0, le=10)
    tilt_period_s: float = Field(40.0, ge=2)
    yaw_rms_deg: float = Field(4.0, ge=0, le=45)
    yaw_period_s: float = Field(90.0, ge=2)
    memory_s: float = Field(300.0, gt=0)


class Platform(Part):
    """The platform: height, beams, frequency reuse, power."""

    altitude_m: float = Field(20e3, ge=15e3, le=50e3)
    layout: Layout = HibsLayout()
    reuse: Literal[1, 3] = Field(1, description="Frequency reuse; with 3 each beam has a third of the band.")
    amplifier: Amplifier = Amplifier()
    total_power_w: float = Field(
        70.0, gt=0, le=2000, description="Radiated by all beams; above it all are scaled down."
    )
    swing: Swing | None = Swing()


class Relays(Part):
    """Low UAVs over the first hotspots: a second tier on the same frequencies, each fed by a wireless backhaul."""

    count: int = Field(3, ge=1, le=8)
    altitude_m: float = Field(150.0, ge=30, le=1000)
    antenna_gain_dbi: float = Field(3.0, ge=-10, le=15)
    environment: Literal["suburban", "urban", "dense_urban", "highrise"] = "urban"
    amplifier: Amplifier = Amplifier(levels_w=(0.0, 0.05, 0.2, 0.8), idle_w=8.0, slope=4.0, sleep_w=1.0)
    backhaul_mbit_s: float = Field(60.0, gt=0, le=10e3, description="Link from the platform, on a band of its own.")


class Radio(Part):
    """The access links, downlink."""

    freq_hz: float = Field(2e9, ge=0.5e9, le=6e9)
    bandwidth_hz: float = Field(20e6, gt=0, le=400e6)
    noise_figure_db: float = Field(7.0, ge=0, le=20)
    environment: Literal["dense_urban", "urban", "suburban", "rural"] = "rural"
    blockage_memory_s: float = Field(60.0, gt=0, description="Correlation time of line of sight.")
    shadow_memory_s: float = Field(20.0, gt=0)
    efficiency_gap: float = Field(0.65, gt=0, le=1, description="Attenuated Shannon: factor on log2(1 + SINR).")
    efficiency_cap_bit_s_hz: float = Field(4.8, gt=0, le=12)
    minimum_sinr_db: float = Field(-10.0, ge=-30, le=10, description="Nothing gets through below it.")
    load_sweeps: int = Field(
        1,
        ge=0,
        le=20,
        description="Sweeps of the load-coupling fixed point: a beam disturbs others in the share of the band that it "
        "fills; one sweep is within 0.3 % of the solution in throughput. 0: a beam that is on always disturbs with its "
        "full power.",
    )


class Mobility(Part):
    """Gauss-Markov mobility."""

    kind: Literal["course", "roam"] = Field(
        "course",
        description="course: a planned course and Gauss-Markov velocities about it (seconds to minutes); roam: a "
        "Gauss-Markov position about a home (hours).",
    )
    speed_m_s: float = Field(8.0, ge=0, le=60, description="Speed along the course.")
    roam_m: float = Field(3e3, ge=0, le=50e3, description="Deviation about the home, each axis.")
    roam_memory_s: float = Field(7200.0, gt=0)


class Users(Part):
    """Where the users are."""

    hotspots: int = Field(3, ge=1, le=20)
    hotspot_share: float = Field(0.6, ge=0, le=1, description="Share of the users in hotspots; the others are uniform.")
    hotspot_sigma_m: tuple[float, ...] = Field((10e3,), description="Deviation of each hotspot (repeated in turn).")
    radius_m: float = Field(90e3, ge=1e3, le=90e3, description="Radius of the service area.")
    city: str | None = Field(
        None,
        description="A city of the shipped list: the platform stands over it, and hotspots are it and its neighbours, "
        "weighted by population.",
    )
    city_reach_m: float = Field(80e3, ge=5e3, le=90e3)
    mobility: Mobility = Mobility()


class ServiceClass(Part):
    """One kind of service."""

    name: str = Field(min_length=1, max_length=16, pattern="^[a-z][a-z0-9_]*$")
    users: int = Field(ge=1, le=200)
    share: float = Field(gt=0, le=1, description="Share of the offered traffic.")
    value: float = Field(gt=0, le=10, description="What a bit that is served is worth.")
    deadline_s: float = Field(gt=0, description="Age at which a bit is dropped.")
    bursts: Literal["files", "smooth", "storms"] = Field(
        description="files: Poisson arrivals of exponential files; smooth: gamma(4) amounts in every step; storms: all "
        "users of the class at once, now and then."
    )
    file_mbit: float = Field(8.0, gt=0)
    storm_probability: float = Field(0.05, gt=0, le=1, description="Storms per step.")


class Traffic(Part):
    """How much is offered, when and where."""

    load: float = Field(0.45, gt=0, le=2, description="Mean offered traffic over 1.2 bit/s/Hz in every beam.")
    classes: tuple[ServiceClass, ...]
    quiet_factor: float = Field(0.4, ge=0, le=1, description="Intensity of a hotspot's files in its quiet state.")
    surge_s: float = Field(25.0, gt=0, description="Mean time in the quiet and in the busy state.")
    daily: bool = Field(False, description="Intensity follows the hour, with peaks at 09:00 and 20:30.")
    regional_sigma: float = Field(0.0, ge=0, le=2, description="Deviation of the log of the regional intensity.")
    regional_memory_s: float = Field(7200.0, gt=0)
    event_factor: float = Field(1.0, ge=1, le=20, description="Intensity of hotspot 0 during an unplanned event.")
    event_wait_s: float = Field(14_400.0, gt=0, description="Mean time from one event to the next.")
    event_s: float = Field(3600.0, gt=0, description="Mean length of an event.")

    @model_validator(mode="after")
    def _shares(self) -> Traffic:
        total = sum(one.share for one in self.classes)
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"classes: the shares add up to {total:g}, they must add up to 1")
        names = [one.name for one in self.classes]
        if len(set(names)) != len(names):
            raise ValueError(f"classes: {names} are not all different")
        return self


class Scheduler(Part):
    """Who gets the band within a beam."""

    rule: Literal["value", "proportional-fair", "max-weight", "m-lwdf", "exp"] = Field(
        "value",
        description="value: expiring bits first, then value times spectral efficiency; the others are the classical "
        "rules on rate, average rate and queue.",
    )
    average_s: float = Field(50.0, gt=0, description="Memory of the average rate of the classical rules.")
    violation: float = Field(0.05, gt=0, lt=1, description="Allowed share of late bits in M-LWDF and EXP.")


class Action(Part):
    """What an agent sets."""

    kind: Literal["levels", "box"] = Field(
        "levels", description="levels: off or a power level; box: a continuous power in dB, with exact sleep."
    )


class Reward(Part):
    """Prices; the unit is the value of the mean offered traffic of one step at value 1."""

    drop_price: float = Field(0.25, ge=0, le=10, description="A dropped bit costs this share of its value on top.")
    pending_value: float = Field(0.5, ge=0, le=1, description="Bits alive at the end count for this share.")
    depleted: float = Field(0.2, ge=0, description="Per step with the battery below its lower limit.")
    unmet_per_kwh: float = Field(60.0, ge=0, description="Energy that hotel or engines missed.")
    final_per_kwh: float = Field(30.0, ge=0, description="Energy below the final target at the end.")
    final_share: float = Field(0.55, ge=0, le=1, description="Final target as a share of the battery.")
    local_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of a beam's reward that is its own part (times the number of agents) and not the team's "
        "mean; the mean over agents, which is the score, is the same.",
    )


class Scenario(Part):
    """One ResourceAllocation problem."""

    name: str = "custom"
    description: str = ""
    steps: int = Field(200, ge=2, le=10_000)
    dt_s: float = Field(1.0, gt=0, le=900)
    platform: Platform = Platform()
    relays: Relays | None = None
    radio: Radio = Radio()
    users: Users = Users()
    traffic: Traffic
    scheduler: Scheduler = Scheduler()
    feeder: Feeder | None = None
    energy: Energy = Energy()
    action: Action = Action()
    reward: Reward = Reward()

    @model_validator(mode="after")
    def _fits(self) -> Scenario:
        for one in self.traffic.classes:
            steps = one.deadline_s / self.dt_s
            if round(steps) < 1 or abs(steps - round(steps)) > 1e-9:
                raise ValueError(
                    f"traffic.classes.{one.name}.deadline_s = {one.deadline_s} s must be a multiple of dt_s = "
                    f"{self.dt_s} s"
                )
        amplifiers = [("platform.amplifier.levels_w", len(self.platform.amplifier.levels_w))]
        if self.relays is not None:
            amplifiers.append(("relays.amplifier.levels_w", len(self.relays.amplifier.levels_w)))
            if self.relays.count > self.users.hotspots:
                raise ValueError(
                    f"relays.count = {self.relays.count} exceeds users.hotspots = {self.users.hotspots}: a relay "
                    "stands over a hotspot"
                )
            if self.platform.reuse != 1:
                raise ValueError("relays need platform.reuse = 1: they use the frequencies of all beams")
        if self.feeder is not None and self.feeder.controlled:
            amplifiers.append(("feeder.laser.levels_w", len(self.feeder.laser.levels_w)))
        if len({count for _, count in amplifiers}) > 1:
            raise ValueError(
                f"{', '.join(f'{name} has {count} levels' for name, count in amplifiers)}: all agents share one action "
                "space, so the numbers of levels must be equal"
            )
        if self.energy.battery is None and self.traffic.daily:
            raise ValueError("traffic.daily = true needs energy.battery: the hour belongs to the day family")
        if self.users.mobility.kind == "course" and self.steps * self.dt_s > 3600:
            raise ValueError(
                f"users.mobility.kind = course with {self.steps * self.dt_s:g} s: users on a straight course leave the "
                "area within an hour; use roam"
            )
        return self

    @property
    def n_users(self) -> int:
        """Number of users."""
        return sum(one.users for one in self.traffic.classes)

    @property
    def beam_bandwidth_hz(self) -> float:
        """Band of one beam."""
        return self.radio.bandwidth_hz / self.platform.reuse

    def deadline_steps(self) -> list[int]:
        """Deadline of each class in steps."""
        return [round(one.deadline_s / self.dt_s) for one in self.traffic.classes]
