"""A battery with losses: charge and discharge efficiency, self-discharge, limits of energy and power."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from ntn_gym.physics.arrays import Array, ArrayLike, promote


@dataclass(frozen=True)
class Battery:
    """Parameters of a battery (or a regenerative fuel cell: lower efficiencies, no self-discharge).

    Attributes:
        capacity_j: Usable energy when full in J.
        minimum_j: Energy below which nothing is drawn in J.
        charge_efficiency: Energy stored over energy put in, in (0, 1].
        discharge_efficiency: Energy delivered over energy taken out, in (0, 1].
        self_discharge_per_s: Rate of self-discharge in 1/s; 3 % a month is 1.2e-8.
        max_charge_w: Largest power accepted at the terminals in W.
        max_discharge_w: Largest power delivered at the terminals in W.
    """

    capacity_j: float
    minimum_j: float = 0.0
    charge_efficiency: float = 0.97
    discharge_efficiency: float = 0.97
    self_discharge_per_s: float = 0.0
    max_charge_w: float = math.inf
    max_discharge_w: float = math.inf

    def __post_init__(self) -> None:
        if not (math.isfinite(self.capacity_j) and self.capacity_j > 0.0):
            raise ValueError(f"Battery.capacity_j: got {self.capacity_j} J; must be finite and above 0 J")
        if not 0.0 <= self.minimum_j < self.capacity_j:
            raise ValueError(f"Battery.minimum_j: got {self.minimum_j} J; must be 0 to below {self.capacity_j:g} J")
        for field in ("charge_efficiency", "discharge_efficiency"):
            if not 0.0 < getattr(self, field) <= 1.0:
                raise ValueError(f"Battery.{field}: got {getattr(self, field)}; must be above 0 and at most 1")
        if not 0.0 <= self.self_discharge_per_s < 1e-3:
            raise ValueError(
                f"Battery.self_discharge_per_s: got {self.self_discharge_per_s} 1/s; must be 0 to below 1e-3 1/s"
            )
        for field in ("max_charge_w", "max_discharge_w"):
            if not getattr(self, field) > 0.0:
                raise ValueError(
                    f"Battery.{field}: got {getattr(self, field)} W; must be above 0 W (infinite: no limit)"
                )


class BatteryStep(NamedTuple):
    """Outcome of one step; energies in J, [...].

    Attributes:
        energy_j: Energy stored after the step.
        delivered_j: Part of the demand that was met (from the source directly and from the battery).
        unmet_j: Part of the demand that was not met.
        spilled_j: Energy of the source that could be neither used nor stored.
        lost_j: Energy lost in charging, discharging and self-discharge.
    """

    energy_j: Array
    delivered_j: Array
    unmet_j: Array
    spilled_j: Array
    lost_j: Array


def battery_step(
    battery: Battery, energy_j: ArrayLike, source_w: ArrayLike, demand_w: ArrayLike, dt_s: ArrayLike
) -> BatteryStep:
    """Advance the stored energy by one step of constant source and demand.

    Stored energy first decays by exp(-rate dt). The source feeds the demand directly; what is left charges the
    battery with its efficiency up to the capacity and the charge limit, what is missing is drawn from it down to
    the minimum and up to the discharge limit. Energy is conserved: stored + source dt = stored after + delivered +
    spilled + lost.

    Source: energy balance; the model of a storage with efficiencies and self-discharge of D. P. Kothari and
    I. J. Nagrath and of most power-system studies (e.g. HOMER's idealised storage).

    Args:
        battery: Parameters.
        energy_j: Energy stored before the step in J, 0 to the capacity, [...].
        source_w: Power of the panels in W, not negative, [...].
        demand_w: Power wanted in W, not negative, [...].
        dt_s: Step in s, positive, [...].

    Returns:
        The outcome.
    """
    xp, stored, source, demand, dt = promote(energy_j, source_w, demand_w, dt_s)
    kept = stored * xp.exp(-battery.self_discharge_per_s * dt)
    direct = xp.minimum(source, demand) * dt
    surplus = xp.clip(source - demand, 0.0, None) * dt
    room = xp.clip(battery.capacity_j - kept, 0.0, None) / battery.charge_efficiency
    charged = xp.minimum(xp.minimum(surplus, battery.max_charge_w * dt), room)
    missing = xp.clip(demand - source, 0.0, None) * dt
    available = xp.clip(kept - battery.minimum_j, 0.0, None) * battery.discharge_efficiency
    drawn = xp.minimum(xp.minimum(missing, battery.max_discharge_w * dt), available)
    after = kept + charged * battery.charge_efficiency - drawn / battery.discharge_efficiency
    after = xp.clip(after, 0.0, battery.capacity_j)  # rounding
    lost = (
        (stored - kept)
        + charged * (1.0 - battery.charge_efficiency)
        + drawn * (1.0 / battery.discharge_efficiency - 1.0)
    )
    return BatteryStep(after, direct + drawn, missing - drawn, surplus - charged, lost)
