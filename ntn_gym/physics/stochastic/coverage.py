"""Probability that the SINR of a satellite downlink exceeds a threshold, by exact integrals (NumPy only).

One tier of independent satellites, uniform on a sphere; the user is served by one of the visible satellites and
disturbed by all other visible ones in the same band.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad_vec

from ntn_gym.physics.constants import EARTH_MEAN_RADIUS_M, SPEED_OF_LIGHT_M_S
from ntn_gym.physics.geometry import coverage_half_angle_rad
from ntn_gym.physics.stochastic.caps import cap_probability
from ntn_gym.physics.stochastic.checks import require_positive, require_range
from ntn_gym.physics.stochastic.contact import contact_angle_quantile
from ntn_gym.physics.stochastic.count_laws import Law, any_probability, require_law
from ntn_gym.physics.stochastic.sphere import chord_m

FloatArray = NDArray[Any]

_ABSOLUTE_ERROR = 1e-9
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True)
class Downlink:
    """A tier of satellites and the link from each of them to a user on the ground.

    The mean received power is EIRP G_r (c / 4 pi f)^2 / (loss d^alpha), d in m.

    Source: WKA section IV-A, equations 18 to 20. An additional attenuation of 0 in WKA section IV-B1 means 0 dB.

    Attributes:
        mean_n: Number of satellites (binomial) or mean number (Poisson), above 0.
        alt_m: Height of the satellites in m, > 0.
        freq_hz: Carrier frequency in Hz, > 0.
        eirp_dbw: EIRP of the serving satellite towards the user in dBW (main lobe).
        noise_dbw: Noise power in dBW.
        interferer_eirp_dbw: EIRP of each other visible satellite towards the user in dBW (side lobe); -inf for none.
        rx_gain_dbi: Gain of the user's antenna in dBi, the same for all satellites.
        extra_loss_db: Additional attenuation in dB, positive for a loss.
        exponent: Path-loss exponent alpha in [2, 6].
        min_elev_rad: Smallest elevation at which satellites serve and disturb in rad in [0, pi/2).
        law: "binomial" or "poisson".
        earth_radius_m: Radius of the Earth in m, > 0.
    """

    mean_n: float
    alt_m: float
    freq_hz: float
    eirp_dbw: float
    noise_dbw: float
    interferer_eirp_dbw: float = -math.inf
    rx_gain_dbi: float = 0.0
    extra_loss_db: float = 0.0
    exponent: float = 2.0
    min_elev_rad: float = 0.0
    law: Law = "binomial"
    earth_radius_m: float = EARTH_MEAN_RADIUS_M

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: If a field is outside its range.
        """
        require_law(self.law, self.mean_n)
        for field, unit in (("mean_n", ""), ("alt_m", "m"), ("freq_hz", "Hz"), ("earth_radius_m", "m")):
            require_positive(field, getattr(self, field), unit)
        require_range("exponent", self.exponent, 2.0, 6.0)
        require_range("min_elev_rad", self.min_elev_rad, 0.0, 1.57, "rad")
        for field in ("eirp_dbw", "noise_dbw", "rx_gain_dbi", "extra_loss_db"):
            require_range(field, getattr(self, field), -1000.0, 1000.0, "dB")
        require_range("interferer_eirp_dbw", self.interferer_eirp_dbw, -math.inf, 1000.0, "dBW")

    @property
    def orbit_radius_m(self) -> float:
        """Distance of the satellites from the Earth's centre in m."""
        return self.earth_radius_m + self.alt_m

    @property
    def max_angle_rad(self) -> float:
        """Largest central angle at which a satellite is visible in rad."""
        return float(coverage_half_angle_rad(self.min_elev_rad, self.alt_m, self.earth_radius_m))

    def mean_snr(self, central_rad: FloatArray | float) -> FloatArray:
        """Return the mean SNR of the serving satellite as a ratio.

        Args:
            central_rad: Central angle in rad in [0, pi], [...].

        Returns:
            Mean SNR, [...].
        """
        distance_m = chord_m(central_rad, self.orbit_radius_m, self.earth_radius_m)
        intercept_db = 20.0 * math.log10(SPEED_OF_LIGHT_M_S / (4.0 * math.pi * self.freq_hz))
        level_db = self.eirp_dbw + self.rx_gain_dbi - self.extra_loss_db - self.noise_dbw + intercept_db
        snr: FloatArray = 10.0 ** ((level_db - 10.0 * self.exponent * np.log10(distance_m)) / 10.0)
        return snr

    @property
    def interferer_ratio(self) -> float:
        """EIRP of an interferer over that of the serving satellite, as a ratio."""
        return float(10.0 ** ((self.interferer_eirp_dbw - self.eirp_dbw) / 10.0))


