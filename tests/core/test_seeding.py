"""Generators follow from the names of world and process, and from nothing else."""

import numpy as np
import pytest

from ntn_gym.core.seeding import WorldKey, process_generator, process_generators, seed_purpose


def _draw(seed: int, episode: int, process: str) -> float:
    return process_generator(WorldKey(seed, episode), process).random()


def test_same_name_same_stream() -> None:
    assert _draw(1, 2, "load") == _draw(1, 2, "load")
    assert process_generators([WorldKey(1, 2)], "load")[0].random() == _draw(1, 2, "load")


def test_every_part_of_the_name_counts() -> None:
    numbers = {_draw(s, e, p) for s in (0, 1, 2**100) for e in (0, 1) for p in ("load", "rain", "")}
    assert len(numbers) == 18


def test_stream_does_not_change_between_versions() -> None:
    """SeedSequence(7, spawn_key=(1, crc32(b"load"))) with SFC64, worked out with numpy alone."""
    reference = np.random.Generator(np.random.SFC64(np.random.SeedSequence(7, spawn_key=(1, 621208605))))
    assert np.array_equal(
        process_generator(WorldKey(7, 1), "load").integers(0, 1000, 5), reference.integers(0, 1000, 5)
    )


@pytest.mark.parametrize(
    ("seed", "purpose"),
    [
        (0, "training"),
        (999_999, "training"),
        (1_000_000, "validation"),
        (1_999_999, "validation"),
        (2_000_000, "reporting"),
    ],
)
def test_purposes(seed: int, purpose: str) -> None:
    assert seed_purpose(seed) == purpose


@pytest.mark.parametrize("seed", [-1, 3_000_000])
def test_seeds_outside_every_range(seed: int) -> None:
    with pytest.raises(ValueError, match="is in no range"):
        seed_purpose(seed)
