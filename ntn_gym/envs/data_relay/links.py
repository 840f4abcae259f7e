"""Rate of the optical link from a satellite to a receiver."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.data_relay.scenario import HAGS_ALTITUDE_M, BudgetLinks, IdealLinks
from ntn_gym.physics.aperture_averaging import downlink_aperture_averaging
from ntn_gym.physics.gaussian_beam import beam_radius_m, geometric_loss_db, waist_of_divergence_m
from ntn_gym.physics.optical_link import photon_limited_rate_bit_s
from ntn_gym.physics.scintillation import lognormal_cdf
from ntn_gym.physics.turbulence import downlink_rytov_variance
from ntn_gym.physics.visibility_fog import kim_attenuation_db_km

Floats = NDArray[Any]
_LOWEST_TURBULENT_RAD = math.radians(15.0)  # flat layers hold to 75 deg from the zenith
_STEP_RAD = math.radians(0.5)


def haze_loss_db(model: BudgetLinks, elev_rad: Floats) -> Floats:
    """Return the clear-sky extinction from the ground to space.

    Kim's specific attenuation at the ground, an exponential haze of scale height H, and the air mass of Kasten and
    Young: gamma H m(e), m = 1 / (sin e + 0.50572 (e_deg + 6.07995)^-1.6364).

    Source: Kim et al., Proc. SPIE 4214, 2001; F. Kasten and A. T. Young, Applied Optics 28(22), 1989.

    Args:
        model: Gives visibility, wavelength and scale height.
        elev_rad: Elevation in rad, [...].

    Returns:
        Loss in dB, [...].
    """
    zenith_db = float(kim_attenuation_db_km(model.visibility_m, model.wavelength_m)) * model.haze_height_m / 1e3
    elev_deg = np.degrees(elev_rad)
    return zenith_db / (np.sin(elev_rad) + 0.50572 * (elev_deg + 6.07995) ** -1.6364)


@lru_cache(maxsize=16)
def fade_table_db(model: BudgetLinks, alt_m: float) -> NDArray[np.float64]:
    """Return the scintillation loss at elevations 0, 0.5, ... 90 deg: the fade exceeded in the stated share of time.

    Log-normal irradiance with the aperture-averaged index of a downlink through the Hufnagel-Valley atmosphere. Below
    15 deg the value at 15 deg stands, because flat layers do not reach lower.

    Source: Andrews and Phillips, Laser Beam Propagation through Random Media, 2nd ed., chapters 9, 10 and 12.
    """
    elev_rad = np.maximum(np.arange(181) * _STEP_RAD, _LOWEST_TURBULENT_RAD)
    zenith_rad = math.pi / 2 - elev_rad
    diameter_m = model.ground_aperture_m if alt_m < HAGS_ALTITUDE_M else model.hags_aperture_m
    index = downlink_rytov_variance(model.wavelength_m, zenith_rad, alt_m) * downlink_aperture_averaging(
        diameter_m, model.wavelength_m, zenith_rad, alt_m
    )
    index = np.maximum(index, 1e-8)
    # The quantile by bisection of the distribution function in dB.
    low, high = np.full(181, 0.0), np.full(181, 60.0)
    for _ in range(40):
        middle = 0.5 * (low + high)
        deeper = lognormal_cdf(10.0 ** (-middle / 10.0), index) > model.fade_probability
        low, high = np.where(deeper, middle, low), np.where(deeper, high, middle)
    loss_db: NDArray[np.float64] = 0.5 * (low + high)
    return loss_db


def rate_bit_s(
    model: IdealLinks | BudgetLinks, range_m: Floats, elev_rad: Floats, at_hags: NDArray[np.bool_]
) -> Floats:
    """Return the rate of links from space to a receiver under clear sky, in whole bit/s.

    Budget: laser power, Gaussian beam wider than the telescope, losses, haze and fades (to the ground only), photons
    per bit; at most the modem's rate.

    Source: Saleh and Teich, Fundamentals of Photonics, 2nd ed., sections 3.1 and 24.3; `physics.optical_link`.

    Args:
        model: Ideal or budget.
        range_m: Length of the link in m, [...].
        elev_rad: Elevation at the receiver in rad, [...].
        at_hags: Whether the receiver is a high-altitude ground station, [...].

    Returns:
        Rate in bit/s, whole numbers as float64, [...].
    """
    if isinstance(model, IdealLinks):
        return np.full(np.shape(range_m), float(round(model.rate_bit_s)))
    waist_m = waist_of_divergence_m(model.divergence_rad, model.wavelength_m)
    radius_m = beam_radius_m(range_m, waist_m, model.wavelength_m)
    aperture_m = np.where(at_hags, model.hags_aperture_m, model.ground_aperture_m)
    place = np.minimum((np.asarray(elev_rad) / _STEP_RAD).astype(np.intp), 180)
    air_db = np.where(
        at_hags,
        fade_table_db(model, HAGS_ALTITUDE_M)[place],
        fade_table_db(model, 0.0)[place] + haze_loss_db(model, elev_rad),
    )
    fixed_db = model.optics_loss_db + model.pointing_loss_db + model.margin_db
    received_w = model.power_w * 10.0 ** (-(geometric_loss_db(radius_m, aperture_m / 2) + air_db + fixed_db) / 10.0)
    rate = photon_limited_rate_bit_s(received_w, model.wavelength_m, model.photons_per_bit)
    result: Floats = np.floor(np.minimum(rate, model.rate_bit_s))
    return result
