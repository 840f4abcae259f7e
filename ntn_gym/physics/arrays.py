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


def _is_array(value: ArrayLike) -> bool:
    return array_api_compat.is_array_api_obj(value) and not isinstance(value, np.generic)


def promote(*values: ArrayLike) -> tuple[Any, ...]:
    """Return the array namespace of the arguments and the arguments as floating-point arrays of it.

    Numbers (of Python, or scalars of NumPy) take the floating type and the library of the arrays beside them, so that a
    float32 array stays float32 and a tensor may stand beside a result on plain numbers. Without an array everything is
    float64. Integer arrays become float64.

    Args:
        *values: Arrays of one library, numbers, or nested lists of numbers.

    Returns:
        The namespace (array-API standard), then one array for each argument.

    Raises:
        TypeError: When arrays of two libraries are mixed.
    """
    arrays = [value for value in values if _is_array(value)]
    if not arrays:
        return (
            numpy_namespace,
            *(numpy_namespace.asarray(value, dtype=numpy_namespace.float64) for value in values),
        )
    xp = array_api_compat.array_namespace(*arrays)
    floating = [value.dtype for value in arrays if xp.isdtype(value.dtype, "real floating")]
    dtype = xp.result_type(*floating) if floating else xp.float64
    device = array_api_compat.device(arrays[0])
    promoted: list[Array] = []
    for value in values:
        if not _is_array(value):
            promoted.append(xp.asarray(value, dtype=dtype, device=device))
        elif xp.isdtype(value.dtype, "real floating"):
            promoted.append(value)
        else:
            promoted.append(xp.astype(value, xp.float64))
    return (xp, *promoted)
