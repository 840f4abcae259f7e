"""From the raw trace to what a step reads: linear ratios, server speeds, and what devices have measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays
from ntn_gym.envs.task_offloading.scenario import Cloud, Scenario

FloatArray = NDArray[Any]
_ALL = slice(None)
_PER_LN2 = 1.0 / math.log(2.0)


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
        gap: Factor on log2(1 + SINR), [A].
        cap: Highest spectral efficiency, [A].
        result_rate_bit_s: Downlink rate of results, [A].
        first_resource: First server of each node, [A]; low orbit has two, which its passes use in turn.
        resource_node: Node of each server, [R].
        resource_rate: Speed of each server without others: cycles/s, or bit/s of the feeder, [R].
        resource_energy: Energy per unit of work in J, [R] (the feeder's is not counted).
        feeder: Server that stands for the cloud's feeder, -1 without a cloud.
        option_target: Target of each option of a discrete action, [K].
        option_ratio: Share that it offloads, [K].
        option_node: Node that it transmits to, -1 on the device, [K].
    """

    bandwidth_hz: FloatArray
    noise_share: FloatArray
    gap: FloatArray
    cap: FloatArray
    result_rate_bit_s: FloatArray
    first_resource: NDArray[np.intp]
    resource_node: NDArray[np.intp]
    resource_rate: FloatArray
    resource_energy: FloatArray
    feeder: int
    option_target: NDArray[np.intp]
    option_ratio: FloatArray
    option_node: NDArray[np.intp]


def plant(scenario: Scenario) -> Plant:
    """Lay out nodes, servers and options of a scenario."""
    names = scenario.nodes
    uplinks = [scenario.node(name).uplink for name in names]
    servers = [scenario.node(name).server for name in names]
    first, node, rate, energy = [], [], [], []
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
    return Plant(
        bandwidth_hz=np.array([uplink.bandwidth_hz for uplink in uplinks]),
        noise_share=10.0 ** (-np.array([uplink.isolation_db for uplink in uplinks]) / 10.0),
        gap=np.array([uplink.efficiency_gap for uplink in uplinks]),
        cap=np.array([uplink.efficiency_cap_bit_s_hz for uplink in uplinks]),
        result_rate_bit_s=np.array([uplink.result_rate_bit_s for uplink in uplinks]),
        first_resource=np.array(first),
        resource_node=np.array(node),
        resource_rate=np.array(rate),
        resource_energy=np.array(energy),
        feeder=feeder,
        option_target=np.array(targets),
        option_ratio=np.array(ratios),
        option_node=of_target[np.array(targets)],
    )


def uplink_rate_bit_s(
    density_hz: FloatArray, sharing: FloatArray, layout: Plant, node: NDArray[np.intp] | slice = _ALL
) -> FloatArray:
    """Return the rate of a device that has an equal share of a node's band and puts all its power into it.

    R = B/n min(gap log2(1 + SINR), cap), 1/SINR = (B/n)/(C/N0) + 1/isolation. Source: attenuated Shannon, 3GPP TR
    36.942 annex A.2.

    Args:
        density_hz: Carrier over noise density as a ratio in Hz, [..., A].
        sharing: Devices that share the band, at least 1, [..., A].
        layout: Constants.
        node: Nodes that the last axis goes over, [A]; all by default.
    """
    share_hz = layout.bandwidth_hz[node] / sharing
    sinr = 1.0 / (share_hz / density_hz + layout.noise_share[node])
    efficiency = np.minimum(layout.gap[node] * (np.log1p(sinr) * _PER_LN2), layout.cap[node])
    rate: FloatArray = share_hz * efficiency
    return rate


class Packer:
    """Packs raw traces of one scenario."""

    def __init__(self, scenario: Scenario, layout: Plant) -> None:
        """Keep the constants."""
        self._dt_s = scenario.dt_s
        self._layout = layout
        self._cloud: Cloud | None = scenario.cloud
        self._leo = scenario.nodes.index("leo") if "leo" in scenario.nodes else -1

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
        free = 1.0 - background[..., layout.resource_node]
        known_free = 1.0 - known[..., layout.resource_node]
        if layout.feeder >= 0:
            # How busy the feeder is stands in its rate already.
            free[..., layout.feeder] = known_free[..., layout.feeder] = 1.0
        visible = raw["visible"]
        parity = np.zeros((n_worlds, n_steps, visible.shape[2]), dtype=np.intp)
        if self._leo >= 0:
            parity[..., self._leo] = np.maximum(raw["pass_number"], 0) % 2
        usable = np.concatenate([np.ones_like(visible[..., :1]), visible], axis=-1)[..., layout.option_node + 1]
        remaining = np.ones((n_worlds, n_steps, visible.shape[2] + 1))
        if self._leo >= 0:
            remaining[..., self._leo + 1] = np.minimum(raw["remaining_s"] / 60.0, 1.0)
        packed: Arrays = {
            "time_s": (before[:, None] + np.arange(n_steps)) * self._dt_s,
            "task": np.stack([raw["task_bit"], raw["task_cycles"], raw["task_deadline_s"]], axis=2),
            "cpu_hz": raw["cpu_hz"],
            "density_hz": density,
            "measured_hz": measured,
            "server_rate": free * layout.resource_rate,
            "known_rate": known_free * layout.resource_rate,
            "known_background": known,
            "resource": layout.first_resource + parity,
            "delay_s": raw["delay_s"],
            "visible": visible,
            "usable": usable,
            "remaining": remaining[..., layout.option_node + 1],
        }
        return Memory(before + n_steps, reported[:, -1].copy(), background[:, -1].copy()), packed


def _lagged(values: FloatArray, first: FloatArray) -> FloatArray:
    return np.concatenate([first[:, None], values[:, :-1]], axis=1)
