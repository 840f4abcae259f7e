"""Channel estimation from pilots: error variance, and the rate that is left with an imperfect estimate."""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import Array, ArrayLike, promote


def ls_error_variance(n_pilots: ArrayLike, pilot_snr: ArrayLike) -> Array:
    """Return the error variance of the least-squares estimate of a flat channel of unit power, 1 / (N snr).

    Source: S. M. Kay, Fundamentals of Statistical Signal Processing: Estimation Theory, Prentice Hall 1993,
    chapter 4 (linear model, known pilots of equal power, white noise).

    Args:
        n_pilots: Number of pilot symbols N, at least 1, [...].
        pilot_snr: SNR of one pilot symbol as a power ratio, positive, [...].

    Returns:
        Variance relative to the channel's power, [...].
    """
    _, number, snr = promote(n_pilots, pilot_snr)
    return 1.0 / (number * snr)


def mmse_error_variance(n_pilots: ArrayLike, pilot_snr: ArrayLike) -> Array:
    """Return the error variance of the linear MMSE estimate of a Rayleigh channel of unit power, 1 / (1 + N snr).

    Source: Kay 1993, chapter 12; B. Hassibi and B. M. Hochwald, "How much training is needed in multiple-antenna
    wireless links?", IEEE Trans. Inf. Theory 49 (4), 2003, for one antenna.

    Args:
        n_pilots: Number of pilot symbols N, not negative, [...].
        pilot_snr: SNR of one pilot symbol as a power ratio, not negative, [...].

    Returns:
        Variance relative to the channel's power, in (0, 1], [...].
    """
    _, number, snr = promote(n_pilots, pilot_snr)
    return 1.0 / (1.0 + number * snr)


def snr_with_estimate(snr: ArrayLike, error_variance: ArrayLike) -> Array:
    """Return the mean effective SNR with an MMSE estimate: the error is noise, (1 - e) snr / (1 + e snr).

    Source: Hassibi and Hochwald 2003 (worst-case uncorrelated noise: a lower bound on the rate).

    Args:
        snr: Mean SNR of the data as a power ratio, not negative, [...].
        error_variance: Error variance e of the MMSE estimate, in [0, 1], [...].

    Returns:
        Effective SNR as a power ratio, [...].
    """
    _, ratio, error = promote(snr, error_variance)
    return (1.0 - error) * ratio / (1.0 + error * ratio)


def trained_rate_bit_s_hz(snr: ArrayLike, n_pilots: ArrayLike, block_symbols: ArrayLike) -> Array:
    """Return the rate of a block with pilots, (1 - N / T) log2(1 + effective SNR), pilots as strong as data.

    Non-fading form: the SNR of the block is given; average over the fading where it is drawn.

    Source: Hassibi and Hochwald 2003, with equal powers.

    Args:
        snr: SNR as a power ratio, not negative, [...].
        n_pilots: Number of pilot symbols N, 0 to T, [...].
        block_symbols: Length T of the block in symbols, over which the channel is constant, [...].

    Returns:
        Rate in bit/s/Hz, [...].
    """
    xp, ratio, number, length = promote(snr, n_pilots, block_symbols)
    effective = snr_with_estimate(ratio, mmse_error_variance(number, ratio))
    return (1.0 - number / length) * xp.log1p(effective) / math.log(2.0)
