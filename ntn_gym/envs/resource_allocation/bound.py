"""What no policy can beat: every bit at its cheapest moment within its deadline, without interference.

A bit of user u that arrives in step t is served in one of the steps of its deadline, dropped, or alive at the end. If
it is served in step s at power p it fills a share 1/(W SE(p)) of a band, and its beam draws (P0 - Ps + slope p) times
that share on top of sleep: what is paid for being on is paid once per beam and step, while the shares of a beam add up
to at most one. Interference only lowers SE, so the interference-free one gives the lowest cost. Taking for every bit
the best of its own options, without limits of band, total power and feeder, can only overstate the return.

With a battery the energy itself is limited. Any price y >= 0 on a joule gives a valid bound (weak duality): pay y for
what the bits draw and get back y for all energy there is - stored at the start, from the sun, less hotel, engines and
sleep, without losses. The lowest of a ladder of prices is taken. Energy that hotel and engines miss is energy gained,
hence y stays below the price of such energy, so that missing it never pays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.bound import BoundResult
from ntn_gym.core.task import Arrays
from ntn_gym.envs.resource_allocation.accounts import JOULE_PER_KWH
from ntn_gym.envs.resource_allocation.packing import SCALAR
from ntn_gym.envs.resource_allocation.task import ResourceAllocationTask

FloatArray = NDArray[Any]

POWER_CELLS = 60
PRICE_STEPS = 24


def cheapest_joule_per_mbit(
    task: ResourceAllocationTask, own_gain: FloatArray, serving: NDArray[np.int64]
) -> FloatArray:
    """Return the least supply energy of a bit above sleep, without interference, in J/Mbit, [...]; inf: unreachable.

    Powers are cut into cells from the lowest that scaling can reach to the highest; a cell is charged for its lower end
    and credited with the rate of its upper one, so that no power in it is cheaper.

    Args:
        task: The task.
        own_gain: Gain over noise for 1 W from the serving radio, [...].
        serving: Serving radio, [...].
    """
    constants, radio = task.constants, task.scenario.radio
    radios = task.n_radios
    most = constants.highest_w[: constants.n_beams].sum()
    shrink = np.ones(radios)
    shrink[: constants.n_beams] = min(1.0, task.scenario.platform.total_power_w / most)
    low, high = constants.lowest_w[:radios] * shrink, constants.highest_w[:radios]
    standing = (constants.idle_w - constants.sleep_w)[serving]
    slope = constants.slope[serving]
    gap, cap = radio.efficiency_gap / math.log(2.0), radio.efficiency_cap_bit_s_hz
    lowest = 10.0 ** (0.1 * radio.minimum_sinr_db)
    best = np.full(own_gain.shape, np.inf)
    ratio = high / low
    # Powers of the radios are float32: a hair on the rate keeps their rounding on the safe side.
    safe = 1.0 + 1e-5
    for cell in range(POWER_CELLS):
        bottom, top = (low * ratio ** (at / POWER_CELLS) for at in (cell, cell + 1))
        snr = own_gain * top[serving] * safe
        efficiency = np.minimum(gap * np.log1p(snr), cap) * (snr >= lowest)
        watts = standing + slope * bottom[serving]
        with np.errstate(divide="ignore"):
            np.minimum(best, watts / efficiency, out=best)
    result: FloatArray = best * (task.dt_s / (task.mbit_per_bit_s_hz * safe))
    return result


def cheapest_in_window(cost: FloatArray, length: NDArray[np.int64]) -> FloatArray:
    """Return the minimum of a cost over the steps t to t + length - 1 for each user, [B, T, U].

    Args:
        cost: [B, T, U].
        length: Steps of each user, at least 1, [U].
    """
    result = np.full_like(cost, np.inf)
    for steps in np.unique(length):
        users = length == steps
        part = cost[..., users]
        least = part.copy()
        for later in range(1, min(int(steps), cost.shape[1])):
            np.minimum(least[:, :-later], part[:, later:], out=least[:, :-later])
        result[..., users] = least
    return result


def bound(task: ResourceAllocationTask, arrays: Arrays) -> BoundResult:
    """Return the highest return any policy could reach, with the whole future known, [B].

    Args:
        task: The task.
        arrays: Packed arrays of whole episodes from their first step, [B, T + 1, ...].

    Raises:
        ValueError: If the arrays are not whole episodes.
    """
    steps = task.episode_steps
    if arrays["own"].shape[1] != steps + 1:
        raise ValueError(f"own has {arrays['own'].shape[1]} slices, expected whole episodes of {steps + 1}")
    scenario, prices = task.scenario, task.scenario.reward
    own, serving = arrays["own"][:, :-1].astype(np.float64), arrays["serving"][:, :-1]
    arrived = arrays["cumulative"][:, :-1, 0]
    amount = np.diff(arrived, axis=1, prepend=0.0)
    scalars = arrays["scalars"][:, :-1]
    joule = cheapest_joule_per_mbit(task, own, serving)
    price_per_j = scalars[..., SCALAR["price"]] / (scenario.energy.reference_w * task.dt_s)
    lag = np.repeat(scenario.deadline_steps(), [one.users for one in scenario.traffic.classes])

    worth = task.value / task.offered_mbit
    otherwise = np.broadcast_to(-prices.drop_price * worth, amount.shape).copy()
    alive = np.arange(steps)[:, None] + lag - 1 > steps - 1
    otherwise[:, alive] = np.broadcast_to(prices.pending_value * worth, (steps, len(worth)))[alive]
    sleep_w = task.constants.sleep_w.sum()
    standing = (scalars[..., SCALAR["price"]] * (sleep_w / scenario.energy.reference_w)).sum(axis=1)

    def of_bits(extra_per_j: float) -> FloatArray:
        with np.errstate(invalid="ignore"):
            cost = joule * (price_per_j[..., None] + extra_per_j)
        cost = np.where(np.isfinite(joule), cost, np.inf)
        best = np.maximum(worth - cheapest_in_window(cost, lag), otherwise)
        result: FloatArray = (amount * best).sum(axis=(1, 2)) - standing
        return result

    if task.battery is None:
        return BoundResult(of_bits(0.0))
    storage = scenario.energy.battery
    assert storage is not None
    source_j = scalars[..., SCALAR["solar_w"]].sum(axis=1) * task.dt_s
    fixed_j = (storage.hotel_w + sleep_w + scalars[..., SCALAR["propulsion_w"]]).sum(axis=1) * task.dt_s
    budget_j = storage.start_share * task.battery.capacity_j + source_j - fixed_j
    target_j = prices.final_share * task.battery.capacity_j
    highest = prices.unmet_per_kwh
    ladder = np.concatenate([[0.0], np.geomspace(highest * 1e-4, highest, PRICE_STEPS)]) if highest > 0 else [0.0]
    values = []
    for per_kwh in ladder:
        kept = min(per_kwh, prices.final_per_kwh) * target_j / JOULE_PER_KWH
        values.append(of_bits(per_kwh / JOULE_PER_KWH) + per_kwh * budget_j / JOULE_PER_KWH - kept)
    return BoundResult(np.min(values, axis=0))
