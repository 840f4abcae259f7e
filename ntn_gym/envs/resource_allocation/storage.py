"""The battery of a step: `physics.battery.battery_step` for the case at hand, without its generality and its cost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntn_gym.physics.battery import Battery


class Flow(NamedTuple):
    """Energies of a step in J, [B]: stored after it, demanded but missing, from the sun but neither used nor kept."""

    energy_j: NDArray[np.float64]
    unmet_j: NDArray[np.float64]
    spilled_j: NDArray[np.float64]


def store(battery: Battery, energy_j: NDArray[np.float64], net_j: NDArray[np.float64]) -> Flow:
    """Charge with a surplus or draw a deficit.

    Equal to `battery_step` without self-discharge and power limits (a test says so): a surplus s is stored as
    min(eta_c s, room), a deficit d is drawn as min(d/eta_d, stored).

    Args:
        battery: Capacity and efficiencies.
        energy_j: Stored before the step, [B].
        net_j: Sun less all demand over the step, [B].
    """
    surplus, deficit = np.maximum(net_j, 0.0), np.maximum(-net_j, 0.0)
    charged = np.minimum(surplus, (battery.capacity_j - energy_j) / battery.charge_efficiency)
    drawn = np.minimum(deficit, (energy_j - battery.minimum_j) * battery.discharge_efficiency)
    after = energy_j + charged * battery.charge_efficiency - drawn / battery.discharge_efficiency
    return Flow(np.clip(after, battery.minimum_j, battery.capacity_j), deficit - drawn, surplus - charged)
