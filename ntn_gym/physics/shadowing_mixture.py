"""Excess loss of a link that is sometimes in line of sight: a mixture of two log-normal losses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ntn_gym.physics.pathloss import Band, Environment, clutter_loss_db, los_probability, shadow_sigma_db

FloatArray = NDArray[Any]

_DB = math.log(10.0) / 10.0


@dataclass(frozen=True)
class ShadowingMixture:
    """Loss beyond free space in dB: normal in line of sight, normal with more loss and spread without it.

    Attributes:
        los_probability: Probability of line of sight, 0 to 1.
        los_mean_db: Mean loss in line of sight in dB.
        los_sigma_db: Standard deviation in line of sight in dB, positive.
        nlos_mean_db: Mean loss without line of sight in dB (clutter loss).
        nlos_sigma_db: Standard deviation without line of sight in dB, positive.
    """

    los_probability: float
    los_mean_db: float
    los_sigma_db: float
    nlos_mean_db: float
    nlos_sigma_db: float

    def __post_init__(self) -> None:
        allowed = {
            "los_probability": (0.0, 1.0, ""),
            "los_mean_db": (-50.0, 200.0, " dB"),
            "los_sigma_db": (1e-3, 50.0, " dB"),
            "nlos_mean_db": (-50.0, 200.0, " dB"),
            "nlos_sigma_db": (1e-3, 50.0, " dB"),
        }
        for field, (low, high, unit) in allowed.items():
            value = getattr(self, field)
            if not low <= value <= high:
                raise ValueError(f"ShadowingMixture.{field}: got {value}; must be {low:g} to {high:g}{unit}")


def tr38811_shadowing_mixture(elev_rad: float, environment: Environment, band: Band) -> ShadowingMixture:
    """Return the mixture of a satellite link: line of sight, shadowing and clutter at an elevation.

    Source: 3GPP TR 38.811 V15.4.0, clauses 6.6.1 and 6.6.2 (Tables 6.6.1-1 and 6.6.2-1 to 6.6.2-3), linear between
    the elevations of the tables.

    Args:
        elev_rad: Elevation in rad.
        environment: "dense_urban", "urban", "suburban" or "rural".
        band: "S" or "Ka".

    Returns:
        The mixture.
    """
    return ShadowingMixture(
        los_probability=float(los_probability(elev_rad, environment)),
        los_mean_db=0.0,
        los_sigma_db=float(shadow_sigma_db(elev_rad, environment, band, True)),
        nlos_mean_db=float(clutter_loss_db(elev_rad, environment, band, False)),
        nlos_sigma_db=float(shadow_sigma_db(elev_rad, environment, band, False)),
    )


def excess_loss_cdf(loss_db: FloatArray | float, mixture: ShadowingMixture) -> FloatArray:
    """Return the probability that the excess loss is below a value.

    p Phi((x - mu1) / s1) + (1 - p) Phi((x - mu2) / s2), Phi the standard normal distribution.

    Source: A. Al-Hourani and I. Guvenc, "On modeling satellite-to-ground path-loss in urban environments", IEEE
    Commun. Lett. 25 (3), 2021 (Gaussian mixture in dB).

    Args:
        loss_db: Loss in dB, [...].
        mixture: Probability of line of sight and the two losses.

    Returns:
        Probability, [...].
    """
    p, loss = mixture.los_probability, np.asarray(loss_db, dtype=np.float64)
    clear = ndtr((loss - mixture.los_mean_db) / mixture.los_sigma_db)
    blocked = ndtr((loss - mixture.nlos_mean_db) / mixture.nlos_sigma_db)
    probability: FloatArray = p * clear + (1.0 - p) * blocked
    return probability


def excess_loss_pdf(loss_db: FloatArray | float, mixture: ShadowingMixture) -> FloatArray:
    """Return the density of the excess loss in 1/dB.

    Source: as `excess_loss_cdf`, its derivative.

    Args:
        loss_db: Loss in dB, [...].
        mixture: Probability of line of sight and the two losses.

    Returns:
        Density in 1/dB, [...].
    """
    loss = np.asarray(loss_db, dtype=np.float64)

    def normal(mean_db: float, sigma_db: float) -> FloatArray:
        density: FloatArray = np.exp(-0.5 * np.square((loss - mean_db) / sigma_db))
        return density / (sigma_db * math.sqrt(2.0 * math.pi))

    p = mixture.los_probability
    return p * normal(mixture.los_mean_db, mixture.los_sigma_db) + (1.0 - p) * normal(
        mixture.nlos_mean_db, mixture.nlos_sigma_db
    )


def mean_excess_gain(mixture: ShadowingMixture) -> float:
    """Return the mean of 10^(-loss / 10), the factor on the mean received power.

    Source: mean of a log-normal variable, exp(-a mu + (a sigma)^2 / 2) with a = ln(10) / 10, for each state.

    Args:
        mixture: Probability of line of sight and the two losses.

    Returns:
        Factor as a ratio.
    """
    p = mixture.los_probability
    clear = math.exp(-_DB * mixture.los_mean_db + 0.5 * (_DB * mixture.los_sigma_db) ** 2)
    blocked = math.exp(-_DB * mixture.nlos_mean_db + 0.5 * (_DB * mixture.nlos_sigma_db) ** 2)
    return p * clear + (1.0 - p) * blocked


def sample_excess_loss_db(
    generator: np.random.Generator, shape: tuple[int, ...], mixture: ShadowingMixture
) -> FloatArray:
    """Draw excess losses: first whether there is line of sight, then the loss of that state.

    Source: as `excess_loss_cdf`.

    Args:
        generator: Source of random numbers.
        shape: Shape of the result.
        mixture: Probability of line of sight and the two losses.

    Returns:
        Losses in dB, of the given shape, float64.
    """
    clear = generator.random(shape) < mixture.los_probability
    mean_db = np.where(clear, mixture.los_mean_db, mixture.nlos_mean_db)
    sigma_db = np.where(clear, mixture.los_sigma_db, mixture.nlos_sigma_db)
    losses: FloatArray = mean_db + sigma_db * generator.standard_normal(shape)
    return losses