def nearest_rayleigh_coverage(link: Downlink, threshold_db: FloatArray | float) -> FloatArray:
    """Return the probability that the SINR of the nearest satellite exceeds a threshold, all links Rayleigh-faded.

    P = int_0^theta_max f(theta) exp(-gamma / snr(theta)) L(theta) dtheta, f the density of the contact angle, and L the
    Laplace transform of the interference over the noise at gamma / snr. An interferer at a distance d beyond the
    serving one at d_0 contributes 1 / (1 + gamma rho (d_0 / d)^alpha); with J the integral of one minus this over the
    visible part beyond d_0 (as a share of the sphere), L = (1 - J / (1 - p))^(N - 1) for the N - 1 other satellites of
    a BPP, which are uniform outside the cap p = (1 - cos theta) / 2, and exp(-N J) for a PPP. A user without a visible
    satellite is not covered.

    Source: N. Okati, T. Riihonen, D. Korpi, I. Angervuori and R. Wichman, "Downlink coverage and rate analysis of low
    Earth orbit satellite constellations using stochastic geometry", IEEE Transactions on Communications 68(8), 2020,
    with the channel of WKA equations 18 to 20.

    Args:
        link: Satellites and link.
        threshold_db: SINR threshold gamma in dB, in [-100, 100], [...].

    Returns:
        Probability, [...]; error of the quadrature below 1e-8.

    Raises:
        ValueError: If the threshold is outside its range.
    """
    gamma = _threshold(threshold_db)

    def covered(angle: float) -> FloatArray:
        disturbed = _interference_share(link, gamma, float(chord_m(angle, link.orbit_radius_m, link.earth_radius_m)))
        if link.law == "binomial":
            log_laplace = (link.mean_n - 1.0) * np.log1p(-disturbed / (1.0 - cap_probability(angle)))
        else:
            log_laplace = -link.mean_n * disturbed
        value: FloatArray = np.exp(log_laplace - gamma / link.mean_snr(angle))
        return value

    return _over_nearest(link, covered)


