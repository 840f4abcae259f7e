"""Promotion of arguments, so that one function serves Python floats, NumPy arrays and torch tensors."""

from __future__ import annotations

from typing import Any, TypeAlias

import array_api_compat
import array_api_compat.numpy as numpy_namespace
import numpy as np

Array: TypeAlias = Any
"""A NumPy array or torch tensor; functions state shapes and units in their docstrings."""

ArrayLike: TypeAlias = Any
"""An `Array`, a Python number, or (NumPy only) a nested list of numbers."""


_PLAIN = frozenset({np.ndarray, np.float64, float, int})


def _is_array(value: ArrayLike) -> bool:
    return array_api_compat.is_array_api_obj(value) and not isinstance(value, np.generic)


def promote(*values: ArrayLike) -> tuple[Any, ...]:
    """Return the array namespace of the arguments and the arguments as floating-point arrays of it.

    Numbers (of Python, or scalars of NumPy) take the floating type and the library of the arrays beside them, so that a
    float32 array stays float32 and a tensor may stand beside a result on plain numbers. Without an array everything is
    float64. Integer arrays become float64.

    Source: Python array API standard 2023.12, section "Type promotion rules" (numbers take the type of the
    arrays).

    Args:
        *values: Arrays of one library, numbers, or nested lists of numbers.

    Returns:
        The namespace (array-API standard), then one array for each argument.

    Raises:
        TypeError: When arrays of two libraries are mixed.
    """
    # Asking the standard for its namespace costs 2 us an argument; NumPy arrays and numbers, the usual case, need not.
    plain = all(type(value) in _PLAIN for value in values)
    arrays = [value for value in values if (type(value) is np.ndarray if plain else _is_array(value))]
    if plain or not arrays:
        floats = {array.dtype for array in arrays if array.dtype.kind == "f"}
        dtype = np.result_type(*floats) if floats else np.dtype(np.float64)
        promoted = [
            value
            if type(value) is np.ndarray and value.dtype.kind == "f"
            else np.asarray(value, dtype=np.float64 if type(value) is np.ndarray else dtype)
            for value in values
        ]
        return (numpy_namespace, *promoted)
    xp = array_api_compat.array_namespace(*arrays)
    floating = [value.dtype for value in arrays if xp.isdtype(value.dtype, "real floating")]
    dtype = xp.result_type(*floating) if floating else xp.float64
    device = array_api_compat.device(arrays[0])
    return (
        xp,
        *(
            xp.asarray(value, dtype=dtype, device=device)
            if not _is_array(value)
            else value
            if xp.isdtype(value.dtype, "real floating")
            else xp.astype(value, xp.float64)
            for value in values
        ),
    )
