"""One way to refuse numbers outside the range in which a formula holds."""

from __future__ import annotations

import math

from ntn_gym.physics.arrays import ArrayLike, promote


def require_range(field: str, value: ArrayLike, low: float, high: float, unit: str, why: str = "") -> None:
    """Raise if any element of an argument is outside a closed range, or not a number.

    Source: no formula: the one form of refusals in this package.

    Args:
        field: Name of the argument, as the caller knows it.
        value: Values, [...].
        low: Least allowed value.
        high: Largest allowed value; infinite means that only the lower limit counts.
        unit: Unit of the values and limits, "" for none.
        why: What sets the range, or what to do; appended to the message.

    Raises:
        ValueError: With the field, the first value outside, the range and the unit.
    """
    xp, values = promote(value)
    inside = (values >= low) & (values <= high)
    if bool(xp.all(inside)):
        return
    first = float(xp.reshape(values, (-1,))[int(xp.argmax(xp.astype(~xp.reshape(inside, (-1,)), xp.int64)))])
    suffix = f" {unit}" if unit else ""
    limits = f"at least {low:g}{suffix}" if math.isinf(high) else f"{low:g} to {high:g}{suffix}"
    raise ValueError(f"{field}: got {first:g}{suffix}; must be {limits}" + (f" ({why})" if why else ""))


def refuse_non_positive(field: str, value: ArrayLike, unit: str) -> None:
    """Raise if any element of an argument is zero or negative; a NaN passes, it stands for an absent node.

    The cheap check of functions on hot paths: one comparison and one reduction.

    Source: no formula: the one form of refusals in this package.

    Args:
        field: Name of the argument, as the caller knows it.
        value: Values, [...].
        unit: Unit of the values.

    Raises:
        ValueError: With the field, the least value and the unit.
    """
    xp, values = promote(value)
    if bool(xp.any(values <= 0.0)):
        least = float(xp.min(xp.where(values <= 0.0, values, xp.zeros_like(values))))
        raise ValueError(f"{field}: got {least:g} {unit}; must be above 0 {unit}")


def refuse_negative(field: str, value: ArrayLike, unit: str, tolerance: float = 0.0) -> None:
    """Raise if any element of an argument is negative; a NaN passes, it stands for an absent node.

    Source: no formula: the one form of refusals in this package.

    Args:
        field: Name of the argument, as the caller knows it.
        value: Values, [...].
        unit: Unit of the values.
        tolerance: Values down to minus this pass: what rounding makes of zero.

    Raises:
        ValueError: With the field, the least value and the unit.
    """
    xp, values = promote(value)
    if bool(xp.any(values < -tolerance)):
        least = float(xp.min(xp.where(values < 0.0, values, xp.zeros_like(values))))
        raise ValueError(f"{field}: got {least:g} {unit}; must be at least 0 {unit}")
