"""The gamma approximation of shadowed-Rician fading, for closed forms that need a gamma-distributed power."""

from __future__ import annotations

from ntn_gym.physics.fading import ShadowedRician


def gamma_approximation(parameters: ShadowedRician) -> tuple[float, float]:
    """Return shape and mean power of the gamma distribution with the mean and variance of a shadowed-Rician power.

    k = m (2b + Omega)^2 / (4 m b^2 + 4 m b Omega + Omega^2), mean 2b + Omega: a Nakagami-m power of shape k, so that
    `fading.nakagami_power_cdf`, `fading.nakagami_power_pdf` and `fading_samples.sample_nakagami_power` take the result.

    The first two moments are exact. The distribution function is off by at most 0.021 (infrequent light shadowing),
    0.024 (average) and 3e-6 (frequent heavy, where the direct wave hardly matters). Deep fades are underestimated:
    where the approximation says 1e-3, the true probability is 7.3e-3 (light, average). Use
    `fading.shadowed_rician_power_cdf` for outage.

    Source: D.-H. Jung, J.-G. Ryu, W.-J. Byun and J. Choi, "Performance analysis of satellite communication system
    under the shadowed-Rician fading: A stochastic geometry approach", IEEE Trans. Commun. 70 (4), 2022, as restated
    in the survey of spherical stochastic geometry, equations 30 to 32.

    Args:
        parameters: Channel parameters.

    Returns:
        Shape k and mean power.
    """
    b, m, omega = parameters.b, parameters.m, parameters.omega
    shape = m * parameters.mean_power**2 / (4.0 * m * b * (b + omega) + omega**2)
    return shape, parameters.mean_power
