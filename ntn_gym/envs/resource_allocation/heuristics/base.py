"""What all rules share: parameters, reading the observation, and turning wanted powers into actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.policy import Policy
from ntn_gym.core.scenario import parse
from ntn_gym.envs.resource_allocation.feeder import feeder_link
from ntn_gym.envs.resource_allocation.observation import SNR_SCALE_DB, View
from ntn_gym.envs.resource_allocation.task import ResourceAllocationTask
from ntn_gym.envs.resource_allocation.transmitters import action_of_power

FloatArray = NDArray[Any]
assert SNR_SCALE_DB == 30.0  # the loss of the feeder has the same scale in the context


class Parameters(BaseModel):
    """Parameters of a rule, validated when the rule is built."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def specify(
    name: str,
    rule: Callable[[ResourceAllocationTask, Any], Policy],
    parameters: type[Parameters],
    grid: Mapping[str, Sequence[Any]],
    family: Literal["single", "composite", "forecast"],
    description: str,
    source: str,
    naive: bool = False,
) -> dict[str, HeuristicSpec]:
    """Describe a rule for the table of heuristics; its factory validates parameters by name, range and unit."""

    def factory(task: Any, params: Mapping[str, Any]) -> Policy:
        return rule(task, parse(parameters, params, f"parameters of heuristic {name!r}"))

    return {name: HeuristicSpec(factory, grid, family, description, source, naive)}


class PowerRule:
    """A rule that names the power of every radio; the laser of a controlled feeder follows the demand.

    Subclasses give `powers`. They see what agents see.
    """

    def __init__(self, task: ResourceAllocationTask) -> None:
        """Keep the constants of the task."""
        self.task = task
        self.constants = task.constants
        radios = task.n_radios
        self.lowest_w, self.highest_w = task.constants.lowest_w[:radios], task.constants.highest_w[:radios]

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def powers(self, view: View, restarted: NDArray[np.bool_]) -> FloatArray:
        """Wanted power of each radio in W, [B, R]."""
        raise NotImplementedError

    def act(
        self, observation: NDArray[np.float32], mask: NDArray[np.bool_] | None, restarted: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Choose levels or continuous actions."""
        view = View(observation)
        power = np.clip(self.powers(view, restarted), 0.0, self.highest_w)
        if self.constants.has_laser:
            power = np.concatenate([power, self._laser(view)[:, None]], axis=1)
        return action_of_power(self.constants, self.task.scenario.action.kind, power)

    def _laser(self, view: View) -> FloatArray:
        """Lowest level of the laser that carries 1.5 times what must be served now plus a tenth of the rest, [B].

        Off under a thick cloud. Demand is served sooner than the rest only as far as the feeder lets it.
        """
        feeder = self.task.scenario.feeder
        assert feeder is not None
        link = feeder_link(feeder, self.task.scenario.platform.altitude_m)
        loss_db = view.context("feeder_loss").astype(np.float64) * 30.0
        per_w = link.rate_per_w_mbit_s * 10.0 ** (-0.1 * loss_db)
        per_step = self.task.mbit_per_bit_s_hz / self.task.dt_s
        urgent = view.expiring_bit_hz.sum(axis=(1, 2)) + 0.1 * view.waiting_bit_hz.sum(axis=(1, 2))
        wanted = 1.5 * urgent * per_step - feeder.radio_mbit_s
        levels = np.array(feeder.laser.levels_w)
        carried = np.minimum(levels * per_w[:, None], feeder.max_rate_mbit_s)
        enough = carried >= np.minimum(wanted, carried[:, -1])[:, None] - 1e-9
        return np.where(view.context("cloud") > 0.5, 0.0, levels[np.argmax(enough, axis=1)])


def shares_of_need(need: FloatArray, total_w: FloatArray | float, highest_w: FloatArray) -> FloatArray:
    """Divide a total power in proportion to needs; what exceeds a transmitter's limit goes to the others, [B, R]."""
    total = np.broadcast_to(np.asarray(total_w, dtype=np.float64), need.shape[:1])
    power = np.zeros_like(need)
    free = need > 0
    for _ in range(need.shape[1]):
        left = total - np.where(free, 0.0, power).sum(axis=1)
        weight = np.where(free, need, 0.0)
        share = weight / np.maximum(weight.sum(axis=1), 1e-30)[:, None] * left[:, None]
        power = np.where(free, share, power)
        over = free & (power > highest_w)
        if not over.any():
            break
        power = np.where(over, highest_w, power)
        free &= ~over
    return power
