"""A learned value of afterstates for ChannelAllocation: what the free channels of all cells are worth after a decision.

The value is linear in the features of S. Singh and D. Bertsekas, "Reinforcement Learning for Dynamic Channel Allocation
in Cellular Telephone Systems", NIPS 1996, in compressed form: instead of a weight per cell for its number f of free
channels, one weight for the mean over cells of b^f, for each base b that the observation holds. A decision takes the
best sum of reward and value after it. The weights are those that least-squares temporal differences find (S. Bradtke,
A. Barto, Machine Learning 22, 1996) for the decisions of the weights before, a few times over (policy iteration).
Rewards are paid at once: -1 for a refused call, and the price of a dropped hand-over on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.engine import Engine
from ntn_gym.core.task import Task
from ntn_gym.envs.channel_allocation.observation import BASES, CELL, SLOT, View
from ntn_gym.envs.channel_allocation.plan import SCARCITY
from ntn_gym.envs.channel_allocation.task import ChannelAllocationTask

Floats = NDArray[np.float64]
_POTENTIAL = slice(CELL["potential_0"], CELL["potential_0"] + BASES)
_VALUE = slice(SLOT["value_0"], SLOT["value_0"] + BASES)


@dataclass(frozen=True)
class AfterstatePolicy:
    """Decides by reward and the value of the afterstate.

    Attributes:
        weights: Of a constant and of the mean of b^f for each base, [1 + bases].
        n_channels: Number of channels.
        width_per_cell: Cells closer than the reuse distance (with the cell) over all cells: turns changes, which the
            observation gives per cell nearby, into changes of the mean over all cells.
        drop_price: Price of a dropped hand-over.
    """

    weights: Floats
    n_channels: int
    width_per_cell: float
    drop_price: float

    @classmethod
    def of(cls, task: ChannelAllocationTask, weights: Floats) -> AfterstatePolicy:
        """Build the policy for a task."""
        topology = task.plan.topology
        width = topology.near.shape[1] / topology.n_cells
        return cls(weights, task.n_channels, width, 1.0 + task.scenario.reward.dropped_handover_calls)

    def reset(self, n_worlds: int) -> None:
        """Nothing is remembered."""

    def act(
        self, observation: NDArray[np.float32], mask: NDArray[np.bool_] | None, restarted: NDArray[np.bool_]
    ) -> NDArray[np.intp]:
        """Name a channel, or none."""
        return self.decide(observation)[0][:, None]

    def decide(self, observation: NDArray[np.float32]) -> tuple[NDArray[np.intp], Floats, Floats]:
        """Return actions [B], their rewards [B] and the features of the afterstates [B, 1 + bases]."""
        view = View.of(observation, self.n_channels)
        # One channel more in a cell with f free ones takes b^f to b^(f + 1), one less to b^(f - 1).
        change = view.channels[..., _VALUE] * -((1.0 - np.array(SCARCITY)) * self.width_per_cell)
        gain = np.where(view.slot("valid") > 0, change @ self.weights[1:], -np.inf)
        price = view.of_cell("new") + view.of_cell("handover") * self.drop_price
        rows, best = np.arange(len(gain)), gain.argmax(axis=1)
        # Refusing costs the price; where nothing waits it is free, and a call moves only for a real gain.
        names = gain[rows, best] > np.where(price > 0, -price, 1e-9)
        features = np.empty((len(gain), 1 + BASES))
        features[:, 0] = 1.0
        features[:, 1:] = view.cell[:, _POTENTIAL] + names[:, None] * change[rows, best]
        return np.where(names, best, self.n_channels), np.where(names, 0.0, -price), features


def learn(
    task: ChannelAllocationTask,
    *,
    seeds: Sequence[int] = range(64),
    iterations: int = 4,
    discount: float = 0.99,
    ridge: float = 1e-6,
) -> list[AfterstatePolicy]:
    """Learn the weights on training worlds, beginning with the value of all bases alike.

    Args:
        task: The task; whatever form its reward has, refused calls are paid at once.
        seeds: Training worlds, an episode each for every iteration.
        iterations: Policies one after the other, each learned from the decisions of the one before.
        discount: Per event.
        ridge: Keeps the weights finite where features say the same.

    Returns:
        The policy of each iteration; the last one is meant to be used.

    Raises:
        ValueError: If a number is outside its range.
    """
    if iterations < 1:
        raise ValueError(f"iterations = {iterations}: allowed is 1 or more")
    if not 0 <= discount < 1:
        raise ValueError(f"discount = {discount}: allowed is 0 up to, but not, 1")
    engine = Engine(cast(Task, task), len(seeds))
    size = 1 + BASES
    found = [AfterstatePolicy.of(task, np.append(0.0, np.full(BASES, -1.0)))]
    for _ in range(iterations):
        engine.reset(seeds=list(seeds))
        matrix, target = np.zeros((size, size)), np.zeros(size)
        before: Floats | None = None
        for _ in range(task.episode_steps):
            actions, rewards, features = found[-1].decide(engine.observe())
            if before is not None:
                matrix += before.T @ (before - discount * features)
                target += before.T @ rewards
            before = features
            engine.step(actions[:, None])
        scale = np.trace(matrix) / size
        weights = np.linalg.solve(matrix + ridge * scale * np.eye(size), target)
        found.append(AfterstatePolicy.of(task, weights))
    return found[1:]
