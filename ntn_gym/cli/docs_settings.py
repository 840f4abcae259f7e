"""Settings of scenarios (pydantic models) as rows of tables: defaults, units, ranges and differences."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

UNITS = {
    "_dbw_mhz": "dBW/MHz",
    "_dbw": "dBW",
    "_dbm": "dBm",
    "_db_k": "dB/K",
    "_db": "dB",
    "_bit_s_hz": "bit/s/Hz",
    "_bit_s": "bit/s",
    "_m_s": "m/s",
    "_km": "km",
    "_m": "m",
    "_utility_s": "s of full utility",
    "_s": "s",
    "_ghz": "GHz",
    "_hz": "Hz",
    "_deg_s": "deg/s",
    "_deg": "deg",
    "_rad": "rad",
    "_wh": "Wh",
    "_w": "W",
    "_j": "J",
    "_k": "K",
    "_bit": "bit",
    "_share": "share",
    "_logit": "logit",
    "_steps": "steps",
}
"""Unit that the end of a name stands for; the longest end counts."""


def unit_of(name: str) -> str:
    """Unit of a setting, from the end of its name; "" for none."""
    last = "_" + name.rsplit(".", 1)[-1]
    ends = sorted((end for end in UNITS if last.endswith(end)), key=len)
    return UNITS[ends[-1]] if ends else ""


def show(value: Any) -> str:
    """Write a value as a YAML file would have it, numbers short."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def with_unit(path: str, value: Any) -> str:
    """Write a value with its unit; a missing one as a dash."""
    if value is MISSING:
        return "-"
    unit = unit_of(path)
    return f"{show(value)} {unit}" if unit and isinstance(value, int | float) else show(value)


class _Missing:
    """The value of a setting that a kind of part does not have."""


MISSING = _Missing()


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn nested settings into ``{"link.freq_hz": ...}``."""
    result: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            result |= flatten(value, f"{prefix}{name}.")
        else:
            result[prefix + name] = value
    return result


def differences(base: BaseModel, other: BaseModel) -> list[tuple[str, Any, Any]]:
    """Settings of ``other`` that differ from ``base``: (path, value in base or `MISSING`, value in other)."""
    old, new = flatten(base.model_dump()), flatten(other.model_dump())
    return [(path, old.get(path, MISSING), value) for path, value in new.items() if old.get(path, MISSING) != value]


def settings_rows(model: type[BaseModel], prefix: str = "") -> list[list[str]]:
    """Rows (setting, default, unit, range, meaning) of all settings of a scenario, parts included."""
    rows = []
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        parts = list(_models(field.annotation))
        if len(parts) == 1:
            rows += settings_rows(parts[0], f"{path}.")
        elif parts:
            for part in parts:
                kind = part.model_fields["kind"].default if "kind" in part.model_fields else part.__name__
                rows += settings_rows(part, f"{path} = {kind}: ")
        else:
            rows.append([f"`{path}`", _default(field), unit_of(name), _range(field), field.description or ""])
    return rows


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Models that an annotation allows."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is Annotated:
        yield from _models(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from _models(part)


def _default(field: FieldInfo) -> str:
    return "required" if field.is_required() else show(field.get_default(call_default_factory=True)) or '""'


def _range(field: FieldInfo) -> str:
    options = _literals(field.annotation)
    if options:
        return ", ".join(f"`{option}`" for option in options)
    limits = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = []
    for rule in field.metadata:
        for name, sign in limits.items():
            if getattr(rule, name, None) is not None:
                found.append(f"{sign} {show(getattr(rule, name))}")
    return ", ".join(found)


def _literals(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return [option for part in get_args(annotation) for option in _literals(part)]
    return []
