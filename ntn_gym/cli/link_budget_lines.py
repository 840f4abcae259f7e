"""A link budget put together from a few choices: platform, elevation, terminal, surroundings and weather."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from ntn_gym.data import read_json
from ntn_gym.physics.atmosphere import ionospheric_scintillation_db, magnetic_latitude_rad, total_attenuation_db
from ntn_gym.physics.climate import SiteClimate, site_climate
from ntn_gym.physics.climate_interpolation import interpolated_site_climate
from ntn_gym.physics.geometry import slant_range_m
from ntn_gym.physics.link import LinkBudget, from_db, spectral_efficiency_bit_s_hz
from ntn_gym.physics.pathloss import Band, Environment, band_of, clutter_loss_db, shadow_sigma_db
from ntn_gym.physics.rain import slant_path_attenuation
from ntn_gym.physics.tr38821 import (
    SatelliteSet,
    Terminal,
    gas_loss_db,
    satellite_sets,
    scintillation_loss_db,
    terminal_of_band,
    terminals,
)

Orbit = Literal["leo-600", "leo-1200", "meo", "geo", "haps"]

_IONOSPHERE_M = 60e3  # lower edge of the D layer: a path that ends below it does not scintillate there
_SET_MARGIN_DB: dict[Band, float] = {"S": 3.0, "Ka": 0.0}  # TR 38.821 Table 6.1.3.2-1


@dataclass(frozen=True)
class Line:
    """One line of a budget: what, how much, and where it comes from. A `part` is already within the next loss."""

    name: str
    value: float
    unit: str
    source: str
    part: bool = False


@dataclass(frozen=True)
class Choices:
    """What a budget is made of; None takes the value of the platform, band or terminal.

    Attributes:
        orbit: Platform: leo-600, leo-1200, geo (3GPP TR 38.821), meo or haps.
        direction: dl (platform to terminal) or ul.
        band: S or Ka; decides the platform's parameters.
        param_set: Parameter set 1 or 2 of TR 38.821.
        terminal: vsat or handheld; default handheld in S band, vsat in Ka band.
        elevation_deg: Elevation at the terminal in deg, 5 to 90.
        altitude_km: Altitude of the platform in km.
        freq_ghz: Carrier frequency in GHz; default 2 GHz, or 20 (dl) and 30 (ul) GHz.
        bandwidth_mhz: Bandwidth in MHz; default 30 (S dl), 0.36 (S ul), 400 (Ka).
        eirp_dbw: EIRP in the bandwidth in dBW.
        gt_db_k: G/T of the receiver in dB/K.
        environment: Surroundings of the terminal (TR 38.811): adds a margin for shadowing and, without line of sight,
            the clutter loss.
        sight: los or nlos.
        coverage_percent: Share of places that the margin for shadowing serves, in %, 50 to 99.9.
        shadow_margin_db: This margin instead, in dB.
        site: Rain climate (a city or ground station of the data): rain, clouds, gas and scintillation of ITU-R P.618.
        lat_deg: Or the latitude of a place in deg, with --lon-deg: its climate is interpolated between the sites.
        lon_deg: Longitude of the place in deg, east positive.
        place_alt_m: Height of the place above the sea in m.
        availability_percent: Share of the year that they are not exceeded, in %, 99 to 99.99.
        polarization_loss_db: Polarisation loss in dB.
        additional_loss_db: Any other loss in dB.
    """

    orbit: Orbit = "leo-600"
    direction: Literal["dl", "ul"] = "dl"
    band: Band = "Ka"
    param_set: Literal[1, 2] = 1
    terminal: Literal["vsat", "handheld"] | None = None
    elevation_deg: float = 30.0
    altitude_km: float | None = None
    freq_ghz: float | None = None
    bandwidth_mhz: float | None = None
    eirp_dbw: float | None = None
    gt_db_k: float | None = None
    environment: Environment | None = None
    sight: Literal["los", "nlos"] = "los"
    coverage_percent: float = 90.0
    shadow_margin_db: float | None = None
    site: str | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    place_alt_m: float = 0.0
    availability_percent: float = 99.9
    polarization_loss_db: float = 0.0
    additional_loss_db: float = 0.0

    def __post_init__(self) -> None:
        """Check every number where it comes in."""
        limits = {
            "elevation_deg": (5.0, 90.0, "deg"),
            "altitude_km": (8.0, 100_000.0, "km"),
            "freq_ghz": (1.0, 55.0 if self.site or self.lat_deg is not None else 100.0, "GHz"),
            "lat_deg": (-90.0, 90.0, "deg"),
            "lon_deg": (-180.0, 360.0, "deg"),
            "place_alt_m": (-500.0, 9000.0, "m"),
            "bandwidth_mhz": (1e-4, 1e5, "MHz"),
            "eirp_dbw": (-200.0, 200.0, "dBW"),
            "gt_db_k": (-100.0, 100.0, "dB/K"),
            "coverage_percent": (50.0, 99.9, "%"),
            "shadow_margin_db": (0.0, 100.0, "dB"),
            "availability_percent": (99.0, 99.99, "%"),
            "polarization_loss_db": (0.0, 100.0, "dB"),
            "additional_loss_db": (0.0, 1000.0, "dB"),
        }
        for field, (low, high, unit) in limits.items():
            value = getattr(self, field)
            if value is not None and not low <= value <= high:
                option = field.replace("_", "-")
                raise ValueError(f"--{option}: got {value:g} {unit}; must be {low:g} to {high:g} {unit}")
        if self.freq_ghz is not None and band_of(1e9 * self.freq_ghz) != self.band:
            raise ValueError(
                f"--freq-ghz: got {self.freq_ghz:g} GHz with --band {self.band}; S is below 6 GHz, Ka above"
            )
        if (self.lat_deg is None) != (self.lon_deg is None):
            raise ValueError("--lat-deg and --lon-deg: give both, or --site")
        if self.site is not None and self.lat_deg is not None:
            raise ValueError(f"--site {self.site}: leave out --lat-deg and --lon-deg, or the site")
        if self.sight == "nlos" and self.environment is None:
            raise ValueError("--sight nlos: the clutter loss needs --environment, too")


def _platform(choices: Choices) -> tuple[float, float, float, str]:
    """Return altitude in m, EIRP density in dBW/MHz, G/T in dB/K, and their source."""
    if choices.orbit in ("meo", "haps"):
        row: Any = read_json("tables/link_budget_platforms.json")["platforms"][choices.orbit]
        values = row[choices.band]
        source = "typical; tables/link_budget_platforms.json"
        return 1e3 * row["altitude_km"], values["eirp_density_dbw_mhz"], values["gt_db_k"], source
    key = (choices.orbit.upper(), f"set{choices.param_set}", choices.band)
    found: SatelliteSet = next(one for one in satellite_sets() if (one.orbit, one.param_set, one.band) == key)
    table = f"TR 38.821 Table 6.1.1.1-{choices.param_set}"
    return found.alt_m, found.eirp_density_dbw_mhz, found.gt_db_k, table


def _climate(choices: Choices) -> SiteClimate | None:
    if choices.lat_deg is not None and choices.lon_deg is not None:
        place = math.radians(choices.lat_deg), math.radians(choices.lon_deg)
        return interpolated_site_climate(*place, choices.place_alt_m)
    return site_climate(choices.site) if choices.site else None


def _atmosphere(
    choices: Choices, climate: SiteClimate | None, freq_hz: float, elev_rad: float, alt_m: float, diameter_m: float
) -> tuple[float, float, list[Line]]:
    """Return atmospheric loss and scintillation loss in dB, and the parts of the former for printing."""
    if climate is None:
        below = freq_hz < 6e9 and alt_m < _IONOSPHERE_M
        return gas_loss_db(freq_hz, elev_rad), 0.0 if below else scintillation_loss_db(freq_hz, elev_rad), []
    p_percent = 100.0 - choices.availability_percent
    parts = slant_path_attenuation(p_percent, elev_rad, freq_hz, climate, diameter_m)
    # P.618 gives tropospheric scintillation from 4 GHz on; below 6 GHz that of the ionosphere counts, by latitude.
    troposphere_db = float(parts.scintillation_db) if freq_hz >= 4e9 else 0.0
    total_db = float(total_attenuation_db(parts.gas_db, parts.rain_db, parts.cloud_db, troposphere_db))
    magnetic_rad = magnetic_latitude_rad(climate.lat_rad, climate.lon_rad)
    ionosphere_db = float(ionospheric_scintillation_db(freq_hz, magnetic_rad)) if alt_m > _IONOSPHERE_M else 0.0
    lines = [
        Line("gas", float(parts.gas_db), "dB", "ITU-R P.676, exceeded 1 % of the year", part=True),
        Line("rain", float(parts.rain_db), "dB", f"ITU-R P.618, exceeded {p_percent:.3g} %", part=True),
        Line("clouds", float(parts.cloud_db), "dB", "ITU-R P.840, exceeded 1 %", part=True),
        Line("tropospheric scintillation", troposphere_db, "dB", f"ITU-R P.618, exceeded {p_percent:.3g} %", part=True),
    ]
    return total_db, ionosphere_db, lines


def _shadowing(choices: Choices, freq_hz: float, elev_rad: float) -> tuple[float, str, float]:
    """Return the shadow margin in dB with its source, and the clutter loss in dB."""
    los = choices.sight == "los"
    clutter_db = 0.0
    margin_db, source = _SET_MARGIN_DB[choices.band], "TR 38.821 Table 6.1.3.2-1"
    if choices.environment is not None:
        from scipy.special import ndtri

        band = band_of(freq_hz)
        clutter_db = float(clutter_loss_db(elev_rad, choices.environment, band, los))
        sigma_db = float(shadow_sigma_db(elev_rad, choices.environment, band, los))
        margin_db = max(0.0, float(ndtri(choices.coverage_percent / 100.0)) * sigma_db)
        source = f"TR 38.811 Table 6.6.2: sigma {sigma_db:g} dB, {choices.coverage_percent:g} % of places"
    if choices.shadow_margin_db is not None:
        margin_db, source = choices.shadow_margin_db, "as given"
    return margin_db, source, clutter_db


def put_together(choices: Choices) -> tuple[LinkBudget, tuple[Line, ...]]:
    """Return the budget of some choices and its lines.

    Args:
        choices: Platform, terminal, surroundings, weather.

    Returns:
        The budget, and its lines from the carrier to the throughput.

    Raises:
        ValueError: When a choice is out of its range.
    """
    alt_m, density_dbw_mhz, satellite_gt_db_k, platform_source = _platform(choices)
    if choices.altitude_km is not None:
        alt_m = 1e3 * choices.altitude_km
    terminal: Terminal = terminals()[choices.terminal] if choices.terminal else terminal_of_band(choices.band)
    down = choices.direction == "dl"
    freq_hz = 1e9 * (choices.freq_ghz or (2.0 if choices.band == "S" else 20.0 if down else 30.0))
    bandwidth_mhz = choices.bandwidth_mhz or (400.0 if choices.band == "Ka" else 30.0 if down else 0.36)
    if down:
        eirp_dbw, gt_db_k = density_dbw_mhz + 10.0 * math.log10(bandwidth_mhz), terminal.gt_db_k
        sources = (f"{platform_source}: {density_dbw_mhz:g} dBW/MHz", f"{terminal.name}, TR 38.821 clause 6.1.3.1")
    else:
        eirp_dbw, gt_db_k = terminal.eirp_dbw, satellite_gt_db_k
        sources = (f"{terminal.name}, TR 38.821 Table 6.1.1.1-3", platform_source)
    eirp_dbw, eirp_source = (eirp_dbw, sources[0]) if choices.eirp_dbw is None else (choices.eirp_dbw, "as given")
    gt_db_k, gt_source = (gt_db_k, sources[1]) if choices.gt_db_k is None else (choices.gt_db_k, "as given")

    elev_rad = math.radians(choices.elevation_deg)
    climate = _climate(choices)
    gas_db, scintillation_db, parts = _atmosphere(choices, climate, freq_hz, elev_rad, alt_m, terminal.diameter_m)
    margin_db, margin_source, clutter_db = _shadowing(choices, freq_hz, elev_rad)
    budget = LinkBudget(
        freq_hz=freq_hz,
        range_m=float(slant_range_m(elev_rad, alt_m)),
        bandwidth_hz=1e6 * bandwidth_mhz,
        eirp_dbw=eirp_dbw,
        gt_db_k=gt_db_k,
        atmospheric_loss_db=gas_db,
        shadow_margin_db=margin_db,
        scintillation_loss_db=scintillation_db,
        polarization_loss_db=choices.polarization_loss_db,
        additional_loss_db=clutter_db + choices.additional_loss_db,
    )
    efficiency = float(spectral_efficiency_bit_s_hz(from_db(budget.cnr_db)))
    atmosphere = (
        ("atmospheric loss", "TR 38.811 clause 6.6.4") if climate is None else ("atmosphere", "P.618 clause 2.5")
    )
    scintillation = "TR 38.811 clause 6.6.6"
    if climate is not None:
        scintillation = "ionosphere, TR 38.811 clause 6.6.6.1"
    lines = [
        Line("carrier frequency", freq_hz / 1e9, "GHz", ""),
        Line("altitude", alt_m / 1e3, "km", choices.orbit),
        Line("elevation", choices.elevation_deg, "deg", ""),
        Line("slant range", budget.range_m / 1e3, "km", "TR 38.811 equation 6.6-3"),
        Line("bandwidth", bandwidth_mhz, "MHz", ""),
        Line("EIRP", eirp_dbw, "dBW", eirp_source),
        Line("free-space path loss", budget.free_space_loss_db, "dB", "TR 38.811 equation 6.6-2"),
        *parts,
        Line(atmosphere[0], gas_db, "dB", atmosphere[1]),
        Line("scintillation loss", scintillation_db, "dB", scintillation),
        Line("shadow margin", margin_db, "dB", margin_source),
        Line("clutter loss", clutter_db, "dB", "TR 38.811 Table 6.6.2" if clutter_db else "line of sight"),
        Line("polarisation loss", budget.polarization_loss_db, "dB", "as given"),
        Line("additional loss", choices.additional_loss_db, "dB", "as given"),
        Line("G/T", gt_db_k, "dB/K", gt_source),
        Line("CNR", budget.cnr_db, "dB", "TR 38.821 clause 6.1.3.1"),
        Line("spectral efficiency", efficiency, "bit/s/Hz", "0.65 log2(1 + CNR), at most 4.8 (form of TR 36.942 A.2)"),
        Line("throughput", efficiency * bandwidth_mhz, "Mbit/s", ""),
    ]
    return budget, tuple(lines)
