"""Rules that people use to place tasks, by name, with the grids over which they are tuned.

A rule sees what an agent sees, nothing else. Arrays over options are [B, U, K]. Each rule gives every option a cost and
takes the cheapest legal one. With a continuous action the rules that predict a delay also split the task, by the
closed form of `physics.computing.best_split` (both parts end at once).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ntn_gym.core.coin import arbitrary
from ntn_gym.core.heuristic import HeuristicSpec
from ntn_gym.core.scenario import parse
from ntn_gym.envs.task_offloading.layout import DEVICE_SIZE, OPTION, OPTION_SIZE, TIME_SCALE_S
from ntn_gym.envs.task_offloading.task import TaskOffloadingTask

Floats = NDArray[Any]
Mask = NDArray[np.bool_]
FORBIDDEN = 1e9


class Parameters(BaseModel):
    """Parameters of a rule, validated when the rule is built."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True)
class View:
    """An observation by name; times in s, energy in J, options on the last axis."""

    observation: NDArray[np.float32]

    def __getitem__(self, name: str) -> Floats:
        options = self.observation[..., :-DEVICE_SIZE]
        values: Floats = options.reshape(*options.shape[:-1], -1, OPTION_SIZE)[..., OPTION[name]]
        timed = name in ("own_wait", "transmission", "server_wait", "computing")
        return values * np.float32(TIME_SCALE_S) if timed else values


Cost = Callable[[TaskOffloadingTask, View, Any, Mask], Floats]
"""Cost of every option, from the task, the observation, the parameters and where an episode begins."""


class CheapestOption:
    """Takes the option with the least cost; the first of equal ones."""

    def __init__(self, task: TaskOffloadingTask, cost: Cost, parameters: Parameters, splits: bool) -> None:
        """Keep the rule."""
        self._task, self._cost, self._parameters, self._splits = task, cost, parameters, splits
        self._target = task.plant.option_target

    def reset(self, n_worlds: int) -> None:
        """Rules remember nothing; those that need a coin take it from the observation."""

    def act(self, observation: NDArray[np.float32], mask: Mask | None, restarted: Mask) -> NDArray[Any]:
        """Choose for every device."""
        view = View(observation)
        legal = view["usable"] > 0.5 if mask is None else mask
        cost = np.where(legal, self._cost(self._task, view, self._parameters, restarted), FORBIDDEN)
        option = np.argmin(cost, axis=-1)
        return option if mask is not None else self._box(view, option)

    def _box(self, view: View, option: NDArray[np.intp]) -> NDArray[np.float32]:
        """Scores of the servers and the offloaded share, all in [-1, 1]."""
        target = self._target[option]
        ratio = (target > 0).astype(np.float64)
        if self._splits:
            # Both parts end at once: wait_l + (1 - a) C/f = wait_r + a (D/R + C/f_m).
            local_wait, local = view["own_wait"][..., 0], view["computing"][..., 0]

            def chosen(name: str) -> Floats:
                return np.take_along_axis(view[name], option[..., None], axis=-1)[..., 0]

            remote = chosen("transmission") + chosen("computing")
            wait = np.maximum(chosen("own_wait"), chosen("server_wait") - chosen("transmission"))
            share = (local_wait + local - wait) / np.maximum(local + remote, 1e-6)
            ratio = np.where(target > 0, np.clip(share, 0.0, 1.0), 0.0)
        servers = np.arange(1, self._task.n_servers + 1)
        scores = np.where(servers == target[..., None], 1.0, -1.0)
        action = np.concatenate([scores, (2.0 * ratio - 1.0)[..., None]], axis=-1)
        return np.clip(action, -1.0, 1.0).astype(np.float32)


def specify(
    name: str,
    cost: Cost,
    family: Literal["single", "composite", "forecast"],
    description: str,
    source: str,
    parameters: type[Parameters] = Parameters,
    grid: Mapping[str, Sequence[Any]] | None = None,
    splits: bool = False,
    naive: bool = False,
) -> dict[str, HeuristicSpec]:
    """Describe a rule for the table of heuristics; its factory validates parameters by name, range and unit."""

    def factory(task: Any, params: Mapping[str, Any]) -> CheapestOption:
        return CheapestOption(task, cost, parse(parameters, params, f"parameters of heuristic {name!r}"), splits)

    return {name: HeuristicSpec(factory, grid or {}, family, description, source, naive)}


# ---------------------------------------------------------------------------------------------- one criterion


def _local(task: TaskOffloadingTask, view: View, _: Any, __: Mask) -> Floats:
    return np.broadcast_to(np.where(task.plant.option_target == 0, 0.0, 1.0), view["usable"].shape)


