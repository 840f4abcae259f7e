"""The 60 calibration link budgets of 3GPP TR 38.821, computed from its parameter sets, and what it printed for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from ntn_gym.data import read_json
from ntn_gym.physics.atmosphere import ionospheric_scintillation_db, tr38811_tropospheric_scintillation_db
from ntn_gym.physics.gases import slant_gas_attenuation_db, zenith_gas_attenuation_db
from ntn_gym.physics.geometry import slant_range_m
from ntn_gym.physics.link import LinkBudget, gain_to_temperature_db_k
from ntn_gym.physics.pathloss import Band

Direction = Literal["DL", "UL"]

_TABLE = "tables/tr38821_cases.json"


@dataclass(frozen=True)
class Terminal:
    """A user terminal of Table 6.1.1.1-3.

    Attributes:
        name: "vsat" or "handheld".
        rx_gain_dbi: Receive gain in dBi.
        tx_gain_dbi: Transmit gain in dBi.
        tx_power_dbm: Transmit power in dBm.
        noise_figure_db: Noise figure in dB.
        antenna_temperature_k: Antenna noise temperature in K.
        diameter_m: Diameter of the antenna in m; for the handheld the size of its element.
    """

    name: str
    rx_gain_dbi: float
    tx_gain_dbi: float
    tx_power_dbm: float
    noise_figure_db: float
    antenna_temperature_k: float
    diameter_m: float

    @property
    def eirp_dbw(self) -> float:
        """EIRP in dBW."""
        return self.tx_power_dbm - 30.0 + self.tx_gain_dbi

    @property
    def gt_db_k(self) -> float:
        """G/T in dB/K (TR 38.821 clause 6.1.3.1)."""
        return float(gain_to_temperature_db_k(self.rx_gain_dbi, self.noise_figure_db, self.antenna_temperature_k))


@dataclass(frozen=True)
class SatelliteSet:
    """One satellite of Tables 6.1.1.1-1 (set 1) and 6.1.1.1-2 (set 2).

    Attributes:
        orbit: "GEO", "LEO-1200" or "LEO-600".
        param_set: "set1" or "set2".
        band: "S" or "Ka".
        alt_m: Altitude in m.
        eirp_density_dbw_mhz: EIRP density in dBW/MHz.
        gt_db_k: G/T in dB/K.
        gain_dbi: Largest gain in dBi.
        aperture_m: Equivalent diameter of the transmit aperture in m.
        beamwidth_deg: Full width at half power in deg.
        beam_diameter_m: Diameter of a beam on the ground at the nadir in m.
    """

    orbit: str
    param_set: str
    band: Band
    alt_m: float
    eirp_density_dbw_mhz: float
    gt_db_k: float
    gain_dbi: float
    aperture_m: float
    beamwidth_deg: float
    beam_diameter_m: float


@dataclass(frozen=True)
class CalibrationRow:
    """One row of Table 6.1.3.3-1.

    Attributes:
        case: "SC1" to "SC30".
        direction: "DL" or "UL".
        satellite: Parameters of the satellite.
        elevation_deg: Elevation of the target in deg.
        reuse: Frequency reuse of the option.
        budget: The budget as computed here.
        printed_loss_db: Losses as printed: "fspl", "gas", "scintillation" in dB.
        printed_cnr_db: CNR as printed in dB, where it is known.
    """

    case: str
    direction: Direction
    satellite: SatelliteSet
    elevation_deg: float
    reuse: str
    budget: LinkBudget
    printed_loss_db: Mapping[str, float]
    printed_cnr_db: float | None


@cache
def terminals() -> Mapping[str, Terminal]:
    """Return the terminals by name.

    Source: 3GPP TR 38.821 V16, Table 6.1.1.1-3.
    """
    table = read_json(_TABLE)["terminals"]
    return MappingProxyType(
        {name: Terminal(name, **{k: v for k, v in row.items() if k != "band"}) for name, row in table.items()}
    )


def terminal_of_band(band: Band) -> Terminal:
    """Return the terminal of a band: the handheld in S band, the VSAT in Ka band.

    Source: 3GPP TR 38.821 V16, Table 6.1.1.1-9 (study cases).
    """
    return terminals()["handheld" if band == "S" else "vsat"]


@cache
def satellite_sets() -> tuple[SatelliteSet, ...]:
    """Return the twelve satellites of the calibration.

    Source: 3GPP TR 38.821 V16, Tables 6.1.1.1-1 and 6.1.1.1-2.
    """
    table = read_json(_TABLE)
    return tuple(
        SatelliteSet(
            orbit=row["orbit"],
            param_set=row["param_set"],
            band=row["band"],
            alt_m=1e3 * table["altitude_km"][row["orbit"]],
            eirp_density_dbw_mhz=row["eirp_density_dbw_mhz"],
            gt_db_k=row["gt_db_k"],
            gain_dbi=row["gain_dbi"],
            aperture_m=row["aperture_m"],
            beamwidth_deg=row["beamwidth_deg"],
            beam_diameter_m=1e3 * row["beam_diameter_km"],
        )
        for row in table["satellites"]
    )


def scintillation_loss_db(freq_hz: float, elev_rad: float) -> float:
    """Return the scintillation loss of the calibration: ionospheric below 6 GHz, tropospheric above.

    Source: 3GPP TR 38.821 clause 6.1.3.2 with TR 38.811 clause 6.6.6: the belt of the magnetic equator below 6 GHz
    (2.2 dB at 2 GHz), 20 GHz at Toulouse with 99 % above.

    Args:
        freq_hz: Carrier frequency in Hz, 0.5e9 to 100e9.
        elev_rad: Elevation in rad.

    Returns:
        Loss in dB.
    """
    if freq_hz < 6e9:
        return float(ionospheric_scintillation_db(freq_hz, 0.0))
    return float(tr38811_tropospheric_scintillation_db(elev_rad))


def gas_loss_db(freq_hz: float, elev_rad: float) -> float:
    """Return the gaseous absorption of the calibration, P.676 at the zenith with the cosecant law, at any frequency.

    Source: 3GPP TR 38.821 clause 6.1.3.2 with TR 38.811 clause 6.6.4 (288.15 K, 1013.25 hPa, 7.5 g/m^3).

    Args:
        freq_hz: Carrier frequency in Hz, 1e9 to 100e9.
        elev_rad: Elevation in rad, at least 5 deg.

    Returns:
        Loss in dB.
    """
    return float(slant_gas_attenuation_db(float(zenith_gas_attenuation_db(freq_hz)), elev_rad))


def _budget(satellite: SatelliteSet, direction: Direction, elevation_deg: float, option: int, table: Any) -> LinkBudget:
    elev_rad = math.radians(elevation_deg)
    freq_hz = 1e9 * table["frequency_ghz"][satellite.band][direction]
    bandwidth_mhz = table["bandwidth_mhz"][satellite.band][direction][option]
    terminal = terminal_of_band(satellite.band)
    if direction == "DL":
        eirp_dbw = satellite.eirp_density_dbw_mhz + 10.0 * math.log10(bandwidth_mhz)
        gt_db_k = terminal.gt_db_k
    else:
        eirp_dbw, gt_db_k = terminal.eirp_dbw, satellite.gt_db_k
    return LinkBudget(
        freq_hz=freq_hz,
        range_m=float(slant_range_m(elev_rad, satellite.alt_m)),
        bandwidth_hz=1e6 * bandwidth_mhz,
        eirp_dbw=eirp_dbw,
        gt_db_k=gt_db_k,
        atmospheric_loss_db=gas_loss_db(freq_hz, elev_rad),
        shadow_margin_db=table["shadow_margin_db"][satellite.band],
        scintillation_loss_db=scintillation_loss_db(freq_hz, elev_rad),
    )


@cache
def calibration_rows() -> tuple[CalibrationRow, ...]:
    """Return the 60 budgets of TR 38.821 Table 6.1.3.3-1: study cases 1 to 30, downlink and uplink.

    Every loss is computed here (free space, P.676, scintillation of TR 38.811), nothing is taken over from the print.

    Source: 3GPP TR 38.821 V16, clause 6.1.3.

    Returns:
        The rows in the order of the table.
    """
    table = read_json(_TABLE)
    sets = {(one.orbit, one.param_set, one.band): one for one in satellite_sets()}
    return tuple(
        CalibrationRow(
            case=case,
            direction=direction,
            satellite=sets[group["orbit"], group["param_set"], group["band"]],
            elevation_deg=group["elevation_deg"],
            reuse=table["reuse"][group["band"]][option],
            budget=_budget(
                sets[group["orbit"], group["param_set"], group["band"]],
                direction,
                group["elevation_deg"],
                option,
                table,
            ),
            printed_loss_db=MappingProxyType(group["printed_loss_db"][direction]),
            printed_cnr_db=group.get("published_cnr_db", {}).get(case, {}).get(direction),
        )
        for group in table["groups"]
        for option, case in enumerate(group["cases"])
        for direction in ("DL", "UL")
    )
