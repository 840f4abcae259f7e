"""Action spaces of the faces, and the border that an action crosses once: checked there, trusted behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ntn_gym.core.task import Task

_INTEGERS = frozenset({int, np.int64})


def central_action_space(task: Task) -> spaces.Space[Any]:
    """Action space of one decision maker for all agents of a world.

    One agent: its own space. Several: ``MultiDiscrete([n] * A)``, or their boxes one after the other.
    """
    space = task.agent_action_space
    if task.n_agents == 1:
        return space
    if isinstance(space, spaces.Discrete):
        return spaces.MultiDiscrete([int(space.n)] * task.n_agents)
    assert isinstance(space, spaces.Box)
    return spaces.Box(np.tile(space.low, task.n_agents), np.tile(space.high, task.n_agents), dtype=np.float32)


def central_observation_space(task: Task) -> spaces.Box:
    """Observations of all agents of a world, one after the other (float32, one-dimensional)."""
    space = task.agent_observation_space
    if task.n_agents == 1:
        return space
    return spaces.Box(np.tile(space.low, task.n_agents), np.tile(space.high, task.n_agents), dtype=np.float32)


class ActionReader:
    """Turns what users pass into fresh arrays [B, A] or [B, A, m] for the task, or refuses it."""

    def __init__(self, task: Task) -> None:
        """Learn the agents' action space.

        Raises:
            TypeError: If it is neither Discrete from 0 nor a one-dimensional Box.
        """
        space = task.agent_action_space
        self.n_agents = task.n_agents
        self.agent_space = space
        self.n_actions: int | None = None
        if isinstance(space, spaces.Discrete) and space.start == 0:
            self.n_actions = int(space.n)
            self._per_agent: tuple[int, ...] = ()
        elif isinstance(space, spaces.Box) and len(space.shape) == 1:
            self._low, self._high = space.low, space.high
            self._per_agent = space.shape
        else:
            raise TypeError(f"agent_action_space = {space}: must be Discrete(n) from 0 or a one-dimensional Box")
        width = self.n_agents * (self._per_agent[0] if self._per_agent else 1)
        # One agent chooses by a plain integer, several (or a box) by a vector.
        self.central_shape = () if self.n_agents == 1 and self.n_actions is not None else (width,)

    def read(self, actions: Any, n_worlds: int | None) -> NDArray[Any]:
        """Read central actions.

        Args:
            actions: An action of the central space (``n_worlds`` None), or one for each of ``n_worlds`` worlds.
            n_worlds: Number of worlds.

        Returns:
            A fresh array [B, A] (int64) or [B, A, m] (float32).

        Raises:
            ValueError: If it is not in the space; the message names the space.
        """
        if type(actions) in _INTEGERS and n_worlds is None and self.central_shape == ():
            # The way of a single environment with one agent, worth a shortcut.
            if not 0 <= actions < self.n_actions:
                raise self._refusal(actions, (), "it is outside")
            return np.array([[actions]], dtype=np.int64)
        shape = self.central_shape if n_worlds is None else (n_worlds, *self.central_shape)
        return self._checked(actions, shape).reshape(n_worlds or 1, self.n_agents, *self._per_agent)

    def read_agents(self, actions: Any, n_worlds: int) -> NDArray[Any]:
        """Read one action per agent and world, agents of the same world side by side: [B * A] or [B * A, m]."""
        checked = self._checked(actions, (n_worlds * self.n_agents, *self._per_agent))
        return checked.reshape(n_worlds, self.n_agents, *self._per_agent)

    def _checked(self, actions: Any, shape: tuple[int, ...]) -> NDArray[Any]:
        try:
            array = np.asarray(actions)
        except ValueError:  # ragged nesting
            raise self._refusal(actions, shape, "it is no array") from None
        if array.shape != shape:
            raise self._refusal(actions, shape, f"its shape is {list(array.shape)}")
        if self.n_actions is not None:
            if array.dtype.kind not in "iu":
                raise self._refusal(actions, shape, f"its type is {array.dtype}")
            # Reinterpreted as unsigned, a negative number is a huge one: one comparison checks both ends.
            chosen = array.astype(np.int64)
            if np.maximum.reduce(chosen.view(np.uint64), axis=None) >= self.n_actions:
                raise self._refusal(actions, shape, f"it lies between {array.min()} and {array.max()}")
            return chosen
        if array.dtype.kind not in "fiu":
            raise self._refusal(actions, shape, f"its type is {array.dtype}")
        values = array.astype(np.float32).reshape(-1, *self._per_agent)
        # Written so that NaN is refused, too.
        if not np.logical_and.reduce((values >= self._low) & (values <= self._high), axis=None):
            finite = np.isfinite(array).all()
            problem = f"it lies between {array.min():g} and {array.max():g}" if finite else "it is not finite"
            raise self._refusal(actions, shape, problem)
        return values

    def _refusal(self, actions: Any, shape: tuple[int, ...], problem: str) -> ValueError:
        if self.n_actions is not None:
            allowed = f"integers 0 to {self.n_actions - 1}"
        else:
            allowed = f"finite numbers from {self._low.min():g} to {self._high.max():g}"
        wanted = f"of shape {list(shape)}" if shape else "(one number)"
        text = repr(actions)
        shown = text if len(text) <= 200 else text[:200] + "..."
        return ValueError(
            f"action {shown} is not in the action space: {problem}; allowed are {allowed} {wanted}, "
            f"{self.agent_space} for each of {self.n_agents} agent(s)"
        )
