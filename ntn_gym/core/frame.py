"""What a renderer gets to see of one world: everything up to now, nothing later.

A renderer is a function ``render(task, frame, mode)``, named by the entry of the environment. ``mode`` is
``"rgb_array"`` (return a uint8 picture [height, width, 3] whose size never changes) or ``"ansi"`` (return
text). It draws with `ntn_gym.rendering` and is imported at the first picture only, so that nothing else needs
a drawing library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.task import Arrays, Outcome, Task

RenderMode = Literal["rgb_array", "ansi"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One world at one moment.

    With n = ``step - first_step + 1``, index 0 of everything belongs to ``first_step``.

    Attributes:
        step: Time index of the current slice; the decision of this step is not taken yet.
        first_step: Time index at which the record begins: 0, unless the episode began or was loaded later.
        raw: Raw trace arrays by name, [n, ...], the current slice last.
        states: Task states of this one world (leading axis 1), n of them, the current one last.
        actions: Actions [A] or [A, m] that led from each state to the next, n - 1 of them.
        outcomes: Outcomes (leading axis 1) of those actions, n - 1 of them.
        episode_return: Sum of the mean-over-agents reward since ``first_step``.
    """

    step: int
    first_step: int
    raw: Arrays
    states: tuple[Any, ...]
    actions: tuple[NDArray[Any], ...]
    outcomes: tuple[Outcome, ...]
    episode_return: float

    @property
    def state(self) -> Any:
        """The current task state."""
        return self.states[-1]

    @property
    def outcome(self) -> Outcome | None:
        """What the last step gave; None before the first one."""
        return self.outcomes[-1] if self.outcomes else None


Renderer = Callable[[Task, Frame, RenderMode], "NDArray[np.uint8] | str"]
