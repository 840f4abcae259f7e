"""Settings of feeder, battery, sun and wind of a ResourceAllocation scenario."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Part(BaseModel):
    """Base of all parts of a scenario: frozen, no unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Laser(Part):
    """The optical terminal's own laser; the one on the ground follows its level, for traffic taken as symmetric."""

    levels_w: tuple[float, ...] = Field((0.0, 0.2, 1.0, 5.0), description="Optical power; the first is 0: off.")
    idle_w: float = Field(30.0, ge=0, le=1000, description="Supply power of the terminal when it is on.")
    efficiency: float = Field(0.1, gt=0, le=1, description="Optical power over supply power of the amplifier.")
    fixed_level: int = Field(-1, ge=-20, le=20, description="Level (index) of a terminal that nobody controls.")


class Feeder(Part):
    """Free-space optical feeder link between gateway and platform, with a radio link behind it."""

    controlled: bool = Field(False, description="The laser's level is decided by an agent of its own.")
    laser: Laser = Laser()
    elevation_deg: float = Field(50.0, ge=20, le=90)
    wavelength_m: float = Field(1550e-9, ge=800e-9, le=2e-6)
    divergence_rad: float = Field(60e-6, gt=1e-6, le=1e-2, description="1/e^2 half angle of the beam.")
    aperture_m: float = Field(0.1, gt=0.01, le=1, description="Diameter of the receiving telescope.")
    pointing_jitter_rad: float = Field(10e-6, gt=0, le=1e-3, description="Jitter along one axis.")
    photons_per_bit: float = Field(500.0, ge=1)
    optics_loss_db: float = Field(6.0, ge=0, le=30)
    visibility_m: float = Field(23e3, ge=1e3, le=100e3, description="Haze of the lowest 2 km.")
    rytov_spread: float = Field(0.5, ge=0, le=2, description="Deviation of the log of the turbulence's strength.")
    fade_probability: float = Field(
        0.01, gt=0, lt=0.5, description="Share of time that the scintillation margin fails."
    )
    max_rate_mbit_s: float = Field(600.0, gt=0, le=100e3)
    cloud_share: float = Field(0.2, gt=0, lt=1, description="Long-run share of thick cloud.")
    cloud_s: float = Field(2400.0, gt=0, description="Mean time under a thick cloud.")
    thin_cloud_db: float = Field(3.0, ge=0, le=60, description="Median attenuation of thin cloud.")
    thin_cloud_spread: float = Field(0.0, ge=0, le=2, description="Deviation of its log.")
    thin_cloud_memory_s: float = Field(3600.0, gt=0)
    radio_mbit_s: float = Field(25.0, ge=0, le=10e3, description="Radio feeder behind the optical one.")

    @model_validator(mode="after")
    def _level_exists(self) -> Feeder:
        n = len(self.laser.levels_w)
        if not -n <= self.laser.fixed_level < n:
            raise ValueError(f"laser.fixed_level = {self.laser.fixed_level}: there are levels 0 to {n - 1}")
        if n < 2 or self.laser.levels_w[0] != 0.0 or list(self.laser.levels_w) != sorted(set(self.laser.levels_w)):
            raise ValueError(f"laser.levels_w = {self.laser.levels_w}: needed are 0 W and then rising levels")
        return self


class Battery(Part):
    """Storage and what always draws from it."""

    capacity_kwh: float = Field(14.0, gt=0, le=1000)
    charge_efficiency: float = Field(0.95, gt=0, le=1)
    discharge_efficiency: float = Field(1.0, gt=0, le=1)
    start_share: float = Field(0.7, ge=0, le=1)
    low_share: float = Field(0.1, ge=0, lt=1, description="Below it the payload is switched off.")
    back_share: float = Field(0.2, ge=0, lt=1, description="Above it the payload is switched on again.")
    hotel_w: float = Field(350.0, ge=0, le=50e3)

    @model_validator(mode="after")
    def _ordered(self) -> Battery:
        if self.back_share < self.low_share:
            raise ValueError(f"back_share = {self.back_share} must not be below low_share = {self.low_share}")
        return self


class Sun(Part):
    """Place, day and panels (horizontal)."""

    latitude_deg: float = Field(35.0, ge=-65, le=65)
    longitude_deg: float = Field(0.0, ge=-180, le=180)
    julian_date: float = Field(
        2460754.5, ge=2415020, le=2488070, description="Midnight UTC; the default is 2025-03-20."
    )
    start_hour: float = Field(12.0, ge=0, lt=24, description="Local solar time of the first step.")
    panel_m2: float = Field(10.5, ge=0, le=2000)
    panel_efficiency: float = Field(0.25, gt=0, le=0.5)


class Wind(Part):
    """Wind at the platform and the airship that holds against it."""

    mean_m_s: float = Field(9.0, ge=0, le=40)
    deviation_m_s: float = Field(1.0, ge=0, le=20, description="Of each component, Gauss-Markov.")
    memory_s: float = Field(21_600.0, gt=0)
    volume_m3: float = Field(5000.0, gt=0, le=1e6)
    drag_coefficient: float = Field(0.025, gt=0, le=0.2)
    efficiency: float = Field(0.6, gt=0, le=1, description="Propeller, motor and controller together.")


class Energy(Part):
    """Energy as a price, or a battery with sun and wind."""

    price: float = Field(1.0, ge=0, le=10, description="Reward per step for the reference supply power.")
    price_spread: float = Field(
        0.0, ge=0, le=2, description="The price of a world is price 10^(u spread), u in [-1, 1]."
    )
    reference_w: float = Field(560.0, gt=0, le=20e3, description="Supply power that costs the price.")
    battery: Battery | None = None
    sun: Sun = Sun()
    wind: Wind = Wind()
