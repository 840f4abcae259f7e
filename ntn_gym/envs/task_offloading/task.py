"""The decision problem: where does each task run?"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.slots import SlotLayout
from ntn_gym.core.task import Arrays, KpiSpec, Now, Outcome, TermSpec
from ntn_gym.envs.task_offloading.layout import DEVICE_SIZE, OPTION, OPTION_SIZE
from ntn_gym.envs.task_offloading.observation import Observer
from ntn_gym.envs.task_offloading.packing import Memory, Packer, plant
from ntn_gym.envs.task_offloading.scenario import Scenario
from ntn_gym.envs.task_offloading.state import State, nothing
from ntn_gym.envs.task_offloading.step import ENDED, Choice, SlotMachine
from ntn_gym.envs.task_offloading.world import OffloadingWorld

_NUMBERS = (*ENDED, "device_energy_j", "age_s", "server_use", "offloaded", "arrived", "illegal", "tasks")
"""What a step counts for each device, in the order of `TaskOffloadingTask.step`."""
_TERM_NUMBERS = {
    "delay": "cost",
    "drop": "dropped",
    "device_energy": "device_energy_j",
    "server_energy": "server_energy_j",
}
_KPI_NUMBERS = {name: name for name in _NUMBERS} | {"delay_p95_s": "delay_s", "illegal_actions": "illegal"}


class TaskOffloadingTask:
    """Decide where each task runs: device, base station, platform, satellite or cloud.

    ## Description

    Devices get tasks in bursts: so many bits, so many cycles, a deadline. At the beginning of a slot each device with a new
    task chooses where it shall run: on its own slow processor, at a server on the ground, on a platform in the
    stratosphere, in the satellite in service, or in a cloud behind one of them. What is offloaded is transmitted first,
    waits at the server until others have been served, is computed, and its result comes back.

    All devices decide at once, on what was broadcast at the end of the last slot. A server that looks idle to one looks idle
    to all: whoever takes the shortest expected delay herds with the others, on the band as well as at the server. Satellites
    set, lines of sight come and go, and other customers take a share of each server that jumps. Nobody knows the tasks that
    will come.

    ## Action Space

    `Discrete(K)` (`action: discrete`): the options are the device, then every server and the cloud, nearest first, each with
    every share in `ratios` (only 1 by default, so that an option is a target). Several devices in one central face:
    `MultiDiscrete`.

    | action | meaning |
    |---|---|
    | k | option k for the new task: 0 keeps it on the device, any other sends a share of it to a server |

    With `action: box` it is a `Box` in [-1, 1] of one number per server (the highest of those in reach is chosen) and a last
    one for the offloaded share, (1 + x)/2 to a whole percent.

    Without a new task only action 0 is legal, and a server out of reach never is. An illegal action leaves the task on the
    device, and `illegal_actions` counts it. No action of a `Box` is illegal.

    ## Observation Space

    `Box` of 12 K + 6 numbers per device: 12 per option (with `action: box`: per target), option after option, then 6 of the
    device and its task. Predictions are for the new task of the device, with the channel as measured in the last slot and
    the loads as broadcast at its end.

    | index | meaning | unit | min | max |
    |---|---|---|---|---|
    | 12k | the target of option k can be reached | 0/1 | 0 | 1 |
    | 12k + 1 | the device's last task went there | 0/1 | 0 | 1 |
    | 12k + 2 | share of the task that is offloaded | share | 0 | 1 |
    | 12k + 3 | time that the device's own queue before it takes (processor or uplink) | 4 s | 0 | 2 |
    | 12k + 4 | predicted transmission time | 4 s | 0 | 2 |
    | 12k + 5 | work that waits at the server, as time | 4 s | 0 | 2 |
    | 12k + 6 | predicted time of computing | 4 s | 0 | 2 |
    | 12k + 7 | predicted delay over deadline, if nothing else comes | 1 | 0 | 3 |
    | 12k + 8 | predicted energy of the device | 1 J | 0 | 3 |
    | 12k + 9 | share of the server that other customers take | share | 0 | 1 |
    | 12k + 10 | devices that transmitted to the node in the last slot, over all | share | 0 | 1 |
    | 12k + 11 | predicted time until the satellite sets; 1 for what does not move | 60 s | 0 | 1 |
    | 12K | a new task waits for a decision | 0/1 | 0 | 1 |
    | 12K + 1 | its size | largest | 0 | 3 |
    | 12K + 2 | its cycles | largest | 0 | 3 |
    | 12K + 3 | its deadline | longest | 0 | 1 |
    | 12K + 4 | tasks of the device on their way | 8 | 0 | 1 |
    | 12K + 5 | age of information: time since the newest task with a result arrived | 10 s | 0 | 1 |

    ## Rewards

    Per device and slot: `-delay - 2 drop - (0.3 /J) device_energy - (0.01 /J) server_energy`, averaged over devices in the
    central face. `delay` is delay over deadline, charged when the result comes, so at most 1 per task; a drop costs more
    than the worst completion, whatever becomes of the energy, so that dropping never pays. The sum is over all tasks that
    arrive: none is left when an episode ends.

    ## Starting State

    Nothing is on its way. Places, passes, bursts and loads start in their stationary distribution.

    ## Episode End

    Never terminated; truncated after `steps` slots (120 by default). No task arrives so late that its deadline lies beyond.

    ## Arguments

    | argument | meaning |
    |---|---|
    | preset | name of a preset, `bursty` by default; `ntn-gym list` shows all |
    | scenario | mapping of values that replace those of the preset, e.g. `{"devices": {"count": 4}}` |
    | n_worlds | draw episodes from so many training worlds instead of an endless stream |
    | trace | a saved or own trace to replay |
    | vector_reward | reward is the vector of reward terms |

    ## Physics and References

    Every queue is work-conserving, first come first served, and exact to the instant inside a slot: the processor of each
    device, its transmitters (one per band) and the servers, where work arrives at any time (Lindley's recursion). Computing
    takes C/f and kappa f^2 C joules (Mao et al., IEEE Communications Surveys & Tutorials 19(4), 2017, section II). Devices
    that transmit to one node share its band equally and put all their power into their share; rates are those of TR 36.942
    annex A.2. Links to the platform and to satellites follow TR 38.811 clause 6.6 with a random skyline around each device as
    memory of blockage, those to a base station TR 38.901, those to a UAV Al-Hourani et al. (2014). Satellites move on
    Walker orbits or by SGP4 from real elements; one serves from rise to set, and what it has received when it sets is
    computed there while its successor begins empty. Arrivals are two-state bursts (exponential), one task per device and
    slot at most; other customers are two-state as well. The cloud computes at once, its feeder link queues.

    Approximations: rates and loads are constant within a slot; fading within a slot is averaged out by the modem; results are
    short and do not queue on their way back; a task that expires leaves all queues at the end of that slot; a task without
    cycles takes one.

    ## Heuristics

    local, nearest, platform only, satellite only, shortest delay, least energy, join the shortest queue with a coin, least
    expected cost, Lyapunov drift plus penalty, the weighted sum `composite`, and `before_set`, which knows when satellites
    set; `ntn_gym.envs.task_offloading.heuristics` has definitions and sources. Bound: a time-indexed linear program with
    perfect foresight, see `ntn_gym.envs.task_offloading.bound`.

    ## Version History

    - v0: first version.
    """

    agent_name = "device"

    def __init__(self, scenario: Scenario) -> None:
        """Prepare a scenario; worlds are drawn by `make_world`."""
        self.scenario = scenario
        self.n_agents = scenario.devices.count
        self.episode_steps = scenario.steps
        self.dt_s = scenario.dt_s
        self.plant = plant(scenario)
        self.n_options = len(self.plant.option_target)
        self.n_servers = len(scenario.targets) - 1
        self.page_symbols = {"K": self.n_options}
        self._observer = Observer(scenario, self.plant)
        self.agent_observation_space = spaces.Box(self._observer.low, self._observer.high, dtype=np.float32)
        self.agent_action_space: spaces.Space[Any]
        if scenario.action == "discrete":
            self.agent_action_space = spaces.Discrete(self.n_options)
            self.slot_layout = SlotLayout(self.n_options, OPTION_SIZE, DEVICE_SIZE, OPTION["usable"], OPTION["last"])
        else:
            self.agent_action_space = spaces.Box(-1.0, 1.0, (self.n_servers + 1,), dtype=np.float32)
        prices = scenario.reward
        self.reward_terms = (
            TermSpec("delay", "deadlines", -1.0, "delay over deadline of tasks that were completed in time"),
            TermSpec("drop", "count", -prices.drop_cost, "tasks that expired"),
            TermSpec("device_energy", "J", -prices.device_energy_per_j, "computing and transmitting on the device"),
            TermSpec("server_energy", "J", -prices.server_energy_per_j, "computing on the nodes"),
        )
        self.kpis = (
            KpiSpec("tasks", "count", "sum", "neither", "tasks that ended, completed or dropped"),
            KpiSpec("dropped", "share", "mean", "lower", "share of tasks that expired", per="tasks"),
            KpiSpec("completed", "count", "sum", "higher", "tasks completed in time"),
            KpiSpec("delay_s", "s", "mean", "lower", "delay of completed tasks", per="completed"),
            KpiSpec("delay_p95_s", "s", "p95", "lower", "95th percentile of that delay", per="completed"),
            KpiSpec("device_energy_j", "J", "mean", "lower", "energy of the device per task", per="tasks"),
            KpiSpec("server_energy_j", "J", "mean", "lower", "energy of the nodes per task", per="tasks"),
            KpiSpec("age_s", "s", "mean", "lower", "age of information: since the newest task with a result arrived"),
            KpiSpec("server_use", "share", "mean", "neither", "share of the servers' time in use, mean over servers"),
            KpiSpec(
                "offloaded", "share", "mean", "neither", "share of the slot's new task that is offloaded", per="arrived"
            ),
            KpiSpec("arrived", "count", "sum", "neither", "new tasks"),
            KpiSpec("illegal_actions", "1/min", "per_minute", "lower", "choices that were not legal"),
        )
        names = [_TERM_NUMBERS[term.name] for term in self.reward_terms] + [_KPI_NUMBERS[k.name] for k in self.kpis]
        self._reported = np.array([_NUMBERS.index(name) for name in names])
        self._packer = Packer(scenario, self.plant)
        self._machine = SlotMachine(scenario, self.plant)
        self._kept = scenario.tail_steps + 1
        self._first_option = np.array(
            [int(np.argmax(self.plant.option_target == t)) for t in range(self.n_servers + 1)]
        )

    # ------------------------------------------------------------------ world

    def make_world(self) -> OffloadingWorld:
        """Return the generator of traces for this scenario."""
        return OffloadingWorld(self.scenario)

    def compile(self, carry: Memory | None, raw: Arrays) -> tuple[Memory, Arrays]:
        """Pack a raw trace, see `packing`."""
        return self._packer.compile(carry, raw)

    # ------------------------------------------------------------------ decisions

    def initial(self, now: Now) -> State:
        """Nothing is on its way."""
        resources, nodes = len(self.plant.resource_node), len(self.scenario.nodes)
        return nothing(now["time_s"], self.n_agents, self._kept, resources, nodes)

    def step(self, state: State, action: NDArray[Any], now: Now) -> tuple[State, Outcome]:
        """Apply one choice per device and live through the slot."""
        choice, illegal = self._choice(action, now)
        after, slot = self._machine.step(state, choice, now)
        arrived = now["task"][:, 0] > 0.0
        numbers = np.empty((len(_NUMBERS), *arrived.shape))
        numbers[: len(ENDED)] = slot.ended
        numbers[6] = slot.device_energy_j
        np.subtract(now["time_s"][:, None] + self.dt_s, after.newest_s, out=numbers[7])
        numbers[8] = slot.busy.mean(axis=-1)[:, None]
        np.multiply(choice.ratio, arrived, out=numbers[9])
        numbers[10] = arrived
        numbers[11] = illegal
        np.add(numbers[0], numbers[1], out=numbers[12])
        both = numbers.transpose(1, 2, 0).take(self._reported, axis=-1)
        n_terms = len(self.reward_terms)
        return after, Outcome(both[..., :n_terms], both[..., n_terms:], np.zeros(len(both), dtype=np.bool_), both)

    def _choice(self, action: NDArray[Any], now: Now) -> tuple[Choice, NDArray[np.bool_]]:
        """Read actions; an illegal one leaves the task on the device."""
        usable = now["usable"]
        here = now["task"][:, 0] > 0.0
        if self.scenario.action == "discrete":
            legal = usable.take(action + np.arange(0, usable.size, self.n_options)[:, None]) & (here | (action == 0))
            option = action * legal
            ratio = self.plant.option_ratio[option]
        else:
            legal = np.ones(action.shape[:2], dtype=np.bool_)
            servers = usable[:, self._first_option[1:]]
            best = np.where(servers[:, None], action[..., :-1], -np.inf).argmax(axis=-1)
            # To a whole percent, so that 0 and 1 are exact; without a server in reach all stays on the device.
            ratio = np.round(50.0 * (1.0 + action[..., -1].astype(np.float64))) / 100.0
            ratio = np.where(servers.any(axis=-1)[:, None], ratio, 0.0)
            option = np.where(ratio > 0.0, self._first_option[1:][best], 0)
        target = self.plant.option_target[option]
        return Choice(target, ratio), ~legal

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """Return what the devices know, see `observation`."""
        return self._observer.observe(state, now)

    def action_mask(self, state: State, now: Now) -> NDArray[np.bool_] | None:
        """Targets in reach are legal for a device with a task; without one only the first action is."""
        if self.scenario.action == "box":
            return None
        here = (now["task"][:, 0] > 0.0)[..., None]
        mask: NDArray[np.bool_] = now["usable"][:, None] & (here | (np.arange(self.n_options) == 0))
        return mask
