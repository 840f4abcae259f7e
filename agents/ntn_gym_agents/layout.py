"""Which slot layout a policy uses: declared by the task, checked against the spaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from gymnasium import spaces

from ntn_gym.core.registry import make_task
from ntn_gym.core.slots import SlotLayout

Layout = SlotLayout | Mapping[str, int] | str
_FIELDS = [field.name for field in fields(SlotLayout)]


def slots_end(layout: SlotLayout) -> int:
    """Index of the first number of the user in an observation."""
    return layout.n_slots * layout.slot_size


def layout_of_task(task: Any) -> SlotLayout | None:
    """Return what a task declares as ``slot_layout``; None if its observation has no slots."""
    return getattr(task, "slot_layout", None)


def resolve_layout(layout: Layout, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> SlotLayout:
    """Return the layout a policy shall use.

    Args:
        layout: A layout, its values as a mapping, or the name of an environment whose task declares it. With
            a name the number of slots follows the action space, so that one configuration serves all presets.
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
    if isinstance(layout, str):
        declared = layout_of_task(make_task(layout))
        if declared is None:
            raise ValueError(f"environment {layout!r} declares no slot_layout: use MlpPolicy")
        layout = replace(declared, n_slots=n_actions)
    elif isinstance(layout, Mapping):
        if set(layout) != set(_FIELDS):
            raise ValueError(f"slot layout has the keys {sorted(layout)}; needed are exactly {_FIELDS}")
        layout = SlotLayout(**layout)
    _check(layout, n_actions, observation_space)
    return layout


def _check(layout: SlotLayout, n_actions: int, observation_space: spaces.Space[Any]) -> None:
    if layout.n_slots != n_actions:
        raise ValueError(f"slot layout: n_slots = {layout.n_slots}, but there are {n_actions} actions")
    size = slots_end(layout) + layout.user_size
    if layout.user_size < 0 or observation_space.shape != (size,):
        raise ValueError(
            f"slot layout: {layout.n_slots} slots of {layout.slot_size} numbers and {layout.user_size} of "
            f"the user make {size}, but the observation has shape {observation_space.shape}"
        )
    for name in ("valid_index", "serving_index"):
        index = getattr(layout, name)
        if not 0 <= index < layout.slot_size:
            raise ValueError(f"slot layout: {name} = {index}: allowed are 0 to slot_size - 1 = {layout.slot_size - 1}")


def plain(layout: SlotLayout) -> dict[str, int]:
    """Return the layout as plain values, as it stands in a configuration or a manifest."""
    return asdict(layout)
