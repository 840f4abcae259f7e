"""What all faces of an engine have in common: exact snapshots, pickling and an orderly end."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from ntn_gym.core.result import Snapshot
from ntn_gym.interfaces.build import Built


@dataclass(frozen=True)
class FaceState:
    """Snapshot of a face: the engine's (None before the first reset) and the face's own clocks."""

    engine: Snapshot | None
    clocks: dict[str, Any]


class Face:
    """Mixin of the faces; they set ``_built`` and ``_arguments`` (what their constructor was called with).

    ``_clocks`` names the attributes that a step or a reset changes, ``_kept`` those that outsiders may set.
    """

    _clocks: tuple[str, ...] = ()
    _kept: tuple[str, ...] = ()
    _built: Built
    _arguments: dict[str, Any]

    def get_state(self) -> FaceState:
        """Return an exact snapshot: worlds by name, task state, clocks and generators; small, and picklable."""
        engine = self._built.engine
        clocks = {name: copy.deepcopy(getattr(self, name)) for name in self._clocks}
        return FaceState(engine.get_state() if engine.started else None, clocks)

    def set_state(self, state: FaceState) -> None:
        """Return to a snapshot, also one of another face built with the same arguments.

        Worlds that are no longer in memory are drawn again from their names. Pictures show the episode from here.

        Raises:
            ValueError: If the snapshot was taken before the first reset or from another number of worlds.
        """
        if state.engine is None:
            raise ValueError("the snapshot was taken before reset(); take it from a running environment")
        self._built.engine.set_state(state.engine)
        for name, value in state.clocks.items():
            setattr(self, name, copy.deepcopy(value))
        if self._built.recorder is not None:
            self._built.recorder.restart()

    def close(self) -> None:
        """Close the window, if one is open; may be called again."""
        if self._built.recorder is not None:
            self._built.recorder.close()

    def __getstate__(self) -> dict[str, Any]:
        # Traces are not pickled: they follow from the arguments and the names of the worlds.
        kept = {name: self.__dict__[name] for name in self._kept if name in self.__dict__}
        return {"arguments": self._arguments, "state": self.get_state(), "kept": kept}

    def __setstate__(self, pickled: dict[str, Any]) -> None:
        type(self).__init__(self, **pickled["arguments"])
        state: FaceState = pickled["state"]
        if state.engine is not None:
            self.set_state(state)
        else:
            for name, value in state.clocks.items():
                setattr(self, name, value)
        self.__dict__.update(pickled["kept"])
