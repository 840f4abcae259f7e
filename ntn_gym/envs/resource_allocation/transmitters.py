"""The agents of a scenario: beams, relays and the laser of the feeder, as arrays of their constants."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ntn_gym.envs.resource_allocation.antenna import beam_colours, beam_count
from ntn_gym.envs.resource_allocation.scenario import Amplifier, Scenario


@dataclass(frozen=True)
class Transmitters:
    """Constants of the radios (R: beams first, then relays) and of the agents (A: radios, then a controlled laser).

    Attributes:
        n_beams: Beams of the platform.
        n_relays: Relays.
        has_laser: Whether the last agent is the laser of the feeder.
        levels_w: Radiated (or optical) power of each level of each agent in W, float32 [A, L].
        lowest_w: Lowest power that is not 0, [A].
        highest_w: Highest power, [A].
        idle_w: Supply power without output, [R].
        slope: Supply power for each watt radiated, [R].
        sleep_w: Supply power asleep, [R].
        colour: Part of the band, [R].
    """

    n_beams: int
    n_relays: int
    has_laser: bool
    levels_w: NDArray[np.float32]
    lowest_w: NDArray[np.float64]
    highest_w: NDArray[np.float64]
    idle_w: NDArray[np.float64]
    slope: NDArray[np.float64]
    sleep_w: NDArray[np.float64]
    colour: NDArray[np.int64]

    @property
    def n_radios(self) -> int:
        """Beams and relays."""
        return self.n_beams + self.n_relays

    @property
    def n_agents(self) -> int:
        """Radios and, where it is controlled, the laser."""
        return len(self.levels_w)

    @property
    def n_levels(self) -> int:
        """Levels of an agent, with off."""
        return int(self.levels_w.shape[1])


@lru_cache(maxsize=32)
def transmitters(scenario: Scenario) -> Transmitters:
    """Sort out who transmits in a scenario."""
    n_beams = beam_count(scenario.platform.layout)
    amplifiers: list[Amplifier] = [scenario.platform.amplifier] * n_beams
    colour = beam_colours(scenario.platform.layout, scenario.platform.reuse)
    n_relays = 0
    if scenario.relays is not None:
        n_relays = scenario.relays.count
        amplifiers += [scenario.relays.amplifier] * n_relays
        colour = np.concatenate([colour, np.zeros(n_relays, dtype=np.int64)])
    levels = [one.levels_w for one in amplifiers]
    has_laser = scenario.feeder is not None and scenario.feeder.controlled
    if has_laser:
        assert scenario.feeder is not None
        levels.append(scenario.feeder.laser.levels_w)
    table = np.array(levels, dtype=np.float64)
    return Transmitters(
        n_beams=n_beams,
        n_relays=n_relays,
        has_laser=has_laser,
        levels_w=table.astype(np.float32),
        lowest_w=table[:, 1].copy(),
        highest_w=table[:, -1].copy(),
        idle_w=np.array([one.idle_w for one in amplifiers]),
        slope=np.array([one.slope for one in amplifiers]),
        sleep_w=np.array([one.sleep_w for one in amplifiers]),
        colour=colour,
    )


SLEEP_BELOW = -0.5
"""A continuous action up to here is sleep; above, power rises linearly in dB from the lowest to the highest level."""


def power_of_action(constants: Transmitters, action: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the power that continuous actions in [-1, 1] ask for, in W.

    Args:
        constants: From `transmitters`.
        action: [..., A].
    """
    share = (action - np.float32(SLEEP_BELOW)) / np.float32(1.0 - SLEEP_BELOW)
    lowest = constants.levels_w[:, 1]
    ratio = np.log(constants.levels_w[:, -1] / lowest)
    power: NDArray[np.float32] = lowest * np.exp(np.maximum(share, 0) * ratio) * (share > 0)
    return power


def action_of_power(constants: Transmitters, kind: str, power_w: NDArray[np.floating]) -> NDArray[np.generic]:
    """Return the actions that come nearest (in dB) to powers, [..., A]; half the lowest level and less is sleep.

    Args:
        constants: From `transmitters`.
        kind: ``levels`` or ``box``.
        power_w: Wanted powers in W, [..., A].

    Returns:
        Levels, int64 [..., A], or continuous actions, float32 [..., A, 1].
    """
    asleep = power_w <= 0.5 * constants.lowest_w
    inside = np.clip(power_w, constants.lowest_w, constants.highest_w)
    if kind == "levels":
        away = np.abs(np.log(inside[..., None] / constants.levels_w[:, 1:]))
        return np.where(asleep, 0, 1 + np.argmin(away, axis=-1))
    share = np.log(inside / constants.lowest_w) / np.log(constants.highest_w / constants.lowest_w)
    # The lowest power is at the edge of sleep; a hair above it is on.
    action = np.where(asleep, -1.0, SLEEP_BELOW + (1.0 - SLEEP_BELOW) * np.maximum(share, 1e-3))
    return action[..., None].astype(np.float32)
