"""What a transmitter knows: the layout of the observation, its scaling, and how to read it back.

Users are summed up per beam in groups, from the edge of the beam (low SINR while everybody transmits) to its centre.
Beside its own users a beam knows how much each other transmitter disturbs them, and, in three sums, how its neighbours
do. Heuristics decode the same vector that a network sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Now

if TYPE_CHECKING:
    from ntn_gym.envs.resource_allocation.state import State
    from ntn_gym.envs.resource_allocation.task import ResourceAllocationTask

FloatArray = NDArray[Any]

GROUP_EDGES = (0.8, 1.5, 2.5)
"""Spectral efficiencies with all transmitters at full power that part the groups, edge to centre, in bit/s/Hz."""
GROUPS = len(GROUP_EDGES) + 1
HIGHEST_COUPLING = 16.0
SNR_SCALE_DB = 30.0
LOG_GAIN = 4.0
LOG_HIGH = 8.0
MESSAGE_HIGH = 40.0
SPEND_HIGH_KW = 4.0

OWN = ("relay", "laser", "power", "efficiency", "expiring", "waiting")
GROUP = ("expiring_bit", "waiting_bit", "expiring_value", "waiting_value", "snr")
MESSAGES = ("expiring", "waiting", "power")
CONTEXT = (
    "price",
    "remaining",
    "battery",
    "dead",
    "spend",
    "solar",
    "propulsion",
    "hour_sin",
    "hour_cos",
    "profile",
    "cloud",
    "feeder_loss",
)
"""Numbers that all transmitters share; battery, dead and spend depend on decisions, the others are in the trace."""
_BATTERY, _SPEND = CONTEXT.index("battery"), CONTEXT.index("spend")

N_MESSAGES = 3 * len(MESSAGES) + 2
_AT_MESSAGES = len(OWN) + GROUPS * len(GROUP)
_AT_CONTEXT = _AT_MESSAGES + N_MESSAGES
FIXED = _AT_CONTEXT + len(CONTEXT)
_TINY = np.float32(1e-9)
_LOG_GAIN, _LOG_HIGH, _MESSAGE_HIGH = (np.float32(value) for value in (LOG_GAIN, LOG_HIGH, MESSAGE_HIGH))


def observation_size(n_radios: int) -> int:
    """Length of the observation of one agent."""
    return FIXED + GROUPS * n_radios


def bounds(n_radios: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lowest and highest value of every entry of the observation."""
    group_high = [LOG_HIGH, LOG_HIGH, 10.0, 10.0, 3.0]
    low = [0.0] * len(OWN) + ([0.0] * 4 + [-3.0]) * GROUPS + [0.0] * N_MESSAGES
    high = [1.0, 1.0, 1.0, 10.0, LOG_HIGH, LOG_HIGH] + group_high * GROUPS + [MESSAGE_HIGH] * N_MESSAGES
    low += [0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -1.0, -1.0, -1.0, 0.0, 0.0]
    high += [4.0, 1.0, 1.0, 1.0, SPEND_HIGH_KW, 4.0, 4.0, 1.0, 1.0, 2.0, 1.0, 2.0]
    low += [0.0] * (GROUPS * n_radios)
    high += [4.0] * (GROUPS * n_radios)
    return np.array(low, dtype=np.float32), np.array(high, dtype=np.float32)


