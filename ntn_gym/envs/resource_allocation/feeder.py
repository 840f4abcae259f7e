"""The optical feeder link: what it carries for each watt, and what thick and thin cloud, air and pointing take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ntn_gym.envs.resource_allocation.scenario_energy import Feeder
from ntn_gym.physics.beam_pointing import pointing_error
from ntn_gym.physics.optical_link import OpticalLinkBudget
from ntn_gym.physics.turbulence import downlink_rytov_variance
from ntn_gym.physics.visibility_fog import kim_attenuation_db_km
from ntn_gym.world.clouds import CloudTimes

FloatArray = NDArray[Any]

HAZE_DEPTH_M = 2000.0
"""Depth of the layer to which the visibility belongs."""
STRONGEST_RYTOV = 1.0
"""The model of the margin holds for weak turbulence; stronger draws count as this."""


@dataclass(frozen=True)
class FeederLink:
    """Clear-sky numbers of one optical feeder.

    Attributes:
        budget: Line by line, for 1 W, without scintillation and cloud.
        rate_per_w_mbit_s: Rate that 1 W supports, without scintillation and cloud.
        rytov_variance: Of the mean atmosphere.
    """

    budget: OpticalLinkBudget
    rate_per_w_mbit_s: float
    rytov_variance: float


@lru_cache(maxsize=8)
def feeder_link(feeder: Feeder, altitude_m: float) -> FeederLink:
    """Work out the budget of a feeder between a gateway on the ground and the platform.

    Sources: `physics.optical_link` (photon-limited rate), `physics.beam_pointing` (Farid and Hranilovic 2007),
    `physics.visibility_fog` (Kim 2001) over the haze layer, `physics.turbulence` (HV 5/7 profile, plane wave down).
    """
    elevation = math.radians(feeder.elevation_deg)
    range_m = altitude_m / math.sin(elevation)
    air_db = float(kim_attenuation_db_km(feeder.visibility_m, feeder.wavelength_m)) * 1e-3 * HAZE_DEPTH_M
    plain = OpticalLinkBudget(
        wavelength_m=feeder.wavelength_m,
        range_m=range_m,
        transmit_power_w=1.0,
        divergence_half_angle_rad=feeder.divergence_rad,
        aperture_diameter_m=feeder.aperture_m,
        photons_per_bit=feeder.photons_per_bit,
        max_rate_bit_s=feeder.max_rate_mbit_s * 1e6,
        transmit_optics_loss_db=0.5 * feeder.optics_loss_db,
        receive_optics_loss_db=0.5 * feeder.optics_loss_db,
        atmospheric_loss_db=air_db / math.sin(elevation),
    )
    pointing = pointing_error(
        plain.beam_radius_at_receiver_m, 0.5 * feeder.aperture_m, range_m * feeder.pointing_jitter_rad
    )
    # The share without displacement is the geometric loss of the budget already.
    loss_db = pointing.mean_loss_db + 10.0 * math.log10(pointing.max_fraction)
    budget = OpticalLinkBudget(**{**vars(plain), "pointing_loss_db": loss_db})
    rytov = float(downlink_rytov_variance(feeder.wavelength_m, 0.5 * math.pi - elevation, 0.0, altitude_m))
    return FeederLink(budget, budget.supported_rate_bit_s * 1e-6, rytov)


def scintillation_margin_db(rytov_variance: FloatArray, probability: float) -> FloatArray:
    """Return the margin that log-normal scintillation of mean 1 eats up in a share of the time.

    With variance s^2 of the log-irradiance, ln I is normal with mean -s^2/2: the margin is
    -(10/ln 10) (s q - s^2/2) with q the quantile (negative).

    Source: L. C. Andrews and R. L. Phillips, Laser Beam Propagation through Random Media, 2nd ed., section 11.2 (weak
    turbulence: the variance of the log-irradiance is the Rytov variance).

    Args:
        rytov_variance: Rytov variance, not negative, [...].
        probability: Share of the time, below 0.5.
    """
    deviation = np.sqrt(rytov_variance)
    margin: FloatArray = (10.0 / math.log(10.0)) * (-deviation * float(ndtri(probability)) + 0.5 * deviation**2)
    return margin


def cloud_times(feeder: Feeder) -> CloudTimes:
    """Mean holding times of thick cloud and of the gaps between."""
    return CloudTimes(feeder.cloud_s * (1.0 - feeder.cloud_share) / feeder.cloud_share, feeder.cloud_s)


def variable_loss_db(feeder: Feeder, link: FeederLink, thin: FloatArray, turbulence: FloatArray) -> FloatArray:
    """Return the loss by thin cloud and scintillation in dB from two unit-variance processes, [...]."""
    thin_db = feeder.thin_cloud_db * np.exp(feeder.thin_cloud_spread * thin)
    rytov = np.minimum(link.rytov_variance * np.exp(feeder.rytov_spread * turbulence), STRONGEST_RYTOV)
    loss: FloatArray = thin_db + scintillation_margin_db(rytov, feeder.fade_probability)
    return loss


def capacity_mbit_s(
    feeder: Feeder, link: FeederLink, optical_w: FloatArray, cloudy: FloatArray, loss_db: FloatArray
) -> FloatArray:
    """Return what the feeder carries: the optical rate up to the modem's, none through thick cloud, plus the radio's.

    Args:
        feeder: Settings.
        link: From `feeder_link`.
        optical_w: Power of the laser in W, [...].
        cloudy: Whether a thick cloud is in the way, [...].
        loss_db: From `variable_loss_db`, [...].
    """
    rate = optical_w * (link.rate_per_w_mbit_s * 10.0 ** (-0.1 * loss_db))
    clear = np.minimum(rate, feeder.max_rate_mbit_s)
    result: FloatArray = np.where(cloudy, 0.0, clear) + feeder.radio_mbit_s
    return result
