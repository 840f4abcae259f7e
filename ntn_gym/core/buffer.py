"""Where compiled traces live: rows of arrays, one row per world that is running or prepared.

A row holds a window of ``chunk_steps`` slices of one world. Whole episodes are drawn in one call where memory
allows, because then the physics of hundreds of steps costs a handful of array operations. Worlds that will be
needed soon are drawn together with the one that is needed now, so that episodes that end at different times
still share one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core import tree
from ntn_gym.core.seeding import WorldKey
from ntn_gym.core.task import Arrays, Now, Task, World

MEMORY_BUDGET_BYTES = 384 * 1024**2
# A pool is asked for by name, so it may take more before it is refused.
POOL_BUDGET_BYTES = 4 * 1024**3
PREPARED_ROWS = 64
# Worlds drawn in one call: enough to share the call's overhead, few enough that its intermediates stay in the cache.
DRAWN_TOGETHER_BYTES = 16 * 1024**2


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
    ) -> None:
        """Allocate nothing yet; the first world that is drawn tells the sizes.

        Args:
            task: Compiles raw traces.
            world: Draws raw traces.
            n_rows: Number of rows, i.e. of worlds held at once.
            chunk_steps: Slices per window; None chooses whole episodes unless that passes the memory budget.
            keep_raw: Also keep the raw arrays (rendering and trace export need them).
            budget_bytes: Memory that whole episodes may take.

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
        self._budget_bytes = budget_bytes
        self._drawn_together = 0
        self._keep_raw = keep_raw
        self._pending: dict[int, tuple[Any, Any]] = {}
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
                affordable = self._budget_bytes // (bytes_per_step * self._n_rows)
                self._chunk_steps = int(min(self.n_slices, max(8, affordable)))
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
            states, carries = zip(*(self._pending.pop(row) for row in group), strict=True)
            self._draw(group, tree.concatenate(states), tree.concatenate(carries))

    def _draw(self, rows: list[int], state: Any, carry: Any) -> None:
        n_steps = int(min(self.chunk_steps, self.n_slices - self.start[rows[0]]))
        state, raw = self._world.advance(state, n_steps)
        carry, packed = self._task.compile(carry, raw)
        if self.start[rows[0]] + n_steps < self.n_slices:
            for index, row in enumerate(rows):
                self._pending[row] = (tree.take(state, [index]), tree.take(carry, [index]))
        self._store(self.arrays, packed, rows, n_steps)
        if self._keep_raw:
            self._store(self.raw, raw, rows, n_steps)

    def _store(self, target: Arrays, source: Arrays, rows: list[int], n_steps: int) -> None:
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
