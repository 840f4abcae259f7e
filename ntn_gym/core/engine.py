"""The batch engine: B worlds of one task, stepped together.

All public faces (Gymnasium Env and VectorEnv, PettingZoo, SB3) are thin views of this class, so that rules,
seeding and clocks exist once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core import tree
from ntn_gym.core.buffer import MEMORY_BUDGET_BYTES, POOL_BUDGET_BYTES, PREPARED_ROWS, WINDOW_BYTES, TraceBuffer
from ntn_gym.core.result import Snapshot, StepResult
from ntn_gym.core.seeding import WorldKey, process_generator
from ntn_gym.core.task import Now, Task, World


class Engine:
    """B worlds of one task."""

    def __init__(
        self,
        task: Task,
        n_parallel: int,
        *,
        world: World | None = None,
        n_worlds: int | None = None,
        chunk_steps: int | None = None,
        random_start: bool = False,
        keep_raw: bool = False,
        episode_steps: int | None = None,
    ) -> None:
        """Create the engine; ``reset`` draws the first worlds.

        Args:
            task: The decision problem.
            n_parallel: Number of worlds stepped together (B).
            world: Source of exogenous traces; None uses the task's own.
            n_worlds: Draw episodes from a fixed pool of this many training worlds (seeds 0 to ``n_worlds -
                1``) instead of an endless stream. Resets then cost nothing; evaluation should not use it.
            chunk_steps: Slices drawn per call; None chooses. It changes no number.
            random_start: Start the first episode after a reset at a random step, so that the episodes of a
                training batch do not end together.
            keep_raw: Keep raw trace arrays for rendering.
            episode_steps: Truncate earlier than the scenario says; None follows the scenario.

        Raises:
            ValueError: If a number is outside its range.
        """
        if n_parallel < 1:
            raise ValueError(f"number of parallel worlds = {n_parallel}: allowed is 1 or more")
        if n_worlds is not None and n_worlds < 1:
            raise ValueError(f"n_worlds = {n_worlds}: allowed is 1 or more, or None for an endless stream")
        steps = task.episode_steps if episode_steps is None else episode_steps
        if not 1 <= steps <= task.episode_steps:
            raise ValueError(
                f"max_episode_steps = {steps}: allowed are 1 to {task.episode_steps} steps of this scenario"
            )
        self.task = task
        self.n_parallel = n_parallel
        self.n_worlds = n_worlds
        self.episode_steps = steps
        self._random_start = random_start
        self._weights = tuple(float(term.weight) for term in task.reward_terms)
        # One spare row per prepared world: a world that ends finds its successor ready.
        self._n_spare = 0 if n_parallel == 1 or n_worlds is not None else min(n_parallel, PREPARED_ROWS)
        n_rows = n_worlds if n_worlds is not None else n_parallel + self._n_spare
        budget = MEMORY_BUDGET_BYTES if n_worlds is None else POOL_BUDGET_BYTES
        # A pool never moves on, and a picture shows what went before.
        window = WINDOW_BYTES if n_worlds is None and not keep_raw else budget
        source = task.make_world() if world is None else world
        self.buffer = TraceBuffer(task, source, n_rows, chunk_steps, keep_raw, budget, window)
        if n_worlds is not None:
            if self.buffer.choose_chunk() < self.buffer.n_slices:
                why = "chunk_steps cuts them" if chunk_steps is not None else "they would take more than 4 GiB"
                raise ValueError(
                    f"n_worlds = {n_worlds}: a pool keeps whole episodes of {self.buffer.n_slices} slices "
                    f"in memory, but {why}; use fewer worlds, a shorter episode, chunk_steps=None, "
                    "or n_worlds=None"
                )
            self.buffer.fill(range(n_worlds), [WorldKey(seed) for seed in range(n_worlds)])
        self._free_rows = list(range(n_parallel, n_rows)) if n_worlds is None else []
        self._prepared: dict[int, tuple[WorldKey, int]] = {}
        self.keys: list[WorldKey] = [WorldKey(0, -1)] * n_parallel
        self.rows = np.arange(n_parallel, dtype=np.intp) % n_rows
        self.steps = np.zeros(n_parallel, dtype=np.intp)
        self._everybody = np.arange(n_parallel, dtype=np.intp)
        # So many steps can be made before a window has to move on.
        self._steps_left = 0
        self.state: Any = None
        self._now: Now | None = None

    # ------------------------------------------------------------------ clocks and worlds

    @property
    def now(self) -> Now:
        """The current slice of every world."""
        if self._now is None:
            self._now = self.buffer.now(self.rows, self.steps)
        return self._now

    def _now_of(self, worlds: NDArray[np.intp]) -> Now:
        return self.buffer.now(self.rows[worlds], self.steps[worlds])

    @property
    def started(self) -> bool:
        """Whether ``reset`` has been called for all worlds."""
        return self.state is not None

    def reset(
        self,
        worlds: Sequence[int] | NDArray[np.intp] | None = None,
        seeds: Sequence[int | None] | None = None,
    ) -> None:
        """Start a new episode in the given worlds (all by default).

        Args:
            worlds: Indices of worlds; the first reset must be of all.
            seeds: One seed per world: episode 0 of that seed. None, for all or for one: the next episode of
                the world's seed.

        Raises:
            ValueError: If only some worlds are reset before all have been.
        """
        chosen = self._everybody if worlds is None else np.asarray(worlds, dtype=np.intp)
        everybody = len(chosen) == self.n_parallel
        if not (everybody or self.started):
            raise ValueError(f"worlds = {chosen.tolist()}: reset all {self.n_parallel} worlds first")
        given = [None] * len(chosen) if seeds is None else seeds
        keys = [
            WorldKey(self.keys[i].seed, self.keys[i].episode + 1) if seed is None else WorldKey(int(seed))
            for i, seed in zip(chosen.tolist(), given, strict=True)
        ]
        for i, key in zip(chosen.tolist(), keys, strict=True):
            self.keys[i] = key
        if self.n_worlds is not None:
            self.rows[chosen] = [self._pool_row(key) for key in keys]
        else:
            self._load(chosen, keys)
        self.steps[chosen] = 0
        self._steps_left = 0
        if self._random_start and seeds is not None:
            for i, key in zip(chosen.tolist(), keys, strict=True):
                self.steps[i] = process_generator(key, "start").integers(self.episode_steps)
            self._seek(chosen)
        self._now = None
        fresh = self.task.initial(self._now_of(chosen))
        self.state = fresh if everybody else tree.put(self.state, chosen, fresh)

    def _pool_row(self, key: WorldKey) -> int:
        assert self.n_worlds is not None
        return int(process_generator(key, "pool").integers(self.n_worlds))

    def _load(self, worlds: NDArray[np.intp], keys: Sequence[WorldKey]) -> None:
        """Bring the given worlds into the buffer.

        Those that are not prepared are drawn, together with successors of others.
        """
        rows: list[int] = []
        wanted: list[WorldKey] = []
        for i, key in zip(worlds.tolist(), keys, strict=True):
            prepared = self._prepared.pop(i, None)
            if prepared is not None:
                prepared_key, row = prepared
                self._free_rows.append(int(self.rows[i]))
                self.rows[i] = row
                # A row whose window has moved on, or that was prepared for another seed, is drawn again.
                if prepared_key == key and self.buffer.start[row] == 0:
                    continue
            rows.append(int(self.rows[i]))
            wanted.append(key)
        if not rows:
            return
        if self._n_spare and len(rows) < self._n_spare:
            self._prepare_successors(set(worlds.tolist()), rows, wanted, self._n_spare - len(rows))
        self.buffer.fill(rows, wanted)

    def _prepare_successors(self, busy: set[int], rows: list[int], wanted: list[WorldKey], at_most: int) -> None:
        for i in np.argsort(-self.steps, kind="stable").tolist():
            if not self._free_rows or at_most == 0:
                return
            if i in busy or i in self._prepared or self.keys[i].episode < 0:
                continue
            key = WorldKey(self.keys[i].seed, self.keys[i].episode + 1)
            row = self._free_rows.pop()
            self._prepared[i] = (key, row)
            rows.append(row)
            wanted.append(key)
            at_most -= 1

    def _seek(self, worlds: NDArray[np.intp]) -> None:
        """Move the windows of the given worlds forward until they contain the current step."""
        while True:
            rows = self.rows[worlds]
            behind = self.steps[worlds] >= self.buffer.start[rows] + self.buffer.chunk_steps
            if not behind.any():
                return
            starts = self.buffer.start[rows]
            for start in np.unique(starts[behind]):
                self.buffer.move_on(rows[behind & (starts == start)].tolist())

    # ------------------------------------------------------------------ decisions

    def observe(self, worlds: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
        """Observations of all agents of the given worlds (all by default), a fresh array [B, A, obs]."""
        if worlds is None:
            return self.task.observe(self.state, self.now)
        return self.task.observe(tree.take(self.state, worlds), self._now_of(worlds))

    def action_mask(self, worlds: NDArray[np.intp] | None = None) -> NDArray[np.bool_] | None:
        """Legal actions of all agents of the given worlds (all by default), [B, A, n], or None."""
        if worlds is None:
            return self.task.action_mask(self.state, self.now)
        return self.task.action_mask(tree.take(self.state, worlds), self._now_of(worlds))

    def step(self, actions: NDArray[Any], restart: NDArray[np.intp] | None = None) -> StepResult:
        """Apply the actions [B, A, ...] of all agents in all worlds.

        Args:
            actions: Actions of all worlds.
            restart: Worlds that begin a new episode instead: their actions count for nothing, their rewards
                and flags are zero, and their part of the outcome has no meaning.
        """
        self.state, outcome = self.task.step(self.state, actions, self.now)
        self.steps += 1
        self._now = None
        terminated, truncated = outcome.terminated, self.steps >= self.episode_steps
        if restart is not None:
            self.reset(restart)
            terminated = terminated.copy()
            terminated[restart] = truncated[restart] = False
        self._steps_left -= 1
        if self._steps_left <= 0 and not self.buffer.holds_episodes:
            self._seek(self._everybody)
            self._steps_left = int((self.buffer.start[self.rows] + self.buffer.chunk_steps - self.steps).min())
        return StepResult(outcome, terminated, truncated, self._weights)

    # ------------------------------------------------------------------ snapshots

    def get_state(self) -> Snapshot:
        """Return an exact, self-contained snapshot (worlds by name, clocks, task state)."""
        row_keys = tuple(self.buffer.keys[row] or WorldKey(0) for row in self.rows)
        return Snapshot(tuple(self.keys), row_keys, self.steps.copy(), tree.copy_tree(self.state))

    def set_state(self, snapshot: Snapshot) -> None:
        """Return to a snapshot; worlds that are no longer in memory are drawn again from their names.

        Raises:
            ValueError: If the snapshot is of another number of worlds.
        """
        if len(snapshot.keys) != self.n_parallel:
            raise ValueError(
                f"the snapshot holds {len(snapshot.keys)} worlds, this engine {self.n_parallel}; "
                "take it from an engine of the same size"
            )
        self.keys = list(snapshot.keys)
        self.steps = snapshot.steps.copy()
        self._steps_left = 0
        if self.n_worlds is not None:
            self.rows[:] = [key.seed for key in snapshot.row_keys]
        else:
            missing = [
                i
                for i, key in enumerate(snapshot.row_keys)
                if self.buffer.keys[self.rows[i]] != key or self.buffer.start[self.rows[i]] > self.steps[i]
            ]
            for i in missing:
                prepared = self._prepared.pop(i, None)
                if prepared is not None:
                    self._free_rows.append(prepared[1])
            if missing:
                self.buffer.fill([int(self.rows[i]) for i in missing], [snapshot.row_keys[i] for i in missing])
            self._seek(self._everybody)
        self._now = None
        self.state = tree.copy_tree(snapshot.task_state)
