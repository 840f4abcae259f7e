"""Everything that can be set in a TaskOffloading scenario, with units and legal ranges."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Environment = Literal["dense_urban", "urban", "suburban", "rural"]
Motion = Literal["static", "pedestrian", "vehicle"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Tasks(_Part):
    """What the devices have to compute. Every slot begins with at most one new task per device."""

    rate_per_s: float = Field(0.55, gt=0, le=20, description="Mean number of tasks per device and second.")
    burst_factor: float = Field(3.0, ge=1, le=20, description="Rate in a burst over the rate outside of bursts.")
    burst_s: float = Field(4.0, gt=0, description="Mean length of a burst (exponential).")
    calm_s: float = Field(9.0, gt=0, description="Mean time between bursts (exponential).")
    size_min_bit: float = Field(0.8e6, gt=0, le=1e9)
    size_max_bit: float = Field(4e6, gt=0, le=1e9)
    cycles_min: float = Field(0.4e9, gt=0, le=1e12)
    cycles_max: float = Field(1.6e9, gt=0, le=1e12)
    cycles_distribution: Literal["uniform", "exponential"] = Field(
        "uniform", description="exponential: its mean is the middle of the range, for comparison with queueing theory."
    )
    deadline_min_s: float = Field(1.0, gt=0, le=600)
    deadline_max_s: float = Field(4.0, gt=0, le=600)
    result_share: float = Field(0.02, ge=0, le=1, description="Size of the result over the size of the task.")

    @model_validator(mode="after")
    def _ordered(self) -> Tasks:
        for name, unit in (("size", "bit"), ("cycles", ""), ("deadline", "s")):
            ends = [f"{name}_{end}{'_' + unit if unit else ''}" for end in ("min", "max")]
            low, high = (getattr(self, end) for end in ends)
            if low > high:
                raise ValueError(f"{ends[0]} = {low:g} {unit} exceeds {ends[1]} = {high:g} {unit}; swap them")
        return self

    @property
    def calm_rate_per_s(self) -> float:
        """Rate outside of bursts."""
        cycle = self.burst_s + self.calm_s
        return self.rate_per_s * cycle / (self.calm_s + self.burst_factor * self.burst_s)


class Devices(_Part):
    """The devices: who they are and what they can do by themselves."""

    count: int = Field(15, ge=1, le=200)
    motion: Motion = "pedestrian"
    speed_m_s: float = Field(1.0, ge=0, le=60)
    region_radius_m: float = Field(3e3, gt=0, le=50e3)
    latitude_min_deg: float = Field(25.0, ge=-80, le=80)
    latitude_max_deg: float = Field(50.0, ge=-80, le=80)
    cpu_min_hz: float = Field(1e9, gt=0, le=1e11, description="Slowest processor (one frequency per device and world).")
    cpu_max_hz: float = Field(1e9, gt=0, le=1e11)
    capacitance: float = Field(1e-27, gt=0, le=1e-24, description="kappa of the dynamic power kappa f^3.")
    eirp_dbm: float = Field(23.0, ge=-10, le=60)
    transmit_power_w: float = Field(0.5, gt=0, le=100, description="Electrical power while transmitting.")

    @model_validator(mode="after")
    def _ordered(self) -> Devices:
        if self.cpu_min_hz > self.cpu_max_hz:
            raise ValueError(f"cpu_min_hz = {self.cpu_min_hz:g} exceeds cpu_max_hz = {self.cpu_max_hz:g} Hz")
        if self.latitude_min_deg > self.latitude_max_deg:
            raise ValueError(
                f"latitude_min_deg = {self.latitude_min_deg:g} exceeds latitude_max_deg = {self.latitude_max_deg:g}"
            )
        return self


class Server(_Part):
    """A computer: other customers take a share of it that jumps between two values."""

    cpu_hz: float = Field(gt=0, le=1e13)
    capacitance: float = Field(1e-28, gt=0, le=1e-24)
    background_low: float = Field(0.1, ge=0, le=0.95, description="Share that others take in quiet times.")
    background_high: float = Field(0.4, ge=0, le=0.95, description="Share that others take in busy times.")
    quiet_s: float = Field(20.0, gt=0, description="Mean length of quiet times (exponential).")
    busy_s: float = Field(20.0, gt=0, description="Mean length of busy times (exponential).")


class Uplink(_Part):
    """The uplink band of one node; devices that transmit at the same time share it equally."""

    freq_hz: float = Field(2e9, ge=0.5e9, le=6e9)
    bandwidth_hz: float = Field(10e6, gt=0, le=1e9)
    gt_db_k: float = Field(description="Gain over system temperature of the receiver.", ge=-60, le=40)
    isolation_db: float = Field(20.0, ge=0, le=60, description="Signal over co-channel interference of other cells.")
    efficiency_gap: float = Field(0.65, gt=0, le=1, description="Attenuated Shannon: factor on log2(1 + SINR).")
    efficiency_cap_bit_s_hz: float = Field(4.8, gt=0, le=12)
    result_rate_bit_s: float = Field(20e6, gt=0, description="Rate of the downlink that brings results back.")


class GroundNode(_Part):
    """A base station (or a hovering UAV) in the middle of the region, with a server."""

    kind: Literal["base_station", "uav"] = "base_station"
    cell: Literal["RMa", "UMa", "UMi"] = Field("UMa", description="Surroundings of a base station, TR 38.901.")
    height_m: float | None = Field(None, gt=0, le=1000, description="None: usual height (UAV: 100 m).")
    uplink: Uplink
    server: Server


class HapsNode(_Part):
    """A platform in the stratosphere, with a server."""

    altitude_m: float = Field(20e3, ge=15e3, le=30e3)
    offset_max_m: float = Field(20e3, ge=0, le=100e3, description="Its sub-point is uniform in a disc of this radius.")
    uplink: Uplink
    server: Server


class LeoNode(_Part):
    """Satellites with servers: the one in service stays in service until it sets."""

    tle: str | None = Field(
        None,
        description="A shipped set of two-line elements (iridium-next, ...), in place of the Walker constellation.",
    )
    altitude_m: float = Field(600e3, ge=300e3, le=2000e3)
    inclination_deg: float = Field(53.0, ge=0, le=180)
    satellites: int = Field(240, ge=1, le=5000)
    planes: int = Field(20, ge=1, le=200)
    phasing: int = Field(7, ge=0)
    min_elevation_deg: float = Field(30.0, ge=5, le=80)
    uplink: Uplink
    server: Server

    @model_validator(mode="after")
    def _planes_divide(self) -> LeoNode:
        if self.satellites % self.planes:
            raise ValueError(f"satellites = {self.satellites} must be a multiple of planes = {self.planes}")
        if self.phasing >= self.planes:
            raise ValueError(f"phasing = {self.phasing}: allowed are 0 to planes - 1 = {self.planes - 1}")
        return self


class Cloud(_Part):
    """A data centre behind one of the nodes: computing never queues there, the feeder link does."""

    behind: Literal["ground", "haps", "leo"] = "leo"
    cpu_hz: float = Field(40e9, gt=0, le=1e13, description="Speed of one task.")
    capacitance: float = Field(1e-29, gt=0, le=1e-24)
    feeder_rate_bit_s: float = Field(50e6, gt=0, le=1e12, description="Rate of the link from the node to the ground.")
    feeder_busy_share: float = Field(0.3, ge=0, le=0.95, description="Share of the feeder that others take.")
    network_delay_s: float = Field(0.02, ge=0, le=1, description="One way, beyond the feeder.")


class Reward(_Part):
    """Prices. A drop costs more than the worst completion, so that dropping never pays."""

    drop_cost: float = Field(2.0, ge=1.0, le=100, description="In deadlines: a completion costs at most 1.")
    device_energy_per_j: float = Field(0.3, ge=0, le=100)
    server_energy_per_j: float = Field(0.01, ge=0, le=100)


class Scenario(_Part):
    """A TaskOffloading scenario."""

    name: str = "custom"
    description: str = ""
    steps: int = Field(120, ge=10, le=100_000)
    dt_s: float = Field(0.5, gt=0, le=60)
    environment: Environment = "suburban"
    tasks: Tasks = Tasks()
    devices: Devices = Devices()
    ground: GroundNode | None = None
    haps: HapsNode | None = None
    leo: LeoNode | None = None
    cloud: Cloud | None = None
    action: Literal["discrete", "box"] = Field(
        "discrete", description="discrete: a target, with one of `ratios`; box: a score per server, and the ratio."
    )
    ratios: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        (1.0,), min_length=1, max_length=8, description="Shares of a task that a discrete action may offload."
    )
    measurement_error_db: float = Field(1.0, ge=0, le=20)
    reward: Reward = Reward()

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        if self.ground is None and self.haps is None and self.leo is None:
            raise ValueError("ground, haps and leo are all missing: give at least one of them")
        if self.cloud is not None and getattr(self, self.cloud.behind) is None:
            raise ValueError(f"cloud.behind = {self.cloud.behind!r}, but the scenario has no {self.cloud.behind}")
        peak = self.tasks.calm_rate_per_s * self.tasks.burst_factor * self.dt_s
        if peak > 0.9:
            raise ValueError(
                f"tasks: {peak:.2f} tasks per slot in a burst; at most 0.9 fit (one per slot): lower rate_per_s or dt_s"
            )
        if self.tail_steps >= self.steps:
            raise ValueError(
                f"steps = {self.steps}: must exceed the longest deadline, {self.tail_steps} steps of {self.dt_s:g} s"
            )
        return self

    @property
    def tail_steps(self) -> int:
        """Steps after which every task has ended; none arrives so shortly before the end of an episode."""
        return math.ceil(self.tasks.deadline_max_s / self.dt_s - 1e-9) + 1

    @property
    def nodes(self) -> tuple[str, ...]:
        """Nodes with an uplink and a server, in the order of all arrays."""
        return tuple(name for name in ("ground", "haps", "leo") if getattr(self, name) is not None)

    @property
    def targets(self) -> tuple[str, ...]:
        """Where a task can run: the device itself, the nodes, and the cloud."""
        return ("device", *self.nodes, *(("cloud",) if self.cloud is not None else ()))

    def node(self, name: str) -> GroundNode | HapsNode | LeoNode:
        """Return a node by name."""
        node = getattr(self, name)
        assert isinstance(node, GroundNode | HapsNode | LeoNode)
        return node
