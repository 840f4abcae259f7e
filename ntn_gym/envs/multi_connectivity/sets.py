"""The serving sets a user chooses among: which links at once, in which band.

A *port* is a slot in a band: with one band ports are slots; where a user chooses the band, slot k has the ports k
(reserved band) and K + k (shared band).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.multi_connectivity.scenario import Scenario


@dataclass(frozen=True, eq=False)
class SetTable:
    """S serving sets over P ports; set 0 is "no link".

    Attributes:
        members: Which ports each set has, [S, P].
        legs: Ports of each set, [L, S], the first one repeated where it has fewer; port P (which holds nothing) for
            set 0. For maxima and minima over the members.
        legs_once: The same with port P in place of repetitions. For sums.
        size: Number of links, [S].
        n_sky: Links to nodes in the sky, [S].
        mode: Band, index into ``Scenario.modes``, [S].
        controlled: Sets that a controlling satellite has to coordinate, [S].
        of_bits: Set by the bits of its members (port p is bit p), [2^P]; -1 where there is none.
    """

    members: NDArray[np.bool_]
    legs: NDArray[np.intp]
    legs_once: NDArray[np.intp]
    size: NDArray[np.int64]
    n_sky: NDArray[np.int64]
    mode: NDArray[np.int64]
    controlled: NDArray[np.bool_]
    of_bits: NDArray[np.int64]

    @property
    def n_sets(self) -> int:
        """Number of sets S."""
        return len(self.size)

    @property
    def n_ports(self) -> int:
        """Number of ports P."""
        return self.members.shape[1]

    def index(self, linked: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return which set links [..., P] are."""
        found: NDArray[np.int64] = self.of_bits.take(bits(linked))
        return found


def bits(links: NDArray[np.bool_]) -> NDArray[np.integer[Any]]:
    """Return links [..., P], P up to 16, as a number whose bit p is port p."""
    packed = np.packbits(links, axis=-1, bitorder="little")
    if packed.shape[-1] == 1:
        return packed[..., 0]
    return packed[..., 0] + packed[..., 1].astype(np.int32) * 256


def _allowed(kind: str, sky: int, stations: int) -> bool:
    """Say whether an architecture knows a set with so many nodes in the sky and stations."""
    if kind == "ss-sbs":
        return sky <= 1 and stations <= 1
    return stations == 0 if kind == "ms" else True


def set_table(scenario: Scenario) -> SetTable:
    """Enumerate the candidate sets: none, then by band and size, in the order of the slots."""
    n_slots, n_sky_slots, design = scenario.n_slots, scenario.n_sky_slots, scenario.architecture
    n_ports = n_slots * len(scenario.modes)
    rows: list[tuple[int, ...]] = [()]
    modes = [0]
    for mode in range(len(scenario.modes)):
        for size in range(1, design.max_links + 1):
            for slots in combinations(range(n_slots), size):
                sky = sum(slot < n_sky_slots for slot in slots)
                if _allowed(design.kind, sky, size - sky):
                    rows.append(tuple(mode * n_slots + slot for slot in slots))
                    modes.append(mode)
    members = np.zeros((len(rows), n_ports), dtype=bool)
    legs = np.full((design.max_links, len(rows)), n_ports, dtype=np.intp)
    legs_once = legs.copy()
    of_bits = np.full(1 << n_ports, -1, dtype=np.int64)
    for s, ports in enumerate(rows):
        members[s, list(ports)] = True
        legs_once[: len(ports), s] = ports
        if ports:
            legs[:, s] = [*ports, *[ports[0]] * (design.max_links - len(ports))]
        of_bits[sum(1 << port for port in ports)] = s
    size = members.sum(axis=1)
    n_sky = members[:, np.arange(n_ports) % n_slots < n_sky_slots].sum(axis=1)
    mixed = (n_sky > 0) & (n_sky < size) if design.kind == "ms-mbs" else np.zeros(len(rows), dtype=bool)
    satellites = sum(tier.slots for tier in scenario.satellites)
    in_orbit = members[:, np.arange(n_ports) % n_slots < satellites].sum(axis=1)
    controlled = (in_orbit >= 2) | (mixed & (in_orbit > 0))
    return SetTable(members, legs, legs_once, size, n_sky, np.array(modes), controlled, of_bits)


def gather(values: NDArray[Any], legs: NDArray[np.intp]) -> NDArray[Any]:
    """Return values [..., P + 1] of the members of each set, [..., L, S]."""
    return values.take(legs.ravel(), axis=-1).reshape(*values.shape[:-1], *legs.shape)
