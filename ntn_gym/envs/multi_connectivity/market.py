"""What sets are worth to one user when the capacity of nodes has a price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.multi_connectivity.packing import band_of_ports_mbit
from ntn_gym.envs.multi_connectivity.rates import Efficiency, Interference, back_off, copy_success, joint_power
from ntn_gym.envs.multi_connectivity.scenario import Scenario
from ntn_gym.envs.multi_connectivity.sets import SetTable, gather

Floats = NDArray[Any]


@dataclass(frozen=True)
class Offer:
    """Rates that no decision of the others can raise, in Mbit/s for the whole node.

    Attributes:
        rate: Rate alone of each port, [..., P].
        together: Rate alone of each set that sends one block from all members, [..., S]; None for other rules.
        chance: Factor on the rate of each set, [S].
    """

    rate: Floats
    together: Floats | None
    chance: Floats


def offers(scenario: Scenario, sets: SetTable, arrays: Arrays) -> Offer:
    """Return the rates alone. In shared bands nodes disturb at least with their background traffic."""
    rule = scenario.combining.rule
    chance = np.ones(sets.n_sets)
    if rule == "duplication":
        chance = 1.0 - (1.0 - copy_success(scenario)) ** sets.size
    efficiency, interference = Efficiency(scenario), Interference(scenario)
    together = None
    if "shared" in scenario.modes:
        power, free = arrays["power"], arrays["free"][..., -scenario.n_slots :]
        band = band_of_ports_mbit(scenario)[-scenario.n_slots :]
        background = np.float32(1) - free / band
        heard = interference.heard(power, background) * (power > 0)
        own = power / interference.noise_of_each(heard, arrays["far"])
        rate = efficiency.of(own * back_off(scenario)) * free * (power > 0)
        if "reserved" in scenario.modes:
            rate = np.concatenate([arrays["rate"], rate], axis=-1)
        if scenario.combining.is_joint:
            served = sets.members
            signal = joint_power(power[..., None, :], served, efficiency, rule == "coherent")
            others = np.where(served, np.float32(0), heard[..., None, :]).sum(axis=-1)
            noise = np.float32(1) + interference.far_activity * arrays["far"][..., None] + others
            band_of_set = np.minimum.reduce(gather(_padded(free), sets.legs), axis=-2)
            together = efficiency.of(signal / noise) * band_of_set
            together = np.where(arrays["aligned"] & (sets.size > 1), together, 0.0)
    else:
        rate = arrays["rate"]
    if rule == "mrc":
        sinr = np.add.reduce(gather(_padded(arrays["sinr"]), sets.legs_once), axis=-2)
        together = efficiency.of(sinr) * np.minimum.reduce(gather(_padded(arrays["free"]), sets.legs), axis=-2)
        together = together * (sets.size > 1)
    return Offer(rate.astype(np.float64), None if together is None else together.astype(np.float64), chance)


def _padded(values: Floats) -> Floats:
    padded = np.zeros((*values.shape[:-1], values.shape[-1] + 1), dtype=values.dtype)
    padded[..., :-1] = values
    return padded


class Market:
    """Buys shares of nodes for one user: max over shares of u(rate) - price x share, for every set.

    A share of port p lies between 1 / limit (a node never serves more users) and 1. Equal shares among the users of a
    node are one case of shares that add up to at most 1, so that the value at any prices, plus the prices, bounds what
    all users can get together.
    """

    def __init__(self, scenario: Scenario, sets: SetTable, least_share: Floats) -> None:
        """Keep what does not depend on the prices; ``least_share`` is [P]."""
        self._sets = sets
        self._rule = scenario.combining.rule
        self._reference = scenario.reward.reference_rate_mbit_s
        self._scale = 1.0 / np.log1p(scenario.reward.rate_span)
        self._least = least_share

    def utility(self, rate: Floats) -> Floats:
        """Utility of a rate in Mbit/s."""
        return np.asarray(self._scale * np.log1p(rate / self._reference))

    def values(self, offer: Offer, price: Floats) -> tuple[Floats, Floats]:
        """Return the value of every set [..., S] at prices [..., P], and the shares that it buys, [..., L, S].

        The shares are those of the members in the order of ``legs_once``.
        """
        sets = self._sets
        rate = gather(_padded(offer.rate), sets.legs_once)
        cost = gather(_padded(price), sets.legs_once)
        least = gather(_padded(self._least), sets.legs_once)
        if self._rule == "duplication":
            value, share = self._best_copy(rate * offer.chance, cost, least)
        else:
            value, share = self._split(rate, cost, least)
        if offer.together is not None:
            joint, bought = self._block(offer.together, cost, least)
            several = sets.size > 1
            # Sets that do not send together (outside the cyclic prefix) split.
            use = several & (joint > value) if self._rule != "mrc" else several
            value = np.where(use, joint, value)
            share = np.where(
                use[..., None, :], np.where(sets.legs_once < sets.n_ports, bought[..., None, :], 0.0), share
            )
        return value, share

    def _demand(self, rate: Floats, cost: Floats) -> Floats:
        """Rate at which the marginal utility of a rate equals its price."""
        with np.errstate(divide="ignore", invalid="ignore"):
            wished = self._scale * rate / cost - self._reference
        return np.where(cost > 0, np.maximum(wished, 0.0), np.inf)

    def _split(self, rate: Floats, cost: Floats, least: Floats) -> tuple[Floats, Floats]:
        """Rates add: from the least shares on, buy from the cheapest node first until its marginal utility is paid."""
        with np.errstate(divide="ignore", invalid="ignore"):
            dearness = np.where(rate > 0, cost / rate, np.inf)
        if rate.shape[-2] == 2:
            swapped = dearness[..., 0, :] > dearness[..., 1, :]
            order = np.stack([swapped, ~swapped], axis=-2).astype(np.intp)
        else:
            order = np.argsort(dearness, axis=-2, kind="stable")
        rate, cost, least = (
            np.take_along_axis(np.broadcast_to(x, rate.shape), order, axis=-2) for x in (rate, cost, least)
        )
        total = np.add.reduce(rate * least, axis=-2)
        share = least.copy()
        for leg in range(rate.shape[-2]):
            here = rate[..., leg, :]
            room = np.maximum(self._demand(here, cost[..., leg, :]) - total, 0.0)
            with np.errstate(divide="ignore", invalid="ignore"):
                more = np.where(here > 0, np.minimum(room / here, 1.0 - least[..., leg, :]), 0.0)
            share[..., leg, :] += more
            total = total + more * here
        value = self.utility(total) - np.add.reduce(cost * share, axis=-2)
        back = np.empty_like(share)
        np.put_along_axis(back, order, share, axis=-2)
        return value, back

    def _best_copy(self, rate: Floats, cost: Floats, least: Floats) -> tuple[Floats, Floats]:
        """The best copy counts: buy from one member, the least shares of the others."""
        total_least = np.add.reduce(cost * least, axis=-2)
        with np.errstate(divide="ignore", invalid="ignore"):
            wished = np.where(rate > 0, self._demand(rate, cost) / rate, 0.0)
        share = np.clip(wished, least, 1.0)
        value = self.utility(rate * share) - cost * (share - least) - total_least[..., None, :]
        best = np.argmax(value, axis=-2)[..., None, :]
        bought = np.broadcast_to(least, share.shape).copy()
        np.put_along_axis(bought, best, np.take_along_axis(share, best, axis=-2), axis=-2)
        return np.take_along_axis(value, best, axis=-2)[..., 0, :], bought

    def _block(self, rate: Floats, cost: Floats, least: Floats) -> tuple[Floats, Floats]:
        """All members give the same share to one block."""
        price = np.add.reduce(cost, axis=-2)
        lowest = np.max(least, axis=-2)
        with np.errstate(divide="ignore", invalid="ignore"):
            wished = np.where(rate > 0, self._demand(rate, price) / rate, 0.0)
        share = np.clip(wished, lowest, 1.0)
        return self.utility(rate * share) - price * share, share