def _only(name: str) -> Cost:
    def cost(task: TaskOffloadingTask, view: View, _: Any, __: Mask) -> Floats:
        targets = task.scenario.targets
        wanted = targets.index(name) if name in targets else 0
        whole = (task.plant.option_target == wanted) & ((task.plant.option_ratio == 1.0) | (wanted == 0))
        return np.broadcast_to(
            np.where(whole, 0.0, np.where(task.plant.option_target == 0, 1.0, 2.0)), view["usable"].shape
        )

    return cost


def _nearest(task: TaskOffloadingTask, view: View, _: Any, __: Mask) -> Floats:
    # Targets stand in the order of their distance: base station, platform, satellite, cloud. The device comes last.
    target = np.where(task.plant.option_target == 0, 99, task.plant.option_target)
    return np.broadcast_to(target - 0.5 * task.plant.option_ratio, view["usable"].shape)


class NoiseParameters(Parameters):
    """Parameters of `join_shortest`."""

    noise: float = Field(0.2, ge=0, le=2, description="Relative spread of the personal bias.")


def _min_delay(task: TaskOffloadingTask, view: View, _: Any, __: Mask) -> Floats:
    return view["delay"]


def _join_shortest(task: TaskOffloadingTask, view: View, p: NoiseParameters, __: Mask) -> Floats:
    coin = arbitrary(view.observation, task.n_options)
    wait = view["own_wait"] + view["server_wait"] + view["computing"] + view["transmission"]
    return wait * (1.0 + np.float32(p.noise) * (2.0 * coin - 1.0))


class SafeParameters(Parameters):
    """Parameters of `min_energy`."""

    margin: float = Field(0.5, ge=0, le=0.95, description="Share of the deadline that must be left by the prediction.")


def _min_energy(task: TaskOffloadingTask, view: View, p: SafeParameters, __: Mask) -> Floats:
    # Where nothing comes in time, the earliest.
    return view["energy"] + np.where(view["delay"] > 1.0 - p.margin, 100.0 + view["delay"], 0.0)


# ---------------------------------------------------------------------------------------------- several criteria


def _expected_cost(task: TaskOffloadingTask, view: View) -> Floats:
    prices = task.scenario.reward
    delay = view["delay"]
    return np.where(delay > 1.0, prices.drop_cost, delay) + prices.device_energy_per_j * view["energy"]


class MarginParameters(Parameters):
    """Parameters of `min_cost`."""

    margin: float = Field(0.1, ge=0, le=0.9, description="Share of the deadline that must be left by the prediction.")
    noise: float = Field(0.1, ge=0, le=2, description="Relative spread of a coin on the delay, against herding.")


def _min_cost(task: TaskOffloadingTask, view: View, p: MarginParameters, __: Mask) -> Floats:
    prices = task.scenario.reward
    coin = 2.0 * arbitrary(view.observation, task.n_options) - 1.0
    delay = view["delay"] * (1.0 + np.float32(p.noise) * np.where(task.plant.option_target == 0, 0.0, coin))
    late = delay > 1.0 - p.margin
    return np.where(late, prices.drop_cost + delay, delay) + prices.device_energy_per_j * view["energy"]


class DriftParameters(Parameters):
    """Parameters of `drift_plus_penalty`."""

    v: float = Field(1.0, ge=0, le=1e4, description="V: weight of the cost against the growth of the queues.")


def _drift(task: TaskOffloadingTask, view: View, p: DriftParameters, __: Mask) -> Floats:
    queues = view["own_wait"] * (view["transmission"] + np.where(task.plant.option_target == 0, view["computing"], 0.0))
    queues = queues + view["server_wait"] * view["computing"]
    return np.float32(p.v) * _expected_cost(task, view) + queues


class CompositeParameters(Parameters):
    """Parameters of `composite`."""

    energy: float = Field(0.3, ge=0, le=10, description="Weight of the energy in J.")
    load: float = Field(0.2, ge=-2, le=10, description="Weight of the broadcast wait at the server over the deadline.")
    sharing: float = Field(0.2, ge=-2, le=10, description="Weight of the share of devices that transmit to the node.")
    background: float = Field(0.0, ge=-2, le=10, description="Weight of the share of the server that others take.")
    change: float = Field(0.0, ge=-2, le=10, description="Price of another target than last time.")
    late: float = Field(1.0, ge=0, le=10, description="Price of a predicted delay beyond the margin.")
    margin: float = Field(0.1, ge=0, le=0.9, description="Share of the deadline that must be left by the prediction.")
    noise: float = Field(0.1, ge=0, le=2, description="Spread of a coin on the cost of the servers, against herding.")


