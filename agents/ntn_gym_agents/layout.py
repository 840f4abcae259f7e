"""Which slot layout a policy uses: declared by the task, checked against the spaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, replace
from typing import Any

import numpy as np
from gymnasium import spaces

from ntn_gym.core.registry import make_task
from ntn_gym.core.slots import SlotLayout

Layout = SlotLayout | Mapping[str, int | None] | str
_FIELDS = [field.name for field in fields(SlotLayout)]
_DEFAULTS = {field.name: field.default for field in fields(SlotLayout) if field.default is not MISSING}
_NEEDED = [name for name in _FIELDS if name not in _DEFAULTS]


def slots_end(layout: SlotLayout) -> int:
    """Index of the first number of the user in an observation."""
    return layout.n_slots * layout.slot_size


def observation_size(layout: SlotLayout) -> int:
    """Numbers in an observation."""
    return slots_end(layout) + layout.user_size


def layout_of_task(task: Any) -> SlotLayout | None:
    """Return what a task declares as ``slot_layout``; None if its observation has no slots."""
    return getattr(task, "slot_layout", None)


def resolve_layout(layout: Layout, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> SlotLayout:
    """Return the layout a policy shall use.

    Args:
        layout: A layout, its values as a mapping, or the name of an environment whose task declares it. With
            a name the number of slots follows from the action space and that of the user's numbers from the
            observation, so that one configuration serves all presets.
        observation_space: What the policy sees.
        action_space: What it chooses from.

    Raises:
        ValueError: If the layout is not possible or does not fit the spaces.
    """
    if not isinstance(action_space, spaces.Discrete):
        raise ValueError(
            f"a slot policy chooses one slot, its action space must be Discrete and not {action_space}; "
            "with many agents train one policy for all of them (agents_as_envs)"
        )
    n_actions = int(action_space.n)
    found = read_layout(layout, n_actions, int(np.prod(observation_space.shape or ())))
    _check(found, n_actions, observation_space)
    return found


def read_layout(layout: Layout, n_actions: int, n_observed: int) -> SlotLayout:
    """Turn whatever stands for a layout of so many actions and observed numbers into one; see `resolve_layout`.

    Raises:
        ValueError: If it names no layout.
    """
    if isinstance(layout, str):
        declared = layout_of_task(make_task(layout))
        if declared is None:
            raise ValueError(f"environment {layout!r} declares no slot_layout: use MlpPolicy")
        n_slots = n_actions - declared.n_extra_actions
        return replace(declared, n_slots=n_slots, user_size=n_observed - n_slots * declared.slot_size)
    if isinstance(layout, Mapping):
        if not set(_NEEDED) <= set(layout) <= set(_FIELDS):
            raise ValueError(
                f"slot layout has the keys {sorted(layout)}; needed are exactly {_NEEDED}, "
                f"and where they are not 0 {list(_DEFAULTS)}"
            )
        return SlotLayout(**layout)  # type: ignore[arg-type]
    return layout


def _check(layout: SlotLayout, n_actions: int, observation_space: spaces.Space[Any]) -> None:
    if layout.n_slots < 1 or layout.n_actions != n_actions:
        extra = f" and n_extra_actions = {layout.n_extra_actions}" if layout.n_extra_actions else ""
        raise ValueError(f"slot layout: n_slots = {layout.n_slots}{extra}, but there are {n_actions} actions")
    if not 0 <= layout.first_slot_action <= layout.n_extra_actions:
        raise ValueError(
            f"slot layout: first_slot_action = {layout.first_slot_action}: allowed are 0 to n_extra_actions = "
            f"{layout.n_extra_actions}"
        )
    size = observation_size(layout)
    if layout.user_size < 0 or observation_space.shape != (size,):
        raise ValueError(
            f"slot layout: {layout.n_slots} slots of {layout.slot_size} numbers and {layout.user_size} of "
            f"the user make {size}, but the observation has shape {observation_space.shape}"
        )
    for name in ("valid_index", "serving_index"):
        index = getattr(layout, name)
        if index is not None and not 0 <= index < layout.slot_size:
            raise ValueError(
                f"slot layout: {name} = {index}: allowed are 0 to slot_size - 1 = {layout.slot_size - 1}, or null"
            )


def plain(layout: SlotLayout) -> dict[str, int | None]:
    """Return the layout as plain values, as it stands in a configuration or a manifest; defaults are left out."""
    return {key: value for key, value in asdict(layout).items() if key not in _DEFAULTS or value != _DEFAULTS[key]}
