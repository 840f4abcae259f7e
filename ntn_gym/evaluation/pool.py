"""The worlds that policies are compared on, drawn once for all of them where memory allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ntn_gym.core.engine import Engine
from ntn_gym.core.registry import EnvEntry, resolve
from ntn_gym.core.result import Snapshot
from ntn_gym.core.seeding import WorldKey, seed_purpose
from ntn_gym.core.task import Task

Purpose = Literal["training", "validation", "reporting"]

BLOCK_WORLDS = 64
BLOCK_BYTES = 192 * 1024**2
POOL_BYTES = 768 * 1024**2


def check_purpose(seeds: Sequence[int], purpose: Purpose) -> None:
    """Refuse seeds that belong to another purpose.

    Raises:
        ValueError: Naming the first such seed and the range to use.
    """
    ranges = {
        "training": "0..999999",
        "validation": "1000000..1999999",
        "reporting": "2000000..2999999",
    }
    for seed in seeds:
        found = seed_purpose(int(seed))
        if found != purpose:
            raise ValueError(
                f"seed {seed} is for {found}, but these results are for {purpose}: use seeds {ranges[purpose]}, so "
                "that nothing is reported on worlds it was trained or tuned on (or say "
                f"purpose={found!r} and do not report it)"
            )


class WorldPool:
    """Episode 0 of each of the given seeds, in blocks of worlds that are stepped together.

    Blocks are kept while they fit into memory, so that the second policy meets worlds that are drawn already.
    """

    def __init__(
        self,
        task: Task,
        seeds: Sequence[int],
        *,
        purpose: Purpose = "reporting",
        block_worlds: int | None = None,
        pool_bytes: int = POOL_BYTES,
    ) -> None:
        """Check the seeds; worlds are drawn when they are first asked for.

        Args:
            task: The decision problem.
            seeds: One seed per world, each once.
            purpose: What the numbers will be used for; the seeds must fit.
            block_worlds: Worlds stepped together; None chooses. It changes no number.
            pool_bytes: Memory for worlds that are kept.

        Raises:
            ValueError: If a seed is for another purpose or occurs twice, or there is none.
        """
        self.task = task
        self.seeds = np.asarray(seeds, dtype=np.int64)
        if self.seeds.size == 0:
            raise ValueError("no seeds: give at least one world to evaluate on")
        if len(np.unique(self.seeds)) != self.seeds.size:
            raise ValueError("a seed occurs twice: the same world twice is no independent evidence")
        check_purpose(self.seeds.tolist(), purpose)
        self._world = task.make_world()
        self._episode_bytes = self._measure()
        fitting = max(1, BLOCK_BYTES // self._episode_bytes)
        self.block_worlds = int(min(BLOCK_WORLDS, fitting)) if block_worlds is None else block_worlds
        if self.block_worlds < 1:
            raise ValueError(f"block_worlds = {block_worlds}: allowed is 1 or more, or None to choose automatically")
        self._keep = pool_bytes // (self._episode_bytes * self.block_worlds)
        self._kept: dict[int, tuple[Engine, Snapshot]] = {}

    def _measure(self) -> int:
        """Bytes of one compiled episode, from its first step."""
        _, raw = self._world.advance(self._world.begin([WorldKey(int(self.seeds[0]))]), 1)
        _, packed = self.task.compile(None, raw)
        return max(1, sum(array.nbytes for array in packed.values()) * (self.task.episode_steps + 1))

    def blocks(self) -> Iterator[tuple[slice, Engine]]:
        """Yield (which of the seeds, engine before its first step); use each engine before taking the next."""
        for number, start in enumerate(range(0, self.seeds.size, self.block_worlds)):
            part = slice(start, min(start + self.block_worlds, self.seeds.size))
            if number in self._kept:
                engine, snapshot = self._kept[number]
                engine.set_state(snapshot)
            else:
                engine = Engine(self.task, part.stop - part.start, world=self._world)
                engine.reset(seeds=self.seeds[part].tolist())
                if number < self._keep:
                    self._kept[number] = (engine, engine.get_state())
            yield part, engine

    def bound(self, entry: EnvEntry) -> tuple[NDArray[np.float64], NDArray[np.generic] | None]:
        """Upper bound on the return of each world, and the actions that attain it where it is exact."""
        bound = resolve(entry.bound)
        values, actions = [], []
        n_slices = self.task.episode_steps + 1
        for part, engine in self.blocks():
            if engine.buffer.holds_episodes:
                arrays = {name: array[engine.rows] for name, array in engine.buffer.arrays.items()}
            else:
                keys = [WorldKey(int(seed)) for seed in self.seeds[part]]
                _, raw = self._world.advance(self._world.begin(keys), n_slices)
                _, arrays = self.task.compile(None, raw)
            found = bound(self.task, arrays)
            values.append(np.asarray(found.value, dtype=np.float64))
            actions.append(found.actions)
        exact = all(part is not None for part in actions)
        return np.concatenate(values), np.concatenate(actions) if exact else None


def bound_values(
    entry: EnvEntry, task: Task, seeds: Sequence[int], *, purpose: Purpose = "reporting"
) -> NDArray[np.float64]:
    """Upper bound on the return of every world; no policy can reach more."""
    return WorldPool(task, seeds, purpose=purpose).bound(entry)[0]
