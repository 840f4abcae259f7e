"""What no policy can beat: prices for the capacity of nodes, and the best course of every user at these prices.

Relaxations: equal shares become any shares that add up to at most 1 (and are at least 1 / limit); nobody is refused;
users know the whole future; in shared bands the others never disturb with more than their background traffic. Prices,
set-up times and the price of new links are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.bound import BoundResult
from ntn_gym.core.task import Arrays
from ntn_gym.envs.multi_connectivity.admission import limits_of_resources
from ntn_gym.envs.multi_connectivity.market import Market, offers
from ntn_gym.envs.multi_connectivity.plan import best_course, subset_table

if TYPE_CHECKING:
    from ntn_gym.envs.multi_connectivity.task import MultiConnectivityTask

Floats = NDArray[Any]
ITERATIONS = 12
WORLDS_AT_ONCE = 4


def bound(task: MultiConnectivityTask, arrays: Arrays) -> BoundResult:
    """Bound the mean over users of the return, see the module; a relaxation, so it gives no actions.

    Source: Lagrangian relaxation, A. M. Geoffrion, Mathematical Programming Study 2, 1974; any prices give a valid
    bound, so that the best of some iterations is kept.
    """
    n_worlds = len(arrays["resource"])
    parts = []
    for low in range(0, n_worlds, WORLDS_AT_ONCE):
        part = {name: array[low : low + WORLDS_AT_ONCE, : task.episode_steps] for name, array in arrays.items()}
        parts.append(_Relaxation(task, part).best(ITERATIONS))
    return BoundResult(np.concatenate(parts))


class _Relaxation:
    def __init__(self, task: MultiConnectivityTask, arrays: Arrays) -> None:
        scenario, sets = task.scenario, task.sets
        self._task, self._sets, self._subsets = task, sets, subset_table(sets)
        limit = limits_of_resources(scenario)
        self._n_resources = len(limit)
        resource = arrays["resource"].astype(np.int64)  # [B, T, U, P]
        self._shape = resource.shape
        # A world's prices, with one more that is 0: the price of an empty slot.
        worlds, steps = np.arange(resource.shape[0])[:, None, None, None], np.arange(resource.shape[1])[:, None, None]
        self._where = (worlds * resource.shape[1] + steps) * (self._n_resources + 1) + resource
        users = min(task.n_agents, 10**6)
        least = 1.0 / np.minimum(np.append(limit, users), users)
        # Slots of one tier share a limit; stations all have one.
        n_sky, n_slots = scenario.n_sky_slots, scenario.n_slots
        slot = np.arange(sets.n_ports) % n_slots
        station = least[n_sky] if scenario.stations is not None else 1.0
        self._least = np.where(slot < n_sky, least[np.minimum(slot, n_sky - 1)], station)
        self._market = Market(scenario, sets, self._least)
        self._offer = offers(scenario, sets, arrays)
        prices = scenario.reward
        self._added = prices.change_utility_s / scenario.dt_s
        self._standing = -prices.link_utility * sets.size - prices.coordination_utility * sets.controlled
        self._same = arrays["same"]
        # Clusters can be kept while they are out of reach, but carry nothing. [B, T, U, S]
        self._stopped = sets.controlled & ~(arrays["ordered"][:, :, None] & arrays["legal"])

    def _by_user(self, values: NDArray[Any]) -> NDArray[Any]:
        """[B, T, U, ...] to [B U, T, ...]."""
        moved = np.moveaxis(np.broadcast_to(values, (*self._shape[:3], *values.shape[3:])), 2, 1)
        return moved.reshape(-1, *moved.shape[2:])

    def best(self, iterations: int) -> NDArray[np.float64]:
        """Search the prices; return the lowest bound met, per user, [B]."""
        n_worlds, _, n_users, _ = self._shape
        price = self._first_prices()
        lowest = np.full(n_worlds, np.inf)
        if n_users == 1:  # nothing is shared: prices of zero are exact
            return self._evaluate(0.0 * price)[0]
        for k in range(iterations + 1):
            value, use = self._evaluate(price)
            lowest = np.minimum(lowest, value)
            step = 0.25 / (1.0 + k / 10.0) ** 0.7
            price[..., :-1] *= np.exp(step * np.clip(use - 1.0, -1.0, 2.0))
        return lowest / n_users

    def _first_prices(self) -> Floats:
        """Begin with a share of the marginal utility that a node's best user has if it is shared equally."""
        n_worlds, n_steps, n_users, _ = self._shape
        width = self._n_resources + 1
        rate = self._offer.rate
        crowd = max(1.0, n_users / 6.0)
        marginal = 0.6 * self._market._scale * rate / (self._market._reference + rate / crowd)
        price = np.zeros(n_worlds * n_steps * width)
        np.maximum.at(price, self._where.ravel(), marginal.ravel())
        price = np.maximum(price.reshape(n_worlds, n_steps, width), 1e-4)
        price[..., -1] = 0.0
        return price

    def _evaluate(self, price: Floats) -> tuple[NDArray[np.float64], Floats]:
        """Return the bound summed over users, [B], and the share of every resource that is bought, [B, T, R]."""
        n_worlds, _, n_users, _ = self._shape
        sets = self._sets
        at_port = price.ravel().take(self._where)
        value, share = self._market.values(self._offer, at_port)
        # A stopped cluster carries nothing and still holds its least shares.
        idle = -np.add.reduce(np.where(sets.members, (at_port * self._least)[..., None, :], 0.0), axis=-1)
        value = np.where(self._stopped, idle, value)
        fresh = at_port * self._least + self._added
        course = best_course(
            self._by_user(value),
            self._standing,
            self._by_user(fresh),
            self._by_user(self._same),
            sets,
            self._subsets,
        )
        total = course.value.reshape(n_worlds, n_users).sum(axis=1) + price[..., :-1].sum(axis=(1, 2))
        return total, self._bought(course.chosen, course.serving, share)

    def _bought(self, chosen: NDArray[np.intp], serving: NDArray[np.intp], share: Floats) -> Floats:
        n_worlds, n_steps, n_users, n_ports = self._shape
        chosen, serving = (x.reshape(n_worlds, n_users, n_steps).swapaxes(1, 2) for x in (chosen, serving))
        picked = np.take_along_axis(share, serving[..., None, None], axis=-1)[..., 0]  # [B, T, U, L]
        ports = self._sets.legs_once.T[serving]
        amount = np.zeros((*self._shape[:3], n_ports + 1))
        np.put_along_axis(amount, ports, picked, axis=-1)
        fresh = self._sets.members[chosen] & ~self._sets.members[serving]
        amount = np.where(fresh, self._least, amount[..., :-1])
        use = np.bincount(
            self._where.ravel(), weights=amount.ravel(), minlength=n_worlds * n_steps * (self._n_resources + 1)
        )
        return use.reshape(n_worlds, n_steps, -1)[..., :-1]
