"""One random generator per world and process, so that no process disturbs another.

A world is named by the pair (seed, episode): ``reset(seed=s)`` is episode 0 of seed ``s``; a following
``reset()`` is episode 1 of the same seed, and so on. Every process of a world ("load", "shadowing", ...)
draws from its own generator, derived from the world's name and the process's name. Hence adding a process,
changing the chunk length or the batch size changes no number that another process draws.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TRAINING_SEEDS = range(0, 1_000_000)
VALIDATION_SEEDS = range(1_000_000, 2_000_000)
REPORTING_SEEDS = range(2_000_000, 3_000_000)


@dataclass(frozen=True, slots=True)
class WorldKey:
    """The name of one world: everything exogenous follows from it and from the scenario."""

    seed: int
    episode: int = 0


def process_generator(key: WorldKey, process: str) -> np.random.Generator:
    """Return the generator of one process of one world.

    Args:
        key: Name of the world.
        process: Name of the process; any text, hashed by CRC-32 so that it is stable between Python runs.

    Returns:
        An SFC64 generator, independent of those of all other (world, process) pairs.
    """
    sequence = np.random.SeedSequence(key.seed, spawn_key=(key.episode, zlib.crc32(process.encode())))
    return np.random.Generator(np.random.SFC64(sequence))


def process_generators(keys: Sequence[WorldKey], process: str) -> list[np.random.Generator]:
    """Return one generator of the named process for each world."""
    return [process_generator(key, process) for key in keys]


def seed_purpose(seed: int) -> str:
    """Say what a seed may be used for: ``training``, ``validation`` or ``reporting``.

    Raises:
        ValueError: If the seed is negative or above the reporting range.
    """
    for name, seeds in (
        ("training", TRAINING_SEEDS),
        ("validation", VALIDATION_SEEDS),
        ("reporting", REPORTING_SEEDS),
    ):
        if seed in seeds:
            return name
    raise ValueError(
        f"seed {seed} is in no range: use 0..999999 for training, 1000000..1999999 for validation and "
        "tuning, 2000000..2999999 for reported results"
    )