def nearest_noise_limited_coverage(
    link: Downlink, threshold_db: FloatArray | float, power_cdf: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Return the probability that the SNR of the nearest satellite exceeds a threshold, without interference.

    The mean of 1 - F_W(gamma / snr(theta)) over the contact angle, for any fading of the power.

    Source: WKA sections III-B2 and IV-A (contact angle, equations 18 to 20).

    Args:
        link: Satellites and link; the interferers' EIRP is not used.
        threshold_db: SNR threshold in dB, in [-100, 100], [...].
        power_cdf: Distribution function F_W of the fading's power, relative to the mean received power, for example
            `fading.shadowed_rician_power_cdf` with its parameters bound.

    Returns:
        Probability, [...].

    Raises:
        ValueError: If the threshold is outside its range.
    """
    gamma = _threshold(threshold_db)
    return _over_nearest(link, lambda angle: 1.0 - np.asarray(power_cdf(gamma / link.mean_snr(angle))))


def random_rayleigh_coverage(link: Downlink, threshold_db: FloatArray | float) -> FloatArray:
    """Return the probability that the SINR of a random visible satellite exceeds a threshold, all links Rayleigh-faded.

    The serving satellite is uniform on the visible cap p, and so are the n - 1 others. With h the mean of
    1 / (1 + gamma rho (d_0 / d)^alpha) over the cap, the mean over n >= 1 of h^(n-1) is
    ((1 - p + p h)^N - (1 - p)^N) / h for a BPP and e^(-Np) (e^(Nph) - 1) / h for a PPP.

    Source: derived for the random association of WKA section III-A (cell-free networks) from equations 8 and 18 to 20.

    Args:
        link: Satellites and link; the same EIRP towards the user whichever satellite serves.
        threshold_db: SINR threshold gamma in dB, in [-100, 100], [...].

    Returns:
        Probability, [...]; error of the quadrature below 1e-8.

    Raises:
        ValueError: If the threshold is outside its range.
    """
    gamma = _threshold(threshold_db)
    visible = float(cap_probability(link.max_angle_rad))

    def covered(share: float) -> FloatArray:
        angle = 2.0 * math.asin(math.sqrt(share) * math.sin(link.max_angle_rad / 2.0))
        disturbed = _interference_share(
            link, gamma, float(chord_m(angle, link.orbit_radius_m, link.earth_radius_m)), link.alt_m
        )
        h = 1.0 - disturbed / visible
        if link.law == "binomial":
            of_others = (1.0 - disturbed) ** link.mean_n - (1.0 - visible) ** link.mean_n
        else:
            of_others = np.exp(-link.mean_n * disturbed) - math.exp(-link.mean_n * visible)
        value: FloatArray = of_others / h * np.exp(-gamma / link.mean_snr(angle))
        return value

    result: FloatArray = quad_vec(covered, 0.0, 1.0, epsabs=_ABSOLUTE_ERROR)[0]
    return result


def _threshold(threshold_db: FloatArray | float) -> FloatArray:
    require_range("threshold_db", threshold_db, -100.0, 100.0, "dB")
    ratio: FloatArray = 10.0 ** (np.asarray(threshold_db, dtype=np.float64) / 10.0)
    return ratio


def _over_nearest(link: Downlink, covered: Callable[[float], FloatArray]) -> FloatArray:
    """Integral of a function of the contact angle over its distribution up to the edge of the visible cap.

    The variable is the distribution function itself: the integrand is then smooth and bounded for every number of
    satellites.
    """
    available = float(any_probability(cap_probability(link.max_angle_rad), link.mean_n, link.law))

    def at(share: float) -> FloatArray:
        return covered(min(float(contact_angle_quantile(share, link.mean_n, link.law)), link.max_angle_rad))

    result: FloatArray = quad_vec(at, 0.0, available, epsabs=_ABSOLUTE_ERROR)[0]
    return result


def _interference_share(
    link: Downlink, gamma: FloatArray, serving_m: float, nearest_m: float | None = None
) -> FloatArray:
    """Integral of 1 - 1 / (1 + gamma rho (d_0 / d)^alpha) over the visible share of the sphere beyond a distance.

    With x = (d / d_0)^2, sin(theta) dtheta / 2 = d_0^2 dx / (4 r R) and c = gamma rho, it is the integral of
    c / (c + x^(alpha / 2)) dx. In s = ln x the integrand has no pole nearer than 2 pi / alpha to the real axis, so that
    64 Gauss-Legendre nodes give all digits over the few units that ln x spans.
    """
    # In units of the squared serving distance, so that no large powers of metres appear.
    low = 1.0 if nearest_m is None else (nearest_m / serving_m) ** 2
    edge_m = float(chord_m(link.max_angle_rad, link.orbit_radius_m, link.earth_radius_m))
    half = 0.5 * math.log(max((edge_m / serving_m) ** 2 / low, 1.0))
    x = low * np.exp(half * (_NODES + 1.0))
    c = gamma[..., None] * link.interferer_ratio
    integral = np.sum(half * _WEIGHTS * x * c / (c + x ** (link.exponent / 2.0)), axis=-1)
    share: FloatArray = integral * serving_m**2 / (4.0 * link.orbit_radius_m * link.earth_radius_m)
    return share
