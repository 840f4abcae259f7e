"""Link budgets: noise, G/T, carrier to noise, SINR and the spectral efficiency of an adaptive modem."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ntn_gym.physics.arrays import Array, ArrayLike, promote
from ntn_gym.physics.constants import BOLTZMANN_DBW_PER_K_HZ
from ntn_gym.physics.pathloss import free_space_path_loss_db
from ntn_gym.physics.validity import refuse_non_positive

REFERENCE_TEMPERATURE_K = 290.0
"""Temperature to which noise figures refer (IEEE Std 161; TR 38.821 clause 6.1.3.1)."""

ATTENUATED_SHANNON_FACTOR = 0.65
SPECTRAL_EFFICIENCY_CAP_BIT_S_HZ = 4.8


def from_db(value_db: ArrayLike) -> Array:
    """Return the power ratio 10^(x/10) of a value in dB, [...].

    Source: ITU-R V.574-5 (decibel of a power ratio).
    """
    xp, decibels = promote(value_db)
    return xp.exp(decibels * (math.log(10.0) / 10.0))


def to_db(ratio: ArrayLike) -> Array:
    """Return 10 log10 of a positive power ratio in dB, [...].

    Source: ITU-R V.574-5 (decibel of a power ratio).
    """
    xp, power = promote(ratio)
    return 10.0 * xp.log10(power)


def thermal_noise_dbw(bandwidth_hz: ArrayLike, temperature_k: ArrayLike = REFERENCE_TEMPERATURE_K) -> Array:
    """Return the noise power k T B in dBW.

    Source: J. B. Johnson and H. Nyquist, Physical Review 32, 1928 (available noise power k T B).

    Args:
        bandwidth_hz: Bandwidth in Hz, positive, [...].
        temperature_k: Noise temperature of the receiving system in K, positive, [...].

    Returns:
        Noise power in dBW, [...].
    """
    xp, bandwidth, temperature = promote(bandwidth_hz, temperature_k)
    refuse_non_positive("bandwidth_hz", bandwidth, "Hz")
    refuse_non_positive("temperature_k", temperature, "K")
    return BOLTZMANN_DBW_PER_K_HZ + 10.0 * (xp.log10(bandwidth) + xp.log10(temperature))


def system_temperature_k(noise_figure_db: ArrayLike, antenna_temperature_k: ArrayLike) -> Array:
    """Return the noise temperature of antenna and receiver, Ta + T0 (F - 1), in K, at the antenna's port.

    Source: ITU-R P.372, clause 2 (operating noise factor), with T0 = 290 K.

    Args:
        noise_figure_db: Noise figure of the receiver in dB, [...].
        antenna_temperature_k: Noise temperature of the antenna in K, [...].

    Returns:
        Temperature in K, [...].
    """
    _, noise_figure, antenna_k = promote(noise_figure_db, antenna_temperature_k)
    return antenna_k + REFERENCE_TEMPERATURE_K * (from_db(noise_figure) - 1.0)


def gain_to_temperature_db_k(
    gain_dbi: ArrayLike, noise_figure_db: ArrayLike, antenna_temperature_k: ArrayLike
) -> Array:
    """Return the receiver's figure of merit G/T = G - NF - 10 log10(T0 + (Ta - T0) 10^(-NF/10)) in dB/K.

    Source: 3GPP TR 38.821 clause 6.1.3.1 (equation for G/T).

    Args:
        gain_dbi: Antenna gain in dBi, [...].
        noise_figure_db: Noise figure in dB, [...].
        antenna_temperature_k: Antenna noise temperature in K, [...].

    Returns:
        G/T in dB/K, [...].
    """
    xp, gain, noise_figure, antenna_k = promote(gain_dbi, noise_figure_db, antenna_temperature_k)
    temperature_k = REFERENCE_TEMPERATURE_K + (antenna_k - REFERENCE_TEMPERATURE_K) * from_db(-noise_figure)
    return gain - noise_figure - 10.0 * xp.log10(temperature_k)


def carrier_dbw(eirp_dbw: ArrayLike, loss_db: ArrayLike, gain_dbi: ArrayLike) -> Array:
    """Return the received carrier power EIRP - losses + receive gain in dBW.

    Source: 3GPP TR 38.821 clause 6.1.3.1.

    Args:
        eirp_dbw: Effective isotropic radiated power in dBW, [...].
        loss_db: Sum of all losses in dB, [...].
        gain_dbi: Receive antenna gain in dBi, [...].

    Returns:
        Carrier power in dBW, [...].
    """
    _, eirp, loss, gain = promote(eirp_dbw, loss_db, gain_dbi)
    return eirp - loss + gain


def cnr_db(eirp_dbw: ArrayLike, gt_db_k: ArrayLike, loss_db: ArrayLike, bandwidth_hz: ArrayLike) -> Array:
    """Return the carrier-to-noise ratio EIRP + G/T - k - losses - 10 log10 B in dB.

    Source: 3GPP TR 38.821 clause 6.1.3.1, equation for the CNR.

    Args:
        eirp_dbw: Effective isotropic radiated power in the bandwidth in dBW, [...].
        gt_db_k: G/T of the receiver in dB/K, [...].
        loss_db: Sum of all losses in dB, [...].
        bandwidth_hz: Bandwidth in Hz, positive, [...].

    Returns:
        CNR in dB, [...].
    """
    xp, eirp, gt, loss, bandwidth = promote(eirp_dbw, gt_db_k, loss_db, bandwidth_hz)
    return eirp + gt - loss - BOLTZMANN_DBW_PER_K_HZ - 10.0 * xp.log10(bandwidth)


def sinr(signal_w: ArrayLike, interference_w: ArrayLike, noise_w: ArrayLike) -> Array:
    """Return the ratio of a signal to noise plus the sum of its interferers.

    Source: 3GPP TS 38.215 clause 5.1.5 (SINR: power of the signal over noise and interference).

    Args:
        signal_w: Received signal power in W, [...].
        interference_w: Received powers of the interferers in W, [..., I]; summed over the last axis.
        noise_w: Noise power in W, positive, [...].

    Returns:
        SINR as a power ratio, [...].
    """
    xp, signal, interference, noise = promote(signal_w, interference_w, noise_w)
    return signal / (noise + xp.sum(interference, axis=-1))


def sinr_of_each_node(received_w: ArrayLike, noise_w: ArrayLike, activity: ArrayLike = 1.0) -> Array:
    """Return the SINR a user would have from each node while all other nodes transmit.

    SINR_k = P_k / (N + sum over j of a_j P_j - a_k P_k), with `activity` a the share of time or resources in
    which a node transmits. The difference is taken after the sum: in float32 its error is 1e-7 of the sum.

    Source: 3GPP TS 38.215 clause 5.1.5; all other nodes at one frequency interfere.

    Args:
        received_w: Received power from each node in W, [..., K].
        noise_w: Noise power in W, positive, [..., 1] or broadcastable to it.
        activity: Activity of each node in [0, 1], broadcastable to [..., K].

    Returns:
        SINR as a power ratio, [..., K].
    """
    xp, received, noise, active = promote(received_w, noise_w, activity)
    heard = received * active
    others = xp.sum(heard, axis=-1, keepdims=True) - heard
    return received / (noise + xp.clip(others, 0.0, None))


def spectral_efficiency_bit_s_hz(
    sinr_ratio: ArrayLike,
    factor: float = ATTENUATED_SHANNON_FACTOR,
    cap_bit_s_hz: float = SPECTRAL_EFFICIENCY_CAP_BIT_S_HZ,
    minimum_sinr_ratio: float = 0.0,
) -> Array:
    """Return the throughput of an adaptive modem, min(factor log2(1 + SINR), cap), and zero below a minimum.

    Source: 3GPP TR 36.942 annex A.2 (attenuated and truncated Shannon bound; there 0.6 and 4.4 for the LTE
    downlink). The defaults 0.65 and 4.8 stand for NR with its better codes and 64-QAM at rate 0.8.

    Args:
        sinr_ratio: SINR as a power ratio, not negative, [...].
        factor: Attenuation of the Shannon bound, in (0, 1].
        cap_bit_s_hz: Spectral efficiency of the highest modulation and coding in bit/s/Hz.
        minimum_sinr_ratio: SINR (ratio) of the lowest modulation and coding; below it nothing gets through.

    Returns:
        Spectral efficiency in bit/s/Hz, [...].
    """
    xp, ratio = promote(sinr_ratio)
    efficiency = xp.clip((factor / math.log(2.0)) * xp.log1p(ratio), None, cap_bit_s_hz)
    if minimum_sinr_ratio > 0.0:
        efficiency = xp.where(ratio >= minimum_sinr_ratio, efficiency, xp.zeros_like(efficiency))
    return efficiency


@dataclass(frozen=True)
class LinkBudget:
    """One link budget, line by line, as in 3GPP TR 38.821 Table 6.1.3.3-1.

    Attributes:
        freq_hz: Carrier frequency in Hz.
        range_m: Slant range in m.
        bandwidth_hz: Bandwidth in Hz.
        eirp_dbw: EIRP in the bandwidth in dBW.
        gt_db_k: G/T of the receiver in dB/K.
        atmospheric_loss_db: Gaseous absorption in dB.
        shadow_margin_db: Margin for shadowing in dB.
        scintillation_loss_db: Scintillation loss in dB.
        polarization_loss_db: Polarisation mismatch in dB.
        additional_loss_db: Other losses in dB.
    """

    freq_hz: float
    range_m: float
    bandwidth_hz: float
    eirp_dbw: float
    gt_db_k: float
    atmospheric_loss_db: float = 0.0
    shadow_margin_db: float = 0.0
    scintillation_loss_db: float = 0.0
    polarization_loss_db: float = 0.0
    additional_loss_db: float = 0.0

    def __post_init__(self) -> None:
        for field, unit in (("freq_hz", "Hz"), ("range_m", "m"), ("bandwidth_hz", "Hz")):
            value = getattr(self, field)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"LinkBudget.{field}: got {value}; must be a positive number of {unit}")
        for field in self.__dataclass_fields__:
            value = getattr(self, field)
            if not math.isfinite(value):
                raise ValueError(f"LinkBudget.{field}: got {value}; must be finite")
            if ("loss" in field or "margin" in field) and value < 0:
                raise ValueError(f"LinkBudget.{field}: got {value} dB; must be 0 dB or more")

    @property
    def free_space_loss_db(self) -> float:
        """Free-space path loss in dB (TR 38.811 equation 6.6-2)."""
        return float(free_space_path_loss_db(self.range_m, self.freq_hz))

    @property
    def total_loss_db(self) -> float:
        """Sum of all losses in dB."""
        return (
            self.free_space_loss_db
            + self.atmospheric_loss_db
            + self.shadow_margin_db
            + self.scintillation_loss_db
            + self.polarization_loss_db
            + self.additional_loss_db
        )

    @property
    def cnr_db(self) -> float:
        """Carrier-to-noise ratio in dB (TR 38.821 clause 6.1.3.1)."""
        return float(cnr_db(self.eirp_dbw, self.gt_db_k, self.total_loss_db, self.bandwidth_hz))

    def lines(self) -> tuple[tuple[str, float, str], ...]:
        """Return the budget for printing: (name, value, unit), from the transmitter to the CNR."""
        return (
            ("carrier frequency", self.freq_hz / 1e9, "GHz"),
            ("slant range", self.range_m / 1e3, "km"),
            ("bandwidth", self.bandwidth_hz / 1e6, "MHz"),
            ("EIRP", self.eirp_dbw, "dBW"),
            ("free-space path loss", self.free_space_loss_db, "dB"),
            ("atmospheric loss", self.atmospheric_loss_db, "dB"),
            ("shadow margin", self.shadow_margin_db, "dB"),
            ("scintillation loss", self.scintillation_loss_db, "dB"),
            ("polarisation loss", self.polarization_loss_db, "dB"),
            ("additional loss", self.additional_loss_db, "dB"),
            ("G/T", self.gt_db_k, "dB/K"),
            ("CNR", self.cnr_db, "dB"),
        )
