"""Pictures of running worlds: remembers what a renderer needs, draws on demand, shows a window.

Nothing here imports a drawing library before the first picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core import tree
from ntn_gym.core.engine import Engine
from ntn_gym.core.frame import Frame, RenderMode
from ntn_gym.core.registry import EnvEntry, resolve
from ntn_gym.core.result import StepResult
from ntn_gym.core.task import Outcome

RENDER_MODES = ("human", "rgb_array", "ansi")
RENDER_FPS = 10


class _Record:
    """History of the running episode of one world."""

    def __init__(self, state: Any, step: int) -> None:
        self.first_step = step
        self.states = [state]
        self.actions: list[NDArray[Any]] = []
        self.outcomes: list[Outcome] = []
        self.rewards: list[float] = []

    def drop_before(self, step: int) -> None:
        """Forget what is older than the trace window that is still in memory."""
        old = step - self.first_step
        if old > 0:
            self.first_step = step
            del self.states[:old], self.actions[:old], self.outcomes[:old], self.rewards[:old]


class Recorder:
    """Keeps the history of every world of an engine and draws it; exists only where a render mode is set."""

    def __init__(self, entry: EnvEntry, engine: Engine, mode: str) -> None:
        """Remember what to draw.

        Raises:
            ValueError: If the environment has no renderer or does not know the mode.
        """
        if entry.renderer is None:
            raise ValueError(f"{entry.id} draws no pictures: render_mode must be None, got {mode!r}")
        if mode not in RENDER_MODES:
            raise ValueError(f"render_mode = {mode!r}: allowed are {', '.join(RENDER_MODES)} and None")
        self.mode = mode
        self._entry = entry
        self._engine = engine
        self._records: list[_Record] = []
        self._window: Window | None = None

    # ------------------------------------------------------------------ history

    def restart(self, worlds: Sequence[int] | NDArray[np.intp] | None = None) -> None:
        """Begin a new history for the given worlds (all by default)."""
        chosen = range(self._engine.n_parallel) if worlds is None else worlds
        if not self._records:
            self._records = [_Record(None, 0)] * self._engine.n_parallel
        for i in chosen:
            self._records[i] = _Record(tree.take(self._engine.state, [i]), int(self._engine.steps[i]))

    def record(self, actions: NDArray[Any], result: StepResult) -> None:
        """Append one step of all worlds; to be called before any of them is reset."""
        for i, record in enumerate(self._records):
            record.states.append(tree.take(self._engine.state, [i]))
            record.actions.append(actions[i].copy())
            record.outcomes.append(tree.take(result.outcome, [i]))
            record.rewards.append(float(result.reward[i].mean()))

    # ------------------------------------------------------------------ pictures

    def frame(self, world: int) -> Frame:
        """What the renderer may see of one world."""
        if not self._records:
            raise ValueError("there is nothing to draw before reset()")
        engine, record = self._engine, self._records[world]
        row, step = int(engine.rows[world]), int(engine.steps[world])
        start = int(engine.buffer.start[row])
        record.drop_before(start)
        window = slice(record.first_step - start, step - start + 1)
        return Frame(
            step=step,
            first_step=record.first_step,
            raw={name: array[row, window] for name, array in engine.buffer.raw.items()},
            states=tuple(record.states),
            actions=tuple(record.actions),
            outcomes=tuple(record.outcomes),
            episode_return=float(sum(record.rewards)),
        )

    def draw(self, world: int, mode: RenderMode) -> Any:
        """Picture (uint8 [height, width, 3]) or text of one world."""
        assert self._entry.renderer is not None
        return resolve(self._entry.renderer)(self._engine.task, self.frame(world), mode)

    def render(self) -> Any:
        """Render world 0 in the chosen mode; the window of ``human`` is opened by the first picture."""
        if self.mode != "human":
            return self.draw(0, self.mode)  # type: ignore[arg-type]
        if self._window is None:
            self._window = Window(self._entry.title)
        self._window.show(self.draw(0, "rgb_array"))
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None


class Window:
    """A pygame window; ``SDL_VIDEODRIVER=dummy`` runs it without a display."""

    def __init__(self, title: str) -> None:
        """Import pygame; the window opens with the first picture, whose size it takes.

        Raises:
            ImportError: If pygame is missing.
        """
        try:
            import pygame
        except ImportError as error:
            raise ImportError(
                'render_mode="human" needs pygame: pip install "ntn-gym[render]", or use render_mode="rgb_array"'
            ) from error
        self._pygame = pygame
        self._title = title
        self._surface: Any = None
        self._clock = pygame.time.Clock()

    def show(self, picture: NDArray[np.uint8]) -> None:
        """Show a picture [height, width, 3], not faster than `RENDER_FPS`."""
        pygame = self._pygame
        if self._surface is None:
            pygame.display.init()
            self._surface = pygame.display.set_mode((picture.shape[1], picture.shape[0]))
            pygame.display.set_caption(self._title)
        self._surface.blit(pygame.surfarray.make_surface(picture.swapaxes(0, 1)), (0, 0))
        pygame.event.pump()
        pygame.display.flip()
        self._clock.tick(RENDER_FPS)

    def close(self) -> None:
        """Close the window."""
        self._pygame.display.quit()
        self._surface = None
