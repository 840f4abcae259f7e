"""Ranges of arguments: one message for all functions of stochastic geometry."""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import ArrayLike, promote


def require_range(field: str, value: ArrayLike, low: float, high: float = math.inf, unit: str = "") -> None:
    """Check that every element lies in [low, high].

    Args:
        field: Name of the argument, for the message.
        value: The argument, [...].
        low: Smallest allowed value.
        high: Largest allowed value.
        unit: Unit of the value and of the limits, for the message.

    Raises:
        ValueError: If an element is outside the range or not a number.
    """
    xp, array = promote(value)
    inside = (array >= low) & (array <= high)
    if not bool(xp.all(inside)):
        first = float(array[~inside][0]) if array.ndim else float(array)
        limits = f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise ValueError(f"{field}: got {first:g}; must be {limits}{' ' + unit if unit else ''}")


def require_positive(field: str, value: ArrayLike, unit: str = "") -> None:
    """Check that every element is above zero.

    Args:
        field: Name of the argument, for the message.
        value: The argument, [...].
        unit: Unit of the value, for the message.

    Raises:
        ValueError: If an element is zero, negative or not a number.
    """
    xp, array = promote(value)
    if not bool(xp.all(array > 0.0)):
        first = float(array[~(array > 0.0)][0]) if array.ndim else float(array)
        raise ValueError(f"{field}: got {first:g}; must be above 0{' ' + unit if unit else ''}")


def require_one_of(field: str, value: str, allowed: tuple[str, ...]) -> None:
    """Check that a word is one of those allowed.

    Args:
        field: Name of the argument, for the message.
        value: The argument.
        allowed: The words allowed.

    Raises:
        ValueError: If the word is another.
    """
    if value not in allowed:
        raise ValueError(f"{field}: got {value!r}; must be one of {', '.join(allowed)}")
