"""Where compiled traces live: rows of arrays, one row per world that is running or prepared.

A row holds a window of ``chunk_steps`` slices of one world. Whole episodes are drawn in one call where they are small,
because then the physics of hundreds of steps costs a handful of array operations; large ones (many users) in windows
that fit the cache, so that a reset waits for the first window only. Worlds that will be needed soon are drawn together
with the one that is needed now, so that episodes that end at different times still share one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core import tree
from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.task import Arrays, Now, Task, World

MEMORY_BUDGET_BYTES = 384 * 1024**2
# A pool is asked for by name, so it may take more before it is refused.
POOL_BUDGET_BYTES = 4 * 1024**3
# Of one world: what is drawn and read within these bytes stays in the cache, and takes milliseconds.
WINDOW_BYTES = 3 * 1024**2
PREPARED_ROWS = 64
# Worlds drawn in one call: enough to share the call's overhead, few enough that its intermediates stay in the cache.
DRAWN_TOGETHER_BYTES = 16 * 1024**2


class _Pending(NamedTuple):
    """Where a world goes on: its place among the worlds that were drawn together, and what they left behind."""

    state: Any
    carry: Any
    place: int
    n_worlds: int


def _join(pending: Sequence[_Pending]) -> tuple[Any, Any]:
    """Return state and carry of the given worlds, without a copy if they go on together as they were drawn."""
    first = pending[0]
    together = all(one.state is first.state and one.place == i for i, one in enumerate(pending))
    if together and len(pending) == first.n_worlds:
        return first.state, first.carry
    states = [tree.take(one.state, [one.place]) for one in pending]
    return tree.concatenate(states), tree.concatenate([tree.take(one.carry, [one.place]) for one in pending])


class TraceBuffer:
    """Rows of compiled trace windows and the worlds that fill them."""

    def __init__(
        self,
        task: Task,
        world: World,
        n_rows: int,
        chunk_steps: int | None,
        keep_raw: bool = False,
        budget_bytes: int = MEMORY_BUDGET_BYTES,
        window_bytes: int = WINDOW_BYTES,
    ) -> None:
        """Allocate nothing yet; the first world that is drawn tells the sizes.

        Args:
            task: Compiles raw traces.
            world: Draws raw traces.
            n_rows: Number of rows, i.e. of worlds held at once.
            chunk_steps: Slices per window; None chooses whole episodes unless they are larger than allowed below.
            keep_raw: Also keep the raw arrays (rendering and trace export need them).
            budget_bytes: Memory that all rows may take.
            window_bytes: Memory that one row may take.

        Raises:
            ValueError: If ``chunk_steps`` is outside its range.
        """
        self.n_slices = task.episode_steps + 1
        if chunk_steps is not None and not 1 <= chunk_steps <= self.n_slices:
            raise ValueError(
                f"chunk_steps = {chunk_steps}: allowed are 1 to {self.n_slices} steps (one episode and its "
                "last observation), or None to choose automatically"
            )
        self._task = task
        self._world = world
        self._n_rows = n_rows
        self._chunk_steps = chunk_steps
        self._row_bytes = min(budget_bytes // n_rows, window_bytes)
        self._drawn_together = 0
        self._keep_raw = keep_raw
        self._pending: dict[int, _Pending] = {}
        self.keys: list[WorldKey | None] = [None] * n_rows
        self.start = np.zeros(n_rows, dtype=np.intp)
        self.arrays: Arrays = {}
        self.raw: Arrays = {}

    @property
    def chunk_steps(self) -> int:
        """Slices per window (known after the first draw)."""
        return self.n_slices if self._chunk_steps is None else self._chunk_steps

    def choose_chunk(self) -> int:
        """Fix the window length and the size of groups, and return the window length.

        One slice of one world is drawn to learn the bytes per step.
        """
        if not self._drawn_together:
            state = self._world.begin([WorldKey(0)])
            _, raw = self._world.advance(state, 1)
            _, packed = self._task.compile(None, raw)
            kept = [packed, raw] if self._keep_raw else [packed]
            bytes_per_step = max(1, sum(array.nbytes for arrays in kept for array in arrays.values()))
            if self._chunk_steps is None:
                affordable = max(8, self._row_bytes // bytes_per_step)
                n_windows = ceil(self.n_slices / affordable)
                self._chunk_steps = ceil(self.n_slices / n_windows)
            self._drawn_together = max(1, DRAWN_TOGETHER_BYTES // (bytes_per_step * self._chunk_steps))
        assert self._chunk_steps is not None
        return self._chunk_steps

    def fill(self, rows: Sequence[int], keys: Sequence[WorldKey]) -> None:
        """Draw the first window of the given worlds into the given rows."""
        self.choose_chunk()
        self.start[list(rows)] = 0
        for first in range(0, len(rows), self._drawn_together):
            group = list(rows[first : first + self._drawn_together])
            group_keys = list(keys[first : first + self._drawn_together])
            for row, key in zip(group, group_keys, strict=True):
                self.keys[row] = key
            self._draw(group, self._world.begin(group_keys), None)

    def move_on(self, rows: Sequence[int]) -> None:
        """Replace the windows of the given rows, which all begin at the same step, by the following ones."""
        self.start[list(rows)] += self.chunk_steps
        for first in range(0, len(rows), self._drawn_together):
            group = list(rows[first : first + self._drawn_together])
            self._draw(group, *_join([self._pending.pop(row) for row in group]))

    def _draw(self, rows: list[int], state: Any, carry: Any) -> None:
        n_steps = int(min(self.chunk_steps, self.n_slices - self.start[rows[0]]))
        state, raw = self._world.advance(state, n_steps)
        carry, packed = self._task.compile(carry, raw)
        if self.start[rows[0]] + n_steps < self.n_slices:
            self._pending.update((row, _Pending(state, carry, i, len(rows))) for i, row in enumerate(rows))
        self._store(self.arrays, packed, rows, n_steps)
        if self._keep_raw:
            self._store(self.raw, raw, rows, n_steps)

    def _store(self, target: Arrays, source: Arrays, rows: list[int], n_steps: int) -> None:
        if self._n_rows == 1:
            target.update(source)  # nobody else has these arrays: they need not be copied
            return
        for name, array in source.items():
            if name not in target:
                target[name] = np.zeros((self._n_rows, self.chunk_steps, *array.shape[2:]), dtype=array.dtype)
            target[name][rows, :n_steps] = array

    @property
    def holds_episodes(self) -> bool:
        """Whether a window is a whole episode, so that it never moves."""
        return self._chunk_steps == self.n_slices

    def now(self, rows: NDArray[np.intp], steps: NDArray[np.intp]) -> Now:
        """Point at the given time steps of the worlds in the given rows; valid until either array changes."""
        return Now(self.arrays, rows, steps if self.holds_episodes else steps - self.start[rows])
