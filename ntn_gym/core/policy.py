"""What every decision maker offers: heuristics, trained agents and random play alike."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray


class Policy(Protocol):
    """Decides for B worlds and A agents from what agents may know: their observations and legal actions."""

    def reset(self, n_worlds: int) -> None:
        """Forget everything; B worlds start."""

    def act(
        self, observation: NDArray[np.float32], mask: NDArray[np.bool_] | None, restarted: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Choose actions.

        Args:
            observation: [B, A, obs].
            mask: Legal discrete actions [B, A, n], or None.
            restarted: [B], true where an episode begins with this observation.

        Returns:
            Actions [B, A] (discrete) or [B, A, n] (continuous).
        """


class RandomPolicy:
    """Uniform over the legal actions; the zero of the normalised score.

    One stream serves the whole batch: a world meets other random choices in a batch of another size.
    """

    def __init__(self, seed: int, action_space: spaces.Space[Any] | None = None) -> None:
        """Keep the seed of the random choices.

        Args:
            seed: Seed of the stream.
            action_space: Action space of one agent (``task.agent_action_space``). Needed where there is no
                mask: for continuous actions, and for discrete ones that are always all legal.
        """
        self._seed = seed
        self._space = action_space
        self._rng = np.random.default_rng(seed)

    def reset(self, n_worlds: int) -> None:
        """Restart the random stream."""
        self._rng = np.random.default_rng(self._seed)

    def act(
        self, observation: NDArray[np.float32], mask: NDArray[np.bool_] | None, restarted: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Choose uniformly among the legal actions.

        Raises:
            ValueError: If there is neither a mask nor a Discrete or Box action space.
        """
        if mask is not None:
            scores = self._rng.random(mask.shape)
            choice: NDArray[np.intp] = np.argmax(np.where(mask, scores, -1.0), axis=-1)
            return choice
        agents = observation.shape[:2]
        if isinstance(self._space, spaces.Discrete):
            return self._rng.integers(self._space.n, size=agents)
        if isinstance(self._space, spaces.Box):
            shape = (*agents, *self._space.shape)
            return self._rng.uniform(self._space.low, self._space.high, size=shape).astype(np.float32)
        raise ValueError(
            f"RandomPolicy got no mask and action_space = {self._space}: pass the Discrete or Box space of one agent"
        )