class Observer:
    """Builds the observations of one task."""

    def __init__(self, task: ResourceAllocationTask) -> None:
        """Prepare constants."""
        self._task = task
        constants = task.constants
        self._n_radios = constants.n_radios
        self._one_hot = np.eye(self._n_radios * GROUPS, dtype=np.float32)
        self._per_hz = 1.0 / task.mbit_per_bit_s_hz
        self._value = task.value.astype(np.float32)
        self._per_w = (1.0 / constants.highest_w).astype(np.float32)
        kind = np.zeros((constants.n_agents, 2), dtype=np.float32)
        kind[constants.n_beams : self._n_radios, 0] = 1.0
        kind[self._n_radios :, 1] = 1.0
        self._blank = np.zeros((1, constants.n_agents, observation_size(self._n_radios)), dtype=np.float32)
        self._blank[..., :2] = kind

    def observe(self, state: State, now: Now) -> NDArray[np.float32]:
        """Return the observations, [B, A, obs]; see the page for the entries."""
        task, radios = self._task, self._n_radios
        cumulative, static, group = now["cumulative"], now["static"], now["group"]
        n_worlds, n_users = group.shape
        # Planes over users: bits (due, waiting), their values, the band they need, its sum, and weighted by that sum
        # the gain and the couplings. A product with the one-hot groups sums each plane up.
        planes = np.empty((n_worlds, 8 + radios, n_users), dtype=np.float32)
        waiting = cumulative - state.departed_mbit[:, None]
        due = np.maximum(waiting[:, 1], 0.0, out=waiting[:, 1])
        np.multiply(due, self._per_hz, out=planes[:, 0], casting="same_kind")
        np.subtract(waiting[:, 0], due, out=due)
        np.multiply(due, self._per_hz, out=planes[:, 1], casting="same_kind")
        np.multiply(planes[:, :2], self._value, out=planes[:, 2:4])
        np.multiply(planes[:, :2], static[:, :1], out=planes[:, 4:6])
        np.add(planes[:, 4], planes[:, 5], out=planes[:, 6])
        np.multiply(static[:, 1:], planes[:, 6:7], out=planes[:, 7:])
        sums = np.matmul(planes, self._one_hot.take(group, axis=0))
        sums = sums.reshape(n_worlds, 8 + radios, radios, GROUPS)
        total = np.add.reduce(sums, axis=3)
        means = sums[:, 7:] / np.maximum(sums[:, 6:7], _TINY)

        result = self._blank.repeat(n_worlds, axis=0)
        power = state.power_w * self._per_w
        result[..., 2] = power
        beams = result[:, :radios]
        own = np.empty((n_worlds, 4, radios), dtype=np.float32)  # due, waiting, power, one
        np.log1p(total[:, 4:6] * _LOG_GAIN, out=own[:, :2])
        np.minimum(own[:, :2], _LOG_HIGH, out=own[:, :2])
        own[:, 2] = power[:, :radios]
        own[:, 3] = 1.0
        weight = np.maximum(total[:, 6], _TINY)
        np.divide(total[:, 0] + total[:, 1], weight, out=beams[..., 3])
        beams[..., 4:6] = own[:, :2].swapaxes(1, 2)

        group_planes = np.empty((n_worlds, len(GROUP), radios, GROUPS), dtype=np.float32)
        np.log1p(sums[:, :2] * _LOG_GAIN, out=group_planes[:, :2])
        np.minimum(group_planes[:, :2], _LOG_HIGH, out=group_planes[:, :2])
        np.divide(sums[:, 2:4], np.maximum(sums[:, :2], _TINY), out=group_planes[:, 2:4])
        group_planes[:, 4] = means[:, 0]
        beams[..., len(OWN) : _AT_MESSAGES] = group_planes.transpose(0, 2, 3, 1).reshape(n_worlds, radios, -1)

        # coupling[b, j, k]: how much j disturbs the users of k, over all of its groups.
        coupling = np.sqrt(total[:, 8:] / weight[:, None])
        own *= np.float32(0.5)
        messages = np.empty((n_worlds, radios, N_MESSAGES), dtype=np.float32)
        messages[..., :3] = (np.add.reduce(own[:, :3], axis=2) * np.float32(2.0 / radios))[:, None]
        messages[..., 3:7] = np.matmul(own, coupling).swapaxes(1, 2)
        messages[..., 7:] = np.matmul(coupling, own.swapaxes(1, 2))
        np.minimum(messages, _MESSAGE_HIGH, out=beams[..., _AT_MESSAGES:_AT_CONTEXT])

        context = result[..., _AT_CONTEXT:FIXED]
        context[:] = now["context"][:, None]
        if task.battery is not None:
            context[..., _BATTERY] = (2.0 * state.energy_j / task.battery.capacity_j - 1.0)[:, None]
            context[..., _BATTERY + 1] = state.dead[:, None]
            context[..., _SPEND] = task.planner.spend_kw(state.energy_j, now)[:, None]
        beams[..., FIXED:] = np.sqrt(means[:, 1:]).transpose(0, 2, 3, 1).reshape(n_worlds, radios, -1)
        return result


@dataclass(frozen=True)
class View:
    """An observation [B, A, obs] read back in engineering units.

    Radios are R beams and relays, groups the G parts of their users from edge to centre.
    """

    observation: NDArray[np.float32]

    @property
    def n_radios(self) -> int:
        """Number of radios R."""
        return (self.observation.shape[-1] - FIXED) // GROUPS

    def own(self, name: str) -> FloatArray:
        """Scaled entry of a radio, [B, R]."""
        return self.observation[:, : self.n_radios, OWN.index(name)]

    def context(self, name: str) -> FloatArray:
        """Scaled entry that all share, [B]."""
        at = FIXED - len(CONTEXT) + CONTEXT.index(name)
        return self.observation[:, 0, at]

    def group(self, name: str) -> FloatArray:
        """Scaled entry of the groups, [B, R, G]."""
        part = self.observation[:, : self.n_radios, len(OWN) : len(OWN) + GROUPS * len(GROUP)]
        return part.reshape(*part.shape[:2], GROUPS, len(GROUP))[..., GROUP.index(name)]

    @property
    def expiring_bit_hz(self) -> FloatArray:
        """Bits per hertz of the band and second of the step that must be served now, [B, R, G]."""
        return np.expm1(self.group("expiring_bit").astype(np.float64)) / LOG_GAIN

    @property
    def waiting_bit_hz(self) -> FloatArray:
        """The same for bits that may wait, [B, R, G]."""
        return np.expm1(self.group("waiting_bit").astype(np.float64)) / LOG_GAIN

    @property
    def gain_per_w(self) -> FloatArray:
        """Gain over noise for 1 W, log-mean over the users weighted by need, [B, R, G]."""
        result: FloatArray = 10.0 ** (self.group("snr").astype(np.float64) * (SNR_SCALE_DB / 10.0))
        return result

    @property
    def coupling(self) -> FloatArray:
        """Gain of transmitter j over the own one at the users of a group, [B, R, G, R], 0 for the own one."""
        part = self.observation[:, : self.n_radios, FIXED:].astype(np.float64)
        result: FloatArray = np.square(part).reshape(*part.shape[:2], GROUPS, self.n_radios)
        return result

    @property
    def price(self) -> FloatArray:
        """Price of the reference supply power, [B]."""
        return self.context("price").astype(np.float64) * 3.0

    @property
    def battery_share(self) -> FloatArray:
        """Energy over capacity, [B]; 0.5 without a battery."""
        return 0.5 * (self.context("battery").astype(np.float64) + 1.0)
