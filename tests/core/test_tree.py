"""Picking, replacing and joining worlds in nested dataclasses."""

from dataclasses import dataclass

import numpy as np

from ntn_gym.core import tree


@dataclass(frozen=True)
class Inner:
    values: np.ndarray
    nothing: None = None


@dataclass(frozen=True)
class Outer:
    inner: Inner
    table: dict[str, np.ndarray]
    objects: list[str]


def _build(offset: int) -> Outer:
    return Outer(
        Inner(np.arange(6.0).reshape(3, 2) + offset),
        {"a": np.arange(3) + offset},
        [f"{offset}:{i}" for i in range(3)],
    )


def test_take() -> None:
    outer = _build(0)
    part = tree.take(outer, [2, 0])
    assert part.inner.values.tolist() == [[4, 5], [0, 1]] and part.inner.nothing is None
    assert part.table["a"].tolist() == [2, 0] and part.objects == ["0:2", "0:0"]
    part.inner.values[:] = -1
    assert outer.inner.values[0, 0] == 0, "arrays are copied"


def test_put() -> None:
    outer = _build(0)
    result = tree.put(outer, [1], tree.take(_build(10), [2]))
    assert result.inner.values.tolist() == [[0, 1], [14, 15], [4, 5]]
    assert result.table["a"].tolist() == [0, 12, 2] and result.objects == ["0:0", "10:2", "0:2"]
    assert outer.objects == ["0:0", "0:1", "0:2"] and outer.inner.values[1, 0] == 2, "the original stays"


def test_concatenate_undoes_take() -> None:
    outer = _build(3)
    joined = tree.concatenate([tree.take(outer, [i]) for i in range(3)])
    assert np.array_equal(joined.inner.values, outer.inner.values) and joined.objects == outer.objects
    assert tree.concatenate([None, None]) is None


def test_copy_is_deep() -> None:
    generator = np.random.default_rng(1)
    copied = tree.copy_tree([generator])
    assert generator.random() == copied[0].random()
    generator.random()
    assert generator.random() != copied[0].random()
