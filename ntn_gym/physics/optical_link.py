"""Budget of a free-space optical link, line by line, from the laser's power to the bit rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import SPEED_OF_LIGHT_M_S
from ntn_gym.physics.gaussian_beam import beam_radius_m, geometric_loss_db, waist_of_divergence_m
from ntn_gym.physics.validity import refuse_non_positive

PLANCK_J_S = 6.626_070_15e-34
"""Planck constant, exact (SI, BIPM 2019)."""


def photon_energy_j(wavelength_m: ArrayLike) -> Array:
    """Return the energy of a photon, h c / lambda, in J.

    Source: SI (BIPM 2019), with the exact h and c.

    Args:
        wavelength_m: Wavelength in m, positive, [...].

    Returns:
        Energy in J, [...].
    """
    _, wavelength = promote(wavelength_m)
    refuse_non_positive("wavelength_m", wavelength, "m")
    return PLANCK_J_S * SPEED_OF_LIGHT_M_S / wavelength


def photon_limited_rate_bit_s(received_w: ArrayLike, wavelength_m: ArrayLike, photons_per_bit: ArrayLike) -> Array:
    """Return the bit rate that a received power supports, P / (n h c / lambda).

    Source: B. Saleh and M. Teich, Fundamentals of Photonics, 2nd ed., section 24.3 (receiver sensitivity in
    photons per bit).

    Args:
        received_w: Received power in W, not negative, [...].
        wavelength_m: Wavelength in m, positive, [...].
        photons_per_bit: Sensitivity n of the receiver with its code: photons needed for each bit, [...].

    Returns:
        Rate in bit/s, [...].
    """
    _, power, energy, photons = promote(received_w, photon_energy_j(wavelength_m), photons_per_bit)
    return power / (photons * energy)


@dataclass(frozen=True)
class OpticalLinkBudget:
    """One optical link budget, line by line.

    The transmitter sends a Gaussian beam; the receiver is a circular telescope with a modem whose sensitivity is
    given in photons per bit. The rate is what the received power supports, up to the modem's own limit.

    Attributes:
        wavelength_m: Wavelength in m.
        range_m: Length of the link in m.
        transmit_power_w: Mean optical power of the laser in W.
        divergence_half_angle_rad: 1/e^2 half angle of the beam in rad.
        aperture_diameter_m: Diameter of the receiving telescope in m.
        photons_per_bit: Sensitivity of the receiver; 20 to 1000 for modems of today.
        max_rate_bit_s: Highest rate of the modem in bit/s.
        transmit_optics_loss_db: Loss in the transmitter's optics in dB.
        receive_optics_loss_db: Loss in the receiver's optics in dB.
        pointing_loss_db: Loss by pointing error in dB (`beam_pointing`).
        atmospheric_loss_db: Absorption and scattering in dB (`visibility_fog`, or a clear-sky value).
        scintillation_loss_db: Margin for scintillation in dB (`scintillation`).
        margin_db: Margin kept in dB.
    """

    wavelength_m: float
    range_m: float
    transmit_power_w: float
    divergence_half_angle_rad: float
    aperture_diameter_m: float
    photons_per_bit: float
    max_rate_bit_s: float
    transmit_optics_loss_db: float = 0.0
    receive_optics_loss_db: float = 0.0
    pointing_loss_db: float = 0.0
    atmospheric_loss_db: float = 0.0
    scintillation_loss_db: float = 0.0
    margin_db: float = 0.0

    def __post_init__(self) -> None:
        units = {
            "wavelength_m": "m",
            "range_m": "m",
            "transmit_power_w": "W",
            "divergence_half_angle_rad": "rad",
            "aperture_diameter_m": "m",
            "photons_per_bit": "photons",
            "max_rate_bit_s": "bit/s",
        }
        for field in self.__dataclass_fields__:
            value = getattr(self, field)
            if field in units:
                if not (math.isfinite(value) and value > 0.0):
                    raise ValueError(
                        f"OpticalLinkBudget.{field}: got {value}; must be a positive number of {units[field]}"
                    )
            elif not (math.isfinite(value) and value >= 0.0):
                raise ValueError(f"OpticalLinkBudget.{field}: got {value}; must be 0 dB or more")
        if self.divergence_half_angle_rad > 0.1:
            raise ValueError(
                f"OpticalLinkBudget.divergence_half_angle_rad: got {self.divergence_half_angle_rad} rad; must be at "
                "most 0.1 rad (the beam is paraxial)"
            )

    @property
    def beam_radius_at_receiver_m(self) -> float:
        """1/e^2 radius of the beam at the receiver in m."""
        waist = waist_of_divergence_m(self.divergence_half_angle_rad, self.wavelength_m)
        return float(beam_radius_m(self.range_m, waist, self.wavelength_m))

    @property
    def geometric_loss_db(self) -> float:
        """Loss of the beam that is wider than the telescope in dB."""
        return float(geometric_loss_db(self.beam_radius_at_receiver_m, 0.5 * self.aperture_diameter_m))

    @property
    def received_power_dbm(self) -> float:
        """Power at the detector in dBm, the margin taken off."""
        losses_db = (
            self.transmit_optics_loss_db
            + self.geometric_loss_db
            + self.pointing_loss_db
            + self.atmospheric_loss_db
            + self.scintillation_loss_db
            + self.receive_optics_loss_db
            + self.margin_db
        )
        return 10.0 * math.log10(self.transmit_power_w) + 30.0 - losses_db

    @property
    def supported_rate_bit_s(self) -> float:
        """Rate that the received power supports in bit/s, whatever the modem."""
        power_w = 10.0 ** (self.received_power_dbm / 10.0 - 3.0)
        return float(photon_limited_rate_bit_s(power_w, self.wavelength_m, self.photons_per_bit))

    @property
    def rate_bit_s(self) -> float:
        """Bit rate of the link in bit/s: the supported rate, at most the modem's."""
        return min(self.supported_rate_bit_s, self.max_rate_bit_s)

    def lines(self) -> tuple[tuple[str, float, str], ...]:
        """Return the budget for printing: (name, value, unit), from the laser to the bit rate."""
        return (
            ("wavelength", self.wavelength_m * 1e9, "nm"),
            ("range", self.range_m / 1e3, "km"),
            ("transmit power", 10.0 * math.log10(self.transmit_power_w) + 30.0, "dBm"),
            ("divergence (half angle, 1/e^2)", self.divergence_half_angle_rad * 1e6, "urad"),
            ("beam radius at receiver", self.beam_radius_at_receiver_m, "m"),
            ("transmit optics loss", self.transmit_optics_loss_db, "dB"),
            ("geometric loss", self.geometric_loss_db, "dB"),
            ("pointing loss", self.pointing_loss_db, "dB"),
            ("atmospheric loss", self.atmospheric_loss_db, "dB"),
            ("scintillation loss", self.scintillation_loss_db, "dB"),
            ("receive optics loss", self.receive_optics_loss_db, "dB"),
            ("margin", self.margin_db, "dB"),
            ("received power", self.received_power_dbm, "dBm"),
            ("sensitivity", self.photons_per_bit, "photons/bit"),
            ("supported rate", self.supported_rate_bit_s / 1e9, "Gbit/s"),
            ("rate", self.rate_bit_s / 1e9, "Gbit/s"),
        )
