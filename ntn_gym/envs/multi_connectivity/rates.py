"""What a user gets out of its links: efficiency of a link, combining rules, utility."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from ntn_gym.envs.multi_connectivity.channel import isolation_of_slots
from ntn_gym.envs.multi_connectivity.scenario import Scenario

FloatArray = NDArray[Any]


class Efficiency:
    """Spectral efficiency of a link whose channel is estimated from pilots.

    With N pilots as strong as the data the LMMSE error is e = 1 / (1 + N snr) and the effective SNR
    (1 - e) snr / (1 + e snr) = N snr^2 / (1 + (N + 1) snr); the pilots take N / T of the block (Hassibi and Hochwald,
    IEEE Trans. Inf. Theory 49 (4), 2003; `physics.estimation`). On top comes the attenuated and capped Shannon rate of
    3GPP TR 36.942 Annex A.2.
    """

    def __init__(self, scenario: Scenario) -> None:
        """Take the numbers from the scenario."""
        channel = scenario.channel
        self._pilots = np.float32(channel.pilots)
        self._gap = np.float32(channel.efficiency_gap / math.log(2.0))
        self._cap = np.float32(channel.efficiency_cap_bit_s_hz)
        self._data = np.float32(1.0 - channel.pilots / channel.block_symbols)
        self._least = np.float32(10.0 ** (channel.min_sinr_db / 10.0))

    @property
    def highest_bit_s_hz(self) -> float:
        """Highest efficiency."""
        return float(self._cap * self._data)

    def of(self, sinr: FloatArray) -> FloatArray:
        """Return bit/s/Hz for SINRs (power ratios); 0 below the least usable one."""
        useful = sinr * sinr
        useful *= self._pilots
        useful /= np.float32(1) + (self._pilots + np.float32(1)) * sinr
        result = np.log1p(useful)
        result *= self._gap
        np.minimum(result, self._cap, out=result)
        result *= self._data
        result *= sinr >= self._least
        return result

    def error(self, sinr: FloatArray) -> FloatArray:
        """Return the variance of the channel estimate relative to the channel, 1 / (1 + N snr)."""
        return np.float32(1) / (np.float32(1) + self._pilots * sinr)


class Utility:
    """u = log2(1 + R / R0) / log2(1 + span): 0 without service, 1 at span R0."""

    def __init__(self, scenario: Scenario) -> None:
        """Take the numbers from the scenario."""
        self.scale = 1.0 / math.log1p(scenario.reward.rate_span)
        self.reference_mbit_s = scenario.reward.reference_rate_mbit_s
        self._inverse = np.float32(1.0 / self.reference_mbit_s)

    def of(self, rate_mbit_s: FloatArray) -> FloatArray:
        """Utility of rates in Mbit/s."""
        result = np.log1p(rate_mbit_s * self._inverse)
        result *= np.float32(self.scale)
        return result

    def rate_mbit_s(self, utility: FloatArray) -> FloatArray:
        """Return the rate that has a utility."""
        return np.expm1(utility / np.float32(self.scale)) / self._inverse


def copy_success(scenario: Scenario) -> float:
    """Probability that one copy arrives when the rate keeps a margin from Nakagami-m fading, P(h > 1 / margin).

    Source: gamma law of the power (Simon and Alouini, 2nd ed., equation 2.21).
    """
    combining = scenario.combining
    threshold = 10.0 ** (-combining.copy_margin_db / 10.0)
    return float(gammaincc(combining.copy_m, combining.copy_m * threshold))


def duplicated(rate: FloatArray, n_links: FloatArray, success: float) -> FloatArray:
    """Return the goodput of the best copy if n independent copies are sent, rate (1 - (1 - success)^n).

    Source: 3GPP TS 38.323 clause 5.11 (packet duplication), probability of independent events.
    """
    lost = np.float32(1.0 - success) ** n_links
    result: FloatArray = rate * (np.float32(1) - lost)
    return result


def back_off(scenario: Scenario) -> np.float32:
    """Factor on the SINR to which the rate adapts: the margin of duplication, 1 for the other rules."""
    if scenario.combining.rule != "duplication":
        return np.float32(1)
    return np.float32(10.0 ** (-scenario.combining.copy_margin_db / 10.0))


class Interference:
    """Interference between the nodes of one shared band.

    A node disturbs the users it does not serve while it is active: with its background traffic, and all the time while
    it serves one of the users. With beamforming satellites are heard through their side lobes.
    """

    def __init__(self, scenario: Scenario) -> None:
        """Take the numbers from the scenario."""
        self.weight = isolation_of_slots(scenario)
        self.far_activity = np.float32(0.0 if scenario.stations is None else scenario.stations.activity)

    @staticmethod
    def activity(background: FloatArray, busy: NDArray[np.bool_]) -> FloatArray:
        """Return which part of the time nodes send."""
        return np.where(busy, np.float32(1), background)

    def heard(self, power: FloatArray, activity: FloatArray) -> FloatArray:
        """Return what each slot contributes to the interference of a user whom it does not serve, [B, U, K]."""
        return power * activity * self.weight

    def noise(self, heard: FloatArray, far: FloatArray, served: NDArray[np.bool_]) -> FloatArray:
        """Return noise plus interference over noise, [B, U].

        Args:
            heard: From `heard`, [B, U, K].
            far: Power of the stations in no slot, [B, U].
            served: Slots that serve the user and do not disturb it, [B, U, K].
        """
        others = np.where(served, np.float32(0), heard)
        return np.float32(1) + self.far_activity * far + np.add.reduce(others, axis=-1)

    def noise_of_each(self, heard: FloatArray, far: FloatArray) -> FloatArray:
        """Return noise plus interference over noise for each slot alone, [B, U, K]."""
        total = np.float32(1) + self.far_activity * far[..., None] + np.add.reduce(heard, axis=-1, keepdims=True)
        return np.maximum(total - heard, np.float32(1))


def joint_power(power: FloatArray, served: NDArray[np.bool_], efficiency: Efficiency, coherent: bool) -> FloatArray:
    """Return the power that a user collects from the nodes that serve it, over noise, [...].

    Non-coherent: the powers add. Coherent: the amplitudes add as far as the phase is known from the pilots; the rest of
    the power adds as it is.

    Source: `physics.combining.joint_transmission_sinr` (Tanbourgi et al. 2014; Nigam et al. 2014).

    Args:
        power: [..., K].
        served: [..., K].
        efficiency: Gives the error of the channel estimate.
        coherent: Which of the two.
    """
    useful = np.where(served, power, np.float32(0))
    if not coherent:
        return np.add.reduce(useful, axis=-1)
    error = efficiency.error(useful)
    known = np.add.reduce(np.sqrt((np.float32(1) - error) * useful), axis=-1)
    result: FloatArray = known * known + np.add.reduce(error * useful, axis=-1)
    return result
