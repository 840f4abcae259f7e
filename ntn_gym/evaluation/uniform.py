"""Random play whose choices depend on the world and not on the batch it is evaluated in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.seeding import WorldKey, process_generators
from ntn_gym.core.task import Task

DRAWN_STEPS = 64


@runtime_checkable
class SeededPolicy(Protocol):
    """A policy that draws random numbers: it is told the worlds, so that each of them has its own stream."""

    def reset_worlds(self, seeds: Sequence[int]) -> None:
        """Begin one episode in each of the worlds with these seeds."""


class UniformPolicy:
    """Uniform over the legal actions; the zero of the normalised score.

    Each world has its own stream of random numbers, named after its seed, so that its return is the same alone and in
    any batch.
    """

    def __init__(self, task: Task) -> None:
        """Keep the action space.

        Raises:
            ValueError: If the space has no uniform distribution.
        """
        space = task.agent_action_space
        self._box: spaces.Box | None = None
        self._parts: NDArray[np.intp] | None = None
        if isinstance(space, spaces.Discrete):
            self._width = int(space.n)
        elif isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1:
            self._parts = np.asarray(space.nvec, dtype=np.intp)
            self._width = int(self._parts.sum())
        elif isinstance(space, spaces.Box) and space.is_bounded():
            self._box = space
            self._width = int(np.prod(space.shape))
        else:
            raise ValueError(f"no uniform random policy over {space}: use Discrete, MultiDiscrete or a bounded Box")
        self._n_agents = task.n_agents
        self._generators: list[np.random.Generator] = []
        self._drawn: NDArray[np.float64] = np.empty((0,))
        self._step = 0

    def reset(self, n_worlds: int) -> None:
        """Begin in worlds that have no names (0, 1, ...)."""
        self.reset_worlds(range(n_worlds))

    def reset_worlds(self, seeds: Sequence[int]) -> None:
        """Begin one episode in each of the worlds with these seeds."""
        self._generators = process_generators([WorldKey(int(seed)) for seed in seeds], "uniform policy")
        self._step = 0

    def _uniform(self) -> NDArray[np.float64]:
        offset = self._step % DRAWN_STEPS
        if offset == 0:
            shape = (DRAWN_STEPS, self._n_agents, self._width)
            self._drawn = np.stack([generator.random(shape) for generator in self._generators])
        self._step += 1
        return self._drawn[:, offset]

    def act(
        self, observation: NDArray[np.float32], mask: NDArray[np.bool_] | None, restarted: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Choose among the legal actions with equal probability."""
        drawn = self._uniform()
        if self._box is not None:
            low, high = self._box.low, self._box.high
            scaled = low + drawn.reshape(*drawn.shape[:2], *self._box.shape) * (high - low)
            action: NDArray[Any] = scaled.astype(self._box.dtype)
            return action
        allowed = drawn if mask is None else np.where(mask, drawn, -1.0)
        if self._parts is None:
            chosen: NDArray[Any] = np.argmax(allowed, axis=-1)
            return chosen
        parts = np.split(allowed, np.cumsum(self._parts)[:-1], axis=-1)
        return np.stack([np.argmax(part, axis=-1) for part in parts], axis=-1)
