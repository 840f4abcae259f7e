"""Upper bound for many users who share cells: Lagrangian prices of capacity and one Viterbi recursion per user.

Problem: user u on slot s in step t gets the utility f(C_us(t) / n_s(t)), where n_s(t) users are carried by s. Its
share y = 1/n_s(t) is one of 1, 1/2, ..., 1/U, and in every (s, t) the shares of the carried users add up to one, or
to zero where there are none. So every joint policy is feasible in the relaxed problem in which each user chooses its
own path and its own shares from {1, 1/2, ..., 1/U} and only

    sum_u y_us(t) <= 1     for all s, t                                                                     (*)

couples the users. For any prices mu_s(t) >= 0, adding sum_{s,t} mu_s(t) (1 - sum_u y_us(t)) >= 0 to the sum of
rewards and then dropping (*) can only raise the maximum:

    D(mu) = sum_{s,t} mu_s(t) + sum_u max_path sum_t [ max_y (1 - tau) f(y C_us(t)) - mu_s(t) y  - prices of events ]

Hence D(mu) is at least the return (summed over users) of every joint policy, for *every* mu: any iterate of any
search over mu is a valid bound, and the smallest one found is kept. The inner maximum over paths is `viterbi`. The
inner maximum over y is closed: without the restriction to 1/n, (1 - tau) d/dy f(yC) = mu gives

    y* = (1 - tau) / (mu log(1 + Rmax/R0)) - R0/C,

and because the function is concave in y the best of 1, 1/2, ..., 1/U is one of the two neighbours of y*.

mu = 0 is the bound in which every user has its cells alone. From there mu follows the subgradient
1 - sum_u y_us(t) with the step of Polyak, whose target is the best joint return met so far.

Source: Lagrangian relaxation with subgradients, Fisher, Management Science 27(1), 1981; step length: Polyak, USSR
Computational Mathematics and Mathematical Physics 9(3), 1969.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.handover.packing import LINK, Utility
from ntn_gym.envs.handover.rules import Rules
from ntn_gym.envs.handover.scenario import Scenario
from ntn_gym.envs.handover.viterbi import Floats, Plan, Stages, best_plan

PATIENCE = 4
"""Iterations without a better bound after which the step is halved."""


@dataclass(frozen=True)
class DualResult:
    """Bounds of B worlds on the mean over users of the summed reward.

    Attributes:
        value: Best upper bound, [B].
        alone: Bound with every user alone in its cells (prices zero), [B].
        attained: Best joint return met during the search, [B]: a lower bound on the best possible return.
    """

    value: Floats
    alone: Floats
    attained: Floats


def dual_bound(scenario: Scenario, rules: Rules, link: NDArray[np.float32], iterations: int) -> DualResult:
    """Search the prices of capacity.

    Args:
        scenario: Utility and prices of events.
        rules: Timers in steps.
        link: True links [B, T, U, K, columns], see `packing.LINK_COLUMNS`.
        iterations: Number of price vectors tried, the zero one included; at least 1.

    Returns:
        Upper bounds and the joint return attained by the best path found.
    """
    n_worlds, n_steps, n_users, n_slots, _ = link.shape
    handover_price = scenario.reward.handover_utility_s / scenario.dt_s
    failure_price = scenario.reward.failure_utility_s / scenario.dt_s
    market = _Market(scenario, link)
    price = np.zeros((n_worlds, n_steps, n_slots))
    best = np.full(n_worlds, np.inf)
    attained = np.full(n_worlds, -np.inf)
    alone = best
    length = np.ones(n_worlds)
    stalled = np.zeros(n_worlds, dtype=np.int64)
    for iteration in range(iterations):
        stages, keep_share, take_share = market.stages(price)
        plan = best_plan(stages, rules, handover_price, failure_price)
        value = plan.value.reshape(n_worlds, n_users).sum(axis=1) + price.sum(axis=(1, 2))
        if iteration == 0:
            alone = value
        attained = np.maximum(attained, market.joint_return(plan, handover_price, failure_price))
        better = value < best
        best = np.minimum(best, value)
        stalled = np.where(better, 0, stalled + 1)
        length = np.where(stalled >= PATIENCE, length / 2, length)
        stalled = np.where(stalled >= PATIENCE, 0, stalled)

        slope = 1.0 - market.used_share(plan, keep_share, take_share)
        slope = np.where((price <= 0) & (slope > 0), 0.0, slope)  # the price cannot fall below zero
        norm = np.sum(slope**2, axis=(1, 2))
        step = length * (value - attained) / np.maximum(norm, 1e-12)
        price = np.maximum(price - step[:, None, None] * slope, 0.0)
    return DualResult(best / n_users, alone / n_users, attained / n_users)


class _Market:
    """Rates of all users in all slots, and what they would buy at given prices."""

    def __init__(self, scenario: Scenario, link: NDArray[np.float32]) -> None:
        self._shape = link.shape[:-1]
        self._utility = Utility(scenario)
        self._rate = link[..., LINK["rate"]]
        self._share = 1.0 - link[..., LINK["interruption"]].astype(np.float64)
        self._sync = link[..., LINK["sync"]].astype(np.int8)
        reference = scenario.reward.reference_rate_bit_s
        self._slope = 1.0 / np.log1p(scenario.max_rate_bit_s / reference)
        with np.errstate(divide="ignore"):
            self._offset = reference / self._rate.astype(np.float64)

    def _per_user(self, array: NDArray[np.float64] | NDArray[np.int8]) -> NDArray[np.float64]:
        """[B, T, U, K] to [B U, T, K]."""
        n_worlds, n_steps, n_users, n_slots = self._shape
        return array.transpose(0, 2, 1, 3).reshape(n_worlds * n_users, n_steps, n_slots)

    def stages(self, price: Floats) -> tuple[Stages, Floats, Floats]:
        """Return utilities less the cost of capacity, and the shares [B U, T, K] bought for them."""
        spread = price[:, :, None, :]
        keep, keep_share = self._best_share(1.0, spread)
        take, take_share = self._best_share(self._share, spread)
        stages = Stages(self._per_user(self._sync), self._per_user(keep), self._per_user(take))
        return stages, self._per_user(keep_share), self._per_user(take_share)

    def _best_share(self, useful: Floats | float, price: Floats) -> tuple[Floats, Floats]:
        """Return the highest of useful * f(C/n) - price / n over n = 1..U, and 1/n."""
        n_users = self._shape[2]
        with np.errstate(divide="ignore", invalid="ignore"):
            ideal = useful * self._slope / price - self._offset
            users = np.where(ideal > 0, 1.0 / ideal, np.inf)
        fewer = np.clip(np.floor(users), 1, n_users)
        more = np.clip(np.ceil(users), 1, n_users)
        # The utility is evaluated as the task does it, in single precision, so that bound and return are comparable
        # to the last bit where nothing is shared.
        low = useful * self._utility.of_rate(self._rate / fewer.astype(np.float32)) - price / fewer
        high = useful * self._utility.of_rate(self._rate / more.astype(np.float32)) - price / more
        return np.maximum(low, high), 1.0 / np.where(low >= high, fewer, more)

    def used_share(self, plan: Plan, keep_share: Floats, take_share: Floats) -> Floats:
        """Capacity [B, T, K] that the users of a plan buy together."""
        slot = np.maximum(plan.carrier, 0)[..., None]
        kept = np.take_along_axis(keep_share, slot, axis=2)[..., 0]
        fresh = np.take_along_axis(take_share, slot, axis=2)[..., 0]
        share = np.where(plan.carrier < 0, 0.0, np.where(plan.taken, fresh, kept))
        return self._add_up(plan, share)

    def _add_up(self, plan: Plan, amount: Floats) -> Floats:
        """Sum of an amount [B U, T] over the users of each slot, [B, T, K]."""
        n_worlds, n_steps, n_users, n_slots = self._shape
        world = np.repeat(np.arange(n_worlds), n_users)[:, None]
        cell = (world * n_steps + np.arange(n_steps)) * n_slots + np.maximum(plan.carrier, 0)
        total = np.bincount(cell.ravel(), weights=amount.ravel(), minlength=n_worlds * n_steps * n_slots)
        return total.reshape(n_worlds, n_steps, n_slots)

    def joint_return(self, plan: Plan, handover_price: float, failure_price: float) -> Floats:
        """Return [B], summed over users, if all follow their plans together and share cells equally."""
        n_worlds, n_steps, n_users, _ = self._shape
        carried = plan.carrier >= 0
        slot = np.maximum(plan.carrier, 0)
        crowd = self._add_up(plan, carried.astype(np.float64))
        world = np.repeat(np.arange(n_worlds), n_users)[:, None]
        user = np.tile(np.arange(n_users), n_worlds)[:, None]
        step = np.arange(n_steps)
        shared_by = crowd[world, step, slot].astype(np.float32)
        utility = self._utility.of_rate(self._rate[world, step, user, slot] / np.maximum(shared_by, 1))
        share = np.where(plan.taken, self._share[world, step, user, slot], 1.0)
        service = (utility * share * carried).sum(axis=1)
        total = service - handover_price * plan.handovers - failure_price * plan.failures
        return total.reshape(n_worlds, n_users).sum(axis=1)
