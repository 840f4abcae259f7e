"""From the raw trace to what a step reads: linear ratios, server speeds, and what devices have measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.task_offloading.layout import TIME_SCALE_S, template
from ntn_gym.envs.task_offloading.scenario import Scenario

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class Memory:
    """What a chunk leaves to the next one: steps so far [B], the last measured density, visibility and load."""

    step: NDArray[np.intp]
    measured: FloatArray
    background: FloatArray


@dataclass(frozen=True)
class Plant:
    """Constants of a scenario as arrays.

    Attributes:
        bandwidth_hz: Uplink bandwidth of each node, [A].
        noise_share: 1 over the isolation from other cells, [A].
        gap_per_nat: Factor on ln(1 + SINR): that on log2(1 + SINR) over ln 2, [A].
        cap: Highest spectral efficiency, [A].
        result_rate_bit_s: Downlink rate of results, [A].
        first_resource: First server of each node, [A]; low orbit has two, which its passes use in turn.
        resource_node: Node of each server, [R].
        resource_rate: Speed of each server without others: cycles/s, or bit/s of the feeder, [R].
        resource_energy: Energy per unit of work in J, [R] (the feeder's is not counted).
        feeder: Server that stands for the cloud's feeder, -1 without a cloud.
        target_node: Node that each target is reached by, -1 for the device, [targets].
        target_result_s_bit: Seconds that a result takes per bit of the task, [targets].
        target_after_s_cycle: Seconds per cycle that follow the queue (the cloud computes at once), [targets].
        option_target: Target of each option of a discrete action, [K].
        option_ratio: Share that it offloads, [K].
        option_node: Node that it transmits to, -1 on the device, [K].
    """

    bandwidth_hz: FloatArray
    noise_share: FloatArray
    gap_per_nat: FloatArray
    cap: FloatArray
    result_rate_bit_s: FloatArray
    first_resource: NDArray[np.intp]
    resource_node: NDArray[np.intp]
    resource_rate: FloatArray
    resource_energy: FloatArray
    feeder: int
    target_node: NDArray[np.intp]
    target_result_s_bit: FloatArray
    target_after_s_cycle: FloatArray
    option_target: NDArray[np.intp]
    option_ratio: FloatArray
    option_node: NDArray[np.intp]


def plant(scenario: Scenario) -> Plant:
    """Lay out nodes, servers and options of a scenario."""
    names = scenario.nodes
    uplinks = [scenario.node(name).uplink for name in names]
    servers = [scenario.node(name).server for name in names]
    first: list[int] = []
    node: list[int] = []
    rate: list[float] = []
    energy: list[float] = []
    for i, (name, server) in enumerate(zip(names, servers, strict=True)):
        first.append(len(node))
        for _ in range(2 if name == "leo" else 1):
            node.append(i)
            rate.append(server.cpu_hz)
            energy.append(server.capacitance * server.cpu_hz**2)
    feeder = -1
    if scenario.cloud is not None:
        feeder = len(node)
        node.append(names.index(scenario.cloud.behind))
        rate.append(scenario.cloud.feeder_rate_bit_s * (1.0 - scenario.cloud.feeder_busy_share))
        energy.append(0.0)
    targets, ratios = [0], [0.0]
    for target in range(1, len(scenario.targets)):
        for ratio in scenario.ratios if scenario.action == "discrete" else (1.0,):
            targets.append(target)
            ratios.append(ratio)
    of_target = np.array([-1, *range(len(names)), *([node[feeder]] if feeder >= 0 else [])])
    result_rate = np.array([uplink.result_rate_bit_s for uplink in uplinks])
    after = np.zeros(len(of_target))
    if scenario.cloud is not None:
        after[-1] = 1.0 / scenario.cloud.cpu_hz
    return Plant(
        bandwidth_hz=np.array([uplink.bandwidth_hz for uplink in uplinks]),
        noise_share=10.0 ** (-np.array([uplink.isolation_db for uplink in uplinks]) / 10.0),
        gap_per_nat=np.array([uplink.efficiency_gap for uplink in uplinks]) / math.log(2.0),
        cap=np.array([uplink.efficiency_cap_bit_s_hz for uplink in uplinks]),
        result_rate_bit_s=result_rate,
        first_resource=np.array(first),
        resource_node=np.array(node),
        resource_rate=np.array(rate),
        resource_energy=np.array(energy),
        feeder=feeder,
        target_node=of_target,
        target_result_s_bit=np.where(of_target < 0, 0.0, scenario.tasks.result_share / result_rate[of_target]),
        target_after_s_cycle=after,
        option_target=np.array(targets),
        option_ratio=np.array(ratios),
        option_node=of_target[np.array(targets)],
    )


def uplink_rate_bit_s(density_hz: FloatArray, sharing: FloatArray, layout: Plant) -> FloatArray:
    """Return the rate of a device that has an equal share of a node's band and puts all its power into it.

    R = B/n min(gap log2(1 + SINR), cap), 1/SINR = (B/n)/(C/N0) + 1/isolation. Source: attenuated Shannon, 3GPP TR
    36.942 annex A.2.

    Args:
        density_hz: Carrier over noise density as a ratio in Hz, [..., A].
        sharing: Devices that share the band, at least 1, [..., A].
        layout: Constants.
    """
    share_hz = layout.bandwidth_hz / sharing
    sinr = 1.0 / (share_hz / density_hz + layout.noise_share)
    efficiency = np.minimum(layout.gap_per_nat * np.log1p(sinr), layout.cap)
    rate: FloatArray = share_hz * efficiency
    return rate


class Packer:
    """Packs raw traces of one scenario."""

    def __init__(self, scenario: Scenario, layout: Plant) -> None:
        """Keep the constants."""
        self._scenario = scenario
        self._layout = layout
        self._leo = scenario.nodes.index("leo") if "leo" in scenario.nodes else -1
        # Targets that are a server; the device comes first, the cloud, if there is one, last.
        self._servers = slice(1, 1 + len(scenario.nodes))

    def compile(self, carry: Memory | None, raw: Arrays) -> tuple[Memory, Arrays]:
        """Return the arrays that a step and an observation read; causal."""
        layout = self._layout
        n_worlds, n_steps = raw["background"].shape[:2]
        before = np.zeros(n_worlds, dtype=np.intp) if carry is None else carry.step
        density = 10.0 ** (raw["cn0_dbhz"].astype(np.float64) / 10.0)
        reported = 10.0 ** ((raw["cn0_dbhz"] + raw["error_db"]).astype(np.float64) / 10.0)
        # A report is one slot old. In the first slot of an episode it is that of this slot: the link was just set up.
        measured = _lagged(reported, reported[:, 0] if carry is None else carry.measured)
        background = raw["background"]
        known = _lagged(background, background[:, 0] if carry is None else carry.background)
        time_s = (before[:, None] + np.arange(n_steps)) * self._scenario.dt_s
        bit = raw["task_bit"]
        here = bit > 0.0
        # A task of no cycles at all takes one.
        cycles = np.where(here, np.maximum(raw["task_cycles"], 1.0), 0.0)
        now: Arrays = {
            "time_s": time_s,
            "task": np.stack([bit, cycles, raw["task_deadline_s"]], axis=2),
            "due_s": np.where(here, time_s[..., None] + raw["task_deadline_s"], 0.0),
            "cpu_hz": raw["cpu_hz"],
            "density_hz": density,
            "measured_hz": measured,
            "server_rate": self._free(background),
            "known_rate": self._free(known),
            **self._targets(raw),
        }
        now["usable"] = now["open"][..., layout.option_target]
        now.update(self._options(raw, now, known))
        return Memory(before + n_steps, reported[:, -1].copy(), background[:, -1].copy()), now

    def _free(self, background: FloatArray) -> FloatArray:
        """What servers do for the devices, per second, [B, n, R]."""
        layout = self._layout
        free = 1.0 - background[..., layout.resource_node]
        if layout.feeder >= 0:
            # How busy the feeder is stands in its rate already.
            free[..., layout.feeder] = 1.0
        return free * layout.resource_rate

    def _targets(self, raw: Arrays) -> Arrays:
        """By target: can it be reached, by which server, delay on the way there and back; [B, n, targets]."""
        layout, cloud = self._layout, self._scenario.cloud
        shape = (*raw["visible"].shape[:2], len(layout.target_node))
        reached = np.ones(shape, dtype=np.bool_)
        resource = np.zeros(shape, dtype=np.intp)
        way_s = np.zeros(shape)
        reached[..., 1:] = raw["visible"][..., layout.target_node[1:]]
        way_s[..., 1:] = raw["delay_s"][..., layout.target_node[1:]]
        resource[..., self._servers] = layout.first_resource
        if self._leo >= 0:
            # Two servers stand for low orbit; a successor takes the other one and begins empty.
            resource[..., self._leo + 1] += np.maximum(raw["pass_number"], 0) % 2
        return_s = way_s.copy()
        if cloud is not None:
            resource[..., -1] = layout.feeder
            return_s[..., -1] += 2.0 * (way_s[..., -1] + cloud.network_delay_s)
        return {"open": reached, "resource": resource, "way_s": way_s, "return_s": return_s}

    def _options(self, raw: Arrays, now: Arrays, known: FloatArray) -> Arrays:
        """What devices can predict of an option before anybody decides, in float64 and as part of the observation."""
        layout, scenario = self._layout, self._scenario
        target, ratio = layout.option_target, layout.option_ratio
        bit, cycles, deadline_s = (now["task"][:, :, i, :, None] for i in range(3))
        option_resource = now["resource"][..., target]
        remote = target > 0
        server_rate = np.take_along_axis(now["known_rate"], option_resource, axis=-1)[:, :, None]
        is_cloud = option_resource[:, :, None] == layout.feeder
        frequency = now["cpu_hz"][..., None]
        # The device's own option computes all of the task; a split one leaves a part of it there.
        local_s = (1.0 - ratio) * cycles / frequency
        computing_s = np.where(remote, ratio * np.where(is_cloud, bit, cycles) / server_rate, cycles / frequency)
        after_s = now["return_s"][..., target][:, :, None] + ratio * (
            bit * layout.target_result_s_bit[target] + cycles * layout.target_after_s_cycle[target]
        )
        fixed_s = computing_s + np.where(remote, after_s, 0.0)
        remaining = np.ones((*raw["visible"].shape[:2], len(layout.target_node)))
        if self._leo >= 0:
            to_leo = layout.target_node == self._leo
            remaining[..., to_leo] = np.minimum(raw["remaining_s"] / 60.0, 1.0)[..., None]
        node = np.maximum(layout.option_node, 0)
        known_share = np.where(remote, known[..., node], 0.0)
        device = scenario.devices
        static: Arrays = {
            "usable": now["usable"][:, :, None],
            "ratio": ratio,
            "computing": computing_s / TIME_SCALE_S,
            "energy": device.capacitance * frequency * frequency * (1.0 - ratio) * cycles,
            "background": known_share[:, :, None],
            "remaining": remaining[..., target][:, :, None],
        }
        known_of_device: Arrays = {
            "has_task": bit[..., 0] > 0.0,
            "size": bit[..., 0] / scenario.tasks.size_max_bit,
            "cycles": cycles[..., 0] / scenario.tasks.cycles_max,
            "deadline": deadline_s[..., 0] / scenario.tasks.deadline_max_s,
        }
        per_deadline = np.where(bit > 0.0, 1.0 / np.maximum(deadline_s, 1e-3), 0.0)
        return {
            "option_resource": option_resource,
            "option_way_s": now["way_s"][..., target],
            "local_s": local_s,
            "fixed_s": fixed_s,
            "per_deadline": per_deadline,
            "template": template(static, known_of_device, (*fixed_s.shape[:3], len(target))),
        }


def _lagged(values: FloatArray, first: FloatArray) -> FloatArray:
    return np.concatenate([first[:, None], values[:, :-1]], axis=1)
