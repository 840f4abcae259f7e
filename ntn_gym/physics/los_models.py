"""Line of sight to low platforms: the sigmoid of Al-Hourani et al. in the elevation angle.

For satellites and platforms in the stratosphere use the tables of TR 38.811 (`ntn_gym.physics.pathloss`);
this closed form is meant for UAV and HAPS over built-up areas and is what the placement literature uses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from ntn_gym.data import read_json
from ntn_gym.physics.arrays import Array, ArrayLike, promote

BuiltUp = Literal["suburban", "urban", "dense_urban", "highrise"]


@dataclass(frozen=True)
class SigmoidParameters:
    """Parameters of one environment.

    Attributes:
        a: Sigmoid offset, dimensionless and in deg (as printed).
        b_per_deg: Sigmoid slope in 1/deg.
        excess_loss_los_db: Mean loss beyond free space in line of sight in dB, at 2 GHz.
        excess_loss_nlos_db: Mean loss beyond free space without line of sight in dB, at 2 GHz.
    """

    a: float
    b_per_deg: float
    excess_loss_los_db: float
    excess_loss_nlos_db: float


@cache
def sigmoid_parameters(environment: BuiltUp) -> SigmoidParameters:
    """Return the parameters of an environment.

    Source: A. Al-Hourani, S. Kandeepan and S. Lardner, "Optimal LAP altitude for maximum coverage", IEEE Wireless
    Communications Letters 3 (6), 2014; values as quoted in the literature.

    Args:
        environment: "suburban", "urban", "dense_urban" or "highrise".

    Returns:
        The parameters.

    Raises:
        ValueError: If the environment is unknown.
    """
    if environment not in get_args(BuiltUp):
        raise ValueError(f"environment: got {environment!r}; must be one of {', '.join(get_args(BuiltUp))}")
    return SigmoidParameters(**read_json("tables/al_hourani.json")["environments"][environment])


def sigmoid_los_probability(elev_rad: ArrayLike, environment: BuiltUp) -> Array:
    """Return the probability of line of sight 1 / (1 + a exp(-b (elevation - a))), elevation in deg.

    Source: Al-Hourani, Kandeepan, Lardner, "Optimal LAP altitude for maximum coverage", IEEE Wireless
    Communications Letters 3(6), 2014. The fit comes from the building statistics of ITU-R P.1410 and treats
    the ground as flat.

    Args:
        elev_rad: Elevation in rad, 0 to pi/2, [...].
        environment: "suburban", "urban", "dense_urban" or "highrise".

    Returns:
        Probability, [...].

    Raises:
        ValueError: If the environment is unknown.
    """
    parameters = sigmoid_parameters(environment)
    xp, elevation = promote(elev_rad)
    argument = parameters.b_per_deg * (elevation * (180.0 / math.pi) - parameters.a)
    return 1.0 / (1.0 + parameters.a * xp.exp(-argument))


def mean_excess_loss_db(elev_rad: ArrayLike, environment: BuiltUp) -> Array:
    """Return the mean loss beyond free space, eta_nlos + P_los (eta_los - eta_nlos), in dB.

    Source: Al-Hourani et al. 2014 (see `sigmoid_los_probability`); 2 GHz.

    Args:
        elev_rad: Elevation in rad, 0 to pi/2, [...].
        environment: "suburban", "urban", "dense_urban" or "highrise".

    Returns:
        Loss in dB, [...].

    Raises:
        ValueError: If the environment is unknown.
    """
    parameters = sigmoid_parameters(environment)
    clear = sigmoid_los_probability(elev_rad, environment)
    return parameters.excess_loss_nlos_db + (parameters.excess_loss_los_db - parameters.excess_loss_nlos_db) * clear
