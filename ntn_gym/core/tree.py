"""Operations on dataclasses of arrays whose leading axis is the world.

States of tasks and of exogenous processes are (nested) dataclasses, dicts, arrays and lists; a list holds one
object per world (a random generator, for example). These helpers pick, replace and join worlds in such a
structure.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def _map(function: Callable[..., Any], first: Any, *others: Any) -> Any:
    if dataclasses.is_dataclass(first) and not isinstance(first, type):
        values = {
            field.name: _map(function, getattr(first, field.name), *(getattr(o, field.name) for o in others))
            for field in dataclasses.fields(first)
        }
        return type(first)(**values)
    if isinstance(first, dict):
        return {name: _map(function, value, *(o[name] for o in others)) for name, value in first.items()}
    if first is None:
        return None
    return function(first, *others)


def take(tree: Any, worlds: Sequence[int] | np.ndarray) -> Any:
    """Return the structure reduced to the given worlds (arrays are copied)."""

    def pick(leaf: Any) -> Any:
        if isinstance(leaf, list):
            return [leaf[int(world)] for world in worlds]
        return leaf[np.asarray(worlds)]

    return _map(pick, tree)


def put(tree: Any, worlds: Sequence[int] | np.ndarray, part: Any) -> Any:
    """Return a copy of ``tree`` in which the given worlds are replaced by those of ``part``."""

    def place(leaf: Any, new: Any) -> Any:
        result = copy.copy(leaf) if isinstance(leaf, list) else leaf.copy()
        if isinstance(result, list):
            for world, value in zip(worlds, new, strict=True):
                result[int(world)] = value
        else:
            result[np.asarray(worlds)] = new
        return result

    return _map(place, tree, part)


def concatenate(trees: Sequence[Any]) -> Any:
    """Join structures along the world axis."""

    def join(*leaves: Any) -> Any:
        if isinstance(leaves[0], list):
            return [value for leaf in leaves for value in leaf]
        return np.concatenate(leaves, axis=0)

    return _map(join, *trees)


def copy_tree(tree: Any) -> Any:
    """Return a deep copy (arrays and generators included)."""
    return copy.deepcopy(tree)
