"""Power that a communication payload draws for what it radiates."""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import Array, ArrayLike, promote


def transceiver_power_w(
    output_w: ArrayLike,
    n_transceivers: ArrayLike,
    idle_w: ArrayLike,
    slope: ArrayLike,
    sleep_w: ArrayLike = 0.0,
    active: ArrayLike = True,
) -> Array:
    """Return the supply power of a radio, N (P_0 + slope P_out) when active and N P_sleep when asleep.

    Source: G. Auer et al., "How much energy is needed to run a wireless network?", IEEE Wireless Communications 18
    (5), 2011, equation 1 (the EARTH model; a macro cell of 2010 has P_0 = 130 W, slope 4.7, P_sleep = 75 W and at
    most 20 W out of each transceiver, far more than a platform can afford).

    Args:
        output_w: Radiated power of each transceiver in W, not negative, [...].
        n_transceivers: Number of transceivers, [...].
        idle_w: Supply power P_0 of one without output in W, [...].
        slope: Extra supply power for each watt radiated, at least 1, [...].
        sleep_w: Supply power of one asleep in W, [...].
        active: False where the transceivers sleep, [...].

    Returns:
        Supply power in W, [...].
    """
    xp, out, number, idle, factor, sleep = promote(output_w, n_transceivers, idle_w, slope, sleep_w)
    awake = xp.asarray(active, dtype=xp.bool, device=getattr(out, "device", None))
    return number * xp.where(awake, idle + factor * out, sleep)


def class_b_power_w(output_w: ArrayLike, saturation_w: ArrayLike) -> Array:
    """Return the supply power of a class-B amplifier below saturation, (4 / pi) sqrt(P_sat P_out).

    Efficiency is pi / 4 at saturation and falls with the root of the back-off.

    Source: S. C. Cripps, RF Power Amplifiers for Wireless Communications, 2nd ed., section 3.4 (ideal class B:
    efficiency pi/4 times the relative output amplitude).

    Args:
        output_w: Output power in W, 0 to the saturation power, [...].
        saturation_w: Saturated output power in W, positive, [...].

    Returns:
        Supply power in W, [...].
    """
    xp, out, saturation = promote(output_w, saturation_w)
    return (4.0 / math.pi) * xp.sqrt(saturation * out)
