"""Edge computing: time and energy of a task computed locally or elsewhere."""

from __future__ import annotations

from ntn_gym.physics.arrays import Array, ArrayLike, promote


def task_cycles(task_bit: ArrayLike, cycles_per_bit: ArrayLike) -> Array:
    """Return the processor cycles of a task, D X.

    Source: Y. Mao et al., "A survey on mobile edge computing: the communication perspective", IEEE Communications
    Surveys and Tutorials 19 (4), 2017, section II-A.

    Args:
        task_bit: Size of the input D in bit, [...].
        cycles_per_bit: Complexity X in cycles/bit, [...].

    Returns:
        Cycles, [...].
    """
    _, size, complexity = promote(task_bit, cycles_per_bit)
    return size * complexity


def computing_time_s(cycles: ArrayLike, frequency_hz: ArrayLike) -> Array:
    """Return the time of a computation, C / f.

    Source: Mao et al. 2017, section II-C.

    Args:
        cycles: Cycles C, [...].
        frequency_hz: Clock frequency f in Hz, positive, [...].

    Returns:
        Time in s, [...].
    """
    _, work, clock = promote(cycles, frequency_hz)
    return work / clock


def computing_energy_j(cycles: ArrayLike, frequency_hz: ArrayLike, capacitance: ArrayLike = 1e-27) -> Array:
    """Return the dynamic energy of a computation, kappa C f^2 (power kappa f^3).

    Source: A. P. Chandrakasan and R. W. Brodersen, Low-Power CMOS Digital Design, IEEE J. Solid-State Circuits 27,
    1992, with the voltage proportional to the frequency; Mao et al. 2017, section II-C. Leakage and idle power are not
    in it.

    Args:
        cycles: Cycles C, [...].
        frequency_hz: Clock frequency f in Hz, [...].
        capacitance: Effective switched capacitance kappa in J/Hz^2 per cycle, 1e-28 to 1e-26, [...].

    Returns:
        Energy in J, [...].
    """
    _, work, clock, kappa = promote(cycles, frequency_hz, capacitance)
    return kappa * work * clock**2


def frequency_for_deadline_hz(cycles: ArrayLike, deadline_s: ArrayLike) -> Array:
    """Return the lowest clock that meets a deadline, C / T: with `computing_energy_j` the least energy.

    Source: W. Zhang et al., "Energy-optimal mobile cloud computing under stochastic wireless channel", IEEE Trans.
    Wireless Commun. 12 (9), 2013 (a constant clock is optimal for a known number of cycles).

    Args:
        cycles: Cycles C, [...].
        deadline_s: Time T in s, positive, [...].

    Returns:
        Frequency in Hz, [...].
    """
    _, work, time = promote(cycles, deadline_s)
    return work / time


def transmission_time_s(task_bit: ArrayLike, rate_bit_s: ArrayLike) -> Array:
    """Return the time to send a task, D / R.

    Source: Mao et al. 2017, section II-B.

    Args:
        task_bit: Size D in bit, [...].
        rate_bit_s: Rate R in bit/s, positive, [...].

    Returns:
        Time in s, [...].
    """
    _, size, rate = promote(task_bit, rate_bit_s)
    return size / rate


def transmission_energy_j(
    task_bit: ArrayLike, rate_bit_s: ArrayLike, power_w: ArrayLike, amplifier_efficiency: ArrayLike = 1.0
) -> Array:
    """Return the energy to send a task, P D / (R eta).

    Source: Mao et al. 2017, section II-C.

    Args:
        task_bit: Size D in bit, [...].
        rate_bit_s: Rate R in bit/s, positive, [...].
        power_w: Radiated power P in W, [...].
        amplifier_efficiency: Efficiency eta of the amplifier, in (0, 1], [...].

    Returns:
        Energy in J, [...].
    """
    _, time, power, efficiency = promote(transmission_time_s(task_bit, rate_bit_s), power_w, amplifier_efficiency)
    return power * time / efficiency


def offloading_time_s(
    task_bit: ArrayLike, cycles: ArrayLike, rate_bit_s: ArrayLike, server_hz: ArrayLike, propagation_s: ArrayLike = 0.0
) -> Array:
    """Return the time of an offloaded task, D / R + C / f + 2 t_propagation; the result is small and its sending free.

    Source: Mao et al. 2017, section II; propagation both ways added, which matters for satellites.

    Args:
        task_bit: Size D in bit, [...].
        cycles: Cycles C, [...].
        rate_bit_s: Rate R in bit/s, positive, [...].
        server_hz: Clock f of the server in Hz, positive, [...].
        propagation_s: One-way propagation in s (`doppler.propagation_delay_s`), [...].

    Returns:
        Time in s, [...].
    """
    _, sending, computing, delay = promote(
        transmission_time_s(task_bit, rate_bit_s), computing_time_s(cycles, server_hz), propagation_s
    )
    return sending + computing + 2.0 * delay


def best_split(local_time_s: ArrayLike, remote_time_s: ArrayLike, propagation_s: ArrayLike = 0.0) -> Array:
    """Return the share of a divisible task to offload for the earliest end when both parts run at once.

    Local part (1 - a) t_l; remote part a t_r + t_0: equal at a = (t_l - t_0) / (t_l + t_r), clipped to [0, 1].

    Source: Y. Wang et al., "Mobile-edge computing: partial computation offloading using dynamic voltage scaling",
    IEEE Trans. Commun. 64 (10), 2016, section III (balance of the two finishing times).

    Args:
        local_time_s: Time t_l of the whole task computed locally in s, positive, [...].
        remote_time_s: Time t_r to send and compute the whole task remotely, without propagation, in s, [...].
        propagation_s: Fixed delay t_0 of the remote part in s, [...].

    Returns:
        Share a in [0, 1], [...].
    """
    xp, local, remote, fixed = promote(local_time_s, remote_time_s, propagation_s)
    return xp.clip((local - fixed) / (local + remote), 0.0, 1.0)
