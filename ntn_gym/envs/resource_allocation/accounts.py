"""What a step was worth: reward terms and KPIs, and the battery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import KpiSpec, TermSpec
from ntn_gym.envs.resource_allocation.offered import class_of_user
from ntn_gym.envs.resource_allocation.packing import SCALAR
from ntn_gym.envs.resource_allocation.scheduler import sum_by
from ntn_gym.envs.resource_allocation.service import Service
from ntn_gym.envs.resource_allocation.storage import store

if TYPE_CHECKING:
    from ntn_gym.envs.resource_allocation.task import ResourceAllocationTask

JOULE_PER_KWH = 3.6e6
TERMS = ("served", "dropped", "energy", "pending", "depleted", "unmet", "final_charge")


def row_sum(values: NDArray[Any]) -> NDArray[np.float64]:
    """Sum over the last axis; the method of an array does the same at twice the cost."""
    result: NDArray[np.float64] = np.add.reduce(values, axis=-1, dtype=np.float64)
    return result


@dataclass(frozen=True)
class Ledger:
    """What happened in a step of B worlds.

    Attributes:
        served_mbit: Bits served, [B, U].
        dropped_mbit: Bits dropped, [B, U].
        supply_w: Supply power of the radios, [B, R].
        payload_w: Supply power of radios and laser, [B].
        totals: Reward terms of the team, [B, terms]; filled step by step.
        kpis: KPIs of the team, [B, KPIs]; filled step by step.
    """

    served_mbit: NDArray[np.float64]
    dropped_mbit: NDArray[np.float64]
    supply_w: NDArray[np.float64]
    payload_w: NDArray[np.float64]
    totals: NDArray[np.float64]
    kpis: NDArray[np.float64]


class Accounts:
    """The accounts of one task."""

    def __init__(self, task: ResourceAllocationTask) -> None:
        """Declare terms and KPIs and prepare constants."""
        self._task = task
        scenario = task.scenario
        self.reward_terms = self._declare_terms()
        self.kpis = self._declare_kpis()
        self._worth = task.value / task.offered_mbit
        self._price_per_w = 1.0 / scenario.energy.reference_w
        # Classes as rows: [classes, U], over what a class offers in a step on average. Products with a matrix are
        # written as sums along the last axis: those do not depend on the size of the batch.
        of_each = np.array([one.share for one in scenario.traffic.classes]) * task.offered_mbit
        self._class_share = (class_of_user(scenario) == np.arange(len(of_each))[:, None]) / of_each[:, None]

    def _declare_terms(self) -> tuple[TermSpec, ...]:
        prices = self._task.scenario.reward
        rows = (
            ("offered step", 1.0, "value of the bits served, over the mean traffic of a step"),
            ("offered step", -prices.drop_price, "value of the bits dropped, over the same"),
            ("priced step", -1.0, "supply power over the reference power, times the price of the world"),
            ("offered step", prices.pending_value, "value of the bits that are alive at the end"),
            ("step", -prices.depleted, "steps with the battery below its lower limit"),
            ("kWh", -prices.unmet_per_kwh, "energy that hotel and engines missed"),
            ("kWh", -prices.final_per_kwh, "energy below the final target at the end"),
        )
        return tuple(TermSpec(name, *row) for name, row in zip(TERMS, rows, strict=True))

    def _declare_kpis(self) -> tuple[KpiSpec, ...]:
        return (
            KpiSpec("throughput_mbit_s", "Mbit/s", "mean", "higher", "bits served by the platform"),
            *(
                KpiSpec(f"dropped_{one.name}", "share", "mean", "lower", f"bits of {one.name} dropped, of the offered")
                for one in self._task.scenario.traffic.classes
            ),
            KpiSpec("power_w", "W", "mean", "lower", "supply power of the payload"),
            KpiSpec("efficiency_mbit_j", "Mbit/J", "mean", "higher", "bits served per joule of the payload", "power_w"),
            KpiSpec("active", "share", "mean", "neither", "radios that are on"),
            KpiSpec("used", "share", "mean", "neither", "band that is filled, over all radios"),
            KpiSpec("queue_s", "s", "mean", "lower", "bits waiting over the mean rate of arrival"),
            KpiSpec("feeder_limited", "share", "mean", "lower", "steps in which the feeder was too narrow"),
            KpiSpec("battery", "share", "mean", "higher", "energy in the battery over its capacity"),
            KpiSpec("dead", "share", "mean", "lower", "steps with the payload switched off by the battery"),
            KpiSpec("spilled_kw", "kW", "mean", "lower", "power of the panels that was neither used nor stored"),
        )

    def open(
        self,
        bits: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
        radio_w: NDArray[np.float32],
        laser_w: Any,
        service: Service,
        scalars: NDArray[np.float64],
    ) -> Ledger:
        """Open the ledger of a step with the terms and KPIs of radio and queues.

        Args:
            bits: Served, dropped and waiting, each [B, U].
            radio_w: Radiated power of the radios, [B, R].
            laser_w: Power of the laser, [B] or a number.
            service: What the radio did.
            scalars: Of the slice.
        """
        task = self._task
        served, dropped, waiting = bits
        n_worlds = len(served)
        supply_w = task.supply_w(radio_w, service.used)
        payload_w = row_sum(supply_w)
        if task.constants.has_laser:
            assert task.scenario.feeder is not None
            laser = task.scenario.feeder.laser
            payload_w += np.where(laser_w > 0, laser.idle_w + laser_w / laser.efficiency, 0.0)
        totals = np.zeros((n_worlds, len(TERMS)))
        totals[:, 0] = row_sum(served * self._worth)
        totals[:, 1] = row_sum(dropped * self._worth)
        totals[:, 2] = payload_w * scalars[:, SCALAR["price"]] * self._price_per_w
        last = scalars[:, SCALAR["last"]]
        if last.any():
            totals[:, 3] = row_sum(waiting * self._worth) * last

        first, n_radios = 1 + len(self._class_share), task.n_radios
        kpis = np.zeros((n_worlds, len(self.kpis)))
        kpis[:, 0] = row_sum(served) * (1.0 / task.dt_s)
        kpis[:, 1:first] = row_sum(dropped[:, None] * self._class_share)
        kpis[:, first] = payload_w
        kpis[:, first + 1] = kpis[:, 0]  # per watt of the column before
        kpis[:, first + 2] = row_sum(radio_w > 0) * (1.0 / n_radios)
        kpis[:, first + 3] = row_sum(service.used) * (1.0 / n_radios)
        kpis[:, first + 4] = row_sum(waiting) * (task.dt_s / task.offered_mbit)
        if service.limited is not None:
            kpis[:, first + 5] = service.limited
        return Ledger(served, dropped, supply_w, payload_w, totals, kpis)

    def charge(
        self,
        ledger: Ledger,
        energy_j: NDArray[np.float64],
        dead: NDArray[np.bool_],
        scalars: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Advance the battery and fill its terms and KPIs.

        Args:
            ledger: The step so far.
            energy_j: Stored before the step, [B].
            dead: Whether the payload was switched off in the step, [B].
            scalars: Of the slice.

        Returns:
            Energy after the step in J, and whether the payload is off in the next one.
        """
        task = self._task
        storage, prices = task.scenario.energy.battery, task.scenario.reward
        assert storage is not None and task.battery is not None
        demand_w = storage.hotel_w + scalars[:, SCALAR["propulsion_w"]] + ledger.payload_w
        flow = store(task.battery, energy_j, (scalars[:, SCALAR["solar_w"]] - demand_w) * task.dt_s)
        capacity_j = task.battery.capacity_j
        low = flow.energy_j < storage.low_share * capacity_j
        totals, kpis = ledger.totals, ledger.kpis
        totals[:, 4] = low
        totals[:, 5] = flow.unmet_j / JOULE_PER_KWH
        missing_j = np.maximum(prices.final_share * capacity_j - flow.energy_j, 0.0)
        totals[:, 6] = missing_j / JOULE_PER_KWH * scalars[:, SCALAR["last"]]
        kpis[:, -3] = flow.energy_j / capacity_j
        kpis[:, -2] = dead
        kpis[:, -1] = flow.spilled_j / (1e3 * task.dt_s)
        return flow.energy_j, np.where(dead, flow.energy_j < storage.back_share * capacity_j, low)

    def share_out(
        self, ledger: Ledger, scalars: NDArray[np.float64], serving: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the reward terms of each agent, [B, A, terms], whose mean over agents is the team's."""
        task, totals = self._task, ledger.totals
        agents, radios = task.n_agents, task.n_radios
        local = task.scenario.reward.local_share
        terms = np.repeat(totals[:, None], agents, axis=1)
        if local > 0:
            price = scalars[:, SCALAR["price"]] * self._price_per_w
            own = np.zeros((len(totals), agents, 3))
            own[:, :radios, 0] = sum_by(serving, ledger.served_mbit * self._worth, radios)
            own[:, :radios, 1] = sum_by(serving, ledger.dropped_mbit * self._worth, radios)
            own[:, :radios, 2] = ledger.supply_w * price[:, None]
            if task.constants.has_laser:
                own[:, radios, 2] = totals[:, 2] - own[:, :radios, 2].sum(axis=1)
            terms[..., :3] += local * (agents * own - totals[:, None, :3])
        return terms