def _composite(task: TaskOffloadingTask, view: View, p: CompositeParameters, __: Mask) -> Floats:
    remote = task.plant.option_target > 0
    coin = 2.0 * arbitrary(view.observation, task.n_options) - 1.0
    delay = view["delay"]
    cost = delay + p.energy * view["energy"] + p.load * view["server_wait"] / np.float32(TIME_SCALE_S)
    cost = cost + p.sharing * view["sharing"] + p.background * view["background"] + p.change * (1.0 - view["last"])
    cost = cost + np.where(delay > 1.0 - p.margin, p.late + delay, 0.0)
    return cost + np.where(remote, p.noise * coin, 0.0)


# ---------------------------------------------------------------------------------------------- forecast


class RemainingParameters(MarginParameters):
    """Parameters of `before_set`."""

    reserve_s: float = Field(2.0, ge=0, le=60, description="Time that must be left before the satellite sets.")


def _before_set(task: TaskOffloadingTask, view: View, p: RemainingParameters, restarted: Mask) -> Floats:
    to_leo = task.plant.option_node == (task.scenario.nodes.index("leo") if "leo" in task.scenario.nodes else -9)
    upload_s = view["own_wait"] + view["transmission"] + p.reserve_s
    too_late = to_leo & (60.0 * view["remaining"] < np.minimum(upload_s, 59.0))
    return _min_cost(task, view, p, restarted) + np.where(too_late, 100.0, 0.0)


_MARGINS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4)
_NOISES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)

HEURISTICS: Mapping[str, HeuristicSpec] = {
    **specify("local", _local, "single", "Everything stays on the device.", "common baseline", naive=True),
    **specify(
        "nearest", _nearest, "single", "Everything goes to the nearest server in reach.", "common baseline", naive=True
    ),
    **specify("haps_only", _only("haps"), "single", "Everything goes to the platform.", "common baseline", naive=True),
    **specify(
        "leo_only",
        _only("leo"),
        "single",
        "Everything goes to the satellite in service.",
        "common baseline",
        naive=True,
    ),
    **specify(
        "min_delay",
        _min_delay,
        "single",
        "The shortest delay by what was last broadcast.",
        "greedy baseline of Huang et al., IEEE Trans. Mobile Computing 19(11), 2020, and many others",
        splits=True,
    ),
    **specify(
        "min_energy",
        _min_energy,
        "single",
        "The least energy of the device among what is expected in time, with a margin.",
        "common baseline",
        SafeParameters,
        {"margin": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)},
    ),
    **specify(
        "join_shortest",
        _join_shortest,
        "single",
        "The shortest expected queue, blurred by a personal coin so that devices do not herd.",
        "join the shortest queue with stale information: Mitzenmacher, IEEE Trans. Parallel Distrib. Syst. 11(1), 2000",
        NoiseParameters,
        {"noise": _NOISES},
        splits=True,
    ),
    **specify(
        "min_cost",
        _min_cost,
        "composite",
        "The least expected cost (delay, energy, price of a drop), with a margin and a coin.",
        "greedy on the objective",
        MarginParameters,
        {"margin": _MARGINS, "noise": _NOISES},
        splits=True,
    ),
    **specify(
        "drift_plus_penalty",
        _drift,
        "composite",
        "Lyapunov drift plus penalty: V times the expected cost, plus backlog times the work that is added to it.",
        "Neely, Stochastic Network Optimization, 2010, section 4.2; Mao et al., IEEE Trans. Wireless Comm. 16(9), 2017",
        DriftParameters,
        {"v": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)},
    ),
    **specify(
        "composite",
        _composite,
        "composite",
        "A weighted sum of predicted delay, energy, loads and change.",
        "own",
        CompositeParameters,
        {
            "energy": (0.0, 0.1, 0.2, 0.3, 0.5, 1.0),
            "load": (-0.5, 0.0, 0.2, 0.5, 1.0, 2.0),
            "sharing": (-0.5, 0.0, 0.2, 0.5, 1.0),
            "background": (0.0, 0.1, 0.3, 1.0),
            "change": (-0.1, 0.0, 0.05, 0.1),
            "late": (0.3, 1.0, 2.0),
            "margin": _MARGINS,
            "noise": (0.0, 0.02, 0.05, 0.1, 0.2),
        },
        splits=True,
    ),
    **specify(
        "before_set",
        _before_set,
        "forecast",
        "As min_cost, but nothing is sent to a satellite that will set before the upload is through.",
        "own",
        RemainingParameters,
        {"margin": _MARGINS, "noise": _NOISES, "reserve_s": (0.0, 1.0, 2.0, 5.0)},
        splits=True,
    ),
}
